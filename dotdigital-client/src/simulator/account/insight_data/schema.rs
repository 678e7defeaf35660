//! The fields that the records of a collection have, as the records told. A record may add fields,
//! and must not contradict those there are.

use std::{collections::BTreeMap, slice};

use chrono::DateTime;
use serde_json::{Map, Value};

use super::{RecordFault, RefusalReason};

/// The fields of a collection's records, or of an object in them, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::simulator) struct Schema {
    pub(in crate::simulator) fields: BTreeMap<String, Field>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::simulator) struct Field {
    pub(in crate::simulator) kind: Kind,
    /// Whether it holds an array of these.
    pub(in crate::simulator) repeated: bool,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Kind {
    Text,
    Number,
    Boolean,
    Time,
    Record(Schema),
}

impl Schema {
    /// The schema of the records there are and one more.
    pub(super) fn extended(&self, content: &Map<String, Value>) -> Result<Self, RecordFault> {
        let mut schema = self.clone();
        schema.take_in(content)?;
        Ok(schema)
    }

    /// Null and an empty array tell nothing.
    fn take_in(&mut self, content: &Map<String, Value>) -> Result<(), RecordFault> {
        for (name, value) in content {
            let (repeated, values) = match value {
                Value::Array(values) => (true, values.as_slice()),
                value => (false, slice::from_ref(value)),
            };
            for value in values {
                if let Some(kind) = Kind::of(value) {
                    let field = self.fields.entry(name.clone());
                    field.or_insert(Field { kind, repeated }).take_in(name, value, repeated)?;
                }
            }
        }
        Ok(())
    }
}

impl Field {
    fn take_in(&mut self, name: &str, value: &Value, repeated: bool) -> Result<(), RecordFault> {
        match (&mut self.kind, value) {
            _ if self.repeated != repeated => Err(self.contradicted(name)),
            (Kind::Text, Value::String(_))
            | (Kind::Number, Value::Number(_))
            | (Kind::Boolean, Value::Bool(_)) => Ok(()),
            (Kind::Time, Value::String(text)) if is_time(text) => Ok(()),
            (Kind::Record(schema), Value::Object(content)) => schema.take_in(content),
            _ => Err(self.contradicted(name)),
        }
    }

    fn contradicted(&self, name: &str) -> RecordFault {
        let kind = match self.kind {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Boolean => "true or false",
            Kind::Time => "date and time",
            Kind::Record(_) => "object",
        };
        let array = if self.repeated { ", in an array" } else { "" };
        let detail = format!("Field '{name}' is expected to be: {kind}{array}");
        RecordFault::new(RefusalReason::Incompatible, detail)
    }
}

impl Kind {
    fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::String(text) if is_time(text) => Self::Time,
            Value::String(_) => Self::Text,
            Value::Number(_) => Self::Number,
            Value::Bool(_) => Self::Boolean,
            Value::Object(_) => Self::Record(Schema::default()),
            Value::Null | Value::Array(_) => return None,
        })
    }
}

fn is_time(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(records: &[Value]) -> Result<Schema, RecordFault> {
        records.iter().try_fold(Schema::default(), |schema, record| {
            schema.extended(record.as_object().expect("an object"))
        })
    }

    #[test]
    fn a_record_adds_fields_at_any_depth() {
        let records = [
            json!({"at": "2026-01-02T03:04:05Z", "none": null, "no": [], "item": {"a": 1}}),
            json!({"item": {"b": [true, null]}, "no": ["x"]}),
        ];
        let field = |name: &str, kind, repeated| (name.to_owned(), Field { kind, repeated });
        let item = [field("a", Kind::Number, false), field("b", Kind::Boolean, true)];
        let expected = [
            field("at", Kind::Time, false),
            field("item", Kind::Record(Schema { fields: item.into() }), false),
            field("no", Kind::Text, true),
        ];
        assert_eq!(schema(&records).expect("a schema").fields, expected.into());
    }

    #[test]
    fn a_text_may_look_like_a_time_and_a_time_must() {
        let time = json!({"a": "2026-01-02T03:04:05Z"});
        assert!(schema(&[json!({"a": "x"}), time.clone()]).is_ok());
        assert!(schema(&[time, json!({"a": "x"})]).is_err());
    }

    #[test]
    fn a_record_must_not_contradict_the_others() {
        for (first, second) in [
            (json!({"a": 1}), json!({"a": "1"})),
            (json!({"a": 1}), json!({"a": [1]})),
            (json!({"a": [1]}), json!({"a": 1})),
            (json!({"a": {"b": true}}), json!({"a": {"b": 0}})),
            (json!({"a": [{"b": "x"}]}), json!({"a": [{"b": {}}]})),
            (json!({}), json!({"a": [1, "x"]})),
        ] {
            let fault = schema(&[first.clone(), second.clone()]).expect_err("a contradiction");
            assert_eq!(fault.reason, RefusalReason::Incompatible, "{first} {second}");
        }
    }
}
