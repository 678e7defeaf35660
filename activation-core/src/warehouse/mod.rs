//! A warehouse that computes the difference itself, so that only what changed travels.

mod dialect;
mod statements;

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use self::dialect::{Dialect, Difference, Quoting};
pub(crate) use self::statements::Statements;
use crate::{SegmentScan, SourceError};

/// A warehouse that computes the difference itself, so that only what changed travels: where a segment
/// lives, and where tables can be made beside it. Given by
/// [`SegmentSource::warehouse`](crate::SegmentSource::warehouse).
///
/// A run that reads a segment in full moves every identifier to this process. With a warehouse, the
/// identifiers that were acknowledged last stay in a table there, and the segment is compared with it
/// where both are. What a run decides, reports and remembers is the same either way: the state store's
/// record stays the truth, and the table is only a copy of it that can be made anew at any time. The
/// first run reads everything, and so does the second where the first had more than a million people to
/// add; dry runs and reconciliations always do.
///
/// # What is written
///
/// Tables named `activation_…` in the schema that the host names, and nothing else: between runs one for
/// each activation, and up to four while it runs. They hold identifiers **in clear**, as the segment
/// gives them, and how often each occurs. After [`Engine::erase`](crate::Engine::erase) the next run
/// replaces the table. Whoever stops using this, or changes the schema, drops what is left.
///
/// Only plain statements are used: `CREATE TABLE … AS SELECT`, `INSERT`, `SELECT` and `DROP TABLE IF
/// EXISTS`, each on its own; no transaction, `MERGE` or renaming. Identifiers stand in them as
/// hexadecimal digits.
///
/// # Privileges
///
/// * to read what the segment's query reads;
/// * in the schema of the tables: to create tables, and to read, fill and drop those.
///
/// That schema should be one that nobody else writes in, and that people who must not see addresses
/// cannot read.
///
/// # Contract
///
/// `conformance::warehouse` (feature `test-util`) checks it.
///
/// * Statements are written in [`dialect`](Self::dialect), one at a time, and each stands for itself:
///   what it did is seen by every later one, on whichever connection.
/// * [`execute`](Self::execute) returns when the statement is done for good.
/// * An error is [temporary](SourceError::is_temporary) only where the same statement may succeed
///   later, and never shows a statement, which may name somebody's address.
#[async_trait]
pub trait Warehouse: fmt::Debug + Send + Sync {
    /// How statements are written.
    fn dialect(&self) -> &Dialect;

    /// The schema of our tables, from the outermost name in, such as a project and a data set. Names
    /// stand here as they are, without quotes. None: where the session is.
    fn schema(&self) -> &[String];

    /// The segment as a SELECT statement that can stand in parentheses, with one column named `k`.
    ///
    /// # Errors
    ///
    /// Fails when the query is wrong or writes.
    async fn segment(&self) -> Result<String, SourceError>;

    /// Of when the segment's data are at the least, where the warehouse knows. Asked before the
    /// segment is read.
    ///
    /// # Errors
    ///
    /// Fails when the warehouse cannot tell, although it should.
    async fn as_of(&self) -> Result<Option<DateTime<Utc>>, SourceError> {
        Ok(None)
    }

    /// Looks whether the tables could be made, and changes nothing. Asked by dry runs, so that missing
    /// privileges are known before the first run. By itself it says nothing.
    ///
    /// # Errors
    ///
    /// Fails when they could not, with a list of what is missing.
    async fn check(&self) -> Result<(), SourceError> {
        Ok(())
    }

    /// Carries out a statement that gives no rows.
    ///
    /// # Errors
    ///
    /// Fails when the warehouse cannot be reached or refuses. The statement may have been carried out
    /// nevertheless.
    async fn execute(&self, statement: &str) -> Result<(), SourceError>;

    /// Reads the rows of a SELECT statement with two columns: a text, which becomes the identifier of
    /// a row, and a whole number, which becomes its warehouse key in decimal digits.
    ///
    /// # Errors
    ///
    /// Fails when the warehouse cannot be reached or refuses.
    async fn scan(&self, statement: &str) -> Result<Box<dyn SegmentScan>, SourceError>;
}
