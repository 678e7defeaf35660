//! The schema of a collection, in either shape.

use serde_json::{Map, Value, json};

use crate::simulator::{
    account::{Collection, Field, Kind, Schema},
    switches::InsightDataShapes,
};

pub(super) fn of(collection: &Collection, shapes: InsightDataShapes) -> Value {
    match shapes {
        InsightDataShapes::AsDeclared => json_schema(&collection.schema),
        InsightDataShapes::AsInExamples => columns(&collection.schema),
    }
}

fn json_schema(schema: &Schema) -> Value {
    let properties = schema.fields.iter().map(|(name, field)| (name.clone(), property(field)));
    json!({"type": "object", "properties": properties.collect::<Map<_, _>>()})
}

fn property(field: &Field) -> Value {
    let item = match &field.kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Number => json!({"type": "number"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Time => json!({"type": "string", "format": "date-time"}),
        Kind::Record(schema) => json_schema(schema),
    };
    if field.repeated { json!({"type": "array", "items": item}) } else { item }
}

/// The columns of a table in which the records are the one called `json`.
fn columns(schema: &Schema) -> Value {
    let column = |name: &str, mode: &str, kind: &str, fields: Vec<Value>| json!({"name": name, "mode": mode, "type": kind, "fields": fields});
    json!([
        column("key", "NULLABLE", "STRING", Vec::new()),
        column("contactIdentifier", "REQUIRED", "INTEGER", Vec::new()),
        column("dateModified", "REQUIRED", "TIMESTAMP", Vec::new()),
        column("deleted", "NULLABLE", "BOOLEAN", Vec::new()),
        column("rowId", "NULLABLE", "STRING", Vec::new()),
        column("json", "NULLABLE", "RECORD", fields(schema)),
    ])
}

fn fields(schema: &Schema) -> Vec<Value> {
    let fields = schema.fields.iter().map(|(name, field)| {
        let (kind, inner) = match &field.kind {
            Kind::Text => ("STRING", Vec::new()),
            Kind::Number => ("FLOAT", Vec::new()),
            Kind::Boolean => ("BOOLEAN", Vec::new()),
            Kind::Time => ("TIMESTAMP", Vec::new()),
            Kind::Record(schema) => ("RECORD", fields(schema)),
        };
        let mut shown = json!({"name": name, "type": kind, "fields": inner});
        if field.repeated {
            shown["mode"] = json!("REPEATED");
        }
        shown
    });
    fields.collect()
}
