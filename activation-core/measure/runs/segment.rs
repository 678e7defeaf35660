//! Segments made on the fly: members are numbered, and a segment is a range of them.

use std::ops::Range;

use activation_core::{ADVISED_BATCH, KeyBatch, SegmentScan, SegmentSource, SourceError};
use async_trait::async_trait;

/// What the addresses of all members begin with.
pub(crate) const PREFIX: &str = "first.last";

/// Digits of a member's number in her address.
pub(crate) const DIGITS: usize = 8;

/// The address of a member.
pub(crate) fn address(member: u32) -> String {
    format!("{PREFIX}{member:0DIGITS$}@mail.example.com")
}

/// Members `0..members` before a change and the same number after it: 1 % have left, and as many
/// have come.
pub(crate) fn changed(members: u32) -> Range<u32> {
    members / 100..members + members / 100
}

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
