//! The difference between a stored snapshot of fingerprints and lines in any order.
//!
//! The snapshot is sorted, so only the current side is dealt out to partitions: by the leading
//! bits of its fingerprints, which makes each partition a range of the snapshot. One range after
//! the other is read, and the entries of its partition are looked up in it.
//!
//! # How likely is a wrong answer?
//!
//! Of the fingerprint of a line the 88 bits are kept that follow those that chose the partition.
//! With 2ᵖ partitions (and passes) a line is taken for a member if both agree in 88 + p bits, so
//! with *n* members and *m* new lines the chance that any new line is missed is at most
//! *n* · *m* / 2^(88 + p): for 10⁷ members and 10⁵ new lines, with p = 8, about 1.3 × 10⁻¹⁷.
//! This is on top of what [`fingerprint`](crate::fingerprint) says about fingerprints as such.

mod fetch;
mod find;
mod scan;

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{LineError, LineReader, Meter, Progress, size};
use crate::ReadAt;
use crate::external::{Differences, ExternalError};
use crate::fingerprint::{Fingerprint, FingerprintKey};
use crate::merge::{Counts, DiffSink};
use crate::partition::{Entry, Exhausted, Room, Shape};
use crate::snapshot::{Layout, SnapshotError, SnapshotErrorKind, SnapshotFile};

/// How lines differ from the members of a stored snapshot of their fingerprints: the layout is
/// [`Layout::Fixed`] with keys of 16 bytes, and payloads of any width.
///
/// ```
/// use segment_diff::fingerprint::FingerprintKey;
/// use segment_diff::lines::SnapshotDiff;
/// use segment_diff::merge::Collect;
/// use segment_diff::snapshot::{Layout, SnapshotFile, SnapshotWriter};
///
/// let secret = FingerprintKey::new([7; 16]);
/// let mut members = ["ada@example.com", "bo@example.com"].map(|key| secret.fingerprint(key.as_bytes()));
/// members.sort();
/// let mut writer = SnapshotWriter::new(Vec::new(), Layout::Fixed { key: 16, payload: 0 });
/// for member in members {
///     writer.push(member.as_bytes(), &[])?;
/// }
/// let (_, bytes) = writer.finish()?;
///
/// let previous = SnapshotFile::open(&bytes[..])?;
/// let current = b"cy@example.com\nada@example.com\n";
/// let mut delta = Collect::new();
/// let counts = SnapshotDiff::new(&previous, &secret).diff(&current[..], &mut delta)?;
/// assert_eq!(delta.added, [secret.fingerprint(b"cy@example.com")]);
/// assert_eq!(delta.removed, [secret.fingerprint(b"bo@example.com")]);
/// # let _ = counts;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SnapshotDiff<'a, R> {
    previous: &'a SnapshotFile<R>,
    key: &'a FingerprintKey,
    memory: usize,
    threads: usize,
    directory: PathBuf,
    observer: Option<&'a (dyn Fn(Progress) + Sync)>,
}

impl<'a, R: ReadAt> SnapshotDiff<'a, R> {
    /// Compares with `previous`, the fingerprints of which were made under `key`: on one thread,
    /// within 1 GiB, with temporary files in the system's directory for them.
    pub fn new(previous: &'a SnapshotFile<R>, key: &'a FingerprintKey) -> Self {
        let directory = std::env::temp_dir();
        Self { previous, key, memory: 1 << 30, threads: 1, directory, observer: None }
    }

    /// Allocates at most about `bytes` bytes, at least 8 MiB and 8 MiB for each thread. About 20
    /// bytes for each line and those that differ are best; with less the lines are read several
    /// times.
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Works on up to `threads` threads. The result is the same.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Puts differences that exceed the memory into temporary files below `directory`.
    #[must_use]
    pub fn directory(mut self, directory: &Path) -> Self {
        self.directory = directory.to_path_buf();
        self
    }

