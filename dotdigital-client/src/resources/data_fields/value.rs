//! What a data field holds.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Decimal, FieldType};
use crate::decode;

/// The most characters of a text that the service keeps.
const LONGEST_TEXT: usize = 1000;

/// The value of a data field.
///
/// Read, a date is a [`Text`](Self::Text): the service does not say which texts are dates, but
/// [`FieldType::parse`] makes one of it. `Debug` shows the kind of value only.
#[derive(Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// A text.
    Text(String),
    /// A number.
    Number(Decimal),
    /// A date with its time of day.
    Date(DateTime<Utc>),
    /// Yes or no.
    Boolean(bool),
    /// No value. Written, it empties the field, which leaving the field out does not.
    Clear,
}

/// Why a text is no value for a data field. Never carries the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFieldValue {
    /// More than 1000 characters.
    #[error("the text is longer than {LONGEST_TEXT} characters")]
    TooLong,
    /// Not a decimal number.
    #[error("not a decimal number")]
    Number,
    /// More than 18 digits before the point or 9 after it.
    #[error("the number has more digits than the service keeps")]
    TooManyDigits,
    /// Not a date in ISO 8601.
    #[error("not a date")]
    Date,
    /// Neither true nor false.
    #[error("neither true nor false")]
    Boolean,
    /// The field is of a type that this crate does not know.
    #[error("the type of the field is not known")]
    UnknownType,
}

impl FieldType {
    /// Makes a text, such as a column of a table, a value for a field of this type.
    ///
    /// A date is ISO 8601, without a time of day midnight and without a zone UTC. A boolean is
    /// `true`, `yes`, `t`, `y`, `1` or their opposites, whatever the case.
    ///
    /// # Errors
    ///
    /// Fails for what the type does not take. An empty text is a value of a text field only;
    /// whether it is to be [`FieldValue::Clear`] elsewhere is the caller's choice.
    pub fn parse(&self, text: &str) -> Result<FieldValue, InvalidFieldValue> {
        match self {
            Self::String if text.chars().nth(LONGEST_TEXT).is_some() => {
                Err(InvalidFieldValue::TooLong)
            }
            Self::String => Ok(FieldValue::Text(text.to_owned())),
            Self::Numeric => Decimal::parse(text).map(FieldValue::Number),
            Self::Date => date(text).map(FieldValue::Date).ok_or(InvalidFieldValue::Date),
            Self::Boolean => {
                boolean(text).map(FieldValue::Boolean).ok_or(InvalidFieldValue::Boolean)
            }
            Self::Other(_) => Err(InvalidFieldValue::UnknownType),
        }
    }
}

impl FieldValue {
    /// Whether a field of that type can hold it.
    pub(super) fn fits(&self, kind: &FieldType) -> bool {
        matches!(
            (self, kind),
            (Self::Text(_), FieldType::String)
                | (Self::Number(_), FieldType::Numeric)
                | (Self::Date(_), FieldType::Date)
                | (Self::Boolean(_), FieldType::Boolean)
        )
    }

    /// The value as text, nothing for [`Clear`](Self::Clear).
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.as_str().to_owned(),
            Self::Date(date) => date.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            Self::Boolean(value) => value.to_string(),
            Self::Clear => String::new(),
        }
    }
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i32> for FieldValue {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for FieldValue {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<Decimal> for FieldValue {
    fn from(number: Decimal) -> Self {
        Self::Number(number)
    }
}

impl From<DateTime<Utc>> for FieldValue {
    fn from(date: DateTime<Utc>) -> Self {
        Self::Date(date)
    }
}

impl From<bool> for FieldValue {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    let midnight = || {
        let day = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()?;
        Some(day.and_time(NaiveTime::MIN).and_utc())
    };
    decode::timestamp(text).or_else(midnight)
}

fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "t" | "y" | "1" => Some(true),
        "false" | "no" | "f" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// What a field holds may be personal.
impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(<redacted>)",
            Self::Number(_) => "Number(<redacted>)",
            Self::Date(_) => "Date(<redacted>)",
            Self::Boolean(_) => "Boolean(<redacted>)",
            Self::Clear => "Clear",
        })
    }
}

