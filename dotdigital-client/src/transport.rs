//! The seam between building a call and sending it.
//!
//! A [`Transport`] sends one prepared request once. It knows nothing of retries, limits or
//! credentials. [`reqwest`](crate::ReqwestTransport) is the default one; the simulator is another.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

/// An HTTP method used by the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// The method's name as it stands in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request ready to be sent: absolute address, headers with credentials, replayable body.
///
/// `Debug` shows method and sizes only: paths of this API carry addresses of people, headers carry
/// the password.
#[derive(Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Scheme and authority, without a trailing slash: `https://r1-api.dotdigital.com`.
    pub base: String,
    /// Percent-encoded path and query, starting with `/`.
    pub path_and_query: String,
    /// Headers in the order they are sent; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, shared so that a retry costs nothing.
    pub body: Option<Arc<Vec<u8>>>,
    /// How long this attempt may take. A transport that is slower fails with
    /// [`TransportErrorKind::TimedOut`].
    pub timeout: Duration,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("base", &self.base)
            .field("body_bytes", &self.body.as_ref().map_or(0, |body| body.len()))
            .finish_non_exhaustive()
    }
}

/// What came back: status, headers and the whole body.
///
/// `Debug` shows status and size only, since bodies carry addresses of people.
#[derive(Clone, Default)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Headers; names in any case.
    pub headers: Vec<(String, String)>,
    /// The body, empty where there was none.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Whether a request that brought no answer may have been acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection was made: the service never saw the request.
    NotSent,
    /// The connection broke after the request was under way: the service may have acted on it.
    MaybeSent,
    /// No answer in time: the service may have acted on it.
    TimedOut,
}

/// Why a request brought no answer. Carries no address, header or body.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// Whether the service may have acted.
    pub kind: TransportErrorKind,
    /// What happened, without address, credentials or body.
    pub message: String,
}

/// Sends one request once.
///
/// # Contract
///
/// * One call of `send` is at most one request on the wire: no retry, no redirect.
/// * Any status is an `Ok`; an `Err` means that no complete answer was received.
/// * [`TransportErrorKind::NotSent`] is only used when the service cannot have acted.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` and reads the whole answer.
    ///
    /// # Errors
    ///
    /// Fails when no complete answer arrived within the request's timeout.
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError>;
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        (**self).send(request).await
    }
}
