//! `/contacts/v3/{identifier}/{value}`.

use dotdigital_client::simulator::{
    BadList, ConflictCode, DataFieldType, SimulatorSettings, SuppressedAddition, Switches,
    Visibility,
};
use serde_json::json;

use super::Caller;

#[test]
fn a_contact_is_found_by_each_of_its_identifiers() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("Ann+x@example.com");
    caller.simulator.set_identifier(ann, "mobileNumber", "447123123123");
    caller.simulator.set_identifier(ann, "crm-id", "A/7 %");
    for path in [
        format!("contactId/{ann}"),
        "email/ann%2Bx%40example.com".to_owned(),
        "email/ANN+X@EXAMPLE.COM".to_owned(),
        "mobileNumber/%2B447123123123".to_owned(),
        "crm-id/A%2F7%20%25".to_owned(),
    ] {
        let contact = caller.get(&format!("/contacts/v3/{path}")).expect(200);
        assert_eq!(contact["contactId"], ann, "{path}");
    }
}

#[test]
fn a_contact_is_shown_with_statuses_and_lists() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    caller.simulator.add_member(list, ann);
    let contact = caller.get(&format!("/contacts/v3/contactId/{ann}")).expect(200);
    assert_eq!(
        contact,
        json!({
            "contactId": ann,
            "status": "subscribed",
            "created": "2020-01-01T00:00:00Z",
            "updated": "2020-01-01T00:00:00Z",
            "identifiers": {"email": "ann@example.com"},
            "dataFields": {},
            "channelProperties": {
                "email": {"status": "subscribed", "emailType": "Html", "optInType": "Unknown"}},
            "lists": [{"id": list, "name": "VIP", "status": "subscribed"}],
            "consentRecords": [],
        })
    );
}

#[test]
fn who_is_not_there_is_not_found_and_what_is_no_identifier_is_invalid() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.delete_contact(ann, caller.now.get());
    for path in ["email/bob@example.com", "email/ann@example.com", "contactId/4711"] {
        let reply = caller.get(&format!("/contacts/v3/{path}"));
        assert_eq!(reply.error_code(404), "contacts:contactNotFound", "{path}");
        let detail = &reply.json()["details"][0]["description"];
        assert!(
            detail.as_str().is_some_and(|text| text.starts_with("Not found using the identifier"))
        );
    }
    let long = format!("email/{}", "x".repeat(257));
    for path in [
        "contactId/ann",
        "contactId/-1",
        "loyalty/7",
        "e%20mail/x",
        "mobileNumber/x",
        "email/x",
        &long,
    ] {
        let reply = caller.get(&format!("/contacts/v3/{path}"));
        assert_eq!(reply.error_code(400), "contacts:invalidId", "{path}");
    }
}

#[test]
fn an_update_creates_then_changes_and_adds_lists() {
    let caller = Caller::new();
    let one = caller.simulator.add_list("one", Visibility::Private);
    let two = caller.simulator.add_list("two", Visibility::Private);
    let path = "/contacts/v3/email/ann%40example.com?merge-option=overwrite";
    let body = |list: i32| json!({"identifiers": {"email": "ann@example.com"}, "lists": [list]});
    let created = caller.patch(path, &body(one)).expect(201);
    let updated = caller.patch(path, &body(two)).expect(200);
    assert_eq!(created["contactId"], updated["contactId"]);
    assert_eq!(updated["lists"].as_array().map(Vec::len), Some(2));
    assert_eq!(caller.simulator.members(one), caller.simulator.members(two));
}

#[test]
fn an_update_without_identifiers_creates_nobody() {
    let caller = Caller::new();
    let reply = caller.patch("/contacts/v3/email/ann%40example.com", &json!({}));
    assert_eq!(reply.error_code(400), "contacts:badRequest");
    assert_eq!(caller.simulator.contact_count(), 0);
}

#[test]
fn an_update_of_an_unknown_id_creates_another_contact() {
    let caller = Caller::new();
    let body = json!({"identifiers": {"email": "ann@example.com"}});
    let created = caller.patch("/contacts/v3/contactId/4711", &body).expect(201);
    assert_ne!(created["contactId"], 4711);
}

#[test]
fn an_update_brings_a_deleted_contact_back() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.delete_contact(ann, caller.now.get());
    let updated = caller.patch("/contacts/v3/email/ann@example.com", &json!({})).expect(200);
    assert_eq!(updated["contactId"], ann);
}

