//! One collection and its records.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{RecordFault, Schema, Scope, content};
use crate::simulator::insight_data::InsightLimits;

/// One record.
pub(in crate::simulator) struct Record {
    /// Its place in the order of creation, from 1 on.
    pub(in crate::simulator) number: i64,
    /// The contact it is about; none in a collection of the account.
    pub(in crate::simulator) owner: Option<i64>,
    pub(in crate::simulator) key: String,
    pub(in crate::simulator) content: Map<String, Value>,
    pub(in crate::simulator) created: DateTime<Utc>,
    pub(in crate::simulator) updated: DateTime<Utc>,
}

/// One collection.
pub(in crate::simulator) struct Collection {
    pub(in crate::simulator) scope: Scope,
    pub(in crate::simulator) kind: &'static str,
    pub(in crate::simulator) schema: Schema,
    /// By number.
    records: BTreeMap<i64, Record>,
    /// Numbers by owner and key: each contact has keys of its own.
    numbers: BTreeMap<(Option<i64>, String), i64>,
    last_number: i64,
}

impl Collection {
    pub(super) fn new(scope: Scope, kind: &'static str) -> Self {
        Self {
            scope,
            kind,
            schema: Schema::default(),
            records: BTreeMap::new(),
            numbers: BTreeMap::new(),
            last_number: 0,
        }
    }

    pub(in crate::simulator) fn len(&self) -> usize {
        self.records.len()
    }

    /// All records, the oldest first.
    pub(in crate::simulator) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// How many records are about a contact.
    pub(in crate::simulator) fn len_of(&self, contact: i64) -> usize {
        self.keys_of(contact).count()
    }

    pub(in crate::simulator) fn get(&self, owner: Option<i64>, key: &str) -> Option<&Record> {
        self.records.get(self.numbers.get(&(owner, key.to_owned()))?)
    }

    /// Creates a record, or replaces the content of one, and tells whether it is new. What the
    /// record adds to the schema stays, whatever becomes of the record.
    pub(in crate::simulator) fn put(
        &mut self,
        owner: Option<i64>,
        key: &str,
        new: Map<String, Value>,
        limits: &InsightLimits,
        now: DateTime<Utc>,
    ) -> Result<bool, RecordFault> {
        content::check(key, &new, limits)?;
        self.schema = self.schema.extended(&new)?;
        let place = (owner, key.to_owned());
        let known = self.numbers.get(&place).and_then(|number| self.records.get_mut(number));
        if let Some(record) = known {
            record.content = new;
            record.updated = now;
            return Ok(false);
        }
        self.last_number += 1;
        let (number, key) = (self.last_number, place.1.clone());
        let record = Record { number, owner, key, content: new, created: now, updated: now };
        self.records.insert(number, record);
        self.numbers.insert(place, number);
        Ok(true)
    }

    /// Deletes a record, and tells whether there was one.
    pub(in crate::simulator) fn remove(&mut self, owner: Option<i64>, key: &str) -> bool {
        let number = self.numbers.remove(&(owner, key.to_owned()));
        number.is_some_and(|number| self.records.remove(&number).is_some())
    }

    /// Deletes all records about a contact; returns how many there were.
    pub(super) fn remove_of(&mut self, contact: i64) -> usize {
        let keys: Vec<String> = self.keys_of(contact).cloned().collect();
        keys.iter().filter(|key| self.remove(Some(contact), key)).count()
    }

    /// Deletes all records; returns how many there were.
    pub(super) fn clear(&mut self) -> usize {
        self.numbers.clear();
        std::mem::take(&mut self.records).len()
    }

    fn keys_of(&self, contact: i64) -> impl Iterator<Item = &String> {
        let first = (Some(contact), String::new());
        let owned = self.numbers.range(first..).map(|(place, _)| place);
        owned.take_while(move |(owner, _)| *owner == Some(contact)).map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(collection: &mut Collection, owner: i64, key: &str) -> bool {
        let now = DateTime::UNIX_EPOCH;
        let limits = InsightLimits::default();
        collection.put(Some(owner), key, Map::new(), &limits, now).expect("a record")
    }

    #[test]
    fn each_contact_has_keys_of_its_own() {
        let mut orders = Collection::new(Scope::Contact, "orders");
        assert!(put(&mut orders, 2, "b") && put(&mut orders, 1, "a") && put(&mut orders, 2, "a"));
        assert!(!put(&mut orders, 2, "b"));
        assert_eq!((orders.len(), orders.len_of(2)), (3, 2));
        assert_eq!(orders.remove_of(2), 2);
        let left: Vec<_> = orders.records().map(|it| (it.owner, it.key.as_str())).collect();
        assert_eq!(left, [(Some(1), "a")]);
        assert!(orders.remove(Some(1), "a") && !orders.remove(Some(1), "a"));
    }

    #[test]
    fn a_replaced_record_keeps_its_place_and_a_new_one_is_last() {
        let mut orders = Collection::new(Scope::Contact, "orders");
        for (owner, key) in [(1, "a"), (1, "b"), (1, "a")] {
            put(&mut orders, owner, key);
        }
        orders.remove(Some(1), "a");
        put(&mut orders, 1, "a");
        let order: Vec<_> = orders.records().map(|it| it.key.as_str()).collect();
        assert_eq!(order, ["b", "a"]);
    }
}
