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
    let fates =
        (evidence.missing.iter()).map(|missing| decision.fate(missing, &mut tallied)).collect();
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::vec, prelude::*};
    use segment_diff::FingerprintKey;

    use super::*;
    use crate::{ContactId, run::warehouse_key::KeyPrinter};

    fn member(number: u8) -> Fingerprint {
        Fingerprint::from_bytes([number; 16])
    }

    fn key(number: u8) -> WarehouseKey {
        KeyPrinter::new(&FingerprintKey::new([7; 16])).print(&[number]).unwrap()
    }

    /// A record and a segment in plain terms.
    #[derive(Debug)]
    struct Case {
        /// Members of the record, each once: number, key, whether the contact is known.
        record: Vec<(u8, Option<u8>, bool)>,
        /// Rows of the segment: member and key.
        rows: BTreeSet<(u8, u8)>,
        /// How the list stands to members who are not in the record.
        standings: Vec<Standing>,
        unusable: BTreeSet<u8>,
    }

    impl Case {
        fn recorded(&self, member: u8) -> Option<Option<u8>> {
            self.record.iter().find(|one| one.0 == member).map(|one| one.1)
        }

        fn is_missing(&self, member: u8) -> bool {
            self.rows.iter().all(|row| row.0 != member)
        }

        fn standing(&self, member: u8) -> Standing {
            match self.recorded(member) {
                Some(_) => Standing::OnList,
                None => self.standings[usize::from(member)],
            }
        }

        /// Members that the segment has with a key.
        fn with_key(&self, key: u8) -> Vec<u8> {
            self.rows.iter().filter(|row| row.1 == key).map(|row| row.0).collect()
        }

        /// The rule, said the long way.
        fn expected(&self, key: Option<u8>, contact_known: bool) -> Fate {
            let Some(key) = key else { return Fate::Leaves };
            let names = self.with_key(key);
            if names.is_empty() {
                let is_there = self.unusable.contains(&key);
                return if is_there { Fate::Waits } else { Fate::Leaves };
            }
            if names.iter().any(|name| self.recorded(*name).is_some()) {
                return Fate::Leaves;
            }
            let others =
                self.record.iter().filter(|one| one.1 == Some(key) && self.is_missing(one.0));
            let [name] = names[..] else { return Fate::Waits };
            let keys = self.rows.iter().filter(|row| row.0 == name).count();
            if others.count() > 1 || keys > 1 || self.standing(name) != Standing::New {
                return Fate::Waits;
            }
            if contact_known { Fate::Moves(member(name)) } else { Fate::Leaves }
        }

        fn decided(&self) -> (Vec<Missing>, Vec<Fate>, Tallied) {
            let missing: Vec<Missing> = (self.record.iter())
                .filter(|one| self.is_missing(one.0))
                .map(|(number, its_key, known)| Missing {
                    entry: Entry {
                        member: member(*number),
                        contact: ContactId::new(u64::from(*known) * (1 + u64::from(*number))),
                    },
                    key: its_key.map(key),
                    bar: None,
                })
                .collect();
            let as_recorded = |row: &&(u8, u8)| self.recorded(row.0) == Some(Some(row.1));
            let mut sightings: Vec<Sighting> = (self.rows.iter())
                .filter(|row| !as_recorded(row))
                .map(|row| Sighting {
                    key: key(row.1),
                    member: member(row.0),
                    standing: self.standing(row.0),
                })
                .collect();
            sightings.sort();
            let confirmed = self.rows.iter().filter(as_recorded).map(|row| key(row.1)).collect();
            let unusable = self.unusable.iter().copied().map(key).collect();
            let evidence = Evidence {
                missing: &missing,
                sightings: &sightings,
                confirmed: &confirmed,
                unusable: &unusable,
                moves: true,
            };
            let (fates, tallied) = decide(&evidence);
            (missing, fates, tallied)
        }
    }

    fn case() -> impl Strategy<Value = Case> {
        let record =
            vec((proptest::option::weighted(0.9, 0..4_u8), any::<bool>(), any::<bool>()), 6);
        let standings = vec(
            prop_oneof![3 => Just(Standing::New), 1 => Just(Standing::Held), 1 => Just(Standing::Pending)],
            10,
        );
        let rows = proptest::collection::btree_set((0..10_u8, 0..5_u8), 0..9);
        let unusable = proptest::collection::btree_set(0..5_u8, 0..2);
        (record, rows, standings, unusable).prop_map(|(record, rows, standings, unusable)| Case {
            record: (record.into_iter().enumerate())
                .filter(|(_, one)| one.1)
                .map(|(number, (key, _, known))| (u8::try_from(number).unwrap(), key, known))
                .collect(),
            rows,
            standings,
            unusable,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn each_of_the_missing_meets_the_fate_that_the_rule_says(case in case()) {
            let (missing, fates, _) = case.decided();
            let recorded = case.record.iter().filter(|one| case.is_missing(one.0));
            for ((one, fate), (number, key, known)) in missing.iter().zip(&fates).zip(recorded) {
                prop_assert_eq!(one.entry.member, member(*number));
                prop_assert_eq!(*fate, case.expected(*key, *known), "member {}", number);
            }
        }

        #[test]
        fn nobody_shares_a_target_and_nobody_in_the_segment_is_dropped_before_she_is_on_the_list(
            case in case(),
        ) {
            let (missing, fates, tallied) = case.decided();
            let targets: Vec<Fingerprint> = (fates.iter())
                .filter_map(|fate| if let Fate::Moves(to) = fate { Some(*to) } else { None })
                .collect();
            prop_assert_eq!(targets.iter().collect::<HashSet<_>>().len(), targets.len());
            for to in targets {
                prop_assert!(case.record.iter().all(|one| member(one.0) != to));
            }
            let waiting = fates.iter().filter(|fate| **fate == Fate::Waits).count();
            prop_assert_eq!(tallied.waiting, waiting as u64);
            for (one, fate) in missing.iter().zip(&fates).filter(|(_, fate)| **fate == Fate::Leaves) {
                let number = case.record.iter().find(|known| member(known.0) == one.entry.member);
                let Some(its_key) = number.and_then(|known| known.1) else { continue };
                let names = case.with_key(its_key);
                let is_on_list = names.iter().any(|name| case.recorded(*name).is_some());
                prop_assert!(
                    names.is_empty() || is_on_list || one.entry.contact.is_none(),
                    "{:?}: {:?}", one, fate
                );
            }
        }
    }

    #[test]
    fn what_is_odd_is_counted_by_cause() {
        let new = vec![Standing::New; 10];
        let case = |record: &[(u8, u8)], rows: &[(u8, u8)]| Case {
            record: record.iter().map(|(member, key)| (*member, Some(*key), true)).collect(),
            rows: rows.iter().copied().collect(),
            standings: new.clone(),
            unusable: BTreeSet::new(),
        };
        let tallied = |record: &[(u8, u8)], rows: &[(u8, u8)]| case(record, rows).decided().2;
        let nothing = Tallied::default();
        assert_eq!(tallied(&[(1, 1)], &[(2, 1)]), nothing, "a move");
        assert_eq!(tallied(&[(1, 1)], &[]), nothing, "she left");
        let one_of_two = Tallied { merged: 1, ..nothing };
        assert_eq!(tallied(&[(1, 1), (2, 2)], &[(2, 1), (2, 2)]), one_of_two);
        let both = Tallied { merged: 2, waiting: 2, ..nothing };
        assert_eq!(tallied(&[(1, 1), (2, 2)], &[(3, 1), (3, 2)]), both);
        let split = Tallied { split: 1, ..nothing };
        assert_eq!(tallied(&[(1, 1)], &[(1, 1), (2, 1)]), split);
        assert_eq!(tallied(&[(1, 1)], &[(3, 1), (2, 1)]), Tallied { waiting: 1, ..split });
        assert_eq!(tallied(&[(1, 1), (2, 1)], &[(1, 1), (2, 1)]), nothing, "split long ago");
    }
}
