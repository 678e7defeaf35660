//! Single contacts: find, create, update, page.

mod body;
mod channels;
#[cfg(feature = "consent-changes")]
#[cfg_attr(docsrs, doc(cfg(feature = "consent-changes")))]
mod consent;
mod consent_record;
mod contact;
#[cfg(feature = "account-deletion")]
#[cfg_attr(docsrs, doc(cfg(feature = "account-deletion")))]
mod deletion;
mod email_contact;
mod query;
mod update;

use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::{Error, ErrorKind},
    identifier::Identifier,
    imports::MergeOption,
    limits::Tier,
    paging::Pages,
};

pub(crate) use body::{ContactBody, Place};
pub use email_contact::{EmailContact, EmailContactStatus, IdOrEmail};

pub use body::InvalidContent;
pub use channels::{
    Channels, EmailChannel, EmailStatus, EmailType, OptInType, SmsChannel, SmsStatus,
    WhatsAppChannel, WhatsAppStatus,
};
#[cfg(feature = "consent-changes")]
#[cfg_attr(docsrs, doc(cfg(feature = "consent-changes")))]
pub use consent::{EmailStatusChange, InvalidRedirectUrl, PhoneStatusChange, ResubscribeOptions};
pub use consent_record::{ConsentRecord, ConsentRecordInfo, InvalidConsentRecord};
pub use contact::{
    Contact, ContactPreference, ContactStatus, Identifiers, ListMembership, ListStatus,
};
#[cfg(feature = "account-deletion")]
#[cfg_attr(docsrs, doc(cfg(feature = "account-deletion")))]
pub use deletion::{
    ContactsToDelete, DeletionFailure, DeletionState, DeletionStatus, DeletionSummary,
    InvalidContactsToDelete,
};
pub use query::{ContactPart, ContactQuery};
pub use update::ContactUpdate;

/// What became of an upsert.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upserted {
    /// Whether the contact is new. After a lost answer the call is repeated, and then `false` may
    /// mean that the first one created it.
    pub created: bool,
    /// The contact as it is now.
    pub contact: Contact,
}

/// Calls about single contacts. From [`Client::contacts`].
#[derive(Clone, Debug)]
pub struct Contacts {
    client: Client,
}

