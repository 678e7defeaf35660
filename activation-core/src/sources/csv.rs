//! One column of a CSV file.

use std::{
    error::Error,
    fs::{File, Metadata},
    io::{BufReader, Chain, Read},
    path::PathBuf,
};

use async_trait::async_trait;
use chrono::DateTime;
use csv::{ByteRecord, Position, Reader, ReaderBuilder};

use super::{columns, thread};
use crate::{SegmentScan, SegmentSource, SourceError};

/// A named column of a CSV file with a header row: comma-separated, quoted with `"` where needed,
/// with or without a byte order mark.
///
/// A file that is cut inside a row or inside quotes, or that changes while it is read, is an error.
/// A file cut inside the last field of a row, or between two rows, looks complete: write it under
/// another name and rename it when it is done. Empty lines are no rows. Its rows are those of when
/// it was last written.
#[derive(Clone, Debug)]
pub struct CsvSource {
    path: PathBuf,
    column: String,
    key_column: Option<String>,
}

impl CsvSource {
    /// The segment in the column that the header of the file `path` calls exactly `column`.
    pub fn new(path: impl Into<PathBuf>, column: impl Into<String>) -> Self {
        Self { path: path.into(), column: column.into(), key_column: None }
    }

    /// Takes the stable keys of people from the column that the header calls exactly `name`, so that
    /// a changed address is known for what it is. A row with an empty field has no key.
    #[must_use]
    pub fn key_column(mut self, name: impl Into<String>) -> Self {
        self.key_column = Some(name.into());
        self
    }
}

#[async_trait]
impl SegmentSource for CsvSource {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        let source = self.clone();
        let (source, mut rows) = thread::blocking(move || {
            let rows = source.rows()?;
            Ok((source, rows))
        })
        .await?;
        let as_of = rows.before.modified().ok().map(DateTime::from);
        Ok(thread::scan(as_of, move |batches| source.read(&mut rows, batches)))
    }
}

/// The file behind its header.
struct Rows {
    reader: Reader<Chain<File, &'static [u8]>>,
    before: Metadata,
    fields: usize,
    position: usize,
    key_position: Option<usize>,
}

impl CsvSource {
    fn rows(&self) -> Result<Rows, SourceError> {
        let file = File::open(&self.path).map_err(|error| self.cannot_read(error))?;
        let before = file.metadata().map_err(|error| self.cannot_read(error))?;
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(file.chain(END_MARK));
        let header = reader.byte_headers().map_err(|error| self.cannot_read(error))?;
        // Behind a byte order mark and nothing else the reader does not even find the end mark.
        if header.is_empty() || is_end_mark(header) {
            return Err(self.refuse("is empty; it must have a header"));
        }
        if header.iter().next_back().is_some_and(|name| name.ends_with(END_MARK)) {
            return Err(self.refuse(CUT_IN_QUOTES));
        }
        let names: Vec<_> = header.iter().map(String::from_utf8_lossy).collect();
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let find = |column| columns::find(&names, column, &self.path.display().to_string());
        let position = find(&self.column)?;
        let key_position = self.key_column.as_deref().map(find).transpose()?;
        let fields = names.len();
        Ok(Rows { reader, before, fields, position, key_position })
    }

    fn read(&self, rows: &mut Rows, batches: &mut thread::Batches) -> Result<(), thread::Stop> {
        // One row is read ahead, because the last one must be the end mark.
        let (mut row, mut next) = (ByteRecord::new(), ByteRecord::new());
        self.read_row(rows, &mut row)?;
        while self.read_row(rows, &mut next)? {
            let identifier = self.field(rows, &row, rows.position)?;
            match rows.key_position {
                None => batches.push(identifier)?,
                Some(key) => batches.push_keyed(identifier, self.field(rows, &row, key)?)?,
            }
            std::mem::swap(&mut row, &mut next);
        }
        if !is_end_mark(&row) {
            return Err(self.refuse(CUT_IN_QUOTES).into());
        }
        Ok(self.check_unchanged(rows)?)
    }

    fn read_row(&self, rows: &mut Rows, row: &mut ByteRecord) -> Result<bool, SourceError> {
        rows.reader.read_byte_record(row).map_err(|error| self.cannot_read(error))
    }

    fn field<'a>(
        &self,
        rows: &Rows,
        row: &'a ByteRecord,
        position: usize,
    ) -> Result<&'a [u8], SourceError> {
        match row.get(position) {
            Some(field) if row.len() == rows.fields => Ok(field),
            _ => Err(self.refuse(&format!(
                "has {} fields in line {} and {} in its header",
                row.len(),
                row.position().map_or(0, |position| self.line_at(position)),
                rows.fields
            ))),
        }
    }

    /// The line of a row. Counted again from the start, because the reader's own count lags behind
    /// after CRLF and empty lines.
    fn line_at(&self, position: &Position) -> u64 {
        let Ok(file) = File::open(&self.path) else { return position.line() };
        let mut line = 1;
        for (offset, byte) in (0..).zip(BufReader::new(file).bytes()) {
            match byte {
                Ok(b'\n') => line += 1,
                Ok(b'\r') => {}
                Ok(_) if offset < position.byte() => {}
                _ => break,
            }
        }
        line
    }

    fn check_unchanged(&self, rows: &Rows) -> Result<(), SourceError> {
        let (file, _) = rows.reader.get_ref().get_ref();
        let after = file.metadata().map_err(|error| self.cannot_read(error))?;
        let before = &rows.before;
        // Pipes have no length to compare.
        let changed = before.is_file()
            && (before.len() != after.len() || before.modified().ok() != after.modified().ok());
        if !changed {
            return Ok(());
        }
        let message = format!("{} changed while it was read", self.path.display());
        Err(SourceError::temporary(message))
    }

    fn cannot_read(&self, error: impl Into<Box<dyn Error + Send + Sync>>) -> SourceError {
        self.refuse("cannot be read").caused_by(error)
    }

    fn refuse(&self, why: &str) -> SourceError {
        SourceError::permanent(format!("{} {why}", self.path.display()))
    }
}

fn is_end_mark(row: &ByteRecord) -> bool {
    row.len() == 1 && row.get(0) == END_MARK.get(1..)
}

/// A row appended to the file. The CSV reader takes the end of the file for the end of quotes that
/// were never closed; then this row is inside the last field and not a row of its own.
const END_MARK: &[u8] = b"\n\x1eend of file\x1e";

const CUT_IN_QUOTES: &str = "ends inside quotes: it was cut, or a quote is missing";

const BUFFER: usize = 256 * 1024;
