//! Who must not be written to.

#[cfg(feature = "consent-changes")]
mod consent;
#[cfg(feature = "consent-changes")]
mod resubscription;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::{
    call::Call,
    client::Client,
    contacts::{EmailContact, EmailContactStatus, is_missing_contact},
    decode,
    error::Error,
    identifier::EmailAddress,
    limits::Tier,
    paging::Pages,
    preferences::ContactOptIns,
};

#[cfg(feature = "consent-changes")]
pub use consent::Suppressed;
#[cfg(feature = "consent-changes")]
pub(crate) use consent::{resubscribe_body, unsubscribe_body};
#[cfg(feature = "consent-changes")]
pub use resubscription::{
    Challenge, ChallengeLocale, ResubscribeOutcome, Resubscribed, ReturningContact,
};

/// The service's largest page of suppressed contacts.
const LARGEST_PAGE: u32 = 1000;

/// A contact that left or was silenced.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SuppressedContact {
    /// The contact.
    #[serde(default, rename = "suppressedContact", deserialize_with = "decode::null_as_default")]
    pub contact: EmailContact,
    /// When. `None` when missing or in a spelling this crate does not know.
    #[serde(default, rename = "dateRemoved", deserialize_with = "decode::lenient_time")]
    pub removed_at: Option<DateTime<Utc>>,
    /// Why.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub reason: Option<EmailContactStatus>,
}

/// Calls about suppression. From [`Client::suppressions`].
#[derive(Clone, Debug)]
pub struct Suppressions {
    client: Client,
}

impl Suppressions {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Who was suppressed in the account since then, for whatever reason; those who unsubscribed
    /// are among them.
    ///
    /// `GET /v2/contacts/suppressed-since/{date}` (tier: low)
    pub fn suppressed_since(&self, since: DateTime<Utc>) -> Pages<SuppressedContact> {
        pages(
            &self.client,
            Call::read("GET /v2/contacts/suppressed-since/{date}", Tier::Low),
            since,
        )
    }

    /// Who unsubscribed from the account since then.
    ///
    /// `GET /v2/contacts/unsubscribed-since/{date}` (tier: low)
    pub fn unsubscribed_since(&self, since: DateTime<Utc>) -> Pages<SuppressedContact> {
        let call = Call::read("GET /v2/contacts/unsubscribed-since/{date}", Tier::Low);
        pages(&self.client, call, since)
    }

    /// The contact of that address and its choices of preferences, or `None` when the account has
    /// no such contact.
    ///
    /// `GET /v2/contacts/{email}/subscriptions` (tier: high)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn subscriptions_of(
        &self,
        email: &EmailAddress,
    ) -> Result<Option<ContactOptIns>, Error> {
        let call = subscriptions_call(email);
        match self.client.send(&call).await {
            Ok(answer) => decode::json(&call, &answer).map(Some),
            Err(error) if is_missing_contact(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The pages of a call whose last argument is the time since when.
pub(crate) fn pages(client: &Client, call: Call, since: DateTime<Utc>) -> Pages<SuppressedContact> {
    let key = |suppressed: &SuppressedContact| suppressed.contact.key();
    Pages::by_position(client.clone(), call.arg_time(since), LARGEST_PAGE, key)
}

fn subscriptions_call(email: &EmailAddress) -> Call {
    Call::read("GET /v2/contacts/{email}/subscriptions", Tier::High).arg(email.as_str())
}
