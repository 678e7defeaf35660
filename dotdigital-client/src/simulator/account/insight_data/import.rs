//! Carrying out an import of records when its time has come, row by row.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{RecordFault, RefusalReason, Scope};
use crate::simulator::account::{Account, Identifier, JobFault};

/// Records to be created or replaced.
pub(in crate::simulator) struct RecordImport {
    pub(in crate::simulator) collection: String,
    pub(in crate::simulator) scope: Scope,
    pub(in crate::simulator) kind: &'static str,
    pub(in crate::simulator) rows: Vec<RecordRow>,
}

/// One of them.
pub(in crate::simulator) struct RecordRow {
    /// Left out where the collection is the account's.
    pub(in crate::simulator) owner: Option<RecordOwner>,
    pub(in crate::simulator) key: String,
    pub(in crate::simulator) content: Map<String, Value>,
}

/// The contact a record is about, as it was named.
pub(in crate::simulator) struct RecordOwner {
    pub(in crate::simulator) identifier: String,
    pub(in crate::simulator) value: Option<String>,
}

/// What became of such an import.
pub(in crate::simulator) struct RecordImportReport {
    pub(in crate::simulator) collection: String,
    pub(in crate::simulator) scope: Scope,
    /// As a whole.
    pub(in crate::simulator) failed: bool,
    pub(in crate::simulator) records: usize,
    pub(in crate::simulator) refused: Vec<RefusedRow>,
}

/// A row that was refused.
pub(in crate::simulator) struct RefusedRow {
    pub(in crate::simulator) row: RecordRow,
    /// In the service's word, or the one that a script asks for.
    pub(in crate::simulator) reason: String,
    pub(in crate::simulator) detail: String,
}

/// Carries out an import at `at`.
pub(in crate::simulator::account) fn run(
    account: &mut Account,
    import: RecordImport,
    fault: Option<&JobFault>,
    at: DateTime<Utc>,
) -> RecordImportReport {
    let RecordImport { collection, scope, kind, rows } = import;
    let records = rows.len();
    let scripted = match fault {
        Some(JobFault::FailRows { code, every }) => Some((code.as_str(), (*every).max(1))),
        _ => None,
    };
    let fails = matches!(fault, Some(JobFault::Fail | JobFault::RejectedByWatchdog));
    if fails || !is_ready(account, &collection, scope, kind) {
        let refused = Vec::new();
        return RecordImportReport { collection, scope, failed: true, records, refused };
    }
    let mut refused = Vec::new();
    let mut seen = HashSet::new();
    for (number, row) in (1_u64..).zip(rows) {
        let outcome = match scripted {
            Some((code, every)) if number % every == 0 => {
                Err((code.to_owned(), "The record was refused".to_owned()))
            }
            _ => store(account, &collection, scope, &row, &mut seen, at)
                .map_err(|fault| (fault.reason.as_str().to_owned(), fault.detail)),
        };
        if let Err((reason, detail)) = outcome {
            refused.push(RefusedRow { row, reason, detail });
        }
    }
    RecordImportReport { collection, scope, failed: false, records, refused }
}

/// Whether the collection is there and of that scope; one that is missing is created.
fn is_ready(account: &mut Account, name: &str, scope: Scope, kind: &'static str) -> bool {
    match account.insight_data.get(name) {
        Some(collection) => collection.scope == scope,
        None => account.insight_data.create(name, scope, kind).is_some(),
    }
}

fn store(
    account: &mut Account,
    collection: &str,
    scope: Scope,
    row: &RecordRow,
    seen: &mut HashSet<(Option<i64>, String)>,
    at: DateTime<Utc>,
) -> Result<(), RecordFault> {
    let owner = match scope {
        Scope::Account => None,
        Scope::Contact => Some(find(account, row.owner.as_ref())?),
    };
    if !seen.insert((owner, row.key.clone())) {
        const TEXT: &str = "The key occurs more than once in the import";
        return Err(RecordFault::new(RefusalReason::DuplicateKey, TEXT));
    }
    let limits = account.settings.insight_data;
    let Some(collection) = account.insight_data.get_mut(collection) else { return Ok(()) };
    collection.put(owner, &row.key, row.content.clone(), &limits, at).map(drop)
}

fn find(account: &Account, owner: Option<&RecordOwner>) -> Result<i64, RecordFault> {
    let fault = |reason, detail: &str| RecordFault::new(reason, detail);
    let invalid = |detail| fault(RefusalReason::InvalidContactIdentifier, detail);
    let owner = owner.ok_or_else(|| invalid("The record names no contact"))?;
    let value = owner.value.as_deref().unwrap_or_default();
    let by = account.identifier(&owner.identifier, value);
    let by = by.ok_or_else(|| invalid("The contact's identifier is not valid"))?;
    account.contacts.find_live(&by).ok_or_else(|| match by {
        Identifier::ContactId(_) => fault(RefusalReason::UnknownContactId, "No such contact"),
        Identifier::Email(_) => fault(RefusalReason::UnknownEmail, "No such contact"),
        // Of other identifiers the service's reasons do not speak.
        Identifier::Mobile(_) | Identifier::Custom { .. } => invalid("No such contact"),
    })
}
