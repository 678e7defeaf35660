use std::convert::Infallible;
use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;

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

/// Writes one line for each key that differs, in ascending order of keys: `+key` when added,
/// `-key` when removed, `~key` when changed. Breaks off when writing fails.
///
/// Lines are written piece by piece: give it a buffered writer, and flush that afterwards.
#[derive(Debug)]
pub struct MarkedLines<W>(W);

impl<W: Write> MarkedLines<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self(inner)
    }

    /// Gives the writer back.
    pub fn into_inner(self) -> W {
        self.0
    }

    fn write(&mut self, mark: &[u8], key: &[u8]) -> ControlFlow<io::Error> {
        write_pieces(&mut self.0, [mark, key, b"\n"])
    }
}

impl<W: Write, K: AsRef<[u8]> + ?Sized, V: ?Sized> DiffSink<K, V> for MarkedLines<W> {
    type Break = io::Error;

    fn added(&mut self, key: &K, _: &V) -> ControlFlow<io::Error> {
        self.write(b"+", key.as_ref())
    }

    fn removed(&mut self, key: &K, _: &V) -> ControlFlow<io::Error> {
        self.write(b"-", key.as_ref())
    }

    fn changed(&mut self, key: &K, _: &V, _: &V) -> ControlFlow<io::Error> {
        self.write(b"~", key.as_ref())
    }
}

/// Writes the added keys to one writer and the removed ones to another, a line each, ascending.
/// [`io::sink`] takes the half that nobody wants. Breaks off when writing fails.
///
/// Lines are written piece by piece: give it buffered writers, and flush them afterwards.
#[derive(Debug)]
pub struct SplitLines<A, R> {
    added: A,
    removed: R,
}

impl<A: Write, R: Write> SplitLines<A, R> {
    /// Writes added keys to `added` and removed ones to `removed`.
    pub fn new(added: A, removed: R) -> Self {
        Self { added, removed }
    }

    /// Gives the writers back, that of the added keys first.
    pub fn into_inner(self) -> (A, R) {
        (self.added, self.removed)
    }
}

impl<A: Write, R: Write, K: AsRef<[u8]> + ?Sized, V: ?Sized> DiffSink<K, V> for SplitLines<A, R> {
    type Break = io::Error;

    fn added(&mut self, key: &K, _: &V) -> ControlFlow<io::Error> {
        write_pieces(&mut self.added, [key.as_ref(), b"\n"])
    }

    fn removed(&mut self, key: &K, _: &V) -> ControlFlow<io::Error> {
        write_pieces(&mut self.removed, [key.as_ref(), b"\n"])
    }
}

fn write_pieces<const N: usize>(
    out: &mut impl Write,
    pieces: [&[u8]; N],
) -> ControlFlow<io::Error> {
    for piece in pieces {
        if let Err(error) = out.write_all(piece) {
            return ControlFlow::Break(error);
        }
    }
    ControlFlow::Continue(())
}
