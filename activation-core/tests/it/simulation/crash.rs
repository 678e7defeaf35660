//! Kills a run at a chosen point: before or after a request, a wait, a read of the source, an
//! operation of the store, or a single file operation inside it.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use activation_core::{
    Acquired, ActivationKey, Clock, Commit, DirectoryStore, FingerprintKey, JournalEntry, KeyBatch,
    Lease, Ledger, LedgerError, LedgerPage, SegmentScan, SegmentSource, SnapshotRead, SnapshotRef,
    SnapshotWrite, SourceError, State, StateStore, Step, StoreError,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dotdigital_client::{HttpRequest, HttpResponse, Transport, TransportError};
use tokio::sync::Notify;

/// Counts points and kills at one of them.
#[derive(Debug, Default)]
pub(super) struct Reaper {
    remaining: AtomicI64,
    dead: AtomicBool,
    died: Notify,
}

impl Reaper {
    /// Kills at the `point`-th point from now; never, if that is 0.
    pub(super) fn at(point: i64) -> Arc<Self> {
        Arc::new(Self { remaining: AtomicI64::new(point), ..Self::default() })
    }

    /// A point between two awaits. The dead never return from it.
    pub(super) async fn point(&self) {
        if self.reached() {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Returns when the run has been killed.
    pub(super) async fn death(&self) {
        self.died.notified().await;
    }

    fn reached(&self) -> bool {
        if self.remaining.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.dead.store(true, Ordering::SeqCst);
        }
        self.dead.load(Ordering::SeqCst)
    }

    fn step(&self) -> io::Result<()> {
        if self.reached() { Err(io::Error::other("killed")) } else { Ok(()) }
    }
}

/// A store that dies.
#[derive(Debug)]
pub(super) struct MortalStore {
    store: DirectoryStore,
    reaper: Arc<Reaper>,
}

impl MortalStore {
    pub(super) fn new(store: DirectoryStore, reaper: Arc<Reaper>) -> Self {
        let step = reaper.clone();
        store.before_each_step(Arc::new(move |_: Step| step.step()));
        Self { store, reaper }
    }

    async fn around<T>(&self, operation: impl Future<Output = T>) -> T {
        self.reaper.point().await;
        let result = operation.await;
        self.reaper.point().await;
        result
    }
}

#[async_trait]
impl StateStore for MortalStore {
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
        self.around(self.store.acquire(activation, holder, now, ttl)).await
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        self.around(self.store.renew(lease, now, ttl)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.around(self.store.release(lease)).await
    }

    async fn load(&self, activation: &ActivationKey) -> Result<State, StoreError> {
        self.around(self.store.load(activation)).await
    }

    async fn append(&self, lease: &Lease, entry: JournalEntry) -> Result<(), StoreError> {
        self.around(self.store.append(lease, entry)).await
    }

    async fn read_snapshot(
        &self,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<Box<dyn SnapshotRead>, StoreError> {
        self.around(self.store.read_snapshot(activation, snapshot)).await
    }

    async fn write_snapshot(&self, lease: &Lease) -> Result<Box<dyn SnapshotWrite>, StoreError> {
        let writer = self.around(self.store.write_snapshot(lease)).await?;
        Ok(Box::new(MortalWriter { writer, reaper: self.reaper.clone() }))
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<(), StoreError> {
        self.around(self.store.commit(lease, commit)).await
    }
}

struct MortalWriter {
    writer: Box<dyn SnapshotWrite>,
    reaper: Arc<Reaper>,
}

#[async_trait]
impl SnapshotWrite for MortalWriter {
    async fn write_chunk(&mut self, chunk: &[u8]) -> Result<(), StoreError> {
        self.reaper.point().await;
        let result = self.writer.write_chunk(chunk).await;
        self.reaper.point().await;
        result
    }

    async fn finish(self: Box<Self>) -> Result<String, StoreError> {
        self.reaper.point().await;
        let result = self.writer.finish().await;
        self.reaper.point().await;
        result
    }
}

/// A connection that dies before the request leaves or after the answer came.
#[derive(Debug)]
pub(super) struct MortalTransport(pub(super) Arc<dyn Transport>, pub(super) Arc<Reaper>);

#[async_trait]
impl Transport for MortalTransport {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.1.point().await;
        let response = self.0.send(request).await;
        self.1.point().await;
        response
    }
}

/// A clock whose sleepers die.
#[derive(Debug)]
pub(super) struct MortalClock(pub(super) Arc<dyn Clock>, pub(super) Arc<Reaper>);

#[async_trait]
impl Clock for MortalClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.1.point().await;
        self.0.sleep(duration).await;
        self.1.point().await;
    }
}

/// A ledger whose keeper dies before or after a page is safe.
#[derive(Debug)]
pub(super) struct MortalLedger(pub(super) Arc<dyn Ledger>, pub(super) Arc<Reaper>);

#[async_trait]
impl Ledger for MortalLedger {
    async fn record(&self, page: &LedgerPage) -> Result<(), LedgerError> {
        self.1.point().await;
        let result = self.0.record(page).await;
        self.1.point().await;
        result
    }
}

/// A segment whose readers die.
#[derive(Debug)]
pub(super) struct MortalSource(pub(super) Arc<dyn SegmentSource>, pub(super) Arc<Reaper>);

struct MortalScan(Box<dyn SegmentScan>, Arc<Reaper>);

#[async_trait]
impl SegmentSource for MortalSource {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        self.1.point().await;
        Ok(Box::new(MortalScan(self.0.open().await?, self.1.clone())))
    }
}

#[async_trait]
impl SegmentScan for MortalScan {
    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        self.1.point().await;
        self.0.next_batch().await
    }
}
