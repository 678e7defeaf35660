//! What a run remembers for the next one, and who may run now.
//!
//! A [`StateStore`] keeps, for each activation: a lease, a head (list pin, generation, snapshot),
//! a journal of batches under way, held members, and absent ones. The engine decides what these mean; a store
//! only has to keep them safely.

#[cfg(any(feature = "directory", feature = "postgres"))]
mod digest;
#[cfg(feature = "directory")]
mod directory;
#[cfg(any(feature = "directory", feature = "postgres"))]
mod host_key;
mod memory;
#[cfg(any(feature = "directory", feature = "postgres"))]
mod own_key;
#[cfg(feature = "postgres")]
mod postgres;
mod rules;
#[cfg(any(feature = "directory", feature = "postgres"))]
mod seal;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use segment_diff::{Fingerprint, FingerprintKey};
use serde::{Deserialize, Serialize};

#[cfg(feature = "directory")]
pub use self::directory::DirectoryStore;
#[cfg(all(feature = "directory", feature = "test-util"))]
pub use self::directory::Step;
#[cfg(any(feature = "directory", feature = "postgres"))]
pub use self::host_key::{HostKey, NotAHostKey};
pub use self::memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresStateStore;

/// Remembers activations between runs.
///
/// # Contract
///
/// * **Lease.** At most one lease per activation is current. [`acquire`](Self::acquire) succeeds
///   when no lease is current: none was given, the last one was released, its time is over, or its
///   holder is known to be dead. Each lease carries a token greater than all before it.
/// * **Fencing.** Every write names its lease and fails with [`StoreErrorKind::Fenced`], changing
///   nothing, when a newer token has been given for that activation or the lease was given back.
///   A lease whose time is over may still write while nobody followed.
/// * **Head.** [`commit`](Self::commit) is atomic and durable: head, held and absent members and
///   journal change together or not at all, and only if the stored generation is the expected one, else it
///   fails with [`StoreErrorKind::Moved`].
/// * **Journal.** [`append`](Self::append) is durable when it returns; [`load`](Self::load) gives
///   entries in the order of appending, until a commit retires their batch.
/// * **Snapshots** are immutable. One that no head names may be removed at any time after the
///   lease it was written under ended; the one the head names stays readable as long as it is the
///   head's, and for a scan that was opened before.
/// * **Out of reach.** A write that fails with [`StoreErrorKind::Unavailable`] changed nothing or did
///   all of it: what a store cannot find out, the next run does.
/// * **Erasure.** When [`scrub`](Self::scrub) returns, nothing that commits have removed from that
///   activation can be found in what the store keeps, nor what crashes left behind.
/// * Bytes come back as they were given, or the read fails with [`StoreErrorKind::Corrupt`].
/// * Activations do not influence each other.
#[async_trait]
pub trait StateStore: fmt::Debug + Send + Sync {
    /// The secret key of this store's fingerprints. It never changes for a store with content.
    fn fingerprint_key(&self) -> &FingerprintKey;

