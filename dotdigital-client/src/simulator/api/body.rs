//! Reading a request's body, once.

use serde_json::Value;

use super::answer::{v2_error, v3_error};
use crate::transport::{HttpRequest, HttpResponse, Method};

/// What came with a request.
#[derive(Default)]
pub(in crate::simulator) enum Body {
    #[default]
    Absent,
    Json(Value),
    NotJson,
    WrongType,
}

impl Body {
    pub(in crate::simulator) fn read(request: &HttpRequest) -> Self {
        let bytes = request.body.as_ref().map_or(&[][..], |body| body.as_slice());
        if bytes.is_empty() || request.method == Method::Get {
            return Self::Absent;
        }
        if !is_json(request) {
            return Self::WrongType;
        }
        serde_json::from_slice(bytes).map_or(Self::NotJson, Self::Json)
    }

    /// Whether the body names a status for any channel of any contact.
    pub(in crate::simulator) fn carries_status(&self) -> bool {
        let Self::Json(value) = self else { return false };
        let rows = value.get("contacts").and_then(Value::as_array);
        names_status(value) || rows.is_some_and(|rows| rows.iter().any(names_status))
    }

    /// Takes the JSON for a v2 call.
    pub(super) fn take_v2(&mut self) -> Result<Value, HttpResponse> {
        match std::mem::take(self) {
            Self::Json(value) => Ok(value),
            Self::Absent => Err(v2_error(400, "ERROR_MALFORMED_REQUEST")),
            Self::NotJson => Err(v2_error(400, "ERROR_BODY_DOES_NOT_MATCH_CONTENT_TYPE")),
            Self::WrongType => Err(v2_error(400, "ERROR_CONTENT_TYPE_IS_NOT_SUPPORTED")),
        }
    }

    /// Takes the JSON for a call of the v3 contacts.
    pub(super) fn take_v3(&mut self) -> Result<Value, HttpResponse> {
        self.take_v3_of("contacts")
    }

    /// Takes the JSON for a call of a v3 service.
    pub(super) fn take_v3_of(&mut self, service: &str) -> Result<Value, HttpResponse> {
        let description = match std::mem::take(self) {
            Self::Json(value) => return Ok(value),
            Self::Absent => "A body is required",
            Self::NotJson => "The body is not JSON",
            Self::WrongType => "The content type must be application/json",
        };
        Err(v3_error(400, &format!("{service}:badJson"), description))
    }
}

fn names_status(contact: &Value) -> bool {
    contact
        .get("channelProperties")
        .and_then(Value::as_object)
        .is_some_and(|channels| channels.values().any(|channel| channel.get("status").is_some()))
}

fn is_json(request: &HttpRequest) -> bool {
    request
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .and_then(|(_, value)| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
