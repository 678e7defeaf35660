//! `POST /v2/address-books/{id}/contacts`.

use dotdigital_client::simulator::{DataFieldType, SimulatorSettings, Visibility};
use serde_json::json;

use super::Caller;

/// An account with one list, and where addresses are put on it.
fn account() -> (Caller, i32, String) {
    let caller = Caller::new();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let path = format!("/v2/address-books/{list}/contacts");
    (caller, list, path)
}

#[test]
fn an_address_is_created_and_put_on_the_list() {
    let (caller, list, path) = account();
    caller.simulator.add_data_field("AGE", DataFieldType::Numeric);
    let fields = json!([{"key": "AGE", "value": "41"}, {"key": "firstname", "value": "Ann"}]);
    let body = json!({"email": "Ann@example.com", "optInType": "Single", "emailType": "PlainText",
                      "dataFields": fields});
    let added = caller.post(&path, &body).expect(200);
    let member = caller.simulator.members(list).remove(0);
    assert_eq!(
        added,
        json!({"id": member.id, "email": "Ann@example.com", "optInType": "Single",
               "emailType": "PlainText", "status": "Subscribed",
               "dataFields": [{"key": "AGE", "value": "41"}, {"key": "FIRSTNAME", "value": "Ann"}]})
    );
    let again = caller.post(&path, &json!({"email": "ann@example.com"})).expect(200);
    assert_eq!((&again["id"], &again["dataFields"]), (&added["id"], &added["dataFields"]));
    assert_eq!(caller.simulator.contact_count(), 1);
}

#[test]
fn who_left_the_account_or_the_list_is_refused() {
    let (caller, list, path) = account();
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.add_member(list, ann);
    let ann = json!({"email": "ann@example.com"});
    caller.post(&format!("{path}/unsubscribe"), &ann).expect(200);
    assert_eq!(caller.post(&path, &ann).code(400), "ERROR_CONTACT_SUPPRESSEDFORADDRESSBOOK");
    caller.post("/v2/contacts/unsubscribe", &ann).expect(200);
    assert_eq!(caller.post(&path, &ann).code(400), "ERROR_CONTACT_SUPPRESSED");
    caller.simulator.globally_suppress("gone@example.com");
    caller.simulator.block_address("bad@example.com");
    let refused = |email: &str| caller.post(&path, &json!({"email": email})).code(400);
    assert_eq!(refused("gone@example.com"), "ERROR_CONTACT_SUPPRESSED");
    assert_eq!(refused("bad@example.com"), "ERROR_EMAIL_BANNED");
    assert!(caller.simulator.members(list).is_empty());
    assert_eq!(caller.simulator.contact_count(), 1);
}

#[test]
fn what_is_no_contact_is_refused() {
    let (caller, list, path) = account();
    let email = "ann@example.com";
    for (body, code) in [
        (json!([]), "ERROR_MALFORMED_REQUEST"),
        (json!({}), "ERROR_CONTACT_INVALID"),
        (json!({"email": 7}), "ERROR_CONTACT_INVALID"),
        (json!({"email": "ann"}), "ERROR_INVALID_EMAIL"),
        (json!({"email": email, "emailType": "html"}), "ERROR_CONTACT_INVALID"),
        (json!({"email": email, "optInType": "Triple"}), "ERROR_CONTACT_INVALID"),
        (json!({"email": email, "dataFields": {"FIRSTNAME": "Ann"}}), "ERROR_CONTACT_INVALID"),
        (
            json!({"email": email, "dataFields": [{"key": "NONE", "value": "x"}]}),
            "ERROR_DATAFIELD_NOTFOUND",
        ),
    ] {
        assert_eq!(caller.post(&path, &body).code(400), code, "{body}");
    }
    let ann = json!({"email": email});
    let (test, unknown) = ("/v2/address-books/1/contacts", "/v2/address-books/999/contacts");
    assert_eq!(caller.post(test, &ann).code(400), "ERROR_ADDRESSBOOK_NOTWRITABLE");
    assert_eq!(caller.post(unknown, &ann).code(404), "ERROR_ADDRESSBOOK_NOT_FOUND");
    assert!(caller.simulator.members(list).is_empty());
}

#[test]
fn a_full_account_takes_nobody_new() {
    let settings = SimulatorSettings { max_contacts: Some(1), ..SimulatorSettings::default() };
    let caller = Caller::with(settings);
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let path = format!("/v2/address-books/{list}/contacts");
    caller.post(&path, &json!({"email": "ann@example.com"})).expect(200);
    let refused = caller.post(&path, &json!({"email": "bob@example.com"}));
    assert_eq!(refused.code(400), "ERROR_CONTACT_TOOMANY");
}
