//! One contact as the account stores it.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::ConsentRecord;

/// A way to reach a contact.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) enum Channel {
    Email,
    Sms,
    WhatsApp,
}

/// Whether a contact may be reached on one channel.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::simulator) enum ChannelStatus {
    #[default]
    NoSubscription,
    Subscribed,
    /// Asked to confirm; only email asks.
    PendingOptIn,
    Unsubscribed,
    Suppressed,
}

impl ChannelStatus {
    pub(in crate::simulator) fn as_str(self) -> &'static str {
        match self {
            Self::NoSubscription => "noSubscription",
            Self::Subscribed => "subscribed",
            Self::PendingOptIn => "pendingOptIn",
            Self::Unsubscribed => "unsubscribed",
            Self::Suppressed => "suppressed",
        }
    }

    /// Whether nobody may write to the contact on that channel.
    pub(in crate::simulator) fn is_closed(self) -> bool {
        matches!(self, Self::Unsubscribed | Self::Suppressed)
    }
}

/// One contact, live or in the recycle bin.
#[derive(Clone)]
pub(in crate::simulator) struct Contact {
    pub(in crate::simulator) id: i64,
    pub(in crate::simulator) email: Option<Arc<str>>,
    pub(in crate::simulator) mobile: Option<Arc<str>>,
    pub(in crate::simulator) custom: BTreeMap<String, String>,
    pub(in crate::simulator) data_fields: Map<String, Value>,
    pub(in crate::simulator) email_status: ChannelStatus,
    pub(in crate::simulator) sms_status: ChannelStatus,
    pub(in crate::simulator) whatsapp_status: ChannelStatus,
    /// `Html` or `PlainText`.
    pub(in crate::simulator) email_type: &'static str,
    /// `Unknown`, `Single`, `Double` or `VerifiedDouble`.
    pub(in crate::simulator) opt_in: &'static str,
    pub(in crate::simulator) created: DateTime<Utc>,
    pub(in crate::simulator) updated: DateTime<Utc>,
    /// Whether the contact is opted in, by preference; not there where it was never said.
    pub(in crate::simulator) preferences: BTreeMap<i32, bool>,
    pub(in crate::simulator) consent_records: Vec<ConsentRecord>,
    /// Since when the contact is in the recycle bin.
    pub(in crate::simulator) binned: Option<DateTime<Utc>>,
}

impl Contact {
    pub(in crate::simulator) fn new(id: i64, now: DateTime<Utc>) -> Self {
        Self {
            id,
            email: None,
            mobile: None,
            custom: BTreeMap::new(),
            data_fields: Map::new(),
            email_status: ChannelStatus::Subscribed,
            sms_status: ChannelStatus::Subscribed,
            whatsapp_status: ChannelStatus::NoSubscription,
            email_type: "Html",
            opt_in: "Unknown",
            created: now,
            updated: now,
            preferences: BTreeMap::new(),
            consent_records: Vec::new(),
            binned: None,
        }
    }

    pub(in crate::simulator) fn set_channel(&mut self, channel: Channel, status: ChannelStatus) {
        match channel {
            Channel::Email => self.email_status = status,
            Channel::Sms => self.sms_status = status,
            Channel::WhatsApp => self.whatsapp_status = status,
        }
    }

    /// Whether the contact has the address that channel needs.
    pub(in crate::simulator) fn holds(&self, channel: Channel) -> bool {
        match channel {
            Channel::Email => self.email.is_some(),
            Channel::Sms | Channel::WhatsApp => self.mobile.is_some(),
        }
    }

    /// Whether every channel the contact has is closed, so that it can be on no list.
    pub(in crate::simulator) fn is_suppressed_everywhere(&self) -> bool {
        let mut held = self.held_channels().peekable();
        held.peek().is_some() && held.all(ChannelStatus::is_closed)
    }

    /// The contact's status as a whole.
    pub(in crate::simulator) fn status(&self) -> ChannelStatus {
        let mut held = self.held_channels();
        let first = held.next().unwrap_or_default();
        if first.is_closed() {
            held.find(|status| !status.is_closed()).unwrap_or(first)
        } else {
            first
        }
    }

    fn held_channels(&self) -> impl Iterator<Item = ChannelStatus> {
        let email = self.email.as_ref().map(|_| self.email_status);
        let sms = self.mobile.as_ref().map(|_| self.sms_status);
        let whatsapp = self.mobile.as_ref().map(|_| self.whatsapp_status);
        [email, sms, whatsapp.filter(|status| *status != ChannelStatus::NoSubscription)]
            .into_iter()
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reachable_by_both() -> Contact {
        let mut contact = Contact::new(1, DateTime::UNIX_EPOCH);
        contact.email = Some("a@example.com".into());
        contact.mobile = Some("447123123123".into());
        contact
    }

    #[test]
    fn one_open_channel_keeps_a_contact_on_its_lists() {
        let mut contact = reachable_by_both();
        contact.set_channel(Channel::Email, ChannelStatus::Unsubscribed);
        assert!(!contact.is_suppressed_everywhere());
        assert!(contact.status() == ChannelStatus::Subscribed);
    }

    #[test]
    fn a_channel_never_held_does_not_count_as_open() {
        let mut contact = reachable_by_both();
        contact.set_channel(Channel::Email, ChannelStatus::Unsubscribed);
        contact.set_channel(Channel::Sms, ChannelStatus::Suppressed);
        assert!(contact.is_suppressed_everywhere());
        assert!(contact.status() == ChannelStatus::Unsubscribed);
    }
}
