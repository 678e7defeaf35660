//! Bringing back a contact that left: what to send, and what became of it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize, Serializer};

use crate::{contacts::EmailContact, decode, identifier::EmailAddress, service_enum::service_enum};

/// The language of the message that asks a contact to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum ChallengeLocale {
    /// Czech.
    #[serde(rename = "cs-CS")]
    Czech,
    /// Danish.
    #[serde(rename = "da-DA")]
    Danish,
    /// German.
    #[serde(rename = "de-DE")]
    German,
    /// Greek.
    #[serde(rename = "el-EL")]
    Greek,
    /// English.
    #[serde(rename = "en-EN")]
    English,
    /// Spanish, as spoken in Spain.
    #[serde(rename = "es-ES")]
    SpanishOfSpain,
    /// Spanish.
    #[serde(rename = "es")]
    Spanish,
    /// Finnish.
    #[serde(rename = "fi-FI")]
    Finnish,
    /// French.
    #[serde(rename = "fr-FR")]
    French,
    /// Hungarian.
    #[serde(rename = "hu-HU")]
    Hungarian,
    /// Italian.
    #[serde(rename = "it-IT")]
    Italian,
    /// Dutch.
    #[serde(rename = "nl-NL")]
    Dutch,
    /// Norwegian.
    #[serde(rename = "nb-NO")]
    Norwegian,
    /// Polish.
    #[serde(rename = "pl-PL")]
    Polish,
    /// Portuguese.
    #[serde(rename = "pt-PT")]
    Portuguese,
    /// Russian.
    #[serde(rename = "ru-RU")]
    Russian,
    /// Swedish.
    #[serde(rename = "se-SE")]
    Swedish,
    /// Slovak.
    #[serde(rename = "sk-SK")]
    Slovak,
    /// Turkish.
    #[serde(rename = "tr-TR")]
    Turkish,
    /// Chinese.
    #[serde(rename = "zh-CN")]
    Chinese,
}

service_enum! {
    /// What became of a resubscription.
    ResubscribeOutcome {
        /// The contact is subscribed again.
        ContactAdded = "ContactAdded",
        /// The contact was written to and is subscribed again once it confirms.
        ContactChallenged = "ContactChallenged",
        /// The contact stays suppressed.
        ContactCannotBeUnsuppressed = "ContactCannotBeUnsuppressed",
    }
}

/// A contact that left and wishes to come back.
///
/// `Debug` shows neither address nor values.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReturningContact {
    /// The email address.
    pub email: EmailAddress,
    /// What to keep about the contact from now on: names of data fields and their values.
    pub data_fields: BTreeMap<String, String>,
}

impl ReturningContact {
    /// A contact known by its address.
    pub fn new(email: EmailAddress) -> Self {
        Self { email, data_fields: BTreeMap::new() }
    }

    /// Also sets a data field, which has to exist.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.data_fields.insert(name.into(), value.into());
        self
    }
}

/// The message that asks a contact to confirm.
///
/// `Debug` does not show where it leads: that address may name the person.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Challenge {
    /// Its language. The service chooses when there is none.
    #[serde(rename = "preferredLocale", skip_serializing_if = "Option::is_none")]
    pub locale: Option<ChallengeLocale>,
    /// Where the contact is led once it has confirmed.
    #[serde(rename = "returnUrlToUseIfChallenged", skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
}

impl Challenge {
    /// A message in the language that the service chooses.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same in this language.
    #[must_use]
    pub fn locale(mut self, locale: ChallengeLocale) -> Self {
        self.locale = Some(locale);
        self
    }

    /// The same, leading to this address.
    #[must_use]
    pub fn return_url(mut self, url: impl Into<String>) -> Self {
        self.return_url = Some(url.into());
        self
    }
}

/// What the service says of a resubscription.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Resubscribed {
    /// The contact as it is now.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub contact: EmailContact,
    /// What became of it. A success of the call alone says nothing about that.
    #[serde(rename = "status")]
    pub outcome: ResubscribeOutcome,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").field("locale", &self.locale).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReturningContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReturningContact")
            .field("email", &self.email)
            .field("data_fields", &self.data_fields.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// The object that v2 takes: `{"email":"…","dataFields":[{"key":"…","value":"…"}]}`.
impl Serialize for ReturningContact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            email: &'a str,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            data_fields: Vec<Entry<'a>>,
        }
        #[derive(Serialize)]
        struct Entry<'a> {
            key: &'a str,
            value: &'a str,
        }
        let entries = self.data_fields.iter().map(|(key, value)| Entry { key, value });
        Wire { email: self.email.as_str(), data_fields: entries.collect() }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nobody() {
        let email = EmailAddress::parse("jane@example.com").unwrap();
        let shown = format!("{:?}", ReturningContact::new(email).field("CITY", "Ghent"));
        assert!(shown.contains("CITY"));
        assert!(!shown.contains("jane") && !shown.contains("Ghent"), "{shown}");
        let challenge = Challenge::new().locale(ChallengeLocale::German);
        let shown = format!("{:?}", challenge.return_url("https://www.example.com/?jane"));
        assert!(shown.contains("German") && !shown.contains("jane"), "{shown}");
    }
}
