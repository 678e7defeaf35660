//! Calls that delete contacts from the account, or replace all that is known of one.

use serde::{Deserialize, Serialize};

use super::{Contact, ContactUpdate, Contacts, Identifiers, Place, checked, is_missing_contact};
use crate::{
    call::{Call, Repeat},
    decode,
    error::Error,
    identifier::Identifier,
    ids::{ContactId, DeletionJobId},
    imports::{FailureDetail, PollPolicy},
    limits::{JobKind, Tier},
    polling,
    service_enum::service_enum,
};

service_enum! {
    /// How far a bulk deletion has come.
    DeletionState {
        /// Not begun.
        NotStarted = "NotStarted",
        /// At work.
        NotFinished = "NotFinished",
        /// Done. Single contacts may still have failed.
        Finished = "Finished",
        /// Failed as a whole, perhaps half way.
        Failed = "Failed",
    }
}

impl DeletionState {
    /// Whether the deletion has ended. A state that this crate does not know counts as ended.
    pub fn is_terminal(&self) -> bool {
        !matches!(self, Self::NotStarted | Self::NotFinished)
    }
}

/// What the service tells about a bulk deletion.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct DeletionStatus {
    /// How far it has come.
    #[serde(alias = "Status", rename = "status")]
    pub state: DeletionState,
    /// Counts, once it has ended.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub summary: Option<DeletionSummary>,
    /// Contacts that are deleted.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub deleted: Vec<Identifiers>,
    /// Contacts that are not.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub failures: Vec<DeletionFailure>,
}

/// Counts of a bulk deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct DeletionSummary {
    /// Contacts that were asked for.
    #[serde(deserialize_with = "decode::count")]
    pub requested_contacts: u64,
    /// Contacts that are deleted.
    #[serde(deserialize_with = "decode::count")]
    pub deleted_contacts: u64,
    /// Contacts that the account does not have.
    #[serde(deserialize_with = "decode::count")]
    pub unknown_contacts: u64,
    /// Contacts that could not be dealt with.
    #[serde(deserialize_with = "decode::count")]
    pub invalid_entries: u64,
}

/// A contact that was not deleted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct DeletionFailure {
    /// What was handed in.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub identifier: Identifiers,
    /// What went wrong.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub failures: Vec<FailureDetail>,
}

/// Why contacts cannot go into one bulk deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidContactsToDelete {
    /// There are none.
    #[error("no contacts were given")]
    Empty,
    /// There are more than the service takes.
    #[error("{count} contacts are more than the {} of one call", ContactsToDelete::MOST)]
    TooMany {
        /// How many were given.
        count: usize,
    },
}

/// The contacts of one bulk deletion: at least one and at most 5000.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContactsToDelete(Vec<Identifier>);

impl ContactsToDelete {
    /// The most contacts that the service takes in one call.
    pub const MOST: usize = 5000;

    /// Checks the contacts of one call.
    ///
    /// # Errors
    ///
    /// Fails when there are none or too many.
    pub fn new(contacts: Vec<Identifier>) -> Result<Self, InvalidContactsToDelete> {
        match contacts.len() {
            0 => Err(InvalidContactsToDelete::Empty),
            count if count > Self::MOST => Err(InvalidContactsToDelete::TooMany { count }),
            _ => Ok(Self(contacts)),
        }
    }
}

