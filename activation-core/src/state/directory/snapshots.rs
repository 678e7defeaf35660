//! The directory of snapshot files: one immutable file per generation, named with the digest of
//! what it contains.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    files, names,
    steps::{Step, Steps},
};
use crate::state::{ActivationKey, Head, SnapshotRef, StoreError, rules};

/// Where the snapshot files are.
#[derive(Clone)]
pub(super) struct Snapshots {
    directory: PathBuf,
    steps: Arc<Steps>,
}

impl Snapshots {
    pub(super) fn new(directory: PathBuf, steps: Arc<Steps>) -> Self {
        Self { directory, steps }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn steps(&self) -> &Steps {
        &self.steps
    }

    /// The file of a snapshot; `None` when this store cannot have given that name.
    pub(super) fn file(&self, activation: &ActivationKey, name: &str) -> Option<PathBuf> {
        names::digest_in(name, activation).map(|_| self.directory.join(name))
    }

    /// Fails unless the file of a snapshot is there with all its bytes.
    pub(super) fn check(
        &self,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<(), StoreError> {
        let missing = || rules::missing_snapshot(&snapshot.name);
        let path = self.file(activation, &snapshot.name).ok_or_else(missing)?;
        match fs::metadata(&path) {
            Ok(metadata) => rules::check_length(snapshot, metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
            Err(error) => Err(files::failed("cannot look at", &path, error)),
        }
    }

    /// All files of an activation but the one that its head names. To be asked in the transaction
    /// that read the head and checked the lease: a later one may find the file of a follower.
    pub(super) fn orphans(&self, activation: &ActivationKey, head: &Head) -> Vec<String> {
        let named = head.snapshot.as_ref().map(|snapshot| snapshot.name.as_str());
        let mut names = files::names_with_prefix(&self.directory, &names::prefix(activation));
        names.retain(|name| Some(name.as_str()) != named);
        names
    }

    /// Removes `orphans`.
    pub(super) fn remove_all(&self, orphans: &[String]) -> Result<(), StoreError> {
        orphans.iter().try_for_each(|name| self.remove(name))
    }

    /// As [`remove_all`](Self::remove_all), but does not return well before they are gone.
    pub(super) fn erase_all(&self, orphans: &[String]) -> Result<(), StoreError> {
        for name in orphans {
            self.steps.before(Step::RemoveSnapshot)?;
            let path = self.directory.join(name);
            match fs::remove_file(&path) {
                // A follower was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(|error| {
                    files::failed("cannot remove the old snapshot", &path, error)
                })?,
            }
        }
        if !self.directory.is_dir() {
            return Ok(());
        }
        self.steps.before(Step::SyncDirectory)?;
        files::sync_directory(&self.directory)
    }

    /// Removes one file. Only the hook of the steps makes this fail: a file that cannot be removed
    /// costs space, and the next lease tries again.
    pub(super) fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.steps.before(Step::RemoveSnapshot)?;
        if let Err(error) = fs::remove_file(self.directory.join(name)) {
            tracing::debug!(snapshot = name, %error, "an old snapshot could not be removed");
        }
        Ok(())
    }
}
