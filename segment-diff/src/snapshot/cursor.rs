use alloc::vec::Vec;

use super::format::{BlockHeader, Layout, MAX_KEY, take_varint};
use super::{FixedRecords, SnapshotErrorKind};

/// Walks the records of blocks and checks their order. It holds one key; the blocks are elsewhere.
pub(super) struct Cursor {
    layout: Layout,
    /// What is left of the block.
    records: u32,
    bytes: usize,
    first: bool,
    /// The key of the record moved to.
    key: Vec<u8>,
    /// Whether a record came before, which the next one has to exceed.
    follows: bool,
}

impl Cursor {
    pub(super) fn new(layout: Layout) -> Self {
        Self { layout, records: 0, bytes: 0, first: true, key: Vec::new(), follows: false }
    }

    /// Begins a block, the body of which comes next.
    pub(super) fn begin(&mut self, header: BlockHeader) {
        self.records = header.records;
        self.bytes = header.length as usize;
        self.first = true;
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The number of records that are left of the block.
    pub(super) fn records(&self) -> u32 {
        self.records
    }

    /// The number of bytes that are left of the block.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reads a record off the front of `rest`, what is left of the body, and says how long it is.
    /// Its payload is at its end.
    pub(super) fn read(&mut self, rest: &[u8]) -> Result<usize, SnapshotErrorKind> {
        let whole = &rest[..self.bytes];
        let mut rest = whole;
        let (shared, added) = match self.layout {
            Layout::Fixed { key, .. } => (0, usize::from(key)),
            Layout::Bytes { .. } => front_coding(&mut rest).ok_or(SnapshotErrorKind::Malformed)?,
        };
        let known = if self.first { 0 } else { self.key.len() };
        let payload_width = self.layout.payload_width();
        if shared > known || shared + added > MAX_KEY || added + payload_width > rest.len() {
            return Err(SnapshotErrorKind::Malformed);
        }
        let (suffix, rest) = rest.split_at(added);
        // Up to `shared` both keys are the same, so the rest decides.
        if self.follows && !is_above(suffix, &self.key[shared..]) {
            return Err(SnapshotErrorKind::NotAscending);
        }
        let length = whole.len() - rest.len() + payload_width;
        if self.records == 1 && length != whole.len() {
            return Err(SnapshotErrorKind::Malformed);
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(suffix);
        self.passed(1, length);
        Ok(length)
    }

    /// Takes all that is left of a block of the fixed layout, the beginning of `rest`.
    pub(super) fn read_block<'a>(
        &mut self,
        rest: &'a [u8],
    ) -> Result<FixedRecords<'a>, SnapshotErrorKind> {
        let Layout::Fixed { key, payload } = self.layout else {
            return Err(SnapshotErrorKind::WrongLayout);
        };
        let key = usize::from(key);
        let count = self.records as usize;
        let records =
            FixedRecords { bytes: &rest[..self.bytes], count, key, payload: usize::from(payload) };
        let before = self.follows.then_some(self.key.as_slice());
        if !records.ascend_from(before) {
            return Err(SnapshotErrorKind::NotAscending);
        }
        if let Some(last) = records.last() {
            self.key.clear();
            self.key.extend_from_slice(last.key);
        }
        self.passed(self.records, self.bytes);
        Ok(records)
    }

    fn passed(&mut self, records: u32, bytes: usize) {
        self.records -= records;
        self.bytes -= bytes;
        self.first = false;
        self.follows = true;
    }
}

/// The beginning of a cursor that does not begin with the first record.
#[cfg(feature = "std")]
impl Cursor {
    /// Leaves out the records of a block of the fixed layout that are below `key`, and says how
    /// many bytes they take.
    pub(super) fn skip_below(
        &mut self,
        key: &[u8],
        rest: &[u8],
    ) -> Result<usize, SnapshotErrorKind> {
        let (mut ahead, bytes) = (Self::new(self.layout), self.bytes);
        (ahead.records, ahead.bytes) = (self.records, bytes);
        // All of the block is checked, so that the search can rely on its order.
        let records = ahead.read_block(rest)?;
        let below = records.partition_point(|record| record.key < key);
        let length = below * records.width();
        if let Some(last) = below.checked_sub(1) {
            self.key.clear();
            self.key.extend_from_slice(records.get(last).key);
            self.passed(below as u32, length);
        }
        Ok(length)
    }
}

/// Whether `a` is above `b`; mostly their first bytes say so already.
fn is_above(a: &[u8], b: &[u8]) -> bool {
    match (a.first(), b.first()) {
        (Some(a), Some(b)) if a != b => a > b,
        _ => a > b,
    }
}

/// Takes the two numbers in front of a front-coded key.
fn front_coding(bytes: &mut &[u8]) -> Option<(usize, usize)> {
    Some((take_varint(bytes)?, take_varint(bytes)?))
}

/// The first key of a block.
pub(super) fn first_key(layout: Layout, mut body: &[u8]) -> Result<&[u8], SnapshotErrorKind> {
    let added = match layout {
        Layout::Fixed { key, .. } => usize::from(key),
        Layout::Bytes { .. } => match front_coding(&mut body) {
            Some((0, added)) => added,
            _ => return Err(SnapshotErrorKind::Malformed),
        },
    };
    body.get(..added).ok_or(SnapshotErrorKind::Malformed)
}
