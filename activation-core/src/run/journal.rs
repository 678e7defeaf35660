//! What the engine writes into the journal, and how it reads it back.
//!
//! A body is the length of a JSON header and the number of members (4 bytes each, little endian),
//! the header, then 24 bytes for each member: its fingerprint and its contact id (little endian, 0
//! for unknown). A move has twice as many: behind its members those that they were before, in the same
//! order. No address, and no warehouse key: the next run reads it from the segment.

use chrono::{DateTime, Utc};
use segment_diff::Fingerprint;
use serde::{Deserialize, Serialize};

use crate::{
    Approval, ContactId, JournalEntry, MemberOutcome, Operation, Receipt, StoreError,
    StoreErrorKind,
};

/// The batch number of records that belong to no batch.
pub(super) const NO_BATCH: u64 = 0;

const MEMBER_BYTES: usize = 24;
const FINGERPRINT_BYTES: usize = 16;

/// A member as the journal knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) member: Fingerprint,
    pub(super) contact: Option<ContactId>,
}

/// Who the members of a move were before, in their order; empty for other operations.
pub(super) type Before = Vec<Fingerprint>;

/// One journal record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Record {
    /// A list of this name is about to be created.
    CreateIntent { name: String },
    /// The list was certainly not created.
    NotCreated,
    /// A batch is about to be sent.
    Sending { operation: Operation, at: DateTime<Utc>, members: Vec<Entry>, before: Before },
    /// The batch was accepted.
    Accepted { receipt: Receipt },
    /// It is known what became of the batch.
    Settled { outcomes: Vec<(Entry, MemberOutcome)> },
    /// What is left of a settled batch: members of whom nothing is known.
    Uncertain { operation: Operation, at: DateTime<Utc>, members: Vec<Entry>, before: Before },
    /// A plan may go on although the guard trips at it. Has a batch of its own.
    Approved { approval: Approval },
    /// Tables with names that begin so are about to be made in the warehouse. Has a batch of its own.
    Tables { prefix: String },
}

/// A batch that was not retired.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OpenBatch {
    pub(super) id: u64,
    pub(super) operation: Operation,
    pub(super) at: DateTime<Utc>,
    pub(super) members: Vec<Entry>,
    pub(super) before: Before,
    pub(super) stage: Stage,
}

/// How far a batch got.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    /// It may or may not have been sent or acted on.
    Uncertain,
    /// The destination can be asked about it.
    Accepted(Receipt),
    /// Its outcomes wait for a commit.
    Settled(Vec<(Entry, MemberOutcome)>),
}

/// The journal, read back.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Journal {
    pub(super) batches: Vec<OpenBatch>,
    /// The name of a list that may have been created.
    pub(super) create_intent: Option<String>,
    /// Approvals with their batches.
    pub(super) approvals: Vec<(u64, Approval)>,
    /// How the names of tables begin that may be in the warehouse, with their batches.
    pub(super) tables: Vec<(u64, String)>,
}

impl OpenBatch {
    /// The batch without the members that `is_hers` tells, under another number; `None` when nobody
    /// is left.
    pub(super) fn without(mut self, is_hers: impl Fn(&Entry) -> bool, id: u64) -> Option<Self> {
        self.id = id;
        let hers: Vec<bool> = (0..self.members.len())
            .map(|position| self.names_of(position).any(|entry| is_hers(&entry)))
            .collect();
        self.drop_marked(&hers);
        (!self.members.is_empty()).then_some(self)
    }

