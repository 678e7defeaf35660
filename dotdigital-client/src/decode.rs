//! Tolerant reading of answers.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::{call::Call, error::Error, pipeline::Answer};

/// Reads the JSON body of a successful answer.
pub(crate) fn json<T: DeserializeOwned>(call: &Call, answer: &Answer) -> Result<T, Error> {
    let body = without_mark(&answer.response.body);
    serde_json::from_slice(body).map_err(|error| {
        // The message of the JSON reader quotes the value, which may be somebody's address.
        let (line, column) = (error.line(), error.column());
        let mut place = format!("the answer could not be read at line {line} column {column}");
        if let Some(path) = path_of_failure::<T>(body) {
            place.push_str(", path ");
            place.push_str(&path);
        }
        Error::decode(call, answer, place)
    })
}

/// Reads the one text that a body is: quoted as JSON or bare.
pub(crate) fn text(body: &[u8]) -> String {
    let body = without_mark(body);
    let quoted = serde_json::from_slice::<String>(body);
    quoted.unwrap_or_else(|_| String::from_utf8_lossy(body).trim().to_owned())
}

/// Whether a successful answer says nothing at all.
pub(crate) fn is_empty(answer: &Answer) -> bool {
    without_mark(&answer.response.body).trim_ascii().is_empty()
}

/// Where in a body the reading fails, such as `_items[3].contactId`. The body is read once more,
/// so that reading what is well formed costs nothing.
fn path_of_failure<T: DeserializeOwned>(body: &[u8]) -> Option<String> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let error = serde_path_to_error::deserialize::<_, T>(&mut reader).err()?;
    let mut path = String::new();
    for segment in error.path() {
        let _ = match segment {
            Segment::Seq { index } => write!(path, "[{index}]"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                let dot = if path.is_empty() { "" } else { "." };
                write!(path, "{dot}{}", plain_key(key))
            }
            Segment::Unknown => write!(path, ".?"),
        };
    }
    (!path.is_empty()).then_some(path)
}

/// A key as an error may show it. A key can be a value in disguise, such as an address: only what
/// looks like a name passes.
fn plain_key(key: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=50).contains(&key.len()) && key.chars().all(plain) { key } else { "?" }
}

/// The body without the byte order mark that some answers start with.
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// Reads a time in any spelling of the service. Without a zone it is UTC.
pub(crate) fn timestamp(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%:z") {
        return Some(time.to_utc());
    }
    let plain = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f"));
    plain.ok().map(|time| time.and_utc())
}

/// For a field: a time in any spelling, `None` where it is missing or not understood.
pub(crate) fn lenient_time<'de, D>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error>
where
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().and_then(timestamp))
}

/// For a field that may be missing or anything: `None` where it is not understood.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// For a field that counts something: a number, also as a text; none where it is not understood.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = lenient_text(Value::deserialize(deserializer)?);
    Ok(text.and_then(|text| text.trim().parse().ok()).unwrap_or_default())
}

/// For a field that may be `null` where it should be missing.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A text; numbers are read as text, anything else is none.
pub(crate) fn lenient_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn five_spellings_of_a_time_are_understood() {
        let whole = "2023-01-26T21:29:00Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!(timestamp("2023-01-26T21:29:00Z"), Some(whole));
        assert_eq!(timestamp("2023-01-26T21:29:00"), Some(whole));
        assert_eq!(timestamp("2023-01-26T23:29:00+02:00"), Some(whole));
        let fraction = "2020-01-01T09:40:18.527Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!(timestamp("2020-01-01T09:40:18.527Z"), Some(fraction));
        assert_eq!(timestamp("2020-01-01 09:40:18.527000+00:00"), Some(fraction));
        assert_eq!(timestamp("2020-01-01T09:40:18.527"), Some(fraction));
        assert_eq!(timestamp("yesterday"), None);
    }

    #[test]
    fn a_failure_has_a_path_of_keys_and_indices_without_values() {
        type Nested = BTreeMap<String, Vec<BTreeMap<String, u8>>>;
        let path = |body: &str| path_of_failure::<Nested>(body.as_bytes());
        assert_eq!(path(r#"{"_items":[{},{"id":"secret"}]}"#).as_deref(), Some("_items[1].id"));
        assert_eq!(path(r#"{"a@example.com":[{"x y":"z"}]}"#).as_deref(), Some("?[0].?"));
        assert_eq!(path("7"), None);
        assert_eq!(path("{}"), None);
    }

    #[test]
    fn a_text_is_read_bare_or_quoted() {
        for body in ["2021-09-24 09:21:55", " 2021-09-24 09:21:55\n", "\"2021-09-24 09:21:55\""] {
            assert_eq!(text(body.as_bytes()), "2021-09-24 09:21:55");
            assert_eq!(text(format!("\u{feff}{body}").as_bytes()), "2021-09-24 09:21:55");
        }
    }
}
