use alloc::borrow::ToOwned;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt;
use core::ops::ControlFlow;

/// Takes what a difference finds, in ascending order of keys and each key once.
///
/// Every method does nothing unless implemented, and may break off the whole difference with a
/// reason of the type [`Break`](Self::Break).
pub trait DiffSink<K: ?Sized, V: ?Sized = ()> {
    /// Why the sink may break off; [`Infallible`] for one that never does.
    type Break;

    /// `key` is only on the current side.
    fn added(&mut self, key: &K, version: &V) -> ControlFlow<Self::Break> {
        let _ = (key, version);
        ControlFlow::Continue(())
    }

    /// `key` is only on the previous side.
    fn removed(&mut self, key: &K, version: &V) -> ControlFlow<Self::Break> {
        let _ = (key, version);
        ControlFlow::Continue(())
    }

    /// `key` is on both sides, with different versions.
    fn changed(&mut self, key: &K, previous: &V, current: &V) -> ControlFlow<Self::Break> {
        let _ = (key, previous, current);
        ControlFlow::Continue(())
    }

    /// `key` is on both sides, with the same version.
    ///
    /// Only the merge of [`merge::diff`](super::diff()) tells this. Other engines count unchanged
    /// keys without visiting them one by one: identical stretches of sorted lines are skipped as a
    /// whole, and partitions match keys in no order.
    fn unchanged(&mut self, key: &K, version: &V) -> ControlFlow<Self::Break> {
        let _ = (key, version);
        ControlFlow::Continue(())
    }
}

/// Keeps nothing: for those who want the counts only.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountOnly;

impl<K: ?Sized, V: ?Sized> DiffSink<K, V> for CountOnly {
    type Break = Infallible;
}

/// Calls a closure with each [`Difference`], and breaks off with what the closure breaks off with.
///
/// ```
/// use std::convert::Infallible;
/// use std::ops::ControlFlow;
///
/// use segment_diff::merge::{Callback, Difference, diff, keys};
///
/// let mut came = Vec::new();
/// let mut sink = Callback::new(|difference: Difference<'_, _, ()>| {
///     if let Difference::Added { key, .. } = difference {
///         came.push(*key);
///     }
///     ControlFlow::<Infallible>::Continue(())
/// });
/// let ControlFlow::Continue(_) = diff(keys([1, 2]), keys([2, 3]), &mut sink)?;
/// assert_eq!(came, [3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Callback<F>(F);

impl<F> Callback<F> {
    /// Calls `call`.
    pub fn new(call: F) -> Self {
        Self(call)
    }
}

/// Says that it is one, and nothing of the closure.
impl<F> fmt::Debug for Callback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").finish_non_exhaustive()
    }
}

impl<K: ?Sized, V: ?Sized, F, B> DiffSink<K, V> for Callback<F>
where
    F: FnMut(Difference<'_, K, V>) -> ControlFlow<B>,
{
    type Break = B;

    fn added(&mut self, key: &K, version: &V) -> ControlFlow<B> {
        (self.0)(Difference::Added { key, version })
    }

    fn removed(&mut self, key: &K, version: &V) -> ControlFlow<B> {
        (self.0)(Difference::Removed { key, version })
    }

    fn changed(&mut self, key: &K, previous: &V, current: &V) -> ControlFlow<B> {
        (self.0)(Difference::Changed { key, previous, current })
    }
}

/// What is different about a key.
#[expect(missing_debug_implementations, reason = "it would show a key")]
pub enum Difference<'a, K: ?Sized, V: ?Sized = ()> {
    /// It is only on the current side.
    Added {
        /// The key.
        key: &'a K,
        /// Its version.
        version: &'a V,
    },
    /// It is only on the previous side.
    Removed {
        /// The key.
        key: &'a K,
        /// Its version.
        version: &'a V,
    },
    /// It is on both sides, with different versions.
    Changed {
        /// The key.
        key: &'a K,
        /// Its version on the previous side.
        previous: &'a V,
        /// Its version on the current side.
        current: &'a V,
    },
}

/// Passes so many differences on to another sink, and breaks off when there are more.
///
/// With none allowed, breaking off means that the two sides differ.
#[derive(Clone, Debug)]
pub struct AtMost<S> {
    inner: S,
    left: u64,
}

impl<S> AtMost<S> {
    /// Passes `most` differences on to `inner`.
    pub fn new(inner: S, most: u64) -> Self {
        Self { inner, left: most }
    }

    /// Gives the other sink back.
    pub fn into_inner(self) -> S {
        self.inner
    }

    fn pass<B>(&mut self, tell: impl FnOnce(&mut S) -> ControlFlow<B>) -> ControlFlow<Stop<B>> {
        let Some(left) = self.left.checked_sub(1) else {
            return ControlFlow::Break(Stop::More);
        };
        self.left = left;
        tell(&mut self.inner).map_break(Stop::Sink)
    }
}

/// Why [`AtMost`] broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop<B> {
    /// There are more differences than it was to pass on.
    More,
    /// The other sink broke off.
    Sink(B),
}

impl<K: ?Sized, V: ?Sized, S: DiffSink<K, V>> DiffSink<K, V> for AtMost<S> {
    type Break = Stop<S::Break>;

    fn added(&mut self, key: &K, version: &V) -> ControlFlow<Self::Break> {
        self.pass(|inner| inner.added(key, version))
    }

    fn removed(&mut self, key: &K, version: &V) -> ControlFlow<Self::Break> {
        self.pass(|inner| inner.removed(key, version))
    }

    fn changed(&mut self, key: &K, previous: &V, current: &V) -> ControlFlow<Self::Break> {
        self.pass(|inner| inner.changed(key, previous, current))
    }

    fn unchanged(&mut self, key: &K, version: &V) -> ControlFlow<Self::Break> {
        self.inner.unchanged(key, version).map_break(Stop::Sink)
    }
}

/// Collects the keys that differ, each of the three ascending. Memory is O(differences).
#[derive(Clone, PartialEq, Eq)]
pub struct Collect<K> {
    /// Keys only on the current side.
    pub added: Vec<K>,
    /// Keys only on the previous side.
    pub removed: Vec<K>,
    /// Keys on both sides, with different versions.
    pub changed: Vec<K>,
}

impl<K> Collect<K> {
    /// Starts without any key.
    pub const fn new() -> Self {
        Self { added: Vec::new(), removed: Vec::new(), changed: Vec::new() }
    }
}

/// Says how many keys there are, and none of them.
impl<K> fmt::Debug for Collect<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collect")
            .field("added", &self.added.len())
            .field("removed", &self.removed.len())
            .field("changed", &self.changed.len())
            .finish()
    }
}

impl<K> Default for Collect<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: ToOwned + ?Sized, V: ?Sized> DiffSink<K, V> for Collect<K::Owned> {
    type Break = Infallible;

    fn added(&mut self, key: &K, _: &V) -> ControlFlow<Infallible> {
        self.added.push(key.to_owned());
        ControlFlow::Continue(())
    }

    fn removed(&mut self, key: &K, _: &V) -> ControlFlow<Infallible> {
        self.removed.push(key.to_owned());
        ControlFlow::Continue(())
    }

    fn changed(&mut self, key: &K, _: &V, _: &V) -> ControlFlow<Infallible> {
        self.changed.push(key.to_owned());
        ControlFlow::Continue(())
    }
}
