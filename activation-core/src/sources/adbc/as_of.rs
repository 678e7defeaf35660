//! Of when the data are.

use adbc_driver_manager::ManagedConnection;
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType,
    cast::AsArray,
    types::{
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType,
    },
};
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, Utc};

use super::{
    error::{Confidential, explain_broken},
    execute,
};
use crate::{SourceError, sources::arrow};

/// The time that `query` gives.
pub(super) fn read(
    connection: &mut ManagedConnection,
    query: &str,
    place: &str,
    confidential: &Confidential,
) -> Result<DateTime<Utc>, SourceError> {
    let (_statement, reader) = execute(connection, query, place, confidential)?;
    let mut first = None;
    // To the end, since the connection has to be free for the next query.
    for batch in reader {
        let batch = batch.map_err(|error| explain_broken(place, &error, confidential))?;
        if first.is_none() && batch.num_rows() > 0 && batch.num_columns() > 0 {
            first = Some(batch.column(0).slice(0, 1));
        }
    }
    let refuse = |why: &str| SourceError::permanent(format!("{place} {why}"));
    let Some(value) = first else { return Err(refuse("gives no time")) };
    if let DataType::Timestamp(_, None) = value.data_type() {
        return Err(refuse("gives a time without a time zone: cast it to one with it"));
    }
    time(&value).ok_or_else(|| refuse("gives no time"))
}

/// The time in the first row.
fn time(value: &ArrayRef) -> Option<DateTime<Utc>> {
    match value.data_type() {
        DataType::Timestamp(unit, _) => {
            let count = match unit {
                TimeUnit::Second => number::<TimestampSecondType>(value)?,
                TimeUnit::Millisecond => number::<TimestampMillisecondType>(value)?,
                TimeUnit::Microsecond => number::<TimestampMicrosecondType>(value)?,
                TimeUnit::Nanosecond => number::<TimestampNanosecondType>(value)?,
            };
            match unit {
                TimeUnit::Second => DateTime::from_timestamp(count, 0),
                TimeUnit::Millisecond => DateTime::from_timestamp_millis(count),
                TimeUnit::Microsecond => DateTime::from_timestamp_micros(count),
                TimeUnit::Nanosecond => Some(DateTime::from_timestamp_nanos(count)),
            }
        }
        _ => {
            let text = arrow::text(value)?;
            match text.parse() {
                Ok(seconds) if is_number(value) => DateTime::from_timestamp(seconds, 0),
                _ => Some(DateTime::parse_from_rfc3339(text.trim()).ok()?.to_utc()),
            }
        }
    }
}

fn is_number(value: &ArrayRef) -> bool {
    value.data_type().is_integer() || matches!(value.data_type(), DataType::Decimal128(..))
}

fn number<T: ArrowPrimitiveType<Native = i64>>(value: &ArrayRef) -> Option<i64> {
    value.is_valid(0).then(|| value.as_primitive::<T>().value(0))
}
