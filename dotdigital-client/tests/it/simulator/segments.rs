//! Segments: `/v2/segments`, and reading who is in one.

use dotdigital_client::simulator::{Fault, FaultRule, Visibility};
use serde_json::json;

use super::Caller;

#[test]
fn segments_are_paged_with_how_many_they_hold() {
    let caller = Caller::new();
    let lapsed = caller.simulator.add_segment("Lapsed");
    let fresh = caller.simulator.add_segment("New");
    assert_eq!(caller.simulator.add_segment("lapsed"), lapsed);
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.add_segment_member(lapsed, ann);
    let page = caller.get("/v2/segments").expect(200);
    let first = json!({"id": lapsed, "name": "Lapsed", "contacts": 1});
    let second = json!({"id": fresh, "name": "New", "contacts": 0});
    assert_eq!(page, json!([first, second]));
    assert_eq!(caller.get("/v2/segments?select=1&skip=1").expect(200), json!([second]));
    assert_eq!(caller.get("/v2/segments?select=0").code(400), "ERROR_PARAMETER_INVALID");
    caller.simulator.remove_segment_member(lapsed, ann);
    assert_eq!(caller.get("/v2/segments").expect(200)[0]["contacts"], 0);
}

#[test]
fn a_refresh_takes_its_time() {
    let caller = Caller::new();
    let id = caller.simulator.add_segment("Lapsed");
    let path = format!("/v2/segments/refresh/{id}");
    let status = || caller.get(&path).expect(200);
    assert_eq!(status(), json!({"id": id, "status": "NotStarted"}));
    let asked = caller.post(&path, &json!({})).expect(202);
    assert_eq!(asked, json!({"id": id, "status": "NotStarted"}));
    assert_eq!(status()["status"], "NotFinished");
    caller.wait(60);
    assert_eq!(status()["status"], "Finished");
}

#[test]
fn a_refresh_can_fail() {
    let caller = Caller::new();
    let id = caller.simulator.add_segment("Lapsed");
    let path = format!("/v2/segments/refresh/{id}");
    caller.simulator.inject(FaultRule::new(Fault::FailedJob).times(1));
    caller.post(&path, &json!({})).expect(202);
    caller.wait(60);
    assert_eq!(caller.get(&path).expect(200)["status"], "Failed");
}

#[test]
fn an_unknown_segment_is_not_found() {
    let caller = Caller::new();
    assert_eq!(caller.get("/v2/segments/refresh/999").code(404), "ERROR_SEGMENT_NOT_FOUND");
    let refresh = caller.post("/v2/segments/refresh/999", &json!({}));
    assert_eq!(refresh.code(404), "ERROR_SEGMENT_NOT_FOUND");
    assert_eq!(caller.get("/v2/segments/refresh/x").code(400), "ERROR_PARAMETER_INVALID");
}

#[test]
fn the_contacts_of_a_segment_are_read_page_by_page() {
    let caller = Caller::new();
    let segment = caller.simulator.add_segment("Lapsed");
    let people = ["ann", "bob", "eve"].map(|name| {
        let contact = caller.simulator.add_contact(&format!("{name}@example.com"));
        caller.simulator.add_segment_member(segment, contact);
        contact
    });
    caller.simulator.add_contact("zoe@example.com");
    let mut path = format!("/contacts/v3?~segmentId={segment}&limit=2");
    let mut read = Vec::new();
    loop {
        let page = caller.get(&path).expect(200);
        let items = page["_items"].as_array().expect("items").iter();
        read.extend(items.filter_map(|one| one["contactId"].as_i64()));
        let Some(marker) = page["_links"]["next"]["marker"].as_str() else { break };
        path = format!("/contacts/v3?~segmentId={segment}&limit=2&marker={marker}");
    }
    assert_eq!(read, people);
}

#[test]
fn a_segment_is_not_asked_for_together_with_a_list_nor_by_a_lists_id() {
    let caller = Caller::new();
    let segment = caller.simulator.add_segment("Lapsed");
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    for query in [
        format!("~segmentId={segment}&~listId={list}"),
        format!("~segmentId={list}"),
        "~segmentId=x".to_owned(),
    ] {
        let reply = caller.get(&format!("/contacts/v3?{query}"));
        assert_eq!(reply.error_code(400), "contacts:invalidFilter", "{query}");
    }
}
