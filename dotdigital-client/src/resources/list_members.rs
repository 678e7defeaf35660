//! The members of a list: read them, take them off.

#[cfg(feature = "consent-changes")]
mod consent;
mod contact_ids;
#[cfg(feature = "account-deletion")]
mod deletion;
mod removal;
mod removals;
mod v2;

use chrono::{DateTime, Utc};

use crate::{
    call::Call,
    client::Client,
    contacts::{Contact, EmailContact},
    ids::{ListId, PreferenceId},
    limits::Tier,
    paging::Pages,
    preferences::ContactOptIns,
    suppressions::{self, SuppressedContact},
};

pub use contact_ids::{ContactIds, InvalidContactIds};
pub use removal::{Removal, RemovalJob, RemovalState};
pub use removals::{Removals, RemovedBatch};

pub use crate::polling::PollPolicy;

/// The service's largest page of contacts.
const LARGEST_PAGE: u16 = 5000;

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

    /// The list's members in pages of `page_size`, which is brought into 1 to 5000.
    ///
    /// `GET /contacts/v3` (tier: low)
    pub fn pages(&self, page_size: u16) -> Pages<Contact> {
        let size = page_size.clamp(1, LARGEST_PAGE);
        Pages::by_marker(self.client.clone(), page_call(self.list), size.into())
    }

    /// Who unsubscribed from this list since then. Who left the whole account is not among them.
    ///
    /// `GET /v2/address-books/{id}/contacts/unsubscribed-since/{date}` (tier: low)
    pub fn unsubscribed_since(&self, since: DateTime<Utc>) -> Pages<SuppressedContact> {
        const ENDPOINT: &str = "GET /v2/address-books/{id}/contacts/unsubscribed-since/{date}";
        let call = Call::read(ENDPOINT, Tier::Low).arg(self.list);
        suppressions::pages(&self.client, call, since)
    }

    /// The members that are opted in to a preference. Only their ids and addresses are told.
    ///
    /// `GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}` (tier: low)
    pub fn opted_into(&self, preference: PreferenceId) -> Pages<EmailContact> {
        const ENDPOINT: &str =
            "GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}";
        let call = Call::read(ENDPOINT, Tier::Low).arg(self.list).arg(preference);
        Pages::by_lowest_id(self.client.clone(), call, |contact| contact.id)
    }

    /// The members whose choice of a preference was changed since then: also those who opted
    /// **out**, see [`PreferenceOptIn::opted_in`](crate::preferences::PreferenceOptIn::opted_in).
    ///
    /// `GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}/opt-ins-since/{date}` (tier: low)
    pub fn choices_since(
        &self,
        preference: PreferenceId,
        since: DateTime<Utc>,
    ) -> Pages<ContactOptIns> {
        let call = choices_call(self.list, preference, since);
        Pages::by_lowest_id(self.client.clone(), call, ContactOptIns::contact_id)
    }
}

fn page_call(list: ListId) -> Call {
    Call::read("GET /contacts/v3", Tier::Low).query("~listId", list)
}

fn choices_call(list: ListId, preference: PreferenceId, since: DateTime<Utc>) -> Call {
    const ENDPOINT: &str = "GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}/opt-ins-since/{date}";
    Call::read(ENDPOINT, Tier::Low).arg(list).arg(preference).arg_time(since)
}
