//! The difference between a stored snapshot of fingerprints and lines in any order.
//!
//! The snapshot is sorted, so only the current side is dealt out to partitions: by the leading
//! bits of its fingerprints, which makes each partition a range of the snapshot. One range after
//! the other is read, and the entries of its partition are looked up in it.
//!
//! # How likely is a wrong answer?
//!
//! Some 50 bits of the fingerprint of each line are kept, and the outcome is verified as that of the
//! partition engine of [`lines`](super#how-likely-is-a-wrong-answer) is: what is in doubt is settled
//! by whole fingerprints, and of all lines that were taken for members the sum of the whole
//! fingerprints, modulo 2¹²⁸, must be that of these members. If it is not, other bits are compared. So
//! a line is missed with one chance in 2¹²⁸, on top of what [`fingerprint`](crate::fingerprint) says
//! about fingerprints as such.

mod fetch;
mod find;
mod members;
mod scan;
mod settle;

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{LineError, LineReader, Meter, Progress, size};
use crate::ReadAt;
use crate::external::{Differences, ExternalError};
use crate::fingerprint::{Fingerprint, FingerprintKey};
use crate::merge::{Counts, DiffSink};
use crate::partition::{
    Exhausted, Finding, PLACE_BITS, PackedDealer, PackedError, Packing, Room, Shape, place_of,
};
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

    /// Allocates at most about `bytes` bytes, at least 8 MiB and 8 MiB for each thread. About 24
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
        let length = size / lines.max(1);
        let mut passes = passes_for(lines, length, self.threads, room);
        let mut choices = CHOICES.into_iter();
        let mut choice = choices.next().unwrap_or_default();
        loop {
            let mut differences = Differences::new(&self.directory, self.memory / 4)?;
            let (shape, packing) = layout(lines >> passes, length);
            let sort = Pass { shape, packing, choice, passes, pass: 0 };
            match work.run(sort, &Room::new(room), &mut differences) {
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
                Err(End::Mistaken) => {
                    choice = choices.next().ok_or(SnapshotDiffError::Altered)?;
                }
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
    /// A line was taken for a member that it is not.
    Mistaken,
    Failed(SnapshotDiffError),
}

impl<E: Into<SnapshotDiffError>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
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

impl<R: ReadAt + Sync> Work<'_, R> {
    /// Reads the lines as often as there are passes, each time for another range of fingerprints,
    /// and says how many members are unchanged.
    fn run(&self, sort: Pass, room: &Room, differences: &mut Differences) -> Result<u64, End> {
        let passes = 0..1_u64 << sort.passes;
        passes.map(|pass| self.run_pass(Pass { pass, ..sort }, room, differences)).sum()
    }

    fn run_pass(&self, pass: Pass, room: &Room, differences: &mut Differences) -> Result<u64, End> {
        let (lines, mut left) = scan::scan(self, pass, room)?;
        let found = find::find(self, pass, &lines, room)?;
        drop(lines);
        let members = found.iter().fold(0_u128, |sum, found| sum.wrapping_add(found.sum));
        let mut unchanged = found.iter().map(|found| found.unchanged).sum();
        let lines = |found: &find::Found<'_>| found.added.len(0) + 2 * found.doubtful_lines.len(0);
        let bytes = found.iter().map(lines).sum::<usize>() * size_of::<Finding>();
        room.take(bytes)?;
        let (mut added, mut doubtful_lines, mut doubtful_members) =
            (Vec::new(), Vec::new(), Vec::new());
        for found in found {
            found.removed.iter().try_for_each(|record| differences.removed(record))?;
            found.added.entries(0).for_each(|some| added.extend_from_slice(some));
            found.doubtful_lines.entries(0).for_each(|some| doubtful_lines.extend_from_slice(some));
            doubtful_members.push(found.doubtful_members);
        }
        sort_by_place(&mut doubtful_lines);
        let doubtful = (&doubtful_lines[..], &doubtful_members[..]);
        let settled = settle::settle(self, pass, doubtful, room, differences)?;
        unchanged += settled.unchanged;
        left = left.wrapping_sub(settled.sum);
        added.extend(settled.added);
        sort_by_place(&mut added);
        left = left.wrapping_sub(fetch::fetch(self, pass, &added, differences)?);
        room.give_back(bytes);
        if left == members { Ok(unchanged) } else { Err(End::Mistaken) }
    }
}

/// In the order of the file, so that reading only goes forward.
fn sort_by_place(findings: &mut [Finding]) {
    findings.sort_unstable_by_key(|finding| place_of(*finding));
}

/// Which fingerprints a pass is about, how they are spread over its partitions, and what of them
/// is kept.
#[derive(Clone, Copy)]
struct Pass {
    shape: Shape,
    packing: Packing,
    /// So many of the lowest bits of a fingerprint are passed over.
    choice: u32,
    /// The binary logarithm of the number of passes.
    passes: u32,
    /// Which one: the first bits of its fingerprints.
    pass: u64,
}

impl Pass {
    /// Keeps only fingerprints of this pass, and their places.
    fn keep_own(self, fingerprints: &mut Vec<u128>, places: &mut Vec<u64>) {
        if self.passes == 0 {
            return;
        }
        let is_own =
            |fingerprint: u128| fingerprint >> (128 - self.passes) == u128::from(self.pass);
        let mut own = 0;
        for index in 0..fingerprints.len() {
            if is_own(fingerprints[index]) {
                (fingerprints[own], places[own]) = (fingerprints[index], places[index]);
                own += 1;
            }
        }
        fingerprints.truncate(own);
        places.truncate(own);
    }

