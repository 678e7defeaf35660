//! `POST /contacts/v3/delete` and what becomes of it.

use dotdigital_client::{
    simulator::{Fault, FaultRule, SimulatorSettings},
    transport::Method,
};
use serde_json::{Value, json};

use super::Caller;

const PATH: &str = "/contacts/v3/delete";

fn submit(caller: &Caller, contacts: &Value) -> String {
    let id = caller.post(PATH, contacts).expect(202)["deleteId"].clone();
    id.as_str().expect("an id").to_owned()
}

fn status(caller: &Caller, id: &str) -> Value {
    caller.get(&format!("{PATH}/{id}")).expect(200)
}

#[test]
fn every_entry_is_counted_once() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.set_identifier(ann, "crm-id", "7");
    let contacts = json!([
        {"crm-id": "7"},
        {"email": "bob@example.com"},
        {"email": "bob@@example.com"},
        {"mobileNumber": "12"},
        {"contactId": -1},
        {"loyalty": "7"},
    ]);
    let id = submit(&caller, &contacts);
    assert_eq!(status(&caller, &id), json!({"deleteId": id, "status": "NotFinished"}));
    caller.wait(60);
    let report = status(&caller, &id);
    let summary = json!({"requestedContacts": 6, "deletedContacts": 1, "unknownContacts": 1,
                         "invalidEntries": 4});
    assert_eq!((&report["status"], &report["summary"]), (&json!("Finished"), &summary));
    assert_eq!(report["deleted"], json!([{"crm-id": "7"}]));
    let failures = report["failures"].as_array().expect("failures").iter();
    let failures: Vec<_> = failures
        .map(|row| (row["identifier"].clone(), row["failures"][0]["failureCode"].clone()))
        .collect();
    let expected = [
        (json!({"email": "bob@example.com"}), json!("contactNotFound")),
        (json!({"email": "bob@@example.com"}), json!("invalidEmail")),
        (json!({"mobileNumber": "12"}), json!("invalidPhoneNumber")),
        (json!({"contactId": -1}), json!("invalidContactId")),
        (json!({"loyalty": "7"}), json!("invalidMatchIdentifier")),
    ];
    assert_eq!(failures, expected);
}

#[test]
fn one_to_five_thousand_entries_are_taken() {
    let caller = Caller::new();
    let entries = |count: usize| json!(vec![json!({"email": "a@example.com"}); count]);
    assert_eq!(caller.post(PATH, &entries(5_001)).error_code(400), "contacts:noContactsSpecified");
    submit(&caller, &entries(5_000));
}

#[test]
fn too_many_jobs_at_once_are_refused_until_one_ends() {
    let settings = SimulatorSettings { max_active_deletions: 1, ..SimulatorSettings::default() };
    let caller = Caller::with(settings);
    let contacts = json!([{"email": "ann@example.com"}]);
    submit(&caller, &contacts);
    let reply = caller.post(PATH, &contacts);
    assert_eq!(reply.error_code(429), "contacts:tooManyBulkDeleteJobs");
    caller.wait(60);
    submit(&caller, &contacts);
}

#[test]
fn a_job_that_failed_says_so() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    let rule = FaultRule::new(Fault::FailedJob).on("POST /contacts/v3/delete");
    caller.simulator.inject(rule);
    let id = submit(&caller, &json!([{"contactId": ann}]));
    caller.wait(60);
    assert_eq!(status(&caller, &id), json!({"deleteId": id, "status": "Failed"}));
    assert_eq!(caller.simulator.contact_count(), 1);
}

#[test]
fn a_job_nobody_started_is_not_found() {
    let caller = Caller::new();
    let unknown = format!("{PATH}/d7de900d-d337-43f6-b1e1-c8ec73e1a434");
    assert_eq!(caller.get(&unknown).error_code(404), "contacts:importNotFound");
    let wrong = caller.call(Method::Get, &format!("{PATH}/7"), None);
    assert_eq!(wrong.error_code(400), "contacts:invalidDeleteId");
}
