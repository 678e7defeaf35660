//! Records, and what all calls about them have in common.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    call::Call,
    client::Client,
    decode,
    error::{Error, ErrorKind},
    ids::ContactId,
    paging::Pages,
};

/// The service's largest page of records.
const LARGEST_PAGE: u16 = 5000;

/// A record. `T` is what its content is read as, such as a type of the caller's own.
///
/// `Debug` does not show the content, which may tell of a person.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Record<T> {
    /// Its key. Keep it unique in the whole collection: whether contacts may share one is not
    /// documented.
    #[serde(deserialize_with = "text_or_number")]
    pub key: String,
    /// Its content.
    pub json: T,
    /// When it was created. `None` when missing or in a spelling this crate does not know.
    #[serde(default, deserialize_with = "decode::lenient_time")]
    pub created: Option<DateTime<Utc>>,
    /// When it was last changed. `None` when missing or in a spelling this crate does not know.
    #[serde(default, deserialize_with = "decode::lenient_time")]
    pub updated: Option<DateTime<Utc>>,
    /// The contact it is about. `None` for a record of the account.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub owner_contact_id: Option<ContactId>,
}

impl<T> fmt::Debug for Record<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("key", &self.key)
            .field("created", &self.created)
            .field("updated", &self.updated)
            .field("owner_contact_id", &self.owner_contact_id)
            .finish_non_exhaustive()
    }
}

/// Which records to read, and how many at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordQuery {
    /// Only records that were changed at this time or later.
    pub modified_since: Option<DateTime<Utc>>,
    /// How many records a page has, which is brought into 1 to 5000.
    pub page_size: u16,
}

impl RecordQuery {
    /// All records, 1000 a page.
    pub fn new() -> Self {
        Self { modified_since: None, page_size: 1000 }
    }

    /// Only records that were changed at this time or later. Times are sent to the millisecond.
    #[must_use]
    pub fn modified_since(mut self, since: DateTime<Utc>) -> Self {
        self.modified_since = Some(since);
        self
    }

    /// How many records a page has, which is brought into 1 to 5000.
    #[must_use]
    pub fn page_size(mut self, records: u16) -> Self {
        self.page_size = records;
        self
    }

    pub(super) fn pages<T>(&self, client: Client, call: Call) -> Pages<Record<T>> {
        let call = match self.modified_since {
            Some(since) => call.query("~modified", since.format("gte::%Y-%m-%dT%H:%M:%S%.3fZ")),
            None => call,
        };
        Pages::by_marker(client, call, self.page_size.clamp(1, LARGEST_PAGE).into())
    }
}

impl Default for RecordQuery {
    fn default() -> Self {
        Self::new()
    }
}

/// What became of a bulk deletion of records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedRecords {
    /// How many records were deleted.
    pub deleted: u64,
    /// The keys that no record had.
    pub not_found: Vec<String>,
}

impl<'de> Deserialize<'de> for DeletedRecords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            #[serde(default, deserialize_with = "decode::null_as_default")]
            summary: Summary,
            #[serde(default, deserialize_with = "decode::null_as_default")]
            not_found: Vec<String>,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Summary {
            #[serde(default, deserialize_with = "decode::count")]
            total_deleted: u64,
        }
        let wire = Wire::deserialize(deserializer)?;
        Ok(Self { deleted: wire.summary.total_deleted, not_found: wire.not_found })
    }
}

/// Reads one record, `None` when the collection has none of that key.
pub(super) async fn find<T: DeserializeOwned>(
    client: &Client,
    call: &Call,
) -> Result<Option<Record<T>>, Error> {
    match client.send(call).await {
        Ok(answer) => decode::json(call, &answer).map(Some),
        Err(error) if is_missing(&error, "insightData:recordNotFound") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Stores one record, and tells whether it is new.
pub(super) async fn put<T: Serialize + ?Sized>(
    client: &Client,
    call: Call,
    content: &T,
) -> Result<bool, Error> {
    let Some(content) = object(content) else {
        return Err(Error::refused(call.endpoint, "a record's content is no JSON object"));
    };
    Ok(client.send(&call.json(&content)?).await?.response.status == 201)
}

/// Deletes one record, and tells whether there was one.
pub(super) async fn delete(client: &Client, call: &Call) -> Result<bool, Error> {
    match client.send(call).await {
        Ok(_) => Ok(true),
        Err(error) if is_missing(&error, "insightData:recordNotFound") => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether an error says that the thing of this code does not exist, and nothing else.
pub(super) fn is_missing(error: &Error, code: &str) -> bool {
    let code_fits = error.code().is_none_or(|it| it.eq_ignore_ascii_case(code));
    error.kind() == ErrorKind::NotFound && code_fits
}

/// The content of a record: a JSON object, or nothing when it is something else.
pub(super) fn object<T: Serialize + ?Sized>(content: &T) -> Option<Value> {
    serde_json::to_value(content).ok().filter(Value::is_object)
}

/// The vendor describes a text and shows a number too.
pub(super) fn text_or_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    let text = decode::lenient_text(Value::deserialize(deserializer)?);
    text.ok_or_else(|| serde::de::Error::custom("neither a text nor a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_records_are_still_read() {
        let record: Record<Value> = serde_json::from_str(
            r#"{"key":24938,"json":{"secret":"jane@example.com"},"created":"2023-04-17T11:50:40.390Z",
                "updated":null,"ownerContactId":"12","new":[]}"#,
        )
        .unwrap();
        assert_eq!((record.key.as_str(), record.updated), ("24938", None));
        assert_eq!(record.owner_contact_id, ContactId::new(12).ok());
        assert!(record.created.is_some() && !format!("{record:?}").contains("jane"));
    }

    #[test]
    fn only_an_object_is_the_content_of_a_record() {
        assert!(object(&serde_json::json!({})).is_some());
        assert!(object(&[1]).is_none());
        assert!(object("{}").is_none());
    }
}
