//! A scan under way.

use std::pin::Pin;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use tokio_postgres::{Row, RowStream};

use super::value::{Kind, Malformed, Raw};
use crate::{
    ADVISED_BATCH, KeyBatch, SegmentScan, SourceError,
    postgres::{Failure, Session},
};

/// Where a row has what is wanted, and in which form.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) position: usize,
    pub(super) kind: Kind,
}

/// A scan. The rows wait on the server, and in the buffers of the sockets, until they are asked for.
pub(super) struct PostgresScan {
    /// `None` after the end or an error.
    rest: Option<Rest>,
    identifier: Slot,
    key: Option<Slot>,
    as_of: Option<DateTime<Utc>>,
    place: String,
    /// Rows of the next batch. Kept here, since the future that collects them may be dropped.
    batch: KeyBatch,
    /// Places for an identifier and a key.
    written: (String, String),
}

/// What is still to be read. The fields are dropped in this order.
struct Rest {
    rows: Pin<Box<RowStream>>,
    session: Session,
}

impl PostgresScan {
    pub(super) fn new(
        session: Session,
        rows: RowStream,
        identifier: Slot,
        key: Option<Slot>,
        as_of: Option<DateTime<Utc>>,
        place: String,
    ) -> Self {
        let rest = Some(Rest { rows: Box::pin(rows), session });
        let written = Default::default();
        Self { rest, identifier, key, as_of, place, batch: new_batch(), written }
    }

    /// Reads until there is a batch, or no more rows.
    async fn fill(&mut self) -> Result<(), SourceError> {
        while let Some(rest) = &mut self.rest {
            let next = rest.rows.try_next().await;
            match next.map_err(|error| Failure::of_statement(&self.place, &error))? {
                Some(row) => self.push(&row)?,
                None => {
                    rest.session.rest();
                    self.rest = None;
                }
            }
            if self.batch.len() >= ADVISED_BATCH {
                break;
            }
        }
        Ok(())
    }

    fn push(&mut self, row: &Row) -> Result<(), SourceError> {
        let identifier = value(row, self.identifier, &mut self.written.0);
        let identifier = identifier.map_err(|Malformed| malformed(&self.place))?;
        match self.key {
            None => self.batch.push(identifier),
            Some(key) => {
                let key = value(row, key, &mut self.written.1);
                let key = key.map_err(|Malformed| malformed(&self.place))?;
                self.batch.push_keyed(identifier, key);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl SegmentScan for PostgresScan {
    fn as_of(&self) -> Option<DateTime<Utc>> {
        self.as_of
    }

    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        if let Err(error) = self.fill().await {
            // Not even those that were read already are used.
            (self.rest, self.batch) = (None, KeyBatch::new());
            return Err(error);
        }
        let next = match self.rest {
            Some(_) => new_batch(),
            None => KeyBatch::new(),
        };
        let batch = std::mem::replace(&mut self.batch, next);
        Ok((!batch.is_empty()).then_some(batch))
    }
}

/// The identifier or key in a row; nothing for NULL.
fn value<'a>(row: &'a Row, slot: Slot, written: &'a mut String) -> Result<&'a [u8], Malformed> {
    match row.try_get(slot.position) {
        Ok(Some(Raw(raw))) => slot.kind.identifier(raw, written),
        Ok(None) => Ok(b""),
        Err(_) => Err(Malformed),
    }
}

fn malformed(place: &str) -> SourceError {
    SourceError::permanent(format!("{place} gives values that are not of the types it announced"))
}

fn new_batch() -> KeyBatch {
    KeyBatch::with_capacity(ADVISED_BATCH, ADVISED_BATCH * 24)
}
