//! Small damage to a JSON value.

use proptest::prelude::*;
use serde_json::{Map, Value};

/// What is done somewhere in a value.
#[derive(Clone, Debug)]
pub(crate) enum Mutation {
    Replace(Value),
    Remove,
    Add(String, Value),
}

/// A value with up to three mutations, each at some place of it.
pub(crate) fn mutated(value: Value) -> impl Strategy<Value = Value> {
    let mutation = prop_oneof![
        3 => values().prop_map(Mutation::Replace),
        2 => Just(Mutation::Remove),
        1 => (keys(), values()).prop_map(|(key, value)| Mutation::Add(key, value)),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), mutation), 0..=3).prop_map(move |all| {
        all.into_iter().fold(value.clone(), |value, (place, mutation)| {
            let pointers = pointers(&value);
            let pointer = place.get(&pointers).clone();
            apply(value, &pointer, mutation)
        })
    })
}

/// JSON in which the service's own keys are frequent.
pub(crate) fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec![0, 1, 2, 101, 999, 1_001, -1, i64::from(i32::MAX) + 1, i64::MAX])
            .prop_map(Value::from),
        Just(Value::from(1.5)),
        prop::sample::select(WORDS.to_vec()).prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        Just(Value::from("x".repeat(300))),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn keys() -> impl Strategy<Value = String> {
    prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned)
}

fn apply(mut value: Value, pointer: &str, mutation: Mutation) -> Value {
    match mutation {
        Mutation::Replace(with) => {
            if let Some(at) = value.pointer_mut(pointer) {
                *at = with;
            }
        }
        Mutation::Add(key, with) => match value.pointer_mut(pointer) {
            Some(Value::Object(object)) => drop(object.insert(key, with)),
            Some(Value::Array(array)) => array.push(with),
            _ => {}
        },
        Mutation::Remove => {
            let Some((parent, last)) = pointer.rsplit_once('/') else { return value };
            match value.pointer_mut(parent) {
                Some(Value::Object(object)) => drop(object.remove(last)),
                Some(Value::Array(array)) => {
                    drop(last.parse().ok().map(|at: usize| array.remove(at)))
                }
                _ => {}
            }
        }
    }
    value
}

/// The places of a value, itself first. Keys that would need escaping are left out.
fn pointers(value: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut walk = |key: &str, inner: &Value| {
        if !key.contains(['/', '~']) {
            found.extend(pointers(inner).into_iter().map(|rest| format!("/{key}{rest}")));
        }
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, inner)| walk(key, inner)),
        Value::Array(array) => {
            array.iter().enumerate().for_each(|(at, inner)| walk(&at.to_string(), inner));
        }
        _ => {}
    }
    found
}

const WORDS: [&str; 19] = [
    "",
    "email",
    "ann@example.com",
    "no address",
    "447123123123",
    "Public",
    "subscribed",
    "overwrite",
    "top",
    "de-DE",
    "Html",
    "single",
    "2026-01-02T03:04:05Z",
    "192.0.2.1",
    "Numeric",
    "https://www.example.com/",
    "Orders",
    "account",
    "orders",
];

const KEYS: [&str; 40] = [
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
    "programId",
    "addressBooks",
    "publicName",
    "privateName",
    "isPreference",
    "isOptedIn",
    "order",
    "categoryID",
    "type",
    "defaultValue",
    "key",
    "value",
    "sms",
    "whatsApp",
    "crm-id",
    "collectionName",
    "collectionScope",
    "collectionType",
    "records",
    "contactIdentity",
    "identifier",
    "json",
    "keys",
];