impl Contacts {
    /// **Replaces all that is known of the contact: every identifier, data field, preference and
    /// list that is not given here is gone.** To change some of it, [`upsert`](Self::upsert).
    ///
    /// The identifier itself is kept, except a contact id: then give an email address or a mobile
    /// number in `contact`. Repeating it does no harm, unless it subscribes: then it is never repeated
    /// once it may have been acted on.
    ///
    /// `PUT /contacts/v3/{identifier}/{value}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the account has no such contact,
    /// and [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before sending for what
    /// [`InvalidContent`](super::InvalidContent) lists.
    pub async fn replace(
        &self,
        identifier: &Identifier,
        contact: &ContactUpdate,
    ) -> Result<Contact, Error> {
        let call = replace_call(identifier, contact)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// **Deletes the contact from the account**: it leaves every list, lies in the recycle bin for
    /// 30 days and is gone then; should it come back, its lists do not. To take it off one list,
    /// [`ListMembers::remove`](crate::list_members::ListMembers::remove).
    ///
    /// Returns the id of the deleted contact, or `None` when the account had none. After a lost
    /// answer the call is repeated, and then `None` may mean that the first one did it.
    ///
    /// `DELETE /contacts/v3/{identifier}/{value}` (tier: medium)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn delete(&self, identifier: &Identifier) -> Result<Option<ContactId>, Error> {
        let call = delete_call(identifier);
        match self.client.send(&call).await {
            Ok(answer) => {
                let deleted: Deleted = decode::json(&call, &answer)?;
                Ok(Some(deleted.contact_id))
            }
            Err(error) if is_missing_contact(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// **Deletes many contacts from the account**, each as [`delete`](Self::delete) does, and
    /// returns at once. To take them off one list,
    /// [`ListMembers::remove_many`](crate::list_members::ListMembers::remove_many). Not repeated
    /// when its answer is lost: the job may be there, and delete who was created anew meanwhile.
    ///
    /// `POST /contacts/v3/delete` (tier: low)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SlotsFull`](crate::ErrorKind::SlotsFull) when the account has as many such jobs
    /// at work as it may have and none came free.
    pub async fn delete_many(&self, contacts: &ContactsToDelete) -> Result<DeletionJobId, Error> {
        let call = delete_many_call(contacts)?;
        let submitted: Submitted = decode::json(&call, &self.client.send(&call).await?)?;
        Ok(submitted.delete_id)
    }

    /// How far a bulk deletion has come and, once it has ended, what became of each contact.
    ///
    /// `GET /contacts/v3/delete/{deleteId}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the service does not know the job
    /// (any more).
    pub async fn deletion_status(&self, job: &DeletionJobId) -> Result<DeletionStatus, Error> {
        let call = deletion_status_call(job);
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Asks about a bulk deletion until it has ended. Dropping the future leaves it at work.
    ///
    /// `GET /contacts/v3/delete/{deleteId}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::GaveUp`](crate::ErrorKind::GaveUp) when it takes longer than `policy` allows,
    /// and as [`deletion_status`](Self::deletion_status) does.
    pub async fn wait_for_deletion(
        &self,
        job: &DeletionJobId,
        policy: &PollPolicy,
    ) -> Result<DeletionStatus, Error> {
        let call = deletion_status_call(job);
        let ended = |status: &DeletionStatus| status.state.is_terminal();
        polling::until_ended(&self.client, &call, policy, ended, |_| ()).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deleted {
    contact_id: ContactId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Submitted {
    delete_id: DeletionJobId,
}

fn replace_call(identifier: &Identifier, contact: &ContactUpdate) -> Result<Call, Error> {
    const ENDPOINT: &str = "PUT /contacts/v3/{identifier}/{value}";
    let body = checked(ENDPOINT, contact, Place::Replace(identifier))?;
    Call::new(ENDPOINT, Tier::Medium, contact.repeat())
        .arg(identifier.name())
        .arg(identifier.path_value())
        .json(&body)
}

fn delete_call(identifier: &Identifier) -> Call {
    Call::new("DELETE /contacts/v3/{identifier}/{value}", Tier::Medium, Repeat::Harmless)
        .arg(identifier.name())
        .arg(identifier.path_value())
}

fn delete_many_call(contacts: &ContactsToDelete) -> Result<Call, Error> {
    let call = Call::new("POST /contacts/v3/delete", Tier::Low, Repeat::ActsAgain);
    Ok(call.json(contacts)?.starting(JobKind::Deletion))
}

fn deletion_status_call(job: &DeletionJobId) -> Call {
    Call::read("GET /contacts/v3/delete/{deleteId}", Tier::Unlimited).arg(job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn id(number: i64) -> Identifier {
        Identifier::ContactId(ContactId::new(number).unwrap())
    }

    #[test]
    fn a_bulk_deletion_has_at_least_one_contact_and_not_too_many() {
        let ids = |count: i64| (1..=count).map(id).collect();
        assert_eq!(ContactsToDelete::new(ids(0)), Err(InvalidContactsToDelete::Empty));
        let many = ContactsToDelete::new(ids(5000)).unwrap();
        assert_eq!(delete_many_call(&many).unwrap().repeat, Repeat::ActsAgain);
        let too_many = InvalidContactsToDelete::TooMany { count: 5001 };
        assert_eq!(ContactsToDelete::new(ids(5001)), Err(too_many));
    }

    #[test]
    fn a_contact_is_not_replaced_by_one_that_nobody_can_reach() {
        let error = replace_call(&id(5), &ContactUpdate::new()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Rejected);
    }

    #[test]
    fn a_state_that_is_not_known_counts_as_ended() {
        for (state, ended) in [("notstarted", false), ("NotFinished", false), ("Odd", true)] {
            assert_eq!(DeletionState::from(state).is_terminal(), ended, "{state}");
        }
    }
}