    /// Keeps the members that `is_kept` tells by what they are or will be.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&Entry) -> bool) {
        let dropped: Vec<bool> = self.members.iter().map(|entry| !is_kept(entry)).collect();
        self.drop_marked(&dropped);
    }

    fn drop_marked(&mut self, marked: &[bool]) {
        drop_marked(&mut self.members, marked);
        drop_marked(&mut self.before, marked);
        if let Stage::Settled(outcomes) = &mut self.stage {
            drop_marked(outcomes, marked);
        }
    }

    /// By what the member at `position` is known: as what she is or will be, with the contact that was
    /// learnt too, and as what she was.
    fn names_of(&self, position: usize) -> impl Iterator<Item = Entry> {
        let member = self.members.get(position).copied();
        let learnt = match &self.stage {
            Stage::Settled(outcomes) => outcomes.get(position).map(|(entry, _)| *entry),
            Stage::Uncertain | Stage::Accepted(_) => None,
        };
        let contact = member.and_then(|entry| entry.contact);
        let before = self.before.get(position).map(|member| Entry { member: *member, contact });
        member.into_iter().chain(learnt).chain(before)
    }

    /// Whether it is not known what became of it, and it does `operation`.
    pub(super) fn is_uncertain(&self, operation: Operation) -> bool {
        self.stage == Stage::Uncertain && self.operation == operation
    }

    /// Whether it is about a member, as what she is or was.
    pub(super) fn concerns(&self, member: &Fingerprint) -> bool {
        self.members.iter().any(|entry| entry.member == *member) || self.before.contains(member)
    }

    /// Records that bring it back, in their order.
    pub(super) fn to_records(&self) -> Vec<Record> {
        let (operation, at, members) = (self.operation, self.at, self.members.clone());
        let before = self.before.clone();
        match &self.stage {
            Stage::Uncertain => vec![Record::Uncertain { operation, at, members, before }],
            Stage::Accepted(receipt) => vec![
                Record::Sending { operation, at, members, before },
                Record::Accepted { receipt: receipt.clone() },
            ],
            Stage::Settled(outcomes) => vec![
                Record::Sending { operation, at, members, before },
                Record::Settled { outcomes: outcomes.clone() },
            ],
        }
    }

    /// Its members by all that they are known by.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        (0..self.members.len()).flat_map(|position| self.names_of(position))
    }
}

