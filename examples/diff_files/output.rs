use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;

use super::Failure;

/// A file that is replaced as a whole, or stays as it is.
pub(super) struct Output {
    path: PathBuf,
    /// Where the lines go until all are there; `None` for what cannot be replaced, like a pipe.
    temporary: Option<PathBuf>,
    writer: BufWriter<File>,
}

impl Output {
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        Self::try_create(path)
            .map_err(|source| Failure::Output { path: path.to_path_buf(), source })
    }

    fn try_create(path: &Path) -> io::Result<Self> {
        let (path, special) = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            // Through a symbolic link it is the file behind it that is replaced.
            Ok(metadata) => (fs::canonicalize(path)?, !metadata.is_file()),
            Err(_) => (path.to_path_buf(), false),
        };
        let temporary = if special { None } else { Some(beside(&path)?) };
        let file = match &temporary {
            None => File::options().write(true).open(&path)?,
            Some(temporary) => File::create_new(temporary)?,
        };
        Ok(Self { path, temporary, writer: BufWriter::with_capacity(BUFFER, file) })
    }

    pub(super) fn or_nowhere(output: &mut Option<Self>) -> Box<dyn Write + '_> {
        match output {
            Some(output) => Box::new(output),
            None => Box::new(io::sink()),
        }
    }

    pub(super) fn commit(mut self) -> Result<(), Failure> {
        self.try_commit().map_err(|source| Failure::Output { path: self.path.clone(), source })
    }

    fn try_commit(&mut self) -> io::Result<()> {
        self.writer.flush()?;
        if let Some(temporary) = &self.temporary {
            self.writer.get_ref().sync_all()?;
            fs::rename(temporary, &self.path)?;
            self.temporary = None;
        }
        Ok(())
    }
}

/// Failures name the file, since there may be two.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // The failure that led here is the one to report.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// A name for a temporary file in the directory of `path`, from where it can be renamed.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_os_string();
    name.push(format!(".{}.tmp", process::id()));
    Ok(path.with_file_name(name))
}

/// Bytes of the buffer in front of an output.
pub(super) const BUFFER: usize = 128 << 10;
