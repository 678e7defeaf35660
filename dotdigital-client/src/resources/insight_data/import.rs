//! The body of an import of records: encoded record by record into one buffer of known size.

use std::{fmt, sync::Arc};

use serde::Serialize;
use serde_json::{Value, json};

use super::{CollectionName, CollectionScope, CollectionType, RecordKey, record};
use crate::{identifier::Identifier, imports::Pushed};

/// What closes a body.
const TAIL: &[u8] = b"]}";

/// How large one import may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InsightImportLimits {
    /// The longest body in bytes. Values above [`LARGEST`](Self::LARGEST) mean that.
    pub max_bytes: usize,
    /// The most records.
    pub max_records: usize,
}

impl InsightImportLimits {
    /// The service's own limit in bytes (50 MB).
    pub const LARGEST: usize = 50_000_000;
}

impl Default for InsightImportLimits {
    /// 50 MB and, since the service documents no count, any number of records.
    fn default() -> Self {
        Self { max_bytes: Self::LARGEST, max_records: usize::MAX }
    }
}

/// Why a record fits into no import at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InsightImportError {
    /// Its content does not become a JSON object.
    #[error("a record's content is no JSON object")]
    NoObject,
    /// Even alone it makes the body too long.
    #[error("one record alone makes an import of {bytes} bytes, more than the {most} allowed")]
    TooLarge {
        /// The length of a body with this record alone.
        bytes: usize,
        /// The length allowed.
        most: usize,
    },
    /// A record of the account in an import of contacts' records, or the reverse.
    #[error("the record belongs into a collection of the other scope")]
    WrongScope,
}

/// The body of one import of records into one collection. `Debug` shows sizes only.
#[derive(Clone)]
pub struct InsightImport {
    /// A complete body at any time, so that it is submitted, and sent again, without a copy.
    bytes: Arc<Vec<u8>>,
    scope: CollectionScope,
    head: usize,
    records: usize,
    limits: InsightImportLimits,
}

impl InsightImport {
    /// A body without records, for a collection of the account.
    pub fn new(
        collection: &CollectionName,
        kind: &CollectionType,
        limits: InsightImportLimits,
    ) -> Self {
        Self::of_scope(CollectionScope::Account, collection, kind, limits)
    }

    /// A body without records, for a collection of contacts.
    pub fn of_contacts(
        collection: &CollectionName,
        kind: &CollectionType,
        limits: InsightImportLimits,
    ) -> Self {
        Self::of_scope(CollectionScope::Contact, collection, kind, limits)
    }

