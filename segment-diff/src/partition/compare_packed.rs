use super::compare::each_partition;
use super::packed::{MOST_KEYS, Origin};
use super::packed_table::PackedTable;
use super::{Exhausted, Located, PackedPartitions, Partitions, Room, Seen, Shape};
use crate::kernel::{EightMatcher, match_eight};
use crate::merge::Side;

/// What one worker found in the partitions that it took. An entry is the bits of a hash and a
/// place.
pub(crate) struct PackedFound<'a> {
    added: Partitions<'a, Located>,
    removed: Partitions<'a, Located>,
    doubtful: [Partitions<'a, Located>; 2],
    /// How many entries of the one side have the bits of exactly one of the other, and are alone
    /// with them on their sides.
    pub(crate) pairs: u64,
}

impl<'a> PackedFound<'a> {
    fn new(shape: Shape, room: &'a Room) -> Self {
        let list = || Partitions::new(Shape { bits: 0, ..shape }, room);
        Self { added: list(), removed: list(), doubtful: [list(), list()], pairs: 0 }
    }

    /// The entries with bits that only this side has, each alone with them.
    pub(crate) fn only(&self, side: Side) -> &Partitions<'a, Located> {
        match side {
            Side::Previous => &self.removed,
            Side::Current => &self.added,
        }
    }

    /// The entries of a side with bits that this or the other one has several times: the same key
    /// again, or another.
    pub(crate) fn doubtful(&self, side: Side) -> &Partitions<'a, Located> {
        &self.doubtful[side as usize]
    }
}

/// Compares both sides, each dealt out by one worker or several to partitions of the same `shape`,
/// on `threads` threads. What is found is in no particular order.
pub(crate) fn compare_packed<'a>(
    shape: Shape,
    previous: &[PackedPartitions<'_>],
    current: &[PackedPartitions<'_>],
    threads: usize,
    room: &'a Room,
) -> Result<Vec<PackedFound<'a>>, Exhausted> {
    let begin = || Worker {
        table: PackedTable::new(room),
        near: Near::default(),
        found: PackedFound::new(shape, room),
        doubts: Vec::new(),
        added: Vec::new(),
    };
    let workers = each_partition(shape, threads, begin, |partition, worker| {
        worker.compare(partition, previous, current)
    })?;
    Ok(workers.into_iter().map(|worker| worker.found).collect())
}

struct Worker<'a> {
    table: PackedTable<'a>,
    near: Near,
    found: PackedFound<'a>,
    /// Of one partition: the bits that one side has several times.
    doubts: Vec<u64>,
    /// Of one partition: what is perhaps added.
    added: Vec<Located>,
}

impl Worker<'_> {
    fn compare(
        &mut self,
        partition: usize,
        previous: &[PackedPartitions<'_>],
        current: &[PackedPartitions<'_>],
    ) -> Result<(), Exhausted> {
        let entries: usize = previous.iter().map(|part| part.len(partition)).sum();
        self.table.reset(entries.min(LIKELY))?;
        self.doubts.clear();
        self.added.clear();
        let mut pairs = match_eight(Comparison { worker: self, partition, previous, current })?;
        let Self { table, found, doubts, added, .. } = self;
        doubts.sort_unstable();
        doubts.dedup();
        let doubtful = |entry: &Located| doubts.binary_search(&entry[0]).is_ok();
        for entry in added.iter().filter(|entry| !doubtful(entry)) {
            found.added.push(0, *entry)?;
        }
        for entry in table.missing().filter(|entry| !doubtful(entry)) {
            found.removed.push(0, entry)?;
        }
        if !doubts.is_empty() {
            pairs -= self.set_aside(partition, [previous, current])?;
        }
        self.found.pairs += pairs;
        Ok(())
    }

    /// Notes all entries with bits that are in doubt. Returns how many of these both sides have.
    fn set_aside(
        &mut self,
        partition: usize,
        sides: [&[PackedPartitions<'_>]; 2],
    ) -> Result<u64, Exhausted> {
        let Self { near, found, doubts, .. } = self;
        let mut seen = vec![[false; 2]; doubts.len()];
        for (side, parts) in sides.into_iter().enumerate() {
            near.for_each(parts, partition, |origin, entries| {
                for entry in entries {
                    let entry = origin.unpack(*entry);
                    if let Ok(index) = doubts.binary_search(&entry[0]) {
                        seen[index][side] = true;
                        found.doubtful[side].push(0, entry)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(seen.iter().filter(|seen| **seen == [true; 2]).count() as u64)
    }
}

/// The comparison of one partition.
struct Comparison<'w, 'a> {
    worker: &'w mut Worker<'a>,
    partition: usize,
    previous: &'w [PackedPartitions<'w>],
    current: &'w [PackedPartitions<'w>],
}

impl EightMatcher for Comparison<'_, '_> {
    type Output = Result<u64, Exhausted>;

    /// Returns how many bits both sides have, those in doubt as well.
    #[inline(always)]
    fn run(self, eight: impl Fn(&[u64; 8], u64) -> u8) -> Result<u64, Exhausted> {
        let Worker { table, near, doubts, added, .. } = self.worker;
        near.for_each(self.previous, self.partition, |origin, entries| {
            let mut table = table.reserve(entries.len())?;
            for entry in entries {
                let entry = origin.unpack(*entry);
                if !table.insert(entry, &eight) {
                    doubts.push(entry[0]);
                }
            }
            Ok(())
        })?;
        let mut pairs = 0;
        near.for_each(self.current, self.partition, |origin, entries| {
            let mut table = table.reserve(entries.len())?;
            for entry in entries {
                let entry = origin.unpack(*entry);
                match table.note(entry[0], &eight) {
                    Seen::Added => added.push(entry),
                    Seen::Kept => pairs += 1,
                    Seen::Again => doubts.push(entry[0]),
                }
            }
            Ok(())
        })?;
        Ok(pairs)
    }
}

/// Copies of entries that lie all over the memory: copying alone fetches many of them at the same
/// time, what is done with each does not.
#[derive(Default)]
struct Near {
    entries: Vec<u64>,
    /// How each piece is to be read, and where it ends.
    pieces: Vec<(Origin, usize)>,
}

impl Near {
    /// Calls `visit` with all entries of a partition, some at a time.
    #[inline(always)]
    fn for_each(
        &mut self,
        parts: &[PackedPartitions<'_>],
        partition: usize,
        mut visit: impl FnMut(Origin, &[u64]) -> Result<(), Exhausted>,
    ) -> Result<(), Exhausted> {
        let mut pieces = parts.iter().flat_map(|part| part.entries(partition)).peekable();
        while pieces.peek().is_some() {
            self.entries.clear();
            self.pieces.clear();
            let room = |held: usize, more: &[u64]| held == 0 || held + more.len() <= MOST_KEYS;
            while let Some((origin, piece)) =
                pieces.next_if(|(_, piece)| room(self.entries.len(), piece))
            {
                self.entries.extend_from_slice(piece);
                self.pieces.push((origin, self.entries.len()));
            }
            let mut start = 0;
            for (origin, end) in &self.pieces {
                visit(*origin, &self.entries[start..*end])?;
                start = *end;
            }
        }
        Ok(())
    }
}

/// A partition with more entries than this holds the same keys over and over, unless everything
/// is far larger than expected; then the table grows.
const LIKELY: usize = 1 << 18;
