use super::scan::in_parallel;
use super::{End, LineEntry, Pass, Work, exhausted};
use crate::ReadAt;
use crate::partition::{Exhausted, Partitions, Room, Shape};
use crate::snapshot::{SnapshotError, SnapshotRecords};

/// What one thread found.
pub(super) struct Found<'r> {
    /// The lines that are new, perhaps several times.
    pub(super) added: Partitions<'r, LineEntry>,
    /// The members that are no more.
    pub(super) removed: Records<'r>,
    pub(super) unchanged: u64,
}

/// Compares the lines that were dealt out with the snapshot: each thread takes as many
/// partitions, which follow each other, as the others.
pub(super) fn find<'r, R: ReadAt + Sync>(
    work: &Work<'_, R>,
    pass: Pass,
    dealt: &[Partitions<'_, LineEntry>],
    room: &'r Room,
) -> Result<Vec<Found<'r>>, End> {
    let partitions = pass.shape.partitions();
    let width = 16 + work.previous.layout().payload_width();
    in_parallel(work.threads, |number| {
        let first_of = |number: usize| partitions * number / work.threads;
        let mut snapshot = Ranges::new(work, pass, first_of(number), width)?;
        let mut members = Members::new(pass, width, room);
        let mut found = Found {
            added: Partitions::new(Shape { bits: 0, ..pass.shape }, room),
            removed: Records::new(width, room),
            unchanged: 0,
        };
        for partition in first_of(number)..first_of(number + 1) {
            members.clear();
            snapshot.read(pass.start(partition + 1), &mut members)?;
            members.index();
            for entry in dealt.iter().flat_map(|part| part.entries(partition)).flatten() {
                if !members.note(*entry) {
                    found.added.push(0, *entry).map_err(exhausted)?;
                }
            }
            found.unchanged += members.seen();
            for record in members.not_seen() {
                found.removed.push(record).map_err(exhausted)?;
            }
        }
        Ok(found)
    })
}

/// One range of the snapshot after the other.
struct Ranges<'a, R> {
    source: SnapshotRecords<'a, R>,
    width: usize,
    /// Records that were read and are above the range.
    ahead: Vec<u8>,
}

impl<'a, R: ReadAt> Ranges<'a, R> {
    /// Begins at the start of `partition`.
    fn new(
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
    fn read(&mut self, end: Option<u128>, members: &mut Members<'_>) -> Result<(), End> {
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
    let bytes = records[at..].first_chunk().expect("a record begins with its fingerprint");
    u128::from_be_bytes(*bytes)
}

/// The members of one partition: a range of the snapshot, in which entries are looked up.
pub(super) struct Members<'r> {
    pass: Pass,
    width: usize,
    room: &'r Room,
    taken: usize,
    /// The records, as they are in the snapshot.
    records: Vec<u8>,
    /// The first bits that an entry would have, and [`NEAR`] more.
    tops: Vec<u64>,
    /// The start of the records with each beginning of these bits, and the end of the last ones.
    starts: Vec<u32>,
    shift: u32,
    /// A bit for each record of which there is a line.
    seen: Vec<u64>,
}

impl<'r> Members<'r> {
    pub(super) fn new(pass: Pass, width: usize, room: &'r Room) -> Self {
        let (records, tops, starts, seen) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { pass, width, room, taken: 0, records, tops, starts, shift: 0, seen }
    }

    fn clear(&mut self) {
        self.records.clear();
        self.tops.clear();
    }

    pub(super) fn extend(&mut self, records: &[u8]) -> Result<(), End> {
        if self.records.len() + records.len() > self.records.capacity() {
            self.grow(records.len()).map_err(exhausted)?;
        }
        self.records.extend_from_slice(records);
        let tops = records
            .chunks_exact(self.width)
            .map(|record| (self.pass.rest(fingerprint_at(record, 0)) >> 64) as u64);
        self.tops.extend(tops);
        Ok(())
    }

    /// Makes room for so many bytes of records more, and all that goes with them.
    fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let more = (bytes + STEP).div_ceil(self.width);
        // A record, its first bits, two starts and a bit.
        let taken = more * (self.width + 8 + 8 + 1);
        self.room.take(taken)?;
        self.taken += taken;
        let count = self.records.len() / self.width + more;
        self.records.reserve_exact(count * self.width - self.records.len());
        self.tops.reserve_exact(count + NEAR - self.tops.len());
        Ok(())
    }

    /// Prepares the look-up of what was read.
    pub(super) fn index(&mut self) {
        let count = self.tops.len();
        let bits = count.max(2).next_power_of_two().trailing_zeros();
        self.shift = 64 - bits;
        self.starts.clear();
        self.starts.resize((1 << bits) + 1, 0);
        for (index, top) in self.tops.iter().enumerate() {
            self.starts[(top >> self.shift) as usize + 1] = index as u32 + 1;
        }
        // Where there are none, they start where the ones before end.
        let mut last = 0;
        for start in &mut self.starts {
            last = last.max(*start);
            *start = last;
        }
        self.seen.clear();
        self.seen.resize(count.div_ceil(64), 0);
        self.tops.resize(count + NEAR, 0);
    }

    /// Notes that there is a line; `false` if it is that of no member.
    #[inline]
    pub(super) fn note(&mut self, entry: LineEntry) -> bool {
        let top = (entry.0 >> 64) as u64;
        let bucket = (top >> self.shift) as usize;
        let start = self.starts[bucket] as usize;
        let near: &[u64; NEAR] = self.tops[start..].first_chunk().expect("there are so many more");
        // All at once, because which of them it is cannot be predicted.
        let same = (0..NEAR).fold(0, |same, index| same | u32::from(near[index] == top) << index);
        let mut index = start + same.trailing_zeros() as usize;
        if same == 0 || !self.is(index, entry) {
            let end = self.starts[bucket + 1] as usize;
            let found =
                (start..end).find(|index| self.tops[*index] == top && self.is(*index, entry));
            let Some(found) = found else { return false };
            index = found;
        }
        self.seen[index / 64] |= 1 << (index % 64);
        true
    }

    /// Whether the entry agrees with the record of this number, if there is one.
    #[inline]
    fn is(&self, index: usize, entry: LineEntry) -> bool {
        let at = index * self.width;
        at < self.records.len() && self.pass.rest(fingerprint_at(&self.records, at)) == entry.rest()
    }

    pub(super) fn seen(&self) -> u64 {
        self.seen.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    fn not_seen(&self) -> impl Iterator<Item = &[u8]> {
        let records = self.records.chunks_exact(self.width).enumerate();
        let not_seen = records.filter(|(index, _)| self.seen[index / 64] >> (index % 64) & 1 == 0);
        not_seen.map(|(_, record)| record)
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
    fn new(width: usize, room: &'r Room) -> Self {
        Self { width, room, chunks: Vec::new() }
    }

    fn push(&mut self, record: &[u8]) -> Result<(), Exhausted> {
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

/// So many records are compared at once. Hardly ever are more in front of the right one.
const NEAR: usize = 4;

/// Bytes of records that are allocated at a time.
const STEP: usize = 64 << 10;
