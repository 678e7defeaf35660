//! Who may not be written to, and how that is changed.

use dotdigital_client::simulator::Visibility;
use serde_json::{Value, json};

use super::Caller;

fn emails(page: &Value) -> Vec<&str> {
    let page = page.as_array().expect("an array").iter();
    page.filter_map(|one| one["suppressedContact"]["email"].as_str()).collect()
}

/// Ann unsubscribed, an hour later bob was suppressed; eve may be written to.
fn account() -> Caller {
    let caller = Caller::new();
    for name in ["ann", "bob", "eve"] {
        caller.simulator.add_contact(&format!("{name}@example.com"));
    }
    caller.post("/v2/contacts/unsubscribe", &json!({"email": "ann@example.com"})).expect(200);
    caller.wait(3_600);
    let body = json!([{"email": "bob@example.com"}]);
    caller.put("/v2/contacts/suppress-contacts", &body).expect(200);
    caller
}

#[test]
fn suppressions_come_with_date_and_reason_in_order() {
    let caller = account();
    let page = caller.get("/v2/contacts/suppressed-since/2020-01-01").expect(200);
    assert_eq!(emails(&page), ["ann@example.com", "bob@example.com"]);
    assert_eq!(
        (&page[0]["reason"], &page[1]["reason"]),
        (&json!("Unsubscribed"), &json!("Suppressed"))
    );
    let at = super::start().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    assert_eq!(page[0]["dateRemoved"], at);
    let contact = &page[0]["suppressedContact"];
    assert_eq!(
        (&contact["status"], &contact["dataFields"]),
        (&json!("Unsubscribed"), &Value::Null)
    );
}

#[test]
fn those_who_unsubscribed_are_read_apart() {
    let caller = account();
    let page = caller.get("/v2/contacts/unsubscribed-since/2020-01-01").expect(200);
    assert_eq!(emails(&page), ["ann@example.com"]);
}

#[test]
fn dates_and_pages_count() {
    let caller = account();
    let half = super::start() + chrono::TimeDelta::minutes(30);
    let path = format!("/v2/contacts/suppressed-since/{}", half.format("%Y-%m-%dT%H:%M:%SZ"));
    assert_eq!(emails(&caller.get(&path).expect(200)), ["bob@example.com"]);
    let page = caller.get("/v2/contacts/suppressed-since/2020-01-01?select=1&skip=1").expect(200);
    assert_eq!(emails(&page), ["bob@example.com"]);
    let end = caller.get("/v2/contacts/suppressed-since/2020-01-01?skip=2").expect(200);
    assert_eq!(end, json!([]));
    for wrong in [
        "suppressed-since/never",
        "suppressed-since/2020-01-01?select=0",
        "unsubscribed-since/2020-01-01?skip=-1",
    ] {
        let reply = caller.get(&format!("/v2/contacts/{wrong}"));
        assert_eq!(reply.code(400), "ERROR_PARAMETER_INVALID", "{wrong}");
    }
}

#[test]
fn who_is_back_is_no_longer_suppressed() {
    let caller = account();
    let body = json!({"unsubscribedContact": {"email": "ann@example.com"}});
    caller.post("/v2/contacts/resubscribe-with-no-challenge", &body).expect(200);
    let page = caller.get("/v2/contacts/suppressed-since/2020-01-01").expect(200);
    assert_eq!(emails(&page), ["bob@example.com"]);
}

#[test]
fn the_date_is_that_of_the_last_change() {
    let caller = account();
    let body = json!([{"email": "ann@example.com"}]);
    caller.put("/v2/contacts/suppress-contacts", &body).expect(200);
    let page = caller.get("/v2/contacts/suppressed-since/2020-01-01").expect(200);
    assert_eq!(
        (&page[0]["reason"], &page[0]["dateRemoved"]),
        (&json!("Suppressed"), &page[1]["dateRemoved"])
    );
}

