//! Bodies with contacts, field by field: what the description forbids is refused as a bad request,
//! and what it allows is not.

use dotdigital_client::simulator::Visibility;
use serde_json::{Value, json};

use super::{Caller, Reply, by_email};

const ANN: &str = "/contacts/v3/email/ann@example.com";

fn caller() -> Caller {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.set_identifier(ann, "mobileNumber", "447123123123");
    caller
}

/// Sends the field in each request that knows it: update, replacement, import.
fn everywhere(caller: &Caller, key: &str, value: &Value) -> [Reply; 3] {
    let with = |mut body: Value| {
        body[key] = value.clone();
        body
    };
    let whole =
        json!({"identifiers": {"email": "ann@example.com", "mobileNumber": "447123123123"}});
    [
        caller.patch(ANN, &with(json!({}))),
        caller.put(ANN, &with(whole)),
        caller
            .put("/contacts/v3/import", &json!({"contacts": [with(by_email("ann@example.com"))]})),
    ]
}

#[track_caller]
fn refused(key: &str, values: &[Value]) {
    let caller = caller();
    for value in values {
        for reply in everywhere(&caller, key, value) {
            assert_eq!(reply.error_code(400), "contacts:badRequest", "{key}: {value}");
        }
    }
    assert_eq!(caller.simulator.pending_jobs(), 0);
}

#[track_caller]
fn taken(key: &str, values: &[Value]) {
    let caller = caller();
    for value in values {
        for reply in everywhere(&caller, key, value) {
            assert!(matches!(reply.status(), 200 | 202), "{key}: {value}: {}", reply.json());
        }
    }
}

#[test]
fn parts_are_objects_and_arrays_as_described() {
    for key in ["identifiers", "dataFields", "channelProperties"] {
        refused(key, &[json!(null), json!([]), json!("x"), json!(7)]);
    }
    for key in ["lists", "preferences"] {
        refused(key, &[json!(null), json!([]), json!({}), json!("x")]);
    }
}

#[test]
fn identifiers_beyond_the_known_ones_are_texts() {
    refused("identifiers", &[json!({"crm-id": 7}), json!({"crm-id": null})]);
}

#[test]
fn lists_are_one_to_a_hundred_whole_numbers_of_32_bits() {
    let caller = Caller::new();
    let id = caller.simulator.add_list("VIP", Visibility::Private);
    let hundred = vec![id; 100];
    refused(
        "lists",
        &[json!(["7"]), json!([7.5]), json!([4_294_967_296_i64]), json!(vec![id; 101])],
    );
    let body = json!({"identifiers": {"email": "ann@example.com"}, "lists": hundred});
    caller.post("/contacts/v3", &body).expect(201);
    let body = json!({"lists": [f64::from(id)]});
    caller.patch(ANN, &body).expect(200);
}

#[test]
fn channel_properties_hold_what_is_described_and_nothing_else() {
    refused(
        "channelProperties",
        &[
            json!({"post": {}}),
            json!({"email": null}),
            json!({"email": {"status": "noSubscription"}}),
            json!({"email": {"status": "Subscribed"}}),
            json!({"email": {"status": "hardBounced"}}),
            json!({"email": {"emailType": "Markdown"}}),
            json!({"email": {"optInType": "triple"}}),
            json!({"email": {"optInType": null}}),
            json!({"email": {"locale": "en"}}),
            json!({"sms": {"emailType": "Html"}}),
            json!({"sms": {"status": "bounced"}}),
            json!({"sms": {"countryCode": "GB"}}),
            json!({"whatsApp": {"status": "pendingOptIn"}}),
            json!({"sms": {"resubscribeOptions": {}}}),
            json!({"email": {"resubscribeOptions": []}}),
            json!({"email": {"resubscribeOptions": {"resubscribeWithNoChallenge": "true"}}}),
            json!({"email": {"resubscribeOptions": {"preferredLocale": "en-US"}}}),
            json!({"email": {"resubscribeOptions": {"redirectUrlAfterChallenge": "thanks.html"}}}),
        ],
    );
    taken(
        "channelProperties",
        &[
            json!({}),
            json!({"email": {}, "sms": {}, "whatsApp": {}}),
            json!({"email": {"emailType": "Html", "optInType": "Single"}}),
            json!({"email": {"emailType": "plainText", "optInType": "unknown", "status": "subscribed"}}),
            json!({"sms": {"status": "noSubscription"}, "whatsApp": {"status": "unsubscribed"}}),
            json!({"email": {"resubscribeOptions": {"preferredLocale": "es", "other": 7}}}),
        ],
    );
}

