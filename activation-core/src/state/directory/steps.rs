//! The hook before every durable step, through which tests stop the store as a crash would.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use crate::state::{StoreError, StoreErrorKind};

/// A step of a [`DirectoryStore`](super::DirectoryStore) that changes what survives a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(not(feature = "test-util"), allow(unreachable_pub))]
pub enum Step {
    /// Creates a directory inside the store.
    CreateDirectory,
    /// Creates a snapshot file, or appends to it.
    WriteSnapshot,
    /// Makes a snapshot's bytes durable.
    SyncSnapshot,
    /// Gives a snapshot its final name.
    RenameSnapshot,
    /// Makes names in a directory durable.
    SyncDirectory,
    /// Removes a snapshot that no head names.
    RemoveSnapshot,
    /// Removes the lock file of a lease that has ended.
    RemoveLock,
    /// Writes the database anew, without what was deleted.
    RewriteDatabase,
    /// One SQLite transaction, named for the store's operation.
    Transaction(&'static str),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateDirectory => f.write_str("creating a directory"),
            Self::WriteSnapshot => f.write_str("writing a snapshot"),
            Self::SyncSnapshot => f.write_str("syncing a snapshot"),
            Self::RenameSnapshot => f.write_str("renaming a snapshot"),
            Self::SyncDirectory => f.write_str("syncing a directory"),
            Self::RemoveSnapshot => f.write_str("removing a snapshot"),
            Self::RemoveLock => f.write_str("removing a lock file"),
            Self::RewriteDatabase => f.write_str("rewriting the database"),
            Self::Transaction(name) => write!(f, "the transaction {name}"),
        }
    }
}

/// Is asked before each step; an error keeps the step from happening.
pub(super) type Hook = Arc<dyn Fn(Step) -> io::Result<()> + Send + Sync>;

/// Announces steps to the hook, if there is one.
#[derive(Default)]
pub(super) struct Steps(Mutex<Option<Hook>>);

impl Steps {
    #[cfg(feature = "test-util")]
    pub(super) fn announce_to(&self, hook: Hook) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    /// Announces `step`. After an error neither the step nor any clean-up may follow, as if the
    /// process had been killed here.
    pub(super) fn before(&self, step: Step) -> Result<(), StoreError> {
        let hook = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(hook) = hook else { return Ok(()) };
        hook(step).map_err(|error| {
            StoreError::new(StoreErrorKind::Failed, format!("stopped before {step}"))
                .caused_by(error)
        })
    }
}
