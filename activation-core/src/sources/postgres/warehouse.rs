//! The server of a [`PostgresSource`], which computes the difference itself.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    BEGIN, NO_PARAMETERS, PostgresSource, as_of,
    scan::{PostgresScan, Slot},
    value::Kind,
};
use crate::{
    Dialect, SegmentScan, SourceError, Warehouse,
    postgres::{Failure, Session},
    sources::columns,
};

const DIALECT: Dialect = Dialect::postgresql();

/// NULL where there is no such schema.
const PRIVILEGES: &str = "SELECT has_schema_privilege(oid, 'USAGE'), has_schema_privilege(oid, 'CREATE') \
     FROM (SELECT CAST($1 AS name) AS name) wanted LEFT JOIN pg_namespace ON nspname = name";

/// A segment's server, with a schema for our tables.
#[derive(Debug)]
pub(super) struct PostgresWarehouse {
    source: PostgresSource,
    schema: [String; 1],
}

impl PostgresWarehouse {
    pub(super) fn new(source: PostgresSource, schema: String) -> Self {
        Self { source, schema: [schema] }
    }

    fn place(&self) -> String {
        format!("the difference on {}", self.source.server)
    }

    fn explain(&self, error: &tokio_postgres::Error) -> SourceError {
        Failure::of_statement(&self.place(), error).into()
    }
}

#[async_trait]
impl Warehouse for PostgresWarehouse {
    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn schema(&self) -> &[String] {
        &self.schema
    }

    async fn segment(&self) -> Result<String, SourceError> {
        let failed = |error| Failure::of_statement(&self.source.place(), &error);
        let mut session = Session::open(&self.source.server).await?;
        let statement = session.client().prepare(&self.source.query).await.map_err(failed)?;
        let (identifier, _) = self.source.slots(&statement)?;
        session.rest();
        Ok(columns::only(&self.source.query, statement.columns().len(), identifier.position))
    }

    async fn as_of(&self) -> Result<Option<DateTime<Utc>>, SourceError> {
        let Some(query) = &self.source.as_of else { return Ok(None) };
        let session = Session::open(&self.source.server).await?;
        let begun = session.client().batch_execute(BEGIN).await;
        begun.map_err(|error| self.explain(&error))?;
        as_of::read(&session, &self.source.server, query).await.map(Some)
    }

    async fn check(&self) -> Result<(), SourceError> {
        let mut session = Session::open(&self.source.server).await?;
        let row = session.client().query_one(PRIVILEGES, &[&self.schema[0]]).await;
        let row = row.map_err(|error| self.explain(&error))?;
        session.rest();
        let has = |column| row.try_get::<_, Option<bool>>(column).ok().flatten();
        let missing = match (has(0), has(1)) {
            (Some(true), Some(true)) => return Ok(()),
            (Some(false), Some(true)) => "GRANT USAGE on it to its user",
            (Some(true), Some(false)) => "GRANT CREATE on it to its user",
            (Some(false), Some(false)) => "GRANT USAGE, CREATE on it to its user",
            _ => "create it, and GRANT USAGE, CREATE on it to its user",
        };
        let (place, schema) = (self.place(), &self.schema[0]);
        Err(SourceError::permanent(format!("{place} needs schema {schema:?}: {missing}")))
    }

    async fn execute(&self, statement: &str) -> Result<(), SourceError> {
        let mut session = Session::open(&self.source.server).await?;
        let done = session.client().batch_execute(statement).await;
        done.map_err(|error| self.explain(&error))?;
        session.rest();
        Ok(())
    }

    async fn scan(&self, statement: &str) -> Result<Box<dyn SegmentScan>, SourceError> {
        let session = Session::open(&self.source.server).await?;
        let rows = session.client().query_raw(statement, NO_PARAMETERS).await;
        let rows = rows.map_err(|error| self.explain(&error))?;
        let slot = |position, kind| Slot { position, kind };
        let (identifier, occurs) = (slot(0, Kind::Text), slot(1, Kind::Number));
        Ok(Box::new(PostgresScan::new(session, rows, identifier, Some(occurs), None, self.place())))
    }
}
