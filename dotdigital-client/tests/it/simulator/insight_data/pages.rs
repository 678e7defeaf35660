//! Records page by page.

use dotdigital_client::simulator::{ContactIdForm, SimulatorSettings, Switches};
use serde_json::{Value, json};

use super::{super::Caller, BASE, account, account_with, of_ann};

fn shown(page: &Value) -> Vec<&str> {
    let items = page["_items"].as_array().expect("items");
    items.iter().map(|item| item["key"].as_str().expect("a key")).collect()
}

/// Five records of Ann, a second apart.
fn fill(caller: &Caller) {
    for key in ["A1", "A2", "A3", "A4", "A5"] {
        caller.put(&of_ann(&format!("/{key}")), &json!({})).expect(201);
        caller.wait(1);
    }
}

#[test]
fn records_are_followed_to_the_end_by_marker_the_oldest_first() {
    let (caller, ann) = account();
    fill(&caller);
    caller.put(&of_ann("/A2"), &json!({"price": 1})).expect(204);
    for path in [of_ann(""), format!("{BASE}/contacts/Orders")] {
        let mut seen = Vec::new();
        let mut next = Some(format!("{path}?limit=2"));
        while let Some(path) = next {
            let page = caller.get(&path).expect(200);
            seen.extend(shown(&page).into_iter().map(str::to_owned));
            assert_eq!(page["_items"][0]["ownerContactId"], ann);
            let link = page["_links"]["next"]["link"].as_str();
            next = link.map(|link| link.replace("https://r1-api.example.com", ""));
        }
        assert_eq!(seen, ["A1", "A2", "A3", "A4", "A5"]);
    }
}

#[test]
fn links_lead_back_and_to_the_end() {
    let (caller, _) = account();
    fill(&caller);
    let follow = |page: &Value, link: &str| {
        let link = page["_links"][link]["link"].as_str().expect("a link");
        caller.get(&link.replace("https://r1-api.example.com", "")).expect(200)
    };
    let first = caller.get(&of_ann("?limit=2")).expect(200);
    let third = follow(&follow(&first, "next"), "next");
    assert_eq!(shown(&third), ["A5"]);
    assert!(third["_links"].get("next").is_none() && first["_links"].get("prev").is_none());
    assert_eq!(shown(&follow(&third, "prev")), ["A3", "A4"]);
    assert_eq!(shown(&follow(&third, "first")), ["A1", "A2"]);
    assert_eq!(shown(&follow(&third, "self")), ["A5"]);
    assert_eq!(shown(&follow(&first, "last")), ["A4", "A5"]);
    assert_eq!(follow(&follow(&third, "prev"), "prev"), first);
}

#[test]
fn records_changed_since_a_time_are_found() {
    let (caller, _) = account();
    fill(&caller);
    caller.put(&of_ann("/A2"), &json!({"price": 1})).expect(204);
    let path = of_ann("?~modified=gte::2026-09-21T14:13:24.000Z");
    assert_eq!(shown(&caller.get(&path).expect(200)), ["A2", "A5"]);
}

#[test]
fn a_page_of_a_whole_collection_has_no_more_than_described() {
    let (caller, _) = account();
    let record = |number: usize| {
        json!({"contactIdentity": {"identifier": "email", "value": "ann@example.com"},
               "key": number.to_string(), "json": {}})
    };
    let body = json!({"collectionName": "Orders", "collectionScope": "contact",
                      "collectionType": "orders",
                      "records": (0..1_001).map(record).collect::<Vec<_>>()});
    caller.put(&format!("{BASE}/import"), &body).expect(202);
    caller.wait(60);
    let page = caller.get(&format!("{BASE}/contacts/Orders?limit=5000")).expect(200);
    assert_eq!(shown(&page).len(), 1_000);
    assert!(page["_links"]["next"]["marker"].is_string());
    assert_eq!(shown(&caller.get(&of_ann("?limit=5000")).expect(200)).len(), 1_001);
    assert_eq!(shown(&caller.get(&of_ann("")).expect(200)).len(), 1_000);
}

#[test]
fn what_is_not_described_is_refused() {
    let (caller, _) = account();
    for query in [
        "limit=0",
        "limit=5001",
        "limit=x",
        "~modified=2026-01-01T00:00:00Z",
        "~modified=gte::2026-01-01",
        "~modified=gte::2026-01-01T00:00:00",
        "marker=x",
        "select=1",
    ] {
        let reply = caller.get(&of_ann(&format!("?{query}")));
        assert_eq!(reply.error_code(400), "insightData:invalidFilter", "{query}");
    }
}

#[test]
fn the_owner_is_written_as_contact_ids_are() {
    let switches = Switches { contact_id: ContactIdForm::Text, ..Switches::default() };
    let (caller, ann) =
        account_with(SimulatorSettings { switches, ..SimulatorSettings::default() });
    caller.put(&of_ann("/A1"), &json!({})).expect(201);
    let record = caller.get(&of_ann("/A1")).expect(200);
    assert_eq!(record["ownerContactId"], ann.to_string());
}
