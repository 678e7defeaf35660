//! The difference of two sorted inputs, in one pass and constant memory.
//!
//! [`diff`] walks two [`SortedInput`]s and tells a [`DiffSink`] about every key once, in
//! ascending order: added, removed, changed or unchanged. A record is a key, which says who, and
//! a version, which says whether something about it changed. Membership is the case in which the
//! version is `()`.
//!
//! ```
//! use segment_diff::merge::{Collect, Counts, diff, keys};
//! use std::ops::ControlFlow;
//!
//! let mut delta = Collect::new();
//! let ControlFlow::Continue(counts) =
//!     diff(keys(["ada", "bo"]), keys(["bo", "bo", "cy"]), &mut delta)?;
//! assert_eq!((delta.added, delta.removed), (vec!["cy"], vec!["ada"]));
//! assert_eq!(counts.unchanged, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod input;
mod sink;
#[cfg(feature = "std")]
mod written;

use alloc::borrow::ToOwned;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::ops::ControlFlow;

pub use input::{
    Membership, SortedInput, byte_keys, keys, records, try_byte_keys, try_keys, try_records,
};
pub use sink::{AtMost, Callback, Collect, CountOnly, DiffSink, Difference, Stop};
#[cfg(feature = "std")]
pub use written::{MarkedLines, SplitLines};

/// Tells `sink` how `current` differs from `previous`.
///
/// Time is linear in the length of both inputs; memory is one key of each. Keys may repeat, and
/// each is reported once: the first record of a key counts.
///
/// Returns the counts, or what the sink broke off with. With sinks that never break off the
/// pattern `let ControlFlow::Continue(counts) = …` always matches.
///
/// # Errors
///
/// Fails when an input fails and when its keys do not ascend. The sink may have been told about
/// smaller keys by then.
pub fn diff<P, C, S>(previous: P, current: C, sink: &mut S) -> DiffResult<P, C, S::Break>
where
    P: SortedInput,
    C: SortedInput<Key = P::Key, Version = P::Version>,
    S: DiffSink<P::Key, P::Version> + ?Sized,
{
    let (mut old, mut new) = (Checked::new(previous), Checked::new(current));
    let mut counts = Counts::default();
    old.step().map_err(Fault::on_previous)?;
    new.step().map_err(Fault::on_current)?;
    loop {
        let order = match (old.live, new.live) {
            (false, false) => return Ok(ControlFlow::Continue(counts)),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (true, true) => old.input.key().cmp(new.input.key()),
        };
        let told = match order {
            Ordering::Less => {
                counts.removed += 1;
                sink.removed(old.input.key(), old.input.version())
            }
            Ordering::Greater => {
                counts.added += 1;
                sink.added(new.input.key(), new.input.version())
            }
            Ordering::Equal if old.input.version() == new.input.version() => {
                counts.unchanged += 1;
                sink.unchanged(new.input.key(), new.input.version())
            }
            Ordering::Equal => {
                counts.changed += 1;
                sink.changed(new.input.key(), old.input.version(), new.input.version())
            }
        };
        if let ControlFlow::Break(reason) = told {
            return Ok(ControlFlow::Break(reason));
        }
        if order.is_le() {
            old.step().map_err(Fault::on_previous)?;
        }
        if order.is_ge() {
            new.step().map_err(Fault::on_current)?;
        }
    }
}

/// What [`diff`] returns: the counts, what the sink broke off with, or the failure of an input.
pub type DiffResult<P, C, B> = Result<
    ControlFlow<B, Counts>,
    MergeError<<P as SortedInput>::Error, <C as SortedInput>::Error>,
>;

/// How many keys were found to be what; each key counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Counts {
    /// Keys only on the current side.
    pub added: u64,
    /// Keys only on the previous side.
    pub removed: u64,
    /// Keys on both sides, with different versions.
    pub changed: u64,
    /// Keys on both sides, with the same version.
    pub unchanged: u64,
}

/// One of the two inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Side {
    /// The earlier one.
    Previous,
    /// The later one.
    Current,
}

#[cfg(feature = "std")]
impl Side {
    /// Both, in the order in which functions take them.
    pub(crate) const ALL: [Self; 2] = [Self::Previous, Self::Current];
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Previous => "previous",
            Self::Current => "current",
        })
    }
}

/// Why a difference could not be taken to its end. Record numbers count from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError<P, C> {
    /// Reading the previous side failed.
    #[error("cannot read record {index} of the previous side")]
    Previous {
        /// How many records came before.
        index: u64,
        /// The error of the input.
        source: P,
    },
    /// Reading the current side failed.
    #[error("cannot read record {index} of the current side")]
    Current {
        /// How many records came before.
        index: u64,
        /// The error of the input.
        source: C,
    },
    /// An input is not sorted.
    #[error("record {index} of the {side} side is below the one before it")]
    Unordered {
        /// Which input.
        side: Side,
        /// How many records came before.
        index: u64,
    },
}

/// An input whose order is checked and whose repeated keys are skipped.
struct Checked<I: SortedInput> {
    input: I,
    last: Option<<I::Key as ToOwned>::Owned>,
    index: u64,
    live: bool,
}

enum Fault<E> {
    Input { index: u64, source: E },
    Unordered { index: u64 },
}

impl<I: SortedInput> Checked<I> {
    fn new(input: I) -> Self {
        Self { input, last: None, index: 0, live: false }
    }

    /// Moves to the next key, and clears `live` at the end.
    fn step(&mut self) -> Result<(), Fault<I::Error>> {
        loop {
            let index = self.index;
            self.live = self.input.advance().map_err(|source| Fault::Input { index, source })?;
            if !self.live {
                return Ok(());
            }
            self.index += 1;
            let key = self.input.key();
            match &mut self.last {
                None => self.last = Some(key.to_owned()),
                Some(last) => match key.cmp((*last).borrow()) {
                    Ordering::Less => return Err(Fault::Unordered { index }),
                    Ordering::Equal => continue,
                    Ordering::Greater => key.clone_into(last),
                },
            }
            return Ok(());
        }
    }
}

impl<E> Fault<E> {
    fn on_previous<C>(self) -> MergeError<E, C> {
        match self {
            Self::Input { index, source } => MergeError::Previous { index, source },
            Self::Unordered { index } => MergeError::Unordered { side: Side::Previous, index },
        }
    }

    fn on_current<P>(self) -> MergeError<P, E> {
        match self {
            Self::Input { index, source } => MergeError::Current { index, source },
            Self::Unordered { index } => MergeError::Unordered { side: Side::Current, index },
        }
    }
}
