//! What became of the members of a run, added up.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use segment_diff::Fingerprint;

use super::journal::Entry;
use crate::{
    CONTACT_NOT_FOUND, HeldMember, MemberOutcome, MissingContacts, Operation, Settings,
    report::{CONFLICT, NO_CONTACT},
};

/// The cause of changes that were planned, and of which nothing is known.
pub(super) const NOT_ATTEMPTED: &str = "not_attempted_or_unsettled";

/// A member whose contact has another identifier now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) before: Fingerprint,
    pub(super) entry: Entry,
}

impl Moved {
    /// Whether she is another member now. A move that is repeated in doubt may lead back to the same
    /// one.
    pub(super) fn changes_member(&self) -> bool {
        self.before != self.entry.member
    }
}

/// Outcomes of a run that wait for the commit.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) added: Vec<Entry>,
    pub(super) removed: Vec<Fingerprint>,
    pub(super) moved: Vec<Moved>,
    /// Members who were to be moved, and whose contact is no more.
    pub(super) lost_contacts: Vec<Fingerprint>,
    holds: Vec<(Fingerprint, String)>,
    pub(super) failed: u64,
    pub(super) failed_by_cause: BTreeMap<String, u64>,
    /// Batches whose journal entries a commit may retire.
    pub(super) retired_batches: Vec<u64>,
    policy: MissingContacts,
    hold: TimeDelta,
    skip: TimeDelta,
}

impl Tally {
    /// An empty tally of an activation with these settings.
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            policy: settings.missing_contacts,
            hold: TimeDelta::days(settings.hold_days.get().into()),
            skip: TimeDelta::days(settings.skip_days.get().into()),
            ..Self::default()
        }
    }

    /// Takes in what became of a batch; for a move, with who its members were before.
    pub(super) fn settle(
        &mut self,
        operation: Operation,
        outcomes: &[(Entry, MemberOutcome)],
        before: &[Fingerprint],
    ) {
        for (position, (entry, outcome)) in outcomes.iter().enumerate() {
            let before = before.get(position).copied().unwrap_or(entry.member);
            match (outcome, operation) {
                (MemberOutcome::Acknowledged { contact }, Operation::Move) => {
                    let entry = Entry { contact: contact.or(entry.contact), ..*entry };
                    self.moved.push(Moved { before, entry });
                }
                // Nobody is refused for what she is: the contact that was to be changed is gone.
                (MemberOutcome::Hold { cause }, Operation::Move) if cause == CONTACT_NOT_FOUND => {
                    self.lost_contacts.push(before);
                    self.fail(cause, 1);
                }
                (MemberOutcome::Acknowledged { contact }, Operation::Add) => {
                    let contact = contact.or(entry.contact);
                    self.added.push(Entry { member: entry.member, contact });
                }
                (MemberOutcome::Acknowledged { .. }, Operation::Remove) => {
                    self.removed.push(entry.member);
                }
                // A removal is never given up: she stays in the snapshot and comes back.
                (MemberOutcome::Hold { cause }, Operation::Add | Operation::Move) => {
                    self.hold(entry.member, cause.clone());
                }
                (MemberOutcome::Conflict { cause }, Operation::Add | Operation::Move) => {
                    self.hold(entry.member, format!("{CONFLICT}{cause}"));
                }
                (
                    MemberOutcome::Retry { cause }
                    | MemberOutcome::Hold { cause }
                    | MemberOutcome::Conflict { cause }
                    | MemberOutcome::Misconfigured { cause }
                    | MemberOutcome::Unknown { cause },
                    Operation::Add | Operation::Remove | Operation::Move,
                ) => self.fail(cause, 1),
            }
        }
    }

    /// Holds a member.
    pub(super) fn hold(&mut self, member: Fingerprint, cause: String) {
        let skipped = self.policy == MissingContacts::ExistingOnly && cause == CONTACT_NOT_FOUND;
        let cause = if skipped { NO_CONTACT.to_owned() } else { cause };
        self.holds.push((member, cause));
    }

    /// Counts changes that were wanted and not confirmed.
    pub(super) fn fail(&mut self, cause: &str, members: u64) {
        if members == 0 {
            return;
        }
        self.failed += members;
        *self.failed_by_cause.entry(cause.to_owned()).or_default() += members;
    }

    /// How many changes were taken in, whatever became of them.
    pub(super) fn settled(&self) -> u64 {
        let confirmed = self.added.len() + self.removed.len() + self.moved.len();
        (confirmed + self.holds.len()) as u64 + self.failed
    }

    /// Whether the membership changes.
    pub(super) fn moves_membership(&self) -> bool {
        !(self.added.is_empty()
            && self.removed.is_empty()
            && self.moved.is_empty()
            && self.lost_contacts.is_empty())
    }

    /// Sorts the acknowledged changes, as the snapshot needs them.
    pub(super) fn sort(&mut self) {
        self.added.sort_unstable_by_key(|entry| entry.member);
        self.added.dedup_by_key(|entry| entry.member);
        self.removed.sort_unstable();
        self.removed.dedup();
        self.moved.sort_unstable_by_key(|moved| moved.entry.member);
        self.moved.dedup_by_key(|moved| moved.entry.member);
        self.lost_contacts.sort_unstable();
    }

    /// The held members to store: new ones, and old ones that failed once more.
    pub(super) fn held_members(
        &self,
        before: &[HeldMember],
        now: DateTime<Utc>,
    ) -> Vec<HeldMember> {
        let before: HashMap<_, _> = before.iter().map(|held| (held.member, held)).collect();
        let now = now.trunc_subsecs(0);
        (self.holds.iter())
            .map(|(member, cause)| {
                let earlier = before.get(member).filter(|held| held.cause == *cause);
                let wait = if cause == NO_CONTACT { self.skip } else { self.hold };
                HeldMember {
                    member: *member,
                    cause: cause.clone(),
                    since: earlier.map_or(now, |held| held.since),
                    retry_at: now + wait,
                    attempts: earlier.map_or(0, |held| held.attempts) + 1,
                }
            })
            .collect()
    }
}
