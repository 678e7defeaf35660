//! Records of the snapshot: of one partition, and those that were found.

use super::{End, Pass, Work};
use crate::ReadAt;
use crate::partition::{Exhausted, Room};
use crate::snapshot::{SnapshotError, SnapshotRecords};

/// One range of the snapshot after the other.
pub(super) struct Ranges<'a, R> {
    source: SnapshotRecords<'a, R>,
    width: usize,
    /// Records that were read and are above the range.
    ahead: Vec<u8>,
}

impl<'a, R: ReadAt> Ranges<'a, R> {
    /// Begins at the start of `partition`.
    pub(super) fn new(
        work: &Work<'a, R>,
        pass: Pass,
        partition: usize,
        width: usize,
    ) -> Result<Self, SnapshotError> {
        // Behind the last partition there is nothing that anybody asks for.
        let start = pass.start(partition).unwrap_or(u128::MAX);
        let source = work.previous.records_from(&start.to_be_bytes())?;
        Ok(Self { source, width, ahead: Vec::new() })
    }

    /// Reads the records below `end`, or all that are left.
    pub(super) fn read(&mut self, end: Option<u128>, members: &mut Members<'_>) -> Result<(), End> {
        let below = records_below(&self.ahead, self.width, end);
        members.extend(&self.ahead[..below])?;
        self.ahead.drain(..below);
        while self.ahead.is_empty() {
            let Some(block) = self.source.next_records()? else { break };
            let block = block.as_bytes();
            let below = records_below(block, self.width, end);
            members.extend(&block[..below])?;
            self.ahead.extend_from_slice(&block[below..]);
        }
        Ok(())
    }
}

/// The number of bytes of those records that are below `end`.
fn records_below(records: &[u8], width: usize, end: Option<u128>) -> usize {
    let Some(end) = end else { return records.len() };
    let (mut low, mut high) = (0, records.len() / width);
    while low < high {
        let middle = low + (high - low) / 2;
        if fingerprint_at(records, middle * width) < end {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low * width
}

fn fingerprint_at(records: &[u8], at: usize) -> u128 {
    fingerprint_of(&records[at..])
}

/// The fingerprint that a record begins with.
#[inline]
pub(super) fn fingerprint_of(record: &[u8]) -> u128 {
    let bytes = record.first_chunk().expect("a record begins with its fingerprint");
    u128::from_be_bytes(*bytes)
}

/// The members of one partition, as they are in the snapshot.
pub(super) struct Members<'r> {
    width: usize,
    room: &'r Room,
    taken: usize,
    records: Vec<u8>,
}

impl<'r> Members<'r> {
    pub(super) fn new(width: usize, room: &'r Room) -> Self {
        Self { width, room, taken: 0, records: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
    }

    pub(super) fn extend(&mut self, records: &[u8]) -> Result<(), Exhausted> {
        if self.records.len() + records.len() > self.records.capacity() {
            let more = records.len() + STEP;
            self.room.take(more)?;
            self.taken += more;
            self.records.reserve_exact(more);
        }
        self.records.extend_from_slice(records);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.records.len() / self.width
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.records.chunks_exact(self.width)
    }

    pub(super) fn get(&self, index: usize) -> &[u8] {
        &self.records[index * self.width..][..self.width]
    }
}

impl Drop for Members<'_> {
    fn drop(&mut self) {
        self.room.give_back(self.taken);
    }
}

/// Records of a snapshot, kept.
pub(super) struct Records<'r> {
    width: usize,
    room: &'r Room,
    chunks: Vec<Vec<u8>>,
}

impl<'r> Records<'r> {
    pub(super) fn new(width: usize, room: &'r Room) -> Self {
        Self { width, room, chunks: Vec::new() }
    }

    pub(super) fn push(&mut self, record: &[u8]) -> Result<(), Exhausted> {
        let full = |chunk: &Vec<u8>| chunk.len() + record.len() > chunk.capacity();
        if self.chunks.last().is_none_or(full) {
            let bytes = self.chunk();
            self.room.take(bytes)?;
            self.chunks.push(Vec::with_capacity(bytes));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.extend_from_slice(record);
        }
        Ok(())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.chunks.iter().flat_map(|chunk| chunk.chunks_exact(self.width))
    }

    fn chunk(&self) -> usize {
        STEP.max(self.width)
    }
}

impl Drop for Records<'_> {
    fn drop(&mut self) {
        self.room.give_back(self.chunks.len() * self.chunk());
    }
}

/// Bytes of records that are allocated at a time.
const STEP: usize = 64 << 10;