    /// Tells `observer` how far it is, once for each block read, from any of the threads.
    #[must_use]
    pub fn progress(mut self, observer: &'a (dyn Fn(Progress) + Sync)) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Tells `sink` how the lines of `current` differ, ascending by fingerprint and each once:
    /// of those added it is told the line in the place of the version, of those removed the
    /// payload in the snapshot. Of what does not differ it is told nothing, but it is counted.
    ///
    /// # Errors
    ///
    /// Fails when the snapshot has another layout or was altered, when something cannot be read,
    /// when a line is too long, when `current` is altered meanwhile, and when the memory does
    /// not suffice. `sink` was then told nothing, unless temporary files fail while it is told.
    pub fn diff<S>(
        &self,
        current: &(impl ReadAt + ?Sized),
        sink: &mut S,
    ) -> Result<ControlFlow<S::Break, Counts>, SnapshotDiffError>
    where
        S: DiffSink<Fingerprint, [u8]> + ?Sized,
        R: Sync,
    {
        let Layout::Fixed { key: 16, .. } = self.previous.layout() else {
            return Err(SnapshotError::at(0, SnapshotErrorKind::WrongLayout).into());
        };
        let current: &dyn ReadAt = &current;
        let size = size(current)?;
        if size >= MAX_BYTES {
            return Err(SnapshotDiffError::TooLarge { limit: MAX_BYTES });
        }
        if self.memory < self.threads.saturating_mul(LEAST_FOR_THREAD).saturating_add(LEAST) {
            return Err(SnapshotDiffError::Memory);
        }
        let lines = likely_lines(current, size)?;
        let work = Work {
            previous: self.previous,
            key: self.key,
            current,
            size,
            threads: self.threads,
            meter: &Meter::new(self.observer),
        };
        let room = (self.memory / 2).saturating_sub(self.threads * BUFFERS);
        let mut passes = passes_for(lines, self.threads, room);
        loop {
            let mut differences = Differences::new(&self.directory, self.memory / 4)?;
            let shape = shape_for(lines >> passes);
            match work.run(passes, shape, &Room::new(room), &mut differences) {
                Ok(unchanged) => {
                    let told = differences.deliver(self.threads, &mut Split(sink))?;
                    return Ok(match told {
                        ControlFlow::Continue(counts) => {
                            ControlFlow::Continue(Counts { unchanged, ..counts })
                        }
                        stopped => stopped,
                    });
                }
                // More lines than expected, or unevenly spread ones.
                Err(End::Exhausted) if passes < MAX_PASSES => passes += 1,
                Err(End::Exhausted) => return Err(SnapshotDiffError::Memory),
                Err(End::Failed(error)) => return Err(error),
            }
        }
    }
}

/// Says what it is told, and no key.
impl<R> fmt::Debug for SnapshotDiff<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotDiff")
            .field("previous", &self.previous)
            .field("memory", &self.memory)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// Why lines could not be compared with a snapshot. No message holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotDiffError {
    /// The snapshot cannot be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The lines cannot be read.
    #[error("cannot read the lines")]
    Lines(#[from] LineError),
    /// The lines take too many bytes.
    #[error("lines of {limit} bytes or more")]
    TooLarge {
        /// So many are too many.
        limit: u64,
    },
    /// The lines were altered while they were being read.
    #[error("the lines were altered while they were being read")]
    Altered,
    /// The memory does not suffice.
    #[error("the memory does not suffice")]
    Memory,
    /// What exceeds the memory could not be put into temporary files.
    #[error(transparent)]
    External(#[from] ExternalError),
}

/// What all passes and threads share.
struct Work<'a, R> {
    previous: &'a SnapshotFile<R>,
    key: &'a FingerprintKey,
    current: &'a dyn ReadAt,
    size: u64,
    threads: usize,
    meter: &'a Meter<'a>,
}

/// Why a pass ended before its time.
enum End {
    Exhausted,
    Failed(SnapshotDiffError),
}

impl<E: Into<SnapshotDiffError>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn exhausted(_: Exhausted) -> End {
    End::Exhausted
}

impl<R: ReadAt + Sync> Work<'_, R> {
    /// Reads the lines 2^`passes` times, each time for another range of fingerprints, and says
    /// how many members are unchanged.
    fn run(
        &self,
        passes: u32,
        shape: Shape,
        room: &Room,
        differences: &mut Differences,
    ) -> Result<u64, End> {
        let mut unchanged = 0;
        for pass in 0..1_u64 << passes {
            let range = Pass { shape, passes, pass };
            let dealt = scan::scan(self, range, room)?;
            let found = find::find(self, range, &dealt, room)?;
            drop(dealt);
            let added = found.iter().map(|found| found.added.len(0)).sum::<usize>();
            let bytes = added * size_of::<LineEntry>();
            room.take(bytes).map_err(exhausted)?;
            let mut lines = Vec::with_capacity(added);
            for found in found {
                unchanged += found.unchanged;
                found.removed.iter().try_for_each(|record| differences.removed(record))?;
                found.added.entries(0).for_each(|some| lines.extend_from_slice(some));
            }
            // In the order of the file, so that reading only goes forward.
            lines.sort_unstable_by_key(|entry: &LineEntry| entry.offset());
            fetch::fetch(self, range, &lines, differences)?;
            room.give_back(bytes);
        }
        Ok(unchanged)
    }
}