impl Contacts {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The contact of that identifier with all that the service knows of it, or `None` when the
    /// account has none.
    ///
    /// `GET /contacts/v3/{identifier}/{value}` (tier: high)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn find(&self, identifier: &Identifier) -> Result<Option<Contact>, Error> {
        let call = find_call(identifier);
        match self.client.send(&call).await {
            Ok(answer) => decode::json(&call, &answer).map(Some),
            Err(error) if is_missing_contact(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The contacts that the query picks, page by page.
    ///
    /// `GET /contacts/v3` (tier: low)
    pub fn pages(&self, query: &ContactQuery) -> Pages<Contact> {
        Pages::by_marker(self.client.clone(), query.call(), query.size())
    }

    /// Creates a contact, which must have an email address or a mobile number. Never repeated once
    /// it may have been acted on; [`upsert`](Self::upsert) does the same and mostly may.
    ///
    /// `POST /contacts/v3` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when any of its identifiers belongs to a contact already, and
    /// [`ErrorKind::Rejected`] before sending for what [`InvalidContent`] lists.
    pub async fn create(&self, contact: &ContactUpdate) -> Result<Contact, Error> {
        let call = create_call(contact)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Updates a contact, or creates it when the account has none; what is given wins over what is
    /// stored. A contact in the recycle bin comes back.
    ///
    /// Repeating it does no harm, unless it adds consent records or subscribes: then it is never
    /// repeated once it may have been acted on.
    ///
    /// The identifier is stored as well, except a contact id. Another one of the same kind in
    /// `update` is stored in its place: so an address is changed.
    ///
    /// `PATCH /contacts/v3/{identifier}/{value}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when an identifier belongs to another contact, and
    /// [`ErrorKind::Rejected`] before sending for what [`InvalidContent`] lists.
    pub async fn upsert(
        &self,
        identifier: &Identifier,
        update: &ContactUpdate,
    ) -> Result<Upserted, Error> {
        self.upsert_merging(identifier, update, MergeOption::Overwrite).await
    }

    /// The same as [`upsert`](Self::upsert), with a choice of what wins.
    ///
    /// `PATCH /contacts/v3/{identifier}/{value}` (tier: medium)
    ///
    /// # Errors
    ///
    /// Fails as [`upsert`](Self::upsert) does.
    pub async fn upsert_merging(
        &self,
        identifier: &Identifier,
        update: &ContactUpdate,
        merge: MergeOption,
    ) -> Result<Upserted, Error> {
        let call = upsert_call(identifier, update, merge)?;
        let answer = self.client.send(&call).await?;
        let contact = decode::json(&call, &answer)?;
        Ok(Upserted { created: answer.response.status == 201, contact })
    }
}

/// Whether an error says that the contact does not exist, and not that something else does not.
pub(crate) fn is_missing_contact(error: &Error) -> bool {
    let code_fits = error.code().is_none_or(|code| {
        code.eq_ignore_ascii_case("contacts:contactNotFound") || code == "ERROR_CONTACT_NOT_FOUND"
    });
    error.kind() == ErrorKind::NotFound && code_fits
}

fn find_call(identifier: &Identifier) -> Call {
    let call = Call::read("GET /contacts/v3/{identifier}/{value}", Tier::High);
    call.arg(identifier.name()).arg(identifier.path_value())
}

fn create_call(contact: &ContactUpdate) -> Result<Call, Error> {
    const ENDPOINT: &str = "POST /contacts/v3";
    let body = checked(ENDPOINT, contact, Place::Create)?;
    Call::new(ENDPOINT, Tier::Medium, Repeat::ActsAgain).json(&body)
}

fn upsert_call(
    identifier: &Identifier,
    update: &ContactUpdate,
    merge: MergeOption,
) -> Result<Call, Error> {
    const ENDPOINT: &str = "PATCH /contacts/v3/{identifier}/{value}";
    let body = checked(ENDPOINT, update, Place::Upsert(identifier))?;
    Call::new(ENDPOINT, Tier::Medium, update.repeat())
        .arg(identifier.name())
        .arg(identifier.path_value())
        .query("merge-option", merge.in_query())
        .json(&body)
}

fn checked<'a>(
    endpoint: &'static str,
    update: &'a ContactUpdate,
    place: Place<'a>,
) -> Result<ContactBody<'a>, Error> {
    ContactBody::checked(update, place)
        .map_err(|invalid| Error::refused(endpoint, invalid.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identifier::EmailAddress,
        ids::{ContactId, ListId},
    };

    fn email(text: &str) -> Identifier {
        Identifier::Email(EmailAddress::parse(text).unwrap())
    }

    fn upserting(identifier: &Identifier, update: &ContactUpdate) -> Call {
        upsert_call(identifier, update, MergeOption::Overwrite).unwrap()
    }

    fn body(call: &Call) -> String {
        String::from_utf8(call.body.as_ref().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_value_is_encoded_and_the_identifier_repeated_in_the_body() {
        let update =
            ContactUpdate::new().list(ListId::new(7).unwrap()).list(ListId::new(7).unwrap());
        let call = upserting(&email("a+b/c@example.com"), &update);
        assert_eq!(
            call.path_and_query,
            "/contacts/v3/email/a%2Bb%2Fc%40example.com?merge-option=overwrite"
        );
        assert_eq!(body(&call), r#"{"identifiers":{"email":"a+b/c@example.com"},"lists":[7]}"#);
    }

    #[test]
    fn a_contact_id_stands_in_the_path_only_and_no_empty_list_is_sent() {
        let id = Identifier::ContactId(ContactId::new(5).unwrap());
        let call = upserting(&id, &ContactUpdate::new());
        assert_eq!(call.path_and_query, "/contacts/v3/contactId/5?merge-option=overwrite");
        assert_eq!(body(&call), "{}");
    }

    #[test]
    fn a_new_identifier_takes_the_place_of_the_one_the_contact_is_found_by() {
        let update = ContactUpdate::new().email(EmailAddress::parse("new@example.com").unwrap());
        let call = upserting(&email("old@example.com"), &update);
        assert!(call.path_and_query.contains("old%40example.com"));
        assert_eq!(body(&call), r#"{"identifiers":{"email":"new@example.com"}}"#);
    }

    #[test]
    fn merge_options_are_spelled_as_this_call_takes_them() {
        for (merge, expected) in [
            (MergeOption::Overwrite, "?merge-option=overwrite"),
            (MergeOption::OverwriteIfNotEmpty, "?merge-option=overwrite-if-not-empty"),
            (MergeOption::OverwriteIfEmpty, "?merge-option=overwrite-if-empty"),
        ] {
            let call = upsert_call(&email("a@example.com"), &ContactUpdate::new(), merge).unwrap();
            assert!(call.path_and_query.ends_with(expected), "{}", call.path_and_query);
        }
    }

    #[test]
    fn creating_is_never_marked_as_repeatable_and_upserting_is() {
        let address = EmailAddress::parse("a@example.com").unwrap();
        let update = ContactUpdate::new().email(address);
        assert_eq!(create_call(&update).unwrap().repeat, Repeat::ActsAgain);
        assert_eq!(upserting(&email("a@example.com"), &update).repeat, Repeat::Harmless);
    }

    #[test]
    fn an_upsert_that_would_act_twice_is_not_repeatable() {
        let consented = "2023-01-26T21:29:00Z".parse().unwrap();
        let ip = "127.0.0.1".parse().unwrap();
        let record =
            ConsentRecord::new("Yes", consented, "https://example.com/", ip, "Browser").unwrap();
        let jane = email("jane@example.com");
        let recording = ContactUpdate::new().consent(record);
        assert_eq!(upserting(&jane, &recording).repeat, Repeat::ActsAgain);
    }

    #[cfg(feature = "consent-changes")]
    #[test]
    fn subscribing_is_not_repeatable_and_unsubscribing_is() {
        let jane = email("jane@example.com");
        let repeat = |update: ContactUpdate| upserting(&jane, &update).repeat;
        let new = ContactUpdate::new;
        for acts_again in [
            new().email_status(EmailStatusChange::Subscribed),
            new().opt_in_type(OptInType::VerifiedDouble),
            new().resubscribe(ResubscribeOptions::asking()),
            new().sms_status(PhoneStatusChange::Subscribed),
            new().whatsapp_status(PhoneStatusChange::Subscribed),
        ] {
            assert_eq!(repeat(acts_again), Repeat::ActsAgain);
        }
        for harmless in [
            new().email_status(EmailStatusChange::Unsubscribed),
            new().opt_in_type(OptInType::Single),
            new().sms_status(PhoneStatusChange::Suppressed),
        ] {
            assert_eq!(repeat(harmless), Repeat::Harmless);
        }
    }

    #[test]
    fn content_that_the_service_does_not_take_is_refused_before_sending() {
        let crowded = (1..=101)
            .fold(ContactUpdate::new(), |update, id| update.list(ListId::new(id).unwrap()));
        let error = upsert_call(&email("a@example.com"), &crowded, MergeOption::Overwrite);
        assert_eq!(error.err().unwrap().kind(), ErrorKind::Rejected);
        assert_eq!(create_call(&ContactUpdate::new()).err().unwrap().kind(), ErrorKind::Rejected);
    }
}
