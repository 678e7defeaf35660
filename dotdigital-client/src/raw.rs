//! Calls that this crate does not model, with everything else it does.

use std::fmt::{self, Display};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    call::{Call, Repeat},
    client::Client,
    danger, decode,
    error::Error,
    limits::Tier,
    transport::HttpResponse,
};

/// Sends calls that this crate has no method for. From [`Client::raw`].
///
/// They get the same authentication, limits, retries, traces and errors as all others.
#[derive(Clone, Debug)]
pub struct Raw {
    client: Client,
}

/// A call that this crate has no method for.
///
/// ```
/// use dotdigital_client::RawCall;
///
/// let campaigns = RawCall::new("GET /v2/campaigns").query("select", 10);
/// let copy = RawCall::new("POST /v2/campaigns/{id}/copy").arg(17);
/// # let _ = (campaigns, copy);
/// ```
///
/// What is wrong with a call is told when it is sent, before anything leaves the machine.
#[derive(Clone)]
#[must_use]
pub struct RawCall {
    call: Call,
    fault: Option<&'static str>,
}

impl RawCall {
    /// A call of an endpoint: method, space, path. Values go into `{parameters}` of the path
    /// through [`arg`](Self::arg): logs, counters and errors show the endpoint as it stands here.
    ///
    /// Until told otherwise, it belongs to the low tier, and everything but a `GET` is taken for
    /// something that must not happen twice.
    pub fn new(endpoint: &'static str) -> Self {
        let method = endpoint.split(' ').next();
        let fault = match endpoint.split_once(" /") {
            Some(("GET" | "POST" | "PUT" | "PATCH" | "DELETE", path)) => path_fault(path),
            _ => Some("the endpoint is not a method, a space and a path"),
        };
        let repeat = if method == Some("GET") { Repeat::Read } else { Repeat::ActsAgain };
        let known = if fault.is_none() { endpoint } else { "GET /" };
        Self { call: Call::new(known, Tier::Low, repeat), fault }
    }

    /// Fills in the next `{parameter}` of the path, encoded.
    pub fn arg(mut self, value: impl Display) -> Self {
        let value = value.to_string();
        if matches!(value.trim(), "" | "." | "..") {
            return self.failing("an argument is empty or a dot: the path would lead elsewhere");
        }
        if !self.call.path_and_query.contains('{') {
            return self.failing("there are more arguments than parameters in the path");
        }
        self.call = self.call.arg(value);
        self
    }

    /// Adds a value to the query. Both sides are encoded.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.call = self.call.query(&crate::call::encode(name), value);
        self
    }

    /// Gives the call a JSON body.
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match self.call.clone().json(body) {
            Ok(call) => self.call = call,
            Err(_) => return self.failing("the body cannot be written as JSON"),
        }
        self
    }

    /// The tier to count the call in until the service tells.
    pub fn tier(mut self, tier: Tier) -> Self {
        self.call.tier = tier;
        self
    }

    /// Says that acting twice does no harm, so that the call may be repeated after a passing
    /// fault.
    pub fn idempotent(mut self) -> Self {
        if self.call.repeat == Repeat::ActsAgain {
            self.call.repeat = Repeat::Harmless;
        }
        self
    }

    fn failing(mut self, fault: &'static str) -> Self {
        self.fault.get_or_insert(fault);
        self
    }

    fn checked(&self) -> Result<&Call, Error> {
        let call = &self.call;
        let missing = call.path_and_query.contains('{');
        let missing = missing.then_some("there are fewer arguments than parameters in the path");
        let fault = self.fault.or(missing);
        match fault.or_else(|| danger::refusal(call)) {
            Some(fault) => Err(Error::refused(call.endpoint, fault)),
            None => Ok(call),
        }
    }
}

impl fmt::Debug for RawCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCall").field("endpoint", &self.call.endpoint).finish_non_exhaustive()
    }
}

impl Raw {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Sends a call and gives its successful answer as it came.
    ///
    /// # Errors
    ///
    /// Fails as any call does, and with [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before
    /// sending for a call that is not complete, or that deletes from the account or changes who
    /// may be written to while the feature for that (`account-deletion`, `consent-changes`) is off.
    pub async fn send(&self, call: &RawCall) -> Result<HttpResponse, Error> {
        Ok(self.client.send(call.checked()?).await?.response)
    }

    /// Sends a call and reads the JSON of its answer.
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does, and with [`ErrorKind::Decode`](crate::ErrorKind::Decode)
    /// for an answer that is not such JSON.
    pub async fn json<T: DeserializeOwned>(&self, call: &RawCall) -> Result<T, Error> {
        let call = call.checked()?;
        decode::json(call, &self.client.send(call).await?)
    }
}

/// Whether every brace belongs to a `{parameter}`.
fn braces_match(path: &str) -> bool {
    let Some((before, rest)) = path.split_once('{') else { return !path.contains('}') };
    let Some((name, after)) = rest.split_once('}') else { return false };
    !before.contains('}') && !name.is_empty() && !name.contains('{') && braces_match(after)
}

/// Whether a path is one that means what it says.
fn path_fault(path: &str) -> Option<&'static str> {
    let dots = path.split(['/', '?']).any(|segment| matches!(segment, "." | ".."));
    let visible = path.bytes().all(|byte| byte.is_ascii_graphic());
    let plain = visible && !path.contains(['?', '#', '%', '\\']);
    (dots || !plain || !braces_match(path)).then_some(
        "the path is to be plain: values go in through arguments, the query through query()",
    )
}