/// Which fingerprints a pass is about, and how they are spread over its partitions.
#[derive(Clone, Copy)]
struct Pass {
    shape: Shape,
    /// The binary logarithm of the number of passes.
    passes: u32,
    /// Which one: the first bits of its fingerprints.
    pass: u64,
}

impl Pass {
    /// The partition of a fingerprint, `None` if it belongs to another pass.
    #[inline]
    fn partition(self, fingerprint: u128) -> Option<usize> {
        let top = (fingerprint >> 64) as u64;
        let mine = self.passes == 0 || top >> (64 - self.passes) == self.pass;
        mine.then(|| self.shape.partition(top << self.passes))
    }

    /// The least fingerprint of a partition, and for the partition after the last one the least
    /// above all of them; `None` if there is none.
    fn start(self, partition: usize) -> Option<u128> {
        let number = (u128::from(self.pass) << self.shape.bits) + partition as u128;
        let bits = self.passes + self.shape.bits;
        if number >> bits > 0 { None } else { Some(number.checked_shl(128 - bits).unwrap_or(0)) }
    }

    /// The bits that are left of a fingerprint in an entry, with zeros in the place of the offset.
    #[inline]
    fn rest(self, fingerprint: u128) -> u128 {
        fingerprint << (self.passes + self.shape.bits) & !OFFSET_MASK
    }
}

/// 88 bits of a fingerprint above 40 of the offset of its line.
#[derive(Clone, Copy)]
struct LineEntry(u128);

impl Entry for LineEntry {
    const ZERO: Self = Self(0);

    fn bits(self) -> u64 {
        (self.0 >> 64) as u64
    }

    fn is_same(self, other: Self) -> bool {
        self.rest() == other.rest()
    }
}

impl LineEntry {
    fn offset(self) -> u64 {
        (self.0 & OFFSET_MASK) as u64
    }

    fn rest(self) -> u128 {
        self.0 & !OFFSET_MASK
    }
}

const OFFSET_BITS: u32 = 40;
const OFFSET_MASK: u128 = (1 << OFFSET_BITS) - 1;
const MAX_BYTES: u64 = 1 << OFFSET_BITS;

/// The bytes of memory without which nothing is begun.
const LEAST: usize = 8 << 20;
const LEAST_FOR_THREAD: usize = 8 << 20;

/// The binary logarithm of the most passes.
const MAX_PASSES: u32 = 8;

/// What a thread holds beside what it takes from the room: blocks of lines and of the snapshot.
const BUFFERS: usize = 2 << 20;

