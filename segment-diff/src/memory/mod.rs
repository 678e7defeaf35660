//! Differences in memory, of inputs in any order and with repetitions.
//!
//! Keys come out in ascending order, of their bytes or their values, and the result does not
//! depend on the number of threads.
//!
//! | you have | take |
//! |---|---|
//! | byte keys in slices, or packed | [`diff_slices`], [`diff_packed`]: dealt out by a hash, O(n) |
//! | packed keys that are to be sorted as well, or unchanged ones to be told | [`diff_keys`]: sorted in place, O(n log n) |
//! | `u64` or `u128` | [`diff_values`] |
//!
//! ```
//! use segment_diff::memory::{Options, PackedKeys, diff_keys, diff_slices, diff_values};
//! use segment_diff::merge::Collect;
//! use std::ops::ControlFlow;
//!
//! let mut previous = PackedKeys::new();
//! let mut current = PackedKeys::new();
//! for key in ["bo", "ada"] {
//!     previous.push(key.as_bytes())?;
//! }
//! for key in ["cy", "bo", "cy"] {
//!     current.push(key.as_bytes())?;
//! }
//! let mut delta = Collect::new();
//! let ControlFlow::Continue(counts) =
//!     diff_keys(&mut previous, &mut current, Options::new().threads(2), &mut delta);
//! assert_eq!((delta.added, delta.removed), (vec![b"cy".to_vec()], vec![b"ada".to_vec()]));
//! assert_eq!(counts.unchanged, 1);
//!
//! let mut delta = Collect::new();
//! let ControlFlow::Continue(counts) =
//!     diff_slices(&["bo", "ada"], &["cy", "bo"], Options::new(), &mut delta);
//! assert_eq!((delta.added, delta.removed), (vec![b"cy".to_vec()], vec![b"ada".to_vec()]));
//! assert_eq!(counts.unchanged, 1);
//!
//! let mut delta = Collect::new();
//! let ControlFlow::Continue(_) = diff_values(&[3_u64, 1, 2], &[2, 9, 3], Options::new(), &mut delta);
//! assert_eq!((delta.added, delta.removed), (vec![9], vec![1]));
//! # Ok::<(), segment_diff::KeyTooLong>(())
//! ```

mod packed;
mod threads;
mod unsorted;
mod values;

use std::ops::ControlFlow;

use crate::merge::{Counts, DiffSink, byte_keys, diff};

pub use packed::PackedKeys;
pub use unsorted::{diff_packed, diff_slices};
pub use values::{Value, ValueSide, ValueSides, diff_values};

/// How to take a difference in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    threads: usize,
    matching: Matching,
}

/// What makes two byte keys the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// Their bytes.
    #[default]
    Bytes,
    /// Fingerprints of 88 bits and more, under a random key that lives as long as the difference:
    /// faster, because the keys are looked at only once. The chance of a wrong answer is at most
    /// *n* · *d* / 2⁸⁸ for *n* different keys in all, of which *d* are only on one side: for 10⁸
    /// keys and 10⁶ differences 10¹⁴ / 3 × 10²⁶ ≈ 3 × 10⁻¹³, whoever chooses the keys.
    Fingerprints,
}

impl Options {
    /// One thread.
    pub const fn new() -> Self {
        Self { threads: 1, matching: Matching::Bytes }
    }

    /// Works on up to this many threads; 0 counts as 1. The result is the same.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// What makes two keys the same for [`diff_slices`] and [`diff_packed`]; other differences
    /// are exact in any case.
    #[must_use]
    pub const fn matching(mut self, matching: Matching) -> Self {
        self.matching = matching;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// Tells `sink` how `current` differs from `previous`, in the order of the keys' bytes.
///
/// Both are sorted and freed of repetitions on the way. Memory: nothing beyond the two sets.
pub fn diff_keys<S: DiffSink<[u8]> + ?Sized>(
    previous: &mut PackedKeys,
    current: &mut PackedKeys,
    options: Options,
    sink: &mut S,
) -> ControlFlow<S::Break, Counts> {
    threads::join(
        options.threads,
        |threads| previous.sort(threads),
        |threads| current.sort(threads),
    );
    diff(byte_keys(previous.iter()), byte_keys(current.iter()), sink)
        .expect("both sides were just sorted and cannot fail to be read")
}
