//! Collections of Insight data.

mod collection;
mod content;
mod fault;
mod import;
mod schema;

use std::collections::BTreeMap;

use self::fault::{RecordFault, RefusalReason};
pub(super) use self::import::run;
pub(in crate::simulator) use self::{
    collection::{Collection, Record},
    import::{RecordImport, RecordImportReport, RecordOwner, RecordRow, RefusedRow},
    schema::{Field, Kind, Schema},
};

/// What the records of a collection can be, in the service's words.
const KINDS: [&str; 10] = [
    "cartInsight",
    "catalog",
    "consentInsight",
    "custom",
    "easyEditorExtensions",
    "nostoEmailCampaigns",
    "orders",
    "productCategories",
    "webInsight",
    "wishList",
];

/// Whom the records of a collection are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Scope {
    Account,
    Contact,
}

impl Scope {
    pub(in crate::simulator) fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contact => "contact",
        }
    }

    pub(in crate::simulator) fn named(name: &str) -> Option<Self> {
        [Self::Account, Self::Contact].into_iter().find(|scope| scope.as_str() == name)
    }
}

/// The kind of collection of that name.
pub(in crate::simulator) fn collection_kind(name: &str) -> Option<&'static str> {
    KINDS.into_iter().find(|kind| *kind == name)
}

/// What became of the deleting or emptying of a collection.
pub(in crate::simulator) struct RecordsReport {
    pub(in crate::simulator) failed: bool,
    pub(in crate::simulator) deleted: usize,
    /// Whether the collection was gone by then.
    pub(in crate::simulator) collection_missing: bool,
}

impl RecordsReport {
    pub(super) fn failed() -> Self {
        Self { failed: true, deleted: 0, collection_missing: false }
    }

    fn of(deleted: Option<usize>) -> Self {
        let missing = deleted.is_none();
        Self { failed: missing, deleted: deleted.unwrap_or(0), collection_missing: missing }
    }
}

/// All collections of the account. A name belongs to one of them, whatever its scope.
pub(in crate::simulator) struct InsightData {
    all: BTreeMap<String, Collection>,
    most: usize,
}

impl InsightData {
    pub(super) fn new(most: usize) -> Self {
        Self { all: BTreeMap::new(), most }
    }

    pub(in crate::simulator) fn get(&self, name: &str) -> Option<&Collection> {
        self.all.get(name)
    }

    pub(in crate::simulator) fn get_mut(&mut self, name: &str) -> Option<&mut Collection> {
        self.all.get_mut(name)
    }

    pub(in crate::simulator) fn iter(&self) -> impl Iterator<Item = (&String, &Collection)> {
        self.all.iter()
    }

    /// Creates a collection under a name that is free. `None` when there are too many.
    pub(in crate::simulator) fn create(
        &mut self,
        name: &str,
        scope: Scope,
        kind: &'static str,
    ) -> Option<&mut Collection> {
        if self.all.len() >= self.most {
            return None;
        }
        Some(self.all.entry(name.to_owned()).or_insert_with(|| Collection::new(scope, kind)))
    }

    pub(super) fn delete(&mut self, name: &str) -> RecordsReport {
        RecordsReport::of(self.all.remove(name).map(|collection| collection.len()))
    }

    /// Deletes all records of a collection, or those of one contact. The schema stays.
    pub(super) fn empty(&mut self, name: &str, contact: Option<i64>) -> RecordsReport {
        let empty = |collection: &mut Collection| match contact {
            Some(contact) => collection.remove_of(contact),
            None => collection.clear(),
        };
        RecordsReport::of(self.all.get_mut(name).map(empty))
    }

    /// Forgets all records about a contact.
    pub(super) fn drop_contact(&mut self, contact: i64) {
        for collection in self.all.values_mut() {
            collection.remove_of(contact);
        }
    }
}
