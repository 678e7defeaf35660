use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::ReadAt;
use crate::fingerprint::FingerprintKey;
use crate::kernel::{self, HashKey, KeyRange, SLACK, Sip24};
use crate::lines::{LineError, LineReader, Meter, size};

/// What makes 128 bits of a line, the upper 120 of which go into a sketch.
pub(super) trait LineHash: Sync {
    fn hash_many(&self, bytes: &[u8], keys: &[KeyRange], hashes: &mut Vec<u128>);
}

impl LineHash for HashKey {
    fn hash_many(&self, bytes: &[u8], keys: &[KeyRange], hashes: &mut Vec<u128>) {
        HashKey::hash_many(self, bytes, keys, hashes);
    }
}

impl LineHash for FingerprintKey {
    fn hash_many(&self, bytes: &[u8], keys: &[KeyRange], hashes: &mut Vec<u128>) {
        hashes.clear();
        kernel::hash_many::<Sip24>(self.as_bytes(), bytes, keys, hashes);
        // A fingerprint is the bytes of the hash, lowest first, and a number highest first.
        hashes.iter_mut().for_each(|hash| *hash = hash.swap_bytes());
    }
}

/// One pass over the lines of an input.
pub(super) struct Scan<'a, H> {
    pub(super) source: &'a dyn ReadAt,
    pub(super) hash: &'a H,
    pub(super) threads: usize,
    /// Bytes of a read.
    pub(super) block: usize,
    /// The most bytes that a line may have.
    pub(super) limit: usize,
    pub(super) meter: Option<&'a Meter<'a>>,
}

/// Some lines and their hashes, at most [`BATCH`].
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    bytes: &'a [u8],
    keys: &'a [KeyRange],
    pub(super) hashes: &'a [u128],
}

impl<'a> Batch<'a> {
    pub(super) fn key(self, index: usize) -> &'a [u8] {
        self.keys[index].of(self.bytes)
    }
}

impl<H: LineHash> Scan<'_, H> {
    /// Gives all lines to workers, one for each thread, in no particular order; `finish` takes
    /// each worker at the end.
    pub(super) fn run<W>(
        &self,
        start: impl Fn() -> W + Sync,
        work: impl Fn(&mut W, Batch<'_>) + Sync,
        finish: impl Fn(W) + Sync,
    ) -> Result<(), LineError> {
        let size = size(self.source)?;
        if let Some(meter) = self.meter {
            meter.expect(size);
        }
        let (next, failure) = (AtomicU64::new(0), Mutex::new(None));
        let thread = || {
            let mut worker = start();
            loop {
                let piece = next.fetch_add(PIECE, Ordering::Relaxed);
                if piece >= size {
                    break;
                }
                let piece = piece..size.min(piece.saturating_add(PIECE));
                if let Err(error) = self.piece(piece, |batch| work(&mut worker, batch)) {
                    next.store(size, Ordering::Relaxed);
                    *failure.lock().expect(NEVER_POISONED) = Some(error);
                    break;
                }
            }
            finish(worker);
        };
        thread::scope(|scope| {
            for _ in 1..self.threads {
                scope.spawn(thread);
            }
            thread();
        });
        failure.into_inner().expect(NEVER_POISONED).map_or(Ok(()), Err)
    }

    fn piece(
        &self,
        range: std::ops::Range<u64>,
        mut work: impl FnMut(Batch<'_>),
    ) -> Result<(), LineError> {
        let mut reader = LineReader::of_range(self.source, range, self.block)?.limit(self.limit);
        let (mut keys, mut hashes) = (Vec::new(), Vec::with_capacity(BATCH));
        while let Some(block) = reader.next_block()? {
            block.key_ranges(&mut keys);
            for keys in keys.chunks(BATCH) {
                self.hash.hash_many(block.bytes(), keys, &mut hashes);
                work(Batch { bytes: block.bytes(), keys, hashes: &hashes });
            }
            if let Some(meter) = self.meter {
                meter.read((block.bytes().len() - SLACK) as u64);
            }
        }
        Ok(())
    }
}

/// Bytes that a thread takes at a time: enough to make taking them cheap, few enough for all
/// threads to end at about the same time.
const PIECE: u64 = 16 << 20;

/// Lines whose hashes, and what is made of them, stay in the first-level cache.
pub(super) const BATCH: usize = 256;

pub(super) const NEVER_POISONED: &str = "no thread panics with the lock in its hands";
