//! Segments made on the fly.

use std::ops::Range;

use activation_core::{ADVISED_BATCH, KeyBatch, SegmentScan, SegmentSource, SourceError};
use async_trait::async_trait;

use crate::members::address;

/// A segment of which no more than a batch is in memory.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) members: Range<u32>,
    /// Whether each row has a warehouse key.
    pub(crate) keyed: bool,
}

#[async_trait]
impl SegmentSource for Numbered {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        let (all, left) = (self.members.len() as u64, self.members.clone());
        Ok(Box::new(NumberedScan { all, left, keyed: self.keyed }))
    }
}

struct NumberedScan {
    all: u64,
    left: Range<u32>,
    keyed: bool,
}

#[async_trait]
impl SegmentScan for NumberedScan {
    fn expected_rows(&self) -> Option<u64> {
        Some(self.all)
    }

    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        let mut batch = KeyBatch::new();
        for member in self.left.by_ref().take(ADVISED_BATCH) {
            match self.keyed {
                true => batch.push_keyed(address(member).as_bytes(), &member.to_be_bytes()),
                false => batch.push(address(member).as_bytes()),
            }
        }
        Ok((!batch.is_empty()).then_some(batch))
    }
}
