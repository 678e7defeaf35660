use std::fs::File;
use std::io;

/// Bytes that can be read more than once and from several threads: a file, or a slice.
///
/// # Contract
///
/// The content stays as it is as long as a difference is being taken. Where that is broken the
/// difference ends with an error or describes a mixture; it is never the cause of a panic.
pub trait ReadAt: Sync {
    /// The number of bytes.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be told, as for a pipe.
    fn size(&self) -> io::Result<u64>;

    /// Reads some bytes from `offset` on into `buffer`, and says how many; none at the end.
    ///
    /// # Errors
    ///
    /// Fails as reading a file does; [`Interrupted`](io::ErrorKind::Interrupted) is tried again.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for [u8] {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..));
        let rest = rest.unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

impl ReadAt for File {
    fn size(&self) -> io::Result<u64> {
        let metadata = self.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(metadata.len())
    }

    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, buffer, offset)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn size(&self) -> io::Result<u64> {
        (**self).size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }
}
