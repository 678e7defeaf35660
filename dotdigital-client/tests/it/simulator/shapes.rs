//! Whatever is sent, the answer has a documented shape and nothing panics.

use std::sync::Arc;

use dotdigital_client::{
    simulator::{RateLimits, SimulatorSettings, TierLimits, Visibility},
    transport::Method,
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value, json};

use super::{Caller, Reply, request};

fn methods() -> impl Strategy<Value = Method> {
    prop::sample::select(vec![
        Method::Get,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
    ])
}

/// Paths made of the service's own words, ids, and noise.
fn paths() -> impl Strategy<Value = String> {
    let words = [
        "v2",
        "v3",
        "contacts",
        "address-books",
        "import",
        "delete",
        "delete-all",
        "deletion",
        "account-info",
        "unsubscribe",
        "resubscribe",
        "suppress-contacts",
        "modified-since",
        "2021-01-01",
        "configuration",
        "customIdentifiers",
        "insightData",
        "collections",
        "Orders",
        "data-fields",
        "FIRSTNAME",
        "email",
        "contactId",
        "mobileNumber",
        "1",
        "101",
        "1001",
        "-1",
        "99999999999999999999",
        "ann@example.com",
        "%2B447123123123",
        "%ZZ",
        "",
        "d7de900d-d337-43f6-b1e1-c8ec73e1a434",
    ];
    let word = prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,9}"];
    let known = prop::sample::select(vec![
        "/v2/address-books",
        "/v2/address-books/101",
        "/v2/address-books/101/contacts/delete",
        "/v2/address-books/101/contacts/1001",
        "/contacts/v3",
        "/contacts/v3/import",
        "/contacts/v3/email/ann@example.com",
        "/contacts/v3/delete",
        "/v2/contacts/unsubscribe",
        "/v2/contacts/suppress-contacts",
        "/v2/address-books/101/contacts/resubscribe",
        "/v2/address-books/101/contacts",
        "/v2/data-fields",
        "/configuration/v3/customIdentifiers",
        "/insightData/v3/import",
        "/insightData/v3/account/Orders/A1",
    ]);
    prop_oneof![
        known.prop_map(str::to_owned),
        vec(word, 0..6).prop_map(|words| format!("/{}", words.join("/"))),
        ".{0,20}",
    ]
}

fn queries() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "~listId",
        "limit",
        "marker",
        "include",
        "~created",
        "data-fields",
        "merge-option",
        "select",
        "skip",
        "withFullData",
    ]);
    let values = prop_oneof![
        prop::sample::select(vec![
            "101",
            "2",
            "lists",
            "overwrite",
            "gte::2021-01-01T00:00:00Z",
            "[[ALL]]"
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ];
    vec((names, values).prop_map(|(name, value)| format!("{name}={value}")), 0..3)
        .prop_map(|pairs| pairs.join("&"))
}

/// JSON in which the service's own keys are frequent.
fn bodies() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec![0, 1, 101, 1_001, -1, i64::MAX]).prop_map(Value::from),
        prop::sample::select(vec![
            "email",
            "ann@example.com",
            "447123123123",
            "Public",
            "Numeric",
            "FIRSTNAME",
            "subscribed",
            "overwrite"
        ])
        .prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "name",
        "visibility",
        "contacts",
        "matchIdentifier",
        "identifiers",
        "email",
        "mobileNumber",
        "contactId",
        "lists",
        "dataFields",
        "channelProperties",
        "status",
        "mergeOption",
        "id",
        "preferences",
        "consentRecords",
        "unsubscribedContact",
        "type",
        "defaultValue",
        "isOptedIn",
        "text",
        "ipAddress",
    ]);
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((keys.clone(), inner), 0..5).prop_map(|pairs| {
                let pairs = pairs.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(pairs.collect::<Map<_, _>>())
            }),
        ]
    })
}

fn assert_documented(reply: &Reply, path: &str) {
    let status = reply.status();
    if reply.0.body.is_empty() {
        assert!(matches!(status, 200 | 202 | 204 | 429), "an empty {status}");
        return;
    }
    let body = reply.json();
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    if (200..300).contains(&status) {
        assert!(body.is_object() || body.is_array());
    } else if body.get("errorCode").is_some() {
        assert!(body["errorCode"].is_string() && body["description"].is_string());
    } else {
        assert!((400..500).contains(&status), "{status} for {path}");
        assert!(body["message"].is_string(), "{body}");
    }
}

fn busy_account() -> Caller {
    let limits = RateLimits::Tiered(TierLimits { low: 40, medium: 40, high: 40 });
    let caller = Caller::with(SimulatorSettings { limits, ..SimulatorSettings::default() });
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.add_member(list, ann);
    caller
}

proptest! {
    #[test]
    fn any_series_of_calls_is_answered_in_documented_shapes(
        calls in vec((methods(), paths(), queries(), bodies(), 0_i64..30), 1..20)
    ) {
        let caller = busy_account();
        for (method, path, query, body, wait) in calls {
            let path = format!("{path}?{query}");
            assert_documented(&caller.call(method, &path, Some(&body)), &path);
            caller.wait(wait);
        }
        let ledger = caller.simulator.ledger();
        prop_assert!(ledger.iter().all(|entry| entry.status.is_some() && !entry.lost));
    }

    #[test]
    fn any_bytes_are_answered_in_documented_shapes(
        method in methods(), path in paths(), bytes in vec(any::<u8>(), 0..60)
    ) {
        let caller = busy_account();
        let mut call = request(method, &path, None);
        call.body = Some(Arc::new(bytes));
        assert_documented(&Reply(caller.simulator.handle(&call, caller.now.get())), &path);
    }
}

#[test]
fn json_nested_too_deeply_is_refused() {
    let caller = Caller::new();
    let mut call = request(Method::Put, "/contacts/v3/import", None);
    call.body = Some(Arc::new("[".repeat(100_000).into_bytes()));
    let reply = Reply(caller.simulator.handle(&call, caller.now.get()));
    assert_eq!(reply.error_code(400), "contacts:badJson");
}

#[test]
fn time_that_runs_backwards_does_no_harm() {
    let caller = busy_account();
    caller
        .put("/contacts/v3/import", &json!({"contacts": [super::by_email("b@example.com")]}))
        .expect(202);
    caller.wait(-86_400);
    assert_eq!(caller.simulator.pending_jobs(), 1);
    caller.get("/v2/account-info").expect(200);
    caller.wait(86_400 + 3);
    caller.get("/v2/account-info").expect(200);
    assert_eq!(caller.simulator.contact_count(), 2);
}
