//! `PUT /insightData/v3/import` and what becomes of it.

use dotdigital_client::simulator::{
    Fault, FaultRule, InsightDataShapes, InsightLimits, OversizeImport, SimulatorSettings, Switches,
};
use serde_json::{Value, json};

use super::{super::Caller, BASE, account, account_with, create, keys};

fn body(collection: &str, scope: &str, records: &Value) -> Value {
    json!({"collectionName": collection, "collectionScope": scope, "collectionType": "orders",
           "records": records})
}

fn record(identifier: &str, value: &str, key: &str, content: &Value) -> Value {
    json!({"contactIdentity": {"identifier": identifier, "value": value}, "key": key,
           "json": content})
}

fn of_ann(key: &str, content: &Value) -> Value {
    record("email", "ann@example.com", key, content)
}

fn submit(caller: &Caller, body: &Value) -> String {
    let id = caller.put(&format!("{BASE}/import"), body).expect(202)["importId"].clone();
    id.as_str().expect("an id").to_owned()
}

fn status(caller: &Caller, id: &str) -> Value {
    caller.get(&format!("{BASE}/import/{id}")).expect(200)
}

/// Hands in an import, waits, and returns what became of it.
fn import(caller: &Caller, body: &Value) -> Value {
    let id = submit(caller, body);
    caller.wait(3_600);
    status(caller, &id)
}

#[test]
fn an_import_creates_its_collection_and_its_records_when_it_is_done() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    let rows = json!([of_ann("A1", &json!({"price": 1})), of_ann("A2", &json!({}))]);
    let id = submit(&caller, &body("Orders", "contact", &rows));
    let pending = json!({"importId": id, "status": "Processing", "collectionName": "Orders"});
    assert_eq!(status(&caller, &id), pending);
    assert!(keys(&caller, "Orders").is_empty());

    caller.wait(3);
    let summary = json!({"totalRecords": 2, "totalImported": 2, "totalRejected": 0});
    let done = json!({"importId": id, "status": "Complete", "collectionName": "Orders",
                      "summary": summary});
    assert_eq!(status(&caller, &id), done);
    let records = caller.simulator.insight_records("Orders");
    assert_eq!((records.len(), records[0].contact), (2, Some(ann)));
    assert_eq!((records[0].key.as_str(), &records[0].content), ("A1", &json!({"price": 1})));
    assert!(!format!("{records:?}").contains("A1"));
}

#[test]
fn an_import_replaces_what_is_there() {
    let (caller, _) = account();
    import(&caller, &body("Catalog", "account", &json!([{"key": "P1", "json": {"price": 1}}])));
    import(&caller, &body("Catalog", "account", &json!([{"key": "P1", "json": {"name": "Hat"}}])));
    let records = caller.simulator.insight_records("Catalog");
    assert_eq!((records.len(), &records[0].content), (1, &json!({"name": "Hat"})));
    assert_eq!(records[0].contact, None);
}

#[test]
fn each_refused_record_is_reported_with_its_reason() {
    let (caller, _) = account();
    let empty = json!({});
    let rows = json!([
        of_ann("A1", &json!({"price": 1})),
        of_ann("A1", &json!({"price": 2})),
        of_ann("A2", &json!({"price": "low"})),
        of_ann("", &empty),
        record("email", "bob@example.com", "A3", &empty),
        record("contactId", "4711", "A3", &empty),
        record("email", "bob", "A3", &empty),
        record("mobileNumber", "447000000001", "A3", &empty),
        record("crm-id", "7", "A3", &empty),
        {"contactIdentity": {"identifier": "email", "value": null}, "key": "A3", "json": {}},
        {"key": "A3", "json": {}},
        of_ann("A3", &json!({"a": [[]]})),
    ]);
    let report = import(&caller, &body("Orders", "contact", &rows));
    let summary = json!({"totalRecords": 12, "totalImported": 1, "totalRejected": 11});
    assert_eq!((&report["status"], &report["summary"]), (&json!("Complete"), &summary));
    let failures = report["failures"].as_array().expect("failures");
    let reasons: Vec<&str> =
        failures.iter().map(|row| row["failureReason"].as_str().expect("a reason")).collect();
    let invalid = "InvalidContactIdentifier";
    let expected = [
        "DuplicateKey",
        "JsonValueIncompatibleWithSchema",
        "InvalidClientKey",
        "ContactEmailDoesNotExist",
        "ContactIdDoesNotExist",
        invalid,
        invalid,
        invalid,
        invalid,
        invalid,
        "JsonContainsNestedArray",
    ];
    assert_eq!(reasons, expected);
    let owner = json!({"ownerType": "contact",
                       "contactIdentity": {"identifier": "email", "value": "ann@example.com"}});
    assert_eq!(failures[1]["collectionOwner"], owner);
    assert_eq!(
        (&failures[1]["key"], &failures[1]["json"]),
        (&json!("A2"), &json!({"price": "low"}))
    );
    assert_eq!(failures[9]["collectionOwner"], json!({"ownerType": "contact"}));
    assert_eq!(caller.simulator.insight_records("Orders")[0].content, json!({"price": 1}));
}