#[test]
fn who_is_created_has_nothing_to_resubscribe_to() {
    let body = json!({"identifiers": {"email": "bob@example.com"},
                      "channelProperties": {"email": {"resubscribeOptions": {}}}});
    assert_eq!(caller().post("/contacts/v3", &body).error_code(400), "contacts:badRequest");
}

#[test]
fn preferences_name_an_id_and_an_answer() {
    refused(
        "preferences",
        &[
            json!([7]),
            json!([{"id": 1}]),
            json!([{"isOptedIn": true}]),
            json!([{"id": "1", "isOptedIn": true}]),
            json!([{"id": 4_294_967_296_i64, "isOptedIn": true}]),
            json!([{"id": 1, "isOptedIn": "true"}]),
        ],
    );
}

#[test]
fn consent_records_are_whole_and_hold_nothing_else() {
    let caller = caller();
    let record = json!({"text": "yes", "dateTimeConsented": "2023-01-26T21:29:00Z",
                        "url": "https://shop.example", "ipAddress": "2001:db8::1", "userAgent": "x"});
    let send = |records: &Value| {
        let mut row = by_email("ann@example.com");
        row["consentRecords"] = records.clone();
        let update = caller.patch(ANN, &json!({"consentRecords": records}));
        [update, caller.put("/contacts/v3/import", &json!({"contacts": [row]}))]
    };
    for (key, wrong) in [
        ("text", json!("")),
        ("text", json!(7)),
        ("dateTimeConsented", json!("yesterday")),
        ("dateTimeConsented", json!("2023-01-26T21:29:00")),
        ("dateTimeConsented", json!("2023-02-30T21:29:00Z")),
        ("url", json!("shop.example")),
        ("url", json!("https://shop.example/a b")),
        ("ipAddress", json!("192.0.2.256")),
        ("ipAddress", json!("localhost")),
        ("userAgent", json!("")),
        ("userAgent", json!(null)),
        ("dateTimeCreated", json!("2023-01-26T21:29:00Z")),
    ] {
        let mut record = record.clone();
        record[key] = wrong.clone();
        for reply in send(&json!([record])) {
            assert_eq!(reply.error_code(400), "contacts:badRequest", "{key}: {wrong}");
        }
    }
    for key in ["text", "dateTimeConsented", "url", "ipAddress", "userAgent"] {
        let mut record = record.clone();
        record.as_object_mut().expect("an object").remove(key);
        for reply in send(&json!([record])) {
            assert_eq!(reply.error_code(400), "contacts:badRequest", "without {key}");
        }
    }
    for records in [json!([]), json!(null), json!(vec![&record; 6])] {
        for reply in send(&records) {
            assert_eq!(reply.error_code(400), "contacts:badRequest", "{records}");
        }
    }
    let [update, import] = send(&json!(vec![&record; 5]));
    assert_eq!((update.status(), import.status()), (200, 202));
    let replacement =
        json!({"identifiers": {"email": "ann@example.com"}, "consentRecords": [record]});
    assert_eq!(caller.put(ANN, &replacement).error_code(400), "contacts:badRequest");
}

#[test]
fn a_match_identifier_is_a_name() {
    let caller = caller();
    let import = |name: Value| {
        let row = json!({"matchIdentifier": name, "identifiers": {"email": "ann@example.com"}});
        caller.put("/contacts/v3/import", &json!({"contacts": [row]}))
    };
    assert_eq!(import(json!(7)).error_code(400), "contacts:badRequest");
    for name in ["", "e mail"] {
        assert_eq!(import(json!(name)).error_code(400), "contacts:invalidId", "{name}");
    }
    assert_eq!(import(json!("loyalty")).status(), 202);
}

#[test]
fn keys_the_description_does_not_mention_are_passed_over() {
    for key in ["note", "Lists", "resubscribeOptions"] {
        taken(key, &[json!(null), json!({"a": 1})]);
    }
}

#[test]
fn a_refused_update_changes_nothing() {
    let caller = caller();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let before = caller.get(ANN).expect(200);
    caller.wait(60);
    for wrong in [
        json!({"dataFields": {"SHOESIZE": 41}}),
        json!({"preferences": [{"id": 0, "isOptedIn": true}]}),
        json!({"identifiers": {"email": "ann@nowhere.invalid"}}),
        json!({"lists": [list, 999]}),
    ] {
        let mut body = json!({"dataFields": {"FIRSTNAME": "Ann"}, "lists": [list]});
        for (key, value) in wrong.as_object().expect("an object") {
            body[key] = value.clone();
        }
        caller.patch(ANN, &body).expect(400);
        assert_eq!(caller.get(ANN).expect(200), before, "{body}");
    }
}
