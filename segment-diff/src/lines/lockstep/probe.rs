use std::io;
use std::ops::Range;

use crate::ReadAt;
use crate::kernel::feed;

/// Looks at single lines of a source.
pub(super) struct Probe<'a> {
    source: &'a dyn ReadAt,
    size: u64,
    buffer: [u8; LONGEST + 1],
}

/// A line that a probe found.
pub(super) enum Found<'a> {
    /// Where it starts, and the line, cut off after [`LONGEST`] bytes and one.
    Line(u64, &'a [u8]),
    /// There is none.
    End,
    /// It is too far away to look for.
    Far,
}

/// Lines longer than this are not split at.
pub(super) const LONGEST: usize = 4095;

/// How far to look for a line.
const REACH: u64 = 4 << 20;

/// What to read at once while looking for the beginning of a line: enough for most lines.
const GLANCE: usize = 512;

impl<'a> Probe<'a> {
    pub(super) fn new(source: &'a dyn ReadAt, size: u64) -> Self {
        Self { source, size, buffer: [0; LONGEST + 1] }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The first line that starts at `at` or later and is not empty.
    pub(super) fn line(&mut self, at: u64) -> Result<Found<'_>, (u64, io::Error)> {
        let mut start = at;
        // The byte before tells whether a line starts here.
        let mut offset = at.saturating_sub(1);
        let mut inside = at > 0;
        loop {
            if offset >= self.size {
                return Ok(Found::End);
            }
            if offset - at.min(offset) > REACH {
                return Ok(Found::Far);
            }
            let length = self.read(offset, GLANCE)?;
            let mut chunk = &self.buffer[..length];
            let end = offset + length as u64;
            if inside {
                let Some(place) = feed(chunk) else {
                    offset = end;
                    continue;
                };
                chunk = &chunk[place + 1..];
                inside = false;
                start = end - chunk.len() as u64;
            }
            let Some(empty) = chunk.iter().position(|byte| *byte != b'\n') else {
                offset = end;
                start = end;
                continue;
            };
            start += empty as u64;
            chunk = &chunk[empty..];
            let line = match feed(chunk) {
                Some(length) => {
                    let from = (start - offset) as usize;
                    from..from + length
                }
                None => self.whole(start)?,
            };
            return Ok(Found::Line(start, &self.buffer[line]));
        }
    }

    /// Reads the line at `start` as far as the buffer goes.
    fn whole(&mut self, start: u64) -> Result<Range<usize>, (u64, io::Error)> {
        let length = self.read(start, self.buffer.len())?;
        Ok(0..feed(&self.buffer[..length]).unwrap_or(length))
    }

    /// Reads as many bytes as are wanted or there are.
    fn read(&mut self, offset: u64, wanted: usize) -> Result<usize, (u64, io::Error)> {
        let rest = usize::try_from(self.size - offset).unwrap_or(usize::MAX);
        let wanted = wanted.min(rest);
        let mut length = 0;
        while length < wanted {
            let at = offset + length as u64;
            match self.source.read_at(&mut self.buffer[length..wanted], at) {
                Ok(0) => return Err((at, io::ErrorKind::UnexpectedEof.into())),
                Ok(more) => length += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((at, error)),
            }
        }
        Ok(length)
    }
}
