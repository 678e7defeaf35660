use std::ops::Range;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{End, Pass, Work};
use crate::ReadAt;
use crate::kernel::KeyRange;
use crate::lines::{LineBlock, LineReader};
use crate::partition::{PackedDealer, PackedError, PackedPartitions, Room};

/// Lines dealt out, by each thread a part, and the sum of their fingerprints.
pub(super) type Dealt<'r> = (Vec<PackedPartitions<'r>>, u128);

/// Reads the lines and deals those of this pass out.
pub(super) fn scan<'r, R: ReadAt + Sync>(
    work: &Work<'_, R>,
    pass: Pass,
    room: &'r Room,
) -> Result<Dealt<'r>, End> {
    work.meter.expect(work.size);
    let length = (work.size / (PIECES * work.threads as u64)).max(MIN_PIECE);
    let starts = (0..work.size).step_by(length as usize);
    let pieces: Vec<_> = starts.map(|start| start..work.size.min(start + length)).collect();
    let next = AtomicUsize::new(0);
    let parts = in_parallel(work.threads, |_| {
        let mut worker = Worker::new(work, pass, room)?;
        while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(end) = worker.read(piece.clone()) {
                // The others need not go on.
                next.store(pieces.len(), Ordering::Relaxed);
                return Err(end);
            }
        }
        Ok((worker.dealer.finish()?, worker.sum))
    })?;
    let sum = parts.iter().fold(0_u128, |sum, (_, part)| sum.wrapping_add(*part));
    Ok((parts.into_iter().map(|(lines, _)| lines).collect(), sum))
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
    dealer: PackedDealer<'r>,
    sum: u128,
    ranges: Vec<KeyRange>,
    fingerprints: Vec<u128>,
    places: Vec<u64>,
}

impl<'a, 'r, R> Worker<'a, 'r, R> {
    fn new(work: &'a Work<'a, R>, pass: Pass, room: &'r Room) -> Result<Self, PackedError> {
        let dealer = PackedDealer::new(pass.shape, pass.packing, room, None)?;
        let (ranges, fingerprints, places) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { work, pass, dealer, sum: 0, ranges, fingerprints, places })
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
            let fingerprints = &mut self.fingerprints;
            self.work.key.fingerprint_ranges(block.bytes(), ranges, fingerprints);
            // The order of fingerprints is that of their bytes.
            fingerprints.iter_mut().for_each(|fingerprint| *fingerprint = fingerprint.swap_bytes());
            let places = ranges.iter().map(|range| block.offset() + u64::from(range.start));
            self.places.clear();
            self.places.extend(places);
            self.pass.keep_own(fingerprints, &mut self.places);
            self.sum = fingerprints.iter().fold(self.sum, |sum, own| sum.wrapping_add(*own));
            fingerprints.iter_mut().for_each(|own| *own = self.pass.word(*own));
            self.dealer.extend(fingerprints, self.places.iter().copied())?;
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
