//! Fault scripts, seen from outside.

use std::time::Duration;

use dotdigital_client::simulator::{Fault, FaultRule, Visibility};
use serde_json::json;

use super::{Caller, by_email, onto_list};

const IMPORT: &str = "PUT /contacts/v3/import";

#[test]
fn a_scripted_status_or_page_comes_instead_of_the_answer() {
    let caller = Caller::new();
    caller.simulator.inject(FaultRule::new(Fault::Status(503)).on("POST"));
    caller.simulator.inject(FaultRule::new(Fault::Html(502)).on("POST").from_call(2));
    let create = || caller.post("/v2/address-books", &json!({"name": "VIP"}));
    assert_eq!((create().status(), create().header("content-type")), (503, Some("text/html")));
    assert_eq!(caller.simulator.list_named("VIP"), None);
    create().expect(200);
}

#[test]
fn the_service_may_act_although_the_answer_is_an_error() {
    let caller = Caller::new();
    caller.simulator.inject(FaultRule::new(Fault::StatusAfterActing(504)));
    caller.post("/v2/address-books", &json!({"name": "VIP"})).expect(504);
    assert!(caller.simulator.list_named("VIP").is_some());
}

#[test]
fn both_kinds_of_429_can_be_scripted() {
    let caller = Caller::new();
    caller.simulator.inject(FaultRule::new(Fault::RateLimited).on(IMPORT));
    caller.simulator.inject(FaultRule::new(Fault::TooManyActiveImports).on(IMPORT).from_call(2));
    let body = json!({"contacts": [by_email("ann@example.com")]});
    let plain = caller.put("/contacts/v3/import", &body);
    assert_eq!((plain.status(), plain.header("x-ratelimit-remaining")), (429, Some("0")));
    let slots = caller.put("/contacts/v3/import", &body);
    assert_eq!(slots.error_code(429), "contacts:tooManyActiveImports");
    caller.put("/contacts/v3/import", &body).expect(202);
}

#[test]
fn a_stuck_job_keeps_its_slot_until_it_is_finished_by_hand() {
    let caller = Caller::new();
    caller.simulator.inject(FaultRule::new(Fault::StuckJob).on(IMPORT));
    let report = caller.import(&json!([by_email("ann@example.com")]));
    assert_eq!(report["status"], "NotFinished");
    assert_eq!(caller.simulator.pending_jobs(), 1);
    caller.simulator.finish_jobs(caller.now.get());
    assert_eq!(caller.simulator.contact_count(), 1);
}

#[test]
fn a_slow_job_is_only_late() {
    let caller = Caller::new();
    let slow = Fault::SlowJob(Duration::from_secs(7_200));
    caller.simulator.inject(FaultRule::new(slow).on(IMPORT));
    assert_eq!(caller.import(&json!([by_email("ann@example.com")]))["status"], "NotFinished");
    caller.wait(7_200);
    caller.get("/v2/account-info").expect(200);
    assert_eq!(caller.simulator.contact_count(), 1);
}

#[test]
fn a_rejected_or_failed_import_has_no_effect() {
    for (fault, status) in
        [(Fault::RejectedByWatchdog, "RejectedByWatchdog"), (Fault::FailedJob, "Failed")]
    {
        let caller = Caller::new();
        caller.simulator.inject(FaultRule::new(fault).on(IMPORT));
        let report = caller.import(&json!([by_email("ann@example.com")]));
        assert_eq!(report["status"], status);
        assert_eq!((caller.simulator.contact_count(), caller.simulator.pending_jobs()), (0, 0));
    }
}

#[test]
fn a_failed_removal_removes_nobody() {
    let caller = Caller::new();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.add_member(list, ann);
    caller.simulator.inject(FaultRule::new(Fault::FailedJob));
    let started = caller.post(&format!("/v2/address-books/{list}/contacts/delete"), &json!([ann]));
    let id = started.expect(202)["id"].as_str().expect("an id").to_owned();
    caller.wait(60);
    assert_eq!(caller.get(&format!("/v2/contacts/deletion/{id}")).expect(200)["Status"], "Failed");
    assert_eq!(caller.simulator.members(list).len(), 1);
}

#[test]
fn every_second_row_fails_with_the_code_asked_for() {
    let caller = Caller::new();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let fault = Fault::FailRows { code: "Blocker".to_owned(), every: 2 };
    caller.simulator.inject(FaultRule::new(fault).on(IMPORT));
    let rows = ["a", "b", "c", "d"].map(|name| onto_list(&format!("{name}@example.com"), list));
    let report = caller.import(&json!(rows));
    let failed = |row: usize| {
        let row = &report["failures"][row];
        (row["identifiers"]["email"].clone(), row["failures"][0]["failureCode"].clone())
    };
    assert_eq!(failed(0), (json!("b@example.com"), json!("Blocker")));
    assert_eq!(failed(1), (json!("d@example.com"), json!("Blocker")));
    assert_eq!(caller.simulator.members(list).len(), 2);
}

#[test]
fn random_faults_repeat_with_their_seed_and_stop_when_cleared() {
    let run = |seed| {
        let caller = Caller::new();
        caller.simulator.faults_from_seed(seed, 0.5);
        let statuses: Vec<u16> = (0..50).map(|_| caller.get("/v2/account-info").status()).collect();
        caller.simulator.clear_faults();
        assert!((0..50).all(|_| caller.get("/v2/account-info").status() == 200));
        statuses
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn random_faults_leave_no_trace_once_they_stop() {
    let caller = Caller::new();
    caller.simulator.faults_from_seed(7, 1.0);
    let body = json!({"contacts": [by_email("ann@example.com")]});
    for _ in 0..200 {
        caller.put("/contacts/v3/import", &body);
        caller.wait(60);
    }
    caller.simulator.clear_faults();
    caller.wait(3_600);
    let report = caller.import(&json!([by_email("bob@example.com")]));
    assert_eq!(report["status"], "Finished");
    assert_eq!((caller.simulator.pending_jobs(), caller.simulator.contact_count()), (0, 2));
}

#[test]
fn an_error_comes_with_its_code_in_the_shape_of_the_endpoint() {
    let caller = Caller::new();
    let refuse = |status, code: &str| {
        caller.simulator.inject(FaultRule::new(Fault::Refused { status, code: code.to_owned() }));
    };
    refuse(400, "ERROR_ADDRESSBOOK_IN_USE");
    let body = json!({"name": "VIP"});
    assert_eq!(caller.post("/v2/address-books", &body).code(400), "ERROR_ADDRESSBOOK_IN_USE");
    assert_eq!(caller.simulator.list_named("VIP"), None);
    refuse(429, "contacts:tooManyBulkDeleteJobs");
    let reply = caller.get("/contacts/v3");
    assert_eq!(reply.error_code(429), "contacts:tooManyBulkDeleteJobs");
}
