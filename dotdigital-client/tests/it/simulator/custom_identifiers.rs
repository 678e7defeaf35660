//! `/configuration/v3/customIdentifiers`.

use dotdigital_client::simulator::{CustomIdentifierErrors, SimulatorSettings, Switches};
use serde_json::json;

use super::Caller;

const PATH: &str = "/configuration/v3/customIdentifiers";

#[test]
fn a_custom_identifier_is_created_listed_used_and_deleted() {
    let caller = Caller::new();
    assert_eq!(caller.get(PATH).expect(200), json!([]));
    let created = caller.post(PATH, &json!({"name": "crm-id"})).expect(201);
    let at = "2026-09-21T14:13:20Z";
    assert_eq!(created, json!({"name": "crm-id", "created": at, "updated": at}));
    assert_eq!(caller.get(PATH).expect(200), json!([created]));

    let body = json!({"identifiers": {"email": "ann@example.com", "crm-id": "7"}});
    caller.post("/contacts/v3", &body).expect(201);
    caller.get("/contacts/v3/crm-id/7").expect(200);
    assert_eq!(caller.delete(&format!("{PATH}/crm-id")).status(), 204);
    assert_eq!(caller.get("/contacts/v3/crm-id/7").error_code(400), "contacts:invalidId");
    let contact = caller.get("/contacts/v3/email/ann@example.com").expect(200);
    assert_eq!(contact["identifiers"], json!({"email": "ann@example.com"}));
    caller.post(PATH, &json!({"name": "crm-id"})).expect(201);
    caller.get("/contacts/v3/crm-id/7").expect(404);
}

#[test]
fn a_name_that_is_not_valid_is_refused() {
    let caller = Caller::new();
    for body in
        [json!({}), json!([]), json!({"name": 7}), json!({"name": ""}), json!({"name": "a b"})]
    {
        let reply = caller.post(PATH, &body);
        assert_eq!(reply.error_code(400), "customIdentifiers:badRequest", "{body}");
    }
    let long = |length: usize| json!({"name": "x".repeat(length)});
    assert_eq!(caller.post(PATH, &long(51)).error_code(400), "customIdentifiers:nameTooLong");
    caller.post(PATH, &long(50)).expect(201);
}

#[test]
fn a_name_in_use_is_a_conflict() {
    let caller = Caller::new();
    caller.post(PATH, &json!({"name": "crm-id"})).expect(201);
    for name in ["crm-id", "email", "mobileNumber", "contactId"] {
        let reply = caller.post(PATH, &json!({"name": name}));
        assert_eq!(reply.error_code(409), "customIdentifiers:nameAlreadyExists", "{name}");
    }
}

#[test]
fn a_full_account_answers_412_without_a_body() {
    let settings =
        SimulatorSettings { max_custom_identifiers: Some(1), ..SimulatorSettings::default() };
    let caller = Caller::with(settings);
    caller.post(PATH, &json!({"name": "one"})).expect(201);
    let reply = caller.post(PATH, &json!({"name": "two"}));
    assert_eq!((reply.status(), reply.0.body.len()), (412, 0));
    assert_eq!(caller.post(PATH, &json!({"name": "one"})).status(), 409);
}

#[test]
fn one_in_use_or_unknown_cannot_be_deleted() {
    let caller = Caller::new();
    caller.simulator.use_custom_identifier("crm-id", "segment:1002");
    let reply = caller.delete(&format!("{PATH}/crm-id"));
    assert_eq!(reply.error_code(400), "customIdentifiers:inUse");
    assert_eq!(reply.json()["details"][0]["item"], "segment:1002");
    assert_eq!(caller.get(PATH).expect(200)[0]["name"], "crm-id");
    let unknown = caller.delete(&format!("{PATH}/loyalty"));
    assert_eq!(unknown.error_code(404), "customIdentifiers:notExist");
}

#[test]
fn errors_look_as_in_the_examples_if_so_switched() {
    let caller = Caller::switched(Switches {
        custom_identifier_errors: CustomIdentifierErrors::AsInExamples,
        ..Switches::default()
    });
    let unknown = caller.delete(&format!("{PATH}/loyalty")).expect(404);
    assert_eq!(unknown[0]["errorCode"], "customIdentifiers:notExist");
    caller.simulator.use_custom_identifier("crm-id", "segment:1002");
    let used = caller.delete(&format!("{PATH}/crm-id")).expect(400);
    assert_eq!(used["details"]["items"][0]["item"], "segment:1002");
}
