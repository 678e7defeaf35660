//! Large accounts: the cost of a call depends on what it is about, not on the account's size.

use dotdigital_client::simulator::Visibility;
use serde_json::{Value, json};

use super::{Caller, onto_list};

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
