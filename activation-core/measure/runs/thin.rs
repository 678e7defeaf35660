//! An account that needs next to no memory, so that what a process takes is the engine's: contacts
//! are numbers, jobs under way are lists of numbers, and nobody remembers who is on the list.
//!
//! It answers the calls of a run as the simulator does, in the same shape and size, and nothing else.
//! Whether the right people end up on the list is for the simulator to say.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dotdigital_client::{
    Clock as _, HttpRequest, HttpResponse, Method, Transport, TransportError,
    simulator::{JobLatency, VirtualClock},
};

use crate::members::{DIGITS, PREFIX, address};

const LIST: &str = r#"{"id":7,"name":"everybody","visibility":"Private","contacts":0}"#;

/// Answers for an account with one list.
#[derive(Debug)]
pub(crate) struct ThinAccount {
    clock: VirtualClock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    has_list: bool,
    jobs: HashMap<String, Job>,
    last_job: u32,
}

#[derive(Debug)]
struct Job {
    /// Members to import; nobody where it is a removal.
    members: Vec<u32>,
    ends: DateTime<Utc>,
}

impl ThinAccount {
    pub(crate) fn new(clock: VirtualClock, has_list: bool) -> Self {
        let state = State { has_list, jobs: HashMap::new(), last_job: 0 };
        Self { clock, state: Mutex::new(state) }
    }

    fn answer(&self, request: &HttpRequest) -> (u16, String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let path = request.path_and_query.split('?').next().unwrap_or_default();
        let body = request.body.as_deref().map_or(&[][..], Vec::as_slice);
        let last = path.rsplit('/').next().unwrap_or_default();
        match (request.method, path) {
            (Method::Get, "/v2/account-info") => (200, r#"{"id":1,"properties":[]}"#.to_owned()),
            (Method::Get, "/v2/address-books/7") if state.has_list => (200, LIST.to_owned()),
            (Method::Get, "/v2/address-books") => {
                (200, if state.has_list { format!("[{LIST}]") } else { "[]".to_owned() })
            }
            (Method::Post, "/v2/address-books") => {
                state.has_list = true;
                (200, LIST.to_owned())
            }
            (Method::Put, "/contacts/v3/import") => {
                let members = members(body);
                let length = JobLatency::default().of(members.len());
                let id = state.submit(members, now, length);
                (202, format!(r#"{{"importId":"{id}"}}"#))
            }
            (Method::Get, _) if path.starts_with("/contacts/v3/import/") => {
                match state.take_ended(last, now) {
                    Some(members) => (200, report(last, &members)),
                    None => (200, format!(r#"{{"importId":"{last}","status":"NotFinished"}}"#)),
                }
            }
            (Method::Post, "/v2/address-books/7/contacts/delete") => {
                let contacts = body.iter().filter(|byte| **byte == b',').count() + 1;
                let id = state.submit(Vec::new(), now, JobLatency::default().of(contacts));
                (202, format!(r#"{{"id":"{id}","status":"Started"}}"#))
            }
            (Method::Get, _) if path.starts_with("/v2/contacts/deletion/") => {
                let ended = state.take_ended(last, now).is_some();
                let status = if ended { "Completed" } else { "Started" };
                (200, format!(r#"{{"id":"{last}","status":"{status}"}}"#))
            }
            _ => (404, r#"{"message":"not in this account"}"#.to_owned()),
        }
    }
}

#[async_trait]
impl Transport for ThinAccount {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let (status, body) = self.answer(request);
        Ok(HttpResponse { status, headers: Vec::new(), body: body.into_bytes() })
    }
}

impl State {
    fn submit(&mut self, members: Vec<u32>, now: DateTime<Utc>, length: Duration) -> String {
        self.last_job += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.last_job);
        self.jobs.insert(id.clone(), Job { members, ends: now + length });
        id
    }

    /// What an ended job was about. It is forgotten; the engine asks once.
    fn take_ended(&mut self, id: &str, now: DateTime<Utc>) -> Option<Vec<u32>> {
        self.jobs.get(id).filter(|job| job.ends <= now)?;
        self.jobs.remove(id).map(|job| job.members)
    }
}

/// The numbers of the members in the body of an import.
fn members(body: &[u8]) -> Vec<u32> {
    let number = |window: &[u8]| {
        let digits = window.strip_prefix(PREFIX.as_bytes())?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    body.windows(PREFIX.len() + DIGITS).filter_map(number).collect()
}

fn report(id: &str, members: &[u32]) -> String {
    let mut report = String::with_capacity(128 + members.len() * 96);
    let count = members.len();
    let _ = write!(
        report,
        r#"{{"importId":"{id}","status":"Finished","summary":{{"newContacts":{count},"updatedContacts":0,"globallySuppressed":0,"invalidEntries":0,"duplicateIdentifiers":0}},"created":["#
    );
    for (index, member) in members.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let (contact, email) = (member + 1, address(*member));
        let _ = write!(
            report,
            r#"{comma}{{"contactId":{contact},"identifiers":{{"email":"{email}"}}}}"#
        );
    }
    report.push_str(r#"],"updated":[],"failures":[]}"#);
    report
}