impl Serialize for FieldValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => number.serialize(serializer),
            Self::Date(_) => serializer.serialize_str(&self.to_text()),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Clear => serializer.serialize_none(),
        }
    }
}

/// Reads any JSON value: one of no documented shape becomes the text it was written with.
impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        let json = value.get();
        Ok(match json {
            "null" => Self::Clear,
            "true" => Self::Boolean(true),
            "false" => Self::Boolean(false),
            _ if json.starts_with('"') => {
                Self::Text(serde_json::from_str(json).map_err(serde::de::Error::custom)?)
            }
            _ if json.starts_with(['{', '[']) => Self::Text(json.to_owned()),
            number => Self::Number(Decimal::from_json(number)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_value_of_the_declared_type() {
        use FieldType::{Boolean, Date, Numeric, String};
        let day = "2024-02-29T00:00:00Z".parse().unwrap();
        let moment = "2024-02-29T12:30:00.250Z".parse().unwrap();
        for (kind, text, expected) in [
            (String, " as it is ", Ok(FieldValue::Text(" as it is ".into()))),
            (String, "", Ok(FieldValue::Text("".into()))),
            (Numeric, "12.50", Ok(FieldValue::Number(Decimal::parse("12.50").unwrap()))),
            (Numeric, "", Err(InvalidFieldValue::Number)),
            (Date, "2024-02-29", Ok(FieldValue::Date(day))),
            (Date, "2024-02-29T13:30:00.25+01:00", Ok(FieldValue::Date(moment))),
            (Date, "29.02.2024", Err(InvalidFieldValue::Date)),
            (Date, "2023-02-29", Err(InvalidFieldValue::Date)),
            (Boolean, " Yes ", Ok(FieldValue::Boolean(true))),
            (Boolean, "0", Ok(FieldValue::Boolean(false))),
            (Boolean, "maybe", Err(InvalidFieldValue::Boolean)),
            (FieldType::from("Colour"), "red", Err(InvalidFieldValue::UnknownType)),
        ] {
            assert_eq!(kind.parse(text), expected, "{kind} {text}");
        }
        assert!(String.parse(&"é".repeat(1000)).is_ok());
        assert_eq!(String.parse(&"é".repeat(1001)), Err(InvalidFieldValue::TooLong));
    }

    #[test]
    fn values_are_written_as_json_of_their_kind() {
        let day: DateTime<Utc> = "2024-02-29T00:00:00Z".parse().unwrap();
        for (value, json) in [
            (FieldValue::from("a \"b\""), r#""a \"b\"""#),
            (FieldValue::from("a".to_owned()), r#""a""#),
            (FieldValue::from(Decimal::parse("0.10").unwrap()), "0.10"),
            (FieldValue::from(day), r#""2024-02-29T00:00:00Z""#),
            (FieldValue::from(false), "false"),
            (FieldValue::Clear, "null"),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
        }
    }

    #[test]
    fn any_value_is_read_and_none_is_shown() {
        let json = r#"["t\u00e9xt",1.10,true,null,{"a":[1]}]"#;
        let values: Vec<FieldValue> = serde_json::from_str(json).unwrap();
        let number = Decimal::parse("1.10").unwrap();
        assert_eq!(values[..2], [FieldValue::Text("téxt".into()), FieldValue::Number(number)]);
        assert_eq!(values[2..4], [FieldValue::Boolean(true), FieldValue::Clear]);
        assert_eq!(values[4], FieldValue::Text(r#"{"a":[1]}"#.into()));
        let shown = format!("{values:?}");
        assert!(!shown.contains("xt\"") && !shown.contains("1.1") && !shown.contains("true"));
    }
}