#[test]
fn an_import_that_is_not_as_described_is_refused() {
    let (caller, _) = account();
    let right = body("Orders", "contact", &json!([of_ann("A1", &json!({}))]));
    for (pointer, wrong, item) in [
        ("/collectionName", json!("1"), "collectionName"),
        ("/collectionScope", json!("Contact"), "collectionScope"),
        ("/collectionType", json!("other"), "collectionType"),
        ("/records", json!([]), "records"),
        ("/records", json!({}), "records"),
        ("/records/0", json!("A1"), "records[0]."),
        ("/records/0/key", json!(1), "records[0].key"),
        ("/records/0/json", json!("{}"), "records[0].json"),
        (
            "/records/0/contactIdentity",
            json!({"identifier": "email"}),
            "records[0].contactIdentity",
        ),
        ("/records/0/contactIdentity/value", json!(7), "records[0].contactIdentity"),
    ] {
        let mut body = right.clone();
        *body.pointer_mut(pointer).expect("a place") = wrong;
        let reply = caller.put(&format!("{BASE}/import"), &body);
        assert_eq!(reply.error_code(400), "insightData:badJson", "{pointer}");
        assert_eq!(reply.json()["details"][0]["item"], item);
    }
    let mut extra = right;
    extra["records"][0]["price"] = json!(1);
    let reply = caller.put(&format!("{BASE}/import"), &extra);
    assert_eq!(reply.error_code(400), "insightData:badJson");
    assert_eq!(caller.simulator.pending_jobs(), 0);
}

#[test]
fn a_collection_of_the_other_scope_takes_no_import() {
    let (caller, _) = account();
    let rows = json!([of_ann("A1", &json!({}))]);
    let reply = caller.put(&format!("{BASE}/import"), &body("Catalog", "contact", &rows));
    assert_eq!(reply.error_code(400), "insightData:badRequest");
    let late = body("Late", "contact", &rows);
    let id = submit(&caller, &late);
    create(&caller, "Late", "account");
    caller.wait(60);
    assert_eq!(status(&caller, &id)["status"], "Failed");
}

#[test]
fn five_imports_at_once_and_no_more() {
    let (caller, _) = account();
    let import = body("Catalog", "account", &json!([{"key": "P1", "json": {}}]));
    for _ in 0..5 {
        submit(&caller, &import);
    }
    let reply = caller.put(&format!("{BASE}/import"), &import);
    assert_eq!(reply.error_code(429), "insightData:tooManyActiveImports");
    caller.wait(60);
    submit(&caller, &import);
    caller.simulator.inject(FaultRule::new(Fault::TooManyActiveImports).on("PUT /insightData"));
    let reply = caller.put(&format!("{BASE}/import"), &import);
    assert_eq!(reply.error_code(429), "insightData:tooManyActiveImports");
}

#[test]
fn an_import_that_is_too_large_is_refused() {
    for (oversize_import, status) in
        [(OversizeImport::TooLarge413, 413), (OversizeImport::BadRequest400, 400)]
    {
        let settings = SimulatorSettings {
            max_import_bytes: 100,
            switches: Switches { oversize_import, ..Switches::default() },
            ..SimulatorSettings::default()
        };
        let (caller, _) = account_with(settings);
        let rows = json!([of_ann("A1", &json!({"text": "x".repeat(100)}))]);
        let reply = caller.put(&format!("{BASE}/import"), &body("Orders", "contact", &rows));
        assert_eq!(reply.error_code(status), "insightData:requestTooLarge");
    }
}

#[test]
fn an_import_that_failed_changed_nothing() {
    let limits = InsightLimits { collections: 2, ..InsightLimits::default() };
    let (caller, _) =
        account_with(SimulatorSettings { insight_data: limits, ..SimulatorSettings::default() });
    let rows = json!([{"key": "P1", "json": {}}]);
    let third = import(&caller, &body("Third", "account", &rows));
    assert_eq!((&third["status"], third.get("summary")), (&json!("Failed"), None));
    for fault in [Fault::FailedJob, Fault::RejectedByWatchdog] {
        caller.simulator.inject(FaultRule::new(fault).on("PUT /insightData/v3/import"));
        let report = import(&caller, &body("Catalog", "account", &rows));
        assert_eq!(report["status"], "Failed");
    }
    assert!(keys(&caller, "Catalog").is_empty());
}

#[test]
fn a_script_refuses_single_records() {
    let (caller, _) = account();
    let fault = Fault::FailRows { code: "Unknown".to_owned(), every: 2 };
    caller.simulator.inject(FaultRule::new(fault).on("PUT /insightData/v3/import"));
    let rows = json!([{"key": "P1", "json": {}}, {"key": "P2", "json": {}}]);
    let report = import(&caller, &body("Catalog", "account", &rows));
    assert_eq!(report["failures"][0]["failureReason"], "Unknown");
    assert_eq!(keys(&caller, "Catalog"), ["P1"]);
}

#[test]
fn an_import_ends_in_either_word() {
    for (insight_data, word) in
        [(InsightDataShapes::AsDeclared, "Complete"), (InsightDataShapes::AsInExamples, "Finished")]
    {
        let caller = Caller::switched(Switches { insight_data, ..Switches::default() });
        let rows = json!([{"key": "P1", "json": {}}]);
        assert_eq!(import(&caller, &body("Catalog", "account", &rows))["status"], word);
    }
}

#[test]
fn an_import_nobody_started_is_not_found() {
    let (caller, _) = account();
    let path = format!("{BASE}/import");
    assert_eq!(caller.get(&format!("{path}/7")).error_code(400), "insightData:invalidId");
    let unknown = format!("{path}/d7de900d-d337-43f6-b1e1-c8ec73e1a434");
    assert_eq!(caller.get(&unknown).error_code(404), "insightData:importNotFound");
    let emptied = caller.delete(&format!("{BASE}/collections/Orders/empty")).expect(202);
    let other = format!("{path}/{}", emptied["jobId"].as_str().expect("an id"));
    assert_eq!(caller.get(&other).error_code(404), "insightData:importNotFound");
}
