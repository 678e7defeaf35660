//! Which contacts chose which preferences, and when.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::{
    contacts::EmailContact,
    decode,
    ids::{ContactId, ListId, PreferenceId},
};

/// A contact and its choices of preferences.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ContactOptIns {
    /// The contact.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub contact: EmailContact,
    /// Its choices.
    #[serde(
        default,
        rename = "marketingPreferenceOptIns",
        deserialize_with = "decode::null_as_default"
    )]
    pub opt_ins: Vec<PreferenceOptIn>,
}

/// What a contact chose for one preference.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PreferenceOptIn {
    /// The preference.
    #[serde(default, rename = "marketingPreferenceId", deserialize_with = "decode::lenient")]
    pub preference: Option<PreferenceId>,
    /// The list that the choice was made on, if any.
    #[serde(default, rename = "addressBookId", deserialize_with = "decode::lenient")]
    pub list: Option<ListId>,
    /// Whether the contact is opted in. Missing counts as not.
    #[serde(default, rename = "isOptedIn", deserialize_with = "decode::null_as_default")]
    pub opted_in: bool,
    /// When the choice was made. `None` when missing or in a spelling this crate does not know.
    // The service's own spelling lacks a letter; the other is taken too, should it be mended.
    #[serde(
        default,
        rename = "dateModifed",
        alias = "dateModified",
        deserialize_with = "decode::lenient_time"
    )]
    pub modified: Option<DateTime<Utc>>,
}

impl ContactOptIns {
    /// The place of this contact in pages.
    pub(crate) fn contact_id(&self) -> Option<ContactId> {
        self.contact.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_in_both_spellings_of_their_date() {
        for name in ["dateModifed", "dateModified"] {
            let json = format!(
                r#"{{"contact":{{"id":5}},"marketingPreferenceOptIns":[{{"marketingPreferenceId":2,
                    "addressBookId":421,"isOptedIn":true,"{name}":"2020-01-01 09:40:18.527000+00:00"}}]}}"#
            );
            let read: ContactOptIns = serde_json::from_str(&json).unwrap();
            let choice = &read.opt_ins[0];
            assert_eq!(choice.preference.unwrap().get(), 2);
            assert_eq!(choice.list.unwrap().get(), 421);
            assert!(choice.opted_in && choice.modified.is_some());
        }
    }

    #[test]
    fn choices_with_odd_parts_are_still_read() {
        let json = r#"{"contact":null,"marketingPreferenceOptIns":[{"addressBookId":0,
            "isOptedIn":null,"dateModifed":"soon"}]}"#;
        let read: ContactOptIns = serde_json::from_str(json).unwrap();
        assert_eq!(read.contact, EmailContact::default());
        let choice =
            PreferenceOptIn { preference: None, list: None, opted_in: false, modified: None };
        assert_eq!(read.opt_ins, [choice]);
    }
}
