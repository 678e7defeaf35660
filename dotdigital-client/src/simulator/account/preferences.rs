//! The account's marketing preferences, and who is opted in to them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Account, Contact};

/// A preference people opt in to, or a category that holds such.
#[derive(Clone)]
pub(in crate::simulator) struct Preference {
    pub(in crate::simulator) id: i32,
    pub(in crate::simulator) public_name: String,
    pub(in crate::simulator) private_name: String,
    pub(in crate::simulator) is_category: bool,
    pub(in crate::simulator) is_public: bool,
    /// The category it stands in; none at the top.
    pub(in crate::simulator) category: Option<i32>,
    /// Where it stands among its neighbours, from 0.
    pub(in crate::simulator) order: usize,
    pub(in crate::simulator) created: DateTime<Utc>,
    pub(in crate::simulator) modified: DateTime<Utc>,
}

/// What a preference is made or changed to.
pub(in crate::simulator) struct PreferenceChange {
    pub(in crate::simulator) public_name: String,
    pub(in crate::simulator) private_name: String,
    pub(in crate::simulator) is_public: bool,
    pub(in crate::simulator) category: Option<i32>,
    pub(in crate::simulator) position: Position,
}

/// Where a preference is put among its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Position {
    At(usize),
    Bottom,
}

/// All preferences of the account.
#[derive(Default)]
pub(in crate::simulator) struct Preferences {
    all: BTreeMap<i32, Preference>,
    last_id: i32,
    /// When a contact's answer changed, by preference and contact.
    answered: BTreeMap<(i32, i64), DateTime<Utc>>,
}

impl Preferences {
    pub(in crate::simulator) fn get(&self, id: i32) -> Option<&Preference> {
        self.all.get(&id)
    }

    /// What stands in a category, or at the top, in order.
    pub(in crate::simulator) fn within(&self, category: Option<i32>) -> Vec<&Preference> {
        let mut found: Vec<_> = self.all.values().filter(|one| one.category == category).collect();
        found.sort_by_key(|one| (one.order, one.id));
        found
    }

    /// Whether a preference can be put into that category.
    pub(in crate::simulator) fn is_category(&self, id: i32) -> bool {
        self.get(id).is_some_and(|one| one.is_category)
    }

    pub(in crate::simulator) fn create(
        &mut self,
        is_category: bool,
        change: PreferenceChange,
        now: DateTime<Utc>,
    ) -> i32 {
        self.last_id += 1;
        let id = self.last_id;
        let made = Preference {
            id,
            public_name: String::new(),
            private_name: String::new(),
            is_category,
            is_public: true,
            category: None,
            order: usize::MAX,
            created: now,
            modified: now,
        };
        self.all.insert(id, made);
        self.update(id, change, now);
        id
    }

    pub(in crate::simulator) fn update(
        &mut self,
        id: i32,
        change: PreferenceChange,
        now: DateTime<Utc>,
    ) {
        let Some(one) = self.all.get_mut(&id) else { return };
        one.public_name = change.public_name;
        one.private_name = change.private_name;
        one.is_public = change.is_public;
        one.modified = now;
        let left = std::mem::replace(&mut one.category, change.category);
        self.put_at(id, change.category, change.position);
        if left != change.category {
            self.renumber(&self.ids_within(left));
        }
    }

    /// Deletes a preference, or a category with all in it; returns what was deleted.
    fn delete(&mut self, id: i32) -> Vec<i32> {
        let Some(gone) = self.all.remove(&id) else { return Vec::new() };
        let mut deleted = self.ids_within(Some(id));
        for inner in &deleted {
            self.all.remove(inner);
        }
        self.renumber(&self.ids_within(gone.category));
        deleted.push(id);
        self.answered.retain(|(preference, _), _| !deleted.contains(preference));
        deleted
    }

