//! `PUT /contacts/v3/import` and what becomes of it.

use dotdigital_client::simulator::{
    BadList, ContactIdForm, DataFieldType, EmailEcho, FailureCodeCase, JobLatency, OversizeImport,
    SimulatorSettings, SuppressedAddition, Switches, Visibility,
};
use serde_json::{Value, json};

use super::{Caller, by_email, onto_list};

const IMPORT: &str = "/contacts/v3/import";

fn codes(report: &Value) -> Vec<&str> {
    let failures = report["failures"].as_array().expect("failures");
    failures.iter().map(|row| row["failures"][0]["failureCode"].as_str().expect("a code")).collect()
}

fn emails_on(caller: &Caller, list: i32) -> Vec<String> {
    caller.simulator.members(list).into_iter().filter_map(|member| member.email).collect()
}

#[test]
fn an_import_creates_updates_and_adds_to_the_list_when_it_is_done() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let contacts = json!([
        onto_list("Ann@Example.com", list),
        {"matchIdentifier": "mobileNumber", "identifiers": {"mobileNumber": "+447123123123"}, "lists": [list]},
        {"matchIdentifier": "contactId", "identifiers": {"contactId": ann}, "lists": [list]},
    ]);
    let reply = caller.put(IMPORT, &json!({"mergeOption": "overwrite", "contacts": contacts}));
    let id = reply.expect(202)["importId"].clone();
    let path = format!("{IMPORT}/{}", id.as_str().expect("an id"));
    let pending = caller.get(&path).expect(200);
    assert_eq!(pending, json!({"importId": id, "status": "NotFinished"}));
    assert!(emails_on(&caller, list).is_empty());

    caller.wait(3);
    let report = caller.get(&path).expect(200);
    let mobile = ann + 1;
    assert_eq!(
        report,
        json!({
            "importId": id,
            "status": "Finished",
            "summary": {"newContacts": 1, "updatedContacts": 1, "globallySuppressed": 0,
                        "invalidEntries": 0, "duplicateIdentifiers": 1},
            "created": [{"contactId": mobile, "identifiers": {"mobileNumber": "447123123123"}}],
            "updated": [{"contactId": ann, "identifiers": {"email": "Ann@Example.com"}}],
            "failures": [{"contactId": ann, "matchIdentifier": "contactId", "identifiers": {},
                          "failures": [{"failureCode": "duplicateIdentifier",
                                        "description": "An identifier occurs more than once in the import"}]}],
        })
    );
    let members: Vec<i64> = caller.simulator.members(list).iter().map(|m| m.id).collect();
    assert_eq!(members, [ann, mobile]);
    assert_eq!(caller.simulator.status_writes(), 0);
}

#[test]
fn every_row_that_cannot_be_done_is_reported_with_its_code() {
    let mut settings = SimulatorSettings::default();
    settings.custom_identifiers.insert("crm-id".to_owned());
    let caller = Caller::with(settings);
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.set_identifier(ann, "mobileNumber", "447123123123");
    caller.simulator.globally_suppress("gone@example.com");
    let row =
        |by: &str, identifiers: Value| json!({"matchIdentifier": by, "identifiers": identifiers});
    caller.simulator.suppress_domain("competitor.example");
    caller.simulator.block_address("abuse@example.com");
    let with = |email: &str, key: &str, value: Value| {
        let mut row = by_email(email);
        row[key] = value;
        row
    };
    let report = caller.import(&json!([
        by_email("bob@@example.com"),
        row("email", json!({"email": null})),
        by_email("bob@localhost"),
        row("mobileNumber", json!({"mobileNumber": "12"})),
        row("contactId", json!({"contactId": 4711})),
        row("email", json!({"mobileNumber": "447000000001"})),
        row("crm-id", json!({"crm-id": "7"})),
        row("loyalty", json!({"email": "cid@example.com", "loyalty": "7"})),
        row("crm-id", json!({"email": "cid@example.com", "crm-id": "7".repeat(257)})),
        by_email("gone@example.com"),
        by_email("hal@Competitor.example"),
        by_email("Abuse@example.com"),
        with("gus@example.com", "dataFields", json!({"SHOESIZE": 41})),
        with("ida@example.com", "preferences", json!([{"id": 0, "isOptedIn": true}])),
        with("joe@example.com", "channelProperties", json!({"sms": {"status": "subscribed"}})),
        row("email", json!({"email": "dan@example.com", "mobileNumber": "447123123123"})),
        onto_list("eve@example.com", 999),
        by_email("fay@example.com"),
        by_email("FAY@example.com"),
    ]));
    assert_eq!(
        codes(&report),
        [
            "invalidEmail",
            "invalidEmail",
            "invalidDomain",
            "invalidPhoneNumber",
            "invalidContactId",
            "invalidMatchIdentifier",
            "noValidIdentifiers",
            "apiSchemaViolation",
            "apiSchemaViolation",
            "globallySuppressed",
            "suppressedByDomain",
            "blocker",
            "invalidContact",
            "invalidContact",
            "invalidContactStatus",
            "duplicateIdentifier",
            "invalidAddressBookIds",
            "duplicateIdentifier",
        ]
    );
    let summary = json!({"newContacts": 1, "updatedContacts": 0, "globallySuppressed": 1,
                         "invalidEntries": 15, "duplicateIdentifiers": 2});
    assert_eq!(report["summary"], summary);
    assert_eq!(report["failures"][4]["contactId"], 4711);
    assert_eq!(caller.simulator.contact_count(), 2);
}

