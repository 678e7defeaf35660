use std::fmt;
use std::path::PathBuf;

use super::buffer::Buffer;
use super::runs::{RunMerge, Runs};
use super::{ExternalError, WrongWidth};
use crate::KeyTooLong;
use crate::merge::SortedInput;
use crate::snapshot::MAX_KEY;

/// Takes byte keys in any order and gives them back sorted, within a memory budget.
pub struct ExternalSorter {
    limits: Limits,
    threads: usize,
    longest: usize,
    buffer: Buffer,
    runs: Runs,
    payload: u16,
}

impl ExternalSorter {
    /// Starts a sorter that holds at most about `budget` bytes in memory, at least 4 KiB, and
    /// puts what exceeds it below the existing `directory`. The memory is reserved now and used
    /// as keys come.
    ///
    /// # Errors
    ///
    /// Fails when the memory cannot be reserved.
    pub fn new(directory: impl Into<PathBuf>, budget: usize) -> Result<Self, ExternalError> {
        Self::with_payload(directory, budget, 0)
    }

    /// As [`new`](Self::new), for records: every key comes with `payload` bytes, and the budget
    /// is at least 32 times that.
    ///
    /// # Errors
    ///
    /// Fails when the memory cannot be reserved.
    pub fn with_payload(
        directory: impl Into<PathBuf>,
        budget: usize,
        payload: u16,
    ) -> Result<Self, ExternalError> {
        let limits = Limits::new(budget, usize::from(payload));
        let buffer = Buffer::within(limits.buffer, usize::from(payload))
            .map_err(|source| ExternalError::Memory { bytes: limits.buffer, source })?;
        let runs = Runs::new(directory.into(), limits.block, payload);
        Ok(Self { limits, threads: 1, longest: 0, buffer, runs, payload })
    }

    /// Sorts on up to this many threads; 0 counts as 1. The result is the same.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The most bytes that a key may have: [`MAX_KEY`], or less with a small budget.
    pub fn key_limit(&self) -> usize {
        self.limits.key
    }

    /// Adds a key, for a sorter without payloads.
    ///
    /// # Errors
    ///
    /// Fails as [`push_record`](Self::push_record) does with an empty payload.
    pub fn push(&mut self, key: &[u8]) -> Result<(), ExternalError> {
        self.push_record(key, &[])
    }

    /// Adds a record. The first one of a key counts.
    ///
    /// # Errors
    ///
    /// Refuses a key longer than [`key_limit`](Self::key_limit) and a payload of another width
    /// than was agreed, and fails when a temporary file cannot be written.
    pub fn push_record(&mut self, key: &[u8], payload: &[u8]) -> Result<(), ExternalError> {
        KeyTooLong::check(key, self.limits.key)?;
        WrongWidth::check(payload, usize::from(self.payload))?;
        if !self.buffer.has_room(key.len()) {
            self.spill()?;
        }
        self.longest = self.longest.max(key.len());
        self.buffer.push(key, payload);
        Ok(())
    }

    /// Ends the input and gives back its keys.
    ///
    /// # Errors
    ///
    /// Fails when a temporary file cannot be written, or not be read back unaltered.
    pub fn finish(self) -> Result<SortedKeys, ExternalError> {
        self.finish_records().map(SortedKeys)
    }

    /// Ends the input and gives back its records.
    ///
    /// # Errors
    ///
    /// Fails when a temporary file cannot be written, or not be read back unaltered.
    pub fn finish_records(mut self) -> Result<SortedRecords, ExternalError> {
        if self.runs.is_empty() {
            self.buffer.sort(self.threads);
            return Ok(SortedRecords(Source::Memory { records: self.buffer, next: 0 }));
        }
        if !self.buffer.is_empty() {
            self.spill()?;
        }
        drop(self.buffer);
        let longest = self.longest + usize::from(self.payload);
        let merge = self.runs.merge(self.limits.fan_in(longest))?;
        Ok(SortedRecords(Source::Runs { merge, _files: self.runs }))
    }

