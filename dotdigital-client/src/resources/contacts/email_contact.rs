//! Contacts as the v2 calls know them: by email address.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{EmailType, OptInType};
use crate::{decode, identifier::EmailAddress, ids::ContactId, paging, service_enum::service_enum};

service_enum! {
    /// The standing of a contact's email address, in the words of v2.
    EmailContactStatus {
        /// May be written to.
        Subscribed = "Subscribed",
        /// Left by the contact's own decision.
        Unsubscribed = "Unsubscribed",
        /// Mail came back, perhaps not for good.
        SoftBounced = "SoftBounced",
        /// Mail came back for good.
        HardBounced = "HardBounced",
        /// The contact's mail provider passed on a complaint.
        IspComplained = "IspComplained",
        /// The contact's mail server refuses mail.
        MailBlocked = "MailBlocked",
        /// Asked to confirm.
        PendingOptIn = "PendingOptIn",
        /// Complained to the vendor.
        DirectComplaint = "DirectComplaint",
        /// Deleted.
        Deleted = "Deleted",
        /// On a list of suppressed addresses that accounts share.
        SharedSuppression = "SharedSuppression",
        /// Silenced by the account's decision.
        Suppressed = "Suppressed",
        /// Not allowed on this account.
        NotAllowed = "NotAllowed",
        /// The address's domain is suppressed.
        DomainSuppression = "DomainSuppression",
        /// The address's domain takes no mail.
        NoMxRecord = "NoMxRecord",
    }
}

/// A contact in an answer of a v2 call.
///
/// `Debug` shows neither address nor values.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EmailContact {
    /// The contact's id. `None` where the service gives none, as for addresses that are no contact
    /// of the account.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub id: Option<ContactId>,
    /// The email address. `None` where the service knows the contact by its id only.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub email: Option<String>,
    /// How the contact agreed to get mails.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub opt_in_type: Option<OptInType>,
    /// The form in which it gets them.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub email_type: Option<EmailType>,
    /// What the account keeps about the contact, by data field. Empty when the call did not ask
    /// for it; a field without a value is left out.
    #[serde(default, deserialize_with = "key_values")]
    pub data_fields: BTreeMap<String, String>,
    /// The standing of its email address.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub status: Option<EmailContactStatus>,
}

impl EmailContact {
    /// Tells contacts of one page apart.
    pub(crate) fn key(&self) -> u64 {
        paging::key(&(self.id, &self.email))
    }
}

impl fmt::Debug for EmailContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailContact")
            .field("id", &self.id)
            .field("email", &self.email.as_ref().map(|_| "<redacted>"))
            .field("opt_in_type", &self.opt_in_type)
            .field("email_type", &self.email_type)
            .field("data_fields", &self.data_fields.keys().collect::<Vec<_>>())
            .field("status", &self.status)
            .finish()
    }
}

/// What some v2 calls recognise a contact by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdOrEmail {
    /// The service's own number.
    Id(ContactId),
    /// An email address.
    Email(EmailAddress),
}

impl IdOrEmail {
    /// The value as it stands in a path before encoding.
    pub(crate) fn path_value(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Email(email) => email.as_str().to_owned(),
        }
    }
}

impl From<ContactId> for IdOrEmail {
    fn from(id: ContactId) -> Self {
        Self::Id(id)
    }
}

impl From<EmailAddress> for IdOrEmail {
    fn from(email: EmailAddress) -> Self {
        Self::Email(email)
    }
}

/// The object that names a contact in a body: `{"id":5}` or `{"email":"…"}`.
impl Serialize for IdOrEmail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Id(id) => serializer.collect_map([("id", id)]),
            Self::Email(email) => serializer.collect_map([("email", email.as_str())]),
        }
    }
}

/// Reads `[{"key":"FIRSTNAME","value":"Jane"}]`, or `null`.
fn key_values<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    #[derive(Deserialize)]
    struct Entry {
        #[serde(alias = "Key")]
        key: String,
        #[serde(default, alias = "Value")]
        value: Value,
    }
    let entries = Vec::<Entry>::deserialize(Value::deserialize(deserializer)?).unwrap_or_default();
    let text = |value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    Ok(entries.into_iter().filter_map(|entry| Some((entry.key, text(entry.value)?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> EmailContact {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_contact_is_read_with_its_data_fields() {
        let contact = read(
            r#"{"id":"5","email":"jane@example.com","optInType":"Single","emailType":"Html",
                "status":"subscribed","unheardOf":1,"dataFields":[
                {"key":"FIRSTNAME","value":"Jane"},{"key":"AGE","value":41},
                {"key":"VIP","value":true},{"key":"CITY","value":null},{"key":"TOWN"}]}"#,
        );
        assert_eq!(contact.id.unwrap().get(), 5);
        assert_eq!(contact.email.as_deref(), Some("jane@example.com"));
        assert_eq!(contact.opt_in_type, Some(OptInType::Single));
        assert_eq!(contact.email_type, Some(EmailType::Html));
        assert_eq!(contact.status, Some(EmailContactStatus::Subscribed));
        let fields = [("AGE", "41"), ("FIRSTNAME", "Jane"), ("VIP", "true")];
        assert!(contact.data_fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).eq(fields));
    }

    #[test]
    fn a_contact_without_an_id_or_with_odd_parts_is_still_read() {
        let contact =
            read(r#"{"id":0,"email":null,"dataFields":null,"optInType":7,"status":null}"#);
        assert_eq!(contact, EmailContact::default());
        assert_eq!(read("{}"), EmailContact::default());
        let contact = read(r#"{"id":-1,"dataFields":"odd","status":"NotAvailableInThisVersion"}"#);
        let status = EmailContactStatus::Other("NotAvailableInThisVersion".to_owned());
        assert_eq!(contact, EmailContact { status: Some(status), ..EmailContact::default() });
    }

    #[test]
    fn debug_shows_nobody() {
        let contact = read(
            r#"{"id":5,"email":"jane@example.com","dataFields":[{"key":"CITY","value":"Ghent"}]}"#,
        );
        let shown = format!(
            "{contact:?} {:?}",
            IdOrEmail::from(EmailAddress::parse("jane@example.com").unwrap())
        );
        assert!(shown.contains("CITY") && shown.contains('5'));
        assert!(!shown.contains("jane") && !shown.contains("Ghent"), "{shown}");
    }

    #[test]
    fn a_contact_is_named_in_a_body_by_what_is_known_of_it() {
        let contacts = [
            IdOrEmail::from(ContactId::new(5).unwrap()),
            IdOrEmail::from(EmailAddress::parse("a@example.com").unwrap()),
        ];
        let json = serde_json::to_string(&contacts).unwrap();
        assert_eq!(json, r#"[{"id":5},{"email":"a@example.com"}]"#);
    }
}
