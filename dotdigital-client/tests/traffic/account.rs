//! An account that holds some of everything, and somebody who calls it.

use std::{
    cell::Cell,
    sync::{Arc, LazyLock},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use dotdigital_client::{
    HttpRequest, HttpResponse,
    simulator::{ProgramState, Simulator, SimulatorSettings, Switches, Visibility},
    transport::Method,
};
use serde_json::{Value, json};

/// When the first call is made, in seconds since 1970.
const START: i64 = 1_790_000_000;

/// The ids of what a new account holds: they never change, so requests can be made up beforehand.
pub(crate) mod known {
    pub(crate) const LIST: i32 = 101;
    pub(crate) const SEGMENT: i32 = 102;
    pub(crate) const ANN: i64 = 1_001;
    pub(crate) const CATEGORY: i32 = 1;
    pub(crate) const PREFERENCE: i32 = 2;
    pub(crate) const PROGRAM: i32 = 1;
    pub(crate) const ORDERS: &str = "Orders";
    pub(crate) const CATALOG: &str = "Catalog";
    pub(crate) const RECORD: &str = "A1";
}

/// Somebody who calls one account, at a time of her own.
pub(crate) struct Caller {
    pub(crate) simulator: Simulator,
    now: Cell<DateTime<Utc>>,
}

impl Caller {
    /// A caller of an account that holds some of everything.
    pub(crate) fn new(switches: Switches) -> Self {
        let simulator = Simulator::new(SimulatorSettings {
            switches,
            custom_identifiers: ["crm-id", "old-id"].map(str::to_owned).into(),
            ..SimulatorSettings::default()
        });
        let list = simulator.add_list("VIP", Visibility::Private);
        assert_eq!(list, known::LIST);
        assert_eq!(simulator.add_segment("Lapsed"), known::SEGMENT);
        let ann = simulator.add_contact("ann@example.com");
        assert_eq!(ann, known::ANN);
        simulator.set_identifier(ann, "mobileNumber", "447123123123");
        simulator.set_identifier(ann, "crm-id", "A1");
        simulator.use_custom_identifier("crm-id", "Program 7");
        simulator.use_data_field("POSTCODE", "Program 7");
        simulator.add_mobile_contact("447000000001");
        simulator.add_member(list, ann);
        simulator.add_segment_member(known::SEGMENT, ann);
        simulator.add_campaign(list, "May", "News of May");
        assert_eq!(simulator.add_preference_category("Topics"), known::CATEGORY);
        let news = simulator.add_preference("News", Some(known::CATEGORY));
        assert_eq!(news, known::PREFERENCE);
        simulator.set_preference(ann, news, true);
        let bob = simulator.add_contact("bob@example.com");
        simulator.suppress_contact(bob);
        assert_eq!(simulator.add_program("Welcome", ProgramState::Active), known::PROGRAM);
        simulator.add_program("Later", ProgramState::Draft);
        let now = DateTime::from_timestamp(START, 0).unwrap();
        let caller = Self { simulator, now: Cell::new(now) };
        caller.add_insight_data();
        caller
    }

    /// A collection of contacts, one of the account, and a record in each.
    fn add_insight_data(&self) {
        let base = "/insightData/v3";
        for (name, kind, records) in [
            (
                known::ORDERS,
                "collectionScope=contact&collectionType=orders",
                "contacts/contactId/1001",
            ),
            (known::CATALOG, "collectionScope=account&collectionType=catalog", "account"),
        ] {
            let create = format!("{base}/collections/{name}?{kind}");
            assert_eq!(self.send(&request(Method::Post, &create, None)).status, 201);
            let record = format!("{base}/{records}/{name}/{}", known::RECORD);
            let content = json!({"price": 56, "at": "2026-01-02T03:04:05Z"});
            let put = json_request(Method::Put, &record, Some(&content));
            assert_eq!(self.send(&put).status, 201);
        }
    }

    pub(crate) fn wait(&self, seconds: i64) {
        self.now.set(self.now.get() + TimeDelta::seconds(seconds));
    }

    pub(crate) fn send(&self, request: &HttpRequest) -> HttpResponse {
        self.simulator.handle(request, self.now.get())
    }
}

/// The ids of the first jobs that any such account is given, whatever they do.
pub(crate) static FIRST_JOBS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let caller = Caller::new(Switches::default());
    let path = format!("/v2/address-books/{}/contacts/delete-all", known::LIST);
    let job = || {
        let answer = caller.send(&request(Method::Post, &path, None));
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        answer["id"].as_str().unwrap().to_owned()
    };
    (0..3).map(|_| job()).collect()
});

/// A request with credentials that are let in.
pub(crate) fn request(method: Method, path_and_query: &str, body: Option<Vec<u8>>) -> HttpRequest {
    let user = SimulatorSettings::default();
    let token = STANDARD.encode(format!("{}:{}", user.user, user.password));
    let mut headers = vec![("authorization".to_owned(), format!("Basic {token}"))];
    if body.is_some() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    HttpRequest {
        method,
        base: "https://r1-api.example.com".to_owned(),
        path_and_query: path_and_query.to_owned(),
        headers,
        body: body.map(Arc::new),
        timeout: Duration::from_secs(121),
    }
}

/// A request with a JSON body, or none.
pub(crate) fn json_request(method: Method, path: &str, body: Option<&Value>) -> HttpRequest {
    request(method, path, body.map(|body| body.to_string().into_bytes()))
}
