//! The account model: contacts, lists, names and jobs, without any HTTP.

mod change;
mod contact;
mod contact_book;
mod identifier;
mod import;
mod jobs;
mod list;
mod upsert;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};

pub(super) use self::{
    change::{ContactChange, MergeOption},
    contact::{Channel, ChannelStatus, Contact},
    contact_book::ContactBook,
    identifier::{Identifier, IdentifierSet},
    import::{DoneRow, FailedRow, ImportReport},
    jobs::{DeleteReport, Job, JobFault, Jobs, Report, Work},
    list::{List, MemberStatus, name_key},
    upsert::UpsertFault,
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
    global_suppressions: HashSet<String>,
    segments: BTreeSet<String>,
    next_list: i32,
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
            global_suppressions: HashSet::new(),
            segments: BTreeSet::new(),
            next_list: TEST_LIST + 100,
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
            || self.segments.contains(&key)
            || self
                .lists
                .values()
                .any(|list| Some(list.id) != except && name_key(&list.name) == key)
    }

    pub(super) fn add_segment(&mut self, name: &str) {
        self.segments.insert(name_key(name));
    }

    /// The list, unless it is missing or the system's own.
    pub(super) fn writable_list(&mut self, id: i32) -> Option<&mut List> {
        if Self::is_system_list(id) { None } else { self.lists.get_mut(&id) }
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
        self.global_suppressions.insert(email.to_lowercase());
        if let Some(id) = self.contacts.find(&Identifier::email(email)) {
            self.set_channel(id, Channel::Email, ChannelStatus::Suppressed, now);
        }
    }

    pub(super) fn is_globally_suppressed(&self, email: &str) -> bool {
        !self.global_suppressions.is_empty()
            && self.global_suppressions.contains(&email.to_lowercase())
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
        contact.set_channel(channel, status);
        contact.updated = now;
        if contact.is_suppressed_everywhere() {
            for list in self.lists.values_mut() {
                list.suppress(id);
            }
        }
    }

    /// Puts the contact into the recycle bin: it leaves every list. False when it is not there.
    pub(super) fn delete_contact(&mut self, id: i64, now: DateTime<Utc>) -> bool {
        let deleted = self.contacts.bin(id, now);
        if deleted {
            for list in self.lists.values_mut() {
                list.members.remove(&id);
            }
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
            _ if failed => Report::Removal { failed },
            Work::RemoveMembers { list, contacts } => self.remove_members(list, &contacts),
            Work::EmptyList { list } => self.empty_list(list),
        }
    }

    fn empty_list(&mut self, list: i32) -> Report {
        let list = self.writable_list(list);
        let failed = list.is_none();
        if let Some(list) = list {
            list.members.clear();
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

    fn delete_contacts(&mut self, contacts: Vec<Identifier>, at: DateTime<Utc>) -> Report {
        let mut report = DeleteReport::default();
        for identifier in contacts {
            let id = self.contacts.find_live(&identifier);
            match id.filter(|id| self.delete_contact(*id, at)) {
                Some(_) => report.deleted.push(identifier),
                None => report.unknown.push(identifier),
            }
        }
        Report::Deletion(report)
    }
}

/// A time span as chrono writes it; a span too long for chrono becomes its longest.
pub(super) fn chrono_duration(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}
