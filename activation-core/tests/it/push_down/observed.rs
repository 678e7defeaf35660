//! A warehouse and a store that are watched, and at whose steps a process can die.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use activation_core::{
    Acquired, ActivationKey, Commit, Dialect, FingerprintKey, JournalEntry, KeyBatch, Lease,
    SegmentScan, SegmentSource, SnapshotRead, SnapshotRef, SnapshotWrite, SourceError, State,
    StateStore, StoreError, Warehouse,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::Notify;

/// Points before and after every statement, scan and operation of the store.
#[derive(Debug)]
pub(super) struct Steps {
    reached: AtomicUsize,
    fatal: AtomicUsize,
    death: Notify,
    /// Rows that came from the warehouse.
    rows: AtomicU64,
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            reached: AtomicUsize::new(0),
            fatal: AtomicUsize::new(usize::MAX),
            death: Notify::new(),
            rows: AtomicU64::new(0),
        }
    }
}

impl Steps {
    /// Lets the process die at the step of this number.
    pub(super) fn die_at(&self, step: usize) {
        self.fatal.store(step, Ordering::Relaxed);
    }

    pub(super) fn reached(&self) -> usize {
        self.reached.load(Ordering::Relaxed)
    }

    /// Rows since this was asked last.
    pub(super) fn rows(&self) -> u64 {
        self.rows.swap(0, Ordering::Relaxed)
    }

    /// Waits for death.
    pub(super) async fn death(&self) {
        self.death.notified().await;
    }

    async fn step(&self) {
        if self.reached.fetch_add(1, Ordering::Relaxed) == self.fatal.load(Ordering::Relaxed) {
            self.death.notify_one();
            std::future::pending::<()>().await;
        }
    }

    async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        self.step().await;
        let result = work.await;
        self.step().await;
        result
    }
}

/// A source whose warehouse is watched.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    source: Arc<dyn SegmentSource>,
    steps: Arc<Steps>,
}

impl Observed {
    pub(super) fn new(source: Arc<dyn SegmentSource>, steps: Arc<Steps>) -> Self {
        Self { source, steps }
    }
}

#[async_trait]
impl SegmentSource for Observed {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        self.source.open().await
    }

    fn warehouse(&self) -> Option<Arc<dyn Warehouse>> {
        Some(Arc::new(ObservedWarehouse(self.source.warehouse()?, self.steps.clone())))
    }
}

#[derive(Debug)]
struct ObservedWarehouse(Arc<dyn Warehouse>, Arc<Steps>);

#[async_trait]
impl Warehouse for ObservedWarehouse {
    fn dialect(&self) -> &Dialect {
        self.0.dialect()
    }

    fn schema(&self) -> &[String] {
        self.0.schema()
    }

    async fn segment(&self) -> Result<String, SourceError> {
        self.0.segment().await
    }

    async fn as_of(&self) -> Result<Option<DateTime<Utc>>, SourceError> {
        self.0.as_of().await
    }

    async fn check(&self) -> Result<(), SourceError> {
        self.0.check().await
    }

    async fn execute(&self, statement: &str) -> Result<(), SourceError> {
        self.1.around(self.0.execute(statement)).await
    }

    async fn scan(&self, statement: &str) -> Result<Box<dyn SegmentScan>, SourceError> {
        let scan = self.1.around(self.0.scan(statement)).await?;
        Ok(Box::new(ObservedScan(scan, self.1.clone())))
    }
}

struct ObservedScan(Box<dyn SegmentScan>, Arc<Steps>);

#[async_trait]
impl SegmentScan for ObservedScan {
    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        let batch = self.1.around(self.0.next_batch()).await?;
        let rows = batch.as_ref().map_or(0, |batch| batch.len() as u64);
        self.1.rows.fetch_add(rows, Ordering::Relaxed);
        Ok(batch)
    }
}

/// A store at whose steps a process dies.
#[derive(Debug)]
pub(super) struct DyingStore {
    store: Arc<dyn StateStore>,
    steps: Arc<Steps>,
}

impl DyingStore {
    pub(super) fn new(store: Arc<dyn StateStore>, steps: Arc<Steps>) -> Self {
        Self { store, steps }
    }
}

#[async_trait]
impl StateStore for DyingStore {
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
        self.steps.around(self.store.acquire(activation, holder, now, ttl)).await
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        self.store.renew(lease, now, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.steps.around(self.store.release(lease)).await
    }

    async fn activations(&self) -> Result<Vec<ActivationKey>, StoreError> {
        self.store.activations().await
    }

    async fn load(&self, activation: &ActivationKey) -> Result<State, StoreError> {
        self.store.load(activation).await
    }

    async fn append(&self, lease: &Lease, entry: JournalEntry) -> Result<(), StoreError> {
        self.steps.around(self.store.append(lease, entry)).await
    }

    async fn read_snapshot(
        &self,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<Box<dyn SnapshotRead>, StoreError> {
        self.store.read_snapshot(activation, snapshot).await
    }

    async fn write_snapshot(&self, lease: &Lease) -> Result<Box<dyn SnapshotWrite>, StoreError> {
        self.steps.around(self.store.write_snapshot(lease)).await
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<(), StoreError> {
        self.steps.around(self.store.commit(lease, commit)).await
    }

    async fn scrub(&self, lease: &Lease) -> Result<(), StoreError> {
        self.store.scrub(lease).await
    }
}
