//! Of when the data are.

use chrono::{DateTime, TimeDelta, Utc};
use tokio_postgres::types::Type;

use super::{
    NO_PARAMETERS,
    value::{self, Kind, Raw},
};
use crate::{
    PostgresServer, SourceError,
    postgres::{Failure, Session},
};

/// The time that `query` gives, in the transaction of the session.
pub(super) async fn read(
    session: &Session,
    server: &PostgresServer,
    query: &str,
) -> Result<DateTime<Utc>, SourceError> {
    let place = format!("the query for the time of {server}");
    let failed = |error| Failure::of_statement(&place, &error);
    let refuse = |why: &str| SourceError::permanent(format!("{place} {why}"));
    let statement = session.client().prepare(query).await.map_err(failed)?;
    if !statement.params().is_empty() {
        return Err(refuse("has parameters, and there are no values for them"));
    }
    let Some(column) = statement.columns().first() else {
        return Err(refuse("gives no rows: it must be one SELECT"));
    };
    if *column.type_() == Type::TIMESTAMP {
        return Err(refuse("gives a time without a time zone: cast it to timestamptz"));
    }
    let rows = session.client().query_raw(&statement, NO_PARAMETERS).await.map_err(failed)?;
    let first = first_row(rows).await.map_err(failed)?;
    let raw = match &first {
        Some(row) => row.try_get::<_, Option<Raw<'_>>>(0).map_err(failed)?,
        None => None,
    };
    let time = raw.and_then(|Raw(raw)| time(column.type_(), raw));
    time.ok_or_else(|| refuse("gives no time"))
}

/// The first row of a result that is read to its end.
async fn first_row(
    rows: tokio_postgres::RowStream,
) -> Result<Option<tokio_postgres::Row>, tokio_postgres::Error> {
    let mut rows = std::pin::pin!(rows);
    let mut first = None;
    while let Some(row) = futures_util::TryStreamExt::try_next(&mut rows).await? {
        first.get_or_insert(row);
    }
    Ok(first)
}

fn time(type_: &Type, raw: &[u8]) -> Option<DateTime<Utc>> {
    if *type_ == Type::TIMESTAMPTZ {
        // Microseconds since the beginning of 2000; the ends of the range are infinity.
        let micros = value::number(raw).ok().filter(|micros| micros.unsigned_abs() < INFINITY)?;
        return POSTGRES_EPOCH.checked_add_signed(TimeDelta::microseconds(micros));
    }
    match Kind::of(type_)? {
        Kind::Text | Kind::Padded => {
            let text = std::str::from_utf8(raw).ok()?;
            Some(DateTime::parse_from_rfc3339(text.trim()).ok()?.to_utc())
        }
        Kind::Number => DateTime::from_timestamp(value::number(raw).ok()?, 0),
        Kind::Uuid => None,
    }
}

const INFINITY: u64 = i64::MAX.unsigned_abs();

const POSTGRES_EPOCH: DateTime<Utc> = match DateTime::from_timestamp(946_684_800, 0) {
    Some(epoch) => epoch,
    None => DateTime::UNIX_EPOCH,
};