#[test]
fn who_unsubscribed_herself_is_asked_before_she_is_written_to() {
    let caller = account();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let body =
        json!({"unsubscribedContact": {"email": "ann@example.com"}, "preferredLocale": "de-DE"});
    for path in [
        "/v2/contacts/resubscribe".to_owned(),
        format!("/v2/address-books/{list}/contacts/resubscribe"),
    ] {
        let answer = caller.post(&path, &body).expect(200);
        assert_eq!(answer["status"], "ContactChallenged");
        assert_eq!(answer["contact"]["status"], "Unsubscribed");
    }
    assert!(caller.simulator.members(list).is_empty());

    // Only what she was asked for comes true, and only once she confirms.
    let ann = caller.get("/contacts/v3/email/ann@example.com").expect(200);
    caller.simulator.confirm_opt_in(ann["contactId"].as_i64().unwrap());
    let ann = caller.get("/contacts/v3/email/ann@example.com").expect(200);
    assert_eq!(ann["channelProperties"]["email"]["status"], "subscribed");
    assert_eq!(caller.simulator.members(list).len(), 1);
}

#[test]
fn a_confirmation_that_nobody_asked_for_changes_nothing() {
    let caller = account();
    let ann = caller.get("/contacts/v3/email/ann@example.com").expect(200);
    caller.simulator.confirm_opt_in(ann["contactId"].as_i64().unwrap());
    let after = caller.get("/contacts/v3/email/ann@example.com").expect(200);
    assert_eq!(after, ann);
}

#[test]
fn who_was_suppressed_by_the_sender_comes_back_with_new_data() {
    let caller = account();
    let fields = json!([{"key": "FIRSTNAME", "value": "Bob"}]);
    let body = json!({"unsubscribedContact": {"email": "bob@example.com", "dataFields": fields}});
    let answer = caller.post("/v2/contacts/resubscribe", &body).expect(200);
    assert_eq!(answer["status"], "ContactAdded");
    let contact = caller.get("/contacts/v3/email/bob@example.com").expect(200);
    assert_eq!(contact["dataFields"]["FIRSTNAME"], "Bob");
    let fields = json!([{"key": "SHOE_SIZE", "value": "42"}]);
    let body = json!({"unsubscribedContact": {"email": "bob@example.com", "dataFields": fields}});
    let refused = caller.post("/v2/contacts/resubscribe", &body);
    assert_eq!(refused.code(400), "ERROR_DATAFIELD_NOTFOUND");
}

#[test]
fn nobody_on_the_global_list_comes_back() {
    let caller = account();
    caller.simulator.globally_suppress("bob@example.com");
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let body = json!({"unsubscribedContact": {"email": "bob@example.com"}});
    for path in ["contacts".to_owned(), format!("address-books/{list}/contacts")] {
        let answer =
            caller.post(&format!("/v2/{path}/resubscribe-with-no-challenge"), &body).expect(200);
        assert_eq!(answer["status"], "ContactCannotBeUnsuppressed");
    }
    assert!(caller.simulator.members(list).is_empty());
}

#[test]
fn a_resubscription_that_is_not_well_formed_is_refused() {
    let caller = account();
    let contact = json!({"email": "ann@example.com"});
    for body in [
        json!({}),
        json!({"unsubscribedContact": "ann@example.com"}),
        json!({"unsubscribedContact": {}}),
        json!({"unsubscribedContact": {"email": 7}}),
        json!({"unsubscribedContact": {"email": "ann@example.com", "dataFields": {"A": "b"}}}),
        json!({"unsubscribedContact": {"email": "ann@example.com", "dataFields": [{"key": "A"}]}}),
        json!({"unsubscribedContact": contact, "preferredLocale": "de"}),
        json!({"unsubscribedContact": contact, "returnUrlToUseIfChallenged": 7}),
    ] {
        let reply = caller.post("/v2/contacts/resubscribe", &body);
        assert_eq!(reply.code(400), "ERROR_CONTACT_RESUBSCRIPTION_INVALID", "{body}");
    }
}

