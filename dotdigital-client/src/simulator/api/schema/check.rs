//! Checking single values, and saying what is wrong with a request.

use std::net::{Ipv4Addr, Ipv6Addr};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::{simulator::api::answer::v3_error_about, transport::HttpResponse};

const INVALID_ID: &str = "contacts:invalidId";

/// What is wrong with a request, and where.
#[derive(Debug)]
pub(in crate::simulator::api) struct ShapeFault {
    code: &'static str,
    item: String,
    detail: String,
}

pub(super) type Checked<T> = Result<T, ShapeFault>;

impl ShapeFault {
    pub(in crate::simulator::api) fn new(
        item: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self { code: "contacts:badRequest", item: item.into(), detail: detail.into() }
    }

    /// An identifier that cannot be one.
    pub(super) fn invalid_id(item: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: INVALID_ID, ..Self::new(item, detail) }
    }

    pub(super) fn unexpected(item: &str, key: &str) -> Self {
        Self::new(format!("{item}.{key}"), "Not expected")
    }

    /// The same fault in the row of that number. An identifier is named by itself.
    pub(in crate::simulator::api) fn in_row(self, number: usize) -> Self {
        match self.code {
            INVALID_ID => self,
            _ => Self { item: format!("contacts[{number}].{}", self.item), ..self },
        }
    }

    pub(in crate::simulator::api) fn answer(&self) -> HttpResponse {
        const TEXT: &str = "The request is not valid";
        v3_error_about(400, self.code, TEXT, &self.item, &self.detail)
    }
}

pub(super) fn object<'a>(value: &'a Value, item: &str) -> Checked<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| ShapeFault::new(item, "An object is expected"))
}

pub(super) fn text<'a>(value: &'a Value, item: &str) -> Checked<&'a str> {
    value.as_str().ok_or_else(|| ShapeFault::new(item, "A text is expected"))
}

pub(super) fn flag(value: &Value, item: &str) -> Checked<bool> {
    value.as_bool().ok_or_else(|| ShapeFault::new(item, "True or false is expected"))
}

/// Neither empty nor longer than `most`.
pub(super) fn array<'a>(value: &'a Value, item: &str, most: usize) -> Checked<&'a Vec<Value>> {
    value.as_array().filter(|array| !array.is_empty() && array.len() <= most).ok_or_else(|| {
        ShapeFault::new(item, "An array that is neither empty nor too long is expected")
    })
}

/// A whole number of 32 bits.
pub(super) fn int32(value: &Value, item: &str) -> Checked<i32> {
    whole(value)
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| ShapeFault::new(item, "A whole number of 32 bits is expected"))
}

/// A whole number; JSON may write it as `7.0`.
pub(in crate::simulator::api) fn whole(value: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let fraction = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < EXACT);
    // Below 2^53 the conversion is exact.
    #[allow(clippy::cast_possible_truncation)]
    value.as_i64().or_else(|| fraction().map(|number| number as i64))
}

/// The documents write these values in lower camel case and in their own examples otherwise, so
/// case does not count.
pub(super) fn one_of(value: &Value, item: &str, allowed: &[&'static str]) -> Checked<&'static str> {
    let value = text(value, item)?;
    allowed
        .iter()
        .find(|one| one.eq_ignore_ascii_case(value))
        .copied()
        .ok_or_else(|| ShapeFault::new(item, "The value is not one of those allowed"))
}

/// An instant with its zone.
pub(super) fn time(value: &Value, item: &str) -> Checked<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text(value, item)?)
        .map(|at| at.to_utc())
        .map_err(|_| ShapeFault::new(item, "A date and time with its zone is expected"))
}

/// An absolute address of any scheme.
pub(super) fn uri<'a>(value: &'a Value, item: &str) -> Checked<&'a str> {
    let value = text(value, item)?;
    if is_uri(value) { Ok(value) } else { Err(ShapeFault::new(item, "A URI is expected")) }
}

pub(super) fn ip_address<'a>(value: &'a Value, item: &str) -> Checked<&'a str> {
    let value = text(value, item)?;
    if value.parse::<Ipv4Addr>().is_ok() || value.parse::<Ipv6Addr>().is_ok() {
        Ok(value)
    } else {
        Err(ShapeFault::new(item, "An IP address is expected"))
    }
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let in_rest = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(in_scheme)
        && !rest.is_empty()
        && rest.bytes().all(in_rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_uri_has_a_scheme_and_no_blanks() {
        for right in ["http://www.example.com/signup", "https://a.example/?q=%20", "urn:a:b"] {
            assert!(is_uri(right), "{right}");
        }
        for wrong in ["", "www.example.com", "http:", "1http://a", "http://a b", "http://a/é"] {
            assert!(!is_uri(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_whole_number_may_be_written_as_a_fraction_of_none() {
        assert_eq!(whole(&json!(7)), Some(7));
        assert_eq!(whole(&json!(7.0)), Some(7));
        assert_eq!(whole(&json!(7.5)), None);
        assert_eq!(whole(&json!("7")), None);
        assert_eq!(whole(&json!(1e300)), None);
        assert!(int32(&json!(4_294_967_296_i64), "lists").is_err());
    }
}
