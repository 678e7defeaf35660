//! Writes a snapshot file so that it is either complete under its final name or not there.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
    sync::Arc,
};

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::{
    blocking::blocking, database::Database, files, names, rows, snapshots::Snapshots, steps::Step,
};
use crate::state::{CHUNK, Lease, SnapshotWrite, StoreError, StoreErrorKind};

/// A snapshot being written under a temporary name.
///
/// Dropped unfinished it leaves that file to the next lease, which removes it.
pub(super) struct SnapshotWriter {
    /// Bytes not yet written, less than a chunk between calls.
    buffer: Vec<u8>,
    /// `None` after an error, or a write that was abandoned half-way.
    draft: Option<Draft>,
}

/// The file under its temporary name.
struct Draft {
    file: File,
    path: PathBuf,
    digest: Sha256,
    lease: Lease,
    snapshots: Snapshots,
    database: Arc<Database>,
}

impl SnapshotWriter {
    /// Creates the file, if `lease` may write.
    pub(super) fn create(
        lease: Lease,
        snapshots: Snapshots,
        database: Arc<Database>,
    ) -> Result<Self, StoreError> {
        database.check_writable()?;
        database.read(|tx| rows::check_lease(tx, &lease))?;
        files::create_subdirectory(snapshots.directory(), snapshots.steps())?;
        // The random part keeps writers under one lease apart.
        let prefix = names::prefix(&lease.activation);
        let name = format!("{prefix}{}.{:016x}.tmp", lease.token, fastrand::u64(..));
        let path = snapshots.directory().join(name);
        snapshots.steps().before(Step::WriteSnapshot)?;
        let file = files::private_file()
            .create_new(true)
            .open(&path)
            .map_err(|error| files::failed("cannot create the snapshot", &path, error))?;
        let draft = Draft { file, path, digest: Sha256::new(), lease, snapshots, database };
        Ok(Self { buffer: Vec::new(), draft: Some(draft) })
    }

    fn take_draft(&mut self) -> Result<Draft, StoreError> {
        self.draft.take().ok_or_else(|| {
            StoreError::new(StoreErrorKind::Failed, "writing the snapshot was broken off before")
        })
    }
}

#[async_trait]
impl SnapshotWrite for SnapshotWriter {
    async fn write_chunk(&mut self, chunk: &[u8]) -> Result<(), StoreError> {
        self.buffer.extend_from_slice(chunk);
        if self.buffer.len() < CHUNK {
            return Ok(());
        }
        let draft = self.take_draft()?;
        let bytes = std::mem::take(&mut self.buffer);
        self.draft = Some(blocking(move || draft.append(&bytes)).await?);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<String, StoreError> {
        let draft = self.take_draft()?;
        let bytes = std::mem::take(&mut self.buffer);
        blocking(
            move || {
                if bytes.is_empty() { draft.finish() } else { draft.append(&bytes)?.finish() }
            },
        )
        .await
    }
}

impl Draft {
    fn append(mut self, bytes: &[u8]) -> Result<Self, StoreError> {
        self.snapshots.steps().before(Step::WriteSnapshot)?;
        if let Err(error) = self.file.write_all(bytes) {
            return Err(self.give_up("cannot write the snapshot", error));
        }
        self.digest.update(bytes);
        Ok(self)
    }

    fn finish(self) -> Result<String, StoreError> {
        let steps = self.snapshots.steps();
        // A new holder has removed this file, so that without this check the error would mislead.
        self.database.read(|tx| rows::check_lease(tx, &self.lease))?;
        steps.before(Step::SyncSnapshot)?;
        if let Err(error) = self.file.sync_all() {
            return Err(self.give_up("cannot sync the snapshot", error));
        }
        let name = names::snapshot(&self.lease, self.digest.clone());
        steps.before(Step::RenameSnapshot)?;
        if let Err(error) = fs::rename(&self.path, self.snapshots.directory().join(&name)) {
            return Err(self.give_up("cannot rename the snapshot", error));
        }
        steps.before(Step::SyncDirectory)?;
        files::sync_directory(self.snapshots.directory())?;
        Ok(name)
    }

    /// Removes the file at once, because on a full disk the next lease could not be taken.
    fn give_up(&self, what: &str, error: std::io::Error) -> StoreError {
        let _ = fs::remove_file(&self.path);
        files::failed(what, &self.path, error)
    }
}
