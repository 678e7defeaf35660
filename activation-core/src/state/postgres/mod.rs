//! A state store in a PostgreSQL database, for hosts without a disk that lasts.
//!
//! ```text
//! meta        version of the tables, the key wrapped under the host's
//! lease       one row for each activation, which every write locks first
//! head        one row for each activation that was ever committed
//! journal, held, absent
//! chunk       snapshots, in rows of 256 KiB
//! ```
//!
//! A snapshot's chunks are durable before the transaction that makes it the head, so a crash at any
//! moment leaves the old state or the new one, and at worst chunks that no head names, which the
//! next lease removes.

mod lease;
mod link;
mod names;
mod reader;
mod rows;
mod schema;
mod scrub;
mod writer;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use segment_diff::FingerprintKey;

use self::{link::Link, reader::SnapshotReader, schema::Schema, writer::SnapshotWriter};
use super::{
    Acquired, ActivationKey, Commit, HostKey, JournalEntry, Lease, SnapshotRead, SnapshotRef,
    SnapshotWrite, State, StateStore, StoreError,
    rules::{self, Holder},
};
use crate::PostgresServer;

/// Keeps the state in tables of a PostgreSQL database, for hosts whose disk does not last. It is tested
/// with PostgreSQL 15.
///
/// Any number of processes on any number of machines may use one schema at once. A lease ends when
/// it is given back or by its time only: nobody here can know that the holder of another machine is
/// dead. The clocks of the machines should therefore agree within a small part of a lease, which
/// lasts five minutes; that two of them do not agree does no harm to the state, since every write
/// checks the token of its lease.
///
/// The tables hold fingerprints and contact ids, never addresses. Others can read a database, its
/// backups and its replicas, so the key of the fingerprints is always wrapped under a key that the
/// host keeps elsewhere ([`HostKey`]).
///
/// # Connections
///
/// At most two at a time, which are made when they are needed and kept, and one more for each
/// snapshot that is being read. They use settings of the session, so a pooler in between must pool
/// sessions, not transactions or statements. No statement is without a time limit.
///
/// When a connection is cut, what was under way is done once more on a new one, and is found to be
/// done where only the answer was lost. Only if that fails too does a write fail
/// with [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) and nobody knows whether
/// it was done, as after a crash: the next run looks.
///
/// # Erasure
///
/// [`scrub`](StateStore::scrub) writes the tables anew, for which the user must own them, and
/// keeps other runs waiting meanwhile. It cannot reach what the server keeps elsewhere: the
/// write-ahead log and its archive, replicas, backups, and free blocks of the disk. These are the
/// database administrator's.
#[derive(Clone)]
pub struct PostgresStateStore {
    key: FingerprintKey,
    link: Arc<Link>,
}

impl PostgresStateStore {
    /// The schema to use where there is no reason for another.
    pub const DEFAULT_SCHEMA: &str = "activation_state";

    /// Opens the store in `schema`, and creates the schema and its tables when missing.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreErrorKind::WrongKey`](super::StoreErrorKind::WrongKey), changing nothing,
    /// when the store has another key, and when the server cannot be reached, rights are missing,
    /// or the tables are of a newer version or somebody else's.
    pub async fn open(
        server: PostgresServer,
        schema: &str,
        key: HostKey,
    ) -> Result<Self, StoreError> {
        let opened = Self::open_as(server, schema, &key, true).await?;
        // Not without a key, if it may be written.
        opened.ok_or_else(|| schema::damaged("key"))
    }

