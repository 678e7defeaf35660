//! What can be asked about a list besides its members.

use dotdigital_client::simulator::Visibility;
use serde_json::{Value, json};

use super::Caller;

fn names(page: &Value) -> Vec<&str> {
    page.as_array().expect("an array").iter().filter_map(|list| list["name"].as_str()).collect()
}

fn ids(page: &Value) -> Vec<i64> {
    page.as_array().expect("an array").iter().filter_map(|one| one["id"].as_i64()).collect()
}

#[test]
fn private_and_public_lists_are_read_apart() {
    let caller = Caller::new();
    caller.simulator.add_list("seen", Visibility::Public);
    caller.simulator.add_list("hidden", Visibility::Private);
    assert_eq!(names(&caller.get("/v2/address-books/public").expect(200)), ["seen"]);
    assert_eq!(names(&caller.get("/v2/address-books/private").expect(200)), ["Test", "hidden"]);
}

#[test]
fn private_lists_take_either_name_for_the_size_of_a_page() {
    let caller = Caller::new();
    caller.simulator.add_list("hidden", Visibility::Private);
    for size in ["limit", "select"] {
        let page = caller.get(&format!("/v2/address-books/private?{size}=1&skip=1")).expect(200);
        assert_eq!(names(&page), ["hidden"], "{size}");
        let refused = caller.get(&format!("/v2/address-books/private?{size}=1001"));
        assert_eq!(refused.code(400), "ERROR_PARAMETER_INVALID", "{size}");
    }
}

#[test]
fn campaigns_are_those_sent_to_the_list() {
    let caller = Caller::new();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let other = caller.simulator.add_list("other", Visibility::Private);
    let first = caller.simulator.add_campaign(list, "May", "News of May").expect("a campaign");
    let second = caller.simulator.add_campaign(list, "June", "News of June").expect("a campaign");
    let path = format!("/v2/address-books/{list}/campaigns");
    let page = caller.get(&path).expect(200);
    assert_eq!(ids(&page), [first, second].map(i64::from));
    assert_eq!((&page[0]["subject"], &page[0]["status"]), (&json!("News of May"), &json!("Sent")));
    assert_eq!(
        ids(&caller.get(&format!("{path}?select=1&skip=1")).expect(200)),
        [i64::from(second)]
    );
    assert_eq!(caller.get(&format!("/v2/address-books/{other}/campaigns")).expect(200), json!([]));
    let segment = caller.simulator.add_segment("Lapsed");
    caller.get(&format!("/v2/address-books/{segment}/campaigns")).expect(200);
    let unknown = caller.get("/v2/address-books/999/campaigns");
    assert_eq!(unknown.code(404), "ERROR_ADDRESSBOOK_NOT_FOUND");
    assert_eq!(caller.simulator.add_campaign(999, "May", "News"), None);
}

#[test]
fn who_unsubscribed_from_the_list_is_remembered_with_date_and_reason() {
    let caller = Caller::new();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| {
        let contact = caller.simulator.add_contact(&format!("{name}@example.com"));
        caller.simulator.add_member(list, contact);
        contact
    });
    let leave = format!("/v2/address-books/{list}/contacts/unsubscribe");
    caller.post(&leave, &json!({"email": "bob@example.com"})).expect(200);
    caller.wait(3_600);
    caller.post(&leave, &json!({"email": "ann@example.com"})).expect(200);
    caller.post("/v2/contacts/unsubscribe", &json!({"email": "eve@example.com"})).expect(200);
    let since = |date: &str| {
        let path = format!("/v2/address-books/{list}/contacts/unsubscribed-since/{date}");
        let page = caller.get(&path).expect(200);
        let left = page.as_array().expect("an array").iter();
        left.map(|one| {
            assert_eq!(one["reason"], "Unsubscribed");
            assert!(one["dateRemoved"].is_string());
            one["suppressedContact"]["id"].as_i64().expect("an id")
        })
        .collect::<Vec<i64>>()
    };
    assert_eq!(since("2020-01-01"), [bob, ann], "account-level ones are left out: {eve}");
    let half_an_hour_ago = super::start() + chrono::TimeDelta::minutes(30);
    assert_eq!(since(&half_an_hour_ago.format("%Y-%m-%dT%H:%M:%SZ").to_string()), [ann]);
    let back = format!("/v2/address-books/{list}/contacts/resubscribe-with-no-challenge");
    let body = json!({"unsubscribedContact": {"email": "bob@example.com"}});
    caller.post(&back, &body).expect(200);
    assert_eq!(since("2020-01-01"), [ann]);
}

#[test]
fn a_removed_member_has_not_unsubscribed() {
    let caller = Caller::new();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.add_member(list, ann);
    caller.delete(&format!("/v2/address-books/{list}/contacts/{ann}")).expect(204);
    let path = format!("/v2/address-books/{list}/contacts/unsubscribed-since/2020-01-01");
    assert_eq!(caller.get(&path).expect(200), json!([]));
}

#[test]
fn a_date_that_is_none_and_a_list_that_is_none_are_refused() {
    let caller = Caller::new();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let path = format!("/v2/address-books/{list}/contacts/unsubscribed-since/yesterday");
    assert_eq!(caller.get(&path).code(400), "ERROR_PARAMETER_INVALID");
    let path = "/v2/address-books/999/contacts/unsubscribed-since/2020-01-01";
    assert_eq!(caller.get(path).code(404), "ERROR_ADDRESSBOOK_NOT_FOUND");
}
