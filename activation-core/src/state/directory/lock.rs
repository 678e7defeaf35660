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
    _file: File,
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
            Ok(file) => file.try_lock().is_ok(),
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
            Ok(()) | Err(TryLockError::Error(_)) => Ok(LeaseLock { token, _file: file }),
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
