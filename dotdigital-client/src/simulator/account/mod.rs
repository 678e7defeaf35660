//! The account model: contacts, lists, names and jobs, without any HTTP.

mod blocklist;
mod change;
mod consent;
mod contact;
mod contact_book;
mod custom_identifiers;
mod data_fields;
mod identifier;
mod import;
mod insight_data;
mod jobs;
mod list;
mod preferences;
mod programs;
mod segments;
mod upsert;
mod upsert_fault;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, Utc};

use self::blocklist::Blocklist;
pub(super) use self::{
    change::{ContactChange, MergeOption},
    consent::{ConsentRecord, NewConsent},
    contact::{Channel, ChannelStatus, Contact},
    contact_book::ContactBook,
    custom_identifiers::{CustomIdentifier, CustomIdentifiers, DeclareFault},
    data_fields::{DataField, DataFields, FieldFault},
    identifier::{Identifier, IdentifierSet, LONGEST_VALUE, is_email},
    import::{DoneRow, FailedRow, ImportReport, RowFault},
    insight_data::{
        Collection, Field, InsightData, Kind, Record, RecordImport, RecordImportReport,
        RecordOwner, RecordRow, RecordsReport, RefusedRow, Schema, Scope, collection_kind,
    },
    jobs::{DeleteReport, Deletion, Job, JobFault, Jobs, Report, Work},
    list::{Campaign, List, MemberStatus, name_key},
    preferences::{Position, Preference, PreferenceChange, Preferences},
    programs::{
        Enrol, Enrolment, EnrolmentFault, EnrolmentReport, EnrolmentStatus, Program, Programs,
    },
    segments::{Segment, named as segment_named},
    upsert_fault::UpsertFault,
};
use super::{
    settings::SimulatorSettings,
    switches::{ListReading, UnknownRemoval},
    views::Visibility,
};

/// Id of the list every account has and nobody can write to.
const TEST_LIST: i32 = 1;

/// Names no list may have, besides those of lists and segments.
const RESERVED_NAMES: [&str; 2] = ["test", "all contacts"];

/// How long a deleted contact can be brought back.
const BIN_KEEPS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Everything the service remembers about one account.
pub(super) struct Account {
    pub(super) settings: SimulatorSettings,
    pub(super) contacts: ContactBook,
    pub(super) lists: BTreeMap<i32, List>,
    pub(super) jobs: Jobs,
    pub(super) custom_identifiers: CustomIdentifiers,
    pub(super) data_fields: DataFields,
    pub(super) blocklist: Blocklist,
    pub(super) preferences: Preferences,
    pub(super) programs: Programs,
    pub(super) segments: BTreeMap<i32, Segment>,
    pub(super) insight_data: InsightData,
    /// Who was asked whether to be written to again, and for which lists besides the account.
    pub(super) challenges: BTreeMap<i64, BTreeSet<i32>>,
    /// Since when a contact's email channel is closed.
    closed_since: BTreeMap<i64, DateTime<Utc>>,
    /// Lists and segments share their ids: some calls take either.
    next_list: i32,
    next_campaign: i32,
    /// When the account was last asked anything; before that, when it was opened.
    now: DateTime<Utc>,
}

/// Why a list could not be named so.
pub(super) enum NameFault {
    Duplicate,
    TooManyLists,
}

impl Account {
    pub(super) fn open(settings: SimulatorSettings) -> Self {
        let test = List::new(TEST_LIST, "Test", Visibility::Private);
        Self {
            contacts: ContactBook::default(),
            lists: BTreeMap::from([(TEST_LIST, test)]),
            jobs: Jobs::new(settings.seed),
            custom_identifiers: CustomIdentifiers::new(
                &settings.custom_identifiers,
                settings.max_custom_identifiers,
                settings.opened,
            ),
            data_fields: DataFields::default(),
            blocklist: Blocklist::default(),
            preferences: Preferences::default(),
            programs: Programs::default(),
            segments: BTreeMap::new(),
            insight_data: InsightData::new(settings.insight_data.collections),
            challenges: BTreeMap::new(),
            closed_since: BTreeMap::new(),
            next_list: TEST_LIST + 100,
            next_campaign: 1,
            now: settings.opened,
            settings,
        }
    }

    /// Lets everything happen that is due at `now`: jobs finish, in the order they are due, and
    /// the recycle bin forgets.
    pub(super) fn advance(&mut self, now: DateTime<Utc>) {
        self.now = now;
        while let Some(due) = self.jobs.take_due(now) {
            let report = self.carry_out(due.work, due.fault, due.at);
            self.jobs.finish(&due.id, report);
        }
        if let Some(limit) = now.checked_sub_signed(chrono_duration(BIN_KEEPS)) {
            self.contacts.purge_binned_until(limit);
        }
    }

    /// The time of what is done to the account without a call.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Finishes every job at `now`, also those that are stuck.
    pub(super) fn finish_jobs(&mut self, now: DateTime<Utc>) {
        self.jobs.make_all_due(now);
        self.advance(now);
    }

