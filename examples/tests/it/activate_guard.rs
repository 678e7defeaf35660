//! What the guard stops, and how a person lets it pass once.

use crate::support::{Case, VIP};

const FIVE: [&str; 5] =
    ["ann@example.com", "bob@example.com", "cid@example.com", "dee@example.com", "eve@example.com"];

#[test]
fn a_stopped_plan_passes_once_it_is_approved_by_its_digest() {
    let case = Case::of(&FIVE);
    assert_eq!(case.activate(&[]).code, 0);
    case.segment("vip.csv", &[]);
    case.service.reset_ledger();

    let (blocked, report) = case.activate_with_report(&[]);
    assert_eq!(blocked.code, 3, "{blocked:?}");
    let activation = &report["activations"][0];
    assert_eq!(activation["status"], "blocked");
    assert_eq!(activation["guard"]["outcome"], "tripped");
    assert_eq!(activation["guard"]["reasons"][0]["reason"], "empty_segment");
    let digest = activation["plan_digest"].as_str().unwrap();
    assert!(blocked.stdout.contains(&format!("--approve {digest}")), "{blocked:?}");
    assert_eq!(case.write_calls(), 0);

    let other = "0".repeat(digest.len());
    assert_eq!(case.activate(&["--approve", &other]).code, 3, "another plan stays stopped");

    let (approved, report) = case.activate_with_report(&["--approve", digest]);
    assert_eq!(approved.code, 0, "{approved:?}");
    assert_eq!(report["activations"][0]["guard"]["outcome"], "approved");
    assert_eq!(report["activations"][0]["removed"], 5);
    assert_eq!(case.members("vip"), [""; 0]);
    assert_eq!(case.service.contact_count(), 5, "nobody was deleted");
}

#[test]
fn an_approval_does_not_cover_a_segment_that_changed_since() {
    let case = Case::of(&FIVE);
    case.configure(&format!("{VIP}\nguard = {{ max_removal_share = 0.2, max_removals = 1 }}\n"));
    assert_eq!(case.activate(&[]).code, 0);
    case.segment("vip.csv", &FIVE[2..]);
    let (blocked, report) = case.activate_with_report(&[]);
    assert_eq!(blocked.code, 3, "{blocked:?}");
    let digest = report["activations"][0]["plan_digest"].as_str().unwrap().to_owned();
    case.segment("vip.csv", &FIVE[3..]);
    assert_eq!(case.activate(&["--approve", &digest]).code, 3);
    assert_eq!(case.members("vip"), FIVE);
}

#[test]
fn limits_of_an_activation_replace_those_of_the_destination_one_by_one() {
    let case = Case::of(&FIVE);
    case.configure(&format!(
        "\n[destination.defaults]\nguard = {{ max_removal_share = 0.2, max_removals = 1 }}\n{VIP}\n\
         guard = {{ max_removals = 2 }}\n"
    ));
    assert_eq!(case.activate(&[]).code, 0);
    case.segment("vip.csv", &FIVE[2..]);
    assert_eq!(case.activate(&[]).code, 0, "two removals are allowed here");
    case.segment("vip.csv", &[]);
    assert_eq!(case.activate(&[]).code, 3);
}

#[test]
fn data_that_are_too_old_stop_a_run() {
    let case = Case::new();
    let warehouse = rusqlite::Connection::open(case.path("warehouse.db")).unwrap();
    warehouse
        .execute_batch(
            "CREATE TABLE people (email TEXT); CREATE TABLE loads (at TEXT);
             INSERT INTO people VALUES ('ann@example.com'); INSERT INTO loads VALUES ('2020-01-01T00:00:00Z');",
        )
        .unwrap();
    case.configure(
        "\n[[activation]]\nsegment = \"vip\"\nguard = { max_age_hours = 36 }\nsource = { kind = \"sqlite\", \
         path = \"warehouse.db\", query = \"SELECT email FROM people\", \
         as_of = \"SELECT max(at) FROM loads\" }\n",
    );
    let (stopped, report) = case.activate_with_report(&[]);
    assert_eq!(stopped.code, 3, "{stopped:?}");
    assert_eq!(report["activations"][0]["as_of"], "2020-01-01T00:00:00Z");
    warehouse
        .execute("INSERT INTO loads VALUES (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))", [])
        .unwrap();
    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.members("vip"), ["ann@example.com"]);
}
