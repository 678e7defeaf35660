//! Makes sure that rows which were deleted are gone.
//!
//! A deleted row goes on lying in its file until VACUUM takes it away, and its bytes until something
//! else is written there. Writing the tables anew (VACUUM FULL) leaves both behind, except for rows
//! that some transaction, anywhere in the database, may still see.

use std::time::Duration;

use tokio::time;
use tokio_postgres::types::Type;

use super::link::{Fault, Link, Tx};
use crate::state::{StoreError, StoreErrorKind};

/// Writes the tables anew that tell something about members.
pub(super) async fn rewrite(link: &Link) -> Result<(), StoreError> {
    let tables: Vec<String> = TABLES.iter().map(|table| link.schema().fill(table)).collect();
    let tables = &tables;
    link.maintain(|tx| async move { check_owner(&tx, link, tables).await }).await?;
    for attempt in 1.. {
        let is_clean = link.maintain(|tx| async move {
            vacuum(&tx).await?;
            all_visible(&tx, tables).await
        });
        if is_clean.await? {
            break;
        }
        if attempt == ATTEMPTS {
            let message = format!("{} {STILL_SEEN}", link.place());
            return Err(StoreError::new(StoreErrorKind::Unavailable, message));
        }
        // Transactions of other runs last milliseconds.
        time::sleep(PAUSE).await;
    }
    Ok(())
}

/// VACUUM only warns about tables that it must not touch.
async fn check_owner(tx: &Tx<'_>, link: &Link, tables: &[String]) -> Result<(), Fault> {
    let sql = "SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_class \
        WHERE oid = ANY ($1::text[]::regclass[])";
    let row = tx.row(sql, &[(&tables, Type::TEXT_ARRAY)]).await?;
    if row.map(|row| row.try_get(0)).transpose()? == Some(true) {
        return Ok(());
    }
    let tables = tables.join(", ");
    let message = format!("{} {NOT_THE_OWNER}: VACUUM (FULL) {tables}", link.place());
    Err(StoreError::new(StoreErrorKind::Failed, message).into())
}

async fn vacuum(tx: &Tx<'_>) -> Result<(), Fault> {
    tx.batch("SET statement_timeout = '10min'").await?;
    for table in TABLES {
        tx.batch(&format!("VACUUM (FULL) {table}")).await?;
        // Finds out, and notes, which pages hold nothing but rows that everybody sees.
        tx.batch(&format!("VACUUM {table}")).await?;
    }
    tx.batch("SET statement_timeout = '60s'").await
}

/// Whether the tables, and what PostgreSQL keeps aside for their long values, hold no row that is
/// deleted for some and not for others.
async fn all_visible(tx: &Tx<'_>, tables: &[String]) -> Result<bool, Fault> {
    let sql = "WITH ours AS (SELECT oid, reltoastrelid FROM pg_class \
        WHERE oid = ANY ($1::text[]::regclass[])) \
        SELECT bool_and(relallvisible = relpages) FROM pg_class \
        WHERE oid IN (SELECT oid FROM ours UNION SELECT reltoastrelid FROM ours)";
    let row = tx.row(sql, &[(&tables, Type::TEXT_ARRAY)]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()? == Some(true))
}

/// All but leases and the key, which tell nothing about anybody.
const TABLES: [&str; 5] = ["@.head", "@.journal", "@.held", "@.absent", "@.chunk"];

const ATTEMPTS: u32 = 3;

const PAUSE: Duration = Duration::from_millis(200);

const STILL_SEEN: &str = "may still hold rows that were deleted, because a transaction somewhere in \
    the database has been under way since before; repeat this when it has ended";

const NOT_THE_OWNER: &str = "has rows deleted whose remains its user may not remove; have the owner \
    of the tables do it";
