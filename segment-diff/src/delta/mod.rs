//! What changed between two memberships, as something that can be kept: applied, inverted,
//! composed, stored.
//!
//! A [`Delta`] has a change for each key that was added or removed, or whose payload changed, and
//! each change says what was before and what is after. Therefore deltas can be inverted, and a
//! delta that does not fit is an error. With `between(a, b)` for [`Delta::between`], and `∘` for
//! [`Delta::then`]:
//!
//! * `between(a, b)` applied to `a` is `b`;
//! * inverted twice a delta is itself, and inverted it leads from `b` back to `a`;
//! * `between(a, b) ∘ between(b, c)` is `between(a, c)`; `∘` is associative, and the empty delta
//!   changes nothing.
//!
//! ```
//! use std::collections::BTreeMap;
//! use segment_diff::delta::Delta;
//!
//! let members = |list: &[(&str, u8)]| -> BTreeMap<Vec<u8>, Vec<u8>> {
//!     list.iter().map(|(key, payload)| (key.as_bytes().to_vec(), vec![*payload])).collect()
//! };
//! let (monday, tuesday) = (members(&[("ada", 1), ("bo", 2)]), members(&[("bo", 3), ("cy", 4)]));
//! let delta = Delta::between_maps(&monday, &tuesday);
//! assert_eq!(delta.len(), 3);
//!
//! let mut base = monday.clone();
//! delta.apply(&mut base)?;
//! assert_eq!(base, tuesday);
//! delta.invert().apply(&mut base)?;
//! assert_eq!(base, monday);
//! # Ok::<(), segment_diff::delta::Mismatch>(())
//! ```
//!
//! # Files
//!
//! [`DeltaWriter`] and [`DeltaReader`] keep deltas in files, [`fold`] puts a snapshot and any
//! number of deltas together into the next snapshot, and [`compose`] several deltas into one;
//! all of them stream, in constant memory.
//!
//! A file is a [snapshot file](crate::snapshot) with the content 1. For members with payloads of
//! *p* bytes (32,767 at most) the payload of a record has 1 + 2*p* bytes, which is the width that
//! the header states: a byte that says what happened (1 added, 2 removed, 3 changed), the payload
//! before (zeros when added), the payload after (zeros when removed). The two payloads of a
//! changed member are not the same.
//!
//! # What is checked
//!
//! Applying a delta checks the members that it changes: one to be added must not be there, one to
//! be removed or changed must be there with the payload before. Of the others a delta knows
//! nothing, so a wrong base that differs from the right one only in them is not recognised.
//! Who keeps several bases needs to remember which a delta belongs to.

#[cfg(feature = "std")]
mod file;
#[cfg(feature = "std")]
mod fold;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::convert::Infallible;
use core::fmt;
use core::ops::ControlFlow;

#[cfg(feature = "std")]
pub use file::{DeltaReader, DeltaWriter, KeyedChange};
#[cfg(feature = "std")]
pub use fold::{FoldError, compose, fold};

use crate::OrderError;
use crate::merge::{DiffSink, MergeError, SortedInput, diff};

/// What happened to a member, with its payloads.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Change<P> {
    /// It was not there before.
    Added(P),
    /// It is not there any more.
    Removed(P),
    /// It is there with another payload.
    Changed {
        /// The payload before.
        before: P,
        /// The payload after, a different one.
        after: P,
    },
}

impl<P> Change<P> {
    /// What leads from `before` to `after`, where none means not being a member. There is no
    /// change when they are the same.
    pub fn between(before: Option<P>, after: Option<P>) -> Option<Self>
    where
        P: PartialEq,
    {
        match (before, after) {
            (None, Some(after)) => Some(Self::Added(after)),
            (Some(before), None) => Some(Self::Removed(before)),
            (Some(before), Some(after)) if before != after => Some(Self::Changed { before, after }),
            _ => None,
        }
    }

    /// The payload before, if it was a member.
    pub fn before(&self) -> Option<&P> {
        match self {
            Self::Added(_) => None,
            Self::Removed(before) | Self::Changed { before, .. } => Some(before),
        }
    }