#[test]
fn codes_are_spelled_as_switched() {
    for (switch, expected) in [
        (FailureCodeCase::Camel, ["invalidEmail", "duplicateIdentifier"]),
        (FailureCodeCase::Pascal, ["InvalidEmail", "Duplicate"]),
    ] {
        let caller = Caller::switched(Switches { failure_codes: switch, ..Switches::default() });
        let ann = by_email("ann@example.com");
        let report = caller.import(&json!([by_email("bob@@example.com"), ann, ann]));
        assert_eq!(codes(&report), expected);
        let summary = json!({"newContacts": 1, "updatedContacts": 0, "globallySuppressed": 0,
                             "invalidEntries": 1, "duplicateIdentifiers": 1});
        assert_eq!(report["summary"], summary);
    }
}

#[test]
fn a_row_may_be_stored_and_reported_for_more_than_one_reason() {
    let switches = Switches { bad_list: BadList::ListSkipped, ..Switches::default() };
    let caller = Caller::switched(switches);
    let mut row = onto_list("ann@example.com", 999);
    row["consentRecords"] = json!([{"text": "yes", "dateTimeConsented": "2099-01-01T00:00:00Z",
        "url": "https://shop.example", "ipAddress": "192.0.2.7", "userAgent": "x"}]);
    let report = caller.import(&json!([row]));
    let failures = report["failures"][0]["failures"].as_array().expect("failures");
    let codes: Vec<_> = failures.iter().filter_map(|one| one["failureCode"].as_str()).collect();
    assert_eq!(codes, ["invalidAddressBookIds", "consentRecordsNotApplied"]);
    assert_eq!(report["created"][0]["contactId"], report["failures"][0]["contactId"]);
    assert_eq!(report["summary"]["invalidEntries"], 0);
}

#[test]
fn a_custom_identifier_finds_its_contact() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.set_identifier(ann, "crm-id", "A7");
    let row = json!({"matchIdentifier": "crm-id", "identifiers": {"crm-id": "A7"}});
    let report = caller.import(&json!([row]));
    let identifiers = json!({"email": "ann@example.com", "crm-id": "A7"});
    assert_eq!(report["updated"], json!([{"contactId": ann, "identifiers": identifiers}]));
}

