use std::cmp::Ordering;
use std::io::Read;
use std::ops::Range;

use crate::kernel::{self, SLACK};
use crate::lines::reader::fill;
use crate::lines::{LineError, LinesError};
use crate::merge::Side;

/// A part of a sorted line file that moves from its front to its back: the last line that was
/// taken, and what follows it.
pub(in crate::lines) struct Window<R> {
    reader: R,
    /// `bytes[..filled]` was read; [`SLACK`] bytes more are always there. It never grows, and
    /// what is never needed of it is never touched.
    bytes: Vec<u8>,
    filled: usize,
    /// The lines before this place were taken.
    next: usize,
    /// The last line taken that was not empty; empty if there is none.
    last: Range<usize>,
    /// The line that was found to follow; empty if it was not looked for.
    ahead: Range<usize>,
    /// What to add to a place in `bytes` from `next` on to have its offset in the input.
    offset: u64,
    block: usize,
    limit: usize,
    at_end: bool,
}

/// Why a window could not move on.
pub(super) enum Fault {
    Line(LineError),
    /// The line that starts at this offset is below the one before it.
    Unordered(u64),
}

impl Fault {
    pub(super) fn on(self, side: Side) -> LinesError {
        match self {
            Self::Line(source) => LinesError::Input { side, source },
            Self::Unordered(offset) => LinesError::Unordered { side, offset },
        }
    }
}

impl From<LineError> for Fault {
    fn from(error: LineError) -> Self {
        Self::Line(error)
    }
}

impl<R: Read> Window<R> {
    /// Reads `reader`, whose first byte has `offset` in the input, in blocks of `block` bytes, and
    /// refuses lines longer than `limit` bytes.
    pub(in crate::lines) fn new(reader: R, offset: u64, block: usize, limit: usize) -> Self {
        let block = block.max(1);
        Self {
            reader,
            bytes: vec![0; Self::size(block, limit)],
            filled: 0,
            next: 0,
            last: 0..0,
            ahead: 0..0,
            offset,
            block,
            limit,
            at_end: false,
        }
    }

    /// Turns to another part, `reader`, in the same memory.
    pub(super) fn restart(&mut self, reader: R, offset: u64) {
        self.reader = reader;
        self.offset = offset;
        self.filled = 0;
        self.next = 0;
        self.last = 0..0;
        self.ahead = 0..0;
        self.at_end = false;
    }

    /// The bytes that a window takes up.
    pub(super) const fn size(block: usize, limit: usize) -> usize {
        // The last line, one that has not been read to its end, a block, and a feed after it.
        2 * limit + block + 1 + SLACK
    }

    /// What was read and not taken, with the slack behind it.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.next..]
    }

    /// How much was read and not taken.
    pub(super) fn rest_len(&self) -> usize {
        self.filled - self.next
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The last line taken; empty if there is none.
    pub(super) fn last(&self) -> &[u8] {
        &self.bytes[self.last.clone()]
    }

    /// Finds the next line that is not empty, reading more where needed; `false` at the end.
    pub(in crate::lines) fn find(&mut self) -> Result<bool, LineError> {
        while self.ahead.is_empty() {
            let rest = &self.bytes[self.next..self.filled];
            match kernel::feed(rest) {
                Some(length) if length > self.limit => return Err(self.too_long()),
                Some(0) => self.next += 1,
                Some(length) => self.ahead = self.next..self.next + length,
                None => {
                    if !self.refill()? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// The line that was found; empty if none was, or if it was taken.
    pub(in crate::lines) fn ahead(&self) -> &[u8] {
        &self.bytes[self.ahead.clone()]
    }

    /// Takes the line that was found, and says whether it differs from the last one.
    pub(super) fn take(&mut self) -> Result<bool, Fault> {
        let order = self.compare(self.ahead.clone())?;
        self.last = self.ahead.clone();
        self.skip(self.ahead.len() + 1);
        Ok(order.is_gt())
    }

    /// Leaves the line that was found behind, if there is one, whatever its order.
    pub(in crate::lines) fn drop_ahead(&mut self) {
        if !self.ahead.is_empty() {
            self.skip(self.ahead.len() + 1);
        }
    }

    /// How the line at this place in the rest compares with the last one taken.
    pub(super) fn order(&self, line: Range<usize>) -> Result<Ordering, Fault> {
        self.compare(self.next + line.start..self.next + line.end)
    }

    /// Takes the first `length` bytes of the rest, whose last line is at this place in it.
    pub(super) fn take_stretch(&mut self, length: usize, last: Range<usize>) {
        self.last = self.next + last.start..self.next + last.end;
        self.skip(length);
    }

    /// Takes `length` bytes of the rest.
    pub(super) fn skip(&mut self, length: usize) {
        self.next += length;
        self.ahead = 0..0;
    }

    /// Takes all lines to the end.
    pub(super) fn check(&mut self) -> Result<(), Fault> {
        while self.find()? {
            self.take()?;
        }
        Ok(())
    }

    /// That the line at this place in the rest is below the one before it.
    pub(super) fn unordered(&self, place: usize) -> Fault {
        Fault::Unordered(self.offset + (self.next + place) as u64)
    }

    fn compare(&self, line: Range<usize>) -> Result<Ordering, Fault> {
        let order = self.bytes[line.clone()].cmp(self.last());
        if order.is_lt() {
            return Err(Fault::Unordered(self.offset + line.start as u64));
        }
        Ok(order)
    }

    /// Reads a block more; `false` if there is nothing more.
    fn refill(&mut self) -> Result<bool, LineError> {
        if self.at_end {
            return Ok(false);
        }
        if self.filled - self.next > self.limit {
            return Err(self.too_long());
        }
        self.make_room();
        let target = self.filled + self.block;
        let bytes = &mut self.bytes[..target];
        self.at_end = !fill(&mut self.reader, bytes, &mut self.filled, self.offset)?;
        if self.at_end && self.filled > self.next && self.bytes[self.filled - 1] != b'\n' {
            self.bytes[self.filled] = b'\n';
            self.filled += 1;
        }
        Ok(self.filled > self.next)
    }

    /// Moves the last line to the front, and what was not taken behind it.
    fn make_room(&mut self) {
        let last = self.last.len();
        self.bytes.copy_within(self.last.clone(), 0);
        self.last = 0..last;
        self.bytes.copy_within(self.next..self.filled, last);
        self.filled -= self.next - last;
        self.offset += (self.next - last) as u64;
        self.next = last;
    }

    fn too_long(&self) -> LineError {
        LineError::TooLong { offset: self.offset + self.next as u64, limit: self.limit }
    }
}
