use std::collections::TryReserveError;
use std::io;
use std::path::PathBuf;

use crate::KeyTooLong;
use crate::snapshot::SnapshotError;

/// A value has not the width that was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value of {width} bytes where each should have {agreed}")]
pub struct WrongWidth {
    /// Its width in bytes.
    pub width: usize,
    /// The width that was agreed.
    pub agreed: usize,
}

impl WrongWidth {
    pub(super) fn check(value: &[u8], agreed: usize) -> Result<(), Self> {
        if value.len() == agreed { Ok(()) } else { Err(Self { width: value.len(), agreed }) }
    }
}

/// Why keys could not be sorted or compared within a budget. No message holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalError {
    /// A key is too long; nothing was added.
    #[error(transparent)]
    KeyTooLong(#[from] KeyTooLong),
    /// A value has not the width that was agreed; nothing was added.
    #[error(transparent)]
    WrongWidth(#[from] WrongWidth),
    /// Two sides were not made together.
    #[error("the two sides were not made together")]
    NotAPair,
    /// The budget exceeds the memory there is.
    #[error("cannot reserve {bytes} bytes of memory")]
    Memory {
        /// How much was asked for.
        bytes: usize,
        /// The answer of the allocator.
        source: TryReserveError,
    },
    /// A temporary file or directory could not be created, opened, written, read or removed;
    /// [`StorageFull`](io::ErrorKind::StorageFull) where the disk is full.
    #[error("cannot use temporary {}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Bytes of a temporary file are not those that were written.
    #[error("temporary file {} was altered at byte {offset} or later", path.display())]
    Altered {
        /// Which one.
        path: PathBuf,
        /// Where the bytes begin that failed their checksum.
        offset: u64,
    },
    /// A temporary file of sorted keys could not be written, or not be read back unaltered.
    #[error("temporary file {} failed", path.display())]
    Run {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: SnapshotError,
    },
}
