//! Differences of lines in any order, in memory: a hash and an offset of each line is kept, and
//! the lines that differ are read again.
//!
//! How likely a wrong answer is, the documentation of [`lines`](super) says. The reading again finds
//! none: it shows that a line is where it was, and the same.

mod fetch;
mod scan;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::thread;

pub(super) use fetch::Window;

use super::{LinesError, Task};
use crate::external::Differences;
use crate::kernel::HashKey;
use crate::merge::{Counts, DiffSink, Side};
use crate::partition::{Exhausted, Found, Located, PLACE_BITS, Room, Shape, compare, place};

/// Sides of this many bytes or more have offsets that an entry cannot hold.
pub(crate) const MAX_BYTES: u64 = 1 << PLACE_BITS;

/// The bytes of memory that suffice for sides of so many bytes and about so many lines, unless
/// most lines differ.
pub(crate) fn memory_needed(lines_previous: u64, lines_current: u64, threads: usize) -> u64 {
    let shape = Shape::for_entries(lines_previous.max(lines_current));
    let threads = threads.max(1) as u64;
    let side = |lines: u64| threads * shape.bytes::<Located>(lines.div_ceil(threads));
    let tables = threads * (4 << 20);
    side(lines_previous) + side(lines_current) + tables + threads * scan::BUFFERS as u64
}

/// Tells `sink` how the lines of the current side differ from those of the previous one; of those
/// that do not differ it is told nothing. `None` means that the memory does not suffice, or that
/// a side is too long; `sink` was then told nothing at all.
///
/// `lines` says about how many there are on the longer side.
pub(crate) fn run<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    lines: u64,
    sink: &mut S,
) -> Result<Option<ControlFlow<S::Break, Counts>>, LinesError> {
    run_shaped(task, Shape::for_entries(lines), sink)
}

fn run_shaped<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    shape: Shape,
    sink: &mut S,
) -> Result<Option<ControlFlow<S::Break, Counts>>, LinesError> {
    let Some(mut found) = find(task, shape, HashKey::random())? else {
        return Ok(None);
    };
    found.sort(task.threads);
    let budget = task.memory.saturating_sub(found.bytes() + fetch::buffers(task.threads));
    let mut differences = Differences::new(task.directory, budget)?;
    fetch::fetch(task, &found, &mut differences)?;
    let unchanged = found.unchanged;
    drop(found);
    Ok(Some(match differences.deliver(task.threads, sink)? {
        ControlFlow::Continue(counts) => ControlFlow::Continue(Counts { unchanged, ..counts }),
        stopped => stopped,
    }))
}

/// The lines that differ.
struct Differing {
    key: HashKey,
    added: Vec<Located>,
    removed: Vec<Located>,
    unchanged: u64,
}

impl Differing {
    fn of(&self, side: Side) -> &[Located] {
        match side {
            Side::Previous => &self.removed,
            Side::Current => &self.added,
        }
    }

    /// Puts them into the order of the files, so that reading only goes forward.
    fn sort(&mut self, threads: usize) {
        let sort = |entries: &mut [Located]| entries.sort_unstable_by_key(|entry| place(*entry));
        thread::scope(|scope| {
            if threads > 1 {
                scope.spawn(|| sort(&mut self.added));
            } else {
                sort(&mut self.added);
            }
            sort(&mut self.removed);
        });
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.added) + size_of_val(&*self.removed)
    }
}

fn find(task: &Task<'_>, shape: Shape, key: HashKey) -> Result<Option<Differing>, LinesError> {
    let room = Room::new(task.memory);
    let Some(dealt) = scan::scan(task, shape, key, &room)? else {
        return Ok(None);
    };
    let Ok(found) = compare(shape, &dealt.previous, &dealt.current, task.threads, &room) else {
        return Ok(None);
    };
    drop(dealt);
    Ok(collect(found, key, &room).ok())
}

/// Puts together what the workers found.
fn collect(
    found: Vec<Found<'_, Located>>,
    key: HashKey,
    room: &Room,
) -> Result<Differing, Exhausted> {
    let count = |length: fn(&Found<'_, Located>) -> usize| found.iter().map(length).sum::<usize>();
    let (added, removed) = (count(|found| found.added.len(0)), count(|found| found.removed.len(0)));
    // What it takes is counted by whoever comes next.
    room.take((added + removed) * size_of::<Located>())?;
    let mut differing = Differing {
        key,
        added: Vec::with_capacity(added),
        removed: Vec::with_capacity(removed),
        unchanged: 0,
    };
    for one in &found {
        one.added.entries(0).for_each(|some| differing.added.extend_from_slice(some));
        one.removed.entries(0).for_each(|some| differing.removed.extend_from_slice(some));
        differing.unchanged += one.unchanged;
    }
    Ok(differing)
}
