//! The warehouse of an [`AdbcSource`], which computes the difference itself.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    AdbcSource, ArrowColumns, Rows, as_of, checked, error::explain_broken, execute, thread,
};
use crate::{Dialect, SegmentScan, SourceError, Warehouse, warehouse::Statements};

/// A segment's warehouse, with a schema for our tables. Each statement has a connection of its own.
#[derive(Clone, Debug)]
pub(super) struct AdbcWarehouse {
    source: AdbcSource,
    dialect: Dialect,
    schema: Vec<String>,
}

impl AdbcWarehouse {
    pub(super) fn new(source: AdbcSource, dialect: Dialect, schema: Vec<String>) -> Self {
        Self { source, dialect, schema }
    }

    fn place(&self) -> String {
        format!("the difference on {}", self.source.database)
    }

    /// As a query, since some drivers know nothing else. What it gives, such as a count, is not needed,
    /// but only at its end is the statement known to be done.
    fn run(&self, statement: &str) -> Result<(), SourceError> {
        let place = self.place();
        let (mut connection, confidential) = self.source.database.connect()?;
        let (_statement, mut reader) = execute(&mut connection, statement, &place, &confidential)?;
        reader.try_for_each(|batch| match batch {
            Ok(_) => Ok(()),
            Err(error) => Err(explain_broken(&place, &error, &confidential)),
        })
    }

    fn start(&self, statement: &str) -> Result<Rows, SourceError> {
        let place = self.place();
        let (mut connection, confidential) = self.source.database.connect()?;
        let (statement, reader) = execute(&mut connection, statement, &place, &confidential)?;
        // By position, since warehouses write names in upper or lower case.
        let schema = reader.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let [identifier, occurs] = names[..] else {
            return Err(SourceError::permanent(format!("{place} gives other columns than two")));
        };
        let columns = ArrowColumns::new().column(identifier).key_column(occurs);
        let columns = columns.positions(&schema, &place)?;
        Ok(Rows { reader, columns, place, confidential, _statement: statement })
    }
}

#[async_trait]
impl Warehouse for AdbcWarehouse {
    fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    fn schema(&self) -> &[String] {
        &self.schema
    }

    async fn segment(&self) -> Result<String, SourceError> {
        let place = format!("the query on {}", self.source.database);
        checked(&self.source.query, &place)?;
        let Some(column) = self.source.columns.identifier() else {
            return Err(SourceError::permanent(format!(
                "{place} has to say which column has the identifiers, since the difference is \
                 computed without a look at its result: name it with `column`"
            )));
        };
        let column = Statements::new(&self.dialect, &[]).quoted(column);
        let query = self.source.query.trim_end().trim_end_matches(';');
        Ok(format!("SELECT {column} AS k FROM (\n{query}\n) q"))
    }

    async fn as_of(&self) -> Result<Option<DateTime<Utc>>, SourceError> {
        let Some(query) = self.source.as_of.clone() else { return Ok(None) };
        let database = self.source.database.clone();
        thread::blocking(move || {
            let place = format!("the query for the time of {database}");
            let parsed = checked(&query, &place)?;
            let (mut connection, mut confidential) = database.connect()?;
            confidential.add_query(&parsed);
            as_of::read(&mut connection, &query, &place, &confidential).map(Some)
        })
        .await
    }

    async fn execute(&self, statement: &str) -> Result<(), SourceError> {
        let (warehouse, statement) = (self.clone(), statement.to_owned());
        thread::blocking(move || warehouse.run(&statement)).await
    }

    async fn scan(&self, statement: &str) -> Result<Box<dyn SegmentScan>, SourceError> {
        let (warehouse, statement) = (self.clone(), statement.to_owned());
        let mut rows = thread::blocking(move || warehouse.start(&statement)).await?;
        Ok(thread::scan(None, move |batches| rows.read(batches)))
    }
}
