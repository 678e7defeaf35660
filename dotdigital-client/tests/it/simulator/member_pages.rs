//! `GET /v2/address-books/{id}/contacts` and `…/modified-since/{date}`.

use dotdigital_client::simulator::{ListReading, Switches, Visibility};
use serde_json::{Value, json};

use super::Caller;

/// A list with Ann, Bob, and somebody who has a mobile number only.
fn list_of_three(caller: &Caller) -> (i32, [i64; 2]) {
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let people =
        ["ann", "bob"].map(|name| caller.simulator.add_contact(&format!("{name}@example.com")));
    let mobile = caller.simulator.add_mobile_contact("447123123123");
    for contact in people.into_iter().chain([mobile]) {
        caller.simulator.add_member(list, contact);
    }
    (list, people)
}

fn ids(page: &Value) -> Vec<i64> {
    let contacts = page.as_array().expect("an array");
    contacts.iter().map(|contact| contact["id"].as_i64().expect("an id")).collect()
}

#[test]
fn members_with_an_address_are_shown_in_the_v2_shape() {
    let caller = Caller::new();
    let (list, [ann, bob]) = list_of_three(&caller);
    let page = caller.get(&format!("/v2/address-books/{list}/contacts")).expect(200);
    assert_eq!(ids(&page), [ann, bob]);
    let shown = json!({"id": ann, "email": "ann@example.com", "optInType": "Unknown",
                       "emailType": "Html", "dataFields": null, "status": "Subscribed"});
    assert_eq!(page[0], shown);
}

#[test]
fn full_data_names_every_field_of_the_account() {
    let caller = Caller::new();
    let (list, _) = list_of_three(&caller);
    let fields = json!({"dataFields": {"FIRSTNAME": "Ann"}});
    caller.patch("/contacts/v3/email/ann@example.com", &fields).expect(200);
    let path = format!("/v2/address-books/{list}/contacts?withFullData=true");
    let page = caller.get(&path).expect(200);
    let shown = page[0]["dataFields"].as_array().expect("fields");
    assert_eq!(shown[0], json!({"key": "FIRSTNAME", "value": "Ann"}));
    assert_eq!(shown[1], json!({"key": "FULLNAME", "value": null}));
    assert_eq!(shown.len(), 6);
}

#[test]
fn pages_run_until_an_empty_one() {
    let caller = Caller::new();
    let (list, [ann, bob]) = list_of_three(&caller);
    let page = |skip: usize| {
        ids(&caller
            .get(&format!("/v2/address-books/{list}/contacts?select=1&skip={skip}"))
            .expect(200))
    };
    assert_eq!([page(0), page(1), page(2)], [vec![ann], vec![bob], vec![]]);
    for query in ["select=0", "select=1001", "skip=-1", "withFullData=yes"] {
        let reply = caller.get(&format!("/v2/address-books/{list}/contacts?{query}"));
        assert_eq!(reply.code(400), "ERROR_PARAMETER_INVALID", "{query}");
    }
    let unknown = caller.get("/v2/address-books/999/contacts");
    assert_eq!(unknown.code(404), "ERROR_ADDRESSBOOK_NOT_FOUND");
}

#[test]
fn suppressed_members_are_hidden_or_shown_as_switched() {
    for (switch, statuses) in [
        (ListReading::HidesSuppressed, vec!["Subscribed"]),
        (ListReading::ShowsSuppressed, vec!["Suppressed", "Subscribed"]),
    ] {
        let caller = Caller::switched(Switches { list_reading: switch, ..Switches::default() });
        let (list, [ann, _]) = list_of_three(&caller);
        caller.simulator.suppress_contact(ann);
        let page = caller.get(&format!("/v2/address-books/{list}/contacts")).expect(200);
        let shown = page.as_array().expect("an array").iter();
        assert_eq!(shown.filter_map(|one| one["status"].as_str()).collect::<Vec<_>>(), statuses);
    }
}

#[test]
fn a_segment_is_read_like_a_list() {
    let caller = Caller::new();
    let (_, [ann, bob]) = list_of_three(&caller);
    let segment = caller.simulator.add_segment("Lapsed");
    caller.simulator.add_segment_member(segment, bob);
    let page = caller.get(&format!("/v2/address-books/{segment}/contacts")).expect(200);
    assert_eq!(ids(&page), [bob]);
    caller.simulator.add_segment_member(segment, ann);
    let path = format!("/v2/address-books/{segment}/contacts/modified-since/2020-01-01?skip=1");
    assert_eq!(ids(&caller.get(&path).expect(200)), [bob]);
}

#[test]
fn only_those_who_changed_since_are_shown() {
    let caller = Caller::new();
    let (list, [ann, bob]) = list_of_three(&caller);
    caller.patch("/contacts/v3/email/bob@example.com", &json!({})).expect(200);
    let since = |date: &str| {
        ids(&caller
            .get(&format!("/v2/address-books/{list}/contacts/modified-since/{date}"))
            .expect(200))
    };
    assert_eq!(since("2020-01-01"), [ann, bob]);
    assert_eq!(since("2026-09-21"), [bob]);
    assert_eq!(since("2026-09-21T14:13:20Z"), [bob]);
    assert_eq!(since("2026-09-21T14:13:21Z"), [] as [i64; 0]);
    let wrong = caller.get(&format!("/v2/address-books/{list}/contacts/modified-since/monday"));
    assert_eq!(wrong.code(400), "ERROR_PARAMETER_INVALID");
}
