//! A query on a SQLite file.

mod warehouse;

use std::{
    fmt::{self, Write as _},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Row, Statement,
    config::DbConfig,
    types::{Value, ValueRef},
};

use self::warehouse::SqliteWarehouse;
use super::{
    columns::{self, Positions},
    thread,
};
use crate::{SegmentScan, SegmentSource, SourceError, Warehouse};

/// The result of one query on a SQLite file, which is opened for reading only.
///
/// Text and whole numbers are identifiers; NULL is an unusable one; a real number or a blob stops
/// the scan, since it is no identifier and the query is probably wrong.
#[derive(Clone)]
pub struct SqliteSource {
    path: PathBuf,
    query: String,
    column: Option<String>,
    key_column: Option<String>,
    as_of: Option<String>,
    tables: Option<Arc<Path>>,
}

impl SqliteSource {
    /// The segment that `query`, one SELECT statement with one column, finds in the file `path`.
    pub fn new(path: impl Into<PathBuf>, query: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            query: query.into(),
            column: None,
            key_column: None,
            as_of: None,
            tables: None,
        }
    }

    /// Takes the identifiers from the column of this name, so that the query may have others.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>) -> Self {
        self.column = Some(name.into());
        self
    }

    /// Takes the stable keys of people from the column of this name, so that a changed address is
    /// known for what it is. Text and whole numbers are keys; a row with NULL has none.
    #[must_use]
    pub fn key_column(mut self, name: impl Into<String>) -> Self {
        self.key_column = Some(name.into());
        self
    }

    /// Asks with this query, of the same state of the file, of when its data are: one value, a time
    /// as RFC 3339 text (`2027-03-01T06:00:00Z`) or in whole seconds since 1970. Anything else, no
    /// row included, stops the scan.
    #[must_use]
    pub fn as_of(mut self, query: impl Into<String>) -> Self {
        self.as_of = Some(query.into());
        self
    }

    /// Has SQLite compute the difference, with tables in the file `tables`, which is made where it is
    /// not there; see [`Warehouse`] for what it holds. The segment's file stays as it is. Its query
    /// must not name the schema `main`, nor end with a comment after its semicolon. Without effect
    /// beside [`key_column`](Self::key_column): keys need every row.
    #[must_use]
    pub fn push_down(mut self, tables: impl Into<PathBuf>) -> Self {
        self.tables = Some(tables.into().into());
        self
    }
}

/// Leaves out the query, which may name somebody's address.
impl fmt::Debug for SqliteSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteSource")
            .field("path", &self.path)
            .field("column", &self.column)
            .field("key_column", &self.key_column)
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SegmentSource for SqliteSource {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        let source = self.clone();
        let (source, mut connection, as_of) = thread::blocking(move || {
            let connection = source.connect()?;
            source.prepare(&connection)?;
            let as_of = source.read_as_of(&connection)?;
            Ok((source, connection, as_of))
        })
        .await?;
        Ok(thread::scan(as_of, move |batches| source.read(&mut connection, batches)))
    }

    fn warehouse(&self) -> Option<Arc<dyn Warehouse>> {
        let tables = self.tables.clone().filter(|_| self.key_column.is_none())?;
        Some(Arc::new(SqliteWarehouse::new(self.clone(), tables)))
    }
}

