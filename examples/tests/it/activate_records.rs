//! Who must not be on a list, and what is taken down of those who are.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{CONFIG, Case, VIP};

const THREE: [&str; 3] = ["ann@example.com", "bob@example.com", "cid@example.com"];

fn ledger(case: &Case) -> Vec<Value> {
    let text = std::fs::read_to_string(case.path("ledger.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn with_ledger() -> Case {
    let case = Case::of(&THREE);
    let config = std::fs::read_to_string(case.path(CONFIG)).unwrap();
    case.write(CONFIG, &config.replacen("[state]\n", "[state]\nledger = \"ledger.jsonl\"\n", 1));
    case
}

#[test]
fn somebody_excluded_is_not_added_and_is_removed_where_the_activation_put_her() {
    let case = Case::of(&THREE);
    assert_eq!(case.activate(&[]).code, 0);
    case.segment("complaints.csv", &["BOB@example.com"]);
    case.segment("vip.csv", &[&THREE[..], &["dee@example.com"]].concat());
    case.segment("staff.csv", &["dee@example.com"]);
    case.configure(&format!(
        "{VIP}\nexclude = [\n  \
         {{ reason = \"complained\", source = {{ kind = \"csv\", path = \"complaints.csv\", column = \"email\" }} }},\n  \
         {{ reason = \"employee\", source = {{ kind = \"csv\", path = \"staff.csv\", column = \"email\" }} }},\n]\n"
    ));
    let (run, report) = case.activate_with_report(&[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(case.members("vip"), ["ann@example.com", "cid@example.com"]);
    let excluded = &report["activations"][0]["excluded"];
    assert_eq!(*excluded, serde_json::json!({"complained": 1, "employee": 1}));
    assert_eq!(case.service.contact_count(), 3, "nobody was deleted or created");
}

#[test]
fn exclusions_that_cannot_be_read_stop_the_run() {
    let case = Case::of(&THREE);
    case.segment("staff.csv", &["ann@example.com"]);
    let exclude = |column: &str| {
        case.configure(&format!(
            "{VIP}\nexclude = [{{ reason = \"employee\", source = {{ kind = \"csv\", path = \
             \"staff.csv\", column = \"{column}\" }} }}]\n"
        ));
    };
    exclude("e-mail");
    let stopped = case.activate(&[]);
    assert_eq!(stopped.code, 1, "{stopped:?}");
    assert_eq!(case.write_calls(), 0);
    exclude("email");
    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.members("vip"), THREE[1..]);
}

#[test]
fn every_change_is_a_line_of_the_ledger_without_an_address() {
    let case = with_ledger();
    assert_eq!(case.activate(&["--dry-run"]).code, 0);
    assert!(!case.path("ledger.jsonl").exists(), "a dry run takes down nothing");
    assert_eq!(case.activate(&[]).code, 0);
    case.segment("vip.csv", &THREE[1..]);
    assert_eq!(case.activate(&[]).code, 0);

    let lines = ledger(&case);
    // The list's own commit changes nobody.
    let changes = lines.iter().filter(|line| line.get("change").is_some());
    let mut causes: BTreeMap<(String, String), u64> = BTreeMap::new();
    for line in changes {
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        assert_eq!(text("segment"), "vip");
        assert!(line["contact"].is_u64() && line["run"].is_u64(), "{line}");
        *causes.entry((text("change"), text("cause"))).or_default() += 1;
    }
    let pair = |change: &str, cause: &str| (change.to_owned(), cause.to_owned());
    let expected =
        BTreeMap::from([(pair("enter", "entered_segment"), 3), (pair("exit", "left_segment"), 1)]);
    assert_eq!(causes, expected);
    let text = std::fs::read_to_string(case.path("ledger.jsonl")).unwrap();
    assert!(!text.contains("example.com"));
}

#[test]
fn half_a_line_that_a_killed_process_left_spoils_no_other() {
    let case = with_ledger();
    case.write("ledger.jsonl", "{\"segment\":\"vi");
    assert_eq!(case.activate(&[]).code, 0);
    let text = std::fs::read_to_string(case.path("ledger.jsonl")).unwrap();
    let (half, rest) = text.split_once('\n').unwrap();
    assert_eq!(half, "{\"segment\":\"vi");
    let lines: Vec<Value> = rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line["change"] == "enter").count(), 3);
}

#[test]
fn without_its_ledger_nothing_is_begun() {
    let case = with_ledger();
    std::fs::create_dir(case.path("ledger.jsonl")).unwrap();
    let refused = case.activate(&[]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("state.ledger"), "{refused:?}");
    assert_eq!(case.write_calls(), 0);
}
