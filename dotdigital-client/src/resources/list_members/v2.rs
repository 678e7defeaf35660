//! Members as v2 tells and takes them. The vendor calls these calls deprecated, without a date.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::ListMembers;
use crate::{
    call::{Call, Repeat},
    contacts::EmailContact,
    decode,
    error::Error,
    identifier::EmailAddress,
    ids::ListId,
    limits::Tier,
    paging::Pages,
};

/// The service's largest page of contacts in v2.
const LARGEST_PAGE: u32 = 1000;

impl ListMembers {
    /// The list's members as v2 tells them, with their data fields or without. The service takes a
    /// segment's id in place of the list's.
    ///
    /// Deprecated by the vendor; prefer [`pages`](Self::pages), whose pages do not shift while the
    /// list changes and which tells of contacts without an email address too. This one tells the
    /// standing of each address in more words.
    ///
    /// `GET /v2/address-books/{id}/contacts` (tier: low)
    pub fn v2_pages(&self, with_full_data: bool) -> Pages<EmailContact> {
        let call = Call::read("GET /v2/address-books/{id}/contacts", Tier::Low).arg(self.list);
        self.v2_pages_of(call, with_full_data)
    }

    /// The list's members that were changed since then, as v2 tells them, with their data fields
    /// or without. The service takes a segment's id in place of the list's.
    ///
    /// Deprecated by the vendor. It is the one call that is documented to tell a list's changed
    /// members: whether v3's filters for a list and for changes go together is not.
    ///
    /// `GET /v2/address-books/{id}/contacts/modified-since/{date}` (tier: low)
    pub fn v2_modified_since(
        &self,
        since: DateTime<Utc>,
        with_full_data: bool,
    ) -> Pages<EmailContact> {
        const ENDPOINT: &str = "GET /v2/address-books/{id}/contacts/modified-since/{date}";
        let call = Call::read(ENDPOINT, Tier::Low).arg(self.list).arg_time(since);
        self.v2_pages_of(call, with_full_data)
    }

    /// Puts the contact of an address on the list, and creates it when the account has none. Unlike
    /// [`Contacts::upsert`](crate::contacts::Contacts::upsert) it is refused for contacts that left
    /// or were silenced. Repeating it does no harm.
    ///
    /// Deprecated by the vendor.
    ///
    /// `POST /v2/address-books/{id}/contacts` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) with code `ERROR_CONTACT_SUPPRESSED` or
    /// `ERROR_CONTACT_SUPPRESSEDFORADDRESSBOOK` for such contacts,
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the list does not exist.
    pub async fn add_by_email(&self, email: &EmailAddress) -> Result<EmailContact, Error> {
        let call = add_call(self.list, email)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    fn v2_pages_of(&self, call: Call, with_full_data: bool) -> Pages<EmailContact> {
        let call = call.query("withFullData", with_full_data);
        Pages::by_position(self.client.clone(), call, LARGEST_PAGE, EmailContact::key)
    }
}

fn add_call(list: ListId, email: &EmailAddress) -> Result<Call, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        email: &'a str,
    }
    const ENDPOINT: &str = "POST /v2/address-books/{id}/contacts";
    let call = Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless).arg(list);
    call.json(&Body { email: email.as_str() })
}
