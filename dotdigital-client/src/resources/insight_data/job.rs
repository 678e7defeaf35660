//! How far imports and other jobs have come, and what became of them.

use std::fmt;

use serde::Deserialize;

use super::record::text_or_number;
use crate::{decode, service_enum::service_enum};

service_enum! {
    /// How far a job has come.
    JobState {
        /// Not begun.
        NotStarted = "NotStarted",
        /// At work, in the word of imports.
        Processing = "Processing",
        /// At work, in the word of other jobs.
        NotFinished = "NotFinished",
        /// Done. Single records may still have failed.
        Finished = "Finished",
        /// The same, in another word of imports.
        Complete = "Complete",
        /// Failed as a whole.
        Failed = "Failed",
    }
}

impl JobState {
    /// Whether the job has ended. A state that this crate does not know counts as ended.
    pub fn is_terminal(&self) -> bool {
        !matches!(self, Self::NotStarted | Self::Processing | Self::NotFinished)
    }
}

service_enum! {
    /// Why a record was refused.
    ImportFailureReason {
        /// The service does not tell.
        Unknown = "Unknown",
        /// The key cannot be one.
        InvalidClientKey = "InvalidClientKey",
        /// The contact's identifier cannot be one.
        InvalidContactIdentifier = "InvalidContactIdentifier",
        /// The content is not JSON.
        InvalidJson = "InvalidJson",
        /// Another record of the import has the same key.
        DuplicateKey = "DuplicateKey",
        /// The account has no contact of that id.
        ContactIdDoesNotExist = "ContactIdDoesNotExist",
        /// The account has no contact of that address.
        ContactEmailDoesNotExist = "ContactEmailDoesNotExist",
        /// The content has an array within an array.
        JsonContainsNestedArray = "JsonContainsNestedArray",
        /// The name of a field is too long.
        JsonKeyTooLong = "JsonKeyTooLong",
        /// The name of a field has characters that it may not have.
        JsonKeyInvalidCharacters = "JsonKeyInvalidCharacters",
        /// A value is too long.
        JsonValueTooLong = "JsonValueTooLong",
        /// A value is of another type than the collection has it.
        JsonValueIncompatibleWithSchema = "JsonValueIncompatibleWithSchema",
        /// A number is too large.
        JsonNumberValueTooLarge = "JsonNumberValueTooLarge",
    }
}

/// How far an import has come and, once it has ended, what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImportStatus {
    /// How far it has come.
    #[serde(rename = "status")]
    pub state: JobState,
    /// How many records went in. `None` until it has ended.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub summary: Option<ImportSummary>,
    /// The records that were refused.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub failures: Vec<ImportFailure>,
}

/// How many records of an import went in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImportSummary {
    /// Records handed in.
    #[serde(default, rename = "totalRecords", deserialize_with = "decode::count")]
    pub records: u64,
    /// Records stored.
    #[serde(default, rename = "totalImported", deserialize_with = "decode::count")]
    pub imported: u64,
    /// Records refused.
    #[serde(default, rename = "totalRejected", deserialize_with = "decode::count")]
    pub rejected: u64,
}

/// A record that was refused.
///
/// `Debug` shows neither the contact nor what the service says in prose, which may quote values.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImportFailure {
    /// The record's key.
    #[serde(deserialize_with = "text_or_number")]
    pub key: String,
    /// Why.
    #[serde(rename = "failureReason")]
    pub reason: ImportFailureReason,
    /// The same in prose.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub details: Vec<String>,
    #[serde(default, deserialize_with = "decode::lenient")]
    collection_owner: Option<Owner>,
}

impl ImportFailure {
    /// Name and value of the identifier of the contact that the record was for. `None` for a
    /// record of the account.
    pub fn contact(&self) -> Option<(&str, &str)> {
        let identity = self.collection_owner.as_ref()?.contact_identity.as_ref()?;
        Some((&identity.identifier, identity.value.as_deref()?))
    }
}

impl fmt::Debug for ImportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportFailure")
            .field("key", &self.key)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    #[serde(default)]
    contact_identity: Option<ContactIdentity>,
}

#[derive(Clone, PartialEq, Eq, Deserialize)]
struct ContactIdentity {
    identifier: String,
    #[serde(default)]
    value: Option<String>,
}

/// How far the deleting or emptying of a collection has come.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct JobStatus {
    /// How far it has come.
    #[serde(rename = "status")]
    pub state: JobState,
    /// How many records it dealt with. `None` until the service tells.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub summary: Option<JobSummary>,
    /// What went wrong.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub failures: Vec<JobFailure>,
}

/// How many records a job dealt with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JobSummary {
    /// Records the job was about.
    #[serde(default, rename = "totalRecords", deserialize_with = "decode::count")]
    pub records: u64,
    /// Records done.
    #[serde(default, rename = "totalProcessed", deserialize_with = "decode::count")]
    pub processed: u64,
    /// Records that failed.
    #[serde(default, rename = "totalFailed", deserialize_with = "decode::count")]
    pub failed: u64,
}

/// Something that went wrong in a job.
///
/// `Debug` does not show what the service says in prose, which may quote values.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JobFailure {
    /// The service's code, such as `insightData:collectionNotFound`.
    #[serde(rename = "errorCode")]
    pub code: String,
    /// The same in prose.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub description: String,
}

impl fmt::Debug for JobFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobFailure").field("code", &self.code).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_to_come_or_at_work_goes_on() {
        for word in ["NotStarted", "processing", "NotFinished"] {
            assert!(!JobState::from(word).is_terminal(), "{word}");
        }
        for word in ["Finished", "Complete", "Failed", "NotAvailableInThisVersion"] {
            assert!(JobState::from(word).is_terminal(), "{word}");
        }
    }

    #[test]
    fn a_refused_record_tells_whose_it_was_and_debug_does_not() {
        let failure: ImportFailure = serde_json::from_str(
            r#"{"key":"7","failureReason":"jsonValueTooLong","details":["jane@example.com is long"],
                "collectionOwner":{"ownerType":"contact",
                "contactIdentity":{"identifier":"email","value":"jane@example.com"}},"json":{}}"#,
        )
        .unwrap();
        assert_eq!(failure.contact(), Some(("email", "jane@example.com")));
        assert_eq!(failure.reason, ImportFailureReason::JsonValueTooLong);
        assert!(!format!("{failure:?}").contains("jane"));
        let odd = r#"{"key":7,"failureReason":"New","details":null,"collectionOwner":5}"#;
        let failure: ImportFailure = serde_json::from_str(odd).unwrap();
        assert_eq!(failure.contact(), None);
    }
}