    /// The payload after, if it is still a member.
    pub fn after(&self) -> Option<&P> {
        match self {
            Self::Removed(_) => None,
            Self::Added(after) | Self::Changed { after, .. } => Some(after),
        }
    }

    /// The change back.
    #[must_use]
    pub fn invert(self) -> Self {
        match self {
            Self::Added(payload) => Self::Removed(payload),
            Self::Removed(payload) => Self::Added(payload),
            Self::Changed { before, after } => Self::Changed { before: after, after: before },
        }
    }
}

impl<P: AsRef<[u8]>> Change<P> {
    /// The same with payloads that are borrowed.
    pub fn as_slices(&self) -> Change<&[u8]> {
        match self {
            Self::Added(after) => Change::Added(after.as_ref()),
            Self::Removed(before) => Change::Removed(before.as_ref()),
            Self::Changed { before, after } => {
                Change::Changed { before: before.as_ref(), after: after.as_ref() }
            }
        }
    }
}

/// Says what happened, and shows no payload.
impl<P> fmt::Debug for Change<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added(_) => "Added",
            Self::Removed(_) => "Removed",
            Self::Changed { .. } => "Changed",
        })
    }
}

/// Changes of members, one for each key that differs, in memory.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct Delta {
    /// Ascending by key.
    changes: Vec<(Vec<u8>, Change<Vec<u8>>)>,
}

impl Delta {
    /// Begins without any change.
    pub const fn new() -> Self {
        Self { changes: Vec::new() }
    }

    /// What leads from `previous` to `current`.
    ///
    /// # Errors
    ///
    /// Fails as [`diff`] does.
    pub fn between<P, C>(previous: P, current: C) -> Result<Self, MergeError<P::Error, C::Error>>
    where
        P: SortedInput<Key = [u8], Version = [u8]>,
        C: SortedInput<Key = [u8], Version = [u8]>,
    {
        let mut delta = Self::new();
        let ControlFlow::Continue(_) = diff(previous, current, &mut Collector(&mut delta))?;
        Ok(delta)
    }

    /// What leads from `previous` to `current`: maps from keys to payloads.
    pub fn between_maps(
        previous: &BTreeMap<Vec<u8>, Vec<u8>>,
        current: &BTreeMap<Vec<u8>, Vec<u8>>,
    ) -> Self {
        match Self::between(MapInput::new(previous), MapInput::new(current)) {
            Ok(delta) => delta,
            Err(MergeError::Previous { source, .. } | MergeError::Current { source, .. }) => {
                match source {}
            }
            Err(MergeError::Unordered { .. }) => unreachable!("maps are ordered"),
        }
    }

    /// Adds a change of `key`, which is above the keys before.
    ///
    /// # Errors
    ///
    /// Returns [`OrderError`] when it is not; nothing is added.
    pub fn push(&mut self, key: Vec<u8>, change: Change<Vec<u8>>) -> Result<(), OrderError> {
        if self.changes.last().is_some_and(|(last, _)| *last >= key) {
            return Err(OrderError { index: self.changes.len() as u64 });
        }
        self.changes.push((key, change));
        Ok(())
    }

