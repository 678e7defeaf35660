use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::compare::{Comparison, Tally};
use super::partitions::Partitions;
use super::shape::Shape;
use super::temp_file::{Create, create_files};
use super::{Differences, ExternalError, WrongWidth};
use crate::KeyTooLong;
use crate::kernel::{HashKey, KeyRange};
use crate::lines::{LineBlock, Meter};
use crate::merge::{Counts, DiffSink};
use crate::snapshot::MAX_KEY;

/// How to compare two sides, in any order and with repetitions, within a memory budget.
#[derive(Clone)]
pub struct ExactDiff {
    directory: PathBuf,
    memory: usize,
    threads: usize,
    version: u16,
    payload: u16,
    expected: Option<u64>,
    pub(super) create: Create,
}

impl ExactDiff {
    /// Holds at most `memory` bytes in memory, buffers included and at least 32 KiB, and puts what
    /// exceeds it below the existing `directory`. A megabyte or more is sensible.
    pub fn new(directory: impl Into<PathBuf>, memory: usize) -> Self {
        Self {
            directory: directory.into(),
            memory: memory.max(LEAST_MEMORY),
            threads: 1,
            version: 0,
            payload: 0,
            expected: None,
            create: create_files(),
        }
    }

    /// Compares on up to this many threads; 0 counts as 1. The result is the same.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Each key comes with a value: `version` bytes that say whether something changed, and
    /// `payload` bytes that travel along. The memory is at least 256 times what both have together,
    /// which is at most 64 KiB − 1: what exceeds that is taken off the payload.
    #[must_use]
    pub fn values(mut self, version: u16, payload: u16) -> Self {
        (self.version, self.payload) = (version, payload.min(u16::MAX - version));
        self.memory = self.memory.max(256 * self.width());
        self
    }

    /// A side has about this many bytes of keys and values. It makes for speed only: the result
    /// is the same however wrong it is.
    #[must_use]
    pub fn expecting(mut self, bytes: u64) -> Self {
        self.expected = Some(bytes);
        self
    }

    /// The most bytes that a key may have: [`MAX_KEY`], or less with a small budget.
    pub fn key_limit(&self) -> usize {
        // What the sorters of the differences allow: a sixteenth of what each has.
        (self.memory / 128 - self.width()).min(MAX_KEY)
    }

    /// The two sides to be filled, the previous one first; on two threads if you like. Each
    /// reserves its memory, which is used as records come.
    ///
    /// # Errors
    ///
    /// Fails when the memory cannot be reserved.
    pub fn sides(&self) -> Result<(DiffSide, DiffSide), ExternalError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let pair = NUMBER.fetch_add(1, Ordering::Relaxed);
        let hash_key = HashKey::random();
        let side = || -> Result<DiffSide, ExternalError> {
            let shape = Shape::new(self.memory, self.expected);
            let (directory, create) = (self.directory.clone(), self.create.clone());
            let parts = Partitions::new(hash_key, shape, self.width(), directory, create)?;
            Ok(DiffSide {
                options: self.clone(),
                pair,
                limit: self.key_limit(),
                parts,
                keys: Vec::new(),
            })
        };
        Ok((side()?, side()?))
    }

    fn width(&self) -> usize {
        usize::from(self.version) + usize::from(self.payload)
    }
}

impl fmt::Debug for ExactDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExactDiff")
            .field("directory", &self.directory)
            .field("memory", &self.memory)
            .field("threads", &self.threads)
            .field("version", &self.version)
            .field("payload", &self.payload)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

/// One side of an [`ExactDiff`], which takes keys in any order and with repetitions.
pub struct DiffSide {
    options: ExactDiff,
    /// Which side belongs to which.
    pair: u64,
    limit: usize,
    parts: Partitions,
    keys: Vec<KeyRange>,
}

impl DiffSide {
    /// Adds a record; the value is empty unless [`values`](ExactDiff::values) were agreed. The
    /// first record of a key counts.
    ///
    /// # Errors
    ///
    /// Refuses a key longer than [`key_limit`](ExactDiff::key_limit) and a value of another width
    /// than was agreed, and fails when a temporary file cannot be written: the side is of no use
    /// then.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), ExternalError> {
        KeyTooLong::check(key, self.limit)?;
        WrongWidth::check(value, self.parts.width())?;
        self.parts.push(key, value)
    }

    /// Adds the lines of a block, without values, which is faster than one at a time.
    ///
    /// # Errors
    ///
    /// Fails as [`push`](Self::push) does; the lines before the offending one were added.
    pub fn push_lines(&mut self, lines: LineBlock<'_>) -> Result<(), ExternalError> {
        let mut keys = std::mem::take(&mut self.keys);
        lines.key_ranges(&mut keys);
        let result = self.push_many(lines.bytes(), &keys);
        self.keys = keys;
        result
    }

    fn push_many(&mut self, bytes: &[u8], keys: &[KeyRange]) -> Result<(), ExternalError> {
        WrongWidth::check(&[], self.parts.width())?;
        let too_long = keys.iter().position(|key| key.length as usize > self.limit);
        let fine = too_long.unwrap_or(keys.len());
        self.parts.push_many(bytes, &keys[..fine])?;
        match too_long {
            Some(index) => Ok(KeyTooLong::check(keys[index].of(bytes), self.limit)?),
            None => Ok(()),
        }
    }
}

