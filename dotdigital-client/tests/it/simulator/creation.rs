//! `POST /contacts/v3`.

use dotdigital_client::simulator::{
    BadList, ConflictCode, SimulatorSettings, Switches, Visibility,
};
use serde_json::json;

use super::{Caller, by_email};

const PATH: &str = "/contacts/v3";

#[test]
fn a_created_contact_is_shown_in_full() {
    let caller = Caller::new();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let created = caller
        .post(
            PATH,
            &json!({
                "identifiers": {"email": "ann@example.com", "mobileNumber": "+44 7123 123123"},
                "dataFields": {"FIRSTNAME": "Ann"},
                "channelProperties": {"email": {"emailType": "plainText", "optInType": "single"}},
                "lists": [list],
            }),
        )
        .expect(201);
    let at = "2026-09-21T14:13:20Z";
    let id = created["contactId"].clone();
    assert_eq!(
        created,
        json!({
            "contactId": id,
            "status": "subscribed",
            "created": at,
            "updated": at,
            "identifiers": {"email": "ann@example.com", "mobileNumber": "447123123123"},
            "dataFields": {"FIRSTNAME": "Ann"},
            "channelProperties": {
                "email": {"status": "subscribed", "emailType": "PlainText", "optInType": "Single"},
                "sms": {"status": "subscribed", "countryCode": "GB"},
                "whatsApp": {"status": "noSubscription"},
            },
            "lists": [{"id": list, "name": "VIP", "status": "subscribed"}],
            "consentRecords": [],
        })
    );
    assert_eq!(caller.get(&format!("{PATH}/contactId/{id}")).expect(200), created);
}

#[test]
fn an_identifier_that_exists_is_a_conflict_as_switched() {
    for (switch, code) in [
        (ConflictCode::IdentifierConflict, "contacts:identifierConflict"),
        (ConflictCode::IdAlreadyExists, "contacts:idAlreadyExists"),
    ] {
        let caller = Caller::switched(Switches { conflict_code: switch, ..Switches::default() });
        let ann = caller.simulator.add_contact("ann@example.com");
        let body =
            json!({"identifiers": {"email": "ANN@example.com", "mobileNumber": "447123123123"}});
        assert_eq!(caller.post(PATH, &body).error_code(409), code);
        caller.simulator.delete_contact(ann, caller.now.get());
        assert_eq!(caller.post(PATH, &body).error_code(409), code);
        assert_eq!(caller.simulator.contact_count(), 0);
    }
}

#[test]
fn what_is_no_contact_is_refused() {
    let caller = Caller::new();
    for (body, code) in [
        (json!([]), "contacts:badRequest"),
        (json!({}), "contacts:badRequest"),
        (json!({"identifiers": {}}), "contacts:badRequest"),
        (json!({"identifiers": {"email": "ann@@example.com"}}), "contacts:invalidId"),
        (json!({"identifiers": {"email": "ann@nowhere.invalid"}}), "contacts:invalidId"),
        (json!({"identifiers": {"email": null}}), "contacts:invalidId"),
        (json!({"identifiers": {"mobileNumber": "12"}}), "contacts:invalidId"),
        (json!({"identifiers": {"loyalty": "7"}}), "contacts:invalidId"),
        (json!({"identifiers": {"contactId": 7}}), "contacts:invalidId"),
        (
            json!({"identifiers": {"email": "ann@example.com"}, "lists": [999]}),
            "contacts:badRequest",
        ),
    ] {
        assert_eq!(caller.post(PATH, &body).error_code(400), code, "{body}");
    }
    assert_eq!(caller.simulator.contact_count(), 0);
    let mut request = super::request(dotdigital_client::transport::Method::Post, PATH, None);
    request.body = Some(std::sync::Arc::new(b"{".to_vec()));
    let reply = super::Reply(caller.simulator.handle(&request, caller.now.get()));
    assert_eq!(reply.error_code(400), "contacts:badJson");
}

#[test]
fn a_bad_list_fails_the_contact_or_is_passed_over() {
    for (switch, status, contacts) in
        [(BadList::ContactFails, 400, 0), (BadList::ListSkipped, 201, 1)]
    {
        let caller = Caller::switched(Switches { bad_list: switch, ..Switches::default() });
        let body = json!({"identifiers": {"email": "ann@example.com"}, "lists": [999]});
        caller.post(PATH, &body).expect(status);
        assert_eq!(caller.simulator.contact_count(), contacts);
    }
}

#[test]
fn a_full_account_takes_nobody_new() {
    let settings = SimulatorSettings { max_contacts: Some(1), ..SimulatorSettings::default() };
    let caller = Caller::with(settings);
    let body = |email: &str| json!({"identifiers": {"email": email}});
    caller.post(PATH, &body("ann@example.com")).expect(201);
    assert_eq!(caller.post(PATH, &body("bob@example.com")).error_code(400), "contacts:badRequest");
    let path = "/contacts/v3/email/bob@example.com";
    assert_eq!(caller.patch(path, &body("bob@example.com")).error_code(400), "contacts:badRequest");
    caller.patch("/contacts/v3/email/ann@example.com", &json!({})).expect(200);
}

#[test]
fn an_import_that_would_overfill_the_account_ends_as_a_whole() {
    let settings = SimulatorSettings { max_contacts: Some(2), ..SimulatorSettings::default() };
    let caller = Caller::with(settings);
    caller.simulator.add_contact("ann@example.com");
    let (ann, bob, cid) =
        (by_email("ann@example.com"), by_email("bob@example.com"), by_email("cid@example.com"));
    let report = caller.import(&json!([ann, bob, cid]));
    assert_eq!(report["status"], "ExceedsAllowedContactLimit");
    assert_eq!(report.as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(caller.simulator.contact_count(), 1);
    assert_eq!(caller.import(&json!([ann, bob]))["summary"]["newContacts"], 1);
}
