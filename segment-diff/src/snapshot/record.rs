use core::fmt;

use super::Layout;

/// One record of a snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record<'a> {
    /// Who: strictly ascending from record to record.
    pub key: &'a [u8],
    /// What travels along, of the width that the layout states.
    pub payload: &'a [u8],
}

/// Says how wide it is, and not what it holds.
impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("key_bytes", &self.key.len())
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// Records of [`Layout::Fixed`](super::Layout::Fixed) that follow each other, checked and in
/// order: many at a time are far cheaper than one at a time.
#[derive(Clone, Copy)]
pub struct FixedRecords<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) count: usize,
    pub(super) key: usize,
    pub(super) payload: usize,
}

impl<'a> FixedRecords<'a> {
    /// Takes `bytes` for records of `layout`; `None` when it cannot be.
    pub(super) fn new(layout: Layout, bytes: &'a [u8]) -> Option<Self> {
        let Layout::Fixed { key, payload } = layout else { return None };
        let (key, payload) = (usize::from(key), usize::from(payload));
        let width = key + payload;
        let whole = width > 0 && bytes.len().is_multiple_of(width);
        whole.then(|| Self { bytes, count: bytes.len() / width, key, payload })
    }

    /// The number of records, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a block is never empty")]
    pub fn len(self) -> usize {
        self.count
    }

    /// The records, ascending.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Record<'a>> {
        (0..self.count).map(move |index| self.get(index))
    }

    /// All records as they are in the file: key and payload in turn, with nothing between.
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn width(self) -> usize {
        self.key + self.payload
    }

    pub(super) fn get(self, index: usize) -> Record<'a> {
        let record = &self.bytes[index * self.width()..][..self.width()];
        let (key, payload) = record.split_at(self.key);
        Record { key, payload }
    }

    pub(super) fn split_at(self, count: usize) -> (Self, Self) {
        let (bytes, rest) = self.bytes.split_at(count * self.width());
        (Self { bytes, count, ..self }, Self { bytes: rest, count: self.count - count, ..self })
    }

    pub(super) fn last(self) -> Option<Record<'a>> {
        self.count.checked_sub(1).map(|index| self.get(index))
    }

    /// Whether every key is above the one before it, the first one above `before`.
    pub(super) fn ascend_from(self, before: Option<&[u8]>) -> bool {
        if self.count == 0 {
            return true;
        }
        if before.is_some_and(|before| self.get(0).key <= before) {
            return false;
        }
        if self.key == 16 {
            // The width of fingerprints, worth two machine words instead of a call.
            let mut last = None;
            return self.bytes.chunks_exact(self.width()).all(|record| {
                let key = record.first_chunk::<16>().map(|key| u128::from_be_bytes(*key));
                key > core::mem::replace(&mut last, key)
            });
        }
        (1..self.count).all(|index| self.get(index - 1).key < self.get(index).key)
    }

    /// The number of records, all of them at the front, for which `holds` is true.
    #[cfg(feature = "std")]
    pub(super) fn partition_point(self, holds: impl Fn(Record<'a>) -> bool) -> usize {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(self.get(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Says how many they are, and none of them.
impl fmt::Debug for FixedRecords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedRecords").field("records", &self.count).finish_non_exhaustive()
    }
}
