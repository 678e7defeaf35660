use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Display, Path};

use segment_diff::lines::LineInput;

/// One of the two sides.
pub(super) enum Input {
    /// A regular file, which can be read more than once.
    File(File),
    /// A pipe, a terminal or another device.
    Stream(File),
    Stdin,
}

impl Input {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if is_stdin(path) {
            return Ok(Self::Stdin);
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // What the system makes up while it is read, as below /proc, claims to be empty.
        let regular = metadata.is_file() && metadata.len() > 0;
        Ok(if regular { Self::File(file) } else { Self::Stream(file) })
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    pub(super) fn lines(&self) -> LineInput<'_> {
        match self {
            Self::File(file) => LineInput::from(file),
            Self::Stream(file) => LineInput::stream(file),
            Self::Stdin => LineInput::stream(io::stdin()),
        }
    }

    /// The number, counted from one, of the line that starts at `offset`; `None` if that is gone.
    pub(super) fn line_number(&self, offset: u64) -> Option<u64> {
        let Self::File(file) = self else { return None };
        let mut file = file;
        file.rewind().ok()?;
        let mut before = BufReader::with_capacity(256 << 10, file.take(offset));
        let mut number = 1;
        loop {
            let bytes = before.fill_buf().ok()?;
            if bytes.is_empty() {
                return Some(number);
            }
            number += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            let length = bytes.len();
            before.consume(length);
        }
    }
}

pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// What messages call it.
pub(super) fn name(path: &Path) -> Display<'_> {
    if is_stdin(path) { Path::new("standard input").display() } else { path.display() }
}