    /// As it is dealt out: above what chooses the partition, below what is kept.
    #[inline]
    fn word(self, fingerprint: u128) -> u128 {
        let top = (fingerprint >> 64) as u64;
        u128::from(top << self.passes) << 64 | u128::from((fingerprint >> self.choice) as u64)
    }

    /// The bits of a fingerprint that are kept.
    #[inline]
    fn bits(self, fingerprint: u128) -> u64 {
        self.packing.bits(self.word(fingerprint))
    }

    /// What would be found of a line with this fingerprint at this place.
    fn finding(self, fingerprint: u128, place: u64) -> Finding {
        self.packing.finding(self.word(fingerprint), place)
    }

    /// The least fingerprint of a partition, and for the partition after the last one the least
    /// above all of them; `None` if there is none.
    fn start(self, partition: usize) -> Option<u128> {
        let number = (u128::from(self.pass) << self.shape.bits) + partition as u128;
        let bits = self.passes + self.shape.bits;
        if number >> bits > 0 { None } else { Some(number.checked_shl(128 - bits).unwrap_or(0)) }
    }
}

/// Bits that hardly overlap, and not with those that choose pass and partition.
const CHOICES: [u32; 2] = [0, 42];

const MAX_BYTES: u64 = 1 << PLACE_BITS;

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

/// How so many lines of this length on average are dealt out.
fn layout(lines: u64, length: u64) -> (Shape, Packing) {
    (Shape::for_packed(lines), Packing::for_keys(lines.min(BATCH), length))
}

/// Lines of a batch, as in the partition engine.
const BATCH: u64 = 1 << 16;

/// The binary logarithm of how many passes are likely to fit.
fn passes_for(lines: u64, length: u64, threads: usize, room: usize) -> u32 {
    let threads = threads as u64;
    (0..MAX_PASSES)
        .find(|passes| {
            let (lines, room) = (lines >> passes, room as u64);
            let (shape, packing) = layout(lines, length);
            let batches = lines / packing.batch() as u64 + threads;
            let starts = batches * 4 * (shape.partitions() as u64 + 2);
            let buffers = threads * PackedDealer::buffers(packing, false) as u64;
            // Lines that are on neither side of the average, and what is found.
            (lines * 8 + starts) * 3 / 2 + buffers < room
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
            kept in 0..30_u32,
            choice in 0..50_u32,
            batch in 1..20_usize,
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
            let shape = Shape { bits, chunk: 1, slab: 3 };
            let packing = Packing::new(9, batch).keeping(kept);
            let sort = Pass { shape, packing, choice, passes, pass: 0 };
            let ran = work.run(sort, &room, &mut differences);
            let unchanged = match ran {
                Ok(unchanged) => unchanged,
                // Few bits may make one line pass for a member that it is not; many do not.
                Err(End::Mistaken) if kept < 20 => return Ok(()),
                _ => panic!("there is room"),
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

    fn pass(bits: u32, passes: u32, pass: u64) -> Pass {
        let shape = Shape { bits, chunk: 1, slab: 1 };
        Pass { shape, packing: Packing::new(8, 4), choice: 0, passes, pass }
    }

    #[test]
    fn every_fingerprint_belongs_to_one_pass_and_one_partition_of_it() {
        for fingerprint in [0, 1 << 120, u128::MAX / 3, 5 << 125, u128::MAX] {
            let mine: Vec<_> = (0..4)
                .filter(|number| {
                    let (mut own, mut places) = (vec![fingerprint], vec![7]);
                    pass(3, 2, *number).keep_own(&mut own, &mut places);
                    !own.is_empty() && places == [7]
                })
                .collect();
            assert_eq!(mine.len(), 1, "{fingerprint:x}");
            let pass = pass(3, 2, mine[0]);
            let partition = pass.shape.partition((pass.word(fingerprint) >> 64) as u64);
            assert!(pass.start(partition).is_some_and(|start| start <= fingerprint));
            assert!(pass.start(partition + 1).is_none_or(|end| fingerprint < end));
        }
        assert_eq!(pass(3, 2, 3).start(8), None);
        assert_eq!(pass(0, 0, 0).start(1), None);
    }

    /// A snapshot with this one member, and how `line` compares with it where so many bits count.
    fn compare_one(member: &[u8], line: &[u8], kept: u32) -> Result<u64, End> {
        let file = snapshot(&BTreeSet::from([member.to_vec()]), 100);
        let file = SnapshotFile::open(&file[..]).unwrap();
        let work = Work {
            previous: &file,
            key: &KEY,
            current: &line,
            size: line.len() as u64,
            threads: 1,
            meter: &Meter::new(None),
        };
        let mut differences = Differences::new(&std::env::temp_dir(), 1 << 20).unwrap();
        let sort = Pass { packing: Packing::new(8, 4).keeping(kept), ..pass(0, 0, 0) };
        work.run(sort, &Room::new(1 << 30), &mut differences)
    }

    #[test]
    fn a_line_taken_for_a_member_that_it_is_not_is_found_out() {
        assert!(matches!(compare_one(b"ada", b"ada", 0), Ok(1)));
        assert!(matches!(compare_one(b"ada", b"bo", 0), Err(End::Mistaken)));
        assert!(matches!(compare_one(b"ada", b"bo", 56), Ok(0)));
    }
}