fn drop_marked<T>(all: &mut Vec<T>, marked: &[bool]) {
    let mut marked = marked.iter();
    all.retain(|_| !marked.next().is_some_and(|is_marked| *is_marked));
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Header {
    CreateIntent { name: String },
    NotCreated,
    Sending { operation: Operation, at: DateTime<Utc> },
    Accepted { receipt: Receipt },
    Settled { groups: Vec<Group> },
    Uncertain { operation: Operation, at: DateTime<Utc> },
    Approved { approval: Approval },
    Tables { prefix: String },
}

/// A run of members with the same outcome.
#[derive(Serialize, Deserialize)]
struct Group {
    outcome: OutcomeName,
    cause: Option<String>,
    members: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeName {
    Acknowledged,
    Retry,
    Hold,
    Conflict,
    Misconfigured,
    Unknown,
}

impl Record {
    /// The record as an entry of `batch`.
    pub(super) fn to_entry(&self, batch: u64) -> Result<JournalEntry, StoreError> {
        let mut members = Vec::new();
        let header = match self {
            Self::CreateIntent { name } => Header::CreateIntent { name: name.clone() },
            Self::NotCreated => Header::NotCreated,
            Self::Sending { operation, at, members: entries, before } => {
                pack_all(entries, before, &mut members);
                Header::Sending { operation: *operation, at: *at }
            }
            Self::Accepted { receipt } => Header::Accepted { receipt: receipt.clone() },
            Self::Settled { outcomes } => return settled_entry(batch, outcomes),
            Self::Uncertain { operation, at, members: entries, before } => {
                pack_all(entries, before, &mut members);
                Header::Uncertain { operation: *operation, at: *at }
            }
            Self::Approved { approval } => Header::Approved { approval: approval.clone() },
            Self::Tables { prefix } => Header::Tables { prefix: prefix.clone() },
        };
        encode(batch, &header, &members)
    }

    fn from_body(body: &[u8]) -> Result<Self, StoreError> {
        let (length, rest) = body.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (header, members) = rest.split_at_checked(length).ok_or_else(damaged)?;
        let header = serde_json::from_slice(header).map_err(|error| damaged().caused_by(error))?;
        let members = unpack(members)?;
        if members.len() != u32::from_le_bytes(*count) as usize {
            return Err(damaged());
        }
        Ok(match header {
            Header::CreateIntent { name } => Self::CreateIntent { name },
            Header::NotCreated => Self::NotCreated,
            Header::Sending { operation, at } => {
                let (members, before) = take_apart(operation, members)?;
                Self::Sending { operation, at, members, before }
            }
            Header::Accepted { receipt } => Self::Accepted { receipt },
            Header::Settled { groups } => Self::Settled { outcomes: ungroup(groups, members)? },
            Header::Uncertain { operation, at } => {
                let (members, before) = take_apart(operation, members)?;
                Self::Uncertain { operation, at, members, before }
            }
            Header::Approved { approval } => Self::Approved { approval },
            Header::Tables { prefix } => Self::Tables { prefix },
        })
    }
}

/// [`Record::Settled`] as an entry of `batch`, without taking the outcomes.
pub(super) fn settled_entry(
    batch: u64,
    outcomes: &[(Entry, MemberOutcome)],
) -> Result<JournalEntry, StoreError> {
    let mut members = Vec::new();
    outcomes.iter().for_each(|settled| pack(learnt(settled), &mut members));
    encode(batch, &Header::Settled { groups: groups(outcomes) }, &members)
}

impl Journal {
    /// Folds the entries of a store, oldest first.
    pub(super) fn replay(entries: &[JournalEntry]) -> Result<Self, StoreError> {
        let mut journal = Self::default();
        for entry in entries {
            journal.apply(entry.batch, Record::from_body(&entry.body)?)?;
        }
        Ok(journal)
    }

    /// A batch number greater than every one in use.
    pub(super) fn next_batch(&self) -> u64 {
        let batches = self.batches.iter().map(|batch| batch.id);
        let approvals = self.approvals.iter().map(|(batch, _)| *batch);
        let tables = self.tables.iter().map(|(batch, _)| *batch);
        batches.chain(approvals).chain(tables).max().unwrap_or(NO_BATCH) + 1
    }

    /// Whether a list of that name may be there because a run asked for it. Names differ by more
    /// than case.
    pub(super) fn may_have_created(&self, name: &str) -> bool {
        let intent = self.create_intent.as_deref();
        intent.is_some_and(|intent| intent.to_lowercase() == name.to_lowercase())
    }

    fn apply(&mut self, id: u64, record: Record) -> Result<(), StoreError> {
        match record {
            Record::CreateIntent { name } => self.create_intent = Some(name),
            Record::NotCreated => self.create_intent = None,
            Record::Approved { approval } => self.approvals.push((id, approval)),
            Record::Tables { prefix } => self.tables.push((id, prefix)),
            Record::Sending { operation, at, members, before }
            | Record::Uncertain { operation, at, members, before } => {
                let stage = Stage::Uncertain;
                self.batches.push(OpenBatch { id, operation, at, members, before, stage });
            }
            Record::Accepted { receipt } => self.batch(id)?.stage = Stage::Accepted(receipt),
            Record::Settled { outcomes } => self.batch(id)?.stage = Stage::Settled(outcomes),
        }
        Ok(())
    }

    fn batch(&mut self, id: u64) -> Result<&mut OpenBatch, StoreError> {
        self.batches.iter_mut().find(|batch| batch.id == id).ok_or_else(damaged)
    }
}

fn encode(batch: u64, header: &Header, members: &[u8]) -> Result<JournalEntry, StoreError> {
    let unwritable =
        || StoreError::new(StoreErrorKind::Failed, "a journal record could not be written");
    let header = serde_json::to_vec(header).map_err(|error| unwritable().caused_by(error))?;
    let mut body = Vec::with_capacity(8 + header.len() + members.len());
    for length in [header.len(), members.len() / MEMBER_BYTES] {
        let length = u32::try_from(length).map_err(|error| unwritable().caused_by(error))?;
        body.extend_from_slice(&length.to_le_bytes());
    }
    body.extend_from_slice(&header);
    body.extend_from_slice(members);
    Ok(JournalEntry { batch, body })
}

fn damaged() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "the journal holds a record that cannot be read")
}

