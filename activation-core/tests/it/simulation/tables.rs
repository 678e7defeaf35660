//! The state of a history in a real PostgreSQL server.
//!
//! The time of a history stands still, and jumps whenever nothing is to do. A server keeps to no
//! clock of ours, so the store and its connections live on a runtime of their own, and the history
//! waits for each call on a blocking thread, which keeps its time from jumping.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use activation_core::{
    Acquired, ActivationKey, Commit, FingerprintKey, HostKey, JournalEntry, Lease, PostgresServer,
    PostgresStateStore, SnapshotRead, SnapshotRef, SnapshotWrite, State, StateStore, StoreError,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::{
    runtime::{Handle, Runtime},
    task,
};

use super::{fate::Reaper, place::Place};
use crate::postgres::{self, Cut, Database, Proxy};

/// For the state of one history. There must be a server.
pub(super) fn new_place() -> Place {
    Place::Tables(Arc::new(Tables::new().expect("a server")))
}

/// A schema of a history's own.
pub(super) struct Tables {
    database: Database<'static>,
    schema: String,
}

impl Tables {
    /// In the database of this thread, so that no other history's transactions are in the way of an
    /// erasure. `None` where PostgreSQL is not installed.
    fn new() -> Option<Self> {
        static HISTORIES: AtomicU64 = AtomicU64::new(0);
        thread_local! {
            static DATABASE: OnceLock<String> = const { OnceLock::new() };
        }
        let server = postgres::server()?;
        let name = DATABASE.with(|name| name.get_or_init(|| server.database("").name).clone());
        let schema = format!("history {}", HISTORIES.fetch_add(1, Ordering::Relaxed));
        Some(Self { database: Database { server, name }, schema })
    }

    pub(super) fn open(&self) -> Elsewhere {
        Elsewhere { store: self.open_through(self.database.by_socket()), _proxy: None }
    }

    /// Through a proxy that cuts the connections when the process dies. Before the store is open
    /// nothing happens to it, as with a directory.
    pub(super) fn open_for(&self, reaper: &Arc<Reaper>) -> Elsewhere {
        let (is_open, reaper) = (Arc::new(AtomicBool::new(false)), Arc::clone(reaper));
        let (opened, history) = (Arc::clone(&is_open), Handle::current());
        let proxy = Proxy::before(self.database.server, move || {
            if !opened.load(Ordering::SeqCst) {
                return Cut::Nothing;
            }
            // The clock may be set, and it is that of the history.
            let _history = history.enter();
            reaper.statement()
        });
        let store = self.open_through(self.database.through(&proxy));
        is_open.store(true, Ordering::SeqCst);
        Elsewhere { store, _proxy: Some(proxy) }
    }

    fn open_through(&self, server: PostgresServer) -> PostgresStateStore {
        let schema = self.schema.clone();
        let opened = std::thread::spawn(move || {
            let key = HostKey::new([7; 16]);
            elsewhere().block_on(PostgresStateStore::open(server, &schema, key))
        });
        opened.join().expect("no panic").expect("the state is readable")
    }

    pub(super) fn free_leases(&self) {
        self.database.run(&format!("UPDATE \"{}\".lease SET holder = NULL", self.schema));
    }

    pub(super) fn check_no_trace_of(&self, traces: &[&[u8]]) {
        let rows = ["head", "journal", "held", "absent", "chunk"]
            .map(|table| format!("SELECT t::text AS row FROM \"{}\".{table} AS t", self.schema))
            .join(" UNION ALL ");
        for trace in traces {
            let hex: String = trace.iter().map(|byte| format!("{byte:02x}")).collect();
            let sql =
                format!("SELECT count(*) FROM ({rows}) AS r WHERE position('{hex}' IN row) > 0");
            assert_eq!(self.database.run(&sql), "0", "{trace:?} in {}", self.schema);
        }
    }
}

/// The runtime of all stores.
fn elsewhere() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("a runtime")
    })
}

