//! `/insightData/v3`: collections and single records.

mod client;
mod imports;
mod jobs;
mod pages;

use dotdigital_client::{
    simulator::{InsightDataShapes, InsightLimits, SimulatorSettings, Switches},
    transport::Method,
};
use serde_json::{Value, json};

use super::Caller;

const BASE: &str = "/insightData/v3";

/// Creates a collection.
fn create(caller: &Caller, name: &str, scope: &str) {
    let query = format!("collectionScope={scope}&collectionType=custom");
    let path = format!("{BASE}/collections/{name}?{query}");
    assert_eq!(caller.call(Method::Post, &path, None).status(), 201);
}

/// An account with a collection `Orders` of its contact Ann, and another `Catalog` of its own.
fn account() -> (Caller, i64) {
    account_with(SimulatorSettings::default())
}

fn account_with(settings: SimulatorSettings) -> (Caller, i64) {
    let caller = Caller::with(settings);
    let ann = caller.simulator.add_contact("ann@example.com");
    create(&caller, "Orders", "contact");
    create(&caller, "Catalog", "account");
    (caller, ann)
}

/// The path of something about Ann's orders.
fn of_ann(what: &str) -> String {
    format!("{BASE}/contacts/email/ann@example.com/Orders{what}")
}

fn keys(caller: &Caller, collection: &str) -> Vec<String> {
    caller.simulator.insight_records(collection).into_iter().map(|record| record.key).collect()
}

#[test]
fn a_collection_is_created_once_and_counted() {
    let (caller, ann) = account();
    let again = format!("{BASE}/collections/Orders?collectionScope=account&collectionType=orders");
    assert_eq!(caller.call(Method::Post, &again, None).status(), 200);
    caller.put(&of_ann("/A1"), &json!({})).expect(201);
    caller.put(&format!("{BASE}/account/Catalog/P1"), &json!({})).expect(201);
    let bob = caller.simulator.add_contact("bob@example.com");
    caller.put(&format!("{BASE}/contacts/contactId/{bob}/Orders/A1"), &json!({})).expect(201);

    let shown = |name: &str, scope: &str, count: u32| {
        json!({"collectionName": name, "collectionType": "custom", "collectionScope": scope,
               "recordCount": count})
    };
    let (orders, catalog) = (shown("Orders", "contact", 2), shown("Catalog", "account", 1));
    assert_eq!(caller.get(&format!("{BASE}/collections")).expect(200), json!([catalog, orders]));
    assert_eq!(caller.get(&format!("{BASE}/account")).expect(200), json!([catalog]));
    let of_ann = caller.get(&format!("{BASE}/contacts/contactId/{ann}")).expect(200);
    assert_eq!(of_ann, json!([shown("Orders", "contact", 1)]));
    let nobody = caller.get(&format!("{BASE}/contacts/email/nobody@example.com"));
    assert_eq!(nobody.error_code(404), "insightData:contactNotFound");
}

#[test]
fn a_collection_that_is_not_valid_is_refused() {
    let caller = Caller::new();
    let post = |name: &str, query: &str| {
        caller.call(Method::Post, &format!("{BASE}/collections/{name}?{query}"), None)
    };
    let right = "collectionScope=account&collectionType=wishList";
    for name in ["a", "1a", "my%20orders", &"a".repeat(256)] {
        assert_eq!(post(name, right).error_code(400), "insightData:invalidId", "{name}");
    }
    for query in [
        "collectionScope=account",
        "collectionType=orders",
        "collectionScope=Account&collectionType=orders",
        "collectionScope=account&collectionType=Orders",
        "collectionScope=account&collectionType=orders&collectionScope=contact",
    ] {
        assert_eq!(post("Orders", query).error_code(400), "insightData:badRequest", "{query}");
    }
    assert_eq!(caller.get(&format!("{BASE}/collections")).expect(200), json!([]));
}

#[test]
fn an_account_has_so_many_collections() {
    let insight_data = InsightLimits { collections: 2, ..InsightLimits::default() };
    let (caller, _) =
        account_with(SimulatorSettings { insight_data, ..SimulatorSettings::default() });
    let query = "collectionScope=account&collectionType=custom";
    let post = |name: &str| {
        caller.call(Method::Post, &format!("{BASE}/collections/{name}?{query}"), None).status()
    };
    assert_eq!((post("Third"), post("Orders")), (412, 200));
    assert_eq!(InsightLimits::default().collections, 1_000);
}

