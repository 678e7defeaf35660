//! Tolerant reading of answers.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::{call::Call, error::Error, pipeline::Answer};

/// Reads the JSON body of a successful answer.
pub(crate) fn json<T: DeserializeOwned>(call: &Call, answer: &Answer) -> Result<T, Error> {
    serde_json::from_slice(without_mark(&answer.response.body)).map_err(|error| {
        // The message of the JSON reader quotes the value, which may be somebody's address.
        let place = format!(
            "the answer could not be read at line {} column {}",
            error.line(),
            error.column()
        );
        Error::decode(call, answer, place)
    })
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

/// For a field that may be `null` where it should be missing.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Text values of an object; numbers are read as text, anything else is left out.
pub(crate) fn lenient_texts(object: BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let text = |value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    object.into_iter().filter_map(|(key, value)| Some((key, text(value)?))).collect()
}

#[cfg(test)]
mod tests {
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
}