    fn put_at(&mut self, id: i32, category: Option<i32>, position: Position) {
        let mut ids = self.ids_within(category);
        ids.retain(|other| *other != id);
        let at = match position {
            Position::At(at) => at.min(ids.len()),
            Position::Bottom => ids.len(),
        };
        ids.insert(at, id);
        self.renumber(&ids);
    }

    fn ids_within(&self, category: Option<i32>) -> Vec<i32> {
        self.within(category).iter().map(|one| one.id).collect()
    }

    fn renumber(&mut self, ids: &[i32]) {
        for (order, id) in ids.iter().enumerate() {
            if let Some(one) = self.all.get_mut(id) {
                one.order = order;
            }
        }
    }
}

impl Account {
    /// Whether contacts can be opted in to a preference of that id.
    pub(in crate::simulator) fn is_preference(&self, id: i32) -> bool {
        self.preferences.get(id).is_some_and(|one| !one.is_category)
    }

    /// Opts a contact in to a preference, or out of it. The date moves only if the answer does.
    pub(in crate::simulator) fn set_preference(
        &mut self,
        contact: i64,
        preference: i32,
        opted_in: bool,
        now: DateTime<Utc>,
    ) {
        let Some(contact) = self.contacts.get_mut(contact) else { return };
        if contact.preferences.insert(preference, opted_in) != Some(opted_in) {
            contact.updated = now;
            self.preferences.answered.insert((preference, contact.id), now);
        }
    }

    /// Deletes a preference, or a category with all in it, and everybody's answers.
    pub(in crate::simulator) fn delete_preference(&mut self, id: i32) {
        for deleted in self.preferences.delete(id) {
            self.contacts.forget_preference(deleted);
        }
    }

    /// What a contact answered to a preference, and when.
    pub(in crate::simulator) fn answer(
        &self,
        contact: &Contact,
        preference: i32,
    ) -> Option<(bool, DateTime<Utc>)> {
        let opted_in = *contact.preferences.get(&preference)?;
        let at = self.preferences.answered.get(&(preference, contact.id));
        Some((opted_in, at.copied().unwrap_or(contact.updated)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, category: Option<i32>, position: Position) -> PreferenceChange {
        PreferenceChange {
            public_name: name.to_owned(),
            private_name: name.to_owned(),
            is_public: true,
            category,
            position,
        }
    }

    fn names(preferences: &Preferences, category: Option<i32>) -> Vec<(&str, usize)> {
        let found = preferences.within(category).into_iter();
        found.map(|one| (one.public_name.as_str(), one.order)).collect()
    }

    #[test]
    fn positions_are_counted_within_one_category() {
        let now = DateTime::UNIX_EPOCH;
        let mut preferences = Preferences::default();
        let topics = preferences.create(true, change("topics", None, Position::Bottom), now);
        preferences.create(false, change("news", None, Position::At(0)), now);
        let tents = preferences.create(false, change("tents", Some(topics), Position::At(9)), now);
        preferences.create(false, change("boots", Some(topics), Position::At(0)), now);
        assert_eq!(names(&preferences, None), [("news", 0), ("topics", 1)]);
        assert_eq!(names(&preferences, Some(topics)), [("boots", 0), ("tents", 1)]);
        preferences.update(tents, change("tents", None, Position::At(0)), now);
        assert_eq!(names(&preferences, None), [("tents", 0), ("news", 1), ("topics", 2)]);
        assert_eq!(names(&preferences, Some(topics)), [("boots", 0)]);
    }

    #[test]
    fn a_category_goes_with_all_that_is_in_it() {
        let now = DateTime::UNIX_EPOCH;
        let mut preferences = Preferences::default();
        let topics = preferences.create(true, change("topics", None, Position::Bottom), now);
        preferences.create(false, change("tents", Some(topics), Position::Bottom), now);
        let news = preferences.create(false, change("news", None, Position::Bottom), now);
        preferences.delete(topics);
        assert_eq!(names(&preferences, None), [("news", 0)]);
        assert!(preferences.get(news).is_some_and(|one| one.order == 0));
    }
}
