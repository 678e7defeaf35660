//! The membership ledger as a file: one JSON object a line, for whatever loads such files.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use activation_core::{Ledger, LedgerError, LedgerPage, LedgerRow};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Appends each page, its rows line by line, and gives it to the disk before a run goes on.
///
/// A page without rows is a line without `change`: it says that the rows of an earlier run with the
/// same generation never happened.
#[derive(Debug)]
pub(crate) struct JsonLines {
    file: Mutex<File>,
}

#[derive(Serialize)]
struct Line<'a> {
    segment: &'a str,
    run: u64,
    generation: u64,
    at: DateTime<Utc>,
    #[serde(flatten)]
    row: Option<&'a LedgerRow>,
}

impl JsonLines {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be written.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        end_the_last_line(&mut file)?;
        Ok(Self { file: Mutex::new(file) })
    }
}

/// A process that died while it wrote may have left half a line, which its run does not count on.
fn end_the_last_line(file: &mut File) -> io::Result<()> {
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] { file.write_all(b"\n") } else { Ok(()) }
}

/// All of it or nothing, as long as this process lives.
fn append(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let before = file.metadata()?.len();
    let written = file.write_all(lines).and_then(|()| file.sync_data());
    if written.is_err() {
        // What matters is the first error.
        let _ = file.set_len(before);
    }
    written
}

#[async_trait]
impl Ledger for JsonLines {
    async fn record(&self, page: &LedgerPage) -> Result<(), LedgerError> {
        let failed = |error: io::Error| {
            LedgerError::temporary("the ledger cannot be written").caused_by(error)
        };
        let lines = lines(page).map_err(|error| failed(error.into()))?;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        append(&mut file, &lines).map_err(failed)
    }
}

fn lines(page: &LedgerPage) -> Result<Vec<u8>, serde_json::Error> {
    let LedgerPage { segment, run, generation, at, rows } = page;
    let line = |row| Line { segment, run: *run, generation: *generation, at: *at, row };
    let mut bytes = Vec::new();
    let rows: Vec<Option<&LedgerRow>> =
        if rows.is_empty() { vec![None] } else { rows.iter().map(Some).collect() };
    for row in rows {
        serde_json::to_writer(&mut bytes, &line(row))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
