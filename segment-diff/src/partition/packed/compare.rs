use super::near::Near;
use super::table::PackedTable;
use super::{Finding, PackedError, PackedPartitions, Packing, finding};
use crate::kernel::{EightMatcher, match_eight};
use crate::merge::Side;
use crate::partition::compare::each;
use crate::partition::{Exhausted, Located, Partitions, Room, Seen, Shape};

/// What one worker found in the partitions that it took.
pub(crate) struct PackedFound<'a> {
    added: Partitions<'a, Finding>,
    removed: Partitions<'a, Finding>,
    doubtful: [Partitions<'a, Finding>; 2],
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
    pub(crate) fn only(&self, side: Side) -> &Partitions<'a, Finding> {
        match side {
            Side::Previous => &self.removed,
            Side::Current => &self.added,
        }
    }

    /// The entries of a side with bits that this or the other one has several times: the same key
    /// again, or another.
    pub(crate) fn doubtful(&self, side: Side) -> &Partitions<'a, Finding> {
        &self.doubtful[side as usize]
    }
}

/// Compares both sides, each dealt out by one worker or several to partitions of the same `shape`
/// and `packing`, on `threads` threads. What is found is in no particular order.
pub(crate) fn compare_packed<'a>(
    (shape, packing): (Shape, Packing),
    previous: &[PackedPartitions<'_>],
    current: &[PackedPartitions<'_>],
    threads: usize,
    room: &'a Room,
) -> Result<Vec<PackedFound<'a>>, PackedError> {
    let begin = || Worker {
        table: PackedTable::new(room),
        previous: Near::new(previous, packing, room),
        current: Near::new(current, packing, room),
        found: PackedFound::new(shape, room),
        doubts: Vec::new(),
        added: Vec::new(),
    };
    let groups = shape.partitions() / packing.group;
    let workers = each(groups, threads, begin, |group, worker| {
        worker.previous.turn_to(group)?;
        worker.current.turn_to(group)?;
        let mut partitions = group * packing.group..(group + 1) * packing.group;
        partitions.try_for_each(|partition| worker.compare(partition))?;
        Ok::<_, PackedError>(())
    })?;
    Ok(workers.into_iter().map(|worker| worker.found).collect())
}

struct Worker<'a, 'p> {
    table: PackedTable<'a>,
    previous: Near<'p>,
    current: Near<'p>,
    found: PackedFound<'a>,
    /// Of one partition: the bits that one side has several times.
    doubts: Vec<u64>,
    /// Of one partition: what is perhaps added.
    added: Vec<Located>,
}

impl Worker<'_, '_> {
    fn compare(&mut self, partition: usize) -> Result<(), Exhausted> {
        self.table.reset(self.previous.len(partition).min(LIKELY))?;
        self.doubts.clear();
        self.added.clear();
        let mut pairs = match_eight(Comparison { worker: self, partition })?;
        let Self { table, found, doubts, added, .. } = self;
        doubts.sort_unstable();
        doubts.dedup();
        let doubtful = |entry: &Located| doubts.binary_search(&entry[0]).is_ok();
        for entry in added.iter().filter(|entry| !doubtful(entry)) {
            found.added.push(0, finding(*entry))?;
        }
        for entry in table.missing().filter(|entry| !doubtful(entry)) {
            found.removed.push(0, finding(entry))?;
        }
        if !doubts.is_empty() {
            pairs -= self.set_aside(partition)?;
        }
        self.found.pairs += pairs;
        Ok(())
    }

    /// Notes all entries with bits that are in doubt. Returns how many of these both sides have.
    fn set_aside(&mut self, partition: usize) -> Result<u64, Exhausted> {
        let Self { previous, current, found, doubts, .. } = self;
        let mut seen = vec![[false; 2]; doubts.len()];
        for (side, near) in [previous, current].into_iter().enumerate() {
            near.for_each(partition, |origin, entries| {
                for entry in entries {
                    let entry = origin.unpack(*entry);
                    if let Ok(index) = doubts.binary_search(&entry[0]) {
                        seen[index][side] = true;
                        found.doubtful[side].push(0, finding(entry))?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(seen.iter().filter(|seen| **seen == [true; 2]).count() as u64)
    }
}

/// The comparison of one partition.
struct Comparison<'w, 'a, 'p> {
    worker: &'w mut Worker<'a, 'p>,
    partition: usize,
}

impl EightMatcher for Comparison<'_, '_, '_> {
    type Output = Result<u64, Exhausted>;

    /// Returns how many bits both sides have, those in doubt as well.
    #[inline(always)]
    fn run(self, eight: impl Fn(&[u64; 8], u64) -> u8) -> Result<u64, Exhausted> {
        let Worker { table, previous, current, doubts, added, .. } = self.worker;
        previous.for_each(self.partition, |origin, entries| {
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
        current.for_each(self.partition, |origin, entries| {
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

/// A partition with more entries than this holds the same keys over and over, unless everything
/// is far larger than expected; then the table grows.
const LIKELY: usize = 1 << 18;
