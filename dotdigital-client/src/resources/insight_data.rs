//! Insight data: collections of records about contacts or about the account, such as orders or a
//! catalogue.

mod account_records;
mod collection;
mod contact_records;
#[cfg(feature = "account-deletion")]
mod deletion;
mod import;
mod job;
mod names;
mod record;

use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::Error,
    identifier::Identifier,
    ids::{InsightImportId, InsightJobId},
    limits::{JobKind, Tier},
    paging::Pages,
    polling::{self, PollPolicy},
};

pub use account_records::AccountRecords;
pub use collection::{Collection, CollectionSchema, CollectionScope, CollectionType};
pub use contact_records::ContactRecords;
pub use import::{InsightImport, InsightImportError, InsightImportLimits};
pub use job::{
    ImportFailure, ImportFailureReason, ImportStatus, ImportSummary, JobFailure, JobState,
    JobStatus, JobSummary,
};
pub use names::{CollectionName, InvalidCollectionName, InvalidRecordKey, RecordKey, RecordKeys};
pub use record::{DeletedRecords, Record, RecordQuery};

/// Calls about Insight data. From [`Client::insight_data`].
#[derive(Clone, Debug)]
pub struct InsightData {
    client: Client,
}

impl InsightData {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The records of one collection of the account.
    pub fn account_records(&self, collection: CollectionName) -> AccountRecords {
        AccountRecords::new(self.client.clone(), collection)
    }

    /// The records that one contact has in a collection.
    pub fn contact_records(
        &self,
        contact: Identifier,
        collection: CollectionName,
    ) -> ContactRecords {
        ContactRecords::new(self.client.clone(), contact, collection)
    }

