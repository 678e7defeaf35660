//! The simulator, called the way a client calls it.

mod access;
mod bulk_deletion;
mod consent_records;
mod contacts;
mod creation;
mod custom_identifiers;
mod danger;
mod data_fields;
mod faults;
mod fuzz;
mod imports;
mod insight_data;
mod list_additions;
mod list_reads;
mod list_suppression;
mod lists;
mod member_pages;
mod paging;
mod preferences;
mod programs;
mod removals;
mod scale;
mod segments;
#[cfg(feature = "simulator-server")]
mod server;
mod shapes;
mod strictness;
mod suppressions;
mod switches;
mod transport;

use std::{cell::Cell, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use dotdigital_client::{
    simulator::{Simulator, SimulatorSettings, Switches},
    transport::{HttpRequest, HttpResponse, Method},
};
use serde_json::{Value, json};

/// Somebody who calls one account, at a time of her own.
struct Caller {
    simulator: Simulator,
    now: Cell<DateTime<Utc>>,
}

impl Caller {
    fn new() -> Self {
        Self::with(SimulatorSettings::default())
    }

    fn with(settings: SimulatorSettings) -> Self {
        Self { simulator: Simulator::new(settings), now: Cell::new(start()) }
    }

    fn switched(switches: Switches) -> Self {
        Self::with(SimulatorSettings { switches, ..SimulatorSettings::default() })
    }

    fn get(&self, path: &str) -> Reply {
        self.call(Method::Get, path, None)
    }

    fn delete(&self, path: &str) -> Reply {
        self.call(Method::Delete, path, None)
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::Post, path, Some(body))
    }

    fn put(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::Put, path, Some(body))
    }

    fn patch(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::Patch, path, Some(body))
    }

    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        Reply(self.simulator.handle(&request(method, path, body), self.now.get()))
    }

    fn wait(&self, seconds: i64) {
        self.now.set(self.now.get() + TimeDelta::seconds(seconds));
    }

    /// Hands in an import, waits for an hour, and returns what became of it.
    fn import(&self, contacts: &Value) -> Value {
        let reply = self.put("/contacts/v3/import", &json!({"contacts": contacts}));
        let id = reply.expect(202)["importId"].as_str().expect("an import id").to_owned();
        self.wait(3_600);
        self.get(&format!("/contacts/v3/import/{id}")).expect(200)
    }
}

/// An answer, for looking into.
struct Reply(HttpResponse);

impl Reply {
    fn status(&self) -> u16 {
        self.0.status
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.0.header(name)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.0.body).expect("a JSON body")
    }

    #[track_caller]
    fn expect(&self, status: u16) -> Value {
        let body = String::from_utf8_lossy(&self.0.body);
        assert_eq!(self.0.status, status, "{body}");
        if self.0.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The v2 error code.
    #[track_caller]
    fn code(&self, status: u16) -> String {
        let body = self.expect(status);
        body["message"].as_str().expect("a message").rsplit(' ').next().expect("a word").to_owned()
    }

    /// The v3 error code.
    #[track_caller]
    fn error_code(&self, status: u16) -> String {
        let body = self.expect(status);
        assert!(body["description"].is_string());
        body["errorCode"].as_str().expect("an error code").to_owned()
    }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("a date")
}

fn request(method: Method, path: &str, body: Option<&Value>) -> HttpRequest {
    let user = SimulatorSettings::default();
    let token = STANDARD.encode(format!("{}:{}", user.user, user.password));
    HttpRequest {
        method,
        base: "https://r1-api.example.com".to_owned(),
        path_and_query: path.to_owned(),
        headers: vec![
            ("authorization".to_owned(), format!("Basic {token}")),
            ("content-type".to_owned(), "application/json; charset=utf-8".to_owned()),
        ],
        body: body.map(|body| Arc::new(body.to_string().into_bytes())),
        timeout: Duration::from_secs(121),
    }
}

/// A row of an import that is matched by email.
fn by_email(email: &str) -> Value {
    json!({"matchIdentifier": "email", "identifiers": {"email": email}})
}

/// Such a row that also adds to a list.
fn onto_list(email: &str, list: i32) -> Value {
    json!({"matchIdentifier": "email", "identifiers": {"email": email}, "lists": [list]})
}
