//! The default transport: real HTTP through reqwest.

use std::{error::Error as _, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};

use crate::{
    error::Error,
    transport::{HttpRequest, HttpResponse, Method, Transport, TransportError, TransportErrorKind},
};

/// A connection that is not made by then counts as never sent.
const CONNECT: Duration = Duration::from_secs(30);

/// The longest answer that is read unless said otherwise: several times the report of the largest
/// import, and what a machine can spare.
const LONGEST_ANSWER: usize = 512 * 1024 * 1024;

/// Sends requests over HTTP: TLS 1.2 or newer, connections reused, gzip, no redirects followed.
///
/// Proxies are taken from the usual environment variables.
#[derive(Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    longest_answer: usize,
}

impl ReqwestTransport {
    /// A transport with the environment's proxies.
    ///
    /// # Errors
    ///
    /// Fails when the system's certificates or the TLS library cannot be set up.
    pub fn new() -> Result<Self, Error> {
        Self::build(reqwest::Client::builder())
    }

    /// A transport that goes to the host itself, whatever proxies the environment names.
    ///
    /// # Errors
    ///
    /// Fails as [`new`](Self::new) does.
    pub fn without_proxy() -> Result<Self, Error> {
        Self::build(reqwest::Client::builder().no_proxy())
    }

    fn build(builder: reqwest::ClientBuilder) -> Result<Self, Error> {
        let client = builder
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT)
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .build()
            .map_err(|_| Error::config("the HTTP client could not be set up"))?;
        Ok(Self { client, longest_answer: LONGEST_ANSWER })
    }

    /// The same transport that gives up on an answer of more than `bytes`, counted after
    /// decompression. 512 MiB unless changed.
    #[must_use]
    pub fn with_longest_answer(self, bytes: usize) -> Self {
        Self { longest_answer: bytes, ..self }
    }

    /// Reads a body to its end, unless that is too far away.
    async fn read(&self, mut answer: reqwest::Response) -> Result<Vec<u8>, TransportError> {
        let told = answer.content_length().and_then(|length| usize::try_from(length).ok());
        if told.is_some_and(|length| length > self.longest_answer) {
            return Err(too_long());
        }
        let mut body = Vec::with_capacity(told.unwrap_or_default());
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if chunk.len() > self.longest_answer - body.len() {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn prepare(&self, request: &HttpRequest) -> Result<reqwest::Request, TransportError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let address = format!("{}{}", request.base, request.path_and_query);
        let mut builder = self.client.request(method, address).timeout(request.timeout);
        for (name, value) in &request.headers {
            let name = HeaderName::try_from(name).map_err(|_| not_sent("a header's name"))?;
            let mut value = HeaderValue::try_from(value).map_err(|_| not_sent("a header"))?;
            value.set_sensitive(name == reqwest::header::AUTHORIZATION);
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(Bytes::from_owner(SharedBody(Arc::clone(body))));
        }
        builder.build().map_err(|_| not_sent("the address"))
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let prepared = self.prepare(request)?;
        let answer = self.client.execute(prepared).await.map_err(failed)?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let body = self.read(answer).await?;
        Ok(HttpResponse { status, headers, body })
    }
}

/// Lets the body be sent, and sent again, without a copy.
struct SharedBody(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBody {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn not_sent(what: &str) -> TransportError {
    let message = format!("{what} cannot be sent over HTTP");
    TransportError { kind: TransportErrorKind::NotSent, message }
}

fn too_long() -> TransportError {
    let message = "the answer is longer than this client reads".to_owned();
    TransportError { kind: TransportErrorKind::MaybeSent, message }
}

/// Whether the service may have seen the request. A failed connect also covers proxies and TLS.
fn failed(error: reqwest::Error) -> TransportError {
    let (kind, what) = if error.is_connect() {
        (TransportErrorKind::NotSent, "no connection")
    } else if error.is_timeout() {
        (TransportErrorKind::TimedOut, "no answer in time")
    } else {
        (TransportErrorKind::MaybeSent, "the connection broke")
    };
    // reqwest's own message quotes the address, whose path may carry a person's. The innermost
    // cause comes from the operating system or the TLS library and does not.
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(|cause| cause.source()) {
        cause = Some(inner);
    }
    let message = match cause {
        Some(cause) => format!("{what}: {cause}"),
        None => what.to_owned(),
    };
    TransportError { kind, message }
}
