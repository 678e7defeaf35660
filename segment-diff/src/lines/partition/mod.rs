//! Differences of lines in any order, in memory: some bits of a hash and the place of each line are
//! kept, the lines that differ are read again, and whole hashes verify that the others do not.
//!
//! How likely a wrong answer is, the documentation of [`lines`](super) says.

mod doubts;
mod fetch;
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
    Exhausted, Located, PLACE_BITS, PackedFound, Packing, Partitions, Room, Shape, compare_packed,
    place,
};
use sums::Sums;

/// Sides of this many bytes or more have offsets that an entry cannot hold.
pub(crate) const MAX_BYTES: u64 = 1 << PLACE_BITS;

/// The bytes of memory that suffice for sides of about so many lines, of which the longer side is
/// so long, unless most lines differ.
pub(crate) fn memory_needed(lines: [u64; 2], bytes: u64, threads: usize) -> u64 {
    let longer = lines[0].max(lines[1]);
    let (shape, packing) = layout(longer, bytes);
    let threads = threads.max(1) as u64;
    let side = |lines: u64| threads * packing.bytes(lines.div_ceil(threads), shape);
    let tables = threads * (4 << 20);
    side(lines[0]) + side(lines[1]) + tables + threads * scan::buffers(packing) as u64
}

fn layout(lines: u64, bytes: u64) -> (Shape, Packing) {
    (Shape::for_packed(lines), Packing::for_keys(lines, bytes / lines.max(1)))
}

/// Tells `sink` how the lines of the current side differ from those of the previous one; of those
/// that do not differ it is told nothing. `None` means that the memory does not suffice, that a
/// side is too long, or that different lines were taken for the same; `sink` was then told nothing
/// at all.
///
/// `lines` says about how many there are on the longer side, which has so many `bytes`.
pub(crate) fn run<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    lines: u64,
    bytes: u64,
    sink: &mut S,
) -> Result<Option<ControlFlow<S::Break, Counts>>, LinesError> {
    run_in(task, layout(lines, bytes), sink)
}

fn run_in<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    (shape, packing): (Shape, Packing),
    sink: &mut S,
) -> Result<Option<ControlFlow<S::Break, Counts>>, LinesError> {
    let hashing = Hashing { key: HashKey::random(), packing };
    let Some((mut found, mut doubtful)) = find(task, shape, hashing)? else { return Ok(None) };
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
    added: Vec<Located>,
    removed: Vec<Located>,
    unchanged: u64,
    /// The sums of the hashes of all other lines. They agree if these are the same on both sides.
    left: Sums,
}

impl Differing {
    fn of(&self, side: Side) -> &[Located] {
        match side {
            Side::Previous => &self.removed,
            Side::Current => &self.added,
        }
    }

    fn of_mut(&mut self, side: Side) -> &mut Vec<Located> {
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

fn sort_by_place(entries: &mut [Located]) {
    entries.sort_unstable_by_key(|entry| place(*entry));
}

/// What differs, and of both sides what is in doubt.
type Findings = (Differing, [Vec<Located>; 2]);

fn find(task: &Task<'_>, shape: Shape, hashing: Hashing) -> Result<Option<Findings>, LinesError> {
    let room = Room::new(task.memory);
    let Some(dealt) = scan::scan(task, shape, hashing, &room)? else {
        return Ok(None);
    };
    let sides = (&dealt.previous, &dealt.current);
    let Ok(found) = compare_packed(shape, sides.0, sides.1, task.threads, &room) else {
        return Ok(None);
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
    list: fn(&'f PackedFound<'a>) -> &'f Partitions<'a, Located>,
    room: &Room,
) -> Result<Vec<Located>, Exhausted> {
    let count = found.iter().map(|found| list(found).len(0)).sum::<usize>();
    // What it takes is counted by whoever comes next.
    room.take(count * size_of::<Located>())?;
    let mut entries = Vec::with_capacity(count);
    for some in found.iter().flat_map(|found| list(found).entries(0)) {
        entries.extend_from_slice(some);
    }
    Ok(entries)
}
