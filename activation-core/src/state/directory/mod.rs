//! The embedded store: one directory with a SQLite database and snapshot files.
//!
//! ```text
//! state.db                                        head, lease, journal, held and absent members, key
//! locks/<activation>.<token>.lock                 locked while the holder of that lease lives
//! snapshots/<activation>.<token>.<digest>.seg     one immutable file per generation
//! snapshots/<activation>.<token>.<random>.tmp     being written, or left behind by a crash
//! ```
//!
//! `<activation>` is a digest of the segment's name. A snapshot is durable under its final name
//! before the transaction that makes it the head, so a crash at any moment leaves the old state or
//! the new one, and at worst files that no head names, which the next lease removes.

mod blocking;
mod database;
mod files;
mod lock;
mod names;
mod parts;
mod reader;
mod rows;
mod schema;
mod snapshots;
mod steps;
mod writer;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use segment_diff::FingerprintKey;

#[cfg(feature = "test-util")]
pub use self::steps::Step;
use self::{
    blocking::blocking, database::Database, parts::Parts, schema::KeyKeeper, steps::Steps,
    writer::SnapshotWriter,
};
use super::{
    Acquired, ActivationKey, Commit, HostKey, JournalEntry, Lease, SnapshotRead, SnapshotRef,
    SnapshotWrite, State, StateStore, StoreError,
    rules::{self, Holder},
};

/// Keeps the state in one directory on a local disk.
///
/// Any number of processes of one machine may use a directory at once. A lease whose process died
/// is taken over at once, not only after its time.
///
/// The directory holds fingerprints and contact ids, never addresses. The key of the fingerprints
/// is kept in the directory too: as it is ([`open`](Self::open)), or wrapped under a key of the host
/// ([`open_with_key`](Self::open_with_key)), so that whoever copies the directory cannot test
/// guesses against it.
///
/// Opening does a little blocking work; all other work is done on tokio's blocking threads, so the
/// methods need a tokio runtime. A future that is dropped does not stop work that has begun.
/// Dropping the store gives up its leases once that work is over.
pub struct DirectoryStore {
    key: FingerprintKey,
    parts: Arc<Parts>,
}

impl DirectoryStore {
    /// Opens the store in the directory `path`, and creates both when missing. On Unix nobody but
    /// the owner can read what it creates.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreErrorKind::WrongKey`](super::StoreErrorKind::WrongKey), changing nothing,
    /// when the store needs the host's key, and when the directory cannot be created or read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_writable(path.into(), KeyKeeper::Store)
    }

    /// As [`open`](Self::open), with a key that the host keeps. The directory does not hold it, and
    /// is of no use without it.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreErrorKind::WrongKey`](super::StoreErrorKind::WrongKey), changing nothing,
    /// when the store has another key or keeps its own, and when the directory cannot be created or
    /// read.
    pub fn open_with_key(path: impl Into<PathBuf>, key: HostKey) -> Result<Self, StoreError> {
        Self::open_writable(path.into(), KeyKeeper::Host(key))
    }

    /// Opens a store for dry runs: it changes nothing in the directory, and all that would write
    /// fails. `None` when there is no store yet.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open). Fails with
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when a write was
    /// interrupted and must be undone first, which any other opening does.
    pub fn open_read_only(path: impl Into<PathBuf>) -> Result<Option<Self>, StoreError> {
        Self::open_unchanged(path.into(), KeyKeeper::Store)
    }

    /// As [`open_read_only`](Self::open_read_only), with a key that the host keeps.
    ///
    /// # Errors
    ///
    /// As [`open_with_key`](Self::open_with_key) and [`open_read_only`](Self::open_read_only).
    pub fn open_read_only_with_key(
        path: impl Into<PathBuf>,
        key: HostKey,
    ) -> Result<Option<Self>, StoreError> {
        Self::open_unchanged(path.into(), KeyKeeper::Host(key))
    }

    /// Makes `key` the host's key of this store, in place of the one it was opened with or of none.
    /// From then on it opens with `key` only. May be done at any time: fingerprints stay as they
    /// are, and stores that are open go on.
    ///
    /// Copies of the directory from before still open as they did. Where the key of the
    /// fingerprints itself may be known to others, a new store is needed: see
    /// [`Engine::reconcile`](crate::Engine::reconcile) for how to fill it.
    ///
    /// # Errors
    ///
    /// Fails when the database cannot be written. The old key or the new one opens it then, and no
    /// other; where it is the new one, repeat this to be rid of all traces of the old one.
    pub async fn change_host_key(&self, key: HostKey) -> Result<(), StoreError> {
        let own = self.key.clone();
        self.with_parts(move |parts| schema::wrap_key(&parts.database, &own, &key)).await
    }

    /// Calls `hook` before each step that changes what survives a crash. Where it answers with an
    /// error, the step does not happen, no clean-up follows, and the operation fails with
    /// [`StoreErrorKind::Failed`](super::StoreErrorKind::Failed), as if the process had been killed
    /// there. Steps of opening are over before a hook can be set.
    #[cfg(feature = "test-util")]
    pub fn before_each_step(&self, hook: Arc<dyn Fn(Step) -> io::Result<()> + Send + Sync>) {
        self.parts.announce_steps_to(hook);
    }

    fn open_writable(root: PathBuf, keeper: KeyKeeper) -> Result<Self, StoreError> {
        if !root.is_dir() {
            files::create_private_directory(&root)?;
            files::sync_parent(&root)?;
        }
        let steps = Arc::new(Steps::default());
        let database = Database::open(root.join(DATABASE), Arc::clone(&steps))?;
        let key = schema::open(&database, keeper)?;
        Ok(Self { key, parts: Arc::new(Parts::new(&root, database, steps)) })
    }

    fn open_unchanged(root: PathBuf, keeper: KeyKeeper) -> Result<Option<Self>, StoreError> {
        let path = root.join(DATABASE);
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(files::failed("cannot look at", &path, error)),
            Ok(_) => {}
        }
        let steps = Arc::new(Steps::default());
        let database = Database::open_read_only(path, Arc::clone(&steps))?;
        let key = schema::open_read_only(&database, keeper)?;
        Ok(key.map(|key| Self { key, parts: Arc::new(Parts::new(&root, database, steps)) }))
    }

    /// Runs `work` on the parts, where it may block.
    async fn with_parts<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let parts = Arc::clone(&self.parts);
        blocking(move || work(&parts)).await
    }
}