/// About how many lines there are, from those at the beginning.
fn likely_lines(current: &dyn ReadAt, size: u64) -> Result<u64, LineError> {
    let mut reader = LineReader::of_range(current, 0..size.min(SAMPLE), SAMPLE as usize)?;
    let lines = reader.next_block()?.map_or(0, |block| block.keys().count() as u64);
    Ok(if size > SAMPLE { lines.max(1) * size.div_ceil(SAMPLE) } else { lines })
}

const SAMPLE: u64 = 64 << 10;

/// Smaller partitions than where both sides are dealt out: the records of the snapshot, which are
/// looked up here and there, have to stay in the cache beside the entries.
fn shape_for(lines: u64) -> Shape {
    Shape::for_entries(lines * 2)
}

/// The binary logarithm of how many passes are likely to fit.
fn passes_for(lines: u64, threads: usize, room: usize) -> u32 {
    (0..MAX_PASSES)
        .find(|passes| {
            let lines = lines >> passes;
            let shape = shape_for(lines);
            let each = shape.bytes::<LineEntry>(lines.div_ceil(threads as u64));
            // Lines that are on neither side of the average, and what is found.
            each * threads as u64 * 5 / 4 < room as u64
        })
        .unwrap_or(MAX_PASSES)
}

/// Takes the fingerprint off the front of what was sorted.
struct Split<'s, S: ?Sized>(&'s mut S);

impl<S: DiffSink<Fingerprint, [u8]> + ?Sized> DiffSink<[u8]> for Split<'_, S> {
    type Break = S::Break;

    fn added(&mut self, key: &[u8], (): &()) -> ControlFlow<S::Break> {
        let (fingerprint, line) = split(key);
        self.0.added(&fingerprint, line)
    }

    fn removed(&mut self, key: &[u8], (): &()) -> ControlFlow<S::Break> {
        let (fingerprint, payload) = split(key);
        self.0.removed(&fingerprint, payload)
    }
}

