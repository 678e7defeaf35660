use std::io::{self, Write};
use std::ops::ControlFlow;

use super::DiffSink;

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
