//! A contact's content as it is sent, checked against what the service takes.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    ConsentRecord, ContactUpdate, EmailType,
    update::{MoreIdentifiers, PreferenceChange},
};
use crate::{data_fields::FieldValue, identifier::Identifier, ids::ListId};

/// Why the service would refuse a contact's content. Never carries a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidContent {
    /// More lists than the service takes with one contact.
    #[error("more than {} lists for one contact", ContactUpdate::MOST_LISTS)]
    TooManyLists,
    /// More consent records than the service takes with one contact.
    #[error("more than {} consent records for one contact", ContactUpdate::MOST_CONSENT_RECORDS)]
    TooManyConsentRecords,
    /// A data field without a name.
    #[error("a data field without a name")]
    FieldName,
    /// An email type or opt-in type that the service does not document.
    #[error("an email type or opt-in type that the service does not take")]
    UnknownWord,
    /// A new or replaced contact has neither an email address nor a mobile number.
    #[error("a contact needs an email address or a mobile number")]
    NoIdentifier,
    /// A contact of an import is to have another identifier than the one it is found by.
    #[error("an import cannot change the identifier it finds the contact by")]
    OtherMatchValue,
    /// Consent records can only be added, so a call that replaces does not take them.
    #[error("consent records cannot replace others")]
    ConsentRecordsReplaced,
    /// A contact that is new cannot be subscribed again.
    #[error("a new contact takes no resubscribe options")]
    ResubscribeNew,
}

/// Where a contact's content goes.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Create,
    Upsert(&'a Identifier),
    #[cfg(feature = "account-deletion")]
    Replace(&'a Identifier),
    Import(&'a Identifier),
}

/// The JSON of a contact. The service refuses empty arrays, so they are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContactBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    match_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "BodyIdentifiers::is_empty")]
    identifiers: BodyIdentifiers<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    data_fields: &'a BTreeMap<String, FieldValue>,
    #[serde(skip_serializing_if = "ChannelChanges::is_empty")]
    channel_properties: &'a ChannelChanges,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    lists: &'a [ListId],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    preferences: &'a [PreferenceChange],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    consent_records: &'a [ConsentRecord],
}

impl<'a> ContactBody<'a> {
    /// The content as it is sent to `place`.
    pub(crate) fn new(update: &'a ContactUpdate, place: Place<'a>) -> Self {
        let found_by = match place {
            Place::Create => None,
            // A contact id is assigned, not stored: only an import takes it, to find the contact.
            Place::Upsert(Identifier::ContactId(_)) => None,
            #[cfg(feature = "account-deletion")]
            Place::Replace(Identifier::ContactId(_)) => None,
            #[cfg(feature = "account-deletion")]
            Place::Replace(identifier) => Some(identifier),
            Place::Upsert(identifier) | Place::Import(identifier) => Some(identifier),
        };
        let match_identifier = match place {
            Place::Import(identifier) => Some(identifier.name()),
            _ => None,
        };
        Self {
            match_identifier,
            identifiers: BodyIdentifiers { found_by, more: &update.identifiers },
            data_fields: &update.fields,
            channel_properties: &update.channels,
            lists: &update.lists,
            preferences: &update.preferences,
            consent_records: &update.consent_records,
        }
    }

    /// The same, unless the service would refuse it there.
    pub(crate) fn checked(
        update: &'a ContactUpdate,
        place: Place<'a>,
    ) -> Result<Self, InvalidContent> {
        let body = Self::new(update, place);
        if body.lists.len() > ContactUpdate::MOST_LISTS {
            return Err(InvalidContent::TooManyLists);
        }
        if body.consent_records.len() > ContactUpdate::MOST_CONSENT_RECORDS {
            return Err(InvalidContent::TooManyConsentRecords);
        }
        if body.data_fields.contains_key("") {
            return Err(InvalidContent::FieldName);
        }
        if body.channel_properties.has_unknown_word() {
            return Err(InvalidContent::UnknownWord);
        }
        match place {
            Place::Create if !body.identifiers.reach_somebody() => {
                Err(InvalidContent::NoIdentifier)
            }
            Place::Create if body.channel_properties.resubscribes() => {
                Err(InvalidContent::ResubscribeNew)
            }
            #[cfg(feature = "account-deletion")]
            Place::Replace(_) if !body.identifiers.reach_somebody() => {
                Err(InvalidContent::NoIdentifier)
            }
            #[cfg(feature = "account-deletion")]
            Place::Replace(_) if !body.consent_records.is_empty() => {
                Err(InvalidContent::ConsentRecordsReplaced)
            }
            Place::Import(_) if body.identifiers.contradict() => {
                Err(InvalidContent::OtherMatchValue)
            }
            _ => Ok(body),
        }
    }
}

/// The identifier a contact is found by and those to store. Of one kind, the one to store counts.
struct BodyIdentifiers<'a> {
    found_by: Option<&'a Identifier>,
    more: &'a MoreIdentifiers,
}

