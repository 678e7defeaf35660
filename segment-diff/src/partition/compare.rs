use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{Entry, Exhausted, Partitions, Room, Seen, Shape, Table};

/// What one worker found in the partitions that it took.
pub(crate) struct Found<'a, E> {
    /// Keys only on the current side, each once.
    pub(crate) added: Partitions<'a, E>,
    /// Keys only on the previous side, each once.
    pub(crate) removed: Partitions<'a, E>,
    /// How many keys are on both sides.
    pub(crate) unchanged: u64,
}

/// Compares both sides, each dealt out by one worker or several to partitions of the same `shape`,
/// on `threads` threads. What is found is in no particular order.
pub(crate) fn compare<'a, E: Entry>(
    shape: Shape,
    previous: &[Partitions<'_, E>],
    current: &[Partitions<'_, E>],
    threads: usize,
    room: &'a Room,
) -> Result<Vec<Found<'a, E>>, Exhausted> {
    compare_by(shape, previous, current, threads, room, &E::is_same)
}

/// As [`compare`]; `same` says whether two entries, of either side, stand for the same key.
pub(crate) fn compare_by<'a, E: Entry>(
    shape: Shape,
    previous: &[Partitions<'_, E>],
    current: &[Partitions<'_, E>],
    threads: usize,
    room: &'a Room,
    same: &(impl Fn(E, E) -> bool + Sync),
) -> Result<Vec<Found<'a, E>>, Exhausted> {
    let begin = || {
        let list = || Partitions::new(Shape { bits: 0, ..shape }, room);
        (Table::new(room), Found { added: list(), removed: list(), unchanged: 0 })
    };
    let workers = each(shape.partitions(), threads, begin, |partition, (table, found)| {
        compare_one(partition, previous, current, table, found, same)
    })?;
    Ok(workers.into_iter().map(|(_, found)| found).collect())
}

/// Takes one number after the other on `threads` threads, each of which begins with a worker of its
/// own. Returns the workers.
pub(super) fn each<W: Send, E: Send>(
    count: usize,
    threads: usize,
    begin: impl Fn() -> W + Sync,
    take: impl Fn(usize, &mut W) -> Result<(), E> + Sync,
) -> Result<Vec<W>, E> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut worker = begin();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(worker);
            }
            take(number, &mut worker)?;
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mine = work();
        let joined = others.into_iter().map(|other| other.join().expect("a worker has no panics"));
        [mine].into_iter().chain(joined).collect()
    })
}

fn compare_one<E: Entry>(
    partition: usize,
    previous: &[Partitions<'_, E>],
    current: &[Partitions<'_, E>],
    table: &mut Table<'_, E>,
    found: &mut Found<'_, E>,
    same: &impl Fn(E, E) -> bool,
) -> Result<(), Exhausted> {
    let keys: usize = previous.iter().map(|part| part.len(partition)).sum();
    table.reset(keys.min(LIKELY))?;
    for entries in previous.iter().flat_map(|part| part.entries(partition)) {
        for entry in entries {
            table.insert(*entry, same)?;
        }
    }
    for entries in current.iter().flat_map(|part| part.entries(partition)) {
        for entry in entries {
            match table.note(*entry, same)? {
                Seen::Added => found.added.push(0, *entry)?,
                Seen::Kept => found.unchanged += 1,
                Seen::Again => {}
            }
        }
    }
    for entry in table.missing() {
        found.removed.push(0, entry)?;
    }
    Ok(())
}

/// A partition with more entries than this holds the same keys over and over, unless everything
/// is far larger than expected; then the table grows.
const LIKELY: usize = 1 << 18;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Deals values out as so many workers would.
    fn deal<'a>(
        shape: Shape,
        values: &[u64],
        workers: usize,
        room: &'a Room,
    ) -> Vec<Partitions<'a, u64>> {
        let share = values.len().div_ceil(workers).max(1);
        let deal = |values: &[u64]| {
            let mut partitions = Partitions::new(shape, room);
            for value in values {
                partitions.push(shape.partition(value.reverse_bits()), *value).unwrap();
            }
            partitions
        };
        values.chunks(share).map(deal).collect()
    }

    fn sorted<'a>(
        found: &'a [Found<'_, u64>],
        of: fn(&'a Found<'_, u64>) -> &'a Partitions<'a, u64>,
    ) -> Vec<u64> {
        let mut all: Vec<u64> =
            found.iter().flat_map(|one| of(one).entries(0)).flatten().copied().collect();
        all.sort_unstable();
        all
    }

    proptest! {
        #[test]
        fn partitions_differ_as_their_sets_do(
            previous in vec(0..300_u64, 0..300),
            current in vec(0..300_u64, 0..300),
            workers in 1..4_usize,
            bits in 0..5_u32,
            chunk in 0..4_u32,
        ) {
            let shape = Shape { bits, chunk, slab: chunk + bits % 2 };
            let room = Room::new(1 << 20);
            let dealt = [&previous, &current].map(|side| deal(shape, side, workers, &room));
            let found = compare(shape, &dealt[0], &dealt[1], workers, &room).unwrap();
            let (before, after): (BTreeSet<u64>, BTreeSet<u64>) =
                (previous.into_iter().collect(), current.into_iter().collect());
            prop_assert!(sorted(&found, |one| &one.added).iter().eq(after.difference(&before)));
            prop_assert!(sorted(&found, |one| &one.removed).iter().eq(before.difference(&after)));
            let unchanged: u64 = found.iter().map(|one| one.unchanged).sum();
            prop_assert_eq!(unchanged, before.intersection(&after).count() as u64);
            drop((dealt, found));
            prop_assert_eq!(room.left(), 1 << 20);
        }
    }
}