    /// Tries to become the one who runs `activation` until `now + ttl`.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read or written. A lease held by somebody else is not an
    /// error but [`Acquired::Busy`].
    async fn acquire(
        &self,
        activation: &ActivationKey,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Acquired, StoreError>;

    /// Prolongs a lease until `now + ttl`.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreErrorKind::Fenced`] when the lease has been taken over.
    async fn renew(
        &self,
        lease: &Lease,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), StoreError>;

    /// Gives a lease back. Releasing a lease that is no longer current changes nothing.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be written; the lease then ends by its time.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Every activation that ever had a lease, in ascending order. Needs no lease.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    async fn activations(&self) -> Result<Vec<ActivationKey>, StoreError>;

    /// Everything remembered of an activation but the snapshot's content; the default for one that
    /// was never committed. Needs no lease, so that a dry run changes nothing.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    async fn load(&self, activation: &ActivationKey) -> Result<State, StoreError>;

    /// Appends to the journal.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreErrorKind::Fenced`] when the lease has been taken over.
    async fn append(&self, lease: &Lease, entry: JournalEntry) -> Result<(), StoreError>;

    /// Opens the content of a snapshot.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreErrorKind::Corrupt`] when the snapshot is missing, and with
    /// [`StoreErrorKind::Moved`] when it is missing because the head names another one by now:
    /// without a lease a reader can be overtaken by a commit.
    async fn read_snapshot(
        &self,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<Box<dyn SnapshotRead>, StoreError>;

    /// Starts writing a snapshot. It counts for nothing until a commit names it.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreErrorKind::Fenced`], as [`SnapshotWrite::finish`] does.
    async fn write_snapshot(&self, lease: &Lease) -> Result<Box<dyn SnapshotWrite>, StoreError>;

    /// Makes `commit.head` the head, in one step with the journal and with held and absent members.
    ///
    /// # Errors
    ///
    /// Changing nothing: with [`StoreErrorKind::Fenced`] or [`StoreErrorKind::Moved`], with
    /// [`StoreErrorKind::Corrupt`] when the snapshot that the new head names is missing or of
    /// another length, with [`StoreErrorKind::Failed`] when the new generation does not follow.
    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<(), StoreError>;

    /// Makes sure that what was removed from the lease's activation is gone for good: older
    /// snapshots, and rows that were deleted. Called after the erasure of a person.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreErrorKind::Fenced`], and when something could not be removed. The state is
    /// as it was in any case; repeating it is harmless.
    async fn scrub(&self, lease: &Lease) -> Result<(), StoreError>;
}

/// The bytes of a snapshot, chunk by chunk.
#[async_trait]
pub trait SnapshotRead: Send {
    /// The next chunk; `None` at the end.
    ///
    /// # Errors
    ///
    /// Fails when the bytes cannot be read.
    async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, StoreError>;
}

/// A snapshot being written. Dropping it unfinished leaves nothing that counts.
#[async_trait]
pub trait SnapshotWrite: Send {
    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// Fails when the bytes cannot be written.
    async fn write_chunk(&mut self, chunk: &[u8]) -> Result<(), StoreError>;

    /// Makes the snapshot durable and gives the name to commit it under.
    ///
    /// # Errors
    ///
    /// Fails when the bytes cannot be made durable, and with [`StoreErrorKind::Fenced`] when the
    /// lease it was begun under has been taken over.
    async fn finish(self: Box<Self>) -> Result<String, StoreError>;
}

/// Names an activation in a store: the segment's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActivationKey(String);

impl ActivationKey {
    /// The key of the activation of `segment`.
    pub fn new(segment: impl Into<String>) -> Self {
        Self(segment.into())
    }

    /// The segment's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ActivationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The right to run an activation, with its fencing token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The activation that may be run.
    pub activation: ActivationKey,
    /// Greater than the token of every earlier lease of this activation.
    pub token: u64,
}

/// The answer to [`StateStore::acquire`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The caller may run.
    Lease(Lease),
    /// Somebody else is running.
    Busy {
        /// Who, as they named themselves.
        holder: String,
        /// When their lease ends if they do not renew it.
        until: DateTime<Utc>,
    },
}

/// What a store remembers of one activation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The last committed head.
    pub head: Head,
    /// Journal entries whose batch has not been retired, oldest first.
    pub journal: Vec<JournalEntry>,
    /// Held members, in no particular order.
    pub held: Vec<HeldMember>,
    /// Members on the list who have left the segment and dwell for now, in no particular order.
    pub absent: Vec<AbsentMember>,
}

/// The committed state of an activation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Counts commits, from 0 for "never".
    pub generation: u64,
    /// The list this activation keeps, once there is one.
    pub pin: Option<ListPin>,
    /// The acknowledged membership; `None` while it is empty.
    pub snapshot: Option<SnapshotRef>,
    /// The table in the warehouse with the membership's identifiers, if there is one that can be
    /// relied on.
    #[serde(default)]
    pub table: Option<String>,
}

/// Which list an activation keeps, and what was last asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPin {
    /// The destination's account.
    pub account: String,
    /// The list's id at the destination.
    pub list_id: u64,
    /// The name this activation last gave it.
    pub name: String,
    /// The visibility this activation last gave it.
    pub visibility: crate::Visibility,
}

