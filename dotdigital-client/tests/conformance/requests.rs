//! Every request the client can build, against the description of its operation.

mod account;
mod contact_updates;
mod contacts;
mod custom_identifiers;
mod data_fields;
mod imports;
mod inputs;
mod insight_data;
mod list_members;
mod lists;
mod preferences;
mod programs;
mod segments;
mod suppressions;

use std::{
    collections::BTreeSet,
    fmt,
    future::Future,
    pin::Pin,
    slice,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use dotdigital_client::{
    Client, Credentials, HttpRequest, HttpResponse, Transport, TransportError, simulator::Switches,
};
use proptest::{
    prelude::{BoxedStrategy, Strategy},
    test_runner::{Config, TestCaseError, TestRunner},
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    descriptions::{Descriptions, descriptions, split},
    responses::calls_it_malformed,
    traffic::{self, Caller},
};

/// Inputs tried for each method.
const INPUTS: u32 = 64;

/// One method of the client with any inputs that it takes.
pub(crate) struct Case {
    /// `lists::Lists::create`.
    method: &'static str,
    /// The operations that all its requests have to be of: an input that leads to another one is
    /// a fault, whatever that other one is.
    endpoints: Vec<&'static str>,
    calls: BoxedStrategy<PreparedCall>,
}

/// A call with its inputs, to be made once.
struct PreparedCall(Box<dyn FnOnce(Client) -> Sending>);

type Sending = Pin<Box<dyn Future<Output = ()>>>;

impl fmt::Debug for PreparedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("call")
    }
}

/// A case from the inputs of a method and the way to call it. What the call returns does not
/// matter, since the service of these tests refuses everything.
pub(crate) fn case<S, C, F>(
    method: &'static str,
    endpoint: &'static str,
    inputs: S,
    call: C,
) -> Case
where
    S: Strategy + 'static,
    S::Value: 'static,
    C: Fn(Client, S::Value) -> F + Clone + 'static,
    F: Future<Output = ()> + 'static,
{
    let calls = inputs.prop_map(move |input| {
        let call = call.clone();
        PreparedCall(Box::new(move |client| Box::pin(call(client, input))))
    });
    Case { method, endpoints: vec![endpoint], calls: calls.boxed() }
}

impl Case {
    /// The same case of a method that also sends requests of another operation.
    fn and(mut self, endpoint: &'static str) -> Self {
        self.endpoints.push(endpoint);
        self
    }
}

