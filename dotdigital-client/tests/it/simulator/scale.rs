//! Large accounts: the cost of a call depends on what it is about, not on the account's size.

use dotdigital_client::simulator::{SimulatorSettings, Visibility};
use serde_json::{Value, json};

use super::{Caller, by_email, onto_list};

#[test]
fn a_large_import_and_a_large_list_read_back_completely() {
    const PEOPLE: usize = 20_000;
    let caller = Caller::new();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let rows: Vec<Value> =
        (0..PEOPLE).map(|n| onto_list(&format!("{n}@example.com"), list)).collect();
    let report = caller.import(&json!(rows));
    assert_eq!(report["created"].as_array().map(Vec::len), Some(PEOPLE));
    let (mut marker, mut seen) = (String::new(), 0);
    loop {
        let path = format!("/contacts/v3?~listId={list}&limit=5000&marker={marker}");
        let page = caller.get(&path).expect(200);
        seen += page["_items"].as_array().map_or(0, Vec::len);
        match page["_links"]["next"]["marker"].as_str() {
            Some(next) => next.clone_into(&mut marker),
            None => break,
        }
    }
    assert_eq!(seen, PEOPLE);
    assert_eq!(caller.simulator.members(list).len(), PEOPLE);
}

#[test]
fn a_limit_on_contacts_does_not_make_an_import_slower_with_each_row() {
    const PEOPLE: usize = 20_000;
    let settings = SimulatorSettings { max_contacts: Some(PEOPLE), ..SimulatorSettings::default() };
    let caller = Caller::with(settings);
    let rows: Vec<Value> = (0..PEOPLE).map(|n| by_email(&format!("{n}@example.com"))).collect();
    let report = caller.import(&json!(rows));
    assert_eq!(report["created"].as_array().map(Vec::len), Some(PEOPLE));
    let body = json!({"identifiers": {"email": "more@example.com"}});
    caller.post("/contacts/v3", &body).error_code(400);
    caller.delete("/contacts/v3/email/0@example.com").expect(200);
    caller.post("/contacts/v3", &body).expect(201);
}
