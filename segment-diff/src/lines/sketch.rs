//! Differences by way of a sketch: memory follows the number of differences, not that of lines.

mod fill;
mod scan;
mod stored;
mod wanted;

use std::ops::ControlFlow;
use std::sync::Mutex;

use self::fill::add_lines;
use self::scan::{BATCH, Batch, NEVER_POISONED, Scan};
use self::wanted::Wanted;
use super::{LineError, LinesError, Task, size_of_side};
use crate::external::{Differences, ExternalError};
use crate::kernel::HashKey;
use crate::merge::{DiffSink, Side};
use crate::sketch::{FingerprintPrefix, Shape, Sketch};
use crate::snapshot::MAX_KEY;

pub use stored::{ChangesError, SketchChanges, changes_since, sketch_lines};

/// How a difference by way of a sketch ended.
#[derive(Debug)]
pub(crate) enum Outcome<B> {
    /// The sink was told, and may have broken off.
    Done(ControlFlow<B, Found>),
    /// There are too many differences for the memory; the sink was told nothing.
    TooMany,
    /// A line is too long for the memory; the sink was told nothing.
    LineTooLong,
}

/// What was found. How many lines are on both sides a sketch cannot tell: some may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) added: u64,
    pub(crate) removed: u64,
}

/// Tells `sink` how the lines differ, if there are few differences: see [`capacity`]. If about
/// `expected` are, memory for half as many more is used, and not all.
///
/// Both sides are read once into one sketch, which cancels what they share, and once more for the
/// lines that it decoded into. These are compared byte by byte, and their copies counted: so
/// repeated lines and lines whose hashes collide with others make nothing wrong. Left is that a
/// line added and a line removed share 120 bits of their hashes: at most *d*² / 2¹²² for *d*
/// differences.
///
/// # Errors
///
/// Fails when an input cannot be read, or is not what it was at the first reading.
pub(crate) fn run<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    expected: Option<u64>,
    sink: &mut S,
) -> Result<Outcome<S::Break>, LinesError> {
    let bytes = size_of_side(task.previous, Side::Previous)?
        .saturating_add(size_of_side(task.current, Side::Current)?);
    match Plan::new(task.memory, task.threads, bytes, expected) {
        Some(plan) => Search::new(task, plan).run(sink),
        None => Ok(Outcome::TooMany),
    }
}

/// How many differences can be decoded within `memory` bytes on `threads` threads, where both
/// inputs together have `bytes` bytes.
pub(crate) fn capacity(memory: usize, threads: usize, bytes: u64) -> u64 {
    Plan::new(memory, threads, bytes, None).map_or(0, |plan| plan.shape.capacity())
}

/// What the memory is spent on.
#[derive(Clone, Copy, Debug)]
struct Plan {
    shape: Shape,
    /// Bytes of a read.
    block: usize,
    /// Bytes that each thread holds back.
    buffer: usize,
    /// Bytes for the lines found to differ.
    differences: usize,
    /// The most bytes that a line may have.
    limit: usize,
}

impl Plan {
    fn new(memory: usize, threads: usize, bytes: u64, expected: Option<u64>) -> Option<Self> {
        let block = (memory / 64).clamp(4 << 10, 256 << 10);
        // Of lines of four bytes and more; the place of a key takes eight, its end four.
        let reading = threads * (4 * block + BATCH * size_of::<u128>());
        let rest = memory.checked_sub(reading)?;
        // More differences than that are cheaper to find with other engines, and more memory than
        // needed is slower.
        let worthwhile = (bytes / BYTES_PER_CELL_BYTE).max(64 << 10);
        let needed = expected.map_or(u64::MAX, |expected| {
            Shape::for_differences(expected.saturating_add(expected / 2)).bytes() + SLACK
        });
        let useful = usize::try_from(worthwhile.min(needed)).unwrap_or(usize::MAX);
        let sketch = (rest / 2).min(useful);
        let shape = Shape::within(sketch)?;
        Some(Self {
            shape,
            block,
            // Given back before the sketch is decoded, which takes as much.
            buffer: sketch / 2 / threads,
            // In the second pass the sketch is gone, and what it was decoded into is there.
            differences: rest - shape.most_members() as usize * (DECODED + Wanted::MEMBER),
            limit: (memory / 16).min(MAX_KEY),
        })
    }
}

/// One difference within a plan.
struct Search<'a> {
    task: &'a Task<'a>,
    plan: Plan,
    hash: HashKey,
}

impl<'a> Search<'a> {
    fn new(task: &'a Task<'a>, plan: Plan) -> Self {
        Self { task, plan, hash: HashKey::random() }
    }

