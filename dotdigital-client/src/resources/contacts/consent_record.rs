//! Consent records: proof of what a contact agreed to, and when.

use std::{fmt, net::IpAddr};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::decode;

/// Why a record of consent proves nothing. Never carries what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConsentRecord {
    /// No text was shown to the contact.
    #[error("the consent text is empty")]
    Text,
    /// Not an absolute address of a page.
    #[error("the address of the page is no absolute URL")]
    Url,
    /// The browser is not named.
    #[error("the user agent is empty")]
    UserAgent,
}

/// A record of consent to add to a contact. Records are only ever added.
///
/// `Debug` shows the date alone.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsentRecord {
    text: String,
    date_time_consented: String,
    url: String,
    ip_address: IpAddr,
    user_agent: String,
}

impl ConsentRecord {
    /// A record: the text that the contact agreed to, when, on which page, from which address and
    /// with which browser. The service asks for all five.
    ///
    /// # Errors
    ///
    /// Fails for an empty text or user agent, and for a page that is no absolute URL.
    pub fn new(
        text: impl Into<String>,
        consented: DateTime<Utc>,
        url: impl Into<String>,
        ip_address: IpAddr,
        user_agent: impl Into<String>,
    ) -> Result<Self, InvalidConsentRecord> {
        let (text, url, user_agent) = (text.into(), url.into(), user_agent.into());
        if text.trim().is_empty() {
            return Err(InvalidConsentRecord::Text);
        }
        if !is_absolute_url(&url) {
            return Err(InvalidConsentRecord::Url);
        }
        if user_agent.trim().is_empty() {
            return Err(InvalidConsentRecord::UserAgent);
        }
        let date_time_consented = consented.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        Ok(Self { text, date_time_consented, url, ip_address, user_agent })
    }
}

/// A record of consent as the service keeps it. What is missing is empty.
///
/// `Debug` shows the dates alone.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ConsentRecordInfo {
    /// The text that the contact agreed to.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub text: String,
    /// When it agreed.
    #[serde(default, rename = "dateTimeConsented", deserialize_with = "decode::lenient_time")]
    pub consented: Option<DateTime<Utc>>,
    /// The page it agreed on.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub url: String,
    /// The network address it agreed from, as the service spells it.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub ip_address: String,
    /// The browser it agreed with.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub user_agent: String,
    /// When the record was made.
    #[serde(default, rename = "dateTimeCreated", deserialize_with = "decode::lenient_time")]
    pub created: Option<DateTime<Utc>>,
}

impl fmt::Debug for ConsentRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsentRecord")
            .field("date_time_consented", &self.date_time_consented)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ConsentRecordInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsentRecordInfo")
            .field("consented", &self.consented)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

/// Whether a text is an absolute URL as it stands, with nothing left to encode.
pub(super) fn is_absolute_url(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    text.bytes().all(plain) && reqwest::Url::parse(text).is_ok_and(|url| url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str, url: &str, agent: &str) -> Result<ConsentRecord, InvalidConsentRecord> {
        let consented = "2023-01-26T21:29:00Z".parse().unwrap();
        ConsentRecord::new(text, consented, url, "2001:db8::1".parse().unwrap(), agent)
    }

    #[test]
    fn a_record_is_written_whole_and_shown_without_the_person() {
        let record = record("Yes, write to me", "https://example.com/?a=%20b", "Browser").unwrap();
        assert_eq!(
            serde_json::to_string(&record).unwrap(),
            concat!(
                r#"{"text":"Yes, write to me","dateTimeConsented":"2023-01-26T21:29:00Z","#,
                r#""url":"https://example.com/?a=%20b","ipAddress":"2001:db8::1","#,
                r#""userAgent":"Browser"}"#
            )
        );
        assert!(!format!("{record:?}").contains("db8"));
    }

    #[test]
    fn a_record_without_proof_is_refused() {
        let page = "https://example.com/";
        assert_eq!(record(" ", page, "x"), Err(InvalidConsentRecord::Text));
        assert_eq!(record("x", page, " "), Err(InvalidConsentRecord::UserAgent));
        for url in ["", "/signup", "example.com", "https://", "https://a.b/c d", "mailto:a@b.c"] {
            assert_eq!(record("x", url, "x"), Err(InvalidConsentRecord::Url), "{url}");
        }
    }
}