#[test]
fn a_request_that_the_description_forbids_is_refused_as_a_whole() {
    let caller = Caller::new();
    let row = |key: &str, value: Value| {
        let mut row = by_email("ann@example.com");
        row[key] = value;
        json!({"contacts": [row]})
    };
    let too_many: Vec<i32> = (1..=101).collect();
    for body in [
        json!({}),
        json!({"contacts": []}),
        json!({"Contacts": [by_email("ann@example.com")]}),
        json!({"mergeOption": "overwrite-if-empty", "contacts": [by_email("ann@example.com")]}),
        json!({"contacts": [{"identifiers": {"email": "ann@example.com"}}]}),
        json!({"contacts": [{"matchIdentifier": "email"}]}),
        json!({"contacts": ["ann@example.com"]}),
        row("lists", json!([])),
        row("lists", json!(["7"])),
        row("lists", json!(too_many)),
        row("identifiers", json!({"contactId": "7"})),
        row("dataFields", json!([])),
        row("channelProperties", json!({"email": {"status": "hardBounced"}})),
        row("channelProperties", json!({"post": {}})),
        row("preferences", json!([])),
        row("consentRecords", json!([{"text": "yes"}])),
    ] {
        let reply = caller.put(IMPORT, &body);
        assert_eq!(reply.error_code(400), "contacts:badRequest", "{body}");
    }
    assert_eq!(caller.simulator.pending_jobs(), 0);
}

#[test]
fn rows_bring_contacts_back_from_the_recycle_bin_without_their_lists() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    let old = caller.simulator.add_list("Old", Visibility::Private);
    caller.simulator.add_member(old, ann);
    caller.simulator.delete_contact(ann, caller.now.get());
    assert_eq!(caller.simulator.binned().len(), 1);
    let report = caller.import(&json!([by_email("ann@example.com")]));
    assert_eq!(report["updated"][0]["contactId"], ann);
    assert!(caller.simulator.binned().is_empty());
    assert!(caller.simulator.members(old).is_empty());
}

#[test]
fn after_thirty_days_a_deleted_contact_is_a_new_one() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.delete_contact(ann, caller.now.get());
    caller.wait(30 * 24 * 60 * 60);
    let report = caller.import(&json!([by_email("ann@example.com")]));
    assert_ne!(report["created"][0]["contactId"], ann);
}

#[test]
fn data_fields_and_statuses_are_applied_and_the_status_is_counted() {
    let caller = Caller::new();
    caller.simulator.add_data_field("AGE", DataFieldType::Numeric);
    let mut row = by_email("ann@example.com");
    row["dataFields"] = json!({"FIRSTNAME": "Ann", "AGE": 7});
    row["channelProperties"] = json!({"email": {"status": "unsubscribed", "emailType": "Html"}});
    caller.import(&json!([row]));
    let contact = caller.get("/contacts/v3/email/ann@example.com").expect(200);
    assert_eq!(contact["dataFields"], json!({"FIRSTNAME": "Ann", "AGE": 7}));
    assert_eq!(contact["status"], "unsubscribed");
    assert_eq!(caller.simulator.status_writes(), 1);
}

#[test]
fn the_address_comes_back_as_sent_or_in_lower_case() {
    for (switch, expected) in
        [(EmailEcho::AsSent, "Ann@Example.com"), (EmailEcho::LowerCase, "ann@example.com")]
    {
        let caller = Caller::switched(Switches { email_echo: switch, ..Switches::default() });
        let report = caller.import(&json!([by_email("Ann@Example.com")]));
        assert_eq!(report["created"][0]["identifiers"]["email"], expected);
    }
}

#[test]
fn a_contact_id_is_a_number_or_a_text() {
    for (switch, expected) in
        [(ContactIdForm::Number, json!(1001)), (ContactIdForm::Text, json!("1001"))]
    {
        let caller = Caller::switched(Switches { contact_id: switch, ..Switches::default() });
        let report = caller.import(&json!([by_email("ann@example.com"), by_email("no")]));
        assert_eq!(report["created"][0]["contactId"], expected);
        let contact = caller.get("/contacts/v3/email/ann@example.com").expect(200);
        assert_eq!(contact["contactId"], expected);
    }
}

#[test]
fn a_bad_list_fails_the_contact_or_is_passed_over() {
    for (switch, contacts) in [(BadList::ContactFails, 0), (BadList::ListSkipped, 1)] {
        let caller = Caller::switched(Switches { bad_list: switch, ..Switches::default() });
        let good = caller.simulator.add_list("VIP", Visibility::Private);
        let test = caller.simulator.list_named("Test").expect("the system list").id;
        let mut row = by_email("ann@example.com");
        row["lists"] = json!([good, test]);
        let report = caller.import(&json!([row]));
        assert_eq!(codes(&report), ["invalidAddressBookIds"]);
        assert_eq!(report["created"].as_array().map(Vec::len), Some(contacts));
        assert_eq!(report["failures"][0]["contactId"].is_i64(), contacts == 1);
        assert_eq!(emails_on(&caller, good).len(), contacts);
    }
}