#[test]
fn a_suppression_that_is_not_well_formed_is_refused_as_a_whole() {
    let caller = account();
    let path = "/v2/contacts/suppress-contacts";
    assert_eq!(caller.put(path, &json!({})).code(400), "ERROR_MALFORMED_REQUEST");
    assert_eq!(caller.put(path, &json!([])).code(400), "ERROR_CONTACTS_ARE_NOT_SPECIFIED");
    for wrong in [json!({}), json!(7), json!({"id": "7"}), json!({"email": 7}), json!({"id": 7.5})]
    {
        let reply = caller.put(path, &json!([{"email": "eve@example.com"}, wrong]));
        assert_eq!(reply.code(400), "ERROR_CONTACT_INVALID", "{wrong}");
    }
    let page = caller.get("/v2/contacts/suppressed-since/2020-01-01").expect(200);
    assert_eq!(emails(&page), ["ann@example.com", "bob@example.com"]);
}

#[test]
fn entries_come_back_with_zero_and_null_for_what_was_not_named() {
    let caller = account();
    let eve = caller.get("/contacts/v3/email/eve@example.com").expect(200)["contactId"].clone();
    let body = json!([{"id": eve}, {"id": 4711}, {"email": "zoe@example.com"}]);
    let answer = caller.put("/v2/contacts/suppress-contacts", &body).expect(200);
    assert_eq!(answer["suppressed"], json!([{"id": eve, "email": null}]));
    let unknown = json!([{"id": 4711, "email": null}, {"id": 0, "email": "zoe@example.com"}]);
    assert_eq!(answer["notFound"], unknown);
}

#[test]
fn unsubscribing_wants_an_address_the_account_knows() {
    let caller = account();
    for path in ["/v2/contacts/unsubscribe", "/v2/address-books/999/contacts/unsubscribe"] {
        assert_eq!(caller.post(path, &json!([])).status() / 100, 4, "{path}");
    }
    let path = "/v2/contacts/unsubscribe";
    assert_eq!(caller.post(path, &json!([])).code(400), "ERROR_MALFORMED_REQUEST");
    assert_eq!(caller.post(path, &json!({})).code(400), "ERROR_CONTACT_INVALID");
    assert_eq!(caller.post(path, &json!({"email": 7})).code(400), "ERROR_CONTACT_INVALID");
    let unknown = caller.post(path, &json!({"email": "zoe@example.com"}));
    assert_eq!(unknown.code(404), "ERROR_CONTACT_NOT_FOUND");
}

#[test]
fn subscriptions_show_the_answers_of_one_contact() {
    let caller = account();
    let tents = caller.simulator.add_preference("tents", None);
    let boots = caller.simulator.add_preference("boots", None);
    let body = json!([{"id": tents, "isPreference": true, "isOptedIn": true},
                      {"id": boots, "isPreference": true, "isOptedIn": false}]);
    caller.put("/v2/contacts/eve@example.com/preferences", &body).expect(200);
    let answer = caller.get("/v2/contacts/EVE@example.com/subscriptions").expect(200);
    assert_eq!(answer["contact"]["email"], "eve@example.com");
    let answers = answer["marketingPreferenceOptIns"].as_array().expect("an array");
    let shown: Vec<_> =
        answers.iter().map(|one| (&one["marketingPreferenceId"], &one["isOptedIn"])).collect();
    let (yes, no) = (json!(true), json!(false));
    assert_eq!(shown, [(&json!(tents), &yes), (&json!(boots), &no)]);
    let at = super::start() + chrono::TimeDelta::hours(1);
    assert_eq!(answers[0]["dateModifed"], at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
    let unknown = caller.get("/v2/contacts/zoe@example.com/subscriptions");
    assert_eq!(unknown.code(404), "ERROR_CONTACT_NOT_FOUND");
}
