//! Taking contacts off a list. They stay in the account, and none of their subscriptions changes.

use serde::Deserialize;

use super::{ContactIds, ListMembers, Removals};
use crate::{
    call::{Call, Repeat},
    decode,
    error::Error,
    ids::{ContactId, ListId, RemovalJobId},
    limits::Tier,
    polling::{self, PollPolicy},
    service_enum::service_enum,
};

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

impl RemovalState {
    /// Whether the removal has ended. A state that this crate does not know counts as ended, since
    /// waiting for it to change might never end; it does not count as completed.
    pub fn is_terminal(&self) -> bool {
        *self != Self::Started
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

impl ListMembers {
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

    /// Asks about a bulk removal until it has ended, in whatever state. Dropping the future leaves
    /// the removal at work.
    ///
    /// `GET /v2/contacts/deletion/{id}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::GaveUp`](crate::ErrorKind::GaveUp) when it takes longer than `policy` allows,
    /// and as [`removal_status`](Self::removal_status) does.
    pub async fn wait(
        &self,
        job: &RemovalJobId,
        policy: &PollPolicy,
    ) -> Result<RemovalState, Error> {
        self.wait_with(job, policy, |_| ()).await
    }

    /// [`wait`](Self::wait), which shows every state that it is told to `progress`.
    ///
    /// `GET /v2/contacts/deletion/{id}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// Fails as [`wait`](Self::wait) does.
    pub async fn wait_with(
        &self,
        job: &RemovalJobId,
        policy: &PollPolicy,
        mut progress: impl FnMut(&RemovalState),
    ) -> Result<RemovalState, Error> {
        let call = removal_status_call(job);
        let ended = |job: &RemovalStatus| job.status.is_terminal();
        let show = |job: &RemovalStatus| progress(&job.status);
        let job = polling::until_ended(&self.client, &call, policy, ended, show).await?;
        Ok(job.status)
    }

    /// Takes any number of contacts off the list: in batches of [`ContactIds::MOST`], one job after
    /// another, each waited for as [`wait`](Self::wait) does. Nothing is sent before the first
    /// batch is asked for.
    ///
    /// `POST /v2/address-books/{addressBookId}/contacts/delete` (tier: low), `GET /v2/contacts/deletion/{id}` (tier: unlimited)
    pub fn remove_in_batches<I>(&self, contacts: I, policy: PollPolicy) -> Removals<I::IntoIter>
    where
        I: IntoIterator<Item = ContactId>,
    {
        Removals::new(self.clone(), contacts.into_iter(), policy)
    }
}

#[derive(Deserialize)]
struct RemovalStatus {
    #[serde(alias = "Status")]
    status: RemovalState,
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

    #[test]
    fn a_job_is_read_in_both_spellings() {
        let pascal: RemovalJob =
            serde_json::from_str(r#"{"Id":"a-1","Status":"started"}"#).unwrap();
        let camel: RemovalJob = serde_json::from_str(r#"{"id":"a-1","status":"Started"}"#).unwrap();
        assert_eq!(pascal, camel);
        assert_eq!(camel.state, RemovalState::Started);
    }
}
