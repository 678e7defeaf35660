//! `/v2/address-books`.

use dotdigital_client::simulator::{
    ListCreated, ListDeleted, SimulatorSettings, Switches, Visibility,
};
use serde_json::json;

use super::Caller;

#[test]
fn a_created_list_is_there_and_empty() {
    let caller = Caller::new();
    let body = json!({"name": "VIP", "visibility": "Public"});
    let created = caller.post("/v2/address-books", &body).expect(200);
    let id = created["id"].as_i64().expect("an id");
    assert_eq!(created, json!({"id": id, "name": "VIP", "visibility": "Public", "contacts": 0}));
    assert_eq!(caller.get(&format!("/v2/address-books/{id}")).expect(200), created);
    let view = caller.simulator.list_named("vip").expect("the list");
    assert_eq!((i64::from(view.id), view.visibility), (id, Visibility::Public));
}

#[test]
fn a_list_is_private_unless_told_otherwise() {
    let created = Caller::new().post("/v2/address-books", &json!({"name": "VIP"})).expect(200);
    assert_eq!(created["visibility"], "Private");
}

#[test]
fn creation_answers_201_if_so_switched() {
    let switches = Switches { list_created: ListCreated::Created201, ..Switches::default() };
    Caller::switched(switches).post("/v2/address-books", &json!({"name": "VIP"})).expect(201);
}

#[test]
fn a_name_in_use_by_a_list_a_segment_or_the_system_is_refused() {
    let caller = Caller::new();
    caller.simulator.add_list("VIP", Visibility::Private);
    caller.simulator.add_segment_name("Lapsed");
    for name in ["vip", "LAPSED", "Test", "all contacts"] {
        let reply = caller.post("/v2/address-books", &json!({"name": name}));
        assert_eq!(reply.code(400), "ERROR_ADDRESSBOOK_DUPLICATE", "{name}");
    }
}

#[test]
fn a_list_that_is_not_well_formed_is_refused() {
    let caller = Caller::new();
    let long = "x".repeat(129);
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": long}),
        json!({"name": 7}),
        json!({"Name": "VIP"}),
        json!({"name": "VIP", "visibility": "public"}),
        json!([]),
    ] {
        let reply = caller.post("/v2/address-books", &body);
        assert_eq!(reply.code(400), "ERROR_ADDRESSBOOK_INVALID", "{body}");
    }
    caller.post("/v2/address-books", &json!({"name": "é".repeat(128)})).expect(200);
}

#[test]
fn the_quota_of_lists_is_kept() {
    let settings = SimulatorSettings { max_lists: Some(2), ..SimulatorSettings::default() };
    let caller = Caller::with(settings);
    caller.post("/v2/address-books", &json!({"name": "one"})).expect(200);
    let reply = caller.post("/v2/address-books", &json!({"name": "two"}));
    assert_eq!(reply.code(400), "ERROR_ADDRESSBOOK_LIMITEXCEEDED");
}

#[test]
fn pages_run_until_an_empty_one_and_show_the_system_list() {
    let caller = Caller::new();
    for number in 0..4 {
        caller.simulator.add_list(&format!("list {number}"), Visibility::Private);
    }
    let page = |skip| {
        let page = caller.get(&format!("/v2/address-books?select=2&skip={skip}")).expect(200);
        let names = page.as_array().expect("an array").iter().map(|list| list["name"].to_string());
        names.collect::<Vec<_>>().join(" ").replace('"', "")
    };
    let pages = [0, 2, 4, 6].map(page);
    assert_eq!(pages, ["Test list 0", "list 1 list 2", "list 3", ""]);
    for query in ["select=0", "select=1001", "select=x", "skip=-1"] {
        let reply = caller.get(&format!("/v2/address-books?{query}"));
        assert_eq!(reply.code(400), "ERROR_PARAMETER_INVALID", "{query}");
    }
}

#[test]
fn a_list_is_renamed_and_made_public_in_place() {
    let caller = Caller::new();
    let id = caller.simulator.add_list("VIP", Visibility::Private);
    caller.simulator.add_list("Other", Visibility::Private);
    let path = format!("/v2/address-books/{id}");
    let body = json!({"name": "vip", "visibility": "Public"});
    assert_eq!(caller.put(&path, &body).expect(200)["name"], "vip");
    let view = caller.simulator.list_named("VIP").expect("the list");
    assert_eq!((view.id, view.visibility), (id, Visibility::Public));
    let taken = caller.put(&path, &json!({"name": "other"}));
    assert_eq!(taken.code(400), "ERROR_ADDRESSBOOK_DUPLICATE");
}

#[test]
fn the_system_list_cannot_be_written_to() {
    let caller = Caller::new();
    let contact = caller.simulator.add_contact("ann@example.com");
    let test = caller.simulator.list_named("Test").expect("the system list").id;
    let path = format!("/v2/address-books/{test}");
    let refused = "ERROR_ADDRESSBOOK_NOTWRITABLE";
    assert_eq!(caller.put(&path, &json!({"name": "Mine"})).code(400), refused);
    assert_eq!(caller.delete(&path).code(400), refused);
    assert_eq!(caller.delete(&format!("{path}/contacts/{contact}")).code(400), refused);
    assert_eq!(
        caller.post(&format!("{path}/contacts/delete"), &json!([contact])).code(400),
        refused
    );
}

#[test]
fn an_unknown_list_is_not_found() {
    let caller = Caller::new();
    assert_eq!(caller.get("/v2/address-books/999").code(404), "ERROR_ADDRESSBOOK_NOT_FOUND");
    assert_eq!(caller.get("/v2/address-books/vip").code(400), "ERROR_PARAMETER_INVALID");
    let update = caller.put("/v2/address-books/999", &json!({"name": "VIP"}));
    assert_eq!(update.code(404), "ERROR_ADDRESSBOOK_NOT_FOUND");
}

#[test]
fn deleting_a_list_keeps_its_contacts() {
    for (switch, status) in [(ListDeleted::NoContent204, 204), (ListDeleted::Ok200, 200)] {
        let caller = Caller::switched(Switches { list_deleted: switch, ..Switches::default() });
        let id = caller.simulator.add_list("VIP", Visibility::Private);
        caller.simulator.add_member(id, caller.simulator.add_contact("ann@example.com"));
        caller.delete(&format!("/v2/address-books/{id}")).expect(status);
        assert_eq!(caller.simulator.list_named("VIP"), None);
        assert_eq!(caller.simulator.contact_count(), 1);
    }
}

#[test]
fn what_others_do_to_lists_shows_at_once() {
    let caller = Caller::new();
    let id = caller.simulator.add_list("VIP", Visibility::Private);
    caller.simulator.rename_list(id, "Very important");
    let path = format!("/v2/address-books/{id}");
    assert_eq!(caller.get(&path).expect(200)["name"], "Very important");
    caller.simulator.delete_list(id);
    assert_eq!(caller.get(&path).code(404), "ERROR_ADDRESSBOOK_NOT_FOUND");
}
