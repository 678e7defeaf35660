//! The operations that need more than one part of the store at once.

use std::{path::Path, sync::Arc};

use chrono::{DateTime, Utc};

#[cfg(feature = "test-util")]
use super::steps::Hook;
use super::{
    database::Database, lock::LeaseLocks, names, reader::SnapshotReader, rows,
    snapshots::Snapshots, steps::Steps,
};
use crate::state::{
    Acquired, ActivationKey, Commit, Lease, SnapshotRef, StoreError,
    rules::{self, Holder},
};

/// What the store works with.
pub(super) struct Parts {
    pub(super) database: Arc<Database>,
    pub(super) locks: LeaseLocks,
    pub(super) snapshots: Snapshots,
}

impl Parts {
    pub(super) fn new(root: &Path, database: Database, steps: Arc<Steps>) -> Self {
        Self {
            database: Arc::new(database),
            locks: LeaseLocks::new(root.join("locks"), Arc::clone(&steps)),
            snapshots: Snapshots::new(root.join("snapshots"), steps),
        }
    }

    #[cfg(feature = "test-util")]
    pub(super) fn announce_steps_to(&self, hook: Hook) {
        self.snapshots.steps().announce_to(hook);
    }

    /// Takes the lease of an activation, and clears away what earlier ones left behind.
    pub(super) fn acquire(
        &self,
        activation: ActivationKey,
        holder: &Holder,
        now: DateTime<Utc>,
    ) -> Result<Acquired, StoreError> {
        self.database.check_writable()?;
        self.locks.prepare()?;
        let given = self.database.write("acquire", |tx| {
            let newest = rows::newest_lease(tx, &activation)?;
            if let Some(newest) = &newest
                && let Some(current) = newest.holder_at(now)
                && !self.locks.holder_is_dead(&activation, newest.token)
            {
                return Ok(Err(current.clone()));
            }
            let token = rules::next_token(newest.as_ref());
            // Locked before others can see the lease, or they would take its holder for dead.
            let locks = self.locks.files(&activation);
            let lock = self.locks.take(&activation, token)?;
            rows::put_lease(tx, &activation, token, holder)?;
            let orphans = self.snapshots.orphans(&activation, &rows::head(tx, &activation)?);
            Ok(Ok((token, lock, locks, orphans)))
        })?;
        let (token, lock, locks, orphans) = match given {
            Ok(given) => given,
            Err(Holder { name, until }) => return Ok(Acquired::Busy { holder: name, until }),
        };
        // Looked up inside the transaction: from now on there may be a follower's.
        self.locks.keep(&activation, lock, &locks)?;
        self.snapshots.remove_all(&orphans)?;
        Ok(Acquired::Lease(Lease { activation, token }))
    }

    /// Opens the file of a snapshot.
    pub(super) fn open_snapshot(
        &self,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<SnapshotReader, StoreError> {
        let name = snapshot.name.as_str();
        let file = self.snapshots.file(activation, name).zip(names::digest_in(name, activation));
        if let Some((path, digest)) = file
            && let Some(reader) = SnapshotReader::open(&path, snapshot, digest)?
        {
            return Ok(reader);
        }
        let head = self.database.read(|tx| rows::head(tx, activation))?;
        Err(rules::vanished_snapshot(name, head.snapshot.as_ref().map(|head| head.name.as_str())))
    }

    /// Makes a new head, and removes the snapshot of the one before.
    pub(super) fn commit(&self, lease: &Lease, commit: &Commit) -> Result<(), StoreError> {
        let activation = &lease.activation;
        let previous = self.database.write("commit", |tx| {
            rows::check_lease(tx, lease)?;
            let previous = rows::head(tx, activation)?;
            rules::check_generation(previous.generation, commit)?;
            if let Some(snapshot) = &commit.head.snapshot {
                self.snapshots.check(activation, snapshot)?;
            }
            rows::apply(tx, activation, commit)?;
            Ok(previous.snapshot)
        })?;
        let current = commit.head.snapshot.as_ref().map(|snapshot| &snapshot.name);
        match previous.filter(|previous| Some(&previous.name) != current) {
            Some(previous) => self.snapshots.remove(&previous.name),
            None => Ok(()),
        }
    }

    /// Removes for good what the activation's commits and crashes left behind.
    pub(super) fn scrub(&self, lease: &Lease) -> Result<(), StoreError> {
        self.database.check_writable()?;
        let orphans = self.database.read(|tx| {
            rows::check_lease(tx, lease)?;
            let head = rows::head(tx, &lease.activation)?;
            Ok(self.snapshots.orphans(&lease.activation, &head))
        })?;
        self.snapshots.erase_all(&orphans)?;
        self.database.rewrite()
    }
}
