use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

use super::LineError;
use crate::ReadAt;
use crate::kernel::{self, KeyRange, SLACK};
use crate::snapshot::MAX_KEY;

/// Reads lines a block at a time, which is far cheaper than one at a time.
///
/// Memory: the longest line and a block, or twice that line where it is longer than a block, and
/// four bytes for each line of a block.
pub struct LineReader<R> {
    inner: R,
    /// `buffer[..filled]` was read; [`SLACK`] bytes more are always there.
    buffer: Vec<u8>,
    filled: usize,
    /// The lines before this place were handed out.
    used: usize,
    ends: Vec<u32>,
    /// The offset in the input of `buffer[0]`.
    offset: u64,
    block: usize,
    limit: usize,
    at_end: bool,
}

impl<R: Read> LineReader<R> {
    /// Reads `inner` in blocks of 256 KiB: no further buffering is needed.
    pub fn new(inner: R) -> Self {
        Self::with_block(inner, BLOCK)
    }

    /// As [`new`](Self::new), with blocks of about `block` bytes, 16 MiB at most.
    pub fn with_block(inner: R, block: usize) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
            filled: 0,
            used: 0,
            ends: Vec::new(),
            offset: 0,
            block: block.clamp(1, MOST_BLOCK),
            limit: MAX_KEY,
            at_end: false,
        }
    }

    /// Refuses lines longer than `limit` bytes; otherwise the limit is [`MAX_KEY`].
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.min(MAX_KEY);
        self
    }

    /// The next lines, at least one; `None` at the end.
    ///
    /// # Errors
    ///
    /// Fails when reading fails and when a line is too long.
    pub fn next_block(&mut self) -> Result<Option<LineBlock<'_>>, LineError> {
        self.buffer.copy_within(self.used..self.filled, 0);
        self.offset += self.used as u64;
        self.filled -= self.used;
        self.used = 0;
        self.ends.clear();
        while self.ends.is_empty() && !self.at_end {
            self.fill()?;
            kernel::line_ends(&self.buffer[..self.filled], &mut self.ends);
            let whole = self.ends.last().map_or(0, |last| *last as usize + 1);
            // The first line is the one that may have grown over several turns.
            let first = self.ends.first().map_or(self.filled, |first| *first as usize);
            if first > self.limit {
                return Err(self.too_long(0));
            }
            self.used = whole;
            if self.at_end && whole < self.filled {
                self.ends.push(self.filled as u32);
                self.used = self.filled;
            }
        }
        if self.ends.is_empty() {
            return Ok(None);
        }
        self.check_lengths()?;
        let bytes = &self.buffer[..self.used + SLACK];
        Ok(Some(LineBlock { bytes, ends: &self.ends, offset: self.offset }))
    }

    /// Reads until there is a block more than before, or twice as much, or the end.
    fn fill(&mut self) -> Result<(), LineError> {
        // A line that goes on is read in ever larger pieces, since all of it is looked at again.
        let more = self.filled.min((self.limit + 1).saturating_sub(self.filled));
        let target = self.filled + self.block.max(more);
        if self.buffer.len() < target + SLACK {
            // As much as is needed, not twice as much. The limit bounds it.
            self.buffer.reserve_exact(target + SLACK - self.buffer.len());
            self.buffer.resize(target + SLACK, 0);
        }
        let buffer = &mut self.buffer[..target];
        self.at_end = !fill(&mut self.inner, buffer, &mut self.filled, self.offset)?;
        Ok(())
    }

    fn check_lengths(&self) -> Result<(), LineError> {
        // Only a block larger than the limit can hold a line that exceeds it.
        if self.used <= self.limit {
            return Ok(());
        }
        let mut start = 0;
        for end in &self.ends {
            let end = *end as usize;
            if end - start > self.limit {
                return Err(self.too_long(start));
            }
            start = end + 1;
        }
        Ok(())
    }

    fn too_long(&self, start: usize) -> LineError {
        LineError::TooLong { offset: self.offset + start as u64, limit: self.limit }
    }
}

/// Reads into `buffer`, of which so many bytes are filled, until it is full; `false` if the input
/// ends before. `offset` is that of the first byte of `buffer` in the input.
pub(super) fn fill(
    inner: &mut impl Read,
    buffer: &mut [u8],
    filled: &mut usize,
    offset: u64,
) -> Result<bool, LineError> {
    while *filled < buffer.len() {
        match inner.read(&mut buffer[*filled..]) {
            Ok(0) => return Ok(false),
            Ok(length) => *filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => {
                return Err(LineError::Read { offset: offset + *filled as u64, source });
            }
        }
    }
    Ok(true)
}

