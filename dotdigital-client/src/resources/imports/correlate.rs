//! Which contact that was handed in a row of a report is about.
//!
//! Reports have no row numbers and may spell identifiers in another way, or name others than the
//! one that was handed in.

use std::collections::{HashMap, HashSet};

use super::{ContactOutcome, ImportFailure, ImportOutcome, ImportStatus, ImportedContact};
use crate::{contacts::Identifiers, identifier::Identifier, ids::ContactId};

/// An identifier in the spelling in which it is compared.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    ContactId(i64),
    Email(String),
    MobileNumber(String),
    Custom(String, String),
}

impl Key {
    fn of(identifier: &Identifier) -> Self {
        match identifier {
            Identifier::ContactId(id) => Self::ContactId(id.get()),
            Identifier::Email(email) => Self::email(email.as_str()),
            Identifier::MobileNumber(number) => Self::mobile_number(number.as_str()),
            Identifier::Custom { name, value } => Self::custom(name.as_str(), value.as_str()),
        }
    }

    /// All keys of a row, the most telling first: an address is most likely what was handed in.
    fn of_row(identifiers: &Identifiers, contact: Option<ContactId>) -> Vec<Self> {
        let email = identifiers.email.as_deref().map(Self::email);
        let number = identifiers.mobile_number.as_deref().map(Self::mobile_number);
        let custom = identifiers.custom.iter().map(|(name, value)| Self::custom(name, value));
        let ids = identifiers.contact_id.into_iter().chain(contact);
        let ids = ids.map(|id| Self::ContactId(id.get()));
        email.into_iter().chain(number).chain(custom).chain(ids).collect()
    }

    fn email(text: &str) -> Self {
        Self::Email(text.trim().to_lowercase())
    }

    fn mobile_number(text: &str) -> Self {
        Self::MobileNumber(text.chars().filter(char::is_ascii_digit).collect())
    }

    fn custom(name: &str, value: &str) -> Self {
        Self::Custom(name.to_ascii_lowercase(), value.trim().to_owned())
    }

    /// Whether it is of the kind that the service calls so.
    fn is_kind(&self, name: &str) -> bool {
        match self {
            Self::ContactId(_) => name.eq_ignore_ascii_case("contactId"),
            Self::Email(_) => name.eq_ignore_ascii_case("email"),
            Self::MobileNumber(_) => name.eq_ignore_ascii_case("mobileNumber"),
            Self::Custom(custom, _) => name.eq_ignore_ascii_case(custom),
        }
    }
}

/// The contacts of one import, in the order in which they were handed in.
#[derive(Default)]
pub(super) struct HandedIn {
    contacts: Vec<Identifier>,
    places: HashMap<Key, usize>,
}

impl HandedIn {
    /// Whether one with that identifier is among them.
    pub(super) fn has(&self, identifier: &Identifier) -> bool {
        self.places.contains_key(&Key::of(identifier))
    }

    pub(super) fn add(&mut self, identifier: Identifier) {
        self.places.insert(Key::of(&identifier), self.contacts.len());
        self.contacts.push(identifier);
    }

    pub(super) fn into_contacts(self) -> Vec<Identifier> {
        self.contacts
    }