    fn run<S: DiffSink<[u8]> + ?Sized>(
        &self,
        sink: &mut S,
    ) -> Result<Outcome<S::Break>, LinesError> {
        match self.find() {
            Ok(differences) => Ok(Outcome::Done(deliver(differences, self.task.threads, sink)?)),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::TooMany) => Ok(Outcome::TooMany),
            Err(Stop::LineTooLong) => Ok(Outcome::LineTooLong),
        }
    }

    /// The lines that differ, and perhaps some that do not.
    fn find(&self) -> Result<Differences, Stop> {
        let decoded = self.sketch()?.decode().map_err(|_| Stop::TooMany)?;
        let wanted = Wanted::new(&decoded);
        let differences = Differences::new(self.task.directory, self.plan.differences);
        let collected = Mutex::new(differences.map_err(Stop::external));
        for (side, copies) in SIDES {
            let collect = |batch: Batch<'_>| {
                for (index, hash) in batch.hashes.iter().enumerate() {
                    if wanted.find(FingerprintPrefix::of_hash(*hash), copies) {
                        note(&mut collected.lock().expect(NEVER_POISONED), side, batch.key(index));
                    }
                }
            };
            let scanned = self.scan(side).run(|| (), |(), batch| collect(batch), |()| ());
            scanned.map_err(|error| self.stop(side, error))?;
        }
        let altered = wanted.surpluses().find(|(_, decoded, found)| decoded != found);
        if let Some((_, decoded, found)) = altered {
            // Which one it was is a guess: the other may have had as many more.
            let side = if decoded > found { Side::Previous } else { Side::Current };
            return Err(Stop::Failed(LinesError::Altered { side }));
        }
        collected.into_inner().expect(NEVER_POISONED)
    }

    /// What both sides differ by.
    fn sketch(&self) -> Result<Sketch, Stop> {
        let mut sketch = Sketch::new(self.plan.shape);
        for (side, copies) in SIDES {
            let added = add_lines(&self.scan(side), &mut sketch, copies, self.plan.buffer);
            added.map_err(|error| self.stop(side, error))?;
        }
        Ok(sketch)
    }

    fn scan(&self, side: Side) -> Scan<'_, HashKey> {
        let source = match side {
            Side::Previous => self.task.previous,
            Side::Current => self.task.current,
        };
        Scan {
            source,
            hash: &self.hash,
            threads: self.task.threads,
            block: self.plan.block,
            limit: self.plan.limit,
            meter: Some(self.task.meter),
        }
    }

    fn stop(&self, side: Side, error: LineError) -> Stop {
        match error {
            LineError::TooLong { .. } if self.plan.limit < MAX_KEY => Stop::LineTooLong,
            source => Stop::Failed(LinesError::Input { side, source }),
        }
    }
}

/// Why lines that differ were not found.
enum Stop {
    Failed(LinesError),
    TooMany,
    LineTooLong,
}

impl Stop {
    fn external(error: ExternalError) -> Self {
        match error {
            ExternalError::KeyTooLong(_) => Self::LineTooLong,
            error => Self::Failed(error.into()),
        }
    }
}

/// Takes `line` in as long as that goes well.
fn note(differences: &mut Result<Differences, Stop>, side: Side, line: &[u8]) {
    if let Ok(open) = differences {
        let noted = match side {
            Side::Previous => open.removed(line),
            Side::Current => open.added(line),
        };
        if let Err(error) = noted {
            *differences = Err(Stop::external(error));
        }
    }
}

/// Tells `sink` the lines that are on one side only.
fn deliver<S: DiffSink<[u8]> + ?Sized>(
    differences: Differences,
    threads: usize,
    sink: &mut S,
) -> Result<ControlFlow<S::Break, Found>, LinesError> {
    let flow = differences.deliver(threads, &mut OneSided(sink))?;
    Ok(flow.map_continue(|counts| Found { added: counts.added, removed: counts.removed }))
}

/// Does not tell of lines on both sides, which only those are that were repeated.
struct OneSided<'a, S: ?Sized>(&'a mut S);

impl<S: DiffSink<[u8]> + ?Sized> DiffSink<[u8]> for OneSided<'_, S> {
    type Break = S::Break;

    fn added(&mut self, key: &[u8], (): &()) -> ControlFlow<S::Break> {
        self.0.added(key, &())
    }

    fn removed(&mut self, key: &[u8], (): &()) -> ControlFlow<S::Break> {
        self.0.removed(key, &())
    }
}

/// The sides, and what a line there counts in the sketch.
const SIDES: [(Side, i64); 2] = [(Side::Previous, 1), (Side::Current, -1)];

/// What a sketch was decoded into, for each member in bytes.
const DECODED: usize = size_of::<(FingerprintPrefix, i64)>();

/// Bytes that make up for what is lost where another number of groups is chosen for a sketch.
const SLACK: u64 = 4 << 10;

/// With a byte of cells for so many bytes of lines, three in a hundred lines of 32 bytes differ at
/// most.
const BYTES_PER_CELL_BYTE: u64 = 16;

#[cfg(test)]
mod tests;