impl BodyIdentifiers<'_> {
    fn is_empty(&self) -> bool {
        self.found_by.is_none() && *self.more == MoreIdentifiers::default()
    }

    fn email(&self) -> Option<&str> {
        let found_by = match self.found_by {
            Some(Identifier::Email(email)) => Some(email),
            _ => None,
        };
        self.more.email.as_ref().or(found_by).map(|email| email.as_str())
    }

    fn mobile_number(&self) -> Option<&str> {
        let found_by = match self.found_by {
            Some(Identifier::MobileNumber(number)) => Some(number),
            _ => None,
        };
        self.more.mobile_number.as_ref().or(found_by).map(|number| number.as_str())
    }

    fn reach_somebody(&self) -> bool {
        self.email().is_some() || self.mobile_number().is_some()
    }

    /// Whether one of them is another than the one of its kind that the contact is found by.
    fn contradict(&self) -> bool {
        match self.found_by {
            Some(Identifier::Email(email)) => {
                self.more.email.as_ref().is_some_and(|other| other != email)
            }
            Some(Identifier::MobileNumber(number)) => {
                self.more.mobile_number.as_ref().is_some_and(|other| other != number)
            }
            Some(Identifier::Custom { name, value }) => {
                self.more.custom.get(name).is_some_and(|other| other != value)
            }
            Some(Identifier::ContactId(_)) | None => false,
        }
    }
}

impl Serialize for BodyIdentifiers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(Identifier::ContactId(id)) = self.found_by {
            map.serialize_entry("contactId", id)?;
        }
        if let Some(email) = self.email() {
            map.serialize_entry("email", email)?;
        }
        if let Some(number) = self.mobile_number() {
            map.serialize_entry("mobileNumber", number)?;
        }
        if let Some(Identifier::Custom { name, value }) = self.found_by
            && !self.more.custom.contains_key(name)
        {
            map.serialize_entry(name.as_str(), value.as_str())?;
        }
        for (name, value) in &self.more.custom {
            map.serialize_entry(name.as_str(), value.as_str())?;
        }
        map.end()
    }
}

/// What to change about channels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct ChannelChanges {
    #[serde(skip_serializing_if = "EmailChange::is_empty")]
    pub(super) email: EmailChange,
    #[cfg(feature = "consent-changes")]
    #[serde(flatten)]
    pub(super) phone: super::consent::PhoneConsent,
}

/// What to change about the email channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmailChange {
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "email_type")]
    pub(super) email_type: Option<EmailType>,
    #[cfg(feature = "consent-changes")]
    #[serde(flatten)]
    pub(super) consent: super::consent::EmailConsent,
}

impl ChannelChanges {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn has_unknown_word(&self) -> bool {
        #[cfg(feature = "consent-changes")]
        if self.email.consent.has_unknown_word() {
            return true;
        }
        matches!(self.email.email_type, Some(EmailType::Other(_)))
    }

    #[cfg(feature = "consent-changes")]
    fn resubscribes(&self) -> bool {
        self.email.consent.resubscribe_options.is_some()
    }

    #[cfg(not(feature = "consent-changes"))]
    fn resubscribes(&self) -> bool {
        false
    }

    /// Whether doing it twice may write to the contact twice, or bring back one that has left in
    /// between.
    #[cfg(feature = "consent-changes")]
    pub(super) fn act_again(&self) -> bool {
        self.email.consent.acts_again() || self.phone.subscribes()
    }

    #[cfg(not(feature = "consent-changes"))]
    pub(super) fn act_again(&self) -> bool {
        false
    }
}