#[test]
fn a_contact_suppressed_everywhere_is_dropped_silently_or_reported() {
    for (switch, updated, failures) in
        [(SuppressedAddition::SilentlyDropped, 1, 0), (SuppressedAddition::Fails, 0, 1)]
    {
        let caller =
            Caller::switched(Switches { suppressed_addition: switch, ..Switches::default() });
        let ann = caller.simulator.add_contact("ann@example.com");
        caller.simulator.suppress_contact(ann);
        let list = caller.simulator.add_list("VIP", Visibility::Private);
        let report = caller.import(&json!([onto_list("ann@example.com", list)]));
        assert_eq!(report["summary"]["updatedContacts"], updated);
        assert_eq!(report["summary"]["globallySuppressed"], failures);
        assert!(emails_on(&caller, list).is_empty());
    }
}

#[test]
fn an_import_that_is_too_large_is_refused_as_switched() {
    for (switch, status) in
        [(OversizeImport::TooLarge413, 413), (OversizeImport::BadRequest400, 400)]
    {
        let switches = Switches { oversize_import: switch, ..Switches::default() };
        let settings =
            SimulatorSettings { max_import_bytes: 99, switches, ..SimulatorSettings::default() };
        let caller = Caller::with(settings);
        let rows: Vec<Value> = (0..9).map(|n| by_email(&format!("{n}@example.com"))).collect();
        let reply = caller.put(IMPORT, &json!({"contacts": rows}));
        assert_eq!(reply.error_code(status), "contacts:requestTooLarge");
        caller.put(IMPORT, &json!({"contacts": rows[..1]})).expect(202);
    }
}

#[test]
fn a_twenty_sixth_active_import_is_refused_until_one_ends() {
    let caller = Caller::new();
    let body = json!({"contacts": [by_email("ann@example.com")]});
    for _ in 0..25 {
        caller.put(IMPORT, &body).expect(202);
    }
    assert_eq!(caller.put(IMPORT, &body).error_code(429), "contacts:tooManyActiveImports");
    caller.wait(3);
    caller.put(IMPORT, &body).expect(202);
}

#[test]
fn a_job_takes_as_long_as_the_account_says() {
    let latency = JobLatency {
        base: std::time::Duration::from_secs(10),
        per_member: std::time::Duration::from_secs(1),
    };
    let caller = Caller::with(SimulatorSettings { latency, ..SimulatorSettings::default() });
    let rows = json!([by_email("ann@example.com"), by_email("bob@example.com")]);
    caller.put(IMPORT, &json!({"contacts": rows})).expect(202);
    caller.wait(11);
    caller.get("/v2/account-info").expect(200);
    assert_eq!((caller.simulator.pending_jobs(), caller.simulator.contact_count()), (1, 0));
    caller.wait(1);
    caller.get("/v2/account-info").expect(200);
    assert_eq!((caller.simulator.pending_jobs(), caller.simulator.contact_count()), (0, 2));
}

#[test]
fn jobs_can_be_finished_without_a_call() {
    let caller = Caller::new();
    caller.put(IMPORT, &json!({"contacts": [by_email("ann@example.com")]})).expect(202);
    caller.simulator.finish_jobs(caller.now.get());
    assert_eq!((caller.simulator.pending_jobs(), caller.simulator.contact_count()), (0, 1));
}

#[test]
fn an_import_nobody_made_is_not_found() {
    let caller = Caller::new();
    let unknown = format!("{IMPORT}/d7de900d-d337-43f6-b1e1-c8ec73e1a434");
    assert_eq!(caller.get(&unknown).error_code(404), "contacts:importNotFound");
    assert_eq!(caller.get(&format!("{IMPORT}/7")).error_code(400), "contacts:invalidId");
}