    /// What the report says of each contact, and how many of its rows are about none of them.
    pub(super) fn outcomes(self, status: ImportStatus) -> (Vec<ImportOutcome>, usize) {
        let mut unmatched = 0;
        let mut found: Vec<Option<ContactOutcome>> = self.contacts.iter().map(|_| None).collect();
        let failed: Vec<Option<usize>> =
            status.failures.iter().map(|failure| self.place_of(failure)).collect();
        let refused: HashSet<usize> = failed.iter().flatten().copied().collect();
        let created = status.created.into_iter().map(|row| (row, true));
        let updated = status.updated.into_iter().map(|row| (row, false));
        for (ImportedContact { contact_id, identifiers }, is_new) in created.chain(updated) {
            // Two that were handed in may turn out to be one contact, which then has two rows:
            // each row is about one of them that none was about before, and rather about one that
            // was not refused: of that one, only a part may have been.
            let keys = Key::of_row(&identifiers, Some(contact_id));
            let open = |place: &usize| found.get(*place).is_some_and(Option::is_none);
            let mut places =
                keys.iter().filter_map(|key| self.places.get(key).copied()).filter(open);
            let first = places.next();
            let place = first.into_iter().chain(places).find(|place| !refused.contains(place));
            match place.or(first).and_then(|place| found.get_mut(place)) {
                Some(outcome) => {
                    let stored = ContactOutcome::Stored { contact_id, is_new, refused: Vec::new() };
                    *outcome = Some(stored);
                }
                None => unmatched += 1,
            }
        }
        for (failure, place) in status.failures.into_iter().zip(failed) {
            match place.and_then(|place| found.get_mut(place)) {
                Some(outcome) => fail(outcome, failure),
                None => unmatched += 1,
            }
        }
        let outcomes = self.contacts.into_iter().zip(found).map(|(contact, outcome)| {
            ImportOutcome { contact, outcome: outcome.unwrap_or(ContactOutcome::NotReported) }
        });
        (outcomes.collect(), unmatched)
    }

    /// The contact that a failure is about. When the row names the identifier that was matched on,
    /// no other one may lead to a contact.
    fn place_of(&self, failure: &ImportFailure) -> Option<usize> {
        let keys = Key::of_row(&failure.identifiers, failure.contact_id);
        let named = |key: &&Key| {
            let name = failure.match_identifier.as_str();
            name.is_empty() || key.is_kind(name)
        };
        keys.iter().filter(named).find_map(|key| self.places.get(key).copied())
    }
}

