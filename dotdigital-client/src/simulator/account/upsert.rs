//! Creating or changing one contact, as a single update and a row of an import both do.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{
    Account, Channel, ChannelStatus, Contact, ContactChange, Identifier, IdentifierSet,
    MergeOption, UpsertFault,
    identifier::{LONGEST_VALUE, digits, domain_exists, is_email},
};
use crate::simulator::switches::{BadList, EmailEcho, SuppressedAddition};

/// The opt-in type that asks people to confirm.
const VERIFIED: &str = "VerifiedDouble";

/// A change that has been found good, in the form it is stored in.
pub(in crate::simulator) struct Prepared {
    pub(in crate::simulator) identifiers: IdentifierSet,
    pub(in crate::simulator) data_fields: Map<String, Value>,
    /// Those that can be written to.
    pub(in crate::simulator) lists: Vec<i32>,
    /// What was asked and will not be done.
    pub(in crate::simulator) warnings: Vec<UpsertFault>,
}

/// What became of a contact that was created or changed.
pub(in crate::simulator) struct Upserted {
    pub(in crate::simulator) id: i64,
    pub(in crate::simulator) created: bool,
    /// What was asked and not done.
    pub(in crate::simulator) warnings: Vec<UpsertFault>,
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
                "email" => set.email = Some(self.read_email(value.trim())?),
                "mobileNumber" => {
                    set.mobile = Some(digits(value).ok_or(UpsertFault::InvalidPhoneNumber)?);
                }
                name if !self.custom_identifiers.contains(name) => {
                    return Err(UpsertFault::UnknownIdentifierName);
                }
                _ if !(1..=LONGEST_VALUE).contains(&value.chars().count()) => {
                    return Err(UpsertFault::InvalidCustomValue);
                }
                name => set.custom.push((name.to_owned(), value.clone())),
            }
        }
        Ok(set)
    }

    /// Checks everything a change asks for. `found` is the contact it is about, if there is one.
    pub(in crate::simulator) fn prepare(
        &self,
        identifiers: IdentifierSet,
        change: &ContactChange,
        found: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<Prepared, UpsertFault> {
        if let Some(fault) = identifiers.email.as_deref().and_then(|e| self.blocklist.fault(e)) {
            return Err(fault);
        }
        if self.belong_to_another(&identifiers, found) {
            return Err(UpsertFault::Conflict);
        }
        let mut warnings = Vec::new();
        let (lists, bad): (Vec<i32>, Vec<i32>) =
            change.lists.iter().partition(|id| self.is_writable_list(**id));
        if !bad.is_empty() {
            if self.settings.switches.bad_list == BadList::ContactFails {
                return Err(UpsertFault::BadLists);
            }
            warnings.push(UpsertFault::BadLists);
        }
        let data_fields = self.data_fields.read(&change.data_fields, &self.settings.switches)?;
        if !change.preferences.iter().all(|(id, _)| self.is_preference(*id)) {
            return Err(UpsertFault::UnknownPreference);
        }
        if !change.consent.iter().all(|record| record.is_credible(now)) {
            warnings.push(UpsertFault::ConsentNotApplied);
        }
        self.check_channels(&identifiers, change, found)?;
        if !lists.is_empty() && self.refuses_addition(&identifiers, change, found, now) {
            return Err(UpsertFault::GloballySuppressed);
        }
        if found.is_none() && identifiers.email.is_none() && identifiers.mobile.is_none() {
            return Err(UpsertFault::NoIdentifiers);
        }
        if found.is_none() && self.contacts_left() == Some(0) {
            return Err(UpsertFault::TooManyContacts);
        }
        Ok(Prepared { identifiers, data_fields, lists, warnings })
    }

    /// Changes the contact found by `by`, brings it back from the recycle bin, or creates it.
    pub(in crate::simulator) fn upsert(
        &mut self,
        by: &Identifier,
        identifiers: IdentifierSet,
        change: &ContactChange,
        merge: MergeOption,
        now: DateTime<Utc>,
    ) -> Result<Upserted, UpsertFault> {
        let found = self.contacts.find(by);
        let prepared = self.prepare(identifiers, change, found, now)?;
        let id = match found {
            Some(id) => {
                self.contacts.restore(id);
                self.contacts.identify(id, &prepared.identifiers);
                id
            }
            None => self.contacts.create(&prepared.identifiers, now),
        };
        let warnings = self.store(id, prepared, change, merge, now);
        Ok(Upserted { id, created: found.is_none(), warnings })
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

    /// Stores everything but the identifiers; returns what was not done.
    pub(in crate::simulator) fn store(
        &mut self,
        id: i64,
        prepared: Prepared,
        change: &ContactChange,
        merge: MergeOption,
        now: DateTime<Utc>,
    ) -> Vec<UpsertFault> {
        let Prepared { data_fields, lists, warnings, .. } = prepared;
        if let Some(contact) = self.contacts.get_mut(id) {
            merge.merge(&mut contact.data_fields, &data_fields);
            if !warnings.contains(&UpsertFault::ConsentNotApplied) {
                contact
                    .consent_records
                    .extend(change.consent.iter().map(|record| record.recorded(now)));
            }
            contact.email_type = change.email_type.unwrap_or(contact.email_type);
            contact.updated = now;
        }
        for (preference, opted_in) in &change.preferences {
            self.set_preference(id, *preference, *opted_in, now);
        }
        self.store_statuses(id, change, now);
        self.add_to_lists(id, &lists);
        warnings
    }

    /// Adds a contact to lists that can be written to, unless it is suppressed everywhere.
    pub(in crate::simulator) fn add_to_lists(&mut self, id: i64, lists: &[i32]) {
        if self.contacts.get(id).is_none_or(Contact::is_suppressed_everywhere) {
            return;
        }
        for list in lists {
            if let Some(list) = self.writable_list(*list) {
                list.add(id);
            }
        }
    }

    /// Whether an addition to lists is refused because every channel of the contact will be closed
    /// once the change is made.
    fn refuses_addition(
        &self,
        identifiers: &IdentifierSet,
        change: &ContactChange,
        found: Option<i64>,
        now: DateTime<Utc>,
    ) -> bool {
        if self.settings.switches.suppressed_addition != SuppressedAddition::Fails {
            return false;
        }
        let stored = found.and_then(|id| self.contacts.find_any(id)).cloned();
        let mut changed = stored.unwrap_or_else(|| Contact::new(0, now));
        changed.email = identifiers.email.as_deref().map(Arc::from).or(changed.email);
        changed.mobile = identifiers.mobile.as_deref().map(Arc::from).or(changed.mobile);
        for (channel, status) in &change.channels {
            changed.set_channel(*channel, *status);
        }
        changed.is_suppressed_everywhere()
    }

    /// Stores channel statuses and the opt-in type. Who opts in with verification, or again after
    /// having left and is to be challenged, has to confirm.
    fn store_statuses(&mut self, id: i64, change: &ContactChange, now: DateTime<Utc>) {
        let Some(contact) = self.contacts.get_mut(id) else { return };
        let left = contact.email_status.is_closed();
        let verifies = change.opt_in == Some(VERIFIED) && contact.opt_in != VERIFIED;
        contact.opt_in = change.opt_in.unwrap_or(contact.opt_in);
        for (channel, status) in &change.channels {
            self.set_channel(id, *channel, *status, now);
        }
        let Some(contact) = self.contacts.get_mut(id) else { return };
        let confirms = verifies || (left && change.challenged);
        if confirms && contact.email.is_some() && !contact.email_status.is_closed() {
            contact.set_channel(Channel::Email, ChannelStatus::PendingOptIn);
        }
    }

    /// A channel's status can be set only where the contact has an address for it.
    fn check_channels(
        &self,
        identifiers: &IdentifierSet,
        change: &ContactChange,
        found: Option<i64>,
    ) -> Result<(), UpsertFault> {
        let holds = |channel: Channel| {
            let sent = match channel {
                Channel::Email => &identifiers.email,
                Channel::Sms | Channel::WhatsApp => &identifiers.mobile,
            };
            sent.is_some()
                || found
                    .and_then(|id| self.contacts.find_any(id))
                    .is_some_and(|contact| contact.holds(channel))
        };
        let held = change.channels.iter().all(|(channel, _)| holds(*channel));
        if held { Ok(()) } else { Err(UpsertFault::ChannelNotHeld) }
    }

    fn read_email(&self, address: &str) -> Result<String, UpsertFault> {
        if !is_email(address) {
            Err(UpsertFault::InvalidEmail)
        } else if !domain_exists(address) {
            Err(UpsertFault::InvalidDomain)
        } else {
            Ok(match self.settings.switches.email_echo {
                EmailEcho::AsSent => address.to_owned(),
                EmailEcho::LowerCase => address.to_lowercase(),
            })
        }
    }
}
