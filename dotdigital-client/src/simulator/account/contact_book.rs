//! All contacts of the account, found by any identifier, with the recycle bin.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::{Bound, RangeBounds},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use super::{Contact, Identifier, IdentifierSet};

/// First contact id handed out; not 1, so that a list id is seldom a contact id by accident.
const FIRST_CONTACT: i64 = 1_001;

/// The contacts and their indexes.
pub(in crate::simulator) struct ContactBook {
    by_id: BTreeMap<i64, Contact>,
    by_email: HashMap<Arc<str>, i64>,
    by_mobile: HashMap<Arc<str>, i64>,
    by_custom: HashMap<(String, String), i64>,
    bin: VecDeque<(DateTime<Utc>, i64)>,
    /// How many are not in the recycle bin.
    live: usize,
    next_id: i64,
}

impl Default for ContactBook {
    fn default() -> Self {
        Self {
            by_id: BTreeMap::new(),
            by_email: HashMap::new(),
            by_mobile: HashMap::new(),
            by_custom: HashMap::new(),
            bin: VecDeque::new(),
            live: 0,
            next_id: FIRST_CONTACT,
        }
    }
}

impl ContactBook {
    /// The contact with that identifier, also when it is in the recycle bin.
    pub(in crate::simulator) fn find(&self, identifier: &Identifier) -> Option<i64> {
        match identifier {
            Identifier::ContactId(id) => self.by_id.contains_key(id).then_some(*id),
            Identifier::Email(address) => self.by_email.get(address.as_str()).copied(),
            Identifier::Mobile(number) => self.by_mobile.get(number.as_str()).copied(),
            Identifier::Custom { name, value } => {
                self.by_custom.get(&(name.clone(), value.clone())).copied()
            }
        }
    }

    /// The contact with that identifier, unless it is in the recycle bin.
    pub(in crate::simulator) fn find_live(&self, identifier: &Identifier) -> Option<i64> {
        self.find(identifier).filter(|id| self.get(*id).is_some())
    }

    /// The contact of that id, also when it is in the recycle bin.
    pub(in crate::simulator) fn find_any(&self, id: i64) -> Option<&Contact> {
        self.by_id.get(&id)
    }

    /// The live contact of that id.
    pub(in crate::simulator) fn get(&self, id: i64) -> Option<&Contact> {
        self.by_id.get(&id).filter(|contact| contact.binned.is_none())
    }

    /// The live contact of that id. Identifiers are changed through [`Self::identify`] only.
    pub(in crate::simulator) fn get_mut(&mut self, id: i64) -> Option<&mut Contact> {
        self.by_id.get_mut(&id).filter(|contact| contact.binned.is_none())
    }

    /// How many live contacts there are.
    pub(in crate::simulator) fn len(&self) -> usize {
        self.live
    }

    /// Live contacts with an id above `after`, ascending.
    pub(in crate::simulator) fn live_after(&self, after: i64) -> impl Iterator<Item = &Contact> {
        self.live_within((Bound::Excluded(after), Bound::Unbounded))
    }

    /// Live contacts with an id within `ids`, ascending.
    pub(in crate::simulator) fn live_within(
        &self,
        ids: impl RangeBounds<i64>,
    ) -> impl DoubleEndedIterator<Item = &Contact> {
        self.by_id.range(ids).map(|(_, contact)| contact).filter(|c| c.binned.is_none())
    }

    /// Contacts in the recycle bin, ascending by id.
    pub(in crate::simulator) fn binned(&self) -> impl Iterator<Item = &Contact> {
        self.by_id.values().filter(|contact| contact.binned.is_some())
    }

