//! The service's error bodies, in all their shapes.

use serde_json::Value;

use crate::decode::without_mark;

/// What an error body tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    /// The service's code.
    pub(crate) code: Option<String>,
    /// Whether the service itself seems to have answered, rather than something on the way to it.
    /// An empty body counts as the service's.
    pub(crate) from_service: bool,
    /// Whether the text speaks of the hourly limit, which older API users have.
    pub(crate) says_excess: bool,
}

impl ErrorBody {
    /// Reads a body: v2's message, v3's error or list of errors, a problem description, plain
    /// text, or nothing at all.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(without_mark(body));
        let text = text.trim();
        let says_excess = text.to_ascii_lowercase().contains("excess api activity");
        let (code, from_service) = match serde_json::from_str::<Value>(text) {
            Ok(value) => (code_in(&value), is_error_shape(&value)),
            Err(_) => (trailing_code(text), text.is_empty()),
        };
        Self { from_service: from_service || code.is_some() || says_excess, code, says_excess }
    }
}

/// The code in a JSON body: of the first error where there are several.
fn code_in(value: &Value) -> Option<String> {
    match value {
        Value::Array(errors) => errors.iter().find_map(code_in),
        Value::String(text) => trailing_code(text),
        Value::Object(_) => field(value, "errorCode")
            .and_then(Value::as_str)
            .filter(|code| is_v3_code(code))
            .map(str::to_owned)
            .or_else(|| field(value, "message").and_then(Value::as_str).and_then(trailing_code)),
        _ => None,
    }
}

/// Whether a JSON body has the looks of an error of this service.
fn is_error_shape(value: &Value) -> bool {
    const KEYS: [&str; 4] = ["errorCode", "message", "title", "description"];
    match value {
        Value::Array(errors) => errors.iter().any(is_error_shape),
        Value::Object(_) => KEYS.iter().any(|key| field(value, key).is_some()),
        _ => false,
    }
}

/// A member of an object, whatever the case of its key.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// v2 ends its sentences with the code. Nothing but a code passes, so no address can slip through.
fn trailing_code(text: &str) -> Option<String> {
    let last = text.split_whitespace().next_back()?;
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    (last.starts_with("ERROR_") && last.len() <= 100 && last.chars().all(plain))
        .then(|| last.to_owned())
}

/// v3 codes are `area:reason`. Nothing else passes, so no address can slip through.
fn is_v3_code(code: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-');
    (1..=100).contains(&code.len()) && code.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &str) -> Option<String> {
        ErrorBody::parse(body.as_bytes()).code
    }

    #[test]
    fn the_last_word_of_a_v2_message_is_the_code() {
        for (message, expected) in [
            ("Error: ERROR_ADDRESSBOOK_NOT_FOUND", Some("ERROR_ADDRESSBOOK_NOT_FOUND")),
            (
                "That name is in use already. ERROR_ADDRESSBOOK_DUPLICATE",
                Some("ERROR_ADDRESSBOOK_DUPLICATE"),
            ),
            (
                "Error: ERROR_ENROLMENT_ALLOWANCE_EXCEEDED ",
                Some("ERROR_ENROLMENT_ALLOWANCE_EXCEEDED"),
            ),
            ("Authorization has been denied for this request.", None),
            ("ERROR_jane@example.com", None),
        ] {
            let body = format!(r#"{{"message":"{message}"}}"#);
            assert_eq!(code(&body).as_deref(), expected, "{message}");
            assert!(ErrorBody::parse(body.as_bytes()).from_service, "{message}");
        }
    }

    #[test]
    fn v3_errors_are_read_with_details_of_any_shape() {
        for details in [
            r#"[{"item":"a","description":"b"}]"#,
            r#"[{"item":"a","error":"b"}]"#,
            r#"{"program":"17"}"#,
            "null",
        ] {
            let body = format!(
                r#"{{"errorCode":"contacts:invalidId","description":"","details":{details}}}"#
            );
            assert_eq!(code(&body).as_deref(), Some("contacts:invalidId"), "{details}");
        }
    }

    #[test]
    fn a_list_of_errors_gives_its_first_code() {
        let body = r#"[{"errorCode":"customIdentifiers:notExist","description":"x"}]"#;
        assert_eq!(code(body).as_deref(), Some("customIdentifiers:notExist"));
    }

    #[test]
    fn bodies_without_a_code_are_told_from_those_of_a_proxy() {
        for ours in ["", "  ", r#"{"type":"about:blank","title":"Conflict","status":409}"#] {
            let body = ErrorBody::parse(ours.as_bytes());
            assert_eq!((body.code, body.from_service), (None, true), "{ours}");
        }
        for foreign in ["<html><h1>502 Bad Gateway</h1></html>", "{}", "[1]", "nonsense", "\u{0}"] {
            let body = ErrorBody::parse(foreign.as_bytes());
            assert_eq!((body.code, body.from_service), (None, false), "{foreign}");
        }
    }

    #[test]
    fn the_hourly_limit_is_known_by_its_words() {
        let body = r#"{"message":"Your account has generated excess API activity and is capped"}"#;
        assert!(ErrorBody::parse(body.as_bytes()).says_excess);
    }

    #[test]
    fn a_byte_order_mark_does_not_hide_the_code() {
        assert_eq!(
            code("\u{feff}{\"Message\":\"x ERROR_UNKNOWN\"}").as_deref(),
            Some("ERROR_UNKNOWN")
        );
    }

    proptest::proptest! {
        #[test]
        fn no_body_is_too_odd_and_no_code_can_be_an_address(body in ".{0,200}") {
            for body in [body.clone(), format!(r#"{{"message":{body:?}}}"#), format!(r#"[{body:?}]"#)] {
                let code = ErrorBody::parse(body.as_bytes()).code.unwrap_or_default();
                proptest::prop_assert!(!code.contains('@'));
            }
        }

        #[test]
        fn no_bytes_are_too_odd(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            ErrorBody::parse(&body);
        }
    }
}
