//! Calls that delete all records at once. Nothing brings them back.

use serde::Deserialize;

use super::{CollectionName, ContactRecords, InsightData};
use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::Error,
    ids::InsightJobId,
    limits::Tier,
};

#[cfg_attr(docsrs, doc(cfg(feature = "account-deletion")))]
impl InsightData {
    /// **Deletes the collection and all its records**, those of every contact if it is one of
    /// contacts, and with it what segments, campaigns and recommendations take from it. The work
    /// is done later, see [`wait_for_job`](Self::wait_for_job).
    ///
    /// `DELETE /insightData/v3/collections/{collectionName}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such collection.
    pub async fn delete_collection(&self, name: &CollectionName) -> Result<InsightJobId, Error> {
        start(&self.client, &delete_call(name)).await
    }

    /// **Deletes all records of the collection**, those of every contact if it is one of contacts,
    /// and leaves the empty collection. The work is done later, see
    /// [`wait_for_job`](Self::wait_for_job).
    ///
    /// `DELETE /insightData/v3/collections/{collectionName}/empty` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such collection.
    pub async fn empty_collection(&self, name: &CollectionName) -> Result<InsightJobId, Error> {
        start(&self.client, &empty_call(name)).await
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "account-deletion")))]
impl ContactRecords {
    /// **Deletes all records that the contact has in the collection.** The work is done later, see
    /// [`InsightData::wait_for_job`].
    ///
    /// `DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/empty` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such contact or
    /// collection.
    pub async fn empty(&self) -> Result<InsightJobId, Error> {
        const ENDPOINT: &str =
            "DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/empty";
        let call = Call::new(ENDPOINT, Tier::Medium, Repeat::ActsAgain);
        start(&self.client, &self.of_contact(call)).await
    }
}

#[derive(Deserialize)]
struct Started {
    #[serde(rename = "jobId")]
    job: InsightJobId,
}

async fn start(client: &Client, call: &Call) -> Result<InsightJobId, Error> {
    let started: Started = decode::json(call, &client.send(call).await?)?;
    Ok(started.job)
}

/// Not repeated: by then somebody may have filled a new collection of that name.
fn delete_call(name: &CollectionName) -> Call {
    const ENDPOINT: &str = "DELETE /insightData/v3/collections/{collectionName}";
    Call::new(ENDPOINT, Tier::Medium, Repeat::ActsAgain).arg(name)
}

fn empty_call(name: &CollectionName) -> Call {
    const ENDPOINT: &str = "DELETE /insightData/v3/collections/{collectionName}/empty";
    Call::new(ENDPOINT, Tier::Medium, Repeat::ActsAgain).arg(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deleting_all_records_is_never_marked_as_repeatable() {
        let name = CollectionName::parse("Orders").unwrap();
        assert_eq!(delete_call(&name).repeat, Repeat::ActsAgain);
        assert_eq!(empty_call(&name).repeat, Repeat::ActsAgain);
    }
}
