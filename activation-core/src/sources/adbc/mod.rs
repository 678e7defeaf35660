//! A query on any warehouse that has an ADBC driver.

mod as_of;
mod database;
mod error;
mod profile;
mod query;
mod warehouse;

use std::{fmt, sync::Arc};

use adbc_core::{Connection, Optionable, Statement, options::OptionConnection};
use adbc_driver_manager::{ManagedConnection, ManagedStatement};
use arrow_array::RecordBatchReader;
use async_trait::async_trait;

pub use self::database::AdbcDatabase;
use self::{
    error::{Confidential, explain, explain_broken},
    query::Query,
    warehouse::AdbcWarehouse,
};
use super::{arrow::ArrowColumns, thread};
use crate::{Dialect, SegmentScan, SegmentSource, SourceError, Warehouse};

/// The result of one query on a warehouse that has an ADBC driver.
///
/// Which types of columns are identifiers is told at [`ArrowColumns`]; others are refused before a
/// row is read.
///
/// One connection is made for each scan, and one statement run on it. The rows are read on a thread
/// of its own, only as fast as they are used. A scan that is dropped stops that thread at the driver's
/// next batch; a query that gives nothing is stopped by the warehouse's own time limit only.
///
/// A query that begins like a statement that writes is refused. Otherwise nothing but the rights of
/// the user keeps it from writing: log in as somebody who may only read.
///
/// # Errors
///
/// What the driver says is part of an error only where it can be neither an address nor a secret:
/// texts in quotes are left out of it unless they are names, as in the query, and all of it is left
/// out if it has an `@`, a long number, a value of an option or a text of the query. A connection that breaks while
/// rows are read is a temporary failure, and so is everything else that happens then, since drivers
/// do not tell the difference.
///
/// # Examples
///
/// ```no_run
/// use activation_core::sources::{AdbcDatabase, AdbcSource};
///
/// let warehouse = AdbcDatabase::profile("warehouse");
/// let segment = AdbcSource::new(warehouse, "SELECT id, email FROM customers WHERE vip")
///     .column("email")
///     .key_column("id");
/// ```
#[derive(Clone)]
pub struct AdbcSource {
    database: AdbcDatabase,
    query: String,
    columns: ArrowColumns,
    as_of: Option<String>,
    tables: Option<(Dialect, Vec<String>)>,
}

impl AdbcSource {
    /// The segment that `query`, one SELECT statement with one column, finds in the database.
    pub fn new(database: AdbcDatabase, query: impl Into<String>) -> Self {
        let columns = ArrowColumns::new();
        Self { database, query: query.into(), columns, as_of: None, tables: None }
    }

    /// Takes the identifiers from the column of this name, so that the query may have others.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>) -> Self {
        self.columns = self.columns.column(name);
        self
    }

    /// Takes the stable keys of people from the column of this name, so that a changed address is
    /// known for what it is. A row with NULL has none.
    #[must_use]
    pub fn key_column(mut self, name: impl Into<String>) -> Self {
        self.columns = self.columns.key_column(name);
        self
    }

    /// Asks with this query of when the data are: one value, a timestamp with a time zone, a time as
    /// RFC 3339 text (`2027-03-01T06:00:00Z`) or whole seconds since 1970. Anything else, no row
    /// included, stops the scan.
    ///
    /// It is asked before the other query, on the same connection, and in one transaction where the
    /// driver has transactions. Where these show one state to all their statements, as in SQLite, rows and time are of the same state. Elsewhere (PostgreSQL as it is set by default, or
    /// no transactions) the rows may be newer than the time says, never older.
    #[must_use]
    pub fn as_of(mut self, query: impl Into<String>) -> Self {
        self.as_of = Some(query.into());
        self
    }

    /// Has the warehouse compute the difference, with tables in this schema, given from the outermost
    /// name in, such as a project and a data set; see [`Warehouse`] for what it holds and which rights
    /// that takes. The query needs a [`column`](Self::column), whatever is in it is made text, and no
    /// comment may stand after its semicolon. Without effect beside
    /// [`key_column`](Self::key_column): keys need every row.
    #[must_use]
    pub fn push_down<S: Into<String>>(
        mut self,
        dialect: Dialect,
        schema: impl IntoIterator<Item = S>,
    ) -> Self {
        self.tables = Some((dialect, schema.into_iter().map(Into::into).collect()));
        self
    }
}