fn cases() -> Vec<Case> {
    [
        account::cases(),
        contacts::cases(),
        custom_identifiers::cases(),
        data_fields::cases(),
        imports::cases(),
        insight_data::cases(),
        list_members::cases(),
        lists::cases(),
        preferences::cases(),
        programs::cases(),
        segments::cases(),
        suppressions::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Keeps every request and refuses it, but for imports and bulk removals, which are asked about
/// once they are under way.
#[derive(Debug, Default)]
struct Recorder {
    requests: Mutex<Vec<HttpRequest>>,
}

#[async_trait]
impl Transport for Recorder {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        Ok(match request.path_and_query.as_str() {
            "/contacts/v3/import" => HttpResponse {
                status: 202,
                body: br#"{"importId":"d7de900d-d337-43f6-b1e1-c8ec73e1a434"}"#.to_vec(),
                ..HttpResponse::default()
            },
            path if path.starts_with("/v2/address-books?") => {
                HttpResponse { status: 200, body: b"[]".to_vec(), ..HttpResponse::default() }
            }
            path if path.ends_with("/contacts/delete") => HttpResponse {
                status: 202,
                body: br#"{"id":"13e7b388-2060-4f58-b3dc-2885badf80ee","status":"Started"}"#
                    .to_vec(),
                ..HttpResponse::default()
            },
            _ => HttpResponse { status: 400, ..HttpResponse::default() },
        })
    }
}

/// The requests that a call sends.
fn requests_of(runtime: &Runtime, call: PreparedCall) -> Vec<HttpRequest> {
    let recorder = Arc::new(Recorder::default());
    let client = Client::builder()
        .credentials(Credentials::new("apiuser-1@apiconnector.com", "hunter2"))
        .endpoint("https://r1-api.dotdigital.com")
        .integration_token("{5a96bc79-19a7-4544-973b-e2da0c9136f9}")
        .transport(Arc::clone(&recorder) as _)
        .build()
        .unwrap();
    runtime.block_on((call.0)(client));
    std::mem::take(&mut *recorder.requests.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A runtime whose clock runs ahead whenever everything waits.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

#[test]
fn every_request_is_as_described() {
    let Some(descriptions) = descriptions("every_request_is_as_described") else { return };
    let runtime = runtime();
    let mut faults = Vec::new();
    for case in cases() {
        let mut runner = TestRunner::new(Config {
            cases: INPUTS,
            failure_persistence: None,
            ..Config::default()
        });
        let checked = runner.run(&case.calls, |call| {
            let requests = requests_of(&runtime, call);
            let faults = faults_of(descriptions, &case.endpoints, &requests);
            if faults.is_empty() { Ok(()) } else { Err(TestCaseError::fail(faults.join("; "))) }
        });
        if let Err(error) = checked {
            faults.push(format!("{}: {error}", case.method));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The methods of all cases, each with the operation that it was seen sending.
pub(crate) fn sent(descriptions: &Descriptions) -> BTreeSet<(&'static str, String)> {
    let runtime = runtime();
    let mut sent = BTreeSet::new();
    for case in cases() {
        let mut runner = TestRunner::deterministic();
        let call = case.calls.new_tree(&mut runner).unwrap().current();
        for request in requests_of(&runtime, call) {
            let (path, _) = split(&request.path_and_query);
            let operation = descriptions.operation_of(request.method.as_str(), path);
            sent.extend(operation.map(|operation| (case.method, operation.endpoint())));
        }
    }
    sent
}

fn faults_of(
    descriptions: &Descriptions,
    endpoints: &[&str],
    requests: &[HttpRequest],
) -> Vec<String> {
    if requests.is_empty() {
        return vec!["nothing was sent".to_owned()];
    }
    let mut faults = Vec::new();
    for request in requests {
        let (path, _) = split(&request.path_and_query);
        let shown = format!("{} {}", request.method, request.path_and_query);
        let body = request.body.as_ref().map(|body| String::from_utf8_lossy(body));
        let Some(operation) = descriptions.operation_of(request.method.as_str(), path) else {
            faults.push(format!("{shown}: no operation has this method and path"));
            continue;
        };
        if !endpoints.contains(&&*operation.endpoint()) {
            faults.push(format!(
                "{shown}: is {}, not {}",
                operation.endpoint(),
                endpoints.join(" or ")
            ));
        }
        let answer = Caller::new(Switches::default()).send(&sent_by_traffic(request));
        let why = String::from_utf8_lossy(&answer.body);
        if calls_it_malformed(&answer) || INVALID.iter().any(|code| why.contains(code)) {
            faults.push(format!("{shown}: the simulator cannot read it: {why}"));
        }
        let wrong = operation.request_faults(request).into_iter();
        faults.extend(
            wrong.map(|fault| format!("{shown} {}: {fault}", body.as_deref().unwrap_or(""))),
        );
    }
    faults
}

/// What the simulator says of a body whose parts do not make a whole. A description may call such a
/// body right, where it does not say what is required; the client builds none.
const INVALID: [&str; 4] = [
    "ERROR_ADDRESSBOOK_INVALID",
    "ERROR_CONTACT_INVALID",
    "ERROR_CONTACT_RESUBSCRIPTION_INVALID",
    "ERROR_ENROLMENT_INVALID",
];

/// The same request by somebody whom the simulator lets in.
fn sent_by_traffic(request: &HttpRequest) -> HttpRequest {
    let body = request.body.as_ref().map(|body| body.as_slice().to_vec());
    traffic::account::request(request.method, &request.path_and_query, body)
}

/// The checker itself: it would be worth nothing if it let faults pass.
#[test]
fn requests_that_are_wrong_are_told() {
    let Some(descriptions) = descriptions("requests_that_are_wrong_are_told") else { return };
    for (endpoint, path, body) in [
        ("POST /v2/address-books", "/v2/address-books", Some(r#"{"nmae":"x"}"#)),
        ("POST /v2/address-books", "/v2/address-books", Some(r#"{"name":1}"#)),
        ("POST /v2/address-books", "/v2/address-books", None),
        (
            "POST /v2/programs/enrolments",
            "/v2/programs/enrolments",
            Some(r#"{"programId":1,"contacts":[]}"#),
        ),
        ("POST /v2/segments/refresh/{id}", "/v2/segments/refresh/x", None),
        ("POST /v2/segments/refresh/{id}", "/v2/segments/refresh/3000000000", None),
        ("POST /v2/segments/refresh/{id}", "/v2/segments/refresh/1?select=1", None),
        ("POST /v2/address-books", "/v2/segments/refresh/1", None),
    ] {
        let (path, body) = (path.to_owned(), body.map(|body| Arc::new(body.as_bytes().to_vec())));
        let request = HttpRequest {
            method: dotdigital_client::Method::Post,
            base: String::new(),
            path_and_query: path,
            headers: Vec::new(),
            body,
            timeout: std::time::Duration::ZERO,
        };
        let faults = faults_of(descriptions, &[endpoint], slice::from_ref(&request));
        assert!(!faults.is_empty(), "{} {:?}", request.path_and_query, request.body);
    }
}