impl<'a> LineReader<RangeReader<'a>> {
    /// Reads those lines of `source` whose first byte lies in `range`. Neighbouring ranges
    /// share the lines of a source out among them.
    pub(crate) fn of_range(
        source: &'a dyn ReadAt,
        range: Range<u64>,
        block: usize,
    ) -> Result<Self, LineError> {
        // Within a line that is too long nothing starts: whoever reads its beginning says so.
        let start = line_start(source, range.start)?.unwrap_or(range.end);
        let end = if start < range.end {
            // Enough of such a line to see that it is too long.
            line_start(source, range.end)?.unwrap_or(range.end + MAX_KEY as u64)
        } else {
            start
        };
        let mut reader = Self::with_block(RangeReader::new(source, start..end), block);
        reader.offset = start;
        Ok(reader)
    }
}

/// The offset of the first line that starts at `at` or later; the size if there is none. `None`
/// if the line before goes on for more than [`MAX_KEY`] bytes: it may be all that follows.
fn line_start(source: &dyn ReadAt, at: u64) -> Result<Option<u64>, LineError> {
    if at == 0 {
        return Ok(Some(0));
    }
    // A line begins at `at` only if the byte before ends one.
    let mut chunk = [0; 4096];
    let mut offset = at - 1;
    while offset < at + MAX_KEY as u64 {
        match source.read_at(&mut chunk, offset) {
            Ok(0) => return Ok(Some(offset)),
            Ok(length) => {
                if let Some(feed) = chunk[..length].iter().position(|byte| *byte == b'\n') {
                    return Ok(Some(offset + feed as u64 + 1));
                }
                offset += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(LineError::Read { offset, source }),
        }
    }
    Ok(None)
}

/// A part of a [`ReadAt`], read from front to back.
pub(crate) struct RangeReader<'a> {
    source: &'a dyn ReadAt,
    next: u64,
    end: u64,
}

impl<'a> RangeReader<'a> {
    pub(crate) fn new(source: &'a dyn ReadAt, range: Range<u64>) -> Self {
        Self { source, next: range.start, end: range.end }
    }
}

impl Read for RangeReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(rest);
        let length = self.source.read_at(&mut buffer[..wanted], self.next)?;
        if length == 0 && wanted > 0 {
            // A shorter input would look like keys removed.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.next += length as u64;
        Ok(length)
    }
}

/// Says how far it is, and no line.
impl<R> fmt::Debug for LineReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineReader").field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// Whole lines that follow each other in the input.
#[derive(Clone, Copy)]
pub struct LineBlock<'a> {
    /// The lines and [`SLACK`] bytes more, of any content.
    bytes: &'a [u8],
    /// Where each line ends, not counting its line feed.
    ends: &'a [u32],
    offset: u64,
}

impl<'a> LineBlock<'a> {
    /// The keys: the lines that are not empty, without their line feeds.
    pub fn keys(self) -> impl Iterator<Item = &'a [u8]> {
        let mut start = 0;
        let lines = self.ends.iter().map(move |end| {
            let line = &self.bytes[start..*end as usize];
            start = *end as usize + 1;
            line
        });
        lines.filter(|line| !line.is_empty())
    }

    /// The offset in the input of the first line.
    pub fn offset(self) -> u64 {
        self.offset
    }

    /// The number of bytes, line feeds and all.
    pub(crate) fn len(self) -> u64 {
        (self.bytes.len() - SLACK) as u64
    }

    /// The bytes in which [`key_ranges`](Self::key_ranges) lie, with the slack behind them.
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Puts the places of the keys into `ranges`, replacing its content.
    pub(crate) fn key_ranges(self, ranges: &mut Vec<KeyRange>) {
        ranges.clear();
        let mut start = 0;
        ranges.extend(self.ends.iter().map(|end| {
            let range = KeyRange { start, length: end - start };
            start = end + 1;
            range
        }));
        // All of them, which is quicker than to stop at the first.
        if ranges.iter().fold(u32::MAX, |least, range| least.min(range.length)) == 0 {
            ranges.retain(|range| range.length > 0);
        }
    }
}

/// Says how much it holds, and no line.
impl fmt::Debug for LineBlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineBlock")
            .field("offset", &self.offset)
            .field("lines", &self.ends.len())
            .finish_non_exhaustive()
    }
}

/// Large enough to make a read cheap, small enough for the second-level cache.
const BLOCK: usize = 256 << 10;

/// Places in a block, and in the longest line before it, have 32 bits.
const MOST_BLOCK: usize = 16 << 20;