/// Leaves out the queries, which may name somebody's address, and what opens the database.
impl fmt::Debug for AdbcSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdbcSource")
            .field("database", &self.database)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SegmentSource for AdbcSource {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        let source = self.clone();
        let (as_of, mut rows) = thread::blocking(move || source.start()).await?;
        Ok(thread::scan(as_of, move |batches| rows.read(batches)))
    }

    fn warehouse(&self) -> Option<Arc<dyn Warehouse>> {
        let (dialect, schema) = self.tables.clone().filter(|_| !self.columns.has_keys())?;
        Some(Arc::new(AdbcWarehouse::new(self.clone(), dialect, schema)))
    }
}

impl AdbcSource {
    /// Runs the queries, up to the first row.
    fn start(&self) -> Result<(Option<chrono::DateTime<chrono::Utc>>, Rows), SourceError> {
        let place = format!("the query on {}", self.database);
        let time_place = format!("the query for the time of {}", self.database);
        // Before anything is called.
        let query = checked(&self.query, &place)?;
        let time_query = self.as_of.as_deref().map(|sql| checked(sql, &time_place)).transpose()?;
        let (mut connection, mut confidential) = self.database.connect()?;
        confidential.add_query(&query);
        time_query.iter().for_each(|query| confidential.add_query(query));
        let as_of = match &self.as_of {
            Some(query) => {
                // A driver without transactions refuses, and has none to be told of.
                let _ = connection.set_option(OptionConnection::AutoCommit, "false".into());
                Some(as_of::read(&mut connection, query, &time_place, &confidential)?)
            }
            None => None,
        };
        let (statement, reader) = execute(&mut connection, &self.query, &place, &confidential)?;
        let columns = self.columns.positions(&reader.schema(), &place)?;
        let rows = Rows { reader, columns, place, confidential, _statement: statement };
        Ok((as_of, rows))
    }
}

/// What can be seen of a query before it is run.
fn checked(sql: &str, place: &str) -> Result<Query, SourceError> {
    let query = Query::parse(sql);
    match query.problem() {
        Some(problem) => Err(SourceError::permanent(format!("{place} {problem}"))),
        None => Ok(query),
    }
}

/// Runs one query.
fn execute(
    connection: &mut ManagedConnection,
    query: &str,
    place: &str,
    confidential: &Confidential,
) -> Result<(ManagedStatement, Reader), SourceError> {
    let run = |connection: &mut ManagedConnection| {
        let mut statement = connection.new_statement()?;
        statement.set_sql_query(query)?;
        let reader = statement.execute()?;
        Ok((statement, reader))
    };
    run(connection).map_err(|error| explain(place, &error, confidential))
}

type Reader = Box<dyn RecordBatchReader + Send>;

/// A result that is being read.
struct Rows {
    // Before what it was made by, so that it is dropped first.
    reader: Reader,
    columns: super::arrow::Positions,
    place: String,
    confidential: Confidential,
    /// Keeps the connection open.
    _statement: ManagedStatement,
}

impl Rows {
    fn read(&mut self, batches: &mut thread::Batches) -> Result<(), thread::Stop> {
        let abandoned = batches.abandonment();
        for batch in &mut self.reader {
            let batch =
                batch.map_err(|error| explain_broken(&self.place, &error, &self.confidential))?;
            // Batches without rows would not notice.
            if abandoned() {
                return Err(thread::Stop::Abandoned);
            }
            let keys = self.columns.keys(&batch, &self.place)?;
            for row in keys.rows() {
                match keys.has_warehouse_keys() {
                    false => batches.push(row.identifier)?,
                    true => batches.push_keyed(row.identifier, row.warehouse_key)?,
                }
            }
        }
        Ok(())
    }
}