#[test]
fn an_update_changes_an_identifier_and_frees_the_old_one() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.set_identifier(ann, "mobileNumber", "447123123123");
    caller.simulator.set_identifier(ann, "crm-id", "A7");
    let body = json!({"identifiers":
        {"email": "anna@example.com", "mobileNumber": "447123123124", "crm-id": "A8"}});
    caller.patch(&format!("/contacts/v3/contactId/{ann}"), &body).expect(200);
    for old in ["email/ann@example.com", "mobileNumber/447123123123", "crm-id/A7"] {
        caller.get(&format!("/contacts/v3/{old}")).expect(404);
    }
    for new in ["email/anna@example.com", "mobileNumber/447123123124", "crm-id/A8"] {
        assert_eq!(caller.get(&format!("/contacts/v3/{new}")).expect(200)["contactId"], ann);
    }
}

#[test]
fn an_identifier_of_somebody_else_is_a_conflict() {
    for (switch, code) in [
        (ConflictCode::IdentifierConflict, "contacts:identifierConflict"),
        (ConflictCode::IdAlreadyExists, "contacts:idAlreadyExists"),
    ] {
        let caller = Caller::switched(Switches { conflict_code: switch, ..Switches::default() });
        caller.simulator.add_contact("ann@example.com");
        caller.simulator.add_contact("bob@example.com");
        let body = json!({"identifiers": {"email": "bob@example.com"}});
        let reply = caller.patch("/contacts/v3/email/ann@example.com", &body);
        assert_eq!(reply.error_code(409), code);
    }
}

#[test]
fn a_null_clears_a_field_and_what_is_not_sent_stays() {
    let caller = Caller::new();
    caller.simulator.add_contact("ann@example.com");
    caller.simulator.add_data_field("AGE", DataFieldType::Numeric);
    let path = "/contacts/v3/email/ann@example.com";
    caller.patch(path, &json!({"dataFields": {"FIRSTNAME": "Ann", "AGE": 7}})).expect(200);
    let updated = caller.patch(path, &json!({"dataFields": {"firstname": null}})).expect(200);
    assert_eq!(updated["dataFields"], json!({"AGE": 7}));
    let kept = format!("{path}?merge-option=overwrite-if-empty");
    let updated = caller.patch(&kept, &json!({"dataFields": {"AGE": 8}})).expect(200);
    assert_eq!(updated["dataFields"], json!({"AGE": 7}));
    let wrong = caller.patch(&format!("{path}?merge-option=overwriteIfEmpty"), &json!({}));
    assert_eq!(wrong.error_code(400), "contacts:badRequest");
}

#[test]
fn a_bad_list_fails_an_update_or_is_passed_over() {
    for (switch, status) in [(BadList::ContactFails, 400), (BadList::ListSkipped, 200)] {
        let caller = Caller::switched(Switches { bad_list: switch, ..Switches::default() });
        caller.simulator.add_contact("ann@example.com");
        caller.patch("/contacts/v3/email/ann@example.com", &json!({"lists": [999]})).expect(status);
    }
}

#[test]
fn adding_a_contact_suppressed_everywhere_changes_no_list() {
    for (switch, status) in
        [(SuppressedAddition::SilentlyDropped, 200), (SuppressedAddition::Fails, 400)]
    {
        let caller =
            Caller::switched(Switches { suppressed_addition: switch, ..Switches::default() });
        let ann = caller.simulator.add_contact("ann@example.com");
        caller.simulator.suppress_contact(ann);
        let list = caller.simulator.add_list("VIP", Visibility::Private);
        caller
            .patch("/contacts/v3/email/ann@example.com", &json!({"lists": [list]}))
            .expect(status);
        assert!(caller.simulator.members(list).is_empty());
    }
}

#[test]
fn a_status_in_an_update_changes_consent_and_is_counted() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    caller.simulator.add_member(list, ann);
    let body = json!({"channelProperties": {"email": {"status": "unsubscribed"}}});
    caller.patch("/contacts/v3/email/ann@example.com", &body).expect(200);
    assert!(caller.simulator.members(list).is_empty());
    assert_eq!(caller.simulator.status_writes(), 1);
}

#[test]
fn a_body_that_is_not_json_is_refused() {
    let caller = Caller::with(SimulatorSettings::default());
    let mut request = super::request(
        dotdigital_client::transport::Method::Patch,
        "/contacts/v3/email/ann@example.com",
        None,
    );
    request.body = Some(std::sync::Arc::new(b"{".to_vec()));
    let reply = super::Reply(caller.simulator.handle(&request, caller.now.get()));
    assert_eq!(reply.error_code(400), "contacts:badJson");
    request.headers.retain(|(name, _)| name != "content-type");
    request.body = Some(std::sync::Arc::new(b"{}".to_vec()));
    let reply = super::Reply(caller.simulator.handle(&request, caller.now.get()));
    assert_eq!(reply.error_code(400), "contacts:badJson");
}
