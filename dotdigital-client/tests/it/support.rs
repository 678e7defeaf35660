//! Helpers of the tests: a virtual clock, a scripted transport, a recording server.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use dotdigital_client::{
    Client, ClientBuilder, Clock, Credentials, EmailAddress, HttpRequest, HttpResponse, Identifier,
    ListId, Transport, TransportError, TransportErrorKind,
    lists::{ListName, NewList, Visibility},
};
use tokio::time::Instant;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

/// A clock over tokio's timer, so that a paused runtime makes hours pass in no time.
#[derive(Debug)]
pub(crate) struct VirtualClock {
    started: Instant,
}

impl VirtualClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { started: Instant::now() })
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

pub(crate) fn epoch() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        epoch() + TimeDelta::from_std(self.elapsed()).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// What a scripted transport does with one request.
pub(crate) type Outcome = Result<HttpResponse, TransportErrorKind>;

/// Plays a script, one outcome per request, and keeps the requests.
#[derive(Debug, Default)]
pub(crate) struct Script {
    outcomes: Mutex<VecDeque<Outcome>>,
    requests: Mutex<Vec<HttpRequest>>,
}

impl Script {
    pub(crate) fn new(outcomes: impl IntoIterator<Item = Outcome>) -> Arc<Self> {
        let outcomes = Mutex::new(outcomes.into_iter().collect());
        Arc::new(Self { outcomes, requests: Mutex::default() })
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.requests.lock().unwrap().push(request.clone());
        let outcome = self.outcomes.lock().unwrap().pop_front().expect("the script is over");
        outcome.map_err(|kind| TransportError { kind, message: "as scripted".to_owned() })
    }
}

pub(crate) fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body: body.into() }
}

pub(crate) fn with_headers(mut answer: HttpResponse, headers: &[(&str, &str)]) -> HttpResponse {
    answer.headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    answer
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("apiuser-1@apiconnector.com", "hunter2")
}

/// A client in virtual time over a transport.
pub(crate) fn virtual_client(transport: Arc<dyn Transport>) -> (Client, Arc<VirtualClock>) {
    let clock = VirtualClock::new();
    (virtual_builder(transport, &clock).build().unwrap(), clock)
}

pub(crate) fn virtual_builder(
    transport: Arc<dyn Transport>,
    clock: &Arc<VirtualClock>,
) -> ClientBuilder {
    Client::builder()
        .credentials(credentials())
        .endpoint("https://r2-api.dotdigital.com")
        .transport(transport)
        .clock(Arc::clone(clock) as _)
}

/// A real HTTP server that gives one answer to everything, and a client of it.
pub(crate) async fn serve(status: u16, body: &str) -> (MockServer, Client) {
    let server = MockServer::start().await;
    let answer =
        ResponseTemplate::new(status).set_body_raw(body, "application/json; charset=utf-8");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client =
        Client::builder().credentials(credentials()).endpoint(server.uri()).build().unwrap();
    (server, client)
}

/// The one request that the server got.
pub(crate) async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

pub(crate) fn email(text: &str) -> Identifier {
    Identifier::Email(EmailAddress::parse(text).unwrap())
}

pub(crate) fn list_id(id: i32) -> ListId {
    ListId::new(id).unwrap()
}

pub(crate) fn new_list(name: &str) -> NewList {
    NewList { name: ListName::parse(name).unwrap(), visibility: Visibility::Private }
}

/// A simulated account, a client of it in process, and the clock of both.
#[cfg(feature = "simulator")]
pub(crate) fn simulated(
    settings: dotdigital_client::simulator::SimulatorSettings,
) -> (
    Client,
    dotdigital_client::simulator::Simulator,
    Arc<dotdigital_client::simulator::VirtualClock>,
) {
    use dotdigital_client::simulator;
    let credentials = Credentials::new(settings.user.clone(), settings.password.clone());
    let simulator = simulator::Simulator::new(settings);
    let clock = Arc::new(simulator::VirtualClock::starting_at(epoch()));
    let client = Client::builder()
        .credentials(credentials)
        .region(dotdigital_client::Region::R1)
        .transport(Arc::new(simulator.transport(clock.clone())))
        .clock(clock.clone())
        .build()
        .unwrap();
    (client, simulator, clock)
}
