//! Where the vendor's descriptions do not mean what they say. All of it is excused here, each as
//! narrowly as can be, and a test fails for what is no longer needed.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use serde_json::{Map, Value, json};

/// The excuses, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quirk {
    /// A body that is an array or another bare value is shown as an object with the one property
    /// `RAW_BODY`.
    RawBody,
    /// Bodies of two Insight data calls are described as a string, with an example that is the
    /// text of a JSON object. The vendor's own PHP client sends the object.
    RecordAsText,
    /// The integration token's pattern stands between slashes, as in JavaScript.
    SlashedPattern,
    /// Paths say `format: date` and their text says ISO 8601 with a link to `dateTime`.
    DateIsTime,
    /// The page size of the private lists is called `limit`, that of all other v2 collections, the
    /// public lists among them, `select`.
    PrivateListsLimit,
    /// `skip` must be 1 or more, while it is left out on no page but the first and the error text
    /// of the same call says that it must not be negative.
    SkipFromZero,
    /// Required, and not among the properties: `name` of a contact's preference (which has
    /// `publicName` and `privateName`), `failures` of deleted Insight records (which has
    /// `notFound`).
    RequiredButUndefined,
    /// The last way to identify a contact, any custom name, fits the named ones as well, so that
    /// exactly one can never fit.
    OverlappingOneOf,
    /// An object without any property stands where the answer is only shown by an example.
    OnlyAnExample,
    /// A part of an `allOf` that is closed to all properties of the other parts.
    ClosedPart,
    /// A path and another one differ by the name of their parameter only; the value tells.
    SameShape,
}

impl Quirk {
    const ALL: [Self; 11] = [
        Self::RawBody,
        Self::RecordAsText,
        Self::SlashedPattern,
        Self::DateIsTime,
        Self::PrivateListsLimit,
        Self::SkipFromZero,
        Self::RequiredButUndefined,
        Self::OverlappingOneOf,
        Self::OnlyAnExample,
        Self::ClosedPart,
        Self::SameShape,
    ];
}

static MET: Mutex<BTreeSet<Quirk>> = Mutex::new(BTreeSet::new());

/// Notes that an excuse was needed.
pub(crate) fn met(quirk: Quirk) {
    MET.lock().unwrap_or_else(PoisonError::into_inner).insert(quirk);
}

/// The excuses that nothing needed so far.
pub(crate) fn unmet() -> Vec<Quirk> {
    let met = MET.lock().unwrap_or_else(PoisonError::into_inner);
    Quirk::ALL.into_iter().filter(|quirk| !met.contains(quirk)).collect()
}

/// The schema of a request's body. `operation` is its method and path.
pub(crate) fn body(operation: &str, schema: &Value) -> Value {
    const RECORDS: [&str; 2] = [
        "PUT /insightData/v3/account/{collectionName}/{recordId}",
        "PUT /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}",
    ];
    let properties = schema.get("properties").and_then(Value::as_object);
    if let Some(raw) = properties.filter(|all| all.len() == 1).and_then(|all| all.get("RAW_BODY")) {
        met(Quirk::RawBody);
        return raw.clone();
    }
    if RECORDS.contains(&operation) && schema["type"] == "string" {
        met(Quirk::RecordAsText);
        return json!({"type": "object"});
    }
    schema.clone()
}

/// A parameter of a request.
pub(crate) fn parameter(operation: &str, parameter: &Value) -> Value {
    let mut parameter = parameter.clone();
    if operation == "GET /v2/address-books/private" && parameter["name"] == "limit" {
        met(Quirk::PrivateListsLimit);
        parameter["name"] = json!("select");
    }
    let named_skip = parameter["name"] == "skip" && parameter["in"] == "query";
    let in_path = parameter["in"] == "path";
    let schema = &mut parameter["schema"];
    if named_skip && schema["minimum"] == 1 {
        met(Quirk::SkipFromZero);
        schema["minimum"] = json!(0);
    }
    if in_path && schema["format"] == "date" {
        met(Quirk::DateIsTime);
        schema["format"] = json!("date-time");
    }
    if let Some(pattern) = schema["pattern"].as_str().and_then(between_slashes) {
        met(Quirk::SlashedPattern);
        schema["pattern"] = json!(pattern);
    }
    parameter
}

fn between_slashes(pattern: &str) -> Option<String> {
    Some(pattern.strip_prefix('/')?.strip_suffix('/')?.to_owned())
}

/// The schema of an answer, or nothing where it is not described.
pub(crate) fn answer(schema: &Value) -> Option<&Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    if schema["type"] == "object" && properties.is_some_and(Map::is_empty) {
        met(Quirk::OnlyAnExample);
        return None;
    }
    Some(schema)
}

/// One of the schemas of `components`, before anything refers to it.
pub(crate) fn component(name: &str, schema: &mut Value) {
    let undefined = match name {
        "preferenceFull" => "name",
        "inline_response_200_2" => "failures",
        _ => "",
    };
    let defined = schema["properties"].get(undefined).is_some();
    let required = schema.get_mut("required").and_then(Value::as_array_mut);
    if let Some(required) = required.filter(|names| !defined && names.contains(&json!(undefined))) {
        met(Quirk::RequiredButUndefined);
        required.retain(|name| name != undefined);
    }
    let ways = schema.as_object_mut().filter(|_| name == "contactIdentifier");
    if let Some(ways) = ways.and_then(|schema| schema.remove("oneOf")) {
        met(Quirk::OverlappingOneOf);
        schema["anyOf"] = ways;
    }
}

/// Two parts of an `allOf` as one object.
///
/// The vendor closes parts (`additionalProperties: false`) and means the whole: a record that is
/// returned could not have a key, a contact's channel no options to resubscribe it. So what one part
/// describes, no other part forbids, and the whole is closed if a part was.
pub(crate) fn merged(whole: Value, part: Value) -> Value {
    let (Value::Object(mut whole), Value::Object(part)) = (whole, part) else {
        panic!("a part of allOf is no object");
    };
    for (key, value) in part {
        let Some(known) = whole.remove(&key) else {
            whole.insert(key, value);
            continue;
        };
        let both = match (key.as_str(), known, value) {
            ("properties", Value::Object(mut known), Value::Object(more)) => {
                for (name, schema) in more {
                    let schema = match known.remove(&name) {
                        Some(known) => merged(known, schema),
                        None => schema,
                    };
                    known.insert(name, schema);
                }
                Value::Object(known)
            }
            ("required", Value::Array(mut known), Value::Array(more)) => {
                known.extend(more);
                known.dedup();
                Value::Array(known)
            }
            ("additionalProperties", Value::Bool(false), schema) => schema,
            (_, known, _) => known,
        };
        whole.insert(key, both);
    }
    if whole.get("additionalProperties") == Some(&Value::Bool(false)) {
        met(Quirk::ClosedPart);
    }
    Value::Object(whole)
}
