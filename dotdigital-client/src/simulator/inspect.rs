//! Setting an account up and looking into it, without making a call.

use chrono::{DateTime, Utc};

use super::{
    Simulator,
    account::{Contact, DataField, IdentifierSet, List, MemberStatus, name_key},
    api,
    views::{ContactView, DataFieldType, ListView, Visibility},
};

/// Set-up: what other people and other systems do to the account.
impl Simulator {
    /// Creates a contact that can be reached by email; returns its id, or that of the contact which
    /// has the address already (back from the recycle bin, if need be).
    pub fn add_contact(&self, email: &str) -> i64 {
        self.ensure_contact(IdentifierSet {
            email: Some(email.to_owned()),
            ..IdentifierSet::default()
        })
    }

    /// Creates a contact that can be reached by mobile number only, given as digits with country
    /// code; returns its id, or that of the contact which has the number already.
    pub fn add_mobile_contact(&self, mobile: &str) -> i64 {
        let mobile = Some(only_digits(mobile));
        self.ensure_contact(IdentifierSet { mobile, ..IdentifierSet::default() })
    }

    /// Gives a contact one more identifier: `email`, `mobileNumber`, or a custom one, which is
    /// declared if it was not. Nothing happens when it belongs to another contact.
    pub fn set_identifier(&self, contact: i64, name: &str, value: &str) {
        let mut identifiers = IdentifierSet::default();
        let account = &mut self.lock().account;
        match name {
            "email" => identifiers.email = Some(value.to_owned()),
            "mobileNumber" => identifiers.mobile = Some(only_digits(value)),
            name => {
                let now = account.now();
                account.custom_identifiers.ensure(name, now);
                identifiers.custom.push((name.to_owned(), value.to_owned()));
            }
        }
        if !account.belong_to_another(&identifiers, Some(contact)) {
            account.contacts.identify(contact, &identifiers);
        }
    }

    /// Creates a list, or finds the one of that name; returns its id.
    pub fn add_list(&self, name: &str, visibility: Visibility) -> i32 {
        let account = &mut self.lock().account;
        let key = name_key(name);
        let known = account.lists.values().find(|list| name_key(&list.name) == key);
        known.map(|list| list.id).unwrap_or_else(|| account.insert_list(name, visibility))
    }

    /// Puts a contact on a list, as somebody else might. A suppressed contact stays off it.
    pub fn add_member(&self, list: i32, contact: i64) {
        self.lock().account.add_to_lists(contact, &[list]);
    }

    /// Takes a contact off a list, as somebody else might.
    pub fn remove_member(&self, list: i32, contact: i64) {
        if let Some(list) = self.lock().account.lists.get_mut(&list) {
            list.remove(contact);
        }
    }

    /// Renames a list, whatever else has that name.
    pub fn rename_list(&self, list: i32, name: &str) {
        if let Some(list) = self.lock().account.lists.get_mut(&list) {
            name.clone_into(&mut list.name);
        }
    }

    /// Deletes a list; its contacts stay in the account.
    pub fn delete_list(&self, list: i32) {
        self.lock().account.lists.remove(&list);
    }

    /// Deletes a contact at `now`: it goes to the recycle bin for 30 days and leaves every list.
    pub fn delete_contact(&self, contact: i64, now: DateTime<Utc>) {
        self.lock().account.delete_contact(contact, now);
    }

    /// Suppresses a contact on all its channels; it leaves its lists.
    pub fn suppress_contact(&self, contact: i64) {
        let account = &mut self.lock().account;
        let now = account.now();
        account.suppress(contact, now);
    }

    /// Puts an address on the vendor's global suppression list; no contact can have it any more.
    pub fn globally_suppress(&self, email: &str) {
        let account = &mut self.lock().account;
        let now = account.now();
        account.globally_suppress(email, now);
    }

    /// Suppresses a domain such as `example.org`; no contact can get an address there any more.
    pub fn suppress_domain(&self, domain: &str) {
        self.lock().account.blocklist.suppress_domain(domain);
    }

    /// Blocks an address; no contact can get it any more.
    pub fn block_address(&self, email: &str) {
        self.lock().account.blocklist.block(email);
    }

    /// Does what a contact does who confirms her subscription, or that she wants to be back. Nothing
    /// happens unless she was asked to.
    pub fn confirm_opt_in(&self, contact: i64) {
        self.lock().account.confirm(contact);
    }

    /// Declares a data field, private and without default. Nothing happens when the account has one
    /// of that name, or when it cannot be a name.
    pub fn add_data_field(&self, name: &str, kind: DataFieldType) {
        let _ = self.lock().account.data_fields.declare(DataField::new(name, kind), None);
    }

