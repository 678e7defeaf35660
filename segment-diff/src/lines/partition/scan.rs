use std::ops::Range;
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::{Hashing, Layout, MAX_BYTES, Sums};
use crate::external::ScratchFile;
use crate::kernel::KeyRange;
use crate::lines::{LineBlock, LineError, LineReader, LinesError, Task, size_of_side};
use crate::merge::Side;
use crate::partition::{Exhausted, PackedDealer, PackedError, PackedPartitions, Room};

/// Both sides dealt out, by each worker a part.
pub(super) struct Dealt<'a> {
    pub(super) previous: Vec<PackedPartitions<'a>>,
    pub(super) current: Vec<PackedPartitions<'a>>,
    pub(super) sums: Sums,
}

impl Dealt<'_> {
    /// Gives the memory back, which takes a while.
    pub(super) fn give_back(self, threads: usize) {
        let Self { previous, current, .. } = self;
        thread::scope(|scope| {
            if threads > 1 {
                scope.spawn(|| drop(previous));
            }
            drop(current);
        });
    }
}

/// Reads both sides, and deals their lines out. `None` when the memory does not suffice.
pub(super) fn scan<'a>(
    task: &Task<'_>,
    layout: Layout,
    hashing: Hashing,
    room: &'a Room,
) -> Result<Option<Dealt<'a>>, LinesError> {
    let mut pieces = Vec::new();
    for side in [Side::Previous, Side::Current] {
        let source = task.side(side);
        let size = size_of_side(source, side)?;
        if size >= MAX_BYTES {
            return Ok(None);
        }
        task.meter.expect(size);
        let length = (size / (PIECES * task.threads as u64)).max(MIN_PIECE);
        let starts = (0..size).step_by(length as usize);
        pieces.extend(starts.map(|start| (side, start..size.min(start + length))));
    }
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let worker = Worker::new(task, layout, hashing, room);
        let end = worker.and_then(|worker| worker.take(&pieces, &next, &stop));
        stop.fetch_or(end.is_err(), Ordering::Relaxed);
        end
    };
    let ends: Vec<_> = thread::scope(|scope| {
        let others: Vec<_> = (1..task.threads).map(|_| scope.spawn(work)).collect();
        let mine = work();
        let joined = others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        [mine].into_iter().chain(joined).collect()
    });
    let mut dealt = Dealt { previous: Vec::new(), current: Vec::new(), sums: Sums::default() };
    let mut exhausted = false;
    for end in ends {
        match end {
            Ok((previous, current, sums)) => {
                dealt.previous.push(previous);
                dealt.current.push(current);
                dealt.sums += sums;
            }
            Err(End::Failed(error)) => return Err(error),
            Err(End::Exhausted) => exhausted = true,
        }
    }
    Ok((!exhausted).then_some(dealt))
}

/// Why a worker ended before its time.
enum End {
    Failed(LinesError),
    Exhausted,
}

impl From<Exhausted> for End {
    fn from(_: Exhausted) -> Self {
        Self::Exhausted
    }
}

impl From<PackedError> for End {
    fn from(error: PackedError) -> Self {
        match error {
            PackedError::Exhausted => Self::Exhausted,
            PackedError::File(error) => Self::Failed(error.into()),
        }
    }
}

struct Worker<'a, 't> {
    task: &'t Task<'t>,
    layout: Layout,
    hashing: Hashing,
    room: &'a Room,
    dealer: PackedDealer<'a>,
    /// What was dealt out of the previous side, once that is done.
    previous: Option<PackedPartitions<'a>>,
    sums: Sums,
    ranges: Vec<KeyRange>,
    hashes: Vec<u128>,
}

impl<'a, 't> Worker<'a, 't> {
    fn new(
        task: &'t Task<'t>,
        layout: Layout,
        hashing: Hashing,
        room: &'a Room,
    ) -> Result<Self, End> {
        room.take(BUFFERS)?;
        Ok(Self {
            task,
            layout,
            hashing,
            room,
            dealer: PackedDealer::new(layout.shape, layout.packing, room, file(task, layout))?,
            previous: None,
            sums: Sums::default(),
            ranges: Vec::new(),
            hashes: Vec::new(),
        })
    }

    /// Takes pieces, those of the previous side first, until there are no more.
    fn take(
        mut self,
        pieces: &[(Side, Range<u64>)],
        next: &AtomicUsize,
        stop: &AtomicBool,
    ) -> Result<(PackedPartitions<'a>, PackedPartitions<'a>, Sums), End> {
        while let Some((side, range)) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            if *side == Side::Current && self.previous.is_none() {
                self.turn()?;
            }
            let failed = |error| End::Failed(input(*side, error));
            let source = self.task.side(*side);
            let mut reader = LineReader::of_range(source, range.clone(), BLOCK).map_err(failed)?;
            while let Some(block) = reader.next_block().map_err(failed)? {
                self.deal(*side, block)?;
                self.task.meter.read(block.len());
                if stop.load(Ordering::Relaxed) {
                    return Err(End::Exhausted);
                }
            }
        }
        if self.previous.is_none() {
            self.turn()?;
        }
        let Self { previous: Some(previous), dealer, sums, room, .. } = self else {
            return Err(End::Exhausted);
        };
        room.give_back(BUFFERS);
        Ok((previous, dealer.finish()?, sums))
    }

    /// Is done with the previous side.
    fn turn(&mut self) -> Result<(), End> {
        self.previous = Some(self.dealer.turn(file(self.task, self.layout))?);
        Ok(())
    }

    fn deal(&mut self, side: Side, block: LineBlock<'_>) -> Result<(), End> {
        block.key_ranges(&mut self.ranges);
        for ranges in self.ranges.chunks(BATCH) {
            self.hashing.key.hash_many(block.bytes(), ranges, &mut self.hashes);
            let places = ranges.iter().map(|range| block.offset() + u64::from(range.start));
            self.dealer.extend(&self.hashes, places)?;
            self.sums.add(side, self.hashes.iter().fold(0, |sum, hash| sum.wrapping_add(*hash)));
        }
        Ok(())
    }
}

fn file(task: &Task<'_>, layout: Layout) -> Option<ScratchFile> {
    layout.filed.then(|| ScratchFile::new(task.directory.to_owned()))
}

fn input(side: Side, source: LineError) -> LinesError {
    LinesError::Input { side, source }
}

/// What a worker holds beside what it deals out: a block, at most as many lines as it has bytes
/// with four and eight bytes for each, and some hashes.
pub(super) const BUFFERS: usize = 14 * BLOCK + BATCH * size_of::<u128>();

/// Large enough to make a read cheap, and small enough to leave the second-level cache to the
/// partitions.
const BLOCK: usize = 64 << 10;

/// Keys whose hashes are made before they are used.
const BATCH: usize = 512;

/// Pieces of a side for each worker, so that none waits long for the last.
const PIECES: u64 = 8;
const MIN_PIECE: u64 = 256 << 10;