/// A settled member with the contact the service named: a removal needs it one day, also when the
/// run ends before its commit.
fn learnt((entry, outcome): &(Entry, MemberOutcome)) -> Entry {
    match outcome {
        MemberOutcome::Acknowledged { contact } => {
            Entry { contact: contact.or(entry.contact), ..*entry }
        }
        _ => *entry,
    }
}

fn pack_all(members: &[Entry], before: &[Fingerprint], out: &mut Vec<u8>) {
    members.iter().for_each(|entry| pack(*entry, out));
    for (entry, before) in members.iter().zip(before) {
        pack(Entry { member: *before, ..*entry }, out);
    }
}

/// The members of a batch, and who they were before.
fn take_apart(
    operation: Operation,
    mut members: Vec<Entry>,
) -> Result<(Vec<Entry>, Before), StoreError> {
    if operation != Operation::Move {
        return Ok((members, Before::new()));
    }
    if !members.len().is_multiple_of(2) {
        return Err(damaged());
    }
    let before = members.split_off(members.len() / 2);
    Ok((members, before.into_iter().map(|entry| entry.member).collect()))
}

fn pack(entry: Entry, out: &mut Vec<u8>) {
    out.extend_from_slice(entry.member.as_bytes());
    out.extend_from_slice(&entry.contact.map_or(0, ContactId::get).to_le_bytes());
}

fn unpack(bytes: &[u8]) -> Result<Vec<Entry>, StoreError> {
    let (members, rest) = bytes.as_chunks::<MEMBER_BYTES>();
    if !rest.is_empty() {
        return Err(damaged());
    }
    members
        .iter()
        .map(|member| {
            let (fingerprint, contact) =
                member.split_first_chunk::<FINGERPRINT_BYTES>().ok_or_else(damaged)?;
            let contact = contact.first_chunk::<8>().ok_or_else(damaged)?;
            Ok(Entry {
                member: Fingerprint::from_bytes(*fingerprint),
                contact: ContactId::new(u64::from_le_bytes(*contact)),
            })
        })
        .collect()
}

fn groups(outcomes: &[(Entry, MemberOutcome)]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (_, outcome) in outcomes {
        let (outcome, cause) = match outcome {
            MemberOutcome::Acknowledged { .. } => (OutcomeName::Acknowledged, None),
            MemberOutcome::Retry { cause } => (OutcomeName::Retry, Some(cause)),
            MemberOutcome::Hold { cause } => (OutcomeName::Hold, Some(cause)),
            MemberOutcome::Conflict { cause } => (OutcomeName::Conflict, Some(cause)),
            MemberOutcome::Misconfigured { cause } => (OutcomeName::Misconfigured, Some(cause)),
            MemberOutcome::Unknown { cause } => (OutcomeName::Unknown, Some(cause)),
        };
        match groups.last_mut() {
            Some(last) if last.outcome == outcome && last.cause.as_ref() == cause => {
                last.members += 1;
            }
            _ => groups.push(Group { outcome, cause: cause.cloned(), members: 1 }),
        }
    }
    groups
}

