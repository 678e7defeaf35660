//! A faithful Dotdigital in memory, for tests, demos and hosts that want to try things out.
//!
//! One [`Simulator`] is one account. It holds contacts, identifiers, lists, suppression, the recycle
//! bin, Insight data, and jobs that take time, and answers calls as the service documents it,
//! refusing what the vendor's descriptions forbid. What is not known about the real service is a
//! switch ([`Switches`]). It behaves the same whenever it is asked the same: everything depends on
//! the account, the request and the time it is told.
//!
//! It is driven in two ways:
//!
//! * in process, as a [`Transport`](crate::transport::Transport): [`Simulator::transport`] with a
//!   [`VirtualClock`] runs hours of polling in milliseconds;
//! * over real HTTP, with the feature `simulator-server`: `SimulatorServer`.
//!
//! ```
//! use chrono::{DateTime, Utc};
//! use dotdigital_client::simulator::{Simulator, SimulatorSettings, Visibility};
//!
//! let simulator = Simulator::new(SimulatorSettings::default());
//! let jane = simulator.add_contact("jane@example.com");
//! let vip = simulator.add_list("VIP", Visibility::Private);
//! simulator.add_member(vip, jane);
//! assert_eq!(simulator.members(vip)[0].email.as_deref(), Some("jane@example.com"));
//! ```
//!
//! # Proving what is never called
//!
//! The calls that look like removal from a list and are not (deleting contacts, emptying lists,
//! unsubscribing, and so on) are here and do their harm, so that a test can show nobody makes them:
//! [`Simulator::forbidden_calls`] and [`Simulator::status_writes`] must stay empty.
//!
//! # What is left out
//!
//! Who is in a segment is set by the test and not worked out. The schema of a collection of Insight
//! data is learnt from its records; the fixed schemas that some kinds of collection have at the
//! service, such as orders, are not there.

mod account;
mod account_file;
mod api;
mod clock;
mod faults;
mod insight_data;
mod inspect;
mod ledger;
mod limits;
mod mix;
mod preferences;
mod programs;
mod segments;
#[cfg(feature = "simulator-server")]
mod server;
mod service;
mod settings;
mod switches;
mod transport;
mod views;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};

#[cfg(feature = "simulator-server")]
pub use self::server::SimulatorServer;
use self::service::{Delivery, Service};
pub use self::{
    account_file::{AccountFile, AccountFileError},
    clock::VirtualClock,
    faults::{Fault, FaultRule},
    insight_data::{InsightLimits, InsightRecordView},
    ledger::{LedgerEntry, SimulatedTier},
    programs::ProgramState,
    settings::{JobLatency, RateLimits, SimulatorSettings, TierLimits},
    switches::{
        BadList, ConflictCode, ContactIdForm, CustomIdentifierErrors, DataFieldCreated, EmailEcho,
        FailureCodeCase, InsightDataShapes, ListCreated, ListDeleted, ListReading,
        MistypedDataField, NonMemberRemoval, OversizeImport, RateReset, Reenrolment,
        RemovalStatusCase, ServerTimeBody, SuppressedAddition, Switches, ThrottleBody,
        UnknownDataField, UnknownRemoval,
    },
    transport::SimulatorTransport,
    views::{ContactView, DataFieldType, ListView, Visibility},
};
use crate::{
    clock::Clock,
    transport::{HttpRequest, HttpResponse},
};

/// One simulated account. Clones share it.
#[derive(Clone)]
pub struct Simulator {
    service: Arc<Mutex<Service>>,
}

impl Simulator {
    /// Opens an account that holds nothing but the system list `Test`.
    pub fn new(settings: SimulatorSettings) -> Self {
        Self { service: Arc::new(Mutex::new(Service::new(settings))) }
    }

    /// Answers a request that arrives at `now`. Jobs that are due by then have had their effect.
    ///
    /// A connection fault that a script asks for becomes 503 where the service did not act, and 504
    /// where it did; [`Self::transport`] shows such faults as what they are.
    pub fn handle(&self, request: &HttpRequest, now: DateTime<Utc>) -> HttpResponse {
        match self.deliver(request, now) {
            Delivery::Answered(response) => response,
            Delivery::Refused | Delivery::Reset { acted: false } => api::html(503),
            Delivery::Reset { acted: true } | Delivery::TimedOut => api::html(504),
        }
    }

    /// The account as a transport in process, on that clock.
    pub fn transport(&self, clock: Arc<dyn Clock>) -> SimulatorTransport {
        SimulatorTransport::new(self.clone(), clock)
    }

    /// Queues something to go wrong.
    pub fn inject(&self, rule: FaultRule) {
        self.lock().faults.inject(rule);
    }

    /// Lets calls go wrong at random from now on, each with that probability (0.0 to 1.0). The seed
    /// and the number of the call since then decide, so the same run meets the same faults.
    ///
    /// Only faults that leave no trace once they stop are drawn: lost connections and answers, 5xx,
    /// 429 of both kinds, a proxy's HTML and slow jobs.
    pub fn faults_from_seed(&self, seed: u64, probability: f64) {
        self.lock().faults.at_random(seed, probability);
    }

    /// Drops every rule and stops random faults. Jobs that are stuck already stay so.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Every endpoint that is answered, as [`Self::calls`] and the ledger name it.
    pub fn endpoints() -> Vec<&'static str> {
        api::endpoints()
    }

    /// How often each endpoint was called, such as `PUT /contacts/v3/import`.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().ledger.calls()
    }

    /// Every request that reached the service, in order.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.lock().ledger.entries.clone()
    }

    /// The calls that a list sync must never make, and that were made.
    pub fn forbidden_calls(&self) -> Vec<LedgerEntry> {
        self.lock().ledger.forbidden()
    }

    /// How many requests carried a channel's status and so could opt somebody in or out.
    pub fn status_writes(&self) -> u64 {
        self.lock().ledger.status_writes()
    }

    /// Forgets the calls made so far. Limits and jobs are not affected.
    pub fn reset_ledger(&self) {
        self.lock().ledger.entries.clear();
    }

    fn deliver(&self, request: &HttpRequest, now: DateTime<Utc>) -> Delivery {
        self.lock().deliver(request, now)
    }

    /// A panic elsewhere while the lock was held must not hide what happened.
    fn lock(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").finish_non_exhaustive()
    }
}
