//! Who of those whose identifier is gone from the segment is in it under another one. Pure.
//!
//! Somebody whose key the segment still has has not left. Where it is beyond doubt which identifier
//! is hers now, her contact is moved to it. Where it is not, she stays until one of them is on the
//! list; then she is on it, and the membership under the old identifier ends like any other.

use std::collections::{HashMap, HashSet};

use segment_diff::Fingerprint;

use super::{journal::Entry, warehouse_key::WarehouseKey};

/// Somebody in the record whose identifier the segment is without, and who is not excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) entry: Entry,
    pub(super) key: Option<WarehouseKey>,
    /// Why her contact must not be moved now.
    pub(super) bar: Option<Bar>,
}

/// Why a contact must not be moved although it is clear where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bar {
    /// The service is working on her.
    UnderWay,
    /// An earlier removal of hers may still happen, or moves are not wanted or not possible.
    NotMovable,
}

/// A key and an identifier that the segment has together, where they are not as they were recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sighting {
    pub(super) key: WarehouseKey,
    pub(super) member: Fingerprint,
    pub(super) standing: Standing,
}

/// How the list stands to an identifier that the segment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// In the record.
    OnList,
    /// To be added.
    New,
    /// Held, and not due.
    Held,
    /// A change of hers is under way or in doubt.
    Pending,
}

/// What becomes of somebody who is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// As without keys: she leaves, perhaps after a dwell.
    Leaves,
    /// Stays under the old identifier for now.
    Waits,
    /// Her contact moves to this identifier, which is not added then.
    Moves(Fingerprint),
    /// As [`Moves`](Self::Moves), in a later run.
    Postponed(Fingerprint),
}

/// Who leaves although the segment has her under another identifier, and other oddities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tallied {
    pub(super) waiting: u64,
    pub(super) merged: u64,
    pub(super) split: u64,
    pub(super) contact_unknown: u64,
    pub(super) not_movable: u64,
}

/// Everything the decision rests on.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    pub(super) missing: &'a [Missing],
    /// In ascending order, each once.
    pub(super) sightings: &'a [Sighting],
    /// Keys of `missing` and of new members that are in the segment as they were recorded.
    pub(super) confirmed: &'a HashSet<WarehouseKey>,
    /// Keys in rows without a usable identifier.
    pub(super) unusable: &'a HashSet<WarehouseKey>,
    /// Whether somebody whose key the segment has may stay until the new identifier is on the list.
    /// Else all of them leave, and their new identifiers are added.
    pub(super) moves: bool,
}

/// Decides for each of the missing, in their order.
pub(super) fn decide(evidence: &Evidence<'_>) -> (Vec<Fate>, Tallied) {
    let decision = Decision::new(evidence);
    let mut tallied = Tallied { split: decision.split(), ..Tallied::default() };
    let fates = (evidence.missing.iter())
        .map(|missing| decision.fate(missing, &mut tallied))
        .collect();
    (fates, tallied)
}

struct Decision<'a> {
    evidence: &'a Evidence<'a>,
    /// How many keys the segment has with an identifier that was not confirmed.
    keys_of: HashMap<Fingerprint, usize>,
    /// How many of the missing have a key.
    missing_with: HashMap<WarehouseKey, usize>,
}

impl<'a> Decision<'a> {
    fn new(evidence: &'a Evidence<'a>) -> Self {
        let mut missing_with = HashMap::new();
        for key in evidence.missing.iter().filter_map(|missing| missing.key) {
            *missing_with.entry(key).or_default() += 1;
        }
        let mut keys_of = HashMap::new();
        for sighting in evidence.sightings {
            *keys_of.entry(sighting.member).or_default() += 1;
        }
        Self { evidence, keys_of, missing_with }
    }

    /// All that the segment has with `key`, but what is as it was recorded.
    fn sightings_of(&self, key: WarehouseKey) -> &'a [Sighting] {
        let all = self.evidence.sightings;
        let start = all.partition_point(|sighting| sighting.key < key);
        let end = start + all[start..].partition_point(|sighting| sighting.key == key);
        &all[start..end]
    }

    fn fate(&self, missing: &Missing, tallied: &mut Tallied) -> Fate {
        let Some(key) = missing.key else { return Fate::Leaves };
        let sightings = self.sightings_of(key);
        let is_confirmed = self.evidence.confirmed.contains(&key);
        if sightings.is_empty() && !is_confirmed {
            let is_there = self.evidence.moves && self.evidence.unusable.contains(&key);
            return if is_there { wait(tallied) } else { Fate::Leaves };
        }
        let others = self.missing_with.get(&key).is_some_and(|count| *count > 1);
        let shares = |one: &Sighting| {
            one.standing == Standing::OnList || self.keys_of.get(&one.member) > Some(&1)
        };
        if others || sightings.iter().any(shares) {
            tallied.merged += 1;
        }
        if is_confirmed || sightings.iter().any(|one| one.standing == Standing::OnList) {
            return Fate::Leaves;
        }
        if !self.evidence.moves {
            tallied.not_movable += 1;
            return Fate::Leaves;
        }
        match sightings {
            [only] if only.standing == Standing::New && !others && !shares(only) => {
                Self::single(missing, only.member, tallied)
            }
            _ => wait(tallied),
        }
    }

    /// One identifier became another.
    fn single(missing: &Missing, member: Fingerprint, tallied: &mut Tallied) -> Fate {
        match (missing.bar, missing.entry.contact) {
            (Some(Bar::UnderWay), _) => {
                tallied.waiting += 1;
                Fate::Postponed(member)
            }
            (Some(Bar::NotMovable), _) => {
                tallied.not_movable += 1;
                Fate::Leaves
            }
            (None, None) => {
                tallied.contact_unknown += 1;
                Fate::Leaves
            }
            (None, Some(_)) => Fate::Moves(member),
        }
    }

    /// Keys with several identifiers, at least one of them not on the list.
    fn split(&self) -> u64 {
        let keys = self.evidence.sightings.chunk_by(|one, next| one.key == next.key);
        let is_split = |sightings: &&[Sighting]| {
            let confirmed = self.evidence.confirmed.contains(&sightings[0].key);
            sightings.len() + usize::from(confirmed) > 1
                && sightings.iter().any(|one| one.standing != Standing::OnList)
        };
        keys.filter(is_split).count() as u64
    }
}

fn wait(tallied: &mut Tallied) -> Fate {
    tallied.waiting += 1;
    Fate::Waits
}
