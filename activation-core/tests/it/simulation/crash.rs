//! A process has a point before and after each request, wait, read of the source and operation of
//! the store, and before each single file operation inside it. At any of them its fate may come
//! true.

use std::{sync::Arc, time::Duration};

use activation_core::{
    Acquired, ActivationKey, Clock, Commit, FingerprintKey, JournalEntry, KeyBatch, Lease, Ledger,
    LedgerError, LedgerPage, SegmentScan, SegmentSource, SnapshotRead, SnapshotRef, SnapshotWrite,
    SourceError, State, StateStore, StoreError,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dotdigital_client::{HttpRequest, HttpResponse, Transport, TransportError};

use super::{clock::Machine, fate::Reaper, gauge::Gauge};

/// Less than a lease lasts, so that a run that waits for jobs has its lease prolonged in between.
const LONGEST_WAIT: Duration = Duration::from_secs(200);

/// The longest that a run waits before it asks about a job again.
const LONGEST_POLL_WAIT: Duration = Duration::from_secs(30);

/// A store that dies. Its key is the same in every replay, since it decides the order of members.
#[derive(Debug)]
pub(super) struct MortalStore {
    store: Arc<dyn StateStore>,
    key: FingerprintKey,
    reaper: Arc<Reaper>,
    gauge: Arc<Gauge>,
}

impl MortalStore {
    pub(super) fn new(store: Arc<dyn StateStore>, reaper: Arc<Reaper>, gauge: Arc<Gauge>) -> Self {
        Self { store, key: crate::world::key(), reaper, gauge }
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
        &self.key
    }

    async fn acquire(
        &self,
        activation: &ActivationKey,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Acquired, StoreError> {
        self.reaper.point().await;
        let acquired = self.store.acquire(activation, holder, now, ttl).await;
        if matches!(acquired, Ok(Acquired::Lease(_))) {
            self.reaper.tenure.begin(now + ttl);
            self.gauge.begin_run();
        }
        self.reaper.point().await;
        acquired
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        self.reaper.point().await;
        let renewed = self.store.renew(lease, now, ttl).await;
        if renewed.is_ok() {
            self.reaper.tenure.prolong(now + ttl);
        }
        self.reaper.point().await;
        renewed
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.reaper.point().await;
        let released = self.store.release(lease).await;
        self.reaper.tenure.end();
        self.reaper.point().await;
        released
    }

    async fn activations(&self) -> Result<Vec<ActivationKey>, StoreError> {
        self.around(self.store.activations()).await
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

    async fn scrub(&self, lease: &Lease) -> Result<(), StoreError> {
        self.around(self.store.scrub(lease)).await
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

/// The engine's clock, whose sleepers die. A run that waits keeps its lease.
#[derive(Debug)]
pub(super) struct MortalClock(pub(super) Machine, pub(super) Arc<Reaper>);

#[async_trait]
impl Clock for MortalClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.1.point().await;
        let jumps = self.0.jumps();
        // A runner, or whoever waits for longer, does not wait for a job.
        let waited = match duration <= LONGEST_POLL_WAIT {
            true => self.1.tenure.wait(duration),
            false => Duration::ZERO,
        };
        Clock::sleep(&self.0, duration).await;
        // A clock that was set back puts off the next time, and the end of the lease with it.
        let is_kept = waited < LONGEST_WAIT || jumps > 0;
        assert!(is_kept, "waited for {waited:?} without prolonging the lease");
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