#[test]
fn a_record_is_created_replaced_read_and_deleted() {
    let (caller, ann) = account();
    for (path, owner) in
        [(of_ann("/A%2F1"), Some(ann)), (format!("{BASE}/account/Catalog/A%2F1"), None)]
    {
        assert_eq!(caller.get(&path).error_code(404), "insightData:recordNotFound");
        assert_eq!(caller.put(&path, &json!({"price": 1})).status(), 201);
        caller.wait(60);
        assert_eq!(caller.put(&path, &json!({"size": "L"})).status(), 204);
        let record = caller.get(&path).expect(200);
        assert_eq!((&record["key"], &record["json"]), (&json!("A/1"), &json!({"size": "L"})));
        assert_eq!(record.get("ownerContactId").and_then(Value::as_i64), owner);
        assert_ne!(record["created"], record["updated"]);
        assert_eq!(caller.delete(&path).status(), 204);
        assert_eq!(caller.delete(&path).error_code(404), "insightData:recordNotFound");
    }
}

#[test]
fn a_contact_is_found_by_any_identifier_and_has_keys_of_its_own() {
    let (caller, ann) = account();
    caller.simulator.set_identifier(ann, "mobileNumber", "447123123123");
    caller.simulator.set_identifier(ann, "crm-id", "7");
    caller.put(&of_ann("/A1"), &json!({"of": "Ann"})).expect(201);
    let bob = caller.simulator.add_contact("bob@example.com");
    let contact = |who: &str| format!("{BASE}/contacts/{who}/Orders/A1");
    caller.put(&contact(&format!("contactId/{bob}")), &json!({"of": "Bob"})).expect(201);
    for who in ["mobileNumber/447123123123", "crm-id/7", "email/ANN@example.com"] {
        assert_eq!(caller.get(&contact(who)).expect(200)["json"], json!({"of": "Ann"}), "{who}");
    }
    for (who, status, code) in [
        ("email/nobody@example.com", 404, "insightData:contactNotFound"),
        ("email/ann", 400, "insightData:invalidId"),
        ("contactId/ann", 400, "insightData:invalidId"),
        ("shoe-size/42", 400, "insightData:invalidId"),
    ] {
        assert_eq!(caller.get(&contact(who)).error_code(status), code, "{who}");
    }
}

#[test]
fn a_collection_of_the_other_scope_is_not_found() {
    let (caller, _) = account();
    for path in [
        "account/Orders",
        "account/Orders/A1",
        "contacts/Catalog",
        "contacts/email/ann@example.com/Catalog/A1",
        "account/Nothing/A1",
        "collections/Nothing/schema",
    ] {
        let code = caller.get(&format!("{BASE}/{path}")).error_code(404);
        assert_eq!(code, "insightData:collectionNotFound", "{path}");
    }
}

#[test]
fn content_that_is_not_valid_is_refused_and_changes_nothing() {
    let (caller, _) = account();
    caller.put(&of_ann("/A1"), &json!({"price": 1})).expect(201);
    for content in [json!([]), json!("{\"price\":1}"), json!(7)] {
        assert_eq!(caller.put(&of_ann("/A2"), &content).error_code(400), "insightData:badJson");
    }
    for (content, reason) in [
        (json!({"price": "1"}), "JsonValueIncompatibleWithSchema"),
        (json!({"new": 1, "price": [1]}), "JsonValueIncompatibleWithSchema"),
        (json!({"a": [[1]]}), "JsonContainsNestedArray"),
        (json!({"a b": 1}), "JsonKeyInvalidCharacters"),
        (json!({"a".repeat(256): 1}), "JsonKeyTooLong"),
        (json!({"a": "x".repeat(10_001)}), "JsonValueTooLong"),
        (json!({"a": 1e16}), "JsonNumberValueTooLarge"),
    ] {
        let reply = caller.put(&of_ann("/A1"), &content);
        assert_eq!(reply.error_code(400), "insightData:badRequest");
        assert_eq!(reply.json()["details"][0]["item"], reason);
    }
    let long = of_ann(&format!("/{}", "x".repeat(256)));
    assert_eq!(caller.put(&long, &json!({})).error_code(400), "insightData:invalidId");
    assert_eq!(caller.simulator.insight_records("Orders")[0].content, json!({"price": 1}));
    let schema = caller.get(&format!("{BASE}/collections/Orders/schema")).expect(200);
    assert_eq!(schema["schema"]["properties"], json!({"price": {"type": "number"}}));
}

