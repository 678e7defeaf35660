//! Writes a snapshot in chunks, each of them in a transaction of its own.

use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio_postgres::types::Type;

use super::{lease, link::Link, names::SnapshotName};
use crate::state::{CHUNK, Lease, SnapshotWrite, StoreError, StoreErrorKind, digest};

/// A snapshot being written. Dropped unfinished it leaves its rows to the next lease, which removes
/// them.
pub(super) struct SnapshotWriter {
    /// Bytes not yet written, less than a chunk between calls.
    buffer: Vec<u8>,
    /// `None` after an error, or a write that was abandoned half-way.
    draft: Option<Draft>,
}

/// The rows that are written by now.
struct Draft {
    link: Arc<Link>,
    lease: Lease,
    /// What they have in common.
    rows: [u8; 16],
    /// The number of the next one.
    next: i64,
    digest: Sha256,
}

impl SnapshotWriter {
    /// Begins, if `lease` may write.
    pub(super) async fn begin(link: &Arc<Link>, lease: &Lease) -> Result<Self, StoreError> {
        link.check_writable()?;
        link.read(|tx| async move { lease::check(&tx, lease).await }).await?;
        let draft = Draft {
            link: Arc::clone(link),
            lease: lease.clone(),
            rows: super::random_id(),
            next: 0,
            digest: Sha256::new(),
        };
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
        let mut draft = self.take_draft()?;
        let whole = self.buffer.len() / CHUNK * CHUNK;
        let rest = self.buffer.split_off(whole);
        for chunk in std::mem::replace(&mut self.buffer, rest).chunks(CHUNK) {
            draft.append(chunk).await?;
        }
        self.draft = Some(draft);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<String, StoreError> {
        let mut draft = self.take_draft()?;
        // Even when nothing is left, so that an empty snapshot has a row, and the lease is checked.
        draft.append(&self.buffer).await?;
        let Draft { rows, digest, .. } = draft;
        Ok(SnapshotName { rows, digest: digest::of_content(digest) }.to_text())
    }
}

impl Draft {
    async fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let (lease, rows, number) = (&self.lease, &self.rows[..], self.next);
        let name = lease.activation.as_str().as_bytes();
        self.link
            .write(|tx| async move {
                lease::hold(&tx, lease).await?;
                // It is there if the answer to a first attempt was lost.
                let sql = "INSERT INTO @.chunk (activation, snapshot, number, bytes) \
                    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
                let values = [
                    (&name as _, Type::BYTEA),
                    (&rows as _, Type::BYTEA),
                    (&number as _, Type::INT8),
                    (&bytes as _, Type::BYTEA),
                ];
                tx.execute(sql, &values).await
            })
            .await?;
        self.digest.update(bytes);
        self.next += 1;
        Ok(())
    }
}
