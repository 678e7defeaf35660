//! Calls that change whether people may be written to. Only with feature `consent-changes`.

use serde::{Deserialize, Serialize};

use super::{Challenge, Resubscribed, ReturningContact, SuppressedContact, Suppressions};
use crate::{
    call::{Call, Repeat},
    contacts::{EmailContact, IdOrEmail},
    decode,
    error::Error,
    identifier::EmailAddress,
    limits::Tier,
};

/// What became of a bulk suppression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(docsrs, doc(cfg(feature = "consent-changes")))]
#[non_exhaustive]
pub struct Suppressed {
    /// The contacts that are suppressed now, each named as in the request.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub suppressed: Vec<EmailContact>,
    /// Those that the account does not have, each named as in the request.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub not_found: Vec<EmailContact>,
}

#[cfg_attr(docsrs, doc(cfg(feature = "consent-changes")))]
impl Suppressions {
    /// **Unsubscribes the address from the whole account**, all its lists and all mail. It takes
    /// the person's consent to come back: this is not the way to take somebody off a list.
    /// Repeating it does no harm.
    ///
    /// `POST /v2/contacts/unsubscribe` (tier: medium)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn unsubscribe(&self, email: &EmailAddress) -> Result<SuppressedContact, Error> {
        let call = unsubscribe_call(email)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// **Asks a contact that left to come back: it is written to** and subscribed to the account
    /// again once it confirms. It does not come back to its former lists.
    ///
    /// `POST /v2/contacts/resubscribe` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a contact or challenge that the
    /// service does not take.
    pub async fn resubscribe(
        &self,
        contact: &ReturningContact,
        challenge: &Challenge,
    ) -> Result<Resubscribed, Error> {
        let call = resubscribe_call(contact, challenge)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// **Subscribes a contact that left to the account again without asking it.** Only for
    /// somebody whose renewed consent you hold.
    ///
    /// `POST /v2/contacts/resubscribe-with-no-challenge` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a contact that the service does not
    /// take.
    pub async fn resubscribe_with_no_challenge(
        &self,
        contact: &ReturningContact,
    ) -> Result<Resubscribed, Error> {
        let call = resubscribe_with_no_challenge_call(contact)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// **Silences contacts in the whole account** by the account's own decision: they are not
    /// written to any more, and contacts silenced on all channels are on no list and in no
    /// segment. Repeating it does no harm. The vendor states no limit for their number.
    ///
    /// `PUT /v2/contacts/suppress-contacts` (tier: low)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before sending when there are none.
    pub async fn suppress(&self, contacts: &[IdOrEmail]) -> Result<Suppressed, Error> {
        let call = suppress_call(contacts)?;
        decode::json(&call, &self.client.send(&call).await?)
    }
}

#[derive(Serialize)]
struct UnsubscribeBody<'a> {
    email: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReturningBody<'a> {
    unsubscribed_contact: &'a ReturningContact,
    #[serde(flatten)]
    challenge: Option<&'a Challenge>,
}

/// What unsubscribing takes, from the account as well as from a list.
pub(crate) fn unsubscribe_body(email: &EmailAddress) -> impl Serialize {
    UnsubscribeBody { email: email.as_str() }
}

/// What resubscribing takes, to the account as well as to a list.
pub(crate) fn resubscribe_body<'a>(
    contact: &'a ReturningContact,
    challenge: Option<&'a Challenge>,
) -> impl Serialize + 'a {
    ReturningBody { unsubscribed_contact: contact, challenge }
}

fn unsubscribe_call(email: &EmailAddress) -> Result<Call, Error> {
    let call = Call::new("POST /v2/contacts/unsubscribe", Tier::Medium, Repeat::Harmless);
    call.json(&unsubscribe_body(email))
}

fn resubscribe_call(contact: &ReturningContact, challenge: &Challenge) -> Result<Call, Error> {
    // Sent twice, the contact would be written to twice.
    let call = Call::new("POST /v2/contacts/resubscribe", Tier::Medium, Repeat::ActsAgain);
    call.json(&resubscribe_body(contact, Some(challenge)))
}

fn resubscribe_with_no_challenge_call(contact: &ReturningContact) -> Result<Call, Error> {
    const ENDPOINT: &str = "POST /v2/contacts/resubscribe-with-no-challenge";
    // Sent again, it might bring back somebody who has left meanwhile.
    Call::new(ENDPOINT, Tier::Medium, Repeat::ActsAgain).json(&resubscribe_body(contact, None))
}

fn suppress_call(contacts: &[IdOrEmail]) -> Result<Call, Error> {
    const ENDPOINT: &str = "PUT /v2/contacts/suppress-contacts";
    if contacts.is_empty() {
        return Err(Error::refused(ENDPOINT, "no contacts to suppress"));
    }
    Call::new(ENDPOINT, Tier::Low, Repeat::Harmless).json(contacts)
}