    /// Creates a contact with identifiers nobody has.
    pub(in crate::simulator) fn create(
        &mut self,
        identifiers: &IdentifierSet,
        now: DateTime<Utc>,
    ) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        self.by_id.insert(id, Contact::new(id, now));
        self.live += 1;
        self.identify(id, identifiers);
        id
    }

    /// Gives a contact further identifiers, or others in place of those it has.
    pub(in crate::simulator) fn identify(&mut self, id: i64, identifiers: &IdentifierSet) {
        let Some(contact) = self.by_id.get_mut(&id) else { return };
        if let Some(email) = &identifiers.email {
            let stored: Arc<str> = email.as_str().into();
            if let Some(old) = contact.email.replace(Arc::clone(&stored)) {
                self.by_email.remove(old.to_lowercase().as_str());
            }
            self.by_email.insert(lower_case(&stored), id);
        }
        if let Some(mobile) = &identifiers.mobile {
            let stored: Arc<str> = mobile.as_str().into();
            if let Some(old) = contact.mobile.replace(Arc::clone(&stored)) {
                self.by_mobile.remove(&old);
            }
            self.by_mobile.insert(stored, id);
        }
        for (name, value) in &identifiers.custom {
            if let Some(old) = contact.custom.insert(name.clone(), value.clone()) {
                self.by_custom.remove(&(name.clone(), old));
            }
            self.by_custom.insert((name.clone(), value.clone()), id);
        }
    }

    /// Takes every identifier away from a contact.
    pub(in crate::simulator) fn anonymise(&mut self, id: i64) {
        let Some(contact) = self.by_id.get_mut(&id) else { return };
        if let Some(email) = contact.email.take() {
            self.by_email.remove(email.to_lowercase().as_str());
        }
        if let Some(mobile) = contact.mobile.take() {
            self.by_mobile.remove(&mobile);
        }
        for pair in std::mem::take(&mut contact.custom) {
            self.by_custom.remove(&pair);
        }
    }

    /// Drops everybody's answer to a preference that is no more.
    pub(in crate::simulator) fn forget_preference(&mut self, preference: i32) {
        for contact in self.by_id.values_mut() {
            contact.preferences.remove(&preference);
        }
    }

    /// Takes one custom identifier away from everybody.
    pub(in crate::simulator) fn drop_custom(&mut self, name: &str) {
        self.by_custom.retain(|(known, _), _| known != name);
        for contact in self.by_id.values_mut() {
            contact.custom.remove(name);
        }
    }

    /// Takes one data field's value away from everybody.
    pub(in crate::simulator) fn drop_data_field(&mut self, name: &str) {
        for contact in self.by_id.values_mut() {
            contact.data_fields.remove(name);
        }
    }

    /// Moves a live contact into the recycle bin. False when there is none.
    pub(in crate::simulator) fn bin(&mut self, id: i64, now: DateTime<Utc>) -> bool {
        let Some(contact) = self.get_mut(id) else { return false };
        contact.binned = Some(now);
        self.live -= 1;
        self.bin.push_back((now, id));
        true
    }

    /// Takes a contact out of the recycle bin.
    pub(in crate::simulator) fn restore(&mut self, id: i64) {
        let contact = self.by_id.get_mut(&id).filter(|contact| contact.binned.is_some());
        if let Some(contact) = contact {
            contact.binned = None;
            self.live += 1;
        }
    }

    /// Forgets for good what went into the recycle bin at `limit` or before.
    pub(in crate::simulator) fn purge_binned_until(&mut self, limit: DateTime<Utc>) {
        while self.bin.front().is_some_and(|(since, _)| *since <= limit) {
            let Some((since, id)) = self.bin.pop_front() else { return };
            if self.by_id.get(&id).is_some_and(|contact| contact.binned == Some(since)) {
                self.anonymise(id);
                self.by_id.remove(&id);
            }
        }
    }
}

/// The key of an address; shares the stored text where that is lower case already.
fn lower_case(stored: &Arc<str>) -> Arc<str> {
    let lower = stored.to_lowercase();
    if *lower == **stored { Arc::clone(stored) } else { lower.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_email(email: &str) -> IdentifierSet {
        IdentifierSet { email: Some(email.to_owned()), ..IdentifierSet::default() }
    }

    #[test]
    fn a_changed_address_is_found_under_the_new_one_only() {
        let mut book = ContactBook::default();
        let id = book.create(&with_email("Old@example.com"), DateTime::UNIX_EPOCH);
        book.identify(id, &with_email("new@example.com"));
        assert_eq!(book.find(&Identifier::email("old@example.com")), None);
        assert_eq!(book.find(&Identifier::email("NEW@example.com")), Some(id));
    }

    #[test]
    fn the_bin_forgets_only_what_is_still_in_it_since_then() {
        let mut book = ContactBook::default();
        let day = |n: i64| DateTime::UNIX_EPOCH + chrono::TimeDelta::days(n);
        let kept = book.create(&with_email("kept@example.com"), day(0));
        let gone = book.create(&with_email("gone@example.com"), day(0));
        assert!(book.bin(kept, day(0)) && book.bin(gone, day(0)));
        book.restore(kept);
        book.bin(kept, day(5));
        book.purge_binned_until(day(1));
        assert_eq!(book.find(&Identifier::email("gone@example.com")), None);
        assert_eq!(book.find(&Identifier::email("kept@example.com")), Some(kept));
    }
}
