//! Setting preferences up, and who is opted in to them.

use std::collections::BTreeMap;

use super::{
    Simulator,
    account::{Position, PreferenceChange},
};

impl Simulator {
    /// Creates a category of preferences; returns its id.
    pub fn add_preference_category(&self, name: &str) -> i32 {
        self.create_preference(name, true, None)
    }

    /// Creates a preference that people can opt in to, within a category or at the top; returns its
    /// id.
    pub fn add_preference(&self, name: &str, category: Option<i32>) -> i32 {
        self.create_preference(name, false, category)
    }

    /// Opts a contact in to a preference, or out of it, as she might do herself.
    pub fn set_preference(&self, contact: i64, preference: i32, opted_in: bool) {
        let account = &mut self.lock().account;
        let now = account.now();
        account.set_preference(contact, preference, opted_in, now);
    }

    /// What a contact answered, by preference.
    pub fn preferences_of(&self, contact: i64) -> BTreeMap<i32, bool> {
        let account = &self.lock().account;
        let contact = account.contacts.get(contact);
        contact.map(|contact| contact.preferences.clone()).unwrap_or_default()
    }

    fn create_preference(&self, name: &str, is_category: bool, category: Option<i32>) -> i32 {
        let account = &mut self.lock().account;
        let now = account.now();
        let change = PreferenceChange {
            public_name: name.to_owned(),
            private_name: name.to_owned(),
            is_public: true,
            category: category.filter(|id| account.preferences.is_category(*id)),
            position: Position::Bottom,
        };
        account.preferences.create(is_category, change, now)
    }
}
