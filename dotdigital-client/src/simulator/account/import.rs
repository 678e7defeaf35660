//! Carrying out an import when its time has come, row by row.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use super::{
    Account, ContactChange, Identifier, IdentifierSet, JobFault, MergeOption, UpsertFault,
};

/// What became of an import.
pub(in crate::simulator) struct ImportReport {
    pub(in crate::simulator) status: &'static str,
    pub(in crate::simulator) created: Vec<DoneRow>,
    pub(in crate::simulator) updated: Vec<DoneRow>,
    pub(in crate::simulator) failures: Vec<FailedRow>,
}

/// A contact that was created or updated, with the identifiers it has now.
pub(in crate::simulator) struct DoneRow {
    pub(in crate::simulator) contact: i64,
    pub(in crate::simulator) email: Option<Arc<str>>,
    pub(in crate::simulator) mobile: Option<Arc<str>>,
    pub(in crate::simulator) custom: BTreeMap<String, String>,
}

/// A row that was refused, or stored in part, with the identifiers as they were sent.
pub(in crate::simulator) struct FailedRow {
    pub(in crate::simulator) contact: Option<i64>,
    pub(in crate::simulator) match_by: String,
    pub(in crate::simulator) identifiers: Vec<(String, String)>,
    pub(in crate::simulator) faults: Vec<RowFault>,
    /// Whether the contact was stored all the same.
    pub(in crate::simulator) stored: bool,
}

/// What was wrong with a row.
pub(in crate::simulator) enum RowFault {
    Found(UpsertFault),
    /// By the code that a script asks for.
    Scripted(String),
}

/// Carries out an import at `at`.
pub(super) fn run(
    account: &mut Account,
    rows: Vec<ContactChange>,
    merge: MergeOption,
    fault: Option<&JobFault>,
    at: DateTime<Utc>,
) -> ImportReport {
    let (rejected, failing) = match fault {
        Some(JobFault::RejectedByWatchdog) => (Some("RejectedByWatchdog"), None),
        Some(JobFault::Fail) => (Some("Failed"), None),
        Some(JobFault::FailRows { code, every }) => (None, Some((code.as_str(), (*every).max(1)))),
        _ => (None, None),
    };
    let rejected = rejected
        .or_else(|| has_too_many_contacts(account, &rows).then_some("ExceedsAllowedContactLimit"));
    let mut run = Run { account, merge, at, seen: Seen::default(), report: ImportReport::empty() };
    if let Some(status) = rejected {
        run.report.status = status;
        return run.report;
    }
    for (number, row) in (1_u64..).zip(rows) {
        match failing {
            Some((code, every)) if number % every == 0 => {
                run.fail(&row, None, vec![RowFault::Scripted(code.to_owned())], false);
            }
            _ => run.row(&row),
        }
    }
    run.report
}

/// Whether the account would have more contacts afterwards than it may.
fn has_too_many_contacts(account: &Account, rows: &[ContactChange]) -> bool {
    let Some(left) = account.contacts_left() else { return false };
    let new: HashSet<Identifier> = rows
        .iter()
        .filter_map(|row| match_row(account, row).ok())
        .map(|(by, _)| by)
        .filter(|by| account.contacts.find_live(by).is_none())
        .collect();
    new.len() > left
}

/// What a row is matched by, and all its identifiers.
fn match_row(
    account: &Account,
    row: &ContactChange,
) -> Result<(Identifier, IdentifierSet), UpsertFault> {
    let identifiers = account.read_identifiers(row)?;
    let by = match row.match_by.as_str() {
        "contactId" => row.contact_id.map(Identifier::ContactId),
        name => identifiers.iter().find(|one| one.name() == name),
    };
    Ok((by.ok_or(UpsertFault::NoMatchIdentifier)?, identifiers))
}

impl ImportReport {
    fn empty() -> Self {
        Self { status: "Finished", created: Vec::new(), updated: Vec::new(), failures: Vec::new() }
    }
}

struct Run<'a> {
    account: &'a mut Account,
    merge: MergeOption,
    at: DateTime<Utc>,
    seen: Seen,
    report: ImportReport,
}

impl Run<'_> {
    fn row(&mut self, row: &ContactChange) {
        let (by, identifiers) = match match_row(self.account, row) {
            Ok(matched) => matched,
            Err(fault) => return self.refuse(row, row.contact_id, fault),
        };
        let found = self.account.contacts.find(&by);
        let live = self.account.contacts.find_live(&by);
        if found.is_none() && matches!(by, Identifier::ContactId(_)) {
            return self.refuse(row, row.contact_id, UpsertFault::UnknownContactId);
        }
        if !self.seen.is_new(&identifiers, found) {
            return self.refuse(row, live, UpsertFault::DuplicateInImport);
        }
        match self.account.upsert(&by, identifiers, row, self.merge, self.at) {
            Err(fault) => self.refuse(row, live, fault),
            Ok(done) => {
                self.seen.contacts.insert(done.id);
                self.done(done.id, done.created);
                if !done.warnings.is_empty() {
                    let faults = done.warnings.into_iter().map(RowFault::Found).collect();
                    self.fail(row, Some(done.id), faults, true);
                }
            }
        }
    }

    fn done(&mut self, id: i64, created: bool) {
        let Some(contact) = self.account.contacts.get(id) else { return };
        let row = DoneRow {
            contact: id,
            email: contact.email.clone(),
            mobile: contact.mobile.clone(),
            custom: contact.custom.clone(),
        };
        if created { self.report.created.push(row) } else { self.report.updated.push(row) }
    }

    fn refuse(&mut self, row: &ContactChange, contact: Option<i64>, fault: UpsertFault) {
        self.fail(row, contact, vec![RowFault::Found(fault)], false);
    }

    fn fail(
        &mut self,
        row: &ContactChange,
        contact: Option<i64>,
        faults: Vec<RowFault>,
        stored: bool,
    ) {
        self.report.failures.push(FailedRow {
            contact: contact.or(row.contact_id),
            match_by: row.match_by.clone(),
            identifiers: row.identifiers.clone(),
            faults,
            stored,
        });
    }
}

/// Identifiers and contacts that earlier rows of the same import were about.
#[derive(Default)]
struct Seen {
    identifiers: HashSet<Identifier>,
    contacts: HashSet<i64>,
}

impl Seen {
    fn is_new(&mut self, identifiers: &IdentifierSet, contact: Option<i64>) -> bool {
        let known = contact.is_some_and(|id| self.contacts.contains(&id))
            || identifiers.iter().any(|one| self.identifiers.contains(&one));
        self.identifiers.extend(identifiers.iter());
        !known
    }
}