/// Adds a failure to what is known of a contact. One that was stored has only a part refused.
fn fail(outcome: &mut Option<ContactOutcome>, row: ImportFailure) {
    match outcome {
        Some(ContactOutcome::Stored { refused, .. }) => refused.extend(row.failures),
        Some(ContactOutcome::Failed { failures, .. }) => failures.extend(row.failures),
        Some(ContactOutcome::NotReported) | None => {
            let ImportFailure { contact_id, failures, .. } = row;
            *outcome = Some(ContactOutcome::Failed { contact_id, failures });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identifier::{EmailAddress, MobileNumber},
        imports::FailureCode,
    };

    fn email(text: &str) -> Identifier {
        Identifier::Email(EmailAddress::parse(text).unwrap())
    }

    fn mobile(text: &str) -> Identifier {
        Identifier::MobileNumber(MobileNumber::parse(text).unwrap())
    }

    fn id(number: i64) -> Identifier {
        Identifier::ContactId(ContactId::new(number).unwrap())
    }

    fn outcomes(contacts: &[Identifier], report: &str) -> (Vec<ContactOutcome>, usize) {
        let mut handed_in = HandedIn::default();
        contacts.iter().cloned().for_each(|contact| handed_in.add(contact));
        let (outcomes, unmatched) = handed_in.outcomes(serde_json::from_str(report).unwrap());
        let in_order: Vec<&Identifier> = outcomes.iter().map(|outcome| &outcome.contact).collect();
        assert_eq!(in_order, contacts.iter().collect::<Vec<_>>());
        (outcomes.into_iter().map(|outcome| outcome.outcome).collect(), unmatched)
    }

    fn stored(number: i64, is_new: bool) -> ContactOutcome {
        let contact_id = ContactId::new(number).unwrap();
        ContactOutcome::Stored { contact_id, is_new, refused: Vec::new() }
    }

    #[test]
    fn rows_are_told_by_any_spelling_of_the_identifier() {
        let custom = Identifier::custom("crm-id", "A/1").unwrap();
        let contacts = [email("Jane@Example.com"), mobile("447700900123"), custom, id(4), id(5)];
        let (found, unmatched) = outcomes(
            &contacts,
            r#"{"status":"Finished",
            "created":[{"contactId":2,"identifiers":{"mobileNumber":"+44 7700 900123"}},
                       {"contactId":1,"identifiers":{"email":"jane@example.COM"}}],
            "updated":[{"contactId":4,"identifiers":{"email":"other@example.com"}},
                       {"contactId":"3","identifiers":{"CRM-ID":"A/1"}},
                       {"contactId":9,"identifiers":{"email":"nobody@example.com"}}],
            "failures":[{"matchIdentifier":"contactId","identifiers":{"contactId":5},
                "failures":[{"failureCode":"contactNotFound"}]}]}"#,
        );
        assert_eq!(
            found[..4],
            [stored(1, true), stored(2, true), stored(3, false), stored(4, false)]
        );
        let ContactOutcome::Failed { contact_id: None, failures } = &found[4] else {
            panic!("{found:?}")
        };
        assert_eq!(failures[0].code, FailureCode::ContactNotFound);
        assert_eq!(unmatched, 1);
    }

    #[test]
    fn a_contact_that_the_report_leaves_out_is_not_taken_for_done() {
        let contacts = [email("a@example.com"), email("b@example.com")];
        let report = r#"{"status":"Finished",
            "updated":[{"contactId":2,"identifiers":{"email":"b@example.com"}}]}"#;
        let expected = vec![ContactOutcome::NotReported, stored(2, false)];
        assert_eq!(outcomes(&contacts, report), (expected, 0));
    }

    #[test]
    fn two_that_turn_out_to_be_one_contact_need_a_row_each() {
        let contacts = [email("a@example.com"), mobile("447700900123")];
        let row = r#"{"contactId":1,"identifiers":{"email":"a@example.com",
            "mobileNumber":"447700900123"}}"#;
        let once = format!(r#"{{"status":"Finished","updated":[{row}]}}"#);
        let expected = vec![stored(1, false), ContactOutcome::NotReported];
        assert_eq!(outcomes(&contacts, &once), (expected, 0));
        let twice = format!(r#"{{"status":"Finished","updated":[{row},{row}]}}"#);
        assert_eq!(outcomes(&contacts, &twice), (vec![stored(1, false), stored(1, false)], 0));
        let failed = format!(
            r#"{{"status":"Finished","updated":[{row}],"failures":[{{"matchIdentifier":
            "mobileNumber","identifiers":{{"email":"a@example.com","mobileNumber":"447700900123"}},
            "failures":[{{"failureCode":"duplicateIdentifier"}}]}}]}}"#
        );
        let (found, _) = outcomes(&contacts, &failed);
        assert_eq!(found[0], stored(1, false));
        assert!(matches!(found[1], ContactOutcome::Failed { .. }));
    }

    #[test]
    fn a_contact_that_was_stored_in_part_says_what_was_refused() {
        let (found, _) = outcomes(
            &[email("a@example.com")],
            r#"{"status":"Finished",
            "created":[{"contactId":1,"identifiers":{"email":"a@example.com"}}],
            "failures":[{"contactId":1,"matchIdentifier":"email",
                "identifiers":{"email":"a@example.com"},
                "failures":[{"failureCode":"consentRecordsNotApplied"}]}]}"#,
        );
        let ContactOutcome::Stored { is_new: true, refused, .. } = &found[0] else {
            panic!("{found:?}")
        };
        assert_eq!(refused[0].code, FailureCode::ConsentRecordsNotApplied);
    }

    #[test]
    fn a_contact_that_was_refused_is_not_stored_by_the_row_of_another() {
        // Both are one contact of the account, whose rows name all that it is known by.
        let contacts = [email("a@example.com"), mobile("447700900123")];
        let all = r#""identifiers":{"email":"a@example.com","mobileNumber":"447700900123"}"#;
        let (found, unmatched) = outcomes(
            &contacts,
            &format!(
                r#"{{"status":"Finished","updated":[{{"contactId":1,{all}}}],
                "failures":[{{"contactId":1,"matchIdentifier":"email",{all},
                    "failures":[{{"failureCode":"invalidAddressBookIds"}}]}}]}}"#
            ),
        );
        assert!(matches!(found[0], ContactOutcome::Failed { .. }), "{found:?}");
        assert_eq!((&found[1], unmatched), (&stored(1, false), 0));
    }
}
