use std::fmt;
use std::io::{self, Read};

use super::reader::RangeReader;
use super::{LinesError, Meter, size_of_side};
use crate::ReadAt;
use crate::merge::Side;

/// One side of a difference of line files.
pub enum LineInput<'a> {
    /// Something that can be read more than once, as files and slices can: every engine will do.
    Rereadable(&'a dyn ReadAt),
    /// Something that can be read only once, as standard input can.
    Stream(Box<dyn Read + Send + 'a>),
}

impl<'a> LineInput<'a> {
    /// A side that can be read only once.
    pub fn stream(inner: impl Read + Send + 'a) -> Self {
        Self::Stream(Box::new(inner))
    }

    /// The side, read from front to back; what is read is noted.
    pub(super) fn reader<'m>(
        self,
        side: Side,
        meter: &'m Meter<'m>,
    ) -> Result<impl Read + use<'a, 'm>, LinesError> {
        let inner: Box<dyn Read + 'a> = match self {
            Self::Stream(inner) => inner,
            Self::Rereadable(source) => {
                let size = size_of_side(source, side)?;
                meter.expect(size);
                Box::new(RangeReader::new(source, 0..size))
            }
        };
        Ok(Metered { inner, meter })
    }
}

struct Metered<'a, 'm> {
    inner: Box<dyn Read + 'a>,
    meter: &'m Meter<'m>,
}

impl Read for Metered<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.meter.read(length as u64);
        Ok(length)
    }
}

impl<'a, R: ReadAt> From<&'a R> for LineInput<'a> {
    fn from(source: &'a R) -> Self {
        Self::Rereadable(source)
    }
}

impl<'a> From<&'a dyn ReadAt> for LineInput<'a> {
    fn from(source: &'a dyn ReadAt) -> Self {
        Self::Rereadable(source)
    }
}

/// Says which of the two it is.
impl fmt::Debug for LineInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rereadable(_) => "LineInput::Rereadable",
            Self::Stream(_) => "LineInput::Stream",
        })
    }
}