    fn spill(&mut self) -> Result<(), ExternalError> {
        self.buffer.sort(self.threads);
        self.runs.write(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// Says how much there is, and no key.
impl fmt::Debug for ExternalSorter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalSorter")
            .field("limits", &self.limits)
            .field("records", &self.buffer.len())
            .field("runs", &self.runs)
            .finish_non_exhaustive()
    }
}

/// The sorted keys, each once: an input of [`merge::diff`](crate::merge::diff()).
#[derive(Debug)]
pub struct SortedKeys(SortedRecords);

impl SortedKeys {
    /// Whether the keys did not fit into the budget and are read from temporary files.
    pub fn is_spilled(&self) -> bool {
        self.0.is_spilled()
    }
}

impl SortedInput for SortedKeys {
    type Key = [u8];
    type Version = ();
    type Error = ExternalError;

    fn advance(&mut self) -> Result<bool, ExternalError> {
        self.0.advance()
    }

    fn key(&self) -> &[u8] {
        self.0.key()
    }

    fn version(&self) -> &() {
        &()
    }
}

/// The sorted records, one for each key, whose versions are their payloads: an input of
/// [`merge::diff`](crate::merge::diff()).
#[derive(Debug)]
pub struct SortedRecords(Source);

enum Source {
    Memory { records: Buffer, next: usize },
    // Fields are dropped in this order: the files are closed before they are removed.
    Runs { merge: RunMerge, _files: Runs },
}

impl SortedRecords {
    /// Whether the records did not fit into the budget and are read from temporary files.
    pub fn is_spilled(&self) -> bool {
        matches!(self.0, Source::Runs { .. })
    }
}

impl SortedInput for SortedRecords {
    type Key = [u8];
    type Version = [u8];
    type Error = ExternalError;

    fn advance(&mut self) -> Result<bool, ExternalError> {
        match &mut self.0 {
            Source::Memory { records, next } => {
                *next += 1;
                Ok(*next <= records.len())
            }
            Source::Runs { merge, .. } => merge.advance(),
        }
    }

    fn key(&self) -> &[u8] {
        match &self.0 {
            Source::Memory { records, next } => records.get(*next - 1).expect(AFTER_ADVANCE).0,
            Source::Runs { merge, .. } => merge.key(),
        }
    }

    fn version(&self) -> &[u8] {
        match &self.0 {
            Source::Memory { records, next } => records.get(*next - 1).expect(AFTER_ADVANCE).1,
            Source::Runs { merge, .. } => merge.payload(),
        }
    }
}

const AFTER_ADVANCE: &str = "a record is asked for only after `advance` has returned true";

/// Says where the records are, and none of them.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory { .. } => "Memory",
            Self::Runs { .. } => "Runs",
        })
    }
}

/// How a memory budget is spent.
#[derive(Clone, Copy, Debug)]
struct Limits {
    budget: usize,
    /// Bytes of a block in a run.
    block: usize,
    /// Bytes for keys before they are written as a run.
    buffer: usize,
    /// The longest key such that two runs can be merged within half of the budget.
    key: usize,
}

impl Limits {
    fn new(budget: usize, payload: usize) -> Self {
        let budget = budget.max(4 << 10).max(32 * payload);
        let block = (budget / 128).clamp(256, 64 << 10);
        let buffer = budget - BLOCKS_PER_FILE * block;
        Self { budget, block, buffer, key: (budget / 16 - payload).min(MAX_KEY) }
    }

    /// How many runs may be read at a time, beside writing one, when no record is longer than
    /// `longest`.
    fn fan_in(self, longest: usize) -> usize {
        let each = BLOCKS_PER_FILE * self.block + 4 * longest;
        ((self.budget - BLOCKS_PER_FILE * self.block) / each).clamp(2, MAX_FAN_IN)
    }
}

/// What reading or writing one run holds, in blocks: the piece read or written and the block
/// around it, each in a buffer that grows by doubling.
const BLOCKS_PER_FILE: usize = 6;

/// Keeps the number of open files well below the usual limits.
const MAX_FAN_IN: usize = 64;
