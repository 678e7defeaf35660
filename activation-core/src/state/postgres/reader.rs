//! Reads the chunks of a snapshot and verifies them on the way.

use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio_postgres::types::Type;

use super::{
    link::{Fault, Link},
    names::SnapshotName,
    rows,
    schema::damaged,
};
use crate::{
    postgres::{Session, is_cut},
    state::{ActivationKey, SnapshotRead, SnapshotRef, StoreError, digest, rules},
};

/// An open snapshot, on a connection that goes on seeing it when a commit has removed it. If the
/// connection is cut, it reads on with a new one, as long as the snapshot is there.
pub(super) struct SnapshotReader {
    link: Arc<Link>,
    /// `None` at the end, and after the connection was cut.
    session: Option<Session>,
    activation: ActivationKey,
    snapshot: SnapshotRef,
    name: SnapshotName,
    /// The number of the next chunk.
    next: i64,
    remaining: u64,
    digest: Sha256,
}

impl SnapshotReader {
    /// Opens a snapshot.
    pub(super) async fn open(
        link: &Arc<Link>,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<Self, StoreError> {
        let Some(name) = SnapshotName::parse(&snapshot.name) else {
            return Err(why_missing(link, activation, snapshot).await);
        };
        let mut reader = Self {
            link: Arc::clone(link),
            session: None,
            activation: activation.clone(),
            snapshot: snapshot.clone(),
            name,
            next: 0,
            remaining: snapshot.bytes,
            digest: Sha256::new(),
        };
        match reader.stored_bytes().await? {
            Some(bytes) => rules::check_length(snapshot, bytes)?,
            None => return Err(why_missing(link, activation, snapshot).await),
        }
        Ok(reader)
    }

    async fn stored_bytes(&mut self) -> Result<Option<u64>, StoreError> {
        for is_last in [false, true] {
            let session = self.take_session().await?;
            let (activation, rows) = (&self.activation, &self.name.rows);
            let bytes = |tx| async move { rows::snapshot_bytes(&tx, activation, rows).await };
            let found = self.link.look(&session, bytes).await;
            match self.settle(session, found, is_last)? {
                Some(found) => return Ok(found),
                None => continue,
            }
        }
        Ok(None)
    }

    /// The next chunk of those that are left.
    async fn fetch(&mut self) -> Result<Vec<u8>, StoreError> {
        for is_last in [false, true] {
            let session = self.take_session().await?;
            let name = self.activation.as_str().as_bytes();
            let rows = &self.name.rows[..];
            let sql = "SELECT bytes FROM @.chunk \
                WHERE activation = $1 AND snapshot = $2 AND number = $3";
            let values = [
                (&name as _, Type::BYTEA),
                (&rows as _, Type::BYTEA),
                (&self.next as _, Type::INT8),
            ];
            let values = &values;
            let found =
                self.link.look(&session, |tx| async move { tx.row(sql, values).await }).await;
            match self.settle(session, found, is_last)? {
                Some(Some(row)) => {
                    return row.try_get(0).map_err(|_| damaged("chunk"));
                }
                Some(None) => break,
                None => continue,
            }
        }
        Err(why_missing(&self.link, &self.activation, &self.snapshot).await)
    }

    async fn take_session(&mut self) -> Result<Session, StoreError> {
        match self.session.take() {
            Some(session) => Ok(session),
            None => self.link.view().await,
        }
    }

    /// What was found; `None` when the connection was cut and it is worth trying again.
    fn settle<T>(
        &mut self,
        mut session: Session,
        found: Result<T, Fault>,
        is_last: bool,
    ) -> Result<Option<T>, StoreError> {
        match found {
            Ok(found) => {
                self.session = Some(session);
                Ok(Some(found))
            }
            Err(Fault::Server(error)) if is_cut(&error) && !is_last => {
                session.rest();
                Ok(None)
            }
            Err(fault) => Err(self.link.tell(fault)),
        }
    }

    fn verify(&mut self) -> Result<(), StoreError> {
        if let Some(mut session) = self.session.take() {
            session.rest();
        }
        match digest::of_content(self.digest.clone()) == self.name.digest {
            true => Ok(()),
            false => Err(rules::altered_snapshot(&self.snapshot.name)),
        }
    }
}

#[async_trait]
impl SnapshotRead for SnapshotReader {
    async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.remaining == 0 {
            self.verify()?;
            return Ok(None);
        }
        let chunk = self.fetch().await?;
        let left = self.remaining.checked_sub(chunk.len() as u64);
        let left = left.filter(|_| !chunk.is_empty());
        self.remaining = left.ok_or_else(|| rules::altered_snapshot(&self.snapshot.name))?;
        self.digest.update(&chunk);
        self.next += 1;
        Ok(Some(chunk))
    }
}

/// Why a snapshot is not there.
async fn why_missing(
    link: &Link,
    activation: &ActivationKey,
    snapshot: &SnapshotRef,
) -> StoreError {
    let head = link.read(|tx| async move { rows::head(&tx, activation).await }).await;
    match head {
        Ok((head, _)) => {
            let named = head.snapshot.as_ref().map(|named| named.name.as_str());
            rules::vanished_snapshot(&snapshot.name, named)
        }
        Err(error) => error,
    }
}
