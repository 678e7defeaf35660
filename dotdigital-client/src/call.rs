//! A call as a value: everything about a request except where to and on whose behalf.

use std::{fmt::Display, sync::Arc};

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::{
    error::Error,
    limits::{JobKind, Tier},
    transport::Method,
};

/// Everything but letters, digits and the marks that never need encoding.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What repeating a call does that may have been acted on already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It reads only.
    Read,
    /// It writes, and the second time changes nothing more.
    Harmless,
    /// It would act twice.
    ActsAgain,
}

/// One call, built by a pure function and sent by the pipeline.
#[derive(Clone)]
pub(crate) struct Call {
    /// Method and path template: what logs, counters and errors may show.
    pub(crate) endpoint: &'static str,
    pub(crate) method: Method,
    /// Percent-encoded. May carry an address of a person.
    pub(crate) path_and_query: String,
    pub(crate) body: Option<Arc<Vec<u8>>>,
    /// The tier until the service tells.
    pub(crate) tier: Tier,
    pub(crate) repeat: Repeat,
    /// The kind of job that it starts, where an account may only have so many of that kind.
    pub(crate) job: Option<JobKind>,
}

impl Call {
    /// A call of an endpoint such as `PUT /v2/address-books/{id}`. Its arguments follow through
    /// [`arg`](Self::arg), in order.
    pub(crate) fn new(endpoint: &'static str, tier: Tier, repeat: Repeat) -> Self {
        let (method, path) = split(endpoint);
        let path_and_query = path.to_owned();
        Self { endpoint, method, path_and_query, body: None, tier, repeat, job: None }
    }

    /// A reading call.
    pub(crate) fn read(endpoint: &'static str, tier: Tier) -> Self {
        Self::new(endpoint, tier, Repeat::Read)
    }

    /// The same call with the next `{parameter}` of its path filled in.
    ///
    /// Arguments are of types that are never empty: a path without its last argument may belong to
    /// another, more dangerous call.
    pub(crate) fn arg(mut self, value: impl Display) -> Self {
        let open = self.path_and_query.find('{');
        let range = open.and_then(|open| {
            self.path_and_query[open..].find('}').map(|length| open..=open + length)
        });
        debug_assert!(range.is_some(), "{} has no such parameter", self.endpoint);
        if let Some(range) = range {
            self.path_and_query.replace_range(range, &encode(&value.to_string()));
        }
        self
    }

    /// The same call with a time as the next `{parameter}` of its path, to the second and in UTC.
    pub(crate) fn arg_time(self, time: DateTime<Utc>) -> Self {
        self.arg(time.format("%Y-%m-%dT%H:%M:%SZ"))
    }

    /// The same call with one more value in its query. The name is sent as it is.
    pub(crate) fn query(mut self, name: &str, value: impl Display) -> Self {
        let mark = if self.path_and_query.contains('?') { '&' } else { '?' };
        self.path_and_query.push(mark);
        self.path_and_query.push_str(name);
        self.path_and_query.push('=');
        self.path_and_query.push_str(&encode(&value.to_string()));
        self
    }

    /// The same call with a JSON body.
    pub(crate) fn json<T: Serialize + ?Sized>(self, body: &T) -> Result<Self, Error> {
        match serde_json::to_vec(body) {
            Ok(bytes) => Ok(self.bytes(Arc::new(bytes))),
            Err(_) => Err(Error::refused(self.endpoint, "the body cannot be written as JSON")),
        }
    }

    /// The same call, marked as one that starts a job.
    pub(crate) fn starting(mut self, job: JobKind) -> Self {
        self.job = Some(job);
        self
    }

    /// The same call with a JSON body that is encoded already.
    pub(crate) fn bytes(mut self, body: Arc<Vec<u8>>) -> Self {
        self.body = Some(body);
        self
    }
}

/// Method and path template of an endpoint.
fn split(endpoint: &'static str) -> (Method, &'static str) {
    let parts = endpoint.split_once(' ');
    let known = parts.and_then(|(method, path)| Some((Method::from_name(method)?, path)));
    debug_assert!(known.is_some(), "{endpoint} does not start with a method");
    known.unwrap_or((Method::Get, endpoint))
}

/// Encodes a value so that it stays one path segment or one query value.
pub(crate) fn encode(value: &str) -> String {
    utf8_percent_encode(value, STRICT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_segment() {
        assert_eq!(encode("a+b/c%d@exämple.com"), "a%2Bb%2Fc%25d%40ex%C3%A4mple.com");
        assert_eq!(encode("?#&= ;"), "%3F%23%26%3D%20%3B");
        assert_eq!(encode("azAZ09-_.~"), "azAZ09-_.~");
    }

    #[test]
    fn arguments_fill_the_template_in_order_and_stay_single_segments() {
        let call = Call::read("GET /contacts/v3/{identifier}/{value}", Tier::High);
        let call = call.arg("email").arg("a/{b}@example.com").query("~listId", 7).query("x", "|");
        assert_eq!(
            call.path_and_query,
            "/contacts/v3/email/a%2F%7Bb%7D%40example.com?~listId=7&x=%7C"
        );
        assert_eq!(call.method, Method::Get);
    }

    proptest::proptest! {
        #[test]
        fn any_value_is_one_segment_that_decodes_to_itself(value in ".{0,60}") {
            let encoded = encode(&value);
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~%".contains(c);
            proptest::prop_assert!(encoded.chars().all(plain));
            let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8_lossy();
            proptest::prop_assert_eq!(decoded, value);
        }
    }
}