    /// Opens a store for dry runs: it changes nothing, and all that would write fails. `None` when
    /// there is no store yet.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_read_only(
        server: PostgresServer,
        schema: &str,
        key: HostKey,
    ) -> Result<Option<Self>, StoreError> {
        Self::open_as(server, schema, &key, false).await
    }

    /// The SQL that creates `schema` and its tables, for an administrator who does not want the
    /// store's user to do it. That user then needs USAGE on the schema, and SELECT, INSERT, UPDATE
    /// and DELETE on its tables.
    ///
    /// # Errors
    ///
    /// Fails when `schema` cannot be the name of a schema.
    pub fn tables(schema: &str) -> Result<String, StoreError> {
        Ok(Schema::new(schema)?.tables())
    }

    /// Makes `key` the host's key of this store, in place of the one it was opened with. From then
    /// on it opens with `key` only. May be done at any time: fingerprints stay as they are, and
    /// stores that are open go on.
    ///
    /// What the database kept before opens with the key from before: backups, and for some time the
    /// write-ahead log. Where the key of the fingerprints itself may be known to others, a new store
    /// is needed: see [`Engine::reconcile`](crate::Engine::reconcile) for how to fill it.
    ///
    /// # Errors
    ///
    /// Fails when the database cannot be written. The old key or the new one opens it then.
    pub async fn change_host_key(&self, key: HostKey) -> Result<(), StoreError> {
        schema::wrap_key(&self.link, &self.key, &key).await
    }

    async fn open_as(
        server: PostgresServer,
        schema: &str,
        key: &HostKey,
        writable: bool,
    ) -> Result<Option<Self>, StoreError> {
        let link = Link::new(server, Schema::new(schema)?, writable);
        let key = schema::open(&link, key, writable).await?;
        Ok(key.map(|key| Self { key, link: Arc::new(link) }))
    }
}

/// Shows where it is, and neither key nor content.
impl fmt::Debug for PostgresStateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStateStore")
            .field("server", self.link.server())
            .field("schema", &self.link.schema().to_string())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl StateStore for PostgresStateStore {
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
        let holder = Holder { name: holder.to_owned(), until: rules::lease_end(now, ttl) };
        let (holder, id) = (&holder, &random_id());
        let work = |tx| async move { lease::acquire(&tx, activation, holder, now, id).await };
        self.link.write(work).await
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let until = rules::lease_end(now, ttl);
        self.link
            .write(|tx| async move {
                lease::hold(&tx, lease).await?;
                lease::prolong(&tx, lease, until).await
            })
            .await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.link.write(|tx| async move { lease::end(&tx, lease).await }).await
    }

    async fn activations(&self) -> Result<Vec<ActivationKey>, StoreError> {
        self.link.read(|tx| async move { lease::activations(&tx).await }).await
    }

    async fn load(&self, activation: &ActivationKey) -> Result<State, StoreError> {
        self.link.read(|tx| async move { rows::state(&tx, activation).await }).await
    }

    async fn append(&self, lease: &Lease, entry: JournalEntry) -> Result<(), StoreError> {
        let (entry, id) = (&entry, &random_id());
        self.link.write(|tx| async move { rows::append(&tx, lease, entry, id).await }).await
    }

    async fn read_snapshot(
        &self,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<Box<dyn SnapshotRead>, StoreError> {
        Ok(Box::new(SnapshotReader::open(&self.link, activation, snapshot).await?))
    }

    async fn write_snapshot(&self, lease: &Lease) -> Result<Box<dyn SnapshotWrite>, StoreError> {
        Ok(Box::new(SnapshotWriter::begin(&self.link, lease).await?))
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<(), StoreError> {
        let (commit, id) = (&commit, &random_id());
        self.link.write(|tx| async move { rows::commit(&tx, lease, commit, id).await }).await
    }

    async fn scrub(&self, lease: &Lease) -> Result<(), StoreError> {
        self.link
            .write(|tx| async move {
                lease::hold(&tx, lease).await?;
                rows::remove_orphans(&tx, &lease.activation).await
            })
            .await?;
        scrub::rewrite(&self.link).await
    }
}

/// Tells what one call wrote from what any other one did.
fn random_id() -> [u8; 16] {
    fastrand::u128(..).to_be_bytes()
}