fn ungroup(
    groups: Vec<Group>,
    members: Vec<Entry>,
) -> Result<Vec<(Entry, MemberOutcome)>, StoreError> {
    let mut members = members.into_iter();
    let mut outcomes = Vec::with_capacity(members.len());
    for group in groups {
        for _ in 0..group.members {
            let entry = members.next().ok_or_else(damaged)?;
            let cause = group.cause.clone().unwrap_or_default();
            let outcome = match group.outcome {
                OutcomeName::Acknowledged => MemberOutcome::Acknowledged { contact: entry.contact },
                OutcomeName::Retry => MemberOutcome::Retry { cause },
                OutcomeName::Hold => MemberOutcome::Hold { cause },
                OutcomeName::Conflict => MemberOutcome::Conflict { cause },
                OutcomeName::Misconfigured => MemberOutcome::Misconfigured { cause },
                OutcomeName::Unknown => MemberOutcome::Unknown { cause },
            };
            outcomes.push((entry, outcome));
        }
    }
    if members.next().is_some() { Err(damaged()) } else { Ok(outcomes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u8, contact: u64) -> Entry {
        Entry { member: Fingerprint::from_bytes([number; 16]), contact: ContactId::new(contact) }
    }

    fn replay(records: &[(u64, Record)]) -> Result<Journal, StoreError> {
        let entries: Vec<_> =
            records.iter().map(|(batch, record)| record.to_entry(*batch).unwrap()).collect();
        Journal::replay(&entries)
    }

    fn sending(members: Vec<Entry>) -> Record {
        let (operation, at) = (Operation::Add, DateTime::UNIX_EPOCH);
        Record::Sending { operation, at, members, before: Before::new() }
    }

    fn moving(members: Vec<Entry>, before: Before) -> Record {
        let (operation, at) = (Operation::Move, DateTime::UNIX_EPOCH);
        Record::Sending { operation, at, members, before }
    }

    #[test]
    fn a_batch_is_at_the_stage_of_its_last_record() {
        let receipt = Receipt { operation: Operation::Add, list_id: 1, id: "job".into() };
        let outcomes = vec![
            (entry(1, 11), MemberOutcome::Acknowledged { contact: ContactId::new(11) }),
            (entry(2, 0), MemberOutcome::Hold { cause: "invalid_email".into() }),
            (entry(3, 0), MemberOutcome::Hold { cause: "blocker".into() }),
            (entry(4, 0), MemberOutcome::Retry { cause: "busy".into() }),
            (entry(5, 0), MemberOutcome::Unknown { cause: "import_failed".into() }),
            (entry(6, 0), MemberOutcome::Conflict { cause: "duplicate".into() }),
            (entry(7, 0), MemberOutcome::Misconfigured { cause: "no_such_list".into() }),
        ];
        let approval = Approval {
            digest: "0".repeat(32),
            by: "ops".into(),
            reason: "a campaign ended".into(),
            approved_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1),
        };
        let journal = replay(&[
            (NO_BATCH, Record::CreateIntent { name: "VIP".into() }),
            (1, sending(vec![entry(1, 0), entry(2, 0)])),
            (2, sending(vec![entry(9, 90)])),
            (2, Record::Accepted { receipt: receipt.clone() }),
            (3, sending(vec![entry(1, 0)])),
            (3, Record::Accepted { receipt: receipt.clone() }),
            (3, Record::Settled { outcomes: outcomes.clone() }),
            (4, Record::Approved { approval: approval.clone() }),
            (5, Record::Tables { prefix: "tables_1".into() }),
        ])
        .unwrap();
        assert_eq!(journal.approvals, [(4, approval)]);
        assert_eq!(journal.tables, [(5, "tables_1".into())]);
        assert!(journal.may_have_created("vip") && !journal.may_have_created("staff"));
        assert_eq!(journal.next_batch(), 6);
        let stages: Vec<_> = journal.batches.iter().map(|batch| batch.stage.clone()).collect();
        assert_eq!(stages, [Stage::Uncertain, Stage::Accepted(receipt), Stage::Settled(outcomes)]);
        assert_eq!(journal.batches[1].members, [entry(9, 90)]);
    }

    #[test]
    fn a_batch_written_again_without_somebody_is_what_it_was_otherwise() {
        let receipt = Receipt { operation: Operation::Add, list_id: 1, id: "job".into() };
        let held = MemberOutcome::Hold { cause: "blocker".into() };
        let outcomes = |members: &[u8]| -> Vec<_> {
            members.iter().map(|number| (entry(*number, 0), held.clone())).collect()
        };
        let stages = [
            (Stage::Uncertain, Stage::Uncertain),
            (Stage::Accepted(receipt.clone()), Stage::Accepted(receipt)),
            (Stage::Settled(outcomes(&[1, 2, 3])), Stage::Settled(outcomes(&[1, 3]))),
        ];
        for (stage, expected) in stages {
            let members = vec![entry(1, 0), entry(2, 0), entry(3, 0)];
            let (operation, at) = (Operation::Add, DateTime::UNIX_EPOCH);
            let before = Before::new();
            let batch = OpenBatch { id: 4, operation, at, members, before, stage };
            let is_hers = |one: &Entry| one.member == entry(2, 0).member;
            let rest = batch.clone().without(is_hers, 7).unwrap();
            let records: Vec<_> = rest.to_records().into_iter().map(|one| (7, one)).collect();
            let members = vec![entry(1, 0), entry(3, 0)];
            let before = Before::new();
            let expected = OpenBatch { id: 7, operation, at, members, before, stage: expected };
            assert_eq!(replay(&records).unwrap().batches, [expected]);
            assert_eq!(batch.without(|_| true, 7), None);
        }
    }

    #[test]
    fn a_move_keeps_who_each_member_was_before_also_without_one_of_them() {
        let before: Before = [11, 12, 13].map(|number| entry(number, 0).member).to_vec();
        let members = vec![entry(1, 101), entry(2, 102), entry(3, 103)];
        let outcomes: Vec<_> = (members.iter())
            .map(|entry| (*entry, MemberOutcome::Retry { cause: "busy".into() }))
            .collect();
        let records =
            [(5, moving(members, before)), (5, Record::Settled { outcomes: outcomes.clone() })];
        let batch = replay(&records).unwrap().batches.remove(0);
        assert!(batch.concerns(&entry(2, 0).member) && batch.concerns(&entry(12, 0).member));
        assert!(!batch.concerns(&entry(14, 0).member));
        assert!(batch.entries().any(|one| one == entry(12, 102)));
        let rest = batch.without(|one| one.member == entry(12, 0).member, 6).unwrap();
        assert_eq!(rest.members, [entry(1, 101), entry(3, 103)]);
        assert_eq!(rest.before, [entry(11, 0).member, entry(13, 0).member]);
        let left = vec![outcomes[0].clone(), outcomes[2].clone()];
        assert_eq!(rest.stage, Stage::Settled(left));
        let again: Vec<_> = rest.to_records().into_iter().map(|record| (6, record)).collect();
        assert_eq!(replay(&again).unwrap().batches, [rest]);
    }

    #[test]
    fn a_contact_the_service_named_is_still_known_after_a_restart() {
        let named = MemberOutcome::Acknowledged { contact: ContactId::new(11) };
        let journal = replay(&[
            (1, sending(vec![entry(1, 0)])),
            (1, Record::Settled { outcomes: vec![(entry(1, 0), named.clone())] }),
        ])
        .unwrap();
        assert_eq!(journal.batches[0].stage, Stage::Settled(vec![(entry(1, 11), named)]));
    }

    #[test]
    fn an_intent_ends_when_the_list_was_certainly_not_created() {
        let intent = (NO_BATCH, Record::CreateIntent { name: "VIP".into() });
        let may_have_created =
            |records: &[(u64, Record)]| replay(records).unwrap().may_have_created("VIP");
        assert!(!may_have_created(&[intent.clone(), (NO_BATCH, Record::NotCreated)]));
        assert!(may_have_created(&[(NO_BATCH, Record::NotCreated), intent]));
    }

    #[test]
    fn a_damaged_record_is_an_error_at_every_length() {
        let whole = sending(vec![entry(1, 11)]).to_entry(1).unwrap();
        for length in 0..whole.body.len() {
            let cut = JournalEntry { batch: 1, body: whole.body[..length].to_vec() };
            let error = Journal::replay(&[cut]).unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Corrupt, "cut at {length}");
        }
    }

    #[test]
    fn a_receipt_without_its_batch_is_an_error() {
        let receipt = Receipt { operation: Operation::Add, list_id: 1, id: "job".into() };
        assert!(replay(&[(7, Record::Accepted { receipt })]).is_err());
    }
}
