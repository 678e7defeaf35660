//! The names under which the account identifies contacts besides those the service has.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// Names that every account has and nobody can declare.
const BUILT_IN: [&str; 3] = ["contactId", "email", "mobileNumber"];

/// One custom identifier.
pub(in crate::simulator) struct CustomIdentifier {
    pub(in crate::simulator) created: DateTime<Utc>,
    /// What keeps it from being deleted, such as `segment:1002`.
    pub(in crate::simulator) used_by: Vec<String>,
}

/// Why a custom identifier was not created.
pub(in crate::simulator) enum DeclareFault {
    Exists,
    LimitReached,
}

/// All custom identifiers of the account, by name.
pub(in crate::simulator) struct CustomIdentifiers {
    all: BTreeMap<String, CustomIdentifier>,
    most: Option<usize>,
}

impl CustomIdentifiers {
    pub(in crate::simulator) fn new<'a>(
        names: impl IntoIterator<Item = &'a String>,
        most: Option<usize>,
        opened: DateTime<Utc>,
    ) -> Self {
        let mut identifiers = Self { all: BTreeMap::new(), most };
        for name in names {
            identifiers.ensure(name, opened);
        }
        identifiers
    }

    pub(in crate::simulator) fn contains(&self, name: &str) -> bool {
        self.all.contains_key(name)
    }

    pub(in crate::simulator) fn get_mut(&mut self, name: &str) -> Option<&mut CustomIdentifier> {
        self.all.get_mut(name)
    }

    pub(in crate::simulator) fn iter(&self) -> impl Iterator<Item = (&String, &CustomIdentifier)> {
        self.all.iter()
    }

    /// Declares the name unless it is; no limit applies.
    pub(in crate::simulator) fn ensure(&mut self, name: &str, now: DateTime<Utc>) {
        let new = CustomIdentifier { created: now, used_by: Vec::new() };
        self.all.entry(name.to_owned()).or_insert(new);
    }

    /// Declares a name that is new.
    pub(in crate::simulator) fn declare(
        &mut self,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<(), DeclareFault> {
        if self.contains(name) || BUILT_IN.contains(&name) {
            return Err(DeclareFault::Exists);
        }
        if self.most.is_some_and(|most| self.all.len() >= most) {
            return Err(DeclareFault::LimitReached);
        }
        self.ensure(name, now);
        Ok(())
    }

    pub(in crate::simulator) fn remove(&mut self, name: &str) {
        self.all.remove(name);
    }
}
