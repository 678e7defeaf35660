//! The members of a list: read them, take them off.

use serde::{Deserialize, Serialize};

use crate::{
    call::{Call, Repeat},
    client::Client,
    contacts::Contact,
    decode,
    error::Error,
    ids::{ContactId, ListId, RemovalJobId},
    limits::Tier,
    paging::Pages,
    service_enum::service_enum,
};

/// The service's largest page of contacts.
const LARGEST_PAGE: u16 = 5000;

service_enum! {
    /// How far a bulk removal has come.
    RemovalState {
        /// At work.
        Started = "Started",
        /// Done. The service does not say what became of each contact.
        Completed = "Completed",
        /// Not done, or only in part.
        Failed = "Failed",
    }
}

/// A bulk removal that the service has taken on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RemovalJob {
    /// By which to ask for it later.
    #[serde(alias = "Id")]
    pub id: RemovalJobId,
    /// How far it has come.
    #[serde(alias = "Status", rename = "status")]
    pub state: RemovalState,
}

/// What became of a single removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removal {
    /// The contact is not on the list any more, or never was.
    Removed,
    /// The account has no such contact any more.
    ContactUnknown,
}

/// Why contact ids cannot go into one bulk removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidContactIds {
    /// There are none.
    #[error("no contact ids were given")]
    Empty,
    /// There are too many for one call.
    #[error("{count} contact ids are more than the {most} of one call")]
    TooMany {
        /// How many were given.
        count: usize,
        /// How many are allowed.
        most: usize,
    },
}

/// The contact ids of one bulk removal: at least one, and not too many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContactIds(Vec<ContactId>);

impl ContactIds {
    /// How many ids go into one call unless said otherwise. The service documents no limit.
    pub const MOST: usize = 1000;

    /// Checks the ids of one call, up to [`MOST`](Self::MOST).
    ///
    /// # Errors
    ///
    /// Fails when there are none or too many.
    pub fn new(ids: Vec<ContactId>) -> Result<Self, InvalidContactIds> {
        Self::with_most(ids, Self::MOST)
    }

    /// Checks the ids of one call against another limit.
    ///
    /// # Errors
    ///
    /// Fails when there are none or more than `most`.
    pub fn with_most(ids: Vec<ContactId>, most: usize) -> Result<Self, InvalidContactIds> {
        match ids.len() {
            0 => Err(InvalidContactIds::Empty),
            count if count > most => Err(InvalidContactIds::TooMany { count, most }),
            _ => Ok(Self(ids)),
        }
    }

    /// The ids.
    pub fn as_slice(&self) -> &[ContactId] {
        &self.0
    }
}

/// Calls about the members of one list. From [`Client::list_members`].
///
/// Taking contacts off the list leaves them in the account and changes none of their
/// subscriptions.
#[derive(Clone, Debug)]
pub struct ListMembers {
    client: Client,
    list: ListId,
}

impl ListMembers {
    pub(crate) fn new(client: Client, list: ListId) -> Self {
        Self { client, list }
    }

    /// The list's members in pages of `limit`, which is brought into 1 to 5000.
    ///
    /// `GET /contacts/v3` (tier: low)
    pub fn pages(&self, limit: u16) -> Pages<Contact> {
        let limit = limit.clamp(1, LARGEST_PAGE);
        Pages::by_marker(self.client.clone(), page_call(self.list), limit.into())
    }

    /// Takes one contact off the list. Repeating it does no harm.
    ///
    /// `DELETE /v2/address-books/{addressBookId}/contacts/{contactId}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the list does not exist.
    pub async fn remove(&self, contact: ContactId) -> Result<Removal, Error> {
        match self.client.send(&remove_call(self.list, contact)).await {
            Ok(_) => Ok(Removal::Removed),
            Err(error) if error.code() == Some("ERROR_CONTACT_NOT_FOUND") => {
                Ok(Removal::ContactUnknown)
            }
            Err(error) => Err(error),
        }
    }

    /// Has the service take many contacts off the list, and returns at once. Not repeated when its
    /// answer is lost: the job may be there, and come to life after somebody was put back.
    ///
    /// `POST /v2/address-books/{addressBookId}/contacts/delete` (tier: low)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the list does not exist.
    pub async fn remove_many(&self, contacts: &ContactIds) -> Result<RemovalJob, Error> {
        let call = remove_many_call(self.list, contacts)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// How far a bulk removal has come.
    ///
    /// `GET /v2/contacts/deletion/{id}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the service does not know the job (any more).
    pub async fn removal_status(&self, job: &RemovalJobId) -> Result<RemovalState, Error> {
        let call = removal_status_call(job);
        let job: RemovalStatus = decode::json(&call, &self.client.send(&call).await?)?;
        Ok(job.status)
    }
}

#[derive(Deserialize)]
struct RemovalStatus {
    #[serde(alias = "Status")]
    status: RemovalState,
}

fn page_call(list: ListId) -> Call {
    Call::read("GET /contacts/v3", Tier::Low).query("~listId", list)
}

fn remove_call(list: ListId, contact: ContactId) -> Call {
    const ENDPOINT: &str = "DELETE /v2/address-books/{addressBookId}/contacts/{contactId}";
    Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless).arg(list).arg(contact)
}

fn remove_many_call(list: ListId, contacts: &ContactIds) -> Result<Call, Error> {
    const ENDPOINT: &str = "POST /v2/address-books/{addressBookId}/contacts/delete";
    Call::new(ENDPOINT, Tier::Low, Repeat::ActsAgain).arg(list).json(contacts)
}

fn removal_status_call(job: &RemovalJobId) -> Call {
    Call::read("GET /v2/contacts/deletion/{id}", Tier::Unlimited).arg(job)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: i64) -> Vec<ContactId> {
        (1..=count).map(|id| ContactId::new(id).unwrap()).collect()
    }

    #[test]
    fn a_bulk_removal_has_at_least_one_contact_and_not_too_many() {
        assert_eq!(ContactIds::new(Vec::new()), Err(InvalidContactIds::Empty));
        assert!(ContactIds::new(ids(1000)).is_ok());
        let too_many = InvalidContactIds::TooMany { count: 1001, most: 1000 };
        assert_eq!(ContactIds::new(ids(1001)), Err(too_many));
        assert!(ContactIds::with_most(ids(1001), 5000).is_ok());
    }

    #[test]
    fn a_job_is_read_in_both_spellings() {
        let pascal: RemovalJob =
            serde_json::from_str(r#"{"Id":"a-1","Status":"started"}"#).unwrap();
        let camel: RemovalJob = serde_json::from_str(r#"{"id":"a-1","status":"Started"}"#).unwrap();
        assert_eq!(pascal, camel);
        assert_eq!(camel.state, RemovalState::Started);
    }
}
