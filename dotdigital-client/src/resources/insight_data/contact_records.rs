//! The records that one contact has in a collection.

use serde::{Serialize, de::DeserializeOwned};

use super::{CollectionName, DeletedRecords, Record, RecordKey, RecordKeys, RecordQuery, record};
use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::Error,
    identifier::Identifier,
    limits::Tier,
    paging::Pages,
};

/// Calls about the records that one contact has in a collection. From
/// [`InsightData::contact_records`](super::InsightData::contact_records).
#[derive(Clone, Debug)]
pub struct ContactRecords {
    pub(super) client: Client,
    contact: Identifier,
    collection: CollectionName,
}

impl ContactRecords {
    pub(super) fn new(client: Client, contact: Identifier, collection: CollectionName) -> Self {
        Self { client, contact, collection }
    }

    /// The contact's records, the oldest first, page by page.
    ///
    /// `GET /insightData/v3/contacts/{identifier}/{value}/{collectionName}` (tier: low)
    pub fn pages<T: DeserializeOwned>(&self, query: &RecordQuery) -> Pages<Record<T>> {
        const ENDPOINT: &str = "GET /insightData/v3/contacts/{identifier}/{value}/{collectionName}";
        query.pages(self.client.clone(), self.of_contact(Call::read(ENDPOINT, Tier::Low)))
    }

    /// The contact's record of that key, or `None` when it has none.
    ///
    /// `GET /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}` (tier: high)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such contact or
    /// collection.
    pub async fn find<T: DeserializeOwned>(
        &self,
        key: &RecordKey,
    ) -> Result<Option<Record<T>>, Error> {
        const ENDPOINT: &str =
            "GET /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}";
        let call = self.of_contact(Call::read(ENDPOINT, Tier::High)).arg(key);
        record::find(&self.client, &call).await
    }

    /// Stores a record of the contact in place of any other of that key, and tells whether it is
    /// new. Its content has to become a JSON object. Repeating it does no harm, so `false` may also
    /// mean that an answer was lost on the way.
    ///
    /// `PUT /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such contact or
    /// collection, and [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before sending for a
    /// content that is no JSON object.
    pub async fn put<T: Serialize + ?Sized>(
        &self,
        key: &RecordKey,
        content: &T,
    ) -> Result<bool, Error> {
        const ENDPOINT: &str =
            "PUT /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}";
        let call = self.of_contact(Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless)).arg(key);
        record::put(&self.client, call, content).await
    }

    /// Deletes the contact's record of that key, and tells whether there was one. Repeating it
    /// does no harm, so `false` may also mean that an answer was lost on the way.
    ///
    /// `DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such contact or
    /// collection.
    pub async fn delete(&self, key: &RecordKey) -> Result<bool, Error> {
        const ENDPOINT: &str =
            "DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}";
        let call = self.of_contact(Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless)).arg(key);
        record::delete(&self.client, &call).await
    }

    /// Deletes the contact's records of those keys. Repeating it does no harm.
    ///
    /// `DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/deleteRecords` (tier: low)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such contact or
    /// collection.
    pub async fn delete_many(&self, keys: &RecordKeys) -> Result<DeletedRecords, Error> {
        const ENDPOINT: &str =
            "DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/deleteRecords";
        let call = self.of_contact(Call::new(ENDPOINT, Tier::Low, Repeat::Harmless));
        let call = call.json(keys)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    pub(super) fn of_contact(&self, call: Call) -> Call {
        call.arg(self.contact.name()).arg(self.contact.path_value()).arg(&self.collection)
    }
}
