//! Single contacts: find, create or update.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::{Error, ErrorKind},
    identifier::Identifier,
    ids::{ContactId, ListId},
    limits::Tier,
    service_enum::service_enum,
};

/// The service takes no more lists than this with one contact.
pub(crate) const MOST_LISTS: usize = 100;

service_enum! {
    /// The standing of a contact as a whole.
    ContactStatus {
        /// Subscribed on some channel.
        Subscribed = "subscribed",
        /// Left by the contact's own decision.
        Unsubscribed = "unsubscribed",
        /// Asked to confirm.
        PendingOptIn = "pendingOptIn",
        /// Deleted.
        Deleted = "deleted",
        /// Silenced by the account's decision.
        Suppressed = "suppressed",
        /// In the recycle bin.
        Binned = "binned",
        /// On no channel.
        NoSubscription = "noSubscription",
    }
}

service_enum! {
    /// The standing of a contact on one list.
    ListStatus {
        /// A member.
        Subscribed = "subscribed",
        /// Left this list.
        Suppressed = "suppressed",
        /// Asked to confirm.
        Pending = "pending",
    }
}

/// What a contact is recognised by, as the service tells it.
///
/// `Debug` shows which identifiers there are, not their values.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identifiers {
    /// The contact id, which only failures of imports repeat here.
    pub contact_id: Option<ContactId>,
    /// The email address.
    pub email: Option<String>,
    /// The mobile number.
    pub mobile_number: Option<String>,
    /// Custom identifiers by name.
    pub custom: BTreeMap<String, String>,
}

/// A contact of the account.
///
/// `Debug` shows no address: see [`Identifiers`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Contact {
    /// The contact's id, for as long as it exists.
    pub contact_id: ContactId,
    /// Its standing as a whole.
    #[serde(default)]
    pub status: Option<ContactStatus>,
    /// When it was created. `None` when missing or in a spelling this crate does not know.
    #[serde(default, deserialize_with = "decode::lenient_time")]
    pub created: Option<DateTime<Utc>>,
    /// When it was last changed. `None` when missing or in a spelling this crate does not know.
    #[serde(default, deserialize_with = "decode::lenient_time")]
    pub updated: Option<DateTime<Utc>>,
    /// What it is recognised by.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub identifiers: Identifiers,
    /// The lists it is on. Empty when the call did not ask for them.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub lists: Vec<ListMembership>,
    /// Its standing on each channel. Empty when the call did not ask for it.
    #[serde(default, rename = "channelProperties", deserialize_with = "decode::null_as_default")]
    pub channels: BTreeMap<String, Channel>,
}

/// A contact's standing on one channel: `email`, `sms` or `whatsApp`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Channel {
    /// The status as the service spells it, such as `subscribed` or `hardBounced`.
    #[serde(default)]
    pub status: Option<String>,
}

/// A list that a contact is on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ListMembership {
    /// The list.
    pub id: ListId,
    /// Its name.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub name: String,
    /// The contact's standing on it.
    #[serde(default)]
    pub status: Option<ListStatus>,
}

/// What to change about a contact. Never a channel's status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContactUpdate {
    /// Lists to put the contact on, at most 100. It stays on all others.
    pub lists: Vec<ListId>,
}

impl ContactUpdate {
    /// Changes nothing; an unknown contact is still created.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also puts the contact on this list.
    #[must_use]
    pub fn list(mut self, list: ListId) -> Self {
        if !self.lists.contains(&list) {
            self.lists.push(list);
        }
        self
    }
}

/// What became of an upsert.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upserted {
    /// Whether the contact is new.
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

    /// The contact of that identifier, or `None` when the account has none.
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

    /// Updates a contact, or creates it with this one identifier when the account has none. A
    /// contact in the recycle bin comes back. Repeating it does no harm.
    ///
    /// `PATCH /contacts/v3/{identifier}/{value}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when the identifier belongs to another contact, and
    /// [`ErrorKind::Rejected`] before sending for more than 100 lists.
    pub async fn upsert(
        &self,
        identifier: &Identifier,
        update: &ContactUpdate,
    ) -> Result<Upserted, Error> {
        let call = upsert_call(identifier, update)?;
        let answer = self.client.send(&call).await?;
        let contact = decode::json(&call, &answer)?;
        Ok(Upserted { created: answer.response.status == 201, contact })
    }
}

