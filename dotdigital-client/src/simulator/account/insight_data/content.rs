//! What may stand in a record, whatever its collection.

use serde_json::{Map, Value};

use super::{RecordFault, RefusalReason};
use crate::simulator::insight_data::InsightLimits;

/// Checks the key and the content of a record.
pub(super) fn check(
    key: &str,
    content: &Map<String, Value>,
    limits: &InsightLimits,
) -> Result<(), RecordFault> {
    if !(1..=limits.key).contains(&key.chars().count()) {
        let detail = format!("A key has 1 to {} characters", limits.key);
        return Err(RecordFault::new(RefusalReason::InvalidKey, detail));
    }
    check_object(content, limits)
}

fn check_object(content: &Map<String, Value>, limits: &InsightLimits) -> Result<(), RecordFault> {
    for (name, value) in content {
        check_name(name, limits)?;
        match value {
            Value::Array(values) => {
                for value in values {
                    if value.is_array() {
                        let detail = format!("Field '{name}' has an array in an array");
                        return Err(RecordFault::new(RefusalReason::NestedArray, detail));
                    }
                    check_value(name, value, limits)?;
                }
            }
            value => check_value(name, value, limits)?,
        }
    }
    Ok(())
}

fn check_value(name: &str, value: &Value, limits: &InsightLimits) -> Result<(), RecordFault> {
    // Exact as far as a limit makes sense.
    #[allow(clippy::cast_precision_loss)]
    let largest = limits.number as f64;
    let reason = match value {
        Value::Object(content) => return check_object(content, limits),
        Value::String(text) if text.chars().count() > limits.text => RefusalReason::TextTooLong,
        Value::Number(number) if number.as_f64().is_none_or(|it| it.abs() > largest) => {
            RefusalReason::NumberTooLarge
        }
        _ => return Ok(()),
    };
    Err(RecordFault::new(reason, format!("The value of field '{name}' is too large")))
}

/// Names become columns, in which only the dash of these is replaced.
fn check_name(name: &str, limits: &InsightLimits) -> Result<(), RecordFault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.chars().count() > limits.field_name {
        let detail = format!("A field's name has at most {} characters", limits.field_name);
        Err(RecordFault::new(RefusalReason::FieldNameTooLong, detail))
    } else if name.is_empty() || !name.bytes().all(plain) {
        const TEXT: &str = "A field's name is made of letters, digits, dashes and underscores";
        Err(RecordFault::new(RefusalReason::FieldNameInvalid, TEXT))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reason(key: &str, content: &Value) -> Option<RefusalReason> {
        let limits =
            InsightLimits { key: 3, field_name: 4, text: 5, number: 100, ..Default::default() };
        let content = content.as_object().expect("an object");
        check(key, content, &limits).err().map(|fault| fault.reason)
    }

    #[test]
    fn what_is_within_the_limits_is_taken() {
        let content =
            json!({"a-_1": "12345", "b": -100, "c": [{"d": ["é"]}, {"d": null}], "e": {}});
        assert_eq!(reason("/é ", &content), None);
    }

    #[test]
    fn what_is_beyond_a_limit_is_refused_at_any_depth() {
        for (key, content, expected) in [
            ("", json!({}), RefusalReason::InvalidKey),
            ("1234", json!({}), RefusalReason::InvalidKey),
            ("1", json!({"a": {"12345": 1}}), RefusalReason::FieldNameTooLong),
            ("1", json!({"a": [{"b c": 1}]}), RefusalReason::FieldNameInvalid),
            ("1", json!({"": 1}), RefusalReason::FieldNameInvalid),
            ("1", json!({"a": ["123456"]}), RefusalReason::TextTooLong),
            ("1", json!({"a": -100.5}), RefusalReason::NumberTooLarge),
            ("1", json!({"a": {"b": [[]]}}), RefusalReason::NestedArray),
        ] {
            assert_eq!(reason(key, &content), Some(expected), "{key} {content}");
        }
    }
}
