use std::ops::Range;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{End, LineEntry, Pass, Work, exhausted};
use crate::ReadAt;
use crate::kernel::KeyRange;
use crate::lines::{LineBlock, LineReader};
use crate::partition::{Partitions, Room};

/// Reads the lines and deals those of this pass out: one result for each thread.
pub(super) fn scan<'r, R: ReadAt + Sync>(
    work: &Work<'_, R>,
    pass: Pass,
    room: &'r Room,
) -> Result<Vec<Partitions<'r, LineEntry>>, End> {
    work.meter.expect(work.size);
    let length = (work.size / (PIECES * work.threads as u64)).max(MIN_PIECE);
    let starts = (0..work.size).step_by(length as usize);
    let pieces: Vec<_> = starts.map(|start| start..work.size.min(start + length)).collect();
    let next = AtomicUsize::new(0);
    in_parallel(work.threads, |_| {
        let mut worker = Worker::new(work, pass, room);
        while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(end) = worker.read(piece.clone()) {
                // The others need not go on.
                next.store(pieces.len(), Ordering::Relaxed);
                return Err(end);
            }
        }
        Ok(worker.partitions)
    })
}

/// Does `work` on so many threads, the number of which it is told.
pub(super) fn in_parallel<T: Send>(
    threads: usize,
    work: impl Fn(usize) -> Result<T, End> + Sync,
) -> Result<Vec<T>, End> {
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = (1..threads).map(|number| scope.spawn(move || work(number))).collect();
        let mine = work(0);
        let joined = others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        [mine].into_iter().chain(joined).collect()
    })
}

struct Worker<'a, 'r, R> {
    work: &'a Work<'a, R>,
    pass: Pass,
    partitions: Partitions<'r, LineEntry>,
    ranges: Vec<KeyRange>,
    hashes: Vec<u128>,
}

impl<'a, 'r, R> Worker<'a, 'r, R> {
    fn new(work: &'a Work<'a, R>, pass: Pass, room: &'r Room) -> Self {
        let partitions = Partitions::new(pass.shape, room);
        Self { work, pass, partitions, ranges: Vec::new(), hashes: Vec::new() }
    }

    fn read(&mut self, piece: Range<u64>) -> Result<(), End> {
        let mut reader = LineReader::of_range(self.work.current, piece, BLOCK)?;
        while let Some(block) = reader.next_block()? {
            self.deal(block)?;
            self.work.meter.read(block.len());
        }
        Ok(())
    }

    fn deal(&mut self, block: LineBlock<'_>) -> Result<(), End> {
        block.key_ranges(&mut self.ranges);
        for ranges in self.ranges.chunks(BATCH) {
            self.work.key.fingerprint_ranges(block.bytes(), ranges, &mut self.hashes);
            for (range, hash) in ranges.iter().zip(&self.hashes) {
                // The order of fingerprints is that of their bytes.
                let fingerprint = hash.swap_bytes();
                let Some(partition) = self.pass.partition(fingerprint) else { continue };
                let offset = block.offset() + u64::from(range.start);
                let entry = LineEntry(self.pass.rest(fingerprint) | u128::from(offset));
                self.partitions.push(partition, entry).map_err(exhausted)?;
            }
        }
        Ok(())
    }
}

/// Large enough to make a read cheap, and small enough to leave the second-level cache to the
/// partitions.
const BLOCK: usize = 64 << 10;

/// Lines whose fingerprints are made before they are used.
const BATCH: usize = 512;

/// Pieces for each thread, so that none waits long for the last.
const PIECES: u64 = 8;
const MIN_PIECE: u64 = 256 << 10;