#[test]
fn the_schema_is_what_the_records_have_in_either_shape() {
    for shapes in [InsightDataShapes::AsDeclared, InsightDataShapes::AsInExamples] {
        let switches = Switches { insight_data: shapes, ..Switches::default() };
        let (caller, _) =
            account_with(SimulatorSettings { switches, ..SimulatorSettings::default() });
        caller
            .put(&of_ann("/A1"), &json!({"at": "2026-01-02T03:04:05Z", "gift": null}))
            .expect(201);
        let items = json!([{"sku": "x"}, {"price": 1.5}]);
        caller.put(&of_ann("/A2"), &json!({"gift": true, "items": items})).expect(201);
        let answer = caller.get(&format!("{BASE}/collections/Orders/schema")).expect(200);
        assert_eq!(
            (&answer["collectionName"], &answer["collectionType"]),
            (&json!("Orders"), &json!("custom"))
        );
        if shapes == InsightDataShapes::AsDeclared {
            let item = json!({"type": "object", "properties": {"price": {"type": "number"}, "sku": {"type": "string"}}});
            let expected = json!({"type": "object", "properties": {
                "at": {"type": "string", "format": "date-time"},
                "gift": {"type": "boolean"},
                "items": {"type": "array", "items": item},
            }});
            assert_eq!(answer["schema"], expected);
        } else {
            let column = |name: &str, kind: &str| json!({"name": name, "type": kind, "fields": []});
            let items = json!({"name": "items", "mode": "REPEATED", "type": "RECORD",
                               "fields": [column("price", "FLOAT"), column("sku", "STRING")]});
            let expected = json!([column("at", "TIMESTAMP"), column("gift", "BOOLEAN"), items]);
            assert_eq!(answer["schema"][5]["fields"], expected);
        }
    }
}

#[test]
fn records_are_deleted_by_key_and_the_unknown_ones_named() {
    let (caller, _) = account();
    for key in ["A1", "A2", "A3"] {
        caller.put(&of_ann(&format!("/{key}")), &json!({})).expect(201);
    }
    let path = of_ann("/deleteRecords");
    let body = json!({"keys": ["A1", "unknown", "A3", "A1"]});
    let report = caller.call(Method::Delete, &path, Some(&body)).expect(200);
    let summary = json!({"totalRecords": 4, "totalDeleted": 2, "totalNotFound": 2});
    assert_eq!((&report["summary"], &report["notFound"]), (&summary, &json!(["unknown", "A1"])));
    assert_eq!(keys(&caller, "Orders"), ["A2"]);

    caller.put(&format!("{BASE}/account/Catalog/P1"), &json!({})).expect(201);
    let path = format!("{BASE}/accounts/Catalog/deleteRecords");
    let all = |count: usize| json!({"keys": vec!["P1"; count]});
    for (body, code) in [
        (json!({}), "insightData:noRecordsSpecified"),
        (all(0), "insightData:noRecordsSpecified"),
        (all(5_001), "insightData:noRecordsSpecified"),
        (json!({"keys": [1]}), "insightData:badJson"),
    ] {
        let reply = caller.call(Method::Delete, &path, Some(&body));
        assert_eq!(reply.error_code(400), code);
    }
    assert_eq!(caller.delete(&path).error_code(400), "insightData:badJson");
    let report = caller.call(Method::Delete, &path, Some(&all(5_000))).expect(200);
    assert_eq!(report["summary"]["totalDeleted"], 1);
    assert!(caller.simulator.forbidden_calls().is_empty());
}

#[test]
fn records_go_with_their_contact_and_do_not_come_back() {
    let (caller, ann) = account();
    caller.put(&of_ann("/A1"), &json!({})).expect(201);
    caller.simulator.delete_contact(ann, caller.now.get());
    assert_eq!(caller.get(&of_ann("/A1")).error_code(404), "insightData:contactNotFound");
    assert_eq!(caller.simulator.add_contact("ann@example.com"), ann);
    assert_eq!(caller.get(&of_ann("/A1")).error_code(404), "insightData:recordNotFound");
    assert!(caller.simulator.insight_records("Orders").is_empty());
}
