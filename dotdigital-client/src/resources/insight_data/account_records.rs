//! The records of a collection of the account.

use serde::{Serialize, de::DeserializeOwned};

use super::{CollectionName, DeletedRecords, Record, RecordKey, RecordKeys, RecordQuery, record};
use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::Error,
    limits::Tier,
    paging::Pages,
};

/// Calls about the records of one collection of the account. From
/// [`InsightData::account_records`](super::InsightData::account_records).
#[derive(Clone, Debug)]
pub struct AccountRecords {
    client: Client,
    collection: CollectionName,
}

impl AccountRecords {
    pub(super) fn new(client: Client, collection: CollectionName) -> Self {
        Self { client, collection }
    }

    /// The records of the collection, the oldest first, page by page.
    ///
    /// `GET /insightData/v3/account/{collectionName}` (tier: low)
    pub fn pages<T: DeserializeOwned>(&self, query: &RecordQuery) -> Pages<Record<T>> {
        let call = Call::read("GET /insightData/v3/account/{collectionName}", Tier::Low);
        query.pages(self.client.clone(), call.arg(&self.collection))
    }

    /// The record of that key, or `None` when the collection has none.
    ///
    /// `GET /insightData/v3/account/{collectionName}/{recordId}` (tier: high)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such collection.
    pub async fn find<T: DeserializeOwned>(
        &self,
        key: &RecordKey,
    ) -> Result<Option<Record<T>>, Error> {
        const ENDPOINT: &str = "GET /insightData/v3/account/{collectionName}/{recordId}";
        record::find(&self.client, &self.of(Call::read(ENDPOINT, Tier::High), key)).await
    }

    /// Stores a record in place of any other of that key, and tells whether it is new. Its content
    /// has to become a JSON object. Repeating it does no harm, so `false` may also mean that an
    /// answer was lost on the way.
    ///
    /// `PUT /insightData/v3/account/{collectionName}/{recordId}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such collection, and
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before sending for a content that is no
    /// JSON object.
    pub async fn put<T: Serialize + ?Sized>(
        &self,
        key: &RecordKey,
        content: &T,
    ) -> Result<bool, Error> {
        const ENDPOINT: &str = "PUT /insightData/v3/account/{collectionName}/{recordId}";
        let call = self.of(Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless), key);
        record::put(&self.client, call, content).await
    }

    /// Deletes the record of that key, and tells whether there was one. Repeating it does no harm,
    /// so `false` may also mean that an answer was lost on the way.
    ///
    /// `DELETE /insightData/v3/account/{collectionName}/{recordId}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such collection.
    pub async fn delete(&self, key: &RecordKey) -> Result<bool, Error> {
        const ENDPOINT: &str = "DELETE /insightData/v3/account/{collectionName}/{recordId}";
        let call = self.of(Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless), key);
        record::delete(&self.client, &call).await
    }

    /// Deletes the records of those keys. Repeating it does no harm.
    ///
    /// `DELETE /insightData/v3/accounts/{collectionName}/deleteRecords` (tier: low)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such collection.
    pub async fn delete_many(&self, keys: &RecordKeys) -> Result<DeletedRecords, Error> {
        const ENDPOINT: &str = "DELETE /insightData/v3/accounts/{collectionName}/deleteRecords";
        let call = Call::new(ENDPOINT, Tier::Low, Repeat::Harmless).arg(&self.collection);
        let call = call.json(keys)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    fn of(&self, call: Call, key: &RecordKey) -> Call {
        call.arg(&self.collection).arg(key)
    }
}
