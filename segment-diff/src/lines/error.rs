use std::io;

use crate::ReadAt;
use crate::external::ExternalError;
use crate::merge::Side;

/// Why lines could not be read. No message holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Reading failed.
    #[error("cannot read at byte {offset}")]
    Read {
        /// The offset of the bytes that were asked for.
        offset: u64,
        /// Why.
        source: io::Error,
    },
    /// A line is too long to be a key; is it a file of lines?
    #[error("the line that starts at byte {offset} is longer than {limit} bytes")]
    TooLong {
        /// The offset of its first byte.
        offset: u64,
        /// The most bytes that a line may have.
        limit: usize,
    },
}

/// Why two line files could not be compared. No message holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinesError {
    /// A side could not be read.
    #[error("cannot read the {side} side")]
    Input {
        /// Which one.
        side: Side,
        /// Why.
        source: LineError,
    },
    /// A side that was said to be sorted is not.
    #[error("the line of the {side} side that starts at byte {offset} is below the one before it")]
    Unordered {
        /// Which one.
        side: Side,
        /// The offset of the first byte of the line that is out of order.
        offset: u64,
    },
    /// A side was altered while it was being read: what was found is not to be relied on.
    #[error("the {side} side was altered while it was being read")]
    Altered {
        /// Which one.
        side: Side,
    },
    /// What exceeds the memory budget could not be put into temporary files.
    #[error(transparent)]
    External(#[from] ExternalError),
}

/// The number of bytes of an input.
pub(super) fn size(source: &dyn ReadAt) -> Result<u64, LineError> {
    source.size().map_err(|source| LineError::Read { offset: 0, source })
}

/// The number of bytes of a side.
pub(super) fn size_of_side(source: &dyn ReadAt, side: Side) -> Result<u64, LinesError> {
    size(source).map_err(|source| LinesError::Input { side, source })
}
