//! Proof that a contact agreed to be written to.

use chrono::{DateTime, Utc};

/// A consent record as it was sent. Its shape has been checked.
pub(in crate::simulator) struct NewConsent {
    pub(in crate::simulator) text: String,
    pub(in crate::simulator) consented: DateTime<Utc>,
    pub(in crate::simulator) url: String,
    pub(in crate::simulator) ip_address: String,
    pub(in crate::simulator) user_agent: String,
}

/// A consent record of a contact; records are only ever added.
#[derive(Clone)]
pub(in crate::simulator) struct ConsentRecord {
    pub(in crate::simulator) text: String,
    pub(in crate::simulator) consented: DateTime<Utc>,
    pub(in crate::simulator) url: String,
    pub(in crate::simulator) ip_address: String,
    pub(in crate::simulator) user_agent: String,
    pub(in crate::simulator) created: DateTime<Utc>,
}

impl NewConsent {
    /// Whether the record can be one: nobody agrees in the future, or on anything but a web page.
    pub(in crate::simulator) fn is_credible(&self, now: DateTime<Utc>) -> bool {
        let scheme = self.url.split(':').next().unwrap_or_default().to_ascii_lowercase();
        self.consented <= now && matches!(scheme.as_str(), "http" | "https")
    }

    pub(in crate::simulator) fn recorded(&self, now: DateTime<Utc>) -> ConsentRecord {
        ConsentRecord {
            text: self.text.clone(),
            consented: self.consented,
            url: self.url.clone(),
            ip_address: self.ip_address.clone(),
            user_agent: self.user_agent.clone(),
            created: now,
        }
    }
}
