use core::fmt;
#[cfg(feature = "std")]
use std::io;

/// Why a snapshot could not be written or read.
///
/// The message names the place and the cause, never a key.
#[derive(Debug)]
pub struct SnapshotError {
    kind: SnapshotErrorKind,
    position: Position,
    #[cfg(feature = "std")]
    source: Option<io::Error>,
}

impl SnapshotError {
    pub(super) fn new(kind: SnapshotErrorKind, position: Position) -> Self {
        Self {
            kind,
            position,
            #[cfg(feature = "std")]
            source: None,
        }
    }

    pub(crate) fn at(offset: u64, kind: SnapshotErrorKind) -> Self {
        Self::new(kind, Position::Byte(offset))
    }

    #[cfg(feature = "std")]
    pub(super) fn io(offset: u64, source: io::Error) -> Self {
        let position = Position::Byte(offset);
        Self { kind: SnapshotErrorKind::Io, position, source: Some(source) }
    }

    /// What went wrong, to match on.
    pub fn kind(&self) -> SnapshotErrorKind {
        self.kind
    }

    /// Where it went wrong.
    pub fn position(&self) -> Position {
        self.position
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "snapshot: {} at {}", self.kind, self.position)
    }
}

impl core::error::Error for SnapshotError {
    #[cfg(feature = "std")]
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

/// Where in a snapshot something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// Bytes from the start of the file, when reading (and when the writer's stream failed).
    Byte(u64),
    /// The number of records pushed before, when writing.
    Record(u64),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(offset) => write!(f, "byte {offset}"),
            Self::Record(index) => write!(f, "record {index}"),
        }
    }
}

/// What is wrong with a snapshot, or with what was to be written to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotErrorKind {
    /// The data does not begin like a snapshot.
    #[error("not a snapshot")]
    NotASnapshot,
    /// A later version of the format, or a layout this version does not know.
    #[error("unsupported version or layout")]
    Unsupported,
    /// A checksum does not fit its bytes: the data was altered or damaged.
    #[error("checksum mismatch")]
    Corrupt,
    /// The bytes are as they were written, and yet break the rules of the format.
    #[error("malformed data")]
    Malformed,
    /// The data ends before the end of the footer.
    #[error("truncated")]
    Truncated,
    /// Data follows the footer.
    #[error("trailing data")]
    Trailing,
    /// A key is not above the key before it.
    #[error("key is not above the one before it")]
    NotAscending,
    /// A key or a payload has not the width that the layout prescribes.
    #[error("key or payload of the wrong width")]
    WrongWidth,
    /// A key is longer than [`MAX_KEY`](super::MAX_KEY).
    #[error("key is too long")]
    KeyTooLong,
    /// The file holds a delta where a snapshot was expected, or the other way round.
    #[error("a delta in place of a snapshot, or a snapshot in place of a delta")]
    WrongContent,
    /// The layout is not the one that this operation needs.
    #[error("records of another layout")]
    WrongLayout,
    /// The file is of version 1, which has no index and can only be read from front to back.
    #[error("no index")]
    NoIndex,
    /// What was to be written could not be made as a whole: the error told before says why.
    #[error("what was to be written is not complete")]
    Incomplete,
    /// The stream below failed; the error's source says how.
    #[error("input or output failed")]
    Io,
}
