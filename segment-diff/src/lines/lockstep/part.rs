use std::io::{self, Read};
use std::ops::Range;

use crate::ReadAt;
use crate::lines::Meter;

/// A part of a source, read from front to back; what is read is noted.
pub(super) struct Part<'a> {
    source: &'a dyn ReadAt,
    rest: Range<u64>,
    meter: &'a Meter<'a>,
}

impl<'a> Part<'a> {
    pub(super) fn new(source: &'a dyn ReadAt, range: Range<u64>, meter: &'a Meter<'a>) -> Self {
        Self { source, rest: range, meter }
    }
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(rest);
        if wanted == 0 {
            return Ok(0);
        }
        let length = self.source.read_at(&mut buffer[..wanted], self.rest.start)?;
        if length == 0 {
            // A shorter input would look like keys removed.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.rest.start += length as u64;
        self.meter.read(length as u64);
        Ok(length)
    }
}