/// Shows where it is, and neither key nor content.
impl fmt::Debug for DirectoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: &Path = self.parts.database.path();
        f.debug_struct("DirectoryStore").field("database", &path).finish_non_exhaustive()
    }
}

#[async_trait]
impl StateStore for DirectoryStore {
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
        let activation = activation.clone();
        let holder = Holder { name: holder.to_owned(), until: rules::lease_end(now, ttl) };
        self.with_parts(move |parts| parts.acquire(activation, &holder, now)).await
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let lease = lease.clone();
        let until = rules::lease_end(now, ttl);
        self.with_parts(move |parts| {
            parts.database.write("renew", |tx| {
                rows::check_lease(tx, &lease)?;
                rows::prolong_lease(tx, &lease, until)
            })
        })
        .await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.with_parts(move |parts| {
            parts.database.write("release", |tx| rows::end_lease(tx, &lease))?;
            parts.locks.free(&lease)
        })
        .await
    }

    async fn activations(&self) -> Result<Vec<ActivationKey>, StoreError> {
        self.with_parts(|parts| parts.database.read(rows::activations)).await
    }

    async fn load(&self, activation: &ActivationKey) -> Result<State, StoreError> {
        let activation = activation.clone();
        self.with_parts(move |parts| {
            parts.database.read(|tx| {
                Ok(State {
                    head: rows::head(tx, &activation)?,
                    journal: rows::journal(tx, &activation)?,
                    held: rows::held(tx, &activation)?,
                    absent: rows::absent(tx, &activation)?,
                })
            })
        })
        .await
    }

    async fn append(&self, lease: &Lease, entry: JournalEntry) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.with_parts(move |parts| {
            parts.database.write("append", |tx| {
                rows::check_lease(tx, &lease)?;
                rows::append(tx, &lease, &entry)
            })
        })
        .await
    }

    async fn read_snapshot(
        &self,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<Box<dyn SnapshotRead>, StoreError> {
        let (activation, snapshot) = (activation.clone(), snapshot.clone());
        let reader =
            self.with_parts(move |parts| parts.open_snapshot(&activation, &snapshot)).await?;
        Ok(Box::new(reader))
    }

    async fn write_snapshot(&self, lease: &Lease) -> Result<Box<dyn SnapshotWrite>, StoreError> {
        let lease = lease.clone();
        let writer = self.with_parts(move |parts| {
            SnapshotWriter::create(lease, parts.snapshots.clone(), Arc::clone(&parts.database))
        });
        Ok(Box::new(writer.await?))
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.with_parts(move |parts| parts.commit(&lease, &commit)).await
    }

    async fn scrub(&self, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.with_parts(move |parts| parts.scrub(&lease)).await
    }
}

const DATABASE: &str = "state.db";
