//! Calls that change who may be put on a list. Only with feature `consent-changes`.

use super::ListMembers;
use crate::{
    call::{Call, Repeat},
    decode,
    error::Error,
    identifier::EmailAddress,
    ids::ListId,
    limits::Tier,
    suppressions::{
        Challenge, Resubscribed, ReturningContact, SuppressedContact, resubscribe_body,
        unsubscribe_body,
    },
};

#[cfg_attr(docsrs, doc(cfg(feature = "consent-changes")))]
impl ListMembers {
    /// **Unsubscribes the address from the list**, as if the person had done so: it is to be kept
    /// off the list until it is resubscribed, and v2 refuses to put it back. To merely take a
    /// contact off the list, use [`remove`](Self::remove). Repeating it does no harm.
    ///
    /// `POST /v2/address-books/{id}/contacts/unsubscribe` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when list or contact does not exist.
    pub async fn unsubscribe(&self, email: &EmailAddress) -> Result<SuppressedContact, Error> {
        let call = unsubscribe_call(self.list, email)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// **Asks a contact that left the list to come back: it is written to** and put on the list
    /// again once it confirms.
    ///
    /// `POST /v2/address-books/{id}/contacts/resubscribe` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the list does not exist.
    pub async fn resubscribe(
        &self,
        contact: &ReturningContact,
        challenge: &Challenge,
    ) -> Result<Resubscribed, Error> {
        let call = resubscribe_call(self.list, contact, challenge)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// **Puts a contact that left the list back on it without asking it.** Only for somebody whose
    /// renewed consent you hold.
    ///
    /// `POST /v2/address-books/{id}/contacts/resubscribe-with-no-challenge` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the list does not exist.
    pub async fn resubscribe_with_no_challenge(
        &self,
        contact: &ReturningContact,
    ) -> Result<Resubscribed, Error> {
        let call = resubscribe_with_no_challenge_call(self.list, contact)?;
        decode::json(&call, &self.client.send(&call).await?)
    }
}

fn unsubscribe_call(list: ListId, email: &EmailAddress) -> Result<Call, Error> {
    const ENDPOINT: &str = "POST /v2/address-books/{id}/contacts/unsubscribe";
    let call = Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless).arg(list);
    call.json(&unsubscribe_body(email))
}

fn resubscribe_call(
    list: ListId,
    contact: &ReturningContact,
    challenge: &Challenge,
) -> Result<Call, Error> {
    const ENDPOINT: &str = "POST /v2/address-books/{id}/contacts/resubscribe";
    // Sent twice, the contact would be written to twice.
    let call = Call::new(ENDPOINT, Tier::Medium, Repeat::ActsAgain).arg(list);
    call.json(&resubscribe_body(contact, Some(challenge)))
}

fn resubscribe_with_no_challenge_call(
    list: ListId,
    contact: &ReturningContact,
) -> Result<Call, Error> {
    const ENDPOINT: &str = "POST /v2/address-books/{id}/contacts/resubscribe-with-no-challenge";
    // Sent again, it might bring back somebody who has left meanwhile.
    let call = Call::new(ENDPOINT, Tier::Medium, Repeat::ActsAgain).arg(list);
    call.json(&resubscribe_body(contact, None))
}
