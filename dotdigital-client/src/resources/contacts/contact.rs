//! A contact as the service tells it.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::{Channels, ConsentRecordInfo};
use crate::{
    data_fields::FieldValue,
    decode,
    ids::{ContactId, ListId, PreferenceId},
    service_enum::service_enum,
};

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

/// A contact of the account.
///
/// `Debug` shows no address and no value of a data field.
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
    /// Its data fields by name. Empty when the call did not ask for them.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub data_fields: BTreeMap<String, FieldValue>,
    /// Its standing on each channel. Empty when the call did not ask for it.
    #[serde(default, rename = "channelProperties", deserialize_with = "decode::null_as_default")]
    pub channels: Channels,
    /// The lists it is on. Empty when the call did not ask for them.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub lists: Vec<ListMembership>,
    /// Its preferences. Empty when the call did not ask for them.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub preferences: Vec<ContactPreference>,
    /// What it consented to. Empty when the call did not ask for it.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub consent_records: Vec<ConsentRecordInfo>,
}

/// What a contact is recognised by, as the service tells it.
///
/// `Debug` shows which identifiers there are, not their values.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identifiers {
    /// The contact id, which only reports of jobs repeat here.
    pub contact_id: Option<ContactId>,
    /// The email address.
    pub email: Option<String>,
    /// The mobile number.
    pub mobile_number: Option<String>,
    /// Custom identifiers by name.
    pub custom: BTreeMap<String, String>,
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

/// A preference that a contact has decided on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactPreference {
    /// The preference.
    pub id: PreferenceId,
    /// Whether the contact wishes to hear about it.
    #[serde(default, rename = "isOptedIn")]
    pub opted_in: Option<bool>,
    /// Its name for contacts.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub public_name: String,
    /// Its name within the account.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub private_name: String,
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

/// The name of an identifier.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum IdentifierName {
    ContactId,
    Email,
    MobileNumber,
    Custom(String),
}

/// Reads identifiers without a detour: a report of an import has hundreds of thousands.
struct IdentifiersVisitor;

impl<'de> Visitor<'de> for IdentifiersVisitor {
    type Value = Identifiers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of identifiers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Identifiers, A::Error> {
        let mut read = Identifiers::default();
        while let Some(name) = map.next_key()? {
            match name {
                // Reports write zero or less for a contact that does not exist.
                IdentifierName::ContactId => {
                    read.contact_id = serde_json::from_value(map.next_value()?).ok();
                }
                IdentifierName::Email => read.email = decode::lenient_text(map.next_value()?),
                IdentifierName::MobileNumber => {
                    read.mobile_number = decode::lenient_text(map.next_value()?);
                }
                IdentifierName::Custom(name) => {
                    if let Some(value) = decode::lenient_text(map.next_value()?) {
                        read.custom.insert(name, value);
                    }
                }
            }
        }
        Ok(read)
    }
}

impl<'de> Deserialize<'de> for Identifiers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(IdentifiersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contacts::EmailStatus;

    #[test]
    fn odd_contacts_are_still_read() {
        let contact: Contact = serde_json::from_str(
            r#"{"contactId":"12","status":"SUBSCRIBED","created":"2023-01-26T21:29:00","updated":7,
                "identifiers":{"email":"a@example.com","mobileNumber":null,"crm":17,"odd":[1]},
                "dataFields":{"FIRSTNAME":"Jane","AGE":null,"ODD":{"a":1}},"preferences":null,
                "lists":null,"channelProperties":{"email":{"status":"newWord","x":1},"sms":null,
                "push":{}},"consentRecords":[{}],"unheardOf":{"a":[]}}"#,
        )
        .unwrap();
        assert_eq!(contact.contact_id.get(), 12);
        assert_eq!(contact.status, Some(ContactStatus::Subscribed));
        assert!(contact.created.is_some() && contact.updated.is_none());
        assert_eq!(contact.identifiers.custom, BTreeMap::from([("crm".into(), "17".into())]));
        assert_eq!(contact.data_fields["AGE"], FieldValue::Clear);
        let email = contact.channels.email.as_ref().unwrap();
        assert_eq!(email.status, Some(EmailStatus::Other("newWord".into())));
        assert_eq!(contact.consent_records.len(), 1);
        let shown = format!("{contact:?}");
        assert!(!shown.contains("a@example.com") && !shown.contains("Jane"), "{shown}");
    }
}
