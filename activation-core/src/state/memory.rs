//! A store that forgets when the program ends: for tests, examples and first programs.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use segment_diff::{Fingerprint, FingerprintKey};

use super::{
    AbsentMember, Acquired, ActivationKey, CHUNK, Commit, Head, HeldMember, JournalEntry, Lease,
    SnapshotRead, SnapshotRef, SnapshotWrite, State, StateStore, StoreError,
    rules::{self, Holder, NewestLease},
};

/// Keeps everything in memory, for as long as it lives.
///
/// Leases end by release or by time only: it cannot know that a holder is dead.
pub struct MemoryStore {
    key: FingerprintKey,
    activations: Activations,
}

impl MemoryStore {
    /// An empty store that makes fingerprints under `key`.
    pub fn new(key: FingerprintKey) -> Self {
        Self { key, activations: Activations::default() }
    }
}

/// Shows nothing of its content.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl StateStore for MemoryStore {
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
        let mut activations = self.activations.lock();
        let memory = activations.entry(activation.clone()).or_default();
        if let Some(current) = memory.lease.as_ref().and_then(|lease| lease.holder_at(now)) {
            return Ok(Acquired::Busy { holder: current.name.clone(), until: current.until });
        }
        let token = rules::next_token(memory.lease.as_ref());
        let holder = Holder { name: holder.to_owned(), until: rules::lease_end(now, ttl) };
        memory.lease = Some(NewestLease { token, holder: Some(holder) });
        memory.forget_orphans();
        Ok(Acquired::Lease(Lease { activation: activation.clone(), token }))
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        self.activations.with_lease(lease, |memory| {
            if let Some(holder) = memory.lease.as_mut().and_then(|lease| lease.holder.as_mut()) {
                holder.until = rules::lease_end(now, ttl);
            }
            Ok(())
        })
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut activations = self.activations.lock();
        let newest =
            activations.get_mut(&lease.activation).and_then(|memory| memory.lease.as_mut());
        if let Some(newest) = newest.filter(|newest| newest.token == lease.token) {
            newest.holder = None;
        }
        Ok(())
    }

    async fn activations(&self) -> Result<Vec<ActivationKey>, StoreError> {
        let activations = self.activations.lock();
        let had_a_lease = activations.iter().filter(|(_, memory)| memory.lease.is_some());
        let mut keys: Vec<ActivationKey> = had_a_lease.map(|(key, _)| key.clone()).collect();
        keys.sort();
        Ok(keys)
    }

    async fn load(&self, activation: &ActivationKey) -> Result<State, StoreError> {
        Ok(self.activations.lock().get(activation).map(Memory::state).unwrap_or_default())
    }

    async fn append(&self, lease: &Lease, entry: JournalEntry) -> Result<(), StoreError> {
        self.activations.with_lease(lease, |memory| {
            memory.journal.push(entry);
            Ok(())
        })
    }

    async fn read_snapshot(
        &self,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<Box<dyn SnapshotRead>, StoreError> {
        let activations = self.activations.lock();
        let memory = activations.get(activation);
        let bytes = memory.and_then(|memory| memory.snapshots.get(&snapshot.name));
        let bytes = bytes.ok_or_else(|| {
            let head = memory.and_then(|memory| memory.head.snapshot.as_ref());
            rules::vanished_snapshot(&snapshot.name, head.map(|head| head.name.as_str()))
        })?;
        rules::check_length(snapshot, bytes.len() as u64)?;
        Ok(Box::new(MemoryReader { bytes: Arc::clone(bytes), position: 0 }))
    }

    async fn write_snapshot(&self, lease: &Lease) -> Result<Box<dyn SnapshotWrite>, StoreError> {
        self.activations.with_lease(lease, |_| Ok(()))?;
        Ok(Box::new(MemoryWriter {
            activations: self.activations.clone(),
            lease: lease.clone(),
            bytes: Vec::new(),
        }))
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<(), StoreError> {
        self.activations.with_lease(lease, |memory| memory.commit(commit))
    }

    async fn scrub(&self, lease: &Lease) -> Result<(), StoreError> {
        self.activations.with_lease(lease, |memory| {
            memory.forget_orphans();
            Ok(())
        })
    }
}

/// Everything, behind one lock that is never held across an await.
#[derive(Clone, Default)]
struct Activations(Arc<Mutex<HashMap<ActivationKey, Memory>>>);

impl Activations {
    fn lock(&self) -> MutexGuard<'_, HashMap<ActivationKey, Memory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_lease<T>(
        &self,
        lease: &Lease,
        work: impl FnOnce(&mut Memory) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut activations = self.lock();
        let memory = activations.entry(lease.activation.clone()).or_default();
        rules::check_lease(memory.lease.as_ref(), lease)?;
        work(memory)
    }
}

/// What is remembered of one activation.
#[derive(Default)]
struct Memory {
    lease: Option<NewestLease>,
    head: Head,
    journal: Vec<JournalEntry>,
    held: BTreeMap<Fingerprint, HeldMember>,
    absent: Vec<AbsentMember>,
    snapshots: HashMap<String, Arc<Vec<u8>>>,
    snapshots_written: u64,
}

impl Memory {
    fn state(&self) -> State {
        State {
            head: self.head.clone(),
            journal: self.journal.clone(),
            held: self.held.values().cloned().collect(),
            absent: self.absent.clone(),
        }
    }

    fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        rules::check_generation(self.head.generation, &commit)?;
        if let Some(snapshot) = &commit.head.snapshot {
            let bytes = self.snapshots.get(&snapshot.name);
            let bytes = bytes.ok_or_else(|| rules::missing_snapshot(&snapshot.name))?;
            rules::check_length(snapshot, bytes.len() as u64)?;
        }
        let previous = std::mem::replace(&mut self.head, commit.head).snapshot;
        self.journal.retain(|entry| !commit.retired_batches.contains(&entry.batch));
        for member in &commit.unhold {
            self.held.remove(member);
        }
        self.held.extend(commit.hold.into_iter().map(|held| (held.member, held)));
        if let Some(absent) = commit.absent {
            self.absent = absent;
        }
        if let Some(previous) = previous.filter(|previous| !self.names(&previous.name)) {
            self.snapshots.remove(&previous.name);
        }
        Ok(())
    }

    fn forget_orphans(&mut self) {
        let named = self.head.snapshot.as_ref().map(|snapshot| snapshot.name.as_str());
        self.snapshots.retain(|name, _| Some(name.as_str()) == named);
    }

    fn names(&self, name: &str) -> bool {
        self.head.snapshot.as_ref().is_some_and(|snapshot| snapshot.name == name)
    }
}

struct MemoryReader {
    bytes: Arc<Vec<u8>>,
    position: usize,
}

#[async_trait]
impl SnapshotRead for MemoryReader {
    async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let rest = &self.bytes[self.position..];
        let chunk = &rest[..rest.len().min(CHUNK)];
        self.position += chunk.len();
        Ok((!chunk.is_empty()).then(|| chunk.to_vec()))
    }
}

struct MemoryWriter {
    activations: Activations,
    lease: Lease,
    bytes: Vec<u8>,
}

#[async_trait]
impl SnapshotWrite for MemoryWriter {
    async fn write_chunk(&mut self, chunk: &[u8]) -> Result<(), StoreError> {
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<String, StoreError> {
        let Self { activations, lease, bytes } = *self;
        activations.with_lease(&lease, |memory| {
            memory.snapshots_written += 1;
            let name = format!("{}.{}", lease.token, memory.snapshots_written);
            memory.snapshots.insert(name.clone(), Arc::new(bytes));
            Ok(name)
        })
    }
}
