//! Where the vendor's descriptions do not mean what they say. All of it is excused here, each as
//! narrowly as can be, and a test fails for what is no longer needed.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use dotdigital_client::simulator::{
    ContactIdForm, CustomIdentifierErrors, DataFieldCreated, InsightDataShapes, ListCreated,
    ListDeleted, Switches,
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
    /// Paths say `format: date` and their text says ISO 8601 with a link to `dateTime`; either will
    /// do.
    DateIsTime,
    /// The page size of the private lists is called `limit`, that of all other v2 collections, the
    /// public lists among them, `select`.
    PrivateListsLimit,
    /// `skip` must be 1 or more, while it is left out on no page but the first and the error text
    /// of the same call says that it must not be negative.
    SkipFromZero,
    /// The bounds of `select`, `skip` and `minContactID` stand in the text only, and `skip` of the
    /// lists is called a text.
    BoundsInText,
    /// Required, and not among the properties: `name` of a contact's preference (which has
    /// `publicName` and `privateName`), `failures` of deleted Insight records (which has
    /// `notFound`).
    RequiredButUndefined,
    /// The last way to identify a contact, any custom name, fits the named ones as well, so that
    /// exactly one can never fit.
    OverlappingOneOf,
    /// A new preference's category is called `categoryID`, and `categoryId` in the example next to
    /// it, in every answer and in the document that the service generates of itself. The example
    /// has null for none.
    CategorySpelling,
    /// The position of a preference is called a text, and is a number in the example next to it.
    PositionAsNumber,
    /// The default of a data field is called a text, and the words next to it say that it has the
    /// type of the field; the example has null.
    DefaultOfAnyType,
    /// What a contact chose is described as a flat list of preferences, and shown as a tree in which
    /// a category holds its preferences and no choice of its own.
    ChoicesInCategories,
    /// Addresses are `format: email`, which knows ASCII only. Whether the service takes others is
    /// for the service to say.
    AddressOfAnyScript,
    /// An object without any property stands where the answer is only shown by an example.
    OnlyAnExample,
    /// A part of an `allOf` that is closed to all properties of the other parts.
    ClosedPart,
    /// A path and another one differ by the name of their parameter only; the value tells.
    SameShape,
}