/// Says how it is set up, and no key.
impl fmt::Debug for DiffSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiffSide")
            .field("options", &self.options)
            .field("written", &self.parts.written())
            .finish_non_exhaustive()
    }
}

/// Compares two sides that were made together, the previous one first.
///
/// # Errors
///
/// Fails when the sides do not belong together and when a temporary file cannot be written, or
/// not be read back unaltered.
pub fn compare(previous: DiffSide, current: DiffSide) -> Result<Found, ExternalError> {
    compare_observed(previous, current, &Meter::new(None))
}

/// As [`compare`]; `meter` is told of what is read back.
pub(crate) fn compare_observed(
    previous: DiffSide,
    current: DiffSide,
    meter: &Meter<'_>,
) -> Result<Found, ExternalError> {
    if previous.pair != current.pair {
        return Err(ExternalError::NotAPair);
    }
    let options = previous.options;
    let for_differences = options.memory / 4;
    let memory = options.memory - for_differences;
    let width = options.width() as u16;
    let differences = Differences::with_values(&options.directory, for_differences, width)?;
    let comparison = Comparison {
        directory: options.directory.clone(),
        create: options.create.clone(),
        threads: options.threads,
        memory,
        version: usize::from(options.version),
        longest_key: previous.limit,
        differences: Mutex::new(differences),
        unchanged: AtomicU64::new(0),
        tally: Tally::default(),
        meter,
    };
    comparison.compare(previous.parts, current.parts, memory)?;
    let Tally { written, partitions, divided } = comparison.tally;
    let report = Report {
        spilled: written.into_inner(),
        partitions: partitions.into_inner(),
        divided: divided.into_inner(),
    };
    let differences = comparison.differences;
    Ok(Found {
        differences: differences.into_inner().unwrap_or_else(PoisonError::into_inner),
        unchanged: comparison.unchanged.into_inner(),
        threads: options.threads,
        report,
    })
}

/// What [`compare`] found, before anybody was told.
#[derive(Debug)]
pub struct Found {
    differences: Differences,
    unchanged: u64,
    threads: usize,
    report: Report,
}

/// What a comparison took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Bytes that were written to temporary files, those for sorting the differences left out.
    pub spilled: u64,
    /// Partitions that were compared.
    pub partitions: u64,
    /// Partitions that were too large and so were partitioned again.
    pub divided: u64,
}

impl Found {
    /// What it took.
    pub fn report(&self) -> Report {
        self.report
    }

    /// Tells `sink` what was added and what removed, in ascending order. It is never told what is
    /// unchanged, but the counts say how much that is.
    ///
    /// # Errors
    ///
    /// Fails when a temporary file cannot be written, or not be read back unaltered; the sink may
    /// have been told about smaller keys by then.
    pub fn deliver<S: DiffSink<[u8]> + ?Sized>(
        self,
        sink: &mut S,
    ) -> Result<ControlFlow<S::Break, Counts>, ExternalError> {
        let told = self.differences.deliver(self.threads, sink)?;
        Ok(told.map_continue(|counts| Counts { unchanged: self.unchanged, ..counts }))
    }

    /// As [`deliver`](Self::deliver), of records with their values, version and payload, and of
    /// those whose version changed.
    ///
    /// # Errors
    ///
    /// Fails as [`deliver`](Self::deliver) does.
    pub fn deliver_records<S: DiffSink<[u8], [u8]> + ?Sized>(
        self,
        sink: &mut S,
    ) -> Result<ControlFlow<S::Break, Counts>, ExternalError> {
        let told = self.differences.deliver_records(self.threads, sink)?;
        Ok(told.map_continue(|counts| Counts { unchanged: self.unchanged, ..counts }))
    }
}

/// Below this nothing is gained by saving more.
const LEAST_MEMORY: usize = 32 << 10;