    /// The changes, ascending by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], Change<&[u8]>)> {
        self.changes.iter().map(|(key, change)| (key.as_slice(), change.as_slices()))
    }

    /// The number of changes.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Changes `base`, a map from keys to payloads.
    ///
    /// # Errors
    ///
    /// Returns [`Mismatch`] when a change does not fit `base`, which is then as it was.
    pub fn apply(&self, base: &mut BTreeMap<Vec<u8>, Vec<u8>>) -> Result<(), Mismatch> {
        let misfit = self.changes.iter().position(|(key, change)| base.get(key) != change.before());
        if let Some(index) = misfit {
            return Err(Mismatch { index: index as u64 });
        }
        for (key, change) in &self.changes {
            match change.after() {
                Some(after) => base.insert(key.clone(), after.clone()),
                None => base.remove(key),
            };
        }
        Ok(())
    }

    /// What leads back.
    #[must_use]
    pub fn invert(self) -> Self {
        let changes = self.changes.into_iter().map(|(key, change)| (key, change.invert()));
        Self { changes: changes.collect() }
    }

    /// This delta and then `later`, as one: what cancels out is left out.
    ///
    /// # Errors
    ///
    /// Returns [`Mismatch`], with the number of the change in `later`, when `later` cannot follow
    /// this delta.
    pub fn then(&self, later: &Self) -> Result<Self, Mismatch> {
        let mut changes = Vec::with_capacity(self.len().max(later.len()));
        let (mut early, mut late) =
            (self.changes.iter().peekable(), later.changes.iter().enumerate().peekable());
        loop {
            let order = match (early.peek(), late.peek()) {
                (None, None) => return Ok(Self { changes }),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((early, _)), Some((_, (late, _)))) => early.cmp(late),
            };
            let early = if order.is_le() { early.next() } else { None };
            let late = if order.is_ge() { late.next() } else { None };
            match (early, late) {
                (Some((key, first)), Some((index, (_, second)))) => {
                    if first.after() != second.before() {
                        return Err(Mismatch { index: index as u64 });
                    }
                    let whole = Change::between(first.before().cloned(), second.after().cloned());
                    changes.extend(whole.map(|change| (key.clone(), change)));
                }
                (Some(change), None) | (None, Some((_, change))) => changes.push(change.clone()),
                (None, None) => {}
            }
        }
    }
}

/// Read as a list of pairs of key and change, the keys of which have to ascend.
#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Delta {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut delta = Self::new();
        for (key, change) in Vec::<(Vec<u8>, Change<Vec<u8>>)>::deserialize(deserializer)? {
            delta.push(key, change).map_err(serde::de::Error::custom)?;
        }
        Ok(delta)
    }
}

/// Says how many changes there are, and no key.
impl fmt::Debug for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delta").field("changes", &self.len()).finish_non_exhaustive()
    }
}

/// A change does not fit what it was applied to. Nothing is said about the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("change number {index} (from zero) does not fit the base")]
pub struct Mismatch {
    /// The number of changes before it.
    pub index: u64,
}

/// Fills a delta with what `diff` finds, which ascends.
struct Collector<'d>(&'d mut Delta);

impl Collector<'_> {
    fn push(&mut self, key: &[u8], change: Change<&[u8]>) -> ControlFlow<Infallible> {
        let change = match change {
            Change::Added(after) => Change::Added(after.to_vec()),
            Change::Removed(before) => Change::Removed(before.to_vec()),
            Change::Changed { before, after } => {
                Change::Changed { before: before.to_vec(), after: after.to_vec() }
            }
        };
        self.0.changes.push((key.to_vec(), change));
        ControlFlow::Continue(())
    }
}

impl DiffSink<[u8], [u8]> for Collector<'_> {
    type Break = Infallible;

    fn added(&mut self, key: &[u8], payload: &[u8]) -> ControlFlow<Infallible> {
        self.push(key, Change::Added(payload))
    }

    fn removed(&mut self, key: &[u8], payload: &[u8]) -> ControlFlow<Infallible> {
        self.push(key, Change::Removed(payload))
    }

    fn changed(&mut self, key: &[u8], before: &[u8], after: &[u8]) -> ControlFlow<Infallible> {
        self.push(key, Change::Changed { before, after })
    }
}

struct MapInput<'m> {
    rest: alloc::collections::btree_map::Iter<'m, Vec<u8>, Vec<u8>>,
    current: (&'m [u8], &'m [u8]),
}

impl<'m> MapInput<'m> {
    fn new(map: &'m BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        Self { rest: map.iter(), current: (&[], &[]) }
    }
}

impl SortedInput for MapInput<'_> {
    type Key = [u8];
    type Version = [u8];
    type Error = Infallible;

    fn advance(&mut self) -> Result<bool, Infallible> {
        let next = self.rest.next();
        if let Some((key, payload)) = next {
            self.current = (key, payload);
        }
        Ok(next.is_some())
    }

    fn key(&self) -> &[u8] {
        self.current.0
    }

    fn version(&self) -> &[u8] {
        self.current.1
    }
}