impl fmt::Debug for Identifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HIDDEN: &str = "<redacted>";
        f.debug_struct("Identifiers")
            .field("contact_id", &self.contact_id)
            .field("email", &self.email.as_ref().map(|_| HIDDEN))
            .field("mobile_number", &self.mobile_number.as_ref().map(|_| HIDDEN))
            .field("custom", &self.custom.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl<'de> Deserialize<'de> for Identifiers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            #[serde(default)]
            contact_id: Option<ContactId>,
            #[serde(default)]
            email: Option<String>,
            #[serde(default)]
            mobile_number: Option<String>,
            #[serde(flatten)]
            custom: BTreeMap<String, Value>,
        }
        let wire = Wire::deserialize(deserializer)?;
        Ok(Self {
            contact_id: wire.contact_id,
            email: wire.email,
            mobile_number: wire.mobile_number,
            custom: decode::lenient_texts(wire.custom),
        })
    }
}

#[derive(Serialize)]
struct UpsertBody<'a> {
    /// Left out for a contact id, which the service does not take here.
    #[serde(skip_serializing_if = "Option::is_none")]
    identifiers: Option<&'a Identifier>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    lists: &'a [ListId],
}

/// Whether an error says that the contact does not exist, and not that something else does not.
fn is_missing_contact(error: &Error) -> bool {
    let code_fits = error.code().is_none_or(|code| {
        code.eq_ignore_ascii_case("contacts:contactNotFound") || code == "ERROR_CONTACT_NOT_FOUND"
    });
    error.kind() == ErrorKind::NotFound && code_fits
}

fn find_call(identifier: &Identifier) -> Call {
    let call = Call::read("GET /contacts/v3/{identifier}/{value}", Tier::High);
    call.arg(identifier.name()).arg(identifier.path_value())
}

fn upsert_call(identifier: &Identifier, update: &ContactUpdate) -> Result<Call, Error> {
    const ENDPOINT: &str = "PATCH /contacts/v3/{identifier}/{value}";
    if update.lists.len() > MOST_LISTS {
        return Err(Error::refused(ENDPOINT, "more than 100 lists for one contact"));
    }
    let by_id = matches!(identifier, Identifier::ContactId(_));
    let body = UpsertBody { identifiers: (!by_id).then_some(identifier), lists: &update.lists };
    Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless)
        .arg(identifier.name())
        .arg(identifier.path_value())
        .query("merge-option", "overwrite")
        .json(&body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifier::EmailAddress;

    fn email(text: &str) -> Identifier {
        Identifier::Email(EmailAddress::parse(text).unwrap())
    }

    fn body(call: &Call) -> String {
        String::from_utf8(call.body.as_ref().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_value_is_encoded_and_the_identifier_repeated_in_the_body() {
        let update =
            ContactUpdate::new().list(ListId::new(7).unwrap()).list(ListId::new(7).unwrap());
        let call = upsert_call(&email("a+b/c@example.com"), &update).unwrap();
        assert_eq!(
            call.path_and_query,
            "/contacts/v3/email/a%2Bb%2Fc%40example.com?merge-option=overwrite"
        );
        assert_eq!(body(&call), r#"{"identifiers":{"email":"a+b/c@example.com"},"lists":[7]}"#);
    }

    #[test]
    fn a_contact_id_stands_in_the_path_only_and_no_empty_list_is_sent() {
        let id = Identifier::ContactId(ContactId::new(5).unwrap());
        let call = upsert_call(&id, &ContactUpdate::new()).unwrap();
        assert_eq!(call.path_and_query, "/contacts/v3/contactId/5?merge-option=overwrite");
        assert_eq!(body(&call), "{}");
    }

    #[test]
    fn more_lists_than_the_service_takes_are_refused() {
        let lists = (1..=101).map(|id| ListId::new(id).unwrap()).collect();
        let error = upsert_call(&email("a@example.com"), &ContactUpdate { lists }).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Rejected);
    }

    #[test]
    fn odd_contacts_are_still_read() {
        let contact: Contact = serde_json::from_str(
            r#"{"contactId":"12","status":"SUBSCRIBED","created":"2023-01-26T21:29:00","updated":7,
                "identifiers":{"email":"a@example.com","mobileNumber":null,"crm":17,"odd":[1]},
                "lists":null,"channelProperties":{"email":{"status":"newWord","x":1},"push":{}},
                "unheardOf":{"a":[]}}"#,
        )
        .unwrap();
        assert_eq!(contact.contact_id.get(), 12);
        assert_eq!(contact.status, Some(ContactStatus::Subscribed));
        assert!(contact.created.is_some() && contact.updated.is_none());
        assert_eq!(contact.identifiers.custom, BTreeMap::from([("crm".into(), "17".into())]));
        assert_eq!(contact.channels["email"].status.as_deref(), Some("newWord"));
        assert!(!format!("{contact:?}").contains("a@example.com"));
    }
}