    pub(super) fn create_list(
        &mut self,
        name: &str,
        visibility: Visibility,
    ) -> Result<i32, NameFault> {
        if self.settings.max_lists.is_some_and(|most| self.lists.len() >= most) {
            return Err(NameFault::TooManyLists);
        }
        if self.name_is_taken(name, None) {
            return Err(NameFault::Duplicate);
        }
        Ok(self.insert_list(name, visibility))
    }

    /// Creates a list whatever its name.
    pub(super) fn insert_list(&mut self, name: &str, visibility: Visibility) -> i32 {
        let id = self.next_list;
        self.next_list += 1;
        self.lists.insert(id, List::new(id, name, visibility));
        id
    }

    /// Whether a list other than `except`, a segment or the system has that name.
    pub(super) fn name_is_taken(&self, name: &str, except: Option<i32>) -> bool {
        let key = name_key(name);
        RESERVED_NAMES.contains(&key.as_str())
            || segment_named(&self.segments, name).is_some()
            || self
                .lists
                .values()
                .any(|list| Some(list.id) != except && name_key(&list.name) == key)
    }

    /// Creates a segment, or finds the one of that name; returns its id.
    pub(super) fn add_segment(&mut self, name: &str) -> i32 {
        if let Some(known) = segment_named(&self.segments, name) {
            return known.id;
        }
        let id = self.next_list;
        self.next_list += 1;
        self.segments.insert(id, Segment::new(id, name));
        id
    }

    /// Notes a campaign that was sent to a list; returns its id.
    pub(super) fn add_campaign(&mut self, list: i32, name: &str, subject: &str) -> Option<i32> {
        let sent_to = &mut self.lists.get_mut(&list)?.campaigns;
        let id = self.next_campaign;
        self.next_campaign += 1;
        sent_to.push(Campaign { id, name: name.to_owned(), subject: subject.to_owned() });
        Some(id)
    }

    /// The list, unless it is missing or the system's own.
    pub(super) fn writable_list(&mut self, id: i32) -> Option<&mut List> {
        if Self::is_system_list(id) { None } else { self.lists.get_mut(&id) }
    }

    pub(super) fn is_writable_list(&self, id: i32) -> bool {
        !Self::is_system_list(id) && self.lists.contains_key(&id)
    }

    pub(super) fn is_system_list(id: i32) -> bool {
        id == TEST_LIST
    }

    /// Whether reading a list shows a member of that status.
    pub(super) fn shows(&self, status: MemberStatus) -> bool {
        status == MemberStatus::Subscribed
            || self.settings.switches.list_reading == ListReading::ShowsSuppressed
    }

    /// How many members of the list a reader is told of.
    pub(super) fn shown_members(&self, list: &List) -> usize {
        list.members.values().filter(|status| self.shows(**status)).count()
    }

    pub(super) fn lists_of(&self, contact: i64) -> impl Iterator<Item = (&List, MemberStatus)> {
        self.lists
            .values()
            .filter_map(move |list| list.members.get(&contact).map(|status| (list, *status)))
    }

    pub(super) fn globally_suppress(&mut self, email: &str, now: DateTime<Utc>) {
        self.blocklist.suppress_globally(email);
        if let Some(id) = self.contacts.find(&Identifier::email(email)) {
            self.set_channel(id, Channel::Email, ChannelStatus::Suppressed, now);
        }
    }

    /// How many more contacts the account may have; `None` when there is no limit.
    pub(super) fn contacts_left(&self) -> Option<usize> {
        let most = self.settings.max_contacts?;
        Some(most.saturating_sub(self.contacts.len()))
    }

    /// Reads the identifier called `name`. `None` when the account has none of that name or the value
    /// cannot be one.
    pub(super) fn identifier(&self, name: &str, value: &str) -> Option<Identifier> {
        let fits = (1..=LONGEST_VALUE).contains(&value.chars().count());
        let known = match name {
            "email" => is_email(value),
            "contactId" | "mobileNumber" => true,
            name => self.custom_identifiers.contains(name),
        };
        if fits && known { Identifier::named(name, value) } else { None }
    }

    /// Forgets a custom identifier and everybody's value of it.
    pub(super) fn delete_custom_identifier(&mut self, name: &str) {
        self.custom_identifiers.remove(name);
        self.contacts.drop_custom(name);
    }

    /// Forgets a data field and everybody's value of it.
    pub(super) fn delete_data_field(&mut self, name: &str) {
        if let Some(declared) = self.data_fields.find(name).map(|field| field.name.clone()) {
            self.data_fields.remove(&declared);
            self.contacts.drop_data_field(&declared);
        }
    }

    /// The contact confirms whatever she was asked to.
    pub(super) fn confirm(&mut self, id: i64) {
        let pending = self
            .contacts
            .get(id)
            .is_some_and(|contact| contact.email_status == ChannelStatus::PendingOptIn);
        let challenged = self.challenges.remove(&id);
        if pending || challenged.is_some() {
            self.set_channel(id, Channel::Email, ChannelStatus::Subscribed, self.now);
        }
        for list in challenged.into_iter().flatten() {
            if let Some(list) = self.writable_list(list) {
                list.resubscribe(id);
            }
        }
    }

