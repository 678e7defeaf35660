//! A small world for tests: a simulated account, a segment, a state store and virtual time.

use std::{sync::Arc, time::Duration};

use activation_core::{
    Activation, ApproveDigest, Clock, Engine, FingerprintKey, MemoryStore, RunReport, StateStore,
    dotdigital::{BatchLimits, Dotdigital},
    sources::MemorySource,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dotdigital_client::{
    Client, Clock as _, Credentials, RetryPolicy, Transport,
    simulator::{Simulator, SimulatorSettings, VirtualClock},
};

/// The engine's view of the simulator's clock.
#[derive(Clone, Debug)]
pub(crate) struct EngineClock(pub(crate) VirtualClock);

#[async_trait]
impl Clock for EngineClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) clock: VirtualClock,
    pub(crate) client: Client,
    pub(crate) source: MemorySource,
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) batch_limits: BatchLimits,
}

impl World {
    /// An empty account. The runtime's time must be paused.
    pub(crate) fn new() -> Self {
        Self::with(SimulatorSettings::default())
    }

    pub(crate) fn with(settings: SimulatorSettings) -> Self {
        let clock = VirtualClock::starting_at(monday());
        let credentials = Credentials::new(&settings.user, &settings.password);
        let simulator = Simulator::new(settings);
        let transport = Arc::new(simulator.transport(Arc::new(clock)));
        let client = client(credentials, transport, Arc::new(clock));
        Self {
            simulator,
            clock,
            client,
            source: MemorySource::new(Vec::<String>::new()),
            store: Arc::new(MemoryStore::new(key())),
            batch_limits: BatchLimits::default(),
        }
    }

    pub(crate) fn segment<K: Into<String>>(&self, members: impl IntoIterator<Item = K>) {
        self.source.set(members.into_iter().map(Into::into));
    }

    pub(crate) fn engine(&self) -> Engine {
        Engine::new(self.store.clone()).clock(Arc::new(EngineClock(self.clock)))
    }

    pub(crate) fn destination(&self) -> Dotdigital {
        Dotdigital::new(&self.client).batch_limits(self.batch_limits)
    }

    pub(crate) async fn run(&self, activation: &Activation) -> RunReport {
        self.engine().run(activation, &self.source, &self.destination()).await
    }

    pub(crate) async fn run_approved(&self, activation: &Activation, digest: &str) -> RunReport {
        let approver = Arc::new(ApproveDigest(digest.to_owned()));
        self.engine().approver(approver).run(activation, &self.source, &self.destination()).await
    }

    pub(crate) async fn plan(&self, activation: &Activation) -> RunReport {
        self.engine().plan(activation, &self.source, &self.destination()).await
    }

    pub(crate) async fn wait(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// Addresses on the list of that name, sorted; a member without an email shows the number.
    pub(crate) fn on_list(&self, name: &str) -> Vec<String> {
        self.simulator.finish_jobs(self.clock.now());
        let list = self.simulator.list_named(name).expect("the list exists");
        let members = self.simulator.members(list.id).into_iter();
        let mut addresses: Vec<String> =
            members.map(|contact| contact.email.or(contact.mobile).unwrap_or_default()).collect();
        addresses.sort();
        addresses
    }

    /// No call that deletes, empties, unsubscribes or replaces, and no channel status.
    pub(crate) fn assert_harmless(&self) {
        assert_eq!(self.simulator.forbidden_calls(), []);
        assert_eq!(self.simulator.status_writes(), 0);
    }
}

pub(crate) fn client(
    credentials: Credentials,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn dotdigital_client::Clock>,
) -> Client {
    Client::builder()
        .credentials(credentials)
        .endpoint("http://127.0.0.1:9")
        .transport(transport)
        .clock(clock)
        // The same waits in every replay of a seed.
        .retry(RetryPolicy { jitter_seed: Some(7), ..RetryPolicy::default() })
        .build()
        .expect("a client")
}

pub(crate) fn key() -> FingerprintKey {
    FingerprintKey::new([7; 16])
}

pub(crate) fn monday() -> DateTime<Utc> {
    "2026-11-23T06:00:00Z".parse().expect("a date")
}

/// `count` addresses, sorted.
pub(crate) fn people(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("person{number:06}@example.com")).collect()
}
