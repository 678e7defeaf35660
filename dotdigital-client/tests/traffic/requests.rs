//! Arbitrary calls: of every endpoint and of none, from nearly right to noise.

use std::fmt;

use dotdigital_client::{HttpRequest, simulator::Simulator, transport::Method};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{prelude::*, sample::select};

use super::{
    account::{FIRST_JOBS, known, request},
    mutation::{mutated, values},
    samples::samples,
};

/// One call, before it is made.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    pub(crate) path_and_query: String,
    pub(crate) body: Option<Vec<u8>>,
    /// How long the caller waits before it, in seconds.
    pub(crate) wait: i64,
}

impl Sent {
    pub(crate) fn request(&self) -> HttpRequest {
        request(self.method, &self.path_and_query, self.body.clone())
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}s {} {}", self.wait, self.method, self.path_and_query)?;
        let body = self.body.as_ref().map(|body| String::from_utf8_lossy(body));
        body.map_or(Ok(()), |body| write!(f, " {body}"))
    }
}

/// Any call.
pub(crate) fn calls() -> impl Strategy<Value = Sent> {
    let aimed = select(Simulator::endpoints()).prop_flat_map(aimed);
    let noise =
        (methods(), "[ -~]{0,30}", prop::option::of(values())).prop_map(|(method, path, body)| {
            Sent {
                method,
                path_and_query: path,
                body: body.map(|body| body.to_string().into_bytes()),
                wait: 0,
            }
        });
    prop_oneof![12 => aimed, 1 => noise]
}

/// Calls of one endpoint.
fn aimed(endpoint: &'static str) -> impl Strategy<Value = Sent> {
    let (method, template) = endpoint.split_once(' ').unwrap();
    let own = method_named(method);
    let method = prop_oneof![19 => Just(own), 1 => methods()];
    let path = path(template);
    (method, path, queries(endpoint), bodies(endpoint), 0_i64..20).prop_map(
        |(method, path, query, body, wait)| Sent {
            method,
            path_and_query: if query.is_empty() { path } else { format!("{path}?{query}") },
            body,
            wait,
        },
    )
}

fn path(template: &str) -> impl Strategy<Value = String> + use<> {
    let segments: Vec<BoxedStrategy<String>> = template
        .split('/')
        .map(|segment| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => values_of(name),
            None => Just(segment.to_owned()).boxed(),
        })
        .collect();
    segments.prop_map(|segments| segments.join("/"))
}

/// Values of a path's parameter: mostly of the right kind.
fn values_of(parameter: &str) -> BoxedStrategy<String> {
    let list = known::LIST.to_string();
    let ann = known::ANN.to_string();
    let fitting: Vec<String> = match parameter {
        "date" => vec!["2020-01-01".to_owned(), "2026-01-02T03:04:05Z".to_owned()],
        "identifier" => ["email", "contactId", "mobileNumber", "crm-id"].map(str::to_owned).into(),
        "value" => vec!["ann@example.com".to_owned(), ann, "447123123123".to_owned()],
        "email" | "contactIdentifier" => vec!["ann@example.com".to_owned(), ann],
        "status" => vec!["Processing".to_owned(), "Finished".to_owned()],
        "name" => vec![
            "crm-id".to_owned(),
            "old-id".to_owned(),
            "FIRSTNAME".to_owned(),
            "SHOE_SIZE".to_owned(),
        ],
        "contactId" => vec![ann],
        "importId" | "deleteId" | "enrolmentId" | "jobId" => jobs(),
        "collectionName" => {
            vec![known::ORDERS.to_owned(), known::CATALOG.to_owned(), "Visits_2".to_owned()]
        }
        "recordId" => vec![known::RECORD.to_owned(), "A2".to_owned()],
        "preferenceId" => vec![known::PREFERENCE.to_string()],
        _ => {
            let ids = [list, ann, known::SEGMENT.to_string(), "1".to_owned(), "2".to_owned()];
            ids.into_iter().chain(jobs()).collect()
        }
    };
    let noise = prop_oneof![
        select(NOISE.to_vec()).prop_map(str::to_owned),
        ".{1,9}",
        Just("x".repeat(300)),
    ];
    let encode = |text: String| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
    prop_oneof![5 => select(fitting), 1 => noise].prop_map(encode).boxed()
}

/// Ids of jobs: some of theirs may have been started by the time they are asked for.
fn jobs() -> Vec<String> {
    FIRST_JOBS.iter().cloned().chain([NO_JOB.to_owned()]).collect()
}

fn queries(endpoint: &str) -> BoxedStrategy<String> {
    if endpoint.starts_with("POST /insightData/v3/collections/") {
        // Nothing would ever be created without its two parameters.
        let scopes = select(vec!["account", "contact", "Contact"]);
        let kinds = select(vec!["orders", "custom", "webInsight", "other"]);
        let both = (scopes, kinds)
            .prop_map(|(scope, kind)| format!("collectionScope={scope}&collectionType={kind}"));
        return prop_oneof![4 => both, 1 => any_queries()].boxed();
    }
    any_queries().boxed()
}

fn any_queries() -> impl Strategy<Value = String> {
    let names = select(vec![
        "~listId",
        "~segmentId",
        "~created",
        "~modified",
        "limit",
        "marker",
        "include",
        "data-fields",
        "sort",
        "merge-option",
        "select",
        "skip",
        "minContactID",
        "withFullData",
        "collectionScope",
        "collectionType",
        "nonsense",
    ]);
    let known = select(vec![
        "101",
        "102",
        "0",
        "1",
        "2",
        "1000",
        "1001",
        "5001",
        "-1",
        "true",
        "lists",
        "lists|channelProperties|preferences|consentRecords",
        "overwrite",
        "overwrite-if-not-empty",
        "gte::2021-01-01T00:00:00Z",
        "[[ALL]]",
        "FIRSTNAME|LASTNAME",
    ]);
    let values = prop_oneof![5 => known.prop_map(str::to_owned), 1 => ".{0,8}"];
    let pair = (names, values).prop_map(|(name, value)| {
        format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC))
    });
    prop_oneof![
        3 => Just(String::new()),
        2 => prop::collection::vec(pair, 1..3).prop_map(|pairs| pairs.join("&")),
    ]
}

fn bodies(endpoint: &str) -> BoxedStrategy<Option<Vec<u8>>> {
    let samples = samples(endpoint);
    if samples.is_empty() {
        return Just(None).boxed();
    }
    let bytes = |value: serde_json::Value| Some(value.to_string().into_bytes());
    prop_oneof![
        8 => select(samples).prop_flat_map(mutated).prop_map(bytes),
        2 => values().prop_map(bytes),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(Some),
        1 => Just(None),
    ]
    .boxed()
}

fn methods() -> impl Strategy<Value = Method> {
    select(vec![Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete])
}

pub(super) fn method_named(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        other => panic!("an endpoint with the method {other}"),
    }
}

/// The form of a job's id; no job has it.
const NO_JOB: &str = "d7de900d-d337-43f6-b1e1-c8ec73e1a434";

const NOISE: [&str; 12] = [
    "0",
    "-1",
    "999",
    "4711",
    "2147483648",
    "99999999999999999999",
    "1.5",
    "zoe@example.com",
    "%",
    "+447123123123",
    "Finished",
    "yesterday",
];
