//! The body of an import: encoded contact by contact into one buffer of known size.

use std::{fmt, sync::Arc};

use super::MergeOption;
use crate::{
    contacts::{ContactBody, ContactUpdate, InvalidContent, Place},
    identifier::Identifier,
    ids::ListId,
};

/// What closes a body.
const TAIL: &[u8] = b"]}";

/// How large one import may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportLimits {
    /// The longest body in bytes. Values above [`LARGEST`](Self::LARGEST) mean that.
    pub max_bytes: usize,
    /// The most contacts.
    pub max_contacts: usize,
}

impl ImportLimits {
    /// The service's own limit in bytes (50 MB).
    pub const LARGEST: usize = 50_000_000;
}

impl Default for ImportLimits {
    /// 50 MB and, since the service documents no count, 5,000 contacts.
    fn default() -> Self {
        Self { max_bytes: Self::LARGEST, max_contacts: 5000 }
    }
}

/// One contact of an import: who it is, and what to store about it. Without more than a list,
/// nothing else is sent, above all no channel status, so being put on a list subscribes nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportContact {
    /// What the service finds the contact by. An unknown one is created with this and the
    /// identifiers in `update`.
    pub match_on: Identifier,
    /// What to store about it.
    pub update: ContactUpdate,
}

impl ImportContact {
    /// A contact that is put on no list.
    pub fn new(match_on: Identifier) -> Self {
        Self { match_on, update: ContactUpdate::new() }
    }

    /// A contact, and what to store about it.
    pub fn with(match_on: Identifier, update: ContactUpdate) -> Self {
        Self { match_on, update }
    }

    /// Also puts the contact on this list, one of at most 100. It stays on all others.
    #[must_use]
    pub fn list(mut self, list: ListId) -> Self {
        self.update = self.update.list(list);
        self
    }

    /// How many bytes the contact takes in a body.
    pub fn encoded_len(&self) -> usize {
        let mut bytes = Vec::new();
        encode(&ContactBody::new(&self.update, Place::Import(&self.match_on)), &mut bytes);
        bytes.len()
    }
}

/// Why a contact fits into no import at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportContactError {
    /// Even alone it makes the body too long.
    #[error("one contact alone makes an import of {bytes} bytes, more than the {most} allowed")]
    TooLarge {
        /// The length of a body with this contact alone.
        bytes: usize,
        /// The length allowed.
        most: usize,
    },
    /// The service would refuse what is to be stored about it.
    #[error(transparent)]
    Invalid(#[from] InvalidContent),
    /// The import has a contact with the same identifier already, and the service takes each only
    /// once. Only [`Imports::run`](super::Imports::run) looks for that.
    #[error("the import has a contact with the same identifier already")]
    Duplicate,
}

/// Whether a contact went into a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// It did.
    Added,
    /// It did not: submit this body and push the contact into the next one.
    Full,
}

/// The body of one import. `Debug` shows sizes only.
#[derive(Clone)]
pub struct ImportBody {
    /// A complete body at any time, so that it is submitted, and sent again, without a copy.
    bytes: Arc<Vec<u8>>,
    head: usize,
    contacts: usize,
    limits: ImportLimits,
}

impl ImportBody {
    /// A body without contacts.
    pub fn new(merge: MergeOption, limits: ImportLimits) -> Self {
        let mut bytes =
            format!(r#"{{"mergeOption":"{}","contacts":["#, merge.as_str()).into_bytes();
        let head = bytes.len();
        bytes.extend_from_slice(TAIL);
        let max_bytes = limits.max_bytes.min(ImportLimits::LARGEST);
        let limits = ImportLimits { max_bytes, ..limits };
        Self { bytes: Arc::new(bytes), head, contacts: 0, limits }
    }

    /// Adds a contact, unless the body would get too large.
    ///
    /// # Errors
    ///
    /// Fails for a contact that fits into no body at all. The body stays as it was.
    pub fn push(&mut self, contact: &ImportContact) -> Result<Pushed, ImportContactError> {
        let content = ContactBody::checked(&contact.update, Place::Import(&contact.match_on))?;
        let before = self.bytes.len() - TAIL.len();
        // Copies only while an earlier state of this body is being sent.
        let bytes = Arc::make_mut(&mut self.bytes);
        bytes.truncate(before);
        if self.contacts > 0 {
            bytes.push(b',');
        }
        let start = bytes.len();
        encode(&content, bytes);
        let alone = self.head + (bytes.len() - start) + TAIL.len();
        let fits = bytes.len() + TAIL.len() <= self.limits.max_bytes
            && self.contacts < self.limits.max_contacts;
        if !fits {
            bytes.truncate(before);
        }
        bytes.extend_from_slice(TAIL);
        if fits {
            self.contacts += 1;
            Ok(Pushed::Added)
        } else if alone > self.limits.max_bytes {
            Err(ImportContactError::TooLarge { bytes: alone, most: self.limits.max_bytes })
        } else {
            Ok(Pushed::Full)
        }
    }

    /// How many contacts there are.
    pub fn len(&self) -> usize {
        self.contacts
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.contacts == 0
    }

    /// The exact length of the body in bytes.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The body as it is sent. It carries people's identifiers.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn bytes(&self) -> Arc<Vec<u8>> {
        Arc::clone(&self.bytes)
    }
}

