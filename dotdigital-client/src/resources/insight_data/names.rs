//! What names collections and records, checked at the edge.

use std::fmt;

use serde::{Serialize, Serializer};

/// Words that stand in the place of a record in the paths of calls that delete many.
const RESERVED: [&str; 2] = ["empty", "deleteRecords"];

/// Why a text cannot name a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a collection's name is 2 to 255 letters, digits, - or _, and starts with no digit")]
pub struct InvalidCollectionName;

/// The name of a collection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CollectionName(String);

impl CollectionName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// Fails unless it is 2 to 255 letters, digits, `-` or `_`, the first of which is no digit.
    pub fn parse(text: &str) -> Result<Self, InvalidCollectionName> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let starts_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
        if (2..=255).contains(&text.len()) && text.chars().all(plain) && !starts_with_digit {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCollectionName)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CollectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text, or a number of them, cannot name records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRecordKey {
    /// Nothing but white space.
    #[error("the record's key is empty")]
    Empty,
    /// A word, or a path with a word, that would lead to another call: `empty`, `deleteRecords`,
    /// `.` or `..`.
    #[error("the record's key would lead to another call")]
    LeadsElsewhere,
    /// No keys at all.
    #[error("there are no keys of records")]
    None,
    /// More keys than one call takes.
    #[error("{count} keys are more than the {} of one call", RecordKeys::MOST)]
    TooMany {
        /// How many were given.
        count: usize,
    },
}

/// The key of a record, to be unique in its collection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RecordKey(String);

impl RecordKey {
    /// Checks a key. It is kept as it is.
    ///
    /// # Errors
    ///
    /// Fails for a key without visible characters, and for what would make the call that deletes
    /// this one record another call: `empty` in the place of a record deletes all of them.
    pub fn parse(text: &str) -> Result<Self, InvalidRecordKey> {
        let leads_elsewhere = |part: &str| {
            let word = part.trim();
            let reserved = RESERVED.iter().any(|it| it.eq_ignore_ascii_case(word));
            reserved || word == "." || word == ".."
        };
        if text.trim().is_empty() {
            Err(InvalidRecordKey::Empty)
        } else if text.split(['/', '\\']).any(leads_elsewhere) {
            // A server that decodes before it routes sees the slashes.
            Err(InvalidRecordKey::LeadsElsewhere)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The keys of one bulk deletion: at least one, and not too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordKeys(Vec<RecordKey>);

impl RecordKeys {
    /// How many keys the service takes in one call.
    pub const MOST: usize = 5000;

    /// Checks the keys of one call.
    ///
    /// # Errors
    ///
    /// Fails when there are none or too many.
    pub fn new(keys: Vec<RecordKey>) -> Result<Self, InvalidRecordKey> {
        match keys.len() {
            0 => Err(InvalidRecordKey::None),
            count if count > Self::MOST => Err(InvalidRecordKey::TooMany { count }),
            _ => Ok(Self(keys)),
        }
    }

    /// The keys.
    pub fn as_slice(&self) -> &[RecordKey] {
        &self.0
    }
}

/// The body of a bulk deletion: `{"keys":[…]}`.
impl Serialize for RecordKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            keys: &'a [RecordKey],
        }
        Body { keys: &self.0 }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_collections_are_checked() {
        for name in ["Orders", "catalog_myStore", "-a", "__", &"a".repeat(255)] {
            assert!(CollectionName::parse(name).is_ok(), "{name}");
        }
        for name in ["", "a", "1a", "my orders", "a/b", "é1", &"a".repeat(256)] {
            assert!(CollectionName::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn no_key_leads_to_a_call_that_deletes_more() {
        for key in ["24938", "a/b", "MKS 123", "empty-1", "é", "..."] {
            assert_eq!(RecordKey::parse(key).unwrap().as_str(), key);
        }
        for key in ["", " \t"] {
            assert_eq!(RecordKey::parse(key), Err(InvalidRecordKey::Empty), "{key}");
        }
        for key in ["empty", "EMPTY", " empty ", "empty/", "deleterecords", ".", "a/../empty", ".."]
        {
            assert_eq!(RecordKey::parse(key), Err(InvalidRecordKey::LeadsElsewhere), "{key}");
        }
    }

    #[test]
    fn a_bulk_deletion_has_at_least_one_key_and_not_too_many() {
        let keys = |count| vec![RecordKey::parse("a").unwrap(); count];
        assert_eq!(RecordKeys::new(keys(0)), Err(InvalidRecordKey::None));
        assert!(RecordKeys::new(keys(5000)).is_ok());
        let too_many = InvalidRecordKey::TooMany { count: 5001 };
        assert_eq!(RecordKeys::new(keys(5001)), Err(too_many));
    }
}