    /// Makes something depend on a data field, such as `Used in program 12345`, so that it cannot
    /// be deleted.
    pub fn use_data_field(&self, name: &str, dependency: &str) {
        if let Some(field) = self.lock().account.data_fields.find_mut(name) {
            field.used_by.push(dependency.to_owned());
        }
    }

    /// Declares a custom identifier, and makes something depend on it, such as `segment:1002`, so
    /// that it cannot be deleted.
    pub fn use_custom_identifier(&self, name: &str, dependency: &str) {
        let account = &mut self.lock().account;
        let now = account.now();
        account.custom_identifiers.ensure(name, now);
        if let Some(identifier) = account.custom_identifiers.get_mut(name) {
            identifier.used_by.push(dependency.to_owned());
        }
    }

    /// Adds a segment; no list can have its name.
    pub fn add_segment_name(&self, name: &str) {
        self.add_segment(name);
    }

    /// Notes a campaign that was sent to a list; returns its id, or `None` for an unknown list.
    pub fn add_campaign(&self, list: i32, name: &str, subject: &str) -> Option<i32> {
        self.lock().account.add_campaign(list, name, subject)
    }

    /// Finishes every pending job at `now`, also those that are stuck.
    pub fn finish_jobs(&self, now: DateTime<Utc>) {
        self.lock().account.finish_jobs(now);
    }

    fn ensure_contact(&self, identifiers: IdentifierSet) -> i64 {
        let account = &mut self.lock().account;
        let now = account.now();
        let found = identifiers.iter().find_map(|one| account.contacts.find(&one));
        match found {
            Some(id) => {
                account.contacts.restore(id);
                id
            }
            None => account.contacts.create(&identifiers, now),
        }
    }
}

/// Inspection. Jobs whose time has come take effect with the next call, or with
/// [`Simulator::finish_jobs`], not here.
impl Simulator {
    /// The list of that name, compared without case.
    pub fn list_named(&self, name: &str) -> Option<ListView> {
        let key = name_key(name);
        self.lists().into_iter().find(|list| name_key(&list.name) == key)
    }

    /// All lists by id, the system's own included.
    pub fn lists(&self) -> Vec<ListView> {
        let view = |list: &List| ListView {
            id: list.id,
            name: list.name.clone(),
            visibility: list.visibility,
        };
        self.lock().account.lists.values().map(view).collect()
    }

    /// Who is on a list, by id. Who is suppressed there is not. Empty for an unknown list.
    pub fn members(&self, list: i32) -> Vec<ContactView> {
        let account = &self.lock().account;
        let members = account.lists.get(&list).into_iter().flat_map(|list| &list.members);
        members
            .filter(|(_, status)| **status == MemberStatus::Subscribed)
            .filter_map(|(id, _)| account.contacts.get(*id))
            .map(view)
            .collect()
    }

    /// All contacts by id, those in the recycle bin left out.
    pub fn contacts(&self) -> Vec<ContactView> {
        self.lock().account.contacts.live_after(i64::MIN).map(view).collect()
    }

    /// One contact in full, as reading it shows it: identifiers, data fields, channels, lists,
    /// preferences and consent. `None` when it is unknown or in the recycle bin.
    pub fn contact(&self, id: i64) -> Option<crate::contacts::Contact> {
        let shown = api::contact_in_full(&self.lock().account, id)?;
        serde_json::from_value(shown).ok()
    }

    /// The account's data fields by name, the built-in ones first, and what each holds.
    pub fn data_fields(&self) -> Vec<(String, DataFieldType)> {
        let fields = &self.lock().account.data_fields;
        fields.iter().map(|field| (field.name.clone(), field.kind)).collect()
    }

    /// How many contacts there are, those in the recycle bin left out.
    pub fn contact_count(&self) -> usize {
        self.lock().account.contacts.len()
    }

    /// The contacts in the recycle bin, by id.
    pub fn binned(&self) -> Vec<ContactView> {
        self.lock().account.contacts.binned().map(view).collect()
    }

    /// How many jobs are under way, stuck ones included.
    pub fn pending_jobs(&self) -> usize {
        self.lock().account.jobs.pending()
    }
}

fn view(contact: &Contact) -> ContactView {
    ContactView {
        id: contact.id,
        email: contact.email.as_deref().map(str::to_owned),
        mobile: contact.mobile.as_deref().map(str::to_owned),
    }
}

fn only_digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}