    fn of_scope(
        scope: CollectionScope,
        collection: &CollectionName,
        kind: &CollectionType,
        limits: InsightImportLimits,
    ) -> Self {
        let collection = json!({
            "collectionName": collection,
            "collectionScope": scope,
            "collectionType": kind,
        });
        let mut bytes = collection.to_string().into_bytes();
        // The object goes on with the records.
        bytes.pop();
        bytes.extend_from_slice(br#","records":["#);
        let head = bytes.len();
        bytes.extend_from_slice(TAIL);
        let max_bytes = limits.max_bytes.min(InsightImportLimits::LARGEST);
        let limits = InsightImportLimits { max_bytes, ..limits };
        Self { bytes: Arc::new(bytes), scope, head, records: 0, limits }
    }

    /// Adds a record of the account, unless the body would get too large.
    ///
    /// # Errors
    ///
    /// Fails for a record that fits into no body of this collection. The body stays as it was.
    pub fn push<T: Serialize + ?Sized>(
        &mut self,
        key: &RecordKey,
        content: &T,
    ) -> Result<Pushed, InsightImportError> {
        self.push_record(CollectionScope::Account, None, key, content)
    }

    /// Adds a record of a contact, unless the body would get too large.
    ///
    /// # Errors
    ///
    /// Fails for a record that fits into no body of this collection. The body stays as it was.
    pub fn push_for<T: Serialize + ?Sized>(
        &mut self,
        contact: &Identifier,
        key: &RecordKey,
        content: &T,
    ) -> Result<Pushed, InsightImportError> {
        self.push_record(CollectionScope::Contact, Some(contact), key, content)
    }

    fn push_record<T: Serialize + ?Sized>(
        &mut self,
        scope: CollectionScope,
        contact: Option<&Identifier>,
        key: &RecordKey,
        content: &T,
    ) -> Result<Pushed, InsightImportError> {
        if scope != self.scope {
            return Err(InsightImportError::WrongScope);
        }
        let content = record::object(content).ok_or(InsightImportError::NoObject)?;
        let record = encode(contact, key, &content);
        let alone = self.head + record.len() + TAIL.len();
        if alone > self.limits.max_bytes {
            return Err(InsightImportError::TooLarge { bytes: alone, most: self.limits.max_bytes });
        }
        let comma = usize::from(self.records > 0);
        let length = self.bytes.len() + comma + record.len();
        if length > self.limits.max_bytes || self.records >= self.limits.max_records {
            return Ok(Pushed::Full);
        }
        // Copies only while an earlier state of this body is being sent.
        let bytes = Arc::make_mut(&mut self.bytes);
        bytes.truncate(bytes.len() - TAIL.len());
        if comma > 0 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(record.as_bytes());
        bytes.extend_from_slice(TAIL);
        self.records += 1;
        Ok(Pushed::Added)
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The exact length of the body in bytes.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The body as it is sent. It may carry people's identifiers.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn bytes(&self) -> Arc<Vec<u8>> {
        Arc::clone(&self.bytes)
    }
}

impl fmt::Debug for InsightImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InsightImport")
            .field("records", &self.records)
            .field("bytes", &self.bytes.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn encode(contact: Option<&Identifier>, key: &RecordKey, content: &Value) -> String {
    let record = match contact {
        Some(contact) => json!({
            "contactIdentity": {"identifier": contact.name(), "value": contact.path_value()},
            "key": key,
            "json": content,
        }),
        None => json!({"key": key, "json": content}),
    };
    record.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identifier::EmailAddress, ids::ContactId};

    fn import(limits: InsightImportLimits) -> InsightImport {
        let name = CollectionName::parse("Orders").unwrap();
        InsightImport::new(&name, &CollectionType::Orders, limits)
    }

    fn key(text: &str) -> RecordKey {
        RecordKey::parse(text).unwrap()
    }

    fn body(import: &InsightImport) -> Value {
        serde_json::from_slice(import.as_bytes()).unwrap()
    }

    #[test]
    fn the_body_is_complete_at_any_time() {
        let mut import = import(InsightImportLimits::default());
        assert_eq!(body(&import)["records"], json!([]));
        assert_eq!(import.push(&key("1"), &json!({"a": 1})), Ok(Pushed::Added));
        assert_eq!(import.push(&key("2"), &json!({"a": "\"]}"})), Ok(Pushed::Added));
        let expected = json!({
            "collectionName": "Orders", "collectionScope": "account", "collectionType": "orders",
            "records": [{"key": "1", "json": {"a": 1}}, {"key": "2", "json": {"a": "\"]}"}}],
        });
        assert_eq!((body(&import), import.len()), (expected, 2));
    }

    #[test]
    fn a_contact_stands_at_its_record() {
        let name = CollectionName::parse("Orders").unwrap();
        let kind = CollectionType::Orders;
        let mut import = InsightImport::of_contacts(&name, &kind, InsightImportLimits::default());
        let jane = Identifier::Email(EmailAddress::parse("jane@example.com").unwrap());
        let id = Identifier::ContactId(ContactId::new(5).unwrap());
        for contact in [jane, id] {
            let _ = import.push_for(&contact, &key("1"), &json!({})).unwrap();
        }
        let body = body(&import);
        let identity = json!({"identifier": "email", "value": "jane@example.com"});
        assert_eq!(body["records"][0]["contactIdentity"], identity);
        let identity = json!({"identifier": "contactId", "value": "5"});
        assert_eq!(body["records"][1]["contactIdentity"], identity);
        assert!(!format!("{import:?}").contains("jane"));
        let wrong = import.push(&key("1"), &json!({}));
        assert_eq!(wrong, Err(InsightImportError::WrongScope));
    }

    #[test]
    fn what_is_no_object_and_what_never_fits_is_refused() {
        let mut import = import(InsightImportLimits { max_bytes: 120, max_records: 9 });
        assert_eq!(import.push(&key("1"), &[1]), Err(InsightImportError::NoObject));
        let large = import.push(&key("1"), &json!({"a": "x".repeat(100)}));
        assert!(matches!(large, Err(InsightImportError::TooLarge { most: 120, .. })));
        assert!(import.is_empty());
    }

    #[test]
    fn a_full_body_takes_no_more_to_the_byte() {
        let record = json!({"a": 1});
        let mut roomy = import(InsightImportLimits::default());
        for _ in 0..2 {
            assert_eq!(roomy.push(&key("1"), &record), Ok(Pushed::Added));
        }
        let exact = InsightImportLimits { max_bytes: roomy.byte_len(), max_records: 9 };
        let mut import = import(exact);
        for pushed in [Pushed::Added, Pushed::Added, Pushed::Full] {
            assert_eq!(import.push(&key("1"), &record), Ok(pushed));
        }
        assert_eq!((import.byte_len(), import.as_bytes()), (roomy.byte_len(), roomy.as_bytes()));
        let mut few = self::import(InsightImportLimits { max_records: 1, ..exact });
        assert_eq!(few.push(&key("1"), &record), Ok(Pushed::Added));
        assert_eq!(few.push(&key("1"), &record), Ok(Pushed::Full));
    }
}