async fn away<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    task::spawn_blocking(|| elsewhere().block_on(work)).await.expect("no panic")
}

/// A store whose calls are done on the other runtime. Whoever drops a call does not end it.
pub(super) struct Elsewhere {
    store: PostgresStateStore,
    /// Ends when the process does.
    _proxy: Option<Proxy>,
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

#[async_trait]
impl StateStore for Elsewhere {
    fn fingerprint_key(&self) -> &FingerprintKey {
        self.store.fingerprint_key()
    }

    async fn acquire(
        &self,
        activation: &ActivationKey,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Acquired, StoreError> {
        let (store, activation, holder) =
            (self.store.clone(), activation.clone(), holder.to_owned());
        away(async move { store.acquire(&activation, &holder, now, ttl).await }).await
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let (store, lease) = (self.store.clone(), lease.clone());
        away(async move { store.renew(&lease, now, ttl).await }).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let (store, lease) = (self.store.clone(), lease.clone());
        away(async move { store.release(&lease).await }).await
    }

    async fn activations(&self) -> Result<Vec<ActivationKey>, StoreError> {
        let store = self.store.clone();
        away(async move { store.activations().await }).await
    }

    async fn load(&self, activation: &ActivationKey) -> Result<State, StoreError> {
        let (store, activation) = (self.store.clone(), activation.clone());
        away(async move { store.load(&activation).await }).await
    }

    async fn append(&self, lease: &Lease, entry: JournalEntry) -> Result<(), StoreError> {
        let (store, lease) = (self.store.clone(), lease.clone());
        away(async move { store.append(&lease, entry).await }).await
    }

    async fn read_snapshot(
        &self,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<Box<dyn SnapshotRead>, StoreError> {
        let store = self.store.clone();
        let (activation, snapshot) = (activation.clone(), snapshot.clone());
        let reader = away(async move { store.read_snapshot(&activation, &snapshot).await }).await?;
        Ok(Box::new(Reader(Some(reader))))
    }

    async fn write_snapshot(&self, lease: &Lease) -> Result<Box<dyn SnapshotWrite>, StoreError> {
        let (store, lease) = (self.store.clone(), lease.clone());
        let writer = away(async move { store.write_snapshot(&lease).await }).await?;
        Ok(Box::new(Writer(Some(writer))))
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<(), StoreError> {
        let (store, lease) = (self.store.clone(), lease.clone());
        away(async move { store.commit(&lease, commit).await }).await
    }

    async fn scrub(&self, lease: &Lease) -> Result<(), StoreError> {
        let (store, lease) = (self.store.clone(), lease.clone());
        away(async move { store.scrub(&lease).await }).await
    }
}

/// Empty while a call is under way.
struct Reader(Option<Box<dyn SnapshotRead>>);

#[async_trait]
impl SnapshotRead for Reader {
    async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut reader = self.0.take().expect("one call at a time");
        let (reader, chunk) = away(async move {
            let chunk = reader.next_chunk().await;
            (reader, chunk)
        })
        .await;
        self.0 = Some(reader);
        chunk
    }
}

/// What a reader leaves unread is cancelled where its connection is.
impl Drop for Reader {
    fn drop(&mut self) {
        let _elsewhere = elsewhere().enter();
        self.0 = None;
    }
}

/// Empty while a call is under way.
struct Writer(Option<Box<dyn SnapshotWrite>>);

#[async_trait]
impl SnapshotWrite for Writer {
    async fn write_chunk(&mut self, chunk: &[u8]) -> Result<(), StoreError> {
        let (mut writer, chunk) = (self.0.take().expect("one call at a time"), chunk.to_owned());
        let (writer, written) = away(async move {
            let written = writer.write_chunk(&chunk).await;
            (writer, written)
        })
        .await;
        self.0 = Some(writer);
        written
    }

    async fn finish(mut self: Box<Self>) -> Result<String, StoreError> {
        let writer = self.0.take().expect("one call at a time");
        away(writer.finish()).await
    }
}
