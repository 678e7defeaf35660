//! The shape of `--report`, on which scripts rely.

use std::{collections::BTreeSet, fs};

use serde_json::json;

use crate::support::{Case, VIP};

#[test]
fn it_has_every_key_of_the_contract() {
    let case = Case::of(&["ann@example.com", "bob@example.com", "not an address", ""]);
    case.write("vip.csv", "email,name\nann@example.com,Ann\nnot an address,Bob\n,Cid\n");
    case.configure(&format!("{VIP}\nname = \"VIP customers\"\n"));
    let (run, report) = case.activate_with_report(&[]);
    assert_eq!(run.code, 0, "{run:?}");
    let keys: Vec<_> = report.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["activations"]);
    let activation = &report["activations"][0];
    let list = case.service.list_named("VIP customers").unwrap();
    assert_eq!(activation["segment"], "vip");
    assert_eq!(activation["list"], json!({"id": list.id, "name": "VIP customers"}));
    assert_eq!(activation["status"], "done");
    let counts = ["added", "removed", "moved", "unchanged", "held", "failed"];
    assert_eq!(counts.map(|key| activation[key].as_u64()), [1, 0, 0, 0, 0, 0].map(Some));
    let identities = json!({
        "waiting": 0, "merged": 0, "split": 0, "rekeyed": 0, "contact_unknown": 0,
        "contact_shared": 0, "not_movable": 0,
    });
    assert_eq!(activation["identities"], identities);
    assert_eq!(activation["planned"]["moves"], 0);
    assert_eq!(activation["planned"]["identities"], identities);
    assert_eq!(activation["rejected"], json!({"empty": 1, "invalid_email": 1}));
    assert_eq!(activation["guard"], json!({"outcome": "passed", "reasons": []}));
    assert_eq!(activation["plan_digest"].as_str().map(str::len), Some(32));
    let calls = activation["calls"].as_object().unwrap();
    let counted: u64 = calls.values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(counted, case.service.ledger().len() as u64, "every call is counted");
    assert_eq!(calls["PATCH /contacts/v3/{identifier}/{value}"], 1);
}

#[test]
fn it_replaces_an_older_one_and_leaves_nothing_else_behind() {
    let case = Case::of(&["ann@example.com"]);
    case.write("report.json", "an older report, and a longer one: ".repeat(1_000).as_str());
    let (run, report) = case.activate_with_report(&[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(report["activations"][0]["status"], "done");
    let names = fs::read_dir(case.path("")).unwrap();
    let names: BTreeSet<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(Vec::from_iter(names), ["report.json", "state", "sync.toml", "vip.csv"]);
}