impl Quirk {
    const ALL: [Self; 17] = [
        Self::RawBody,
        Self::RecordAsText,
        Self::SlashedPattern,
        Self::DateIsTime,
        Self::PrivateListsLimit,
        Self::SkipFromZero,
        Self::BoundsInText,
        Self::RequiredButUndefined,
        Self::OverlappingOneOf,
        Self::CategorySpelling,
        Self::PositionAsNumber,
        Self::DefaultOfAnyType,
        Self::ChoicesInCategories,
        Self::AddressOfAnyScript,
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
    const PREFERENCES: [&str; 2] = ["POST /v2/preferences", "PUT /v2/preferences/{id}"];
    let properties = schema.get("properties").and_then(Value::as_object);
    if let Some(raw) = properties.filter(|all| all.len() == 1).and_then(|all| all.get("RAW_BODY")) {
        met(Quirk::RawBody);
        return bare_body(operation, raw.clone());
    }
    if RECORDS.contains(&operation) && schema["type"] == "string" {
        met(Quirk::RecordAsText);
        return json!({"type": "object"});
    }
    let mut schema = schema.clone();
    if operation == "POST /v2/data-fields" && schema["properties"]["defaultValue"].is_object() {
        met(Quirk::DefaultOfAnyType);
        schema["properties"]["defaultValue"] = json!({});
    }
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    if let Some(properties) = properties.filter(|_| PREFERENCES.contains(&operation)) {
        if let Some(mut category) = properties.remove("categoryID") {
            met(Quirk::CategorySpelling);
            category["type"] = json!(["integer", "null"]);
            properties.insert("categoryId".to_owned(), category);
        }
        if properties["order"]["type"] == "string" {
            met(Quirk::PositionAsNumber);
            properties["order"]["type"] = json!(["string", "integer"]);
        }
    }
    schema
}

fn bare_body(operation: &str, mut schema: Value) -> Value {
    if operation == "PUT /v2/contacts/{contactIdentifier}/preferences" {
        met(Quirk::ChoicesInCategories);
        let choice = schema["items"].take();
        let category = json!({
            "type": "object",
            "required": ["id", "isPreference", "preferences"],
            "properties": {
                "id": choice["properties"]["id"],
                "isPreference": {"const": false},
                "preferences": {"type": "array", "minItems": 1, "items": choice},
            },
        });
        schema["items"] = json!({"anyOf": [choice, category]});
    }
    schema
}

/// The format of a text.
pub(crate) fn format(name: &str) -> &str {
    if name == "email" {
        met(Quirk::AddressOfAnyScript);
        return "idn-email";
    }
    name
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
    let bounds = in_text(&parameter);
    let schema = &mut parameter["schema"];
    if named_skip && schema["minimum"] == 1 {
        met(Quirk::SkipFromZero);
        schema["minimum"] = json!(0);
    }
    if let Some((least, most)) = bounds.filter(|_| schema.get("minimum").is_none()) {
        met(Quirk::BoundsInText);
        *schema = json!({"type": "integer", "minimum": least, "maximum": most});
    }
    if in_path && schema["format"] == "date" {
        met(Quirk::DateIsTime);
        *schema = json!({"anyOf": [
            {"type": "string", "format": "date"},
            {"type": "string", "format": "date-time"},
        ]});
    }
    if let Some(pattern) = schema["pattern"].as_str().and_then(between_slashes) {
        met(Quirk::SlashedPattern);
        schema["pattern"] = json!(pattern);
    }
    parameter
}

/// The bounds of a parameter that the text gives and the schema does not.
fn in_text(parameter: &Value) -> Option<(i32, i32)> {
    match (parameter["in"].as_str()?, parameter["name"].as_str()?) {
        ("query", "select") => Some((1, 1_000)),
        ("query", "skip" | "minContactID") => Some((0, i32::MAX)),
        _ => None,
    }
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

/// What a removal becomes without its contact id. Only the service's own document of itself has it.
pub(crate) const UNDESCRIBED: &str = "DELETE /v2/address-books/101/contacts";

/// An answer that contradicts its description, because something else that the vendor or a client
/// of the service published does.
#[derive(Debug)]
pub(crate) struct Contradiction {
    pub(crate) reason: &'static str,
    applies: fn(&Switches) -> bool,
    /// The operation; empty where it is about all of them.
    endpoint: &'static str,
    /// Parts of the fault's words.
    fault: [&'static str; 2],
}

/// All of them. Those of a switch hold in the position that is not the default.
pub(crate) static CONTRADICTIONS: [Contradiction; 10] = [
    Contradiction {
        reason: "dependencies of a deleted data field are an array, and null in the example",
        applies: |_| true,
        endpoint: "DELETE /v2/data-fields/{name}",
        fault: ["at \"/dependencies\"", "null is not"],
    },
    Contradiction {
        reason: "an unknown contact has an address, and the example has null for what was not named",
        applies: |_| true,
        endpoint: "PUT /v2/contacts/suppress-contacts",
        fault: ["/email\"", "null is not"],
    },
    Contradiction {
        reason: "the service's own document of itself answers a new list with 201",
        applies: |switches| switches.list_created == ListCreated::Created201,
        endpoint: "POST /v2/address-books",
        fault: ["status 201", "not described"],
    },
    Contradiction {
        reason: "the service's own document of itself answers a deleted list with 200",
        applies: |switches| switches.list_deleted == ListDeleted::Ok200,
        endpoint: "DELETE /v2/address-books/{id}",
        fault: ["status 200", "not described"],
    },
    Contradiction {
        reason: "the service's own document of itself shows no body of a new data field",
        applies: |switches| switches.data_field_created == DataFieldCreated::Empty,
        endpoint: "POST /v2/data-fields",
        fault: ["the body is not JSON", "EOF"],
    },
    Contradiction {
        reason: "clients were seen to read contact ids as text",
        applies: |switches| switches.contact_id == ContactIdForm::Text,
        endpoint: "",
        fault: ["ontactId\"", "is not of type \"integer\""],
    },
    Contradiction {
        reason: "an import of records ends as Complete, and as Finished in the example",
        applies: |switches| switches.insight_data == InsightDataShapes::AsInExamples,
        endpoint: "GET /insightData/v3/import/{importId}",
        fault: ["at \"/status\"", "\"Finished\" is not one of"],
    },
    Contradiction {
        reason: "the schema of a collection is an object, and an array in the example",
        applies: |switches| switches.insight_data == InsightDataShapes::AsInExamples,
        endpoint: "GET /insightData/v3/collections/{collectionName}/schema",
        fault: ["at \"/schema\"", "is not of type \"object\""],
    },
    Contradiction {
        reason: "an error is an object, and stands in an array in the example",
        applies: in_examples,
        endpoint: "DELETE /configuration/v3/customIdentifiers/{name}",
        fault: ["at \"\": [", "is not of type \"object\""],
    },
    Contradiction {
        reason: "details of an error are an array, and an object in the example",
        applies: in_examples,
        endpoint: "DELETE /configuration/v3/customIdentifiers/{name}",
        fault: ["at \"/details\"", "is not of type \"array\""],
    },
];

/// What answers hold beyond their description, by the operation and the fault's words.
pub(crate) const SURPLUS: [(&str, &str); 3] = [
    // Required there, and described as two others.
    ("/contacts/v3", "('name' was unexpected)"),
    // Described as `isPreference2`, and nowhere else.
    ("GET /v2/preferences/modified-since/{date}", "('isPreference' was unexpected)"),
    // Required there, and not described.
    ("/deleteRecords", "('failures' was unexpected)"),
];

/// The places that are described and never filled, in order.
pub(crate) const NEVER_FILLED: [&str; 6] = [
    // A record of the account belongs to no contact.
    "GET /insightData/v3/account/{collectionName} ._items[].ownerContactId",
    "GET /insightData/v3/account/{collectionName}/{recordId} .ownerContactId",
    // The simulator has nothing to add to a failed job's code and description.
    "GET /insightData/v3/async/{jobId} .failures[].details",
    "GET /insightData/v3/async/{jobId} .failures[].details[].description",
    "GET /insightData/v3/async/{jobId} .failures[].details[].item",
    // A misspelt key.
    "GET /v2/preferences/modified-since/{date} [].isPreference2",
];

fn in_examples(switches: &Switches) -> bool {
    switches.custom_identifier_errors == CustomIdentifierErrors::AsInExamples
}

/// The contradiction that an account with these switches is in, if that is what the fault tells.
pub(crate) fn contradiction(
    switches: &Switches,
    endpoint: &str,
    fault: &str,
) -> Option<&'static Contradiction> {
    CONTRADICTIONS.iter().find(|one| {
        (one.applies)(switches)
            && (one.endpoint.is_empty() || one.endpoint == endpoint)
            && one.fault.iter().all(|part| fault.contains(part))
    })
}
