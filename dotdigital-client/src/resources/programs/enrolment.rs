//! Who is enrolled in a program, and what became of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    decode,
    ids::{ContactId, EnrolmentId, ListId, ProgramId},
    service_enum::service_enum,
};

service_enum! {
    /// How far an enrolment has come.
    EnrolmentStatus {
        /// At work.
        Processing = "Processing",
        /// Done. Single contacts may not have been enrolled.
        Finished = "Finished",
    }
}

impl EnrolmentStatus {
    /// Whether the enrolment has ended. A status that this crate does not know counts as ended.
    pub fn is_terminal(&self) -> bool {
        *self != Self::Processing
    }
}

/// Which enrolments to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolmentFilter {
    /// Those at work.
    Processing,
    /// Those that have ended.
    Finished,
}

impl EnrolmentFilter {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "Processing",
            Self::Finished => "Finished",
        }
    }
}

/// An enrolment of contacts and lists in a program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Enrolment {
    /// The enrolment's id.
    pub id: EnrolmentId,
    /// The program.
    pub program_id: ProgramId,
    /// How far it has come.
    pub status: EnrolmentStatus,
    /// When it was handed in. `None` when missing or in a spelling this crate does not know.
    #[serde(default, rename = "dateCreated", deserialize_with = "decode::lenient_time")]
    pub created: Option<DateTime<Utc>>,
    /// The contacts asked for. The service does not always repeat them.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub contacts: Vec<ContactId>,
    /// The lists asked for. The service does not always repeat them.
    #[serde(default, rename = "addressBooks", deserialize_with = "decode::null_as_default")]
    pub lists: Vec<ListId>,
}

/// Why contacts and lists cannot be enrolled together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEnrolees {
    /// There are none.
    #[error("an enrolment needs at least one contact or list")]
    Empty,
    /// There are too many contacts for one call.
    #[error("{count} contacts are more than the {} of one enrolment", Enrolees::MOST_CONTACTS)]
    TooManyContacts {
        /// How many were given.
        count: usize,
    },
    /// There are too many lists for one call.
    #[error("{count} lists are more than the {} of one enrolment", Enrolees::MOST_LISTS)]
    TooManyLists {
        /// How many were given.
        count: usize,
    },
}

/// Whom to enrol: at least one contact or list, and not too many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Enrolees {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<ContactId>,
    #[serde(rename = "addressBooks", skip_serializing_if = "Vec::is_empty")]
    lists: Vec<ListId>,
}

impl Enrolees {
    /// How many contacts the service takes in one call.
    pub const MOST_CONTACTS: usize = 25;
    /// How many lists the service takes in one call.
    pub const MOST_LISTS: usize = 10;

    /// Contacts, each once, and all members of lists.
    ///
    /// # Errors
    ///
    /// Fails when there is neither a contact nor a list, or too many of either.
    pub fn new(
        contacts: impl IntoIterator<Item = ContactId>,
        lists: impl IntoIterator<Item = ListId>,
    ) -> Result<Self, InvalidEnrolees> {
        let (contacts, lists) = (each_once(contacts), each_once(lists));
        if contacts.is_empty() && lists.is_empty() {
            Err(InvalidEnrolees::Empty)
        } else if contacts.len() > Self::MOST_CONTACTS {
            Err(InvalidEnrolees::TooManyContacts { count: contacts.len() })
        } else if lists.len() > Self::MOST_LISTS {
            Err(InvalidEnrolees::TooManyLists { count: lists.len() })
        } else {
            Ok(Self { contacts, lists })
        }
    }

    /// Contacts only.
    ///
    /// # Errors
    ///
    /// Fails when there are none or too many.
    pub fn contacts(ids: impl IntoIterator<Item = ContactId>) -> Result<Self, InvalidEnrolees> {
        Self::new(ids, [])
    }

    /// All members of lists.
    ///
    /// # Errors
    ///
    /// Fails when there are no lists or too many.
    pub fn lists(ids: impl IntoIterator<Item = ListId>) -> Result<Self, InvalidEnrolees> {
        Self::new([], ids)
    }
}

fn each_once<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort_unstable();
    items.dedup();
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts(count: i64) -> impl Iterator<Item = ContactId> {
        (1..=count).map(|id| ContactId::new(id).unwrap())
    }

    fn lists(count: i32) -> impl Iterator<Item = ListId> {
        (1..=count).map(|id| ListId::new(id).unwrap())
    }

    #[test]
    fn nobody_and_too_many_are_refused() {
        assert_eq!(Enrolees::contacts([]), Err(InvalidEnrolees::Empty));
        assert!(Enrolees::new(contacts(25), lists(10)).is_ok());
        let too_many = InvalidEnrolees::TooManyContacts { count: 26 };
        assert_eq!(Enrolees::contacts(contacts(26)), Err(too_many));
        let too_many = InvalidEnrolees::TooManyLists { count: 11 };
        assert_eq!(Enrolees::lists(lists(11)), Err(too_many));
    }

    #[test]
    fn each_is_enrolled_once_and_an_empty_list_is_left_out() {
        let who = Enrolees::contacts(contacts(2).chain(contacts(2))).unwrap();
        assert_eq!(serde_json::to_string(&who).unwrap(), r#"{"contacts":[1,2]}"#);
        let who = Enrolees::lists(lists(1)).unwrap();
        assert_eq!(serde_json::to_string(&who).unwrap(), r#"{"addressBooks":[1]}"#);
    }

    #[test]
    fn only_what_is_at_work_goes_on() {
        assert!(!EnrolmentStatus::from("processing").is_terminal());
        assert!(EnrolmentStatus::Finished.is_terminal());
        assert!(EnrolmentStatus::from("NotAvailableInThisVersion").is_terminal());
    }
}
