//! Carries out what warehouse keys say of those whom the segment is without: some of them are in it
//! under another identifier.

use std::collections::{HashMap, HashSet};

use segment_diff::{Fingerprint, probe::Probe};

use super::{
    delta::{self, Change, Delta, Move, Sides, leave},
    identity::{Bar, Evidence, Fate, Missing, Tallied, decide},
    journal::Entry,
    sightings::{Learnt, Sightings},
    special::Special,
    warehouse_key::WarehouseKey,
};
use crate::{ContactId, StoreError};

/// Members of the record with a warehouse key whose identifier the segment is without.
#[derive(Debug, Default)]
pub(super) struct Unmet(Vec<Missing>);

impl Unmet {
    pub(super) fn push(&mut self, entry: Entry, key: WarehouseKey, bar: Option<Bar>) {
        self.0.push(Missing { entry, key: Some(key), bar });
    }
}

/// Lets members leave, wait or move, and takes down what was learnt of keys.
pub(super) async fn follow(
    sides: &Sides<'_>,
    special: &Special<'_>,
    probe: &Probe,
    sightings: &Sightings,
    unmet: &Unmet,
    delta: &mut Delta,
) -> Result<(), StoreError> {
    if !sightings.has_keys() {
        return Ok(());
    }
    let Learnt { keys, changes_record, rekeyed } = sightings.learnt(probe);
    delta.keys = keys;
    delta.keys_change_record = changes_record;
    let confirmed = sightings.confirmed_among(unmet.0.iter().filter_map(|missing| missing.key));
    let (fates, tallied) = decide(&Evidence {
        missing: &unmet.0,
        sightings: sightings.all(),
        confirmed: &confirmed,
        unusable: sightings.all_unusable(),
        moves: sides.moves,
    });
    let Tallied { waiting, merged, split, contact_unknown, not_movable } = tallied;
    let counts = &mut delta.identities;
    (counts.waiting, counts.merged, counts.split) = (waiting, merged, split);
    (counts.contact_unknown, counts.not_movable) = (contact_unknown, not_movable);
    counts.rekeyed = rekeyed;
    let mut followed = Followed::default();
    for (missing, fate) in unmet.0.iter().zip(fates) {
        match fate {
            Fate::Leaves => leave(sides, special, missing.entry, delta),
            Fate::Waits => {}
            Fate::Moves(to) => _ = followed.moving.insert(to, missing.entry),
            Fate::Postponed(to) => _ = followed.postponed.insert(to),
        }
    }
    followed.take_from_additions(delta);
    leave_with_shared_contacts(sides, special, delta).await
}

/// Additions that are none, because somebody becomes them.
#[derive(Default)]
struct Followed {
    /// By who they are to be.
    moving: HashMap<Fingerprint, Entry>,
    postponed: HashSet<Fingerprint>,
}

impl Followed {
    fn take_from_additions(&self, delta: &mut Delta) {
        let additions = std::mem::take(&mut delta.additions);
        for mut change in additions {
            let member = change.entry.member;
            if let Some(before) = self.moving.get(&member) {
                change.entry.contact = before.contact;
                delta.moves.push(Move { before: before.member, change });
            } else if self.postponed.contains(&member) {
                delta.under_way += 1;
            } else {
                delta.additions.push(change);
            }
        }
    }
}

/// Takes back moves of contacts who are in the record more than once: the identifier of one member
/// would be taken away for another. Reads the record once more, if anybody moves.
async fn leave_with_shared_contacts(
    sides: &Sides<'_>,
    special: &Special<'_>,
    delta: &mut Delta,
) -> Result<(), StoreError> {
    let mut members_of: HashMap<ContactId, u64> =
        delta.moves.iter().filter_map(|one| Some((one.change.entry.contact?, 0))).collect();
    if members_of.is_empty() {
        return Ok(());
    }
    let mut reader = delta::open(sides).await?;
    let mut members = Vec::new();
    while reader.next_members(&mut members).await? {
        for contact in members.iter().filter_map(|entry| entry.contact) {
            if let Some(count) = members_of.get_mut(&contact) {
                *count += 1;
            }
        }
    }
    let is_shared = |one: &mut Move| {
        let Change { entry, .. } = &one.change;
        let count = entry.contact.and_then(|contact| members_of.get(&contact));
        one.before != entry.member && count > Some(&1)
    };
    let taken_back: Vec<Move> = delta.moves.extract_if(.., is_shared).collect();
    for Move { before, mut change } in taken_back {
        let entry = Entry { member: before, contact: change.entry.contact.take() };
        leave(sides, special, entry, delta);
        delta.additions.push(change);
        delta.identities.contact_shared += 1;
    }
    Ok(())
}