    /// Suppresses the contact on every channel.
    pub(super) fn suppress(&mut self, id: i64, now: DateTime<Utc>) {
        for channel in [Channel::Email, Channel::Sms, Channel::WhatsApp] {
            self.set_channel(id, channel, ChannelStatus::Suppressed, now);
        }
    }

    /// Changes one channel's status. A contact without any open channel left leaves its lists:
    /// its status there becomes `suppressed`.
    pub(super) fn set_channel(
        &mut self,
        id: i64,
        channel: Channel,
        status: ChannelStatus,
        now: DateTime<Utc>,
    ) {
        let Some(contact) = self.contacts.get_mut(id) else { return };
        let before = contact.email_status;
        contact.set_channel(channel, status);
        contact.updated = now;
        if !contact.email_status.is_closed() {
            self.closed_since.remove(&id);
        } else if contact.email_status != before {
            self.closed_since.insert(id, now);
        }
        if contact.is_suppressed_everywhere() {
            for list in self.lists.values_mut() {
                list.suppress(id);
            }
        }
    }

    /// Contacts whose email channel was closed at `since` or later, the earliest first.
    pub(super) fn closed_since(&self, since: DateTime<Utc>) -> Vec<(&Contact, DateTime<Utc>)> {
        let closed = self.closed_since.iter().filter(|(_, at)| **at >= since);
        let mut closed: Vec<_> = closed
            .filter_map(|(id, at)| Some((self.contacts.get(*id)?, *at)))
            .filter(|(contact, _)| contact.email.is_some())
            .collect();
        closed.sort_by_key(|(contact, at)| (*at, contact.id));
        closed
    }

    /// Puts the contact into the recycle bin: it leaves every list, and its Insight data is gone for
    /// good. False when it is not there.
    pub(super) fn delete_contact(&mut self, id: i64, now: DateTime<Utc>) -> bool {
        let deleted = self.contacts.bin(id, now);
        if deleted {
            for list in self.lists.values_mut() {
                list.members.remove(&id);
            }
            self.insight_data.drop_contact(id);
        }
        deleted
    }

    fn carry_out(&mut self, work: Work, fault: Option<JobFault>, at: DateTime<Utc>) -> Report {
        let failed = matches!(fault, Some(JobFault::Fail | JobFault::RejectedByWatchdog));
        match work {
            Work::Import { rows, merge } => {
                Report::Import(import::run(self, rows, merge, fault.as_ref(), at))
            }
            Work::DeleteContacts { .. } if failed => Report::Deletion(DeleteReport::failed()),
            Work::DeleteContacts { contacts } => self.delete_contacts(contacts, at),
            Work::Enrol(enrol) => Report::Enrolment(programs::run(self, &enrol, fault.as_ref())),
            Work::RefreshSegment => Report::Refresh { failed },
            Work::ImportRecords(import) => {
                Report::RecordImport(insight_data::run(self, import, fault.as_ref(), at))
            }
            Work::DeleteCollection { .. } | Work::EmptyCollection { .. } if failed => {
                Report::Records(RecordsReport::failed())
            }
            Work::DeleteCollection { collection } => {
                Report::Records(self.insight_data.delete(&collection))
            }
            Work::EmptyCollection { collection, contact } => {
                Report::Records(self.insight_data.empty(&collection, contact))
            }
            _ if failed => Report::Removal { failed },
            Work::RemoveMembers { list, contacts } => self.remove_members(list, &contacts),
            Work::EmptyList { list } => self.empty_list(list),
        }
    }

    fn empty_list(&mut self, list: i32) -> Report {
        let list = self.writable_list(list);
        let failed = list.is_none();
        if let Some(list) = list {
            list.clear();
        }
        Report::Removal { failed }
    }

    fn remove_members(&mut self, list: i32, contacts: &[i64]) -> Report {
        let strict = self.settings.switches.unknown_removal == UnknownRemoval::JobFails;
        if strict && contacts.iter().any(|id| self.contacts.get(*id).is_none()) {
            return Report::Removal { failed: true };
        }
        let Some(list) = self.writable_list(list) else { return Report::Removal { failed: true } };
        for id in contacts {
            list.remove(*id);
        }
        Report::Removal { failed: false }
    }

    fn delete_contacts(&mut self, contacts: Vec<Deletion>, at: DateTime<Utc>) -> Report {
        let mut report = DeleteReport::default();
        for deletion in contacts {
            let Some(identifier) = &deletion.identifier else {
                report.invalid.push(deletion);
                continue;
            };
            let id = self.contacts.find_live(identifier);
            match id.filter(|id| self.delete_contact(*id, at)) {
                Some(_) => report.deleted.push(deletion),
                None => report.unknown.push(deletion),
            }
        }
        Report::Deletion(report)
    }
}

/// A time span as chrono writes it; a span too long for chrono becomes its longest.
pub(super) fn chrono_duration(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}