    /// All collections, those of the account and those of contacts.
    ///
    /// `GET /insightData/v3/collections` (tier: medium)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn collections(&self) -> Result<Vec<Collection>, Error> {
        let call = Call::read("GET /insightData/v3/collections", Tier::Medium);
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// The collections of the account.
    ///
    /// `GET /insightData/v3/account` (tier: medium)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn account_collections(&self) -> Result<Vec<Collection>, Error> {
        let call = Call::read("GET /insightData/v3/account", Tier::Medium);
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// The collections in which a contact has records.
    ///
    /// `GET /insightData/v3/contacts/{identifier}/{value}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such contact.
    pub async fn contact_collections(
        &self,
        contact: &Identifier,
    ) -> Result<Vec<Collection>, Error> {
        let call = Call::read("GET /insightData/v3/contacts/{identifier}/{value}", Tier::Medium);
        let call = call.arg(contact.name()).arg(contact.path_value());
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Creates an empty collection, and tells whether it is new: one that exists is left as it is.
    /// Repeating it does no harm, so `false` may also mean that an answer was lost on the way.
    ///
    /// `POST /insightData/v3/collections/{collectionName}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) when the account has as many
    /// collections as it may have (1000).
    pub async fn create_collection(
        &self,
        name: &CollectionName,
        scope: CollectionScope,
        kind: &CollectionType,
    ) -> Result<bool, Error> {
        let answer = self.client.send(&create_collection_call(name, scope, kind)).await?;
        Ok(answer.response.status == 201)
    }

    /// The fields that records of a collection have, or `None` when there is no such collection.
    ///
    /// `GET /insightData/v3/collections/{collectionName}/schema` (tier: high)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn schema<S: DeserializeOwned>(
        &self,
        name: &CollectionName,
    ) -> Result<Option<CollectionSchema<S>>, Error> {
        let call =
            Call::read("GET /insightData/v3/collections/{collectionName}/schema", Tier::High);
        let call = call.arg(name);
        match self.client.send(&call).await {
            Ok(answer) => decode::json(&call, &answer).map(Some),
            Err(error) if record::is_missing(&error, "insightData:collectionNotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The records that all contacts have in a collection, the oldest first, page by page.
    ///
    /// `GET /insightData/v3/contacts/{collectionName}` (tier: low)
    pub fn records_of_all_contacts<T: DeserializeOwned>(
        &self,
        collection: &CollectionName,
        query: &RecordQuery,
    ) -> Pages<Record<T>> {
        let call = Call::read("GET /insightData/v3/contacts/{collectionName}", Tier::Low);
        query.pages(self.client.clone(), call.arg(collection))
    }

    /// Hands in records to create or replace, and returns at once. A collection that does not
    /// exist is created, a contact that does not exist is not. Repeated only when it cannot have
    /// been acted on: a second job would do the same work again.
    ///
    /// How many such imports an account may have at work is not documented. When the service says
    /// that it has too many, this waits for a free slot as long as
    /// [`LimitSettings::slot_wait`](crate::LimitSettings) allows.
    ///
    /// `PUT /insightData/v3/import` (tier: low)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SlotsFull`](crate::ErrorKind::SlotsFull) when no slot came free, and
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before sending for an import without
    /// records.
    pub async fn submit(&self, import: &InsightImport) -> Result<InsightImportId, Error> {
        let call = submit_call(import)?;
        let submitted: Submitted = decode::json(&call, &self.client.send(&call).await?)?;
        Ok(submitted.import_id)
    }

    /// How far an import has come and, once it has ended, which records were refused.
    ///
    /// `GET /insightData/v3/import/{importId}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the service does not know the
    /// import (any more).
    pub async fn status(&self, import: &InsightImportId) -> Result<ImportStatus, Error> {
        let call = status_call(import);
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Asks about an import until it has ended. Dropping the future leaves the import at work.
    ///
    /// `GET /insightData/v3/import/{importId}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::GaveUp`](crate::ErrorKind::GaveUp) when it takes longer than `policy` allows,
    /// and as [`status`](Self::status) does.
    pub async fn wait(
        &self,
        import: &InsightImportId,
        policy: &PollPolicy,
    ) -> Result<ImportStatus, Error> {
        let has_ended = |status: &ImportStatus| status.state.is_terminal();
        polling::until_ended(&self.client, &status_call(import), policy, has_ended, |_| {}).await
    }

    /// How far the deleting or emptying of a collection has come.
    ///
    /// `GET /insightData/v3/async/{jobId}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the service does not know the job
    /// (any more).
    pub async fn job(&self, job: &InsightJobId) -> Result<JobStatus, Error> {
        let call = job_call(job);
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Asks about the deleting or emptying of a collection until it has ended. Dropping the future
    /// leaves it at work.
    ///
    /// `GET /insightData/v3/async/{jobId}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::GaveUp`](crate::ErrorKind::GaveUp) when it takes longer than `policy` allows,
    /// and as [`job`](Self::job) does.
    pub async fn wait_for_job(
        &self,
        job: &InsightJobId,
        policy: &PollPolicy,
    ) -> Result<JobStatus, Error> {
        let has_ended = |status: &JobStatus| status.state.is_terminal();
        polling::until_ended(&self.client, &job_call(job), policy, has_ended, |_| {}).await
    }
}

#[derive(Deserialize)]
struct Submitted {
    #[serde(rename = "importId")]
    import_id: InsightImportId,
}

fn create_collection_call(
    name: &CollectionName,
    scope: CollectionScope,
    kind: &CollectionType,
) -> Call {
    const ENDPOINT: &str = "POST /insightData/v3/collections/{collectionName}";
    let call = Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless).arg(name);
    call.query("collectionScope", scope.as_str()).query("collectionType", kind)
}

fn submit_call(import: &InsightImport) -> Result<Call, Error> {
    const ENDPOINT: &str = "PUT /insightData/v3/import";
    if import.is_empty() {
        return Err(Error::refused(ENDPOINT, "an import needs at least one record"));
    }
    let call = Call::new(ENDPOINT, Tier::Low, Repeat::ActsAgain);
    Ok(call.starting(JobKind::InsightImport).bytes(import.bytes()))
}

fn status_call(import: &InsightImportId) -> Call {
    Call::read("GET /insightData/v3/import/{importId}", Tier::Unlimited).arg(import)
}

fn job_call(job: &InsightJobId) -> Call {
    Call::read("GET /insightData/v3/async/{jobId}", Tier::Unlimited).arg(job)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_never_marked_as_repeatable_and_never_empty() {
        let name = CollectionName::parse("Orders").unwrap();
        let mut import =
            InsightImport::new(&name, &CollectionType::Custom, InsightImportLimits::default());
        assert!(submit_call(&import).is_err());
        let record = serde_json::json!({"a": 1});
        let _ = import.push(&RecordKey::parse("1").unwrap(), &record).unwrap();
        assert_eq!(submit_call(&import).unwrap().repeat, Repeat::ActsAgain);
    }
}