/// Names a snapshot in its store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRef {
    /// As given by [`SnapshotWrite::finish`].
    pub name: String,
    /// How many members it holds.
    pub members: u64,
    /// How many bytes it holds.
    pub bytes: u64,
}

/// One step of a batch, as the engine wrote it. Opaque to stores.
#[derive(Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// The batch it belongs to.
    pub batch: u64,
    /// The engine's encoding. Carries fingerprints and contact ids, never an address.
    pub body: Vec<u8>,
}

impl fmt::Debug for JournalEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalEntry")
            .field("batch", &self.batch)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// A member that should be on the list and cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldMember {
    /// Who.
    pub member: Fingerprint,
    /// Why, as the destination named it: `invalid_email`, `globally_suppressed`, …; after
    /// `conflict:` where a person has to say which contact is right; `no_contact` for a member who
    /// is no contact yet, under "existing contacts only".
    pub cause: String,
    /// Since when, in whole seconds.
    pub since: DateTime<Utc>,
    /// When it is tried again without any sign of change, in whole seconds.
    pub retry_at: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: u32,
}

/// A member on the list who has left the segment and dwells: she has not been missed in enough runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsentMember {
    /// Who.
    pub member: Fingerprint,
    /// In how many runs in succession the segment was without her.
    pub runs: u32,
}

/// One atomic step forward.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// The generation the store must still be at.
    pub expected_generation: u64,
    /// The new head; its generation is the expected one plus one.
    pub head: Head,
    /// Batches whose journal entries are no longer needed.
    pub retired_batches: Vec<u64>,
    /// Held members to insert, or replace by fingerprint.
    pub hold: Vec<HeldMember>,
    /// Members that are no longer held. One that is in `hold` too is held.
    pub unhold: Vec<Fingerprint>,
    /// All absent members, in place of those before; `None` keeps those before.
    pub absent: Option<Vec<AbsentMember>>,
}

/// Why the store could not do its part.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// What it means for the run.
    pub kind: StoreErrorKind,
    /// What happened, without keys or members.
    pub message: String,
    /// What caused it.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What a store failure means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The lease was taken over by a newer one, or given back; nothing was changed. Stop at once.
    Fenced,
    /// Another commit came first; nothing was changed. Start again.
    Moved,
    /// Stored bytes are missing or altered. Restore them or rebuild the state.
    Corrupt,
    /// The key is missing or not this store's; nothing was changed. Give the one it was created with
    /// or was last given, or none where it keeps its own.
    WrongKey,
    /// Busy or out of reach; it may work later.
    Unavailable,
    /// Anything else: permissions, a full disk, an unknown version.
    Failed,
}

impl StoreError {
    /// An error of `kind`.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
}

#[async_trait]
impl<T: StateStore + ?Sized> StateStore for Arc<T> {
    fn fingerprint_key(&self) -> &FingerprintKey {
        (**self).fingerprint_key()
    }

    async fn acquire(
        &self,
        activation: &ActivationKey,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Acquired, StoreError> {
        (**self).acquire(activation, holder, now, ttl).await
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        (**self).renew(lease, now, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        (**self).release(lease).await
    }

    async fn activations(&self) -> Result<Vec<ActivationKey>, StoreError> {
        (**self).activations().await
    }

    async fn load(&self, activation: &ActivationKey) -> Result<State, StoreError> {
        (**self).load(activation).await
    }

    async fn append(&self, lease: &Lease, entry: JournalEntry) -> Result<(), StoreError> {
        (**self).append(lease, entry).await
    }

    async fn read_snapshot(
        &self,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<Box<dyn SnapshotRead>, StoreError> {
        (**self).read_snapshot(activation, snapshot).await
    }

    async fn write_snapshot(&self, lease: &Lease) -> Result<Box<dyn SnapshotWrite>, StoreError> {
        (**self).write_snapshot(lease).await
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<(), StoreError> {
        (**self).commit(lease, commit).await
    }

    async fn scrub(&self, lease: &Lease) -> Result<(), StoreError> {
        (**self).scrub(lease).await
    }
}

/// How much of a snapshot our stores read or write at a time, so that programs meet several chunks
/// in each of them.
const CHUNK: usize = 256 * 1024;