impl fmt::Debug for ImportBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportBody")
            .field("contacts", &self.contacts)
            .field("bytes", &self.bytes.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn encode(content: &ContactBody<'_>, bytes: &mut Vec<u8>) {
    serde_json::to_writer(bytes, content)
        .expect("texts, numbers and string keys always encode, and a vector takes any write");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identifier::EmailAddress, ids::ContactId};

    fn person(number: usize) -> ImportContact {
        let email = EmailAddress::parse(&format!("person{number}@example.com")).unwrap();
        ImportContact::new(Identifier::Email(email)).list(ListId::new(7).unwrap())
    }

    fn limits(max_bytes: usize, max_contacts: usize) -> ImportLimits {
        ImportLimits { max_bytes, max_contacts }
    }

    #[test]
    fn a_body_is_complete_json_of_the_stated_length_at_any_time() {
        let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
        for count in 0..4 {
            let json: serde_json::Value = serde_json::from_slice(body.as_bytes()).unwrap();
            assert_eq!(json["contacts"].as_array().unwrap().len(), count);
            assert_eq!((body.len(), body.byte_len()), (count, body.as_bytes().len()));
            assert_eq!(body.push(&person(count)), Ok(Pushed::Added));
        }
    }

    #[test]
    fn only_the_match_identifier_and_lists_are_sent() {
        let mut body = ImportBody::new(MergeOption::OverwriteIfEmpty, ImportLimits::default());
        let id = Identifier::ContactId(ContactId::new(12).unwrap());
        let _ = body.push(&person(1)).unwrap();
        let _ = body.push(&ImportContact::new(id)).unwrap();
        assert_eq!(
            String::from_utf8_lossy(body.as_bytes()),
            concat!(
                r#"{"mergeOption":"overwriteIfEmpty","contacts":["#,
                r#"{"matchIdentifier":"email","identifiers":{"email":"person1@example.com"},"lists":[7]},"#,
                r#"{"matchIdentifier":"contactId","identifiers":{"contactId":12}}]}"#
            )
        );
    }

    #[test]
    fn a_full_body_is_left_as_it_was() {
        let one = ImportBody::new(MergeOption::Overwrite, ImportLimits::default()).byte_len()
            + person(1).encoded_len();
        let two = one + 1 + person(2).encoded_len();
        for (limits, expected) in [
            (limits(two, 10), Pushed::Added),
            (limits(two - 1, 10), Pushed::Full),
            (limits(two, 1), Pushed::Full),
        ] {
            let mut body = ImportBody::new(MergeOption::Overwrite, limits);
            assert_eq!(body.push(&person(1)), Ok(Pushed::Added));
            assert_eq!(body.push(&person(2)), Ok(expected));
            let length = if expected == Pushed::Added { two } else { one };
            assert_eq!(body.byte_len(), length);
            assert!(serde_json::from_slice::<serde_json::Value>(body.as_bytes()).is_ok());
        }
    }

    #[test]
    fn what_fits_into_no_body_is_an_error() {
        let mut body = ImportBody::new(MergeOption::Overwrite, limits(60, 10));
        assert!(matches!(
            body.push(&person(1)),
            Err(ImportContactError::TooLarge { most: 60, .. })
        ));
        let list = |contact: ImportContact, id| contact.list(ListId::new(id).unwrap());
        let crowded = (1..=101).fold(person(1), list);
        let invalid = ImportContactError::Invalid(InvalidContent::TooManyLists);
        assert_eq!(body.push(&crowded), Err(invalid));
        assert!(body.is_empty());
    }

    #[test]
    fn the_limit_of_the_service_cannot_be_raised() {
        let body = ImportBody::new(MergeOption::Overwrite, limits(usize::MAX, 1));
        assert_eq!(body.limits.max_bytes, 50_000_000);
    }

    #[test]
    fn debug_shows_nobody() {
        let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
        let _ = body.push(&person(1)).unwrap();
        assert!(!format!("{body:?} {:?}", person(1)).contains("example"));
    }
}
