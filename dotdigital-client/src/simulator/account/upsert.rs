//! Creating or changing one contact, as a single update and a row of an import both do.

use chrono::{DateTime, Utc};

use super::{
    Account, ContactChange, Identifier, IdentifierSet, MergeOption,
    identifier::{digits, is_email},
};
use crate::simulator::switches::{BadList, EmailEcho, SuppressedAddition};

/// Why a contact was not changed, or not as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum UpsertFault {
    InvalidEmail,
    InvalidPhoneNumber,
    UnknownIdentifierName,
    NoMatchIdentifier,
    UnknownContactId,
    NoIdentifiers,
    Conflict,
    DuplicateInImport,
    GloballySuppressed,
    BadLists,
}

impl UpsertFault {
    /// The code in an import's report, in the spelling of the vendor's description.
    pub(in crate::simulator) fn code(self) -> &'static str {
        match self {
            Self::InvalidEmail => "invalidEmail",
            Self::InvalidPhoneNumber => "invalidPhoneNumber",
            Self::UnknownIdentifierName => "apiSchemaViolation",
            Self::NoMatchIdentifier => "invalidMatchIdentifier",
            Self::UnknownContactId => "invalidContactId",
            Self::NoIdentifiers => "noValidIdentifiers",
            Self::Conflict | Self::DuplicateInImport => "duplicateIdentifier",
            Self::GloballySuppressed => "globallySuppressed",
            Self::BadLists => "invalidAddressBookIds",
        }
    }

    pub(in crate::simulator) fn description(self) -> &'static str {
        match self {
            Self::InvalidEmail => "Invalid value for 'email'",
            Self::InvalidPhoneNumber => "Invalid value for 'mobileNumber'",
            Self::UnknownIdentifierName => "An identifier of that name does not exist",
            Self::NoMatchIdentifier => "The match identifier is not among the identifiers",
            Self::UnknownContactId => "No contact has that contactId",
            Self::NoIdentifiers => "A contact needs an email or a mobileNumber",
            Self::Conflict => "An identifier belongs to another contact",
            Self::DuplicateInImport => "An identifier occurs more than once in the import",
            Self::GloballySuppressed => "The contact is globally suppressed",
            Self::BadLists => "A list does not exist or cannot be written to",
        }
    }
}

/// What became of a contact that was created or changed.
pub(in crate::simulator) struct Upserted {
    pub(in crate::simulator) id: i64,
    pub(in crate::simulator) created: bool,
    /// What was asked and not done.
    pub(in crate::simulator) warning: Option<UpsertFault>,
}

impl Account {
    /// Checks the identifiers of a change and brings them into the form they are stored in.
    pub(in crate::simulator) fn read_identifiers(
        &self,
        change: &ContactChange,
    ) -> Result<IdentifierSet, UpsertFault> {
        let mut set = IdentifierSet::default();
        for (name, value) in &change.identifiers {
            match name.as_str() {
                "email" if is_email(value.trim()) => {
                    set.email = Some(self.stored_email(value.trim()))
                }
                "email" => return Err(UpsertFault::InvalidEmail),
                "mobileNumber" => {
                    set.mobile = Some(digits(value).ok_or(UpsertFault::InvalidPhoneNumber)?);
                }
                name if self.settings.custom_identifiers.contains(name) => {
                    set.custom.push((name.to_owned(), value.clone()));
                }
                _ => return Err(UpsertFault::UnknownIdentifierName),
            }
        }
        Ok(set)
    }

    /// Changes the contact found by `by`, brings it back from the recycle bin, or creates it.
    pub(in crate::simulator) fn upsert(
        &mut self,
        by: &Identifier,
        identifiers: &IdentifierSet,
        change: &ContactChange,
        merge: MergeOption,
        now: DateTime<Utc>,
    ) -> Result<Upserted, UpsertFault> {
        let found = self.contacts.find(by);
        if identifiers.email.as_deref().is_some_and(|email| self.is_globally_suppressed(email)) {
            return Err(UpsertFault::GloballySuppressed);
        }
        if self.belong_to_another(identifiers, found) {
            return Err(UpsertFault::Conflict);
        }
        let (lists, bad): (Vec<i32>, Vec<i32>) =
            change.lists.iter().partition(|id| self.writable_list(**id).is_some());
        if !bad.is_empty() && self.settings.switches.bad_list == BadList::ContactFails {
            return Err(UpsertFault::BadLists);
        }
        if found.is_none() && identifiers.email.is_none() && identifiers.mobile.is_none() {
            return Err(UpsertFault::NoIdentifiers);
        }
        let id = match found {
            Some(id) => {
                self.contacts.restore(id);
                self.contacts.identify(id, identifiers);
                id
            }
            None => self.contacts.create(identifiers, now),
        };
        self.apply(id, change, merge, now);
        let dropped = self.add_to_lists(id, &lists);
        let warning = dropped.or((!bad.is_empty()).then_some(UpsertFault::BadLists));
        Ok(Upserted { id, created: found.is_none(), warning })
    }

    /// Whether an identifier belongs to a contact other than `own`.
    pub(in crate::simulator) fn belong_to_another(
        &self,
        identifiers: &IdentifierSet,
        own: Option<i64>,
    ) -> bool {
        identifiers
            .iter()
            .any(|one| self.contacts.find(&one).is_some_and(|owner| Some(owner) != own))
    }

    /// Stores fields and channel properties.
    pub(in crate::simulator) fn apply(
        &mut self,
        id: i64,
        change: &ContactChange,
        merge: MergeOption,
        now: DateTime<Utc>,
    ) {
        let Some(contact) = self.contacts.get_mut(id) else { return };
        merge.merge(&mut contact.data_fields, &change.data_fields);
        contact.email_type = change.email_type.unwrap_or(contact.email_type);
        contact.opt_in = change.opt_in.unwrap_or(contact.opt_in);
        contact.updated = now;
        for (channel, status) in &change.channels {
            self.set_channel(id, *channel, *status, now);
        }
    }

    /// Adds a contact to lists that can be written to, unless it is suppressed everywhere.
    pub(in crate::simulator) fn add_to_lists(
        &mut self,
        id: i64,
        lists: &[i32],
    ) -> Option<UpsertFault> {
        let closed = self.contacts.get(id).is_none_or(|contact| contact.is_suppressed_everywhere());
        if closed && !lists.is_empty() {
            let fails = self.settings.switches.suppressed_addition == SuppressedAddition::Fails;
            return fails.then_some(UpsertFault::GloballySuppressed);
        }
        for list in lists {
            if let Some(list) = self.writable_list(*list) {
                list.add(id);
            }
        }
        None
    }

    fn stored_email(&self, address: &str) -> String {
        match self.settings.switches.email_echo {
            EmailEcho::AsSent => address.to_owned(),
            EmailEcho::LowerCase => address.to_lowercase(),
        }
    }
}
