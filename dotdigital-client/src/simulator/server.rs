//! The simulator as an HTTP server.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use super::Simulator;
use crate::{
    clock::Clock,
    transport::{HttpRequest, HttpResponse, Method},
};

/// A [`Simulator`] that listens on a socket until it is dropped.
///
/// A server cannot refuse or break a connection on purpose: where a fault script asks for that, it
/// answers 503 if the simulator did not act and 504 if it did, each with a page of HTML.
pub struct SimulatorServer {
    url: String,
    /// Serves as long as it lives.
    _server: MockServer,
}

impl SimulatorServer {
    /// Serves `simulator` on `listener`, at the time that `clock` tells.
    ///
    /// # Errors
    ///
    /// Fails when the listener has no address.
    pub async fn start(
        simulator: Simulator,
        listener: TcpListener,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let url = format!("http://{}", listener.local_addr()?);
        let server =
            MockServer::builder().listener(listener).disable_request_recording().start().await;
        let answer = Answer { simulator, clock, base: url.clone() };
        Mock::given(any()).respond_with(answer).mount(&server).await;
        Ok(Self { url, _server: server })
    }

    /// Serves `simulator` on a free port of this machine only.
    ///
    /// # Errors
    ///
    /// Fails when no port can be had.
    pub async fn on_any_port(simulator: Simulator, clock: Arc<dyn Clock>) -> io::Result<Self> {
        Self::start(simulator, TcpListener::bind(("127.0.0.1", 0))?, clock).await
    }

    /// Scheme and authority to call, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl std::fmt::Debug for SimulatorServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatorServer").field("url", &self.url).finish_non_exhaustive()
    }
}

struct Answer {
    simulator: Simulator,
    clock: Arc<dyn Clock>,
    base: String,
}

impl Respond for Answer {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        match read(request, &self.base) {
            Some(request) => template(&self.simulator.handle(&request, self.clock.now())),
            None => ResponseTemplate::new(405),
        }
    }
}

/// The request in our own words; `None` for a method the service does not use.
fn read(request: &Request, base: &str) -> Option<HttpRequest> {
    let method = match request.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => return None,
    };
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = request.headers.iter();
    Some(HttpRequest {
        method,
        base: base.to_owned(),
        path_and_query: format!("{}{query}", request.url.path()),
        headers: headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
        body: (!request.body.is_empty()).then(|| Arc::new(request.body.clone())),
        timeout: Duration::MAX,
    })
}

fn template(response: &HttpResponse) -> ResponseTemplate {
    let mut template = ResponseTemplate::new(response.status);
    if !response.body.is_empty() {
        let kind = response.header("content-type").unwrap_or("application/octet-stream");
        template = template.set_body_raw(response.body.clone(), kind);
    }
    for (name, value) in &response.headers {
        if !name.eq_ignore_ascii_case("content-type") {
            template = template.insert_header(name.as_str(), value.as_str());
        }
    }
    template
}
