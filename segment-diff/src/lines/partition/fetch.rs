use std::io;
use std::mem;
use std::ops::ControlFlow;

use super::{Differing, Hashing, Sums};
use crate::ReadAt;
use crate::external::Differences;
use crate::lines::gather::{Sender, gather};
use crate::lines::{LineError, LinesError, Task};
use crate::merge::Side;
use crate::partition::{Finding, place_of};
use crate::snapshot::MAX_KEY;

/// Reads the lines that differ again, and adds them to `differences`. Returns the sums of their
/// hashes.
pub(super) fn fetch(
    task: &Task<'_>,
    hashing: Hashing,
    found: &Differing,
    differences: &mut Differences,
) -> Result<Sums, LinesError> {
    let pieces = pieces(Side::ALL.map(|side| found.of(side)));
    let mut sums = Sums::default();
    gather(
        task.threads,
        &pieces,
        |(side, entries), sender| fetch_piece(task.side(*side), *side, hashing, entries, sender),
        |batch: Batch| -> Result<(), LinesError> {
            sums.add(batch.side, batch.sum);
            let mut start = 0;
            for end in batch.ends {
                let key = &batch.bytes[start..end];
                match batch.side {
                    Side::Previous => differences.removed(key)?,
                    Side::Current => differences.added(key)?,
                }
                start = end;
            }
            Ok(())
        },
    )?;
    Ok(sums)
}

/// Entries of the previous side and of the current one, as a worker takes them at a time.
pub(super) fn pieces(sides: [&[Finding]; 2]) -> Vec<(Side, &[Finding])> {
    let mut pieces = Vec::new();
    for (side, entries) in Side::ALL.into_iter().zip(sides) {
        pieces.extend(entries.chunks(PIECE).map(|entries| (side, entries)));
    }
    pieces
}

/// Keys of one side, one behind the other.
struct Batch {
    side: Side,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Of the hashes of its keys.
    sum: u128,
}

impl Batch {
    fn new(side: Side) -> Self {
        Self { side, bytes: Vec::with_capacity(BATCH), ends: Vec::new(), sum: 0 }
    }
}

/// Sends the lines of `entries`, which ascend by their offsets.
fn fetch_piece(
    source: &dyn ReadAt,
    side: Side,
    hashing: Hashing,
    entries: &[Finding],
    sender: &Sender<Batch, LinesError>,
) -> Result<(), LinesError> {
    let mut batch = Batch::new(side);
    let listening = read_again(source, side, hashing, entries, |line, hash| {
        if batch.bytes.len() + line.len() > BATCH && !batch.ends.is_empty() {
            let full = mem::replace(&mut batch, Batch::new(side));
            if sender.send(Ok(full)).is_err() {
                return ControlFlow::Break(());
            }
        }
        batch.bytes.extend_from_slice(line);
        batch.ends.push(batch.bytes.len());
        batch.sum = batch.sum.wrapping_add(hash);
        ControlFlow::Continue(())
    })?;
    if listening.is_continue() {
        // Whoever no longer listens has an error already.
        let _ = sender.send(Ok(batch));
    }
    Ok(())
}

/// Reads the lines of `entries`, which ascend by their offsets, and calls `visit` with each and its
/// hash, until it breaks off.
pub(super) fn read_again(
    source: &dyn ReadAt,
    side: Side,
    hashing: Hashing,
    entries: &[Finding],
    mut visit: impl FnMut(&[u8], u128) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, LinesError> {
    let mut window = Window::new(source);
    for (index, entry) in entries.iter().enumerate() {
        let input = |source| LinesError::Input { side, source };
        let line = window.line(&entries[index..], place_of).map_err(input)?;
        let line = line.ok_or(LinesError::Altered { side })?;
        let hash = hashing.key.hash(line);
        if hashing.packing.finding(hash, place_of(*entry)) != *entry {
            return Err(LinesError::Altered { side });
        }
        if visit(line, hash).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// A part of a side, which moves forward.
pub(in crate::lines) struct Window<'a> {
    source: &'a dyn ReadAt,
    bytes: Vec<u8>,
    start: u64,
}

impl<'a> Window<'a> {
    pub(in crate::lines) const fn new(source: &'a dyn ReadAt) -> Self {
        Self { source, bytes: Vec::new(), start: 0 }
    }

    /// The line of the first of `entries`, read together with those that are near; `None` if there
    /// is no such line.
    pub(in crate::lines) fn line<E: Copy>(
        &mut self,
        entries: &[E],
        offset: impl Fn(E) -> u64,
    ) -> Result<Option<&[u8]>, LineError> {
        let start = offset(entries[0]);
        let mut length = NEAR;
        let (from, to) = loop {
            if let Some(from) = self.find(start) {
                let feed = self.bytes[from..].iter().position(|byte| *byte == b'\n');
                if let Some(length) = feed {
                    break (from, from + length);
                }
                if self.bytes.len() - from > MAX_KEY {
                    return Ok(None);
                }
            }
            let whole = self.read(start, length.max(reach(entries, &offset)))?;
            if whole {
                // The last line may end with the side.
                let feed = self.bytes.iter().position(|byte| *byte == b'\n');
                break (0, feed.unwrap_or(self.bytes.len()));
            }
            length *= 8;
        };
        Ok(Some(&self.bytes[from..to]))
    }

    fn find(&self, offset: u64) -> Option<usize> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        (from < self.bytes.len()).then_some(from)
    }

    /// Moves to `start`, and reads `length` bytes, or fewer up to the end, and then says so.
    fn read(&mut self, start: u64, length: usize) -> Result<bool, LineError> {
        self.start = start;
        self.bytes.resize(length, 0);
        let mut filled = 0;
        while filled < length {
            let offset = start + filled as u64;
            match self.source.read_at(&mut self.bytes[filled..], offset) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(LineError::Read { offset, source }),
            }
        }
        self.bytes.truncate(filled);
        Ok(filled < length)
    }
}

/// How many bytes to read at once from the first of `entries`, for all that are near.
fn reach<E: Copy>(entries: &[E], offset: impl Fn(E) -> u64) -> usize {
    let start = offset(entries[0]);
    let mut last = start;
    for entry in &entries[1..] {
        let next = offset(*entry);
        if next - last > GAP || next - start > (BATCH - NEAR) as u64 {
            break;
        }
        last = next;
    }
    (last - start) as usize + NEAR
}

/// The bytes that are held at once by `threads` threads, if no line is longer than [`BATCH`].
pub(super) const fn buffers(threads: usize) -> usize {
    // Of each a window and a batch, one more on its way, and the one that is being taken.
    (3 * threads + 1) * 2 * BATCH
}

/// Bytes of lines that are handed on at once, or read at once.
const BATCH: usize = 64 << 10;

/// Most lines are shorter.
const NEAR: usize = 256;

/// Reading so many bytes more takes about as long as beginning to read again.
const GAP: u64 = 2048;

/// Lines that a worker takes at a time.
const PIECE: usize = 8192;
