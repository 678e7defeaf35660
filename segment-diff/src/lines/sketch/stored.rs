use std::fmt;
use std::sync::Mutex;

use super::fill::add_lines;
use super::scan::{NEVER_POISONED, Scan};
use super::wanted::Wanted;
use crate::ReadAt;
use crate::fingerprint::FingerprintKey;
use crate::lines::LineError;
use crate::memory::PackedKeys;
use crate::sketch::{FingerprintPrefix, NotDecodable, Shape, Sketch};
use crate::snapshot::MAX_KEY;

/// The sketch of the lines of `source`, on up to `threads` threads. Repeated lines are there as
/// often as they are repeated.
///
/// Memory: the sketch, an eighth more for each thread, and its block of lines.
///
/// # Errors
///
/// Fails when `source` cannot be read, and when a line is longer than [`MAX_KEY`].
pub fn sketch_lines(
    source: &dyn ReadAt,
    key: &FingerprintKey,
    shape: Shape,
    threads: usize,
) -> Result<Sketch, LineError> {
    let mut sketch = Sketch::new(shape);
    let buffer = (shape.bytes() / 8) as usize;
    add_lines(&scan(source, key, threads), &mut sketch, 1, buffer)?;
    Ok(sketch)
}

/// How the lines of `current` differ from the set that `previous` is the sketch of, which was made
/// under the same `key`: the previous lines themselves are not needed.
///
/// `current` is read twice. Memory: a second sketch, and the differences.
///
/// # Errors
///
/// Fails when `current` cannot be read or is altered between the two readings, and when there are
/// too many differences for the sketch.
pub fn changes_since(
    previous: &Sketch,
    current: &dyn ReadAt,
    key: &FingerprintKey,
    threads: usize,
) -> Result<SketchChanges, ChangesError> {
    let sketch = sketch_lines(current, key, previous.shape(), threads)?;
    let mut difference = previous.clone();
    difference.subtract(&sketch).expect("both have the shape of the previous one");
    let decoded = difference.decode()?;
    let wanted = Wanted::new(&decoded);
    let candidates = Mutex::new(PackedKeys::new());
    let totals = Mutex::new(Totals::default());
    scan(current, key, threads).run(
        Totals::default,
        |totals, batch| {
            for (index, hash) in batch.hashes.iter().enumerate() {
                let member = FingerprintPrefix::of_hash(*hash);
                totals.add([1, member.a(), member.b()]);
                if wanted.find(member, 1) {
                    let mut candidates = candidates.lock().expect(NEVER_POISONED);
                    candidates.push(batch.key(index)).expect("the reader has the same limit");
                }
            }
        },
        |read| totals.lock().expect(NEVER_POISONED).add(read.0),
    )?;
    if totals.into_inner().expect(NEVER_POISONED) != Totals::of(&sketch) {
        return Err(ChangesError::Altered);
    }
    let mut candidates = candidates.into_inner().expect(NEVER_POISONED);
    candidates.sort(threads);

    let mut removed = Vec::new();
    for (member, surplus, now) in wanted.surpluses() {
        // A surplus is what there was before without what there is now, modulo 2⁶⁴.
        if surplus.wrapping_add(now) < 0 {
            return Err(ChangesError::Altered);
        }
        if now == 0 {
            removed.push(member);
        }
    }
    let mut added = PackedKeys::new();
    for line in candidates.iter() {
        if wanted
            .surplus_and_found(FingerprintPrefix::of(key.fingerprint(line)))
            .is_some_and(|(surplus, now)| surplus.wrapping_add(now) == 0)
        {
            added.push(line).expect("the reader has the same limit");
        }
    }
    Ok(SketchChanges { added, removed, sketch })
}

/// What the hashes of all lines add up to, modulo 2⁶⁴: how many there are, and the sums of their
/// halves. A reading that brings other lines than the one before has other totals.
#[derive(Default, PartialEq, Eq)]
struct Totals([u64; 3]);

impl Totals {
    /// Of what went into a sketch: each member is once in the first sub-array of its group.
    fn of(sketch: &Sketch) -> Self {
        let cells = sketch.shape().cells() as usize;
        let mut totals = Self::default();
        for cell in sketch.cells().chunks_exact(3 * cells).flat_map(|group| &group[..cells]) {
            let [count, a, b, _] = cell.to_words();
            totals.add([count, a, b]);
        }
        totals
    }

    fn add(&mut self, more: [u64; 3]) {
        for (total, more) in self.0.iter_mut().zip(more) {
            *total = total.wrapping_add(more);
        }
    }
}

/// How lines differ from the set that a sketch was made of.
#[derive(Clone)]
#[non_exhaustive]
pub struct SketchChanges {
    /// The lines that were not there, ascending and each once.
    pub added: PackedKeys,
    /// The beginnings of the fingerprints of those that are gone, ascending and each once.
    pub removed: Vec<FingerprintPrefix>,
    /// The sketch of the current lines, for the next time.
    pub sketch: Sketch,
}

/// Says how many there are, and none of them.
impl fmt::Debug for SketchChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SketchChanges")
            .field("added", &self.added.len())
            .field("removed", &self.removed.len())
            .finish_non_exhaustive()
    }
}

/// Why lines could not be compared with a sketch. No message holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangesError {
    /// The current lines could not be read.
    #[error("cannot read the current side")]
    Read(#[from] LineError),
    /// There are too many differences.
    #[error(transparent)]
    TooMany(#[from] NotDecodable),
    /// The current lines were altered while they were being read, or the sketch is not of what it
    /// was said to be: what was found is not to be relied on.
    #[error("the current side was altered while it was being read")]
    Altered,
}

fn scan<'a>(
    source: &'a dyn ReadAt,
    key: &'a FingerprintKey,
    threads: usize,
) -> Scan<'a, FingerprintKey> {
    Scan { source, hash: key, threads, block: BLOCK, limit: MAX_KEY, meter: None }
}

/// Bytes of a read.
const BLOCK: usize = 64 << 10;
