//! Parameters and bodies as the v2 calls share them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use super::{answer::v2_error, query::Query};
use crate::transport::HttpResponse;

const LARGEST_PAGE: usize = 1_000;
const LARGEST_INT32: usize = i32::MAX as usize;

/// Which part of a collection is asked for.
pub(super) struct Slice {
    select: usize,
    skip: usize,
}

impl Slice {
    pub(super) fn read(query: &Query) -> Result<Self, HttpResponse> {
        Self::named(query, "select")
    }

    /// Reads a slice whose size has another name.
    pub(super) fn named(query: &Query, select: &str) -> Result<Self, HttpResponse> {
        let select = query.number(select, 1..=LARGEST_PAGE, LARGEST_PAGE).ok_or_else(invalid)?;
        let skip = query.number("skip", 0..=LARGEST_INT32, 0).ok_or_else(invalid)?;
        Ok(Self { select, skip })
    }

    pub(super) fn of<T>(&self, all: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        all.into_iter().skip(self.skip).take(self.select)
    }
}

/// The people of a collection that is read by contact id, 1,000 at a time.
pub(super) struct ContactSlice {
    least: usize,
}

impl ContactSlice {
    pub(super) fn read(query: &Query) -> Result<Self, HttpResponse> {
        let least = query.number("minContactID", 0..=LARGEST_INT32, 0).ok_or_else(invalid)?;
        Ok(Self { least })
    }

    /// The highest contact id that is left out.
    pub(super) fn after(&self) -> i64 {
        i64::try_from(self.least).map_or(i64::MAX, |least| least - 1)
    }

    pub(super) fn of<T>(&self, found: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        found.take(LARGEST_PAGE)
    }
}

/// Reads an id of 32 bits, as all of v2 are.
pub(super) fn int32(text: &str) -> Result<i32, HttpResponse> {
    text.parse().map_err(|_| invalid())
}

/// Reads the date, or date and time, from which a collection is asked for.
pub(super) fn since(text: &str) -> Result<DateTime<Utc>, HttpResponse> {
    let zoned = || DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
    let bare = || text.parse::<NaiveDateTime>().ok().map(|at| at.and_utc());
    let day = || text.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    zoned().or_else(bare).or_else(day).ok_or_else(invalid)
}

/// A time as the v2 services write it.
pub(super) fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A parameter that is not what it has to be.
pub(super) fn invalid() -> HttpResponse {
    v2_error(400, "ERROR_PARAMETER_INVALID")
}

/// The body as an object; anything else is malformed.
pub(super) fn object(body: &Value) -> Result<&Map<String, Value>, HttpResponse> {
    body.as_object().ok_or_else(|| v2_error(400, "ERROR_MALFORMED_REQUEST"))
}

/// The body as an array; anything else is malformed.
pub(super) fn array(body: &Value) -> Result<&Vec<Value>, HttpResponse> {
    body.as_array().ok_or_else(|| v2_error(400, "ERROR_MALFORMED_REQUEST"))
}

/// A whole number of 32 bits.
pub(super) fn int32_value(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| i32::try_from(number).ok())
}

/// Data fields as an array of keys and texts.
pub(super) fn pairs(fields: &Value) -> Option<Map<String, Value>> {
    let pair = |field: &Value| {
        let (key, value) = (field.get("key")?.as_str()?, field.get("value")?.as_str()?);
        Some((key.to_owned(), value.into()))
    };
    fields.as_array()?.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_every_iso_spelling() {
        for text in [
            "2026-01-02",
            "2026-01-02T00:00:00",
            "2026-01-02T00:00:00Z",
            "2026-01-02T01:00:00.000+01:00",
        ] {
            assert_eq!(
                since(text).map(timestamp).ok().as_deref(),
                Some("2026-01-02T00:00:00.000Z")
            );
        }
        for wrong in ["", "yesterday", "2026-13-01", "02/01/2026", "1767312000"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
