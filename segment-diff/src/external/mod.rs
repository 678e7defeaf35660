//! Sorting byte keys that do not fit into memory, for [`merge::diff`](crate::merge::diff()).
//!
//! An [`ExternalSorter`] takes keys in any order within a memory budget. As long as they fit they
//! stay in memory; beyond that they go to temporary files as sorted runs, which are checksummed
//! like every snapshot, and are merged while they are read back. Either way the result is the
//! same: every key once, ascending by its bytes.
//!
//! ```no_run
//! use segment_diff::external::ExternalSorter;
//! use segment_diff::merge::{CountOnly, diff};
//!
//! let sort = |keys: &[&str]| {
//!     let mut sorter = ExternalSorter::new(std::env::temp_dir(), 32 << 20)?;
//!     for key in keys {
//!         sorter.push(key.as_bytes())?;
//!     }
//!     sorter.finish()
//! };
//! let flow = diff(sort(&["bo", "ada"])?, sort(&["cy", "bo"])?, &mut CountOnly)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Costs
//!
//! Temporary files take about the size of the keys, once more for a moment when there are more
//! runs than can be merged at once. They are in a directory of their own, readable by nobody
//! else, and go away with the sorter or its result, also on errors and panics; a killed process
//! leaves them behind. They hold the keys as they are.

mod runs;

use std::collections::TryReserveError;
use std::io;
use std::path::PathBuf;

use crate::KeyTooLong;
use crate::memory::PackedKeys;
use crate::merge::SortedInput;
use crate::snapshot::{MAX_KEY, SnapshotError};
use runs::{RunMerge, Runs};

/// Takes byte keys in any order and gives them back sorted, within a memory budget.
#[derive(Debug)]
pub struct ExternalSorter {
    limits: Limits,
    threads: usize,
    longest: usize,
    keys: PackedKeys,
    runs: Runs,
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
        let limits = Limits::new(budget);
        let keys = PackedKeys::within(limits.buffer)
            .map_err(|source| ExternalError::Memory { bytes: limits.buffer, source })?;
        let runs = Runs::new(directory.into(), limits.block);
        Ok(Self { limits, threads: 1, longest: 0, keys, runs })
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

    /// Adds a key.
    ///
    /// # Errors
    ///
    /// Refuses a key longer than [`key_limit`](Self::key_limit), and fails when a temporary file
    /// cannot be written.
    pub fn push(&mut self, key: &[u8]) -> Result<(), ExternalError> {
        KeyTooLong::check(key, self.limits.key)?;
        if !self.keys.has_room(key.len()) {
            self.spill()?;
        }
        self.longest = self.longest.max(key.len());
        self.keys.push(key)?;
        Ok(())
    }

    /// Ends the input.
    ///
    /// # Errors
    ///
    /// Fails when a temporary file cannot be written, or not be read back unaltered.
    pub fn finish(mut self) -> Result<SortedKeys, ExternalError> {
        if self.runs.is_empty() {
            self.keys.sort(self.threads);
            return Ok(SortedKeys(Source::Memory { keys: self.keys, next: 0 }));
        }
        if !self.keys.is_empty() {
            self.spill()?;
        }
        drop(self.keys);
        let merge = self.runs.merge(self.limits.fan_in(self.longest))?;
        Ok(SortedKeys(Source::Runs { merge, _files: self.runs }))
    }

    fn spill(&mut self) -> Result<(), ExternalError> {
        self.keys.sort(self.threads);
        self.runs.write(&self.keys)?;
        self.keys.clear();
        Ok(())
    }
}

/// The sorted keys, each once: an input of [`merge::diff`](crate::merge::diff()).
#[derive(Debug)]
pub struct SortedKeys(Source);

#[derive(Debug)]
enum Source {
    Memory { keys: PackedKeys, next: usize },
    // Fields are dropped in this order: the files are closed before they are removed.
    Runs { merge: RunMerge, _files: Runs },
}

impl SortedKeys {
    /// Whether the keys did not fit into the budget and are read from temporary files.
    pub fn is_spilled(&self) -> bool {
        matches!(self.0, Source::Runs { .. })
    }
}

impl SortedInput for SortedKeys {
    type Key = [u8];
    type Version = ();
    type Error = ExternalError;

    fn advance(&mut self) -> Result<bool, ExternalError> {
        match &mut self.0 {
            Source::Memory { keys, next } => {
                *next += 1;
                Ok(*next <= keys.len())
            }
            Source::Runs { merge, .. } => merge.advance(),
        }
    }

    fn key(&self) -> &[u8] {
        match &self.0 {
            Source::Memory { keys, next } => {
                keys.get(*next - 1).expect("a key is asked for only after `advance` was true")
            }
            Source::Runs { merge, .. } => merge.key(),
        }
    }

    fn version(&self) -> &() {
        &()
    }
}

/// Why keys could not be sorted. No message holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalError {
    /// A key is too long; nothing was added.
    #[error(transparent)]
    KeyTooLong(#[from] KeyTooLong),
    /// The budget exceeds the memory there is.
    #[error("cannot reserve {bytes} bytes of memory")]
    Memory {
        /// How much was asked for.
        bytes: usize,
        /// The answer of the allocator.
        source: TryReserveError,
    },
    /// A temporary file or directory could not be created, opened or removed.
    #[error("cannot use temporary {}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A temporary file could not be written, or not be read back unaltered.
    #[error("temporary file {} failed", path.display())]
    Run {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: SnapshotError,
    },
}

/// How a memory budget is spent.
#[derive(Clone, Copy, Debug)]
struct Limits {
    budget: usize,
    /// Bytes of a block in a run.
    block: usize,
    /// Bytes for keys before they are written as a run.
    buffer: usize,
    /// The longest key of which two runs can be merged within half of the budget.
    key: usize,
}

impl Limits {
    fn new(budget: usize) -> Self {
        let budget = budget.max(4 << 10);
        let block = (budget / 128).clamp(256, 64 << 10);
        let buffer = budget - BLOCKS_PER_FILE * block;
        Self { budget, block, buffer, key: (budget / 16).min(MAX_KEY) }
    }

    /// How many runs may be read at a time, beside writing one, when no key is longer than
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
