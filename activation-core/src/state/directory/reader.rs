//! Reads a snapshot file chunk by chunk and verifies it on the way.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::{blocking::blocking, files};
use crate::state::{CHUNK, SnapshotRead, SnapshotRef, StoreError, StoreErrorKind, digest, rules};

/// An open snapshot. It stays readable when the file is removed.
pub(super) struct SnapshotReader {
    /// `None` after the end, an error, or a read that was abandoned half-way.
    rest: Option<Rest>,
    /// Whether the end was reached and everything was as it was written.
    verified: bool,
}

/// What is still to be read.
struct Rest {
    file: File,
    name: String,
    remaining: u64,
    digest: Sha256,
    expected_digest: String,
}

impl SnapshotReader {
    /// Opens the file; `None` when it is missing.
    pub(super) fn open(
        path: &Path,
        snapshot: &SnapshotRef,
        expected_digest: &str,
    ) -> Result<Option<Self>, StoreError> {
        let cannot_open = |error| files::failed("cannot open the snapshot", path, error);
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot_open(error)),
        };
        rules::check_length(snapshot, file.metadata().map_err(cannot_open)?.len())?;
        let rest = Rest {
            file,
            name: snapshot.name.clone(),
            remaining: snapshot.bytes,
            digest: Sha256::new(),
            expected_digest: expected_digest.to_owned(),
        };
        Ok(Some(Self { rest: Some(rest), verified: false }))
    }
}

#[async_trait]
impl SnapshotRead for SnapshotReader {
    async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.verified {
            return Ok(None);
        }
        let rest = self.rest.take().ok_or_else(|| {
            StoreError::new(StoreErrorKind::Failed, "reading the snapshot was broken off before")
        })?;
        let (chunk, rest) = blocking(move || rest.next_chunk()).await?;
        self.verified = rest.is_none();
        self.rest = rest;
        Ok(chunk)
    }
}

impl Rest {
    /// The next chunk and what remains after it; neither at the verified end.
    fn next_chunk(mut self) -> Result<(Option<Vec<u8>>, Option<Self>), StoreError> {
        if self.remaining == 0 {
            self.verify()?;
            return Ok((None, None));
        }
        let length = self.remaining.min(CHUNK as u64) as usize;
        let mut chunk = vec![0; length];
        self.file.read_exact(&mut chunk).map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::UnexpectedEof => StoreErrorKind::Corrupt,
                _ => StoreErrorKind::Failed,
            };
            let message = format!("snapshot {} cannot be read to its end", self.name);
            StoreError::new(kind, message).caused_by(error)
        })?;
        self.digest.update(&chunk);
        self.remaining -= length as u64;
        Ok((Some(chunk), Some(self)))
    }

    fn verify(self) -> Result<(), StoreError> {
        if digest::of_content(self.digest) == self.expected_digest {
            return Ok(());
        }
        Err(rules::altered_snapshot(&self.name))
    }
}
