//! Members that need more than the plain difference: held, in doubt, under way or absent.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use segment_diff::Fingerprint;

use super::{
    identity::{Bar, Standing},
    journal::{Entry, OpenBatch, Stage},
};
use crate::{AbsentMember, ContactId, HeldMember, Operation};

/// Members that need more than the plain difference.
pub(super) struct Special<'a> {
    pub(super) held: HashMap<Fingerprint, &'a HeldMember>,
    /// Additions of which it is not known whether they happened, with the contact where that was
    /// known before, and removals.
    pub(super) uncertain_additions: HashMap<Fingerprint, Option<ContactId>>,
    pub(super) uncertain_removals: HashSet<Fingerprint>,
    /// Of moves of which it is not known whether they happened: who was to become whom, and her
    /// contact.
    pub(super) uncertain_moves: Vec<(Fingerprint, Entry)>,
    /// The contacts of those by who they were: in the segment, they are moved back.
    pub(super) moving_from: HashMap<Fingerprint, Option<ContactId>>,
    pub(super) moving_to: HashSet<Fingerprint>,
    /// Members of batches the service is still working on: nothing is planned for them.
    pub(super) under_way: HashSet<Fingerprint>,
    /// In how many runs in succession the segment was without them.
    pub(super) absent: HashMap<Fingerprint, u32>,
    pub(super) now: DateTime<Utc>,
}

impl<'a> Special<'a> {
    pub(super) fn new(
        held: &'a [HeldMember],
        absent: &[AbsentMember],
        batches: &[OpenBatch],
        now: DateTime<Utc>,
    ) -> Self {
        let held = held.iter().map(|held| (held.member, held)).collect();
        let members = |wanted: &dyn Fn(&OpenBatch) -> bool| -> HashSet<Fingerprint> {
            let batches = batches.iter().filter(|batch| wanted(batch));
            let members = |batch: &OpenBatch| -> Vec<Fingerprint> {
                let members = batch.members.iter().map(|entry| entry.member);
                members.chain(batch.before.iter().copied()).collect()
            };
            batches.flat_map(members).collect()
        };
        let uncertain_moves: Vec<(Fingerprint, Entry)> = (batches.iter())
            .filter(|batch| batch.stage == Stage::Uncertain)
            .flat_map(|batch| batch.before.iter().copied().zip(batch.members.iter().copied()))
            .collect();
        Self {
            held,
            uncertain_additions: (batches.iter())
                .filter(|batch| batch.is_uncertain(Operation::Add))
                .flat_map(|batch| batch.members.iter().map(|entry| (entry.member, entry.contact)))
                .collect(),
            uncertain_removals: members(&|batch| batch.is_uncertain(Operation::Remove)),
            moving_from: (uncertain_moves.iter())
                .map(|(before, entry)| (*before, entry.contact))
                .collect(),
            moving_to: uncertain_moves.iter().map(|(_, entry)| entry.member).collect(),
            uncertain_moves,
            under_way: members(&|batch| matches!(batch.stage, Stage::Accepted(_))),
            absent: absent.iter().map(|absent| (absent.member, absent.runs)).collect(),
            now,
        }
    }

    pub(super) fn watches(&self, member: &Fingerprint) -> bool {
        self.held.contains_key(member)
            || self.uncertain_additions.contains_key(member)
            || self.uncertain_removals.contains(member)
            || self.moving_from.contains_key(member)
            || self.moving_to.contains(member)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
            && self.uncertain_additions.is_empty()
            && self.uncertain_removals.is_empty()
            && self.uncertain_moves.is_empty()
    }

    /// Whether it is not known of somebody what became of a change.
    pub(super) fn has_doubts(&self) -> bool {
        !(self.uncertain_additions.is_empty()
            && self.uncertain_removals.is_empty()
            && self.uncertain_moves.is_empty()
            && self.under_way.is_empty())
    }

    /// How the list stands to somebody in the segment.
    pub(super) fn standing(&self, member: &Fingerprint, is_recorded: bool) -> Standing {
        let in_doubt = match is_recorded {
            true => self.uncertain_removals.contains(member),
            false => self.uncertain_additions.contains_key(member),
        };
        let is_held = || self.held.get(member).is_some_and(|held| self.now < held.retry_at);
        match () {
            () if self.under_way.contains(member) || in_doubt => Standing::Pending,
            () if is_recorded => Standing::OnList,
            () if is_held() => Standing::Held,
            () => Standing::New,
        }
    }

    /// Why the contact of a recorded member must not be moved now.
    pub(super) fn bar(&self, member: &Fingerprint) -> Option<Bar> {
        match () {
            () if self.under_way.contains(member) => Some(Bar::UnderWay),
            () if self.uncertain_removals.contains(member) => Some(Bar::NotMovable),
            () => None,
        }
    }
}
