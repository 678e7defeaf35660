//! The file of a [`SqliteSource`], which computes the difference itself.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags};

use super::{BUSY_TIMEOUT, CAST, STEPS_BETWEEN_LOOKS, SqliteSource, quoted_means_a_name, value};
use crate::{
    Dialect, SegmentScan, SourceError, Warehouse,
    sources::{columns, thread},
};

const DIALECT: Dialect = Dialect::sqlite();

/// A segment's file beside one for our tables. The segment's file is attached for reading only.
#[derive(Clone, Debug)]
pub(super) struct SqliteWarehouse {
    source: SqliteSource,
    tables: Arc<Path>,
}

impl SqliteWarehouse {
    pub(super) fn new(source: SqliteSource, tables: Arc<Path>) -> Self {
        Self { source, tables }
    }

    /// Both files in one connection. The segment's statements name tables without a schema, and find
    /// them in its file, since ours have other names.
    fn connect(&self) -> Result<Connection, SourceError> {
        // Looks whether it is there, and never makes it.
        self.source.connect()?;
        let (tables, source) = (absolute(&self.tables)?, absolute(&self.source.path)?);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connected = Connection::open_with_flags(uri(&tables, "rwc"), flags);
        let connection = connected.map_err(|error| self.explain(error))?;
        let prepared = connection.busy_timeout(BUSY_TIMEOUT).and_then(|()| {
            connection.execute("ATTACH ?1 AS segment", [uri(&source, "ro")])?;
            quoted_means_a_name(&connection)?;
            // Addresses of dropped tables must not stay in the file's free pages.
            connection.query_row("PRAGMA main.secure_delete = ON", [], |_| Ok(()))?;
            // Bytes are compared, and those of another encoding are not the ones that a scan gives.
            connection.query_row("PRAGMA main.encoding", [], |row| row.get::<_, String>(0))
        });
        match prepared.map_err(|error| self.explain(error))?.as_str() {
            "UTF-8" => Ok(connection),
            other => Err(SourceError::permanent(format!(
                "{} holds its text in {other}; the difference can be computed there in UTF-8 only",
                self.source.path.display()
            ))),
        }
    }

    fn read(
        &self,
        connection: &mut Connection,
        statement: &str,
        batches: &mut thread::Batches,
    ) -> Result<(), thread::Stop> {
        let failed = |error| self.explain(error);
        connection
            .progress_handler(STEPS_BETWEEN_LOOKS, Some(batches.abandonment()))
            .map_err(failed)?;
        let mut statement = connection.prepare(statement).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let (mut digits, mut number) = (String::new(), String::new());
        while let Some(row) = rows.next().map_err(failed)? {
            let refuse = |found| self.source.refuse(&format!("gives {found}{CAST}"));
            let identifier = value(row, 0, &mut digits).map_err(refuse)?;
            let occurs = value(row, 1, &mut number).map_err(refuse)?;
            batches.push_keyed(identifier, occurs)?;
        }
        Ok(())
    }

    fn place(&self) -> String {
        format!("the difference in {}", self.tables.display())
    }

    fn explain(&self, error: rusqlite::Error) -> SourceError {
        super::explain(&self.place(), error)
    }
}

#[async_trait]
impl Warehouse for SqliteWarehouse {
    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn schema(&self) -> &[String] {
        &[]
    }

    async fn segment(&self) -> Result<String, SourceError> {
        let warehouse = self.clone();
        thread::blocking(move || {
            let connection = warehouse.source.connect()?;
            let (statement, positions) = warehouse.source.prepare(&connection)?;
            let columns = statement.column_count();
            Ok(columns::only(&warehouse.source.query, columns, positions.identifier))
        })
        .await
    }

    async fn as_of(&self) -> Result<Option<DateTime<Utc>>, SourceError> {
        let source = self.source.clone();
        thread::blocking(move || source.read_as_of(&source.connect()?)).await
    }

    async fn execute(&self, statement: &str) -> Result<(), SourceError> {
        let (warehouse, statement) = (self.clone(), statement.to_owned());
        thread::blocking(move || {
            let connection = warehouse.connect()?;
            let done = connection.execute(&statement, []);
            done.map(|_| ()).map_err(|error| warehouse.explain(error))
        })
        .await
    }

    async fn scan(&self, statement: &str) -> Result<Box<dyn SegmentScan>, SourceError> {
        let (warehouse, statement) = (self.clone(), statement.to_owned());
        let mut connection = thread::blocking({
            let warehouse = warehouse.clone();
            move || warehouse.connect()
        })
        .await?;
        Ok(thread::scan(None, move |batches| warehouse.read(&mut connection, &statement, batches)))
    }
}

fn absolute(path: &Path) -> Result<PathBuf, SourceError> {
    let explain =
        |error| SourceError::permanent(format!("cannot open {}: {error}", path.display()));
    std::path::absolute(path).map_err(explain)
}

/// A file's name as SQLite takes it with a mode: whatever may mean something in a URI is encoded.
fn uri(path: &Path, mode: &str) -> String {
    let mut uri = "file:".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => _ = write!(uri, "%{byte:02X}"),
        }
    }
    uri + "?mode=" + mode
}
