use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use crate::ReadAt;

/// A temporary file: written by one thread, then read by many.
pub(super) trait TempFile: Send + Sync {
    /// Writes some of the bytes, and says how many.
    fn write_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<usize>;

    /// Reads some bytes; none at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

/// Creates a temporary file. Tests put files here that fail.
pub(super) type Create = Arc<dyn Fn(&Path) -> io::Result<Box<dyn TempFile>> + Send + Sync>;

/// Real files, which must not be there before.
pub(super) fn create_files() -> Create {
    Arc::new(|path| {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        Ok(Box::new(file))
    })
}

impl TempFile for File {
    fn write_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        let mut file = self;
        file.seek(SeekFrom::Start(offset))?;
        file.write_vectored(slices)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        ReadAt::read_at(self, buffer, offset)
    }
}