impl SqliteSource {
    fn connect(&self) -> Result<Connection, SourceError> {
        let fail = |error: &dyn fmt::Display| {
            SourceError::permanent(format!("cannot open {}: {error}", self.path.display()))
        };
        // An absolute path, because SQLite gives names like ":memory:" a meaning of their own.
        let path = std::path::absolute(&self.path).map_err(|error| fail(&error))?;
        let metadata = fs::metadata(&path).map_err(|error| fail(&error))?;
        if !metadata.is_file() {
            return Err(fail(&"not a file"));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connected = Connection::open_with_flags(path, flags).and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            quoted_means_a_name(&connection)?;
            Ok(connection)
        });
        connected.map_err(|error| self.explain(error))
    }

    /// Of when the data are. The transaction that is begun for it lasts as long as the connection, so
    /// that the rows are those of the same state.
    fn read_as_of(&self, connection: &Connection) -> Result<Option<DateTime<Utc>>, SourceError> {
        let Some(query) = &self.as_of else { return Ok(None) };
        let place = format!("the query for the time of {}", self.path.display());
        let failed = |error| explain(&place, error);
        connection.execute_batch("BEGIN").map_err(failed)?;
        let asked = connection.query_row(query, [], |row| row.get(0));
        let value = asked.optional().map_err(failed)?;
        let time = match &value {
            Some(Value::Text(text)) => DateTime::parse_from_rfc3339(text.trim()).ok(),
            Some(Value::Integer(seconds)) => {
                DateTime::from_timestamp(*seconds, 0).map(|at| at.fixed_offset())
            }
            _ => None,
        };
        let time = time.ok_or_else(|| refuse(&place, "gives no time"))?;
        Ok(Some(time.to_utc()))
    }

    /// The statement and the positions of its columns.
    fn prepare<'a>(
        &self,
        connection: &'a Connection,
    ) -> Result<(Statement<'a>, Positions), SourceError> {
        let statement = connection.prepare(&self.query).map_err(|error| self.explain(error))?;
        if !statement.readonly() {
            return Err(self.refuse("writes; it must only read"));
        }
        if statement.parameter_count() > 0 {
            return Err(self.refuse("has parameters, and there are no values for them"));
        }
        let names: Vec<&str> = statement.column_names().collect();
        if names.is_empty() {
            return Err(self.refuse("gives no rows: it must be one SELECT"));
        }
        let positions = columns::positions(
            &names,
            self.column.as_deref(),
            self.key_column.as_deref(),
            &self.place(),
        )?;
        Ok((statement, positions))
    }

    fn read(
        &self,
        connection: &mut Connection,
        batches: &mut thread::Batches,
    ) -> Result<(), thread::Stop> {
        // Asked now and then, so that a query without rows so far stops too.
        connection
            .progress_handler(STEPS_BETWEEN_LOOKS, Some(batches.abandonment()))
            .map_err(|error| self.explain(error))?;
        let (mut statement, Positions { identifier, key }) = self.prepare(connection)?;
        let name = |position| columns::show(statement.column_name(position).unwrap_or_default());
        let names = (name(identifier), key.map(name).unwrap_or_default());
        let mut rows = statement.query([]).map_err(|error| self.explain(error))?;
        let (mut digits, mut key_digits) = (String::new(), String::new());
        let mut number = 0_u64;
        while let Some(row) = rows.next().map_err(|error| self.explain(error))? {
            number += 1;
            let refuse = |type_name, name: &str| {
                self.refuse(&format!("gives {type_name} in column {name}, row {number}{CAST}"))
            };
            let identifier =
                value(row, identifier, &mut digits).map_err(|found| refuse(found, &names.0))?;
            match key {
                None => batches.push(identifier)?,
                Some(key) => {
                    let key = value(row, key, &mut key_digits)
                        .map_err(|found| refuse(found, &names.1))?;
                    batches.push_keyed(identifier, key)?;
                }
            }
        }
        Ok(())
    }

    fn place(&self) -> String {
        format!("the query on {}", self.path.display())
    }

    fn refuse(&self, why: &str) -> SourceError {
        refuse(&self.place(), why)
    }

    fn explain(&self, error: rusqlite::Error) -> SourceError {
        explain(&self.place(), error)
    }
}

/// Else a misspelt column in double quotes would be taken for a text, in every row.
fn quoted_means_a_name(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    Ok(())
}

fn refuse(place: &str, why: &str) -> SourceError {
    SourceError::permanent(format!("{place} {why}"))
}

fn explain(place: &str, error: rusqlite::Error) -> SourceError {
    match &error {
        rusqlite::Error::MultipleStatement => {
            refuse(place, "has several statements; it must be one")
        }
        // Not kept as the cause, since it shows the query, which may name somebody's address.
        rusqlite::Error::SqlInputError { msg, offset, .. } if msg.contains('@') => {
            refuse(place, &format!("is not valid at byte {offset}"))
        }
        rusqlite::Error::SqlInputError { msg, offset, .. } => {
            refuse(place, &format!("is not valid at byte {offset}: {msg}"))
        }
        _ if matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        ) =>
        {
            SourceError::temporary(format!("{place} has to wait for another program"))
        }
        _ if matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure)
        ) =>
        {
            let message = format!("{place} failed: look whether its disk is full or broken");
            SourceError::permanent(message).caused_by(error)
        }
        _ => SourceError::permanent(format!("{place} failed")).caused_by(error),
    }
}

/// The identifier or key in a row, or the name of a type that is none.
fn value<'a>(
    row: &'a Row<'_>,
    position: usize,
    digits: &'a mut String,
) -> Result<&'a [u8], &'static str> {
    match row.get_ref(position) {
        Ok(ValueRef::Text(text)) => Ok(text),
        Ok(ValueRef::Integer(number)) => {
            digits.clear();
            // Writing to a string cannot fail.
            let _ = write!(digits, "{number}");
            Ok(digits.as_bytes())
        }
        Ok(ValueRef::Null) => Ok(b""),
        Ok(ValueRef::Real(_)) => Err("a real number"),
        Ok(ValueRef::Blob(_)) => Err("a blob"),
        Err(_) => Err("nothing"),
    }
}

const CAST: &str = "; cast it to text if it is an identifier";

/// Instructions of SQLite's machine; about a millisecond of them.
const STEPS_BETWEEN_LOOKS: i32 = 100_000;

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
