//! One contact list and who is on it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::simulator::views::Visibility;

/// How a contact stands to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum MemberStatus {
    Subscribed,
    /// Not to be reached through this list.
    Suppressed,
}

impl MemberStatus {
    pub(in crate::simulator) fn as_str(self) -> &'static str {
        match self {
            Self::Subscribed => "subscribed",
            Self::Suppressed => "suppressed",
        }
    }
}

/// A contact list; the API says address book.
pub(in crate::simulator) struct List {
    pub(in crate::simulator) id: i32,
    pub(in crate::simulator) name: String,
    pub(in crate::simulator) visibility: Visibility,
    /// By contact id, so that pages can seek.
    pub(in crate::simulator) members: BTreeMap<i64, MemberStatus>,
    /// When a contact unsubscribed from this list; not when it did so from the account.
    pub(in crate::simulator) unsubscribed: BTreeMap<i64, DateTime<Utc>>,
    /// Campaigns that were sent to the list, the oldest first.
    pub(in crate::simulator) campaigns: Vec<Campaign>,
}

/// A campaign that was sent.
#[derive(Clone)]
pub(in crate::simulator) struct Campaign {
    pub(in crate::simulator) id: i32,
    pub(in crate::simulator) name: String,
    pub(in crate::simulator) subject: String,
}

impl List {
    pub(in crate::simulator) fn new(id: i32, name: &str, visibility: Visibility) -> Self {
        Self {
            id,
            name: name.to_owned(),
            visibility,
            members: BTreeMap::new(),
            unsubscribed: BTreeMap::new(),
            campaigns: Vec::new(),
        }
    }

    /// Puts a contact on the list. Who unsubscribed from it stays suppressed there; who was
    /// suppressed because nobody could write to her does not.
    pub(in crate::simulator) fn add(&mut self, contact: i64) {
        let left = self.unsubscribed.contains_key(&contact);
        let status = if left { MemberStatus::Suppressed } else { MemberStatus::Subscribed };
        self.members.insert(contact, status);
    }

    /// Takes a contact off the list; true when it was on it. A suppression stays.
    pub(in crate::simulator) fn remove(&mut self, contact: i64) -> bool {
        let was_member = self.members.get(&contact) == Some(&MemberStatus::Subscribed);
        if was_member {
            self.members.remove(&contact);
        }
        was_member
    }

    /// Takes everybody off the list. Suppressions stay.
    pub(in crate::simulator) fn clear(&mut self) {
        self.members.retain(|_, status| *status == MemberStatus::Suppressed);
    }

    /// Takes a contact off the list for good, whether it was on it or not.
    pub(in crate::simulator) fn unsubscribe(&mut self, contact: i64, now: DateTime<Utc>) {
        self.members.insert(contact, MemberStatus::Suppressed);
        self.unsubscribed.entry(contact).or_insert(now);
    }

    /// Puts a contact back on the list that had unsubscribed from it.
    pub(in crate::simulator) fn resubscribe(&mut self, contact: i64) {
        self.members.insert(contact, MemberStatus::Subscribed);
        self.unsubscribed.remove(&contact);
    }

    /// Suppresses a contact if it is on the list.
    pub(in crate::simulator) fn suppress(&mut self, contact: i64) {
        if let Some(status) = self.members.get_mut(&contact) {
            *status = MemberStatus::Suppressed;
        }
    }
}

/// What two list names are compared by.
pub(in crate::simulator) fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_left_stays_off_whatever_happens_to_the_list() {
        let mut list = List::new(7, "VIP", Visibility::Private);
        list.add(1);
        list.unsubscribe(1, DateTime::UNIX_EPOCH);
        list.add(1);
        assert!(!list.remove(1));
        list.clear();
        assert_eq!(list.members.get(&1), Some(&MemberStatus::Suppressed));
        list.members.clear();
        list.add(1);
        assert_eq!(list.members.get(&1), Some(&MemberStatus::Suppressed));
    }

    #[test]
    fn who_was_suppressed_can_be_added_again() {
        let mut list = List::new(7, "VIP", Visibility::Private);
        list.add(1);
        list.suppress(1);
        assert_eq!(list.members.get(&1), Some(&MemberStatus::Suppressed));
        list.add(1);
        assert_eq!(list.members.get(&1), Some(&MemberStatus::Subscribed));
    }
}