fn split(key: &[u8]) -> (Fingerprint, &[u8]) {
    let (fingerprint, rest) = key.split_first_chunk().expect("a fingerprint is in front");
    (Fingerprint::from_bytes(*fingerprint), rest)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::Encoder;

    const KEY: FingerprintKey = FingerprintKey::new([3; 16]);

    /// A snapshot of `members`, the payloads of which are their lengths.
    fn snapshot(members: &BTreeSet<Vec<u8>>, block_bytes: usize) -> Vec<u8> {
        let sorted: BTreeMap<_, _> =
            members.iter().map(|key| (KEY.fingerprint(key), [key.len() as u8])).collect();
        let layout = Layout::Fixed { key: 16, payload: 1 };
        let (mut encoder, mut file) = (Encoder::new(layout).block_bytes(block_bytes), Vec::new());
        for (fingerprint, payload) in &sorted {
            encoder.push(fingerprint.as_bytes(), payload, &mut file).unwrap();
        }
        encoder.finish(&mut file).unwrap();
        file
    }

    fn keys() -> impl Strategy<Value = Vec<u8>> {
        vec(b'a'..b'd', 1..5)
    }

    proptest! {
        #[test]
        fn passes_and_partitions_change_nothing(
            previous in btree_set(keys(), 0..60),
            current in vec(keys(), 0..60),
            passes in 0..4_u32,
            bits in 0..7_u32,
            chunk in 0..4_u32,
            threads in 1..4_usize,
            block_bytes in 1..200_usize,
        ) {
            let file = snapshot(&previous, block_bytes);
            let file = SnapshotFile::open(&file[..]).unwrap();
            let text = current.join(&b'\n');
            let work = Work {
                previous: &file,
                key: &KEY,
                current: &&text[..],
                size: text.len() as u64,
                threads,
                meter: &Meter::new(None),
            };
            let (room, bytes) = (Room::new(1 << 30), 1 << 30);
            let mut differences = Differences::new(&std::env::temp_dir(), 1 << 20).unwrap();
            let shape = Shape { bits, chunk, slab: chunk + 2 };
            let Ok(unchanged) = work.run(passes, shape, &room, &mut differences) else {
                panic!("there is room");
            };
            prop_assert_eq!(room.left(), bytes);

            let current: BTreeSet<Vec<u8>> = current.into_iter().collect();
            prop_assert_eq!(unchanged, current.intersection(&previous).count() as u64);
            let mut told = Told::default();
            let ControlFlow::Continue(counts) =
                differences.deliver(1, &mut Split(&mut told)).unwrap();
            let of = |key: &Vec<u8>| KEY.fingerprint(key);
            let added: BTreeMap<_, _> =
                current.difference(&previous).map(|key| (of(key), key.clone())).collect();
            let removed: BTreeMap<_, _> = previous
                .difference(&current)
                .map(|key| (of(key), vec![key.len() as u8]))
                .collect();
            prop_assert_eq!((counts.added, counts.removed), (added.len() as u64, removed.len() as u64));
            prop_assert_eq!(told.added, added.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(told.removed, removed.into_iter().collect::<Vec<_>>());
        }
    }

    #[derive(Default)]
    struct Told {
        added: Vec<(Fingerprint, Vec<u8>)>,
        removed: Vec<(Fingerprint, Vec<u8>)>,
    }

    impl DiffSink<Fingerprint, [u8]> for Told {
        type Break = std::convert::Infallible;

        fn added(&mut self, key: &Fingerprint, line: &[u8]) -> ControlFlow<Self::Break> {
            self.added.push((*key, line.to_vec()));
            ControlFlow::Continue(())
        }

        fn removed(&mut self, key: &Fingerprint, payload: &[u8]) -> ControlFlow<Self::Break> {
            self.removed.push((*key, payload.to_vec()));
            ControlFlow::Continue(())
        }
    }

    #[test]
    fn every_fingerprint_belongs_to_one_pass_and_one_partition_of_it() {
        let shape = Shape { bits: 3, chunk: 1, slab: 1 };
        let passes = |pass| Pass { shape, passes: 2, pass };
        for fingerprint in [0, 1 << 120, u128::MAX / 3, 5 << 125, u128::MAX] {
            let mine: Vec<_> = (0..4)
                .filter_map(|pass| Some((pass, passes(pass).partition(fingerprint)?)))
                .collect();
            assert_eq!(mine.len(), 1, "{fingerprint:x}");
            let (pass, partition) = mine[0];
            assert!(passes(pass).start(partition).is_some_and(|start| start <= fingerprint));
            assert!(passes(pass).start(partition + 1).is_none_or(|end| fingerprint < end));
        }
        assert_eq!(passes(3).start(8), None);
        assert_eq!(Pass { shape: Shape { bits: 0, ..shape }, passes: 0, pass: 0 }.start(1), None);
    }

    /// Nothing like this comes from a secret key, but nothing may go wrong.
    #[test]
    fn crowded_fingerprints_are_told_apart() {
        let fingerprint =
            |last: u8| Fingerprint::from_bytes([9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, last]);
        let room = Room::new(1 << 30);
        let pass = Pass { shape: Shape { bits: 0, chunk: 1, slab: 1 }, passes: 0, pass: 0 };
        let mut members = find::Members::new(pass, 16, &room);
        let records: Vec<u8> = (0..100).flat_map(|n| *fingerprint(n).as_bytes()).collect();
        assert!(members.extend(&records).is_ok());
        members.index();
        let entry = |last: u8, change: u128| {
            let bits = u128::from_be_bytes(*fingerprint(last).as_bytes());
            LineEntry(pass.rest(bits ^ change) | 77)
        };
        // The last byte is beyond the bits that an entry has: all are the same to it.
        assert!(members.note(entry(99, 0)));
        assert!(!members.note(entry(99, 1 << 40)));
        assert!(!members.note(entry(99, 1 << 127)));
        assert_eq!(members.seen(), 1);
    }
}
