//! Deleting and emptying collections: each does its harm, later, and is counted.

use dotdigital_client::simulator::{Fault, FaultRule};
use serde_json::{Value, json};

use super::{super::Caller, BASE, account, keys, of_ann};

/// Records of Ann and of Bob, and one of the account.
fn filled() -> Caller {
    let (caller, _) = account();
    caller.simulator.add_contact("bob@example.com");
    caller.put(&of_ann("/A1"), &json!({"price": 1})).expect(201);
    caller.put(&of_ann("/A2"), &json!({})).expect(201);
    let bob = format!("{BASE}/contacts/email/bob@example.com/Orders/B1");
    caller.put(&bob, &json!({})).expect(201);
    caller.put(&format!("{BASE}/account/Catalog/P1"), &json!({})).expect(201);
    caller
}

fn start(caller: &Caller, path: &str) -> String {
    let id = caller.delete(path).expect(202)["jobId"].clone();
    id.as_str().expect("an id").to_owned()
}

fn status(caller: &Caller, job: &str) -> Value {
    caller.get(&format!("{BASE}/async/{job}")).expect(200)
}

/// Starts a job that does harm, and returns its report.
fn harm(caller: &Caller, path: &str) -> Value {
    let before = keys(caller, "Orders");
    let job = start(caller, path);
    assert_eq!(caller.simulator.forbidden_calls().len(), 1);
    assert_eq!(status(caller, &job), json!({"jobId": job, "status": "NotFinished"}));
    assert_eq!(keys(caller, "Orders"), before);
    caller.wait(3);
    status(caller, &job)
}

fn finished(report: &Value, records: u32) {
    assert_eq!(report["status"], "Finished");
    let summary = json!({"totalRecords": records, "totalProcessed": records, "totalFailed": 0});
    assert_eq!((&report["summary"], &report["failures"]), (&summary, &json!([])));
}

#[test]
fn emptying_a_collection_deletes_everybodys_records_and_leaves_the_schema() {
    let caller = filled();
    finished(&harm(&caller, &format!("{BASE}/collections/Orders/empty")), 3);
    assert!(keys(&caller, "Orders").is_empty());
    let schema = caller.get(&format!("{BASE}/collections/Orders/schema")).expect(200);
    assert_eq!(schema["schema"]["properties"], json!({"price": {"type": "number"}}));
}

#[test]
fn emptying_one_contact_leaves_the_others() {
    let caller = filled();
    finished(&harm(&caller, &of_ann("/empty")), 2);
    assert_eq!(keys(&caller, "Orders"), ["B1"]);
}

#[test]
fn deleting_a_collection_leaves_nothing_of_it() {
    let caller = filled();
    finished(&harm(&caller, &format!("{BASE}/collections/Orders")), 3);
    let collections = caller.get(&format!("{BASE}/collections")).expect(200);
    assert_eq!(collections.as_array().map(Vec::len), Some(1));
    assert_eq!(caller.get(&of_ann("/A1")).error_code(404), "insightData:collectionNotFound");
    assert_eq!(keys(&caller, "Catalog"), ["P1"]);
}

#[test]
fn a_collection_that_is_gone_by_then_fails_the_job() {
    let caller = filled();
    let path = format!("{BASE}/collections/Orders");
    let jobs = [start(&caller, &path), start(&caller, &path)];
    caller.wait(3);
    finished(&status(&caller, &jobs[0]), 3);
    let second = status(&caller, &jobs[1]);
    assert_eq!(second["status"], "Failed");
    assert_eq!(second["failures"][0]["errorCode"], "insightData:collectionNotFound");
    assert_eq!(caller.delete(&path).error_code(404), "insightData:collectionNotFound");
}

#[test]
fn a_job_that_failed_changed_nothing() {
    for path in ["collections/Orders", "collections/Orders/empty"] {
        let caller = filled();
        caller.simulator.inject(FaultRule::new(Fault::FailedJob).on("DELETE"));
        assert_eq!(harm(&caller, &format!("{BASE}/{path}"))["status"], "Failed");
        assert_eq!(keys(&caller, "Orders"), ["A1", "A2", "B1"]);
    }
}

#[test]
fn a_job_nobody_started_is_not_found() {
    let caller = filled();
    let path = format!("{BASE}/async");
    assert_eq!(caller.get(&format!("{path}/7")).error_code(400), "insightData:invalidId");
    let unknown = format!("{path}/d7de900d-d337-43f6-b1e1-c8ec73e1a434");
    assert_eq!(caller.get(&unknown).error_code(404), "insightData:asyncJobNotFound");
    for missing in ["collections/Nothing", "contacts/email/ann@example.com/Nothing/empty"] {
        let code = caller.delete(&format!("{BASE}/{missing}")).error_code(404);
        assert_eq!(code, "insightData:collectionNotFound");
    }
}