impl EmailChange {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Requests spell the word in another case than answers.
fn email_type<S: Serializer>(word: &Option<EmailType>, serializer: S) -> Result<S::Ok, S::Error> {
    lower_camel(word.as_ref().map(EmailType::as_str).unwrap_or_default(), serializer)
}

/// Writes a word of an answer in the case of requests: `VerifiedDouble` as `verifiedDouble`.
pub(super) fn lower_camel<S: Serializer>(word: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let mut word = word.to_owned();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    serializer.serialize_str(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identifier::{CustomName, CustomValue, EmailAddress, MobileNumber},
        ids::{ContactId, PreferenceId},
    };

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    fn record() -> ConsentRecord {
        let consented = "2023-01-26T21:29:00Z".parse().unwrap();
        let ip = "127.0.0.1".parse().unwrap();
        ConsentRecord::new("Yes", consented, "https://example.com/", ip, "Browser").unwrap()
    }

    fn invalid(update: &ContactUpdate, place: Place<'_>) -> Option<InvalidContent> {
        ContactBody::checked(update, place).err()
    }

    fn lists(count: i32) -> ContactUpdate {
        let add = |update: ContactUpdate, id| update.list(ListId::new(id).unwrap());
        (1..=count).fold(ContactUpdate::new(), add)
    }

    #[test]
    fn a_whole_contact_is_written() {
        let update = ContactUpdate::new()
            .mobile_number(MobileNumber::parse("447700900123").unwrap())
            .custom(CustomName::parse("crm-id").unwrap(), CustomValue::parse("A/1").unwrap())
            .field("FIRSTNAME", "Jane")
            .field("NOTE", FieldValue::Clear)
            .email_type(EmailType::PlainText)
            .list(ListId::new(7).unwrap())
            .preference(PreferenceId::new(3).unwrap(), false)
            .preference(PreferenceId::new(3).unwrap(), true)
            .consent(record());
        let jane = Identifier::Email(address("jane@example.com"));
        let body = ContactBody::checked(&update, Place::Import(&jane)).unwrap();
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            concat!(
                r#"{"matchIdentifier":"email","identifiers":{"email":"jane@example.com","#,
                r#""mobileNumber":"447700900123","crm-id":"A/1"},"#,
                r#""dataFields":{"FIRSTNAME":"Jane","NOTE":null},"#,
                r#""channelProperties":{"email":{"emailType":"plainText"}},"lists":[7],"#,
                r#""preferences":[{"id":3,"isOptedIn":true}],"#,
                r#""consentRecords":[{"text":"Yes","dateTimeConsented":"2023-01-26T21:29:00Z","#,
                r#""url":"https://example.com/","ipAddress":"127.0.0.1","userAgent":"Browser"}]}"#
            )
        );
        let shown = format!("{update:?}");
        for hidden in ["7700", "A/1", "Jane", "127.0"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }

    #[test]
    fn every_bound_is_checked() {
        let id = Identifier::ContactId(ContactId::new(5).unwrap());
        let place = Place::Upsert(&id);
        assert_eq!(invalid(&lists(100), place), None);
        assert_eq!(invalid(&lists(101), place), Some(InvalidContent::TooManyLists));
        let records = |count| (0..count).fold(ContactUpdate::new(), |u, _| u.consent(record()));
        assert_eq!(invalid(&records(5), place), None);
        assert_eq!(invalid(&records(6), place), Some(InvalidContent::TooManyConsentRecords));
        let nameless = ContactUpdate::new().field("", FieldValue::Clear);
        assert_eq!(invalid(&nameless, place), Some(InvalidContent::FieldName));
        let odd = ContactUpdate::new().email_type("Smoke signal".into());
        assert_eq!(invalid(&odd, place), Some(InvalidContent::UnknownWord));
    }

    #[test]
    fn a_new_contact_needs_an_address_or_a_number() {
        let name = CustomName::parse("crm-id").unwrap();
        let custom = ContactUpdate::new().custom(name, CustomValue::parse("1").unwrap());
        assert_eq!(invalid(&custom, Place::Create), Some(InvalidContent::NoIdentifier));
        let reachable = custom.email(address("a@example.com"));
        assert_eq!(invalid(&reachable, Place::Create), None);
    }

    #[test]
    fn an_import_does_not_change_what_it_finds_the_contact_by() {
        let update = ContactUpdate::new().email(address("new@example.com"));
        let old = Identifier::Email(address("old@example.com"));
        let same = Identifier::Email(address("new@example.com"));
        let id = Identifier::ContactId(ContactId::new(5).unwrap());
        assert_eq!(invalid(&update, Place::Import(&old)), Some(InvalidContent::OtherMatchValue));
        assert_eq!(invalid(&update, Place::Import(&same)), None);
        assert_eq!(invalid(&update, Place::Import(&id)), None);
        assert_eq!(invalid(&update, Place::Upsert(&old)), None);
    }
}
