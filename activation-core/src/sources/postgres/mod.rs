//! A query on a PostgreSQL server.

mod as_of;
mod scan;
mod value;
mod warehouse;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tokio_postgres::{Column, Statement};

use self::{
    scan::{PostgresScan, Slot},
    value::Kind,
    warehouse::PostgresWarehouse,
};
use super::columns;
use crate::{
    PostgresServer, SegmentScan, SegmentSource, SourceError, Warehouse,
    postgres::{Failure, Session},
};

/// The result of one query on a PostgreSQL server, streamed, in a transaction that may only read.
///
/// Columns of text (`text`, `varchar`, `char`, `citext`, `name`), whole numbers (`smallint`, `integer`,
/// `bigint`) and `uuid` are identifiers, and NULL is an unusable one. Any other type is refused
/// before a row is read: it is no identifier, or it has several spellings and has to be cast to text
/// by the query. The spaces that fill up a `char(n)` are left out.
///
/// Every scan has a connection of its own. A scan that is dropped before its end cancels its query on
/// the server. It has no time limit of its own: set `statement_timeout` for the user if there is to be
/// one. The memory it takes is that of a batch.
#[derive(Clone)]
pub struct PostgresSource {
    server: PostgresServer,
    query: String,
    column: Option<String>,
    key_column: Option<String>,
    as_of: Option<String>,
    schema: Option<String>,
}

impl PostgresSource {
    /// The segment that `query`, one SELECT statement with one column, finds on `server`.
    pub fn new(server: PostgresServer, query: impl Into<String>) -> Self {
        Self {
            server,
            query: query.into(),
            column: None,
            key_column: None,
            as_of: None,
            schema: None,
        }
    }

    /// Takes the identifiers from the column of this name, so that the query may have others.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>) -> Self {
        self.column = Some(name.into());
        self
    }

    /// Takes the stable keys of people from the column of this name, so that a changed address is
    /// known for what it is. The types of identifiers are those of keys; a row with NULL has none.
    #[must_use]
    pub fn key_column(mut self, name: impl Into<String>) -> Self {
        self.key_column = Some(name.into());
        self
    }

    /// Asks with this query, of the same state of the database, of when its data are: one value, a
    /// `timestamptz`, a time as RFC 3339 text (`2027-03-01T06:00:00Z`) or whole seconds since 1970.
    /// Anything else, no row included, stops the scan.
    #[must_use]
    pub fn as_of(mut self, query: impl Into<String>) -> Self {
        self.as_of = Some(query.into());
        self
    }

    /// Has the server compute the difference, with tables in this schema; see [`Warehouse`] for what it
    /// holds and which rights that takes. The query is then run outside of a transaction that may only
    /// read, and must not end with a comment after its semicolon. Without effect beside
    /// [`key_column`](Self::key_column): keys need every row.
    #[must_use]
    pub fn push_down(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }
}

/// Leaves out the query, which may name somebody's address, and the password.
impl fmt::Debug for PostgresSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSource")
            .field("server", &self.server)
            .field("column", &self.column)
            .field("key_column", &self.key_column)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SegmentSource for PostgresSource {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        let place = self.place();
        let failed = |error| Failure::of_statement(&place, &error);
        let session = Session::open(&self.server).await?;
        // The rows and their time are of one state, which is that of the first query.
        session.client().batch_execute(BEGIN).await.map_err(failed)?;
        let statement = session.client().prepare(&self.query).await.map_err(failed)?;
        let (identifier, key) = self.slots(&statement)?;
        let as_of = match &self.as_of {
            Some(query) => Some(as_of::read(&session, &self.server, query).await?),
            None => None,
        };
        let rows = session.client().query_raw(&statement, NO_PARAMETERS).await.map_err(failed)?;
        Ok(Box::new(PostgresScan::new(session, rows, identifier, key, as_of, place)))
    }

    fn warehouse(&self) -> Option<Arc<dyn Warehouse>> {
        let schema = self.schema.clone().filter(|_| self.key_column.is_none())?;
        Some(Arc::new(PostgresWarehouse::new(self.clone(), schema)))
    }
}

impl PostgresSource {
    /// Where the rows have what is wanted.
    fn slots(&self, statement: &Statement) -> Result<(Slot, Option<Slot>), SourceError> {
        if !statement.params().is_empty() {
            return Err(self.refuse("has parameters, and there are no values for them"));
        }
        let names: Vec<&str> = statement.columns().iter().map(Column::name).collect();
        if names.is_empty() {
            return Err(self.refuse("gives no rows: it must be one SELECT"));
        }
        let (column, key) = (self.column.as_deref(), self.key_column.as_deref());
        let found = columns::positions(&names, column, key, &self.place())?;
        let slot = |position: usize| {
            let column = &statement.columns()[position];
            match Kind::of(column.type_()) {
                Some(kind) => Ok(Slot { position, kind }),
                None => Err(self.refuse(&format!(
                    "gives {} in column {}; cast it to text if it is an identifier",
                    column.type_().name(),
                    columns::show(column.name())
                ))),
            }
        };
        Ok((slot(found.identifier)?, found.key.map(slot).transpose()?))
    }

    fn place(&self) -> String {
        format!("the query on {}", self.server)
    }

    fn refuse(&self, why: &str) -> SourceError {
        SourceError::permanent(format!("{} {why}", self.place()))
    }
}

impl From<Failure> for SourceError {
    fn from(failure: Failure) -> Self {
        match failure.temporary {
            true => Self::temporary(failure.message),
            false => Self::permanent(failure.message),
        }
    }
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

const NO_PARAMETERS: [&str; 0] = [];
