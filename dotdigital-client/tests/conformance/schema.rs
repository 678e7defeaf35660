//! From the schemas of a description, OpenAPI 3.0 or 3.1, to JSON Schema 2020-12.

use std::collections::BTreeSet;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::quirks;

/// References within references after which a schema is taken for an endless one.
const DEEPEST: usize = 40;

/// What a schema is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// What the client sends. An object has only the properties that are described, so that a
    /// misspelled one is found.
    Request,
    /// What the service answers. It may hold more than is described, unless the description
    /// closes it.
    Response,
}

/// A validator of one schema of the description `root`.
pub(crate) fn validator(root: &Value, schema: &Value, usage: Use) -> Validator {
    let mut schema = resolved(root, schema, 0);
    if usage == Use::Request {
        close(&mut schema);
    }
    in_words_of_json_schema(&mut schema);
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(&schema)
        .unwrap_or_else(|error| panic!("not a schema: {error}: {schema}"))
}

/// The schema without references, each `allOf` of it made one object.
fn resolved(root: &Value, schema: &Value, depth: usize) -> Value {
    assert!(depth < DEEPEST, "a schema refers to itself: {schema}");
    if let Some(reference) = schema.get("$ref") {
        return resolved(root, follow(root, reference), depth + 1);
    }
    let mut schema = schema.clone();
    for_each_part(&mut schema, &mut |part| *part = resolved(root, part, depth + 1));
    if let Some(Value::Array(parts)) = schema.as_object_mut().and_then(|all| all.remove("allOf")) {
        schema = parts.into_iter().fold(schema, quirks::merged);
    }
    schema
}

/// Every place that a schema speaks of, such as `[].preferences[].id`.
pub(crate) fn places(root: &Value, schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect_places(&resolved(root, schema, 0), "", &mut found);
    found
}

fn collect_places(schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        collect_places(inner, &at, found);
        found.insert(at);
    }
    if schema["items"].is_object() {
        collect_places(&schema["items"], &format!("{at}[]"), found);
    }
    for key in ["oneOf", "anyOf"] {
        for part in schema[key].as_array().into_iter().flatten() {
            collect_places(part, at, found);
        }
    }
}

/// Every place where a value holds another one.
pub(crate) fn places_in(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect_places_in(value, "", &mut found);
    found
}

fn collect_places_in(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    for (name, inner) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        collect_places_in(inner, &at, found);
        found.insert(at);
    }
    for inner in value.as_array().into_iter().flatten() {
        collect_places_in(inner, &format!("{at}[]"), found);
    }
}

/// Closes each object over the properties that are described.
fn close(schema: &mut Value) {
    for_each_part(schema, &mut close);
    let described = schema.get("properties").and_then(Value::as_object);
    let open = schema.get("additionalProperties").is_none();
    if open && described.is_some_and(|properties| !properties.is_empty()) {
        schema["additionalProperties"] = json!(false);
    }
}

/// Calls `change` with each schema that stands directly within this one.
fn for_each_part(schema: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    let Value::Object(object) = schema else { return };
    for (key, value) in object {
        match (key.as_str(), value) {
            ("items" | "additionalProperties" | "not", part) => change(part),
            ("properties", Value::Object(properties)) => {
                properties.values_mut().for_each(&mut *change)
            }
            ("allOf" | "oneOf" | "anyOf", Value::Array(parts)) => {
                parts.iter_mut().for_each(&mut *change)
            }
            _ => {}
        }
    }
}

/// What a reference such as `#/components/schemas/contact` stands for.
pub(crate) fn follow<'a>(root: &'a Value, reference: &Value) -> &'a Value {
    let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
    let target = pointer.and_then(|pointer| root.pointer(pointer));
    target.unwrap_or_else(|| panic!("nothing stands at {reference}"))
}

/// Rewrites the keywords that OpenAPI 3.0 has in place of JSON Schema's, and gives the numeric
/// formats their bounds. 3.1 has none of the former.
fn in_words_of_json_schema(schema: &mut Value) {
    for_each_part(schema, &mut in_words_of_json_schema);
    let Value::Object(object) = schema else { return };
    exclusive(object, "minimum", "exclusiveMinimum");
    exclusive(object, "maximum", "exclusiveMaximum");
    if object.remove("nullable") == Some(Value::Bool(true)) {
        if let Some(Value::Array(words)) = object.get_mut("enum") {
            words.push(Value::Null);
        }
        if let Some(kind) = object.get("type").cloned() {
            object.insert("type".to_owned(), json!([kind, "null"]));
        }
    }
    if let Some(Value::String(format)) = object.get_mut("format") {
        *format = quirks::format(format).to_owned();
    }
    let bounds = match object.get("format").and_then(Value::as_str) {
        Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
        Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
        _ => None,
    };
    if let Some((least, most)) = bounds {
        object.entry("minimum").or_insert(least);
        object.entry("maximum").or_insert(most);
    }
    // These are about documents, not about values.
    for key in ["example", "examples", "description", "xml", "externalDocs", "deprecated"] {
        object.remove(key);
    }
}

/// `{"minimum": 0, "exclusiveMinimum": true}` is `{"exclusiveMinimum": 0}`.
fn exclusive(object: &mut Map<String, Value>, bound: &str, flag: &str) {
    match object.get(flag) {
        Some(Value::Bool(true)) => {
            object.remove(flag);
            if let Some(limit) = object.remove(bound) {
                object.insert(flag.to_owned(), limit);
            }
        }
        Some(Value::Bool(false)) => {
            object.remove(flag);
        }
        _ => {}
    }
}

/// What is wrong with a value, in words, or nothing.
pub(crate) fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    let errors = validator.iter_errors(value);
    errors.map(|error| format!("at \"{}\": {error}", error.instance_path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(usage: Use, schema: &Value, value: &Value) -> bool {
        let root = json!({"components": {"schemas": {"id": {"type": "integer", "minimum": 0}}}});
        faults(&validator(&root, schema, usage), value).is_empty()
    }

    #[test]
    fn words_of_openapi_3_0_are_understood() {
        let schema = json!({"type": "string", "nullable": true, "enum": ["a"]});
        assert!(accepts(Use::Request, &schema, &json!(null)));
        assert!(!accepts(Use::Request, &schema, &json!("b")));
        let schema = json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true});
        assert!(!accepts(Use::Request, &schema, &json!(0)));
        assert!(accepts(Use::Request, &schema, &json!(1)));
        let schema = json!({"type": "integer", "format": "int32"});
        assert!(!accepts(Use::Request, &schema, &json!(2_147_483_648_i64)));
    }

    #[test]
    fn references_are_followed_and_formats_checked() {
        let schema = json!({"type": "array", "items": {"$ref": "#/components/schemas/id"}});
        assert!(accepts(Use::Response, &schema, &json!([1])));
        assert!(!accepts(Use::Response, &schema, &json!([-1])));
        let schema = json!({"type": "string", "format": "uuid"});
        assert!(!accepts(Use::Response, &schema, &json!("Processing")));
    }

    #[test]
    fn only_a_request_must_not_hold_more_than_is_described() {
        let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}});
        let value = json!({"name": "x", "nmae": "y"});
        assert!(!accepts(Use::Request, &schema, &value));
        assert!(accepts(Use::Response, &schema, &value));
        let parts = json!({"allOf": [schema, {"properties": {"id": {"type": "integer"}}}]});
        assert!(accepts(Use::Request, &parts, &json!({"name": "x", "id": 1})));
        assert!(!accepts(Use::Request, &parts, &value));
    }
}
