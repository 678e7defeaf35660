//! Operating-system locks that tell whether the holder of a lease is alive.
//!
//! Each lease has a lock file of its own, named with its token and locked for as long as the lease
//! is held. The system frees the lock when the process ends, however it ends. One file for all
//! leases of an activation would not do: after a takeover from a paused holder the old one's lock
//! would stand for the new one's life.

use std::{
    collections::HashMap,
    fs::{self, File, TryLockError},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    files, names,
    steps::{Step, Steps},
};
use crate::state::{ActivationKey, Lease, StoreError, StoreErrorKind};

/// The locks of the leases this store handed out.
pub(super) struct LeaseLocks {
    directory: PathBuf,
    steps: Arc<Steps>,
    held: Mutex<HashMap<ActivationKey, LeaseLock>>,
}

/// A locked file; dropping it frees the lock.
pub(super) struct LeaseLock {
    token: u64,
    file: File,
}

/// Closing the file would not do: a child of this process that was forked and has not yet come to its
/// `exec` has the same file open, and its lock would stand for the life of a holder that is gone.
impl Drop for LeaseLock {
    fn drop(&mut self) {
        // Where that fails there are no locks, or closing the file frees it.
        let _ = self.file.unlock();
    }
}

impl LeaseLocks {
    pub(super) fn new(directory: PathBuf, steps: Arc<Steps>) -> Self {
        Self { directory, steps, held: Mutex::default() }
    }

    /// Makes sure that there is a place for lock files.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        files::create_subdirectory(&self.directory, &self.steps)
    }

    /// Whether the process that holds this lease is known to be dead. Where the system cannot tell,
    /// it counts as alive, and the lease ends by its time.
    pub(super) fn holder_is_dead(&self, activation: &ActivationKey, token: u64) -> bool {
        match File::options().read(true).write(true).open(self.path(activation, token)) {
            // Freed before anybody is forked with it, as below.
            Ok(file) => file.try_lock().is_ok() && file.unlock().is_ok(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }

    /// Locks the file of a lease about to be given. The caller is the only one who gives leases
    /// now, so nobody can be there before.
    pub(super) fn take(
        &self,
        activation: &ActivationKey,
        token: u64,
    ) -> Result<LeaseLock, StoreError> {
        let path = self.path(activation, token);
        let file = files::private_file()
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| files::failed("cannot open the lock file", &path, error))?;
        match file.try_lock() {
            // Some network file systems have no locks; leases then end by their time.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(LeaseLock { token, file }),
            // Only after an old copy of the database was put back beneath a running holder.
            Err(TryLockError::WouldBlock) => Err(StoreError::new(
                StoreErrorKind::Unavailable,
                format!("a process that still runs has locked {}", path.display()),
            )),
        }
    }

    /// The lock files of an activation.
    pub(super) fn files(&self, activation: &ActivationKey) -> Vec<String> {
        files::names_with_prefix(&self.directory, &names::prefix(activation))
    }

    /// Holds the lock of a lease that was given, and removes the files of those before it.
    pub(super) fn keep(
        &self,
        activation: &ActivationKey,
        lock: LeaseLock,
        before: &[String],
    ) -> Result<(), StoreError> {
        self.held().insert(activation.clone(), lock);
        for name in before {
            self.steps.before(Step::RemoveLock)?;
            // A file left behind only costs its name, and the next lease tries again.
            let _ = fs::remove_file(self.directory.join(name));
        }
        Ok(())
    }

    /// Frees the lock of a lease that was given back.
    pub(super) fn free(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut held = self.held();
        if held.get(&lease.activation).is_some_and(|lock| lock.token == lease.token) {
            held.remove(&lease.activation);
            self.steps.before(Step::RemoveLock)?;
            let _ = fs::remove_file(self.path(&lease.activation, lease.token));
        }
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, HashMap<ActivationKey, LeaseLock>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, activation: &ActivationKey, token: u64) -> PathBuf {
        self.directory.join(self.name(activation, token))
    }

    fn name(&self, activation: &ActivationKey, token: u64) -> String {
        format!("{}{token}.lock", names::prefix(activation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_process_does_not_keep_a_lock_that_was_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let locks = LeaseLocks::new(directory.path().to_owned(), Arc::default());
        let activation = ActivationKey::new("vip");
        let lock = locks.take(&activation, 1).unwrap();
        // What a child has between its fork and its exec, and whoever execs nothing for longer.
        let child = lock.file.try_clone().unwrap();
        assert!(!locks.holder_is_dead(&activation, 1));

        drop(lock);
        assert!(locks.holder_is_dead(&activation, 1));
        drop(child);
    }
}
