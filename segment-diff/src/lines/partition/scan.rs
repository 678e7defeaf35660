use std::ops::Range;
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::{Hashing, MAX_BYTES, Sums};
use crate::kernel::{HashKey, KeyRange};
use crate::lines::{LineBlock, LineError, LineReader, LinesError, Task, size_of_side};
use crate::merge::Side;
use crate::partition::{Exhausted, PackedDealer, PackedPartitions, Packing, Room, Shape};

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
    shape: Shape,
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
        let worker = Worker::new(task, shape, hashing, room);
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

struct Worker<'a, 't> {
    task: &'t Task<'t>,
    key: HashKey,
    previous: PackedDealer<'a>,
    current: PackedDealer<'a>,
    sums: Sums,
    ranges: Vec<KeyRange>,
    hashes: Vec<u128>,
}

impl<'a, 't> Worker<'a, 't> {
    fn new(
        task: &'t Task<'t>,
        shape: Shape,
        hashing: Hashing,
        room: &'a Room,
    ) -> Result<Self, End> {
        room.take(buffers(hashing.packing))?;
        Ok(Self {
            task,
            key: hashing.key,
            previous: PackedDealer::new(shape, hashing.packing, room),
            current: PackedDealer::new(shape, hashing.packing, room),
            sums: Sums::default(),
            ranges: Vec::new(),
            hashes: Vec::new(),
        })
    }

    fn take(
        mut self,
        pieces: &[(Side, Range<u64>)],
        next: &AtomicUsize,
        stop: &AtomicBool,
    ) -> Result<(PackedPartitions<'a>, PackedPartitions<'a>, Sums), End> {
        while let Some((side, range)) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
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
        Ok((self.previous.finish()?, self.current.finish()?, self.sums))
    }

    fn deal(&mut self, side: Side, block: LineBlock<'_>) -> Result<(), Exhausted> {
        let partitions = match side {
            Side::Previous => &mut self.previous,
            Side::Current => &mut self.current,
        };
        block.key_ranges(&mut self.ranges);
        for ranges in self.ranges.chunks(BATCH) {
            self.key.hash_many(block.bytes(), ranges, &mut self.hashes);
            let places = ranges.iter().map(|range| block.offset() + u64::from(range.start));
            partitions.extend(&self.hashes, places)?;
            self.sums.add(side, self.hashes.iter().fold(0, |sum, hash| sum.wrapping_add(*hash)));
        }
        Ok(())
    }
}

fn input(side: Side, source: LineError) -> LinesError {
    LinesError::Input { side, source }
}

/// What a worker holds beside its partitions: a block, at most as many lines as it has bytes with
/// four and eight bytes for each, some hashes, and a batch of each side.
pub(super) const fn buffers(packing: Packing) -> usize {
    14 * BLOCK + BATCH * size_of::<u128>() + 2 * packing.buffers()
}

/// Large enough to make a read cheap, and small enough to leave the second-level cache to the
/// partitions.
const BLOCK: usize = 64 << 10;

/// Keys whose hashes are made before they are used.
const BATCH: usize = 512;

/// Pieces of a side for each worker, so that none waits long for the last.
const PIECES: u64 = 8;
const MIN_PIECE: u64 = 256 << 10;
