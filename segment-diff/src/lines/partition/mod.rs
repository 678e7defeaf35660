//! Differences of lines in any order: some bits of a hash and the place of each line are kept, in
//! memory or in temporary files; the lines that differ are read again, and whole hashes verify that the others do not.
//!
//! How likely a wrong answer is, the documentation of [`lines`](super) says.

mod doubts;
mod fetch;
mod layout;
mod scan;
mod sums;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::thread;

pub(super) use fetch::Window;

use super::{LinesError, Task};
use crate::external::Differences;
use crate::kernel::HashKey;
use crate::merge::{Counts, DiffSink, Side};
use crate::partition::{
    Exhausted, Finding, PLACE_BITS, PackedError, PackedFound, Packing, Partitions, Room,
    compare_packed, place_of,
};
use layout::Layout;
pub(crate) use layout::Sizes;
use sums::Sums;

/// Sides of this many bytes or more have offsets that an entry cannot hold.
pub(crate) const MAX_BYTES: u64 = 1 << PLACE_BITS;

/// Whether lines can be dealt out in so much memory, to temporary files if need be.
pub(crate) fn fits(sizes: Sizes, memory: usize, threads: usize) -> bool {
    Layout::held(sizes, memory, threads).is_some()
        || Layout::filed(sizes, memory, threads).is_some()
}

/// Tells `sink` how the lines of the current side differ from those of the previous one; of those
/// that do not differ it is told nothing. `None` means that the memory does not suffice, that a
/// side is too long, or that different lines were taken for the same; `sink` was then told nothing
/// at all.
pub(crate) fn run<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    sizes: Sizes,
    sink: &mut S,
) -> Result<Option<ControlFlow<S::Break, Counts>>, LinesError> {
    if let Some(layout) = Layout::held(sizes, task.memory, task.threads) {
        if let Some(told) = run_in(task, layout, sink)? {
            return Ok(Some(told));
        }
        task.meter.give_up();
    }
    match Layout::filed(sizes, task.memory, task.threads) {
        Some(layout) => run_in(task, layout, sink),
        None => Ok(None),
    }
}

fn run_in<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    layout: Layout,
    sink: &mut S,
) -> Result<Option<ControlFlow<S::Break, Counts>>, LinesError> {
    let hashing = Hashing { key: HashKey::random(), packing: layout.packing };
    let Some((mut found, mut doubtful)) = find(task, layout, hashing)? else { return Ok(None) };
    doubtful.iter_mut().for_each(|side| sort_by_place(side));
    if !doubts::settle(task, hashing, doubtful, &mut found)? {
        return Ok(None);
    }
    found.sort(task.threads);
    let budget = task.memory.saturating_sub(found.bytes() + fetch::buffers(task.threads));
    let mut differences = Differences::new(task.directory, budget)?;
    found.left -= fetch::fetch(task, hashing, &found, &mut differences)?;
    if !found.left.agree() {
        return Ok(None);
    }
    let unchanged = found.unchanged;
    drop(found);
    Ok(Some(match differences.deliver(task.threads, sink)? {
        ControlFlow::Continue(counts) => ControlFlow::Continue(Counts { unchanged, ..counts }),
        stopped => stopped,
    }))
}

/// What is made of a line: its whole hash, and the bits of it that are kept.
#[derive(Clone, Copy)]
struct Hashing {
    key: HashKey,
    packing: Packing,
}

/// The lines that differ.
struct Differing {
    added: Vec<Finding>,
    removed: Vec<Finding>,
    unchanged: u64,
    /// The sums of the hashes of all other lines. They agree if these are the same on both sides.
    left: Sums,
}

impl Differing {
    fn of(&self, side: Side) -> &[Finding] {
        match side {
            Side::Previous => &self.removed,
            Side::Current => &self.added,
        }
    }

    fn of_mut(&mut self, side: Side) -> &mut Vec<Finding> {
        match side {
            Side::Previous => &mut self.removed,
            Side::Current => &mut self.added,
        }
    }

    /// Puts them into the order of the files, so that reading only goes forward.
    fn sort(&mut self, threads: usize) {
        thread::scope(|scope| {
            if threads > 1 {
                scope.spawn(|| sort_by_place(&mut self.added));
            } else {
                sort_by_place(&mut self.added);
            }
            sort_by_place(&mut self.removed);
        });
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.added) + size_of_val(&*self.removed)
    }
}

fn sort_by_place(entries: &mut [Finding]) {
    entries.sort_unstable_by_key(|entry| place_of(*entry));
}

/// What differs, and of both sides what is in doubt.
type Findings = (Differing, [Vec<Finding>; 2]);

fn find(task: &Task<'_>, layout: Layout, hashing: Hashing) -> Result<Option<Findings>, LinesError> {
    let room = Room::new(task.memory);
    let Some(dealt) = scan::scan(task, layout, hashing, &room)? else {
        return Ok(None);
    };
    let laid_out = (layout.shape, layout.packing);
    let sides = (&dealt.previous, &dealt.current);
    let found = match compare_packed(laid_out, sides.0, sides.1, task.threads, &room) {
        Ok(found) => found,
        Err(PackedError::Exhausted) => return Ok(None),
        Err(PackedError::File(error)) => return Err(error.into()),
    };
    let sums = dealt.sums;
    dealt.give_back(task.threads);
    Ok(collect(&found, sums, &room).ok())
}

/// Puts together what the workers found.
fn collect(found: &[PackedFound<'_>], left: Sums, room: &Room) -> Result<Findings, Exhausted> {
    let differing = Differing {
        added: put_together(found, |found| found.only(Side::Current), room)?,
        removed: put_together(found, |found| found.only(Side::Previous), room)?,
        unchanged: found.iter().map(|found| found.pairs).sum(),
        left,
    };
    let doubtful = [
        put_together(found, |found| found.doubtful(Side::Previous), room)?,
        put_together(found, |found| found.doubtful(Side::Current), room)?,
    ];
    Ok((differing, doubtful))
}

fn put_together<'f, 'a>(
    found: &'f [PackedFound<'a>],
    list: fn(&'f PackedFound<'a>) -> &'f Partitions<'a, Finding>,
    room: &Room,
) -> Result<Vec<Finding>, Exhausted> {
    let count = found.iter().map(|found| list(found).len(0)).sum::<usize>();
    // What it takes is counted by whoever comes next.
    room.take(count * size_of::<Finding>())?;
    let mut entries = Vec::with_capacity(count);
    for some in found.iter().flat_map(|found| list(found).entries(0)) {
        entries.extend_from_slice(some);
    }
    Ok(entries)
}
