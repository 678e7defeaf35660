//! Differences in memory, of inputs in any order and with repetitions.
//!
//! Both sides are sorted in place, on one thread or more, and merged. Keys come out in ascending
//! order, of their bytes or their values, and the result does not depend on the number of
//! threads. Time is O(n log n).
//!
//! ```
//! use segment_diff::memory::{Options, PackedKeys, diff_keys, diff_values};
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
//! let (mut before, mut after) = ([3_u64, 1, 2], [2, 9, 3]);
//! let ControlFlow::Continue(_) = diff_values(&mut before, &mut after, Options::new(), &mut delta);
//! assert_eq!((delta.added, delta.removed), (vec![9], vec![1]));
//! # Ok::<(), segment_diff::KeyTooLong>(())
//! ```

mod packed;
mod threads;

use std::ops::ControlFlow;

use crate::merge::{Counts, DiffSink, byte_keys, diff, keys};

pub use packed::PackedKeys;

/// How to take a difference in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    threads: usize,
}

impl Options {
    /// One thread.
    pub const fn new() -> Self {
        Self { threads: 1 }
    }

    /// Sorts on up to this many threads; 0 counts as 1. The result is the same.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
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

/// Tells `sink` how `current` differs from `previous`, in the order of the values: `u64`, `u128`
/// or any other small ordered type.
///
/// Both are sorted on the way. Memory: nothing beyond the two slices.
pub fn diff_values<T: Ord + Copy + Send, S: DiffSink<T> + ?Sized>(
    previous: &mut [T],
    current: &mut [T],
    options: Options,
    sink: &mut S,
) -> ControlFlow<S::Break, Counts> {
    threads::join(
        options.threads,
        |threads| threads::sort(previous, threads, &T::cmp),
        |threads| threads::sort(current, threads, &T::cmp),
    );
    diff(keys(previous.iter().copied()), keys(current.iter().copied()), sink)
        .expect("both sides were just sorted and cannot fail to be read")
}
