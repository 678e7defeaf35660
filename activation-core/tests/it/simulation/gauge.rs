//! Watches what one client sends: within what it was told of tiers and job slots.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use dotdigital_client::{
    Clock as _, HttpRequest, HttpResponse, Transport, TransportError, simulator::VirtualClock,
};

use super::clock::Machine;

/// Jobs that the engine has under way together, of imports and removals each.
const MOST_IN_FLIGHT: usize = 4;
/// The least pause after all slots were found taken.
const SLOT_PAUSE: TimeDelta = TimeDelta::seconds(1);
const IMPORT: &str = "/contacts/v3/import";

/// What a client was told, and whether it kept to it.
#[derive(Debug, Default)]
pub(super) struct Gauge(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// Tiers of which no call is left, and until when.
    used_up: BTreeMap<String, DateTime<Utc>>,
    /// Calls whose tier was told before.
    known: BTreeSet<String>,
    /// When all slots for imports were found taken.
    slots_full_at: Option<DateTime<Utc>>,
    /// Jobs of the run that have not been seen to end.
    jobs: BTreeSet<String>,
    /// How often the clock was set when the above was told.
    jumps: i64,
    broken: Vec<String>,
}

impl Gauge {
    /// A run begins, and leaves jobs of earlier ones alone.
    pub(super) fn begin_run(&self) {
        self.0.lock().expect("no poison").jobs.clear();
    }

    /// What the client did against what it was told.
    pub(super) fn broken(&self) -> Vec<String> {
        self.0.lock().expect("no poison").broken.clone()
    }
}

/// A connection with a gauge.
#[derive(Debug)]
pub(super) struct GaugedTransport {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) gauge: Arc<Gauge>,
    pub(super) world: VirtualClock,
    pub(super) machine: Machine,
}

#[async_trait]
impl Transport for GaugedTransport {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let sent_at = self.world.now();
        let response = self.transport.send(request).await?;
        // A client whose clock is wrong cannot know when a window ends.
        let told = &mut *self.gauge.0.lock().expect("no poison");
        if !self.machine.is_right() || self.machine.jumps() != told.jumps {
            told.used_up.clear();
            told.slots_full_at = None;
            told.jumps = self.machine.jumps();
        }
        if self.machine.is_right() {
            told.check_tier(sent_at, request, &response);
        }
        told.check_slots(sent_at, request, &response);
        told.check_jobs(&response);
        Ok(response)
    }
}

impl Told {
    fn check_tier(
        &mut self,
        sent_at: DateTime<Utc>,
        request: &HttpRequest,
        response: &HttpResponse,
    ) {
        let header = |name: &str| {
            let mut headers = response.headers.iter();
            headers.find(|(header, _)| header == name).map(|(_, value)| value.as_str())
        };
        let Some(tier) = header("X-RateLimit-Scope") else { return };
        let is_known = !self.known.insert(endpoint(request));
        if is_known && self.used_up.get(tier).is_some_and(|until| sent_at < *until) {
            self.broken.push(format!("a call of {tier} although none was left"));
        }
        let number = |name| header(name).and_then(|value| value.parse::<i64>().ok());
        let (remaining, reset) = (number("X-RateLimit-Remaining"), number("X-RateLimit-Reset"));
        let until = match reset {
            Some(epoch) if epoch > 1_000_000_000 => DateTime::from_timestamp(epoch, 0),
            // Counted from whole seconds.
            Some(seconds) => DateTime::from_timestamp(sent_at.timestamp() + seconds, 0),
            None => None,
        };
        match until.filter(|_| remaining == Some(0)) {
            Some(until) => _ = self.used_up.insert(tier.to_owned(), until),
            None => _ = self.used_up.remove(tier),
        }
    }

    fn check_slots(
        &mut self,
        sent_at: DateTime<Utc>,
        request: &HttpRequest,
        response: &HttpResponse,
    ) {
        if request.path_and_query != IMPORT {
            return;
        }
        if self.slots_full_at.is_some_and(|full_at| sent_at < full_at + SLOT_PAUSE) {
            self.broken.push("an import at once after all slots were taken".to_owned());
        }
        let body = String::from_utf8_lossy(&response.body);
        self.slots_full_at = body.contains("tooManyActiveImports").then_some(sent_at);
    }

    fn check_jobs(&mut self, response: &HttpResponse) {
        let Ok(body) = serde_json::from_slice::<serde_json::Value>(&response.body) else { return };
        let text = |names: &[&str]| {
            let value = names.iter().find_map(|name| body.get(name))?;
            value.as_str().map(str::to_owned)
        };
        let state = text(&["status", "Status"]).unwrap_or_default();
        let Some(job) = text(&["importId", "id", "Id"]) else { return };
        let is_done = !matches!(state.to_lowercase().as_str(), "" | "notfinished" | "started");
        match response.status {
            202 => _ = self.jobs.insert(job),
            200 if is_done => _ = self.jobs.remove(&job),
            _ => {}
        }
        if self.jobs.len() > MOST_IN_FLIGHT {
            self.broken.push(format!("{} jobs under way together", self.jobs.len()));
        }
    }
}

/// Method and path, with a star for whatever is no word.
fn endpoint(request: &HttpRequest) -> String {
    let path = request.path_and_query.split('?').next().unwrap_or_default();
    let is_word = |part: &&str| {
        let is_version = matches!(*part, "v2" | "v3");
        is_version || part.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
    };
    let parts: Vec<&str> =
        path.split('/').map(|part| if is_word(&part) { part } else { "*" }).collect();
    format!("{:?} {}", request.method, parts.join("/"))
}
