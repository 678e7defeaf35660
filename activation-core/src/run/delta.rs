//! What changed between the acknowledged membership and the segment, both streamed.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use segment_diff::{
    Fingerprint, FingerprintKey,
    probe::{Probe, ProbeBuilder},
};

use super::{
    error::RunError,
    excluded::Excluded,
    journal::Entry,
    membership::MembershipReader,
    push_down::{Rows, Spellings},
    renames::{self, Unmet},
    scan::Scan,
    sightings::Sightings,
    special::Special,
    warehouse_key::WarehouseKey,
};
use crate::{
    AbsentMember, ActivationKey, ContactId, DeltaCounts, HeldMember, Identifier, IdentifierKind,
    IdentityCounts, Reject, RejectedRow, SnapshotRef, StateStore, StoreError, StoreErrorKind,
};

/// A wanted change of one member.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) entry: Entry,
    /// Known for additions; removals need the contact id only.
    pub(super) identifier: Option<Identifier>,
}

/// A wanted change of a contact's identifier.
#[derive(Clone, Debug)]
pub(super) struct Move {
    /// Who she is in the record.
    pub(super) before: Fingerprint,
    /// Who she is to be, with the contact that is to get the identifier.
    pub(super) change: Change,
}

/// The difference, and all that was learnt while computing it.
#[derive(Debug, Default)]
pub(super) struct Delta {
    pub(super) counts: DeltaCounts,
    /// Members that stay as they are.
    pub(super) unchanged: u64,
    /// Members whose addition the service is still working on.
    pub(super) under_way: u64,
    /// Of when the segment is, where its source knows.
    pub(super) as_of: Option<DateTime<Utc>>,
    /// Rows without a usable identifier.
    pub(super) rejected: BTreeMap<Reject, u64>,
    /// The first of them as they are, if that was asked for.
    pub(super) rejected_rows: Vec<RejectedRow>,
    /// Members of the segment who are excluded, by reason.
    pub(super) excluded: BTreeMap<String, u64>,
    /// Why those are to be removed who are excluded, as the ledger says it.
    pub(super) excluded_leavers: HashMap<Fingerprint, String>,
    /// Members who have left and stay for now.
    pub(super) dwelling: u64,
    /// Members of the snapshot who are not in the segment, and for how many runs.
    pub(super) absent: Vec<AbsentMember>,
    /// In ascending order of fingerprint, whatever order the source has.
    pub(super) additions: Vec<Change>,
    /// In ascending order of fingerprint.
    pub(super) removals: Vec<Change>,
    /// In ascending order of the new fingerprint.
    pub(super) moves: Vec<Move>,
    /// What warehouse keys said of people whose identifier is another one.
    pub(super) identities: IdentityCounts,
    /// Warehouse keys that are not recorded, in ascending order of member.
    pub(super) keys: Vec<(Fingerprint, WarehouseKey)>,
    /// Whether members of the record are among those.
    pub(super) keys_change_record: bool,
    /// Held members still in the segment and not yet due.
    pub(super) still_held: Vec<HeldMember>,
    /// Held members that left the segment: a sign of change, should they come back.
    pub(super) released: Vec<Fingerprint>,
    /// People who left, and whom an addition with unknown outcome may yet have put on the list.
    pub(super) in_doubt: HashMap<Fingerprint, Option<ContactId>>,
    /// How the segment spells whom a warehouse gave, for the next table there.
    pub(super) spellings: Option<Spellings>,
}

/// Where the two sides come from.
pub(super) struct Sides<'a> {
    pub(super) store: &'a dyn StateStore,
    pub(super) activation: &'a ActivationKey,
    pub(super) snapshot: Option<&'a SnapshotRef>,
    /// In place of the snapshot: everybody on a list that is about to be adopted and owned.
    pub(super) owned: Option<&'a [Entry]>,
    pub(super) rows: &'a Rows<'a>,
    pub(super) kind: IdentifierKind,
    pub(super) excluded: &'a Excluded,
    /// After how many runs without her a member leaves.
    pub(super) leave_after_runs: u32,
    /// How many rejected rows are kept.
    pub(super) show_rejects: u32,
    /// Whether a changed identifier is a move, by settings and destination.
    pub(super) moves: bool,
}

impl Delta {
    /// Reads the snapshot into memory (16 bytes a member), streams the segment past it, and streams
    /// the snapshot once more for the contact ids of those who left.
    pub(super) async fn compute(
        sides: &Sides<'_>,
        special: &Special<'_>,
    ) -> Result<Self, RunError> {
        let mut sightings = Sightings::new(sides.store.fingerprint_key());
        let (probe, unconcerned) = load_probe(sides, &mut sightings).await?;
        let mut scan = Scan {
            key: sides.store.fingerprint_key(),
            kind: sides.kind,
            special,
            excluded: sides.excluded,
            show_rejects: sides.show_rejects as usize,
            probe,
            sightings,
            seen: HashSet::new(),
            left_out: HashSet::new(),
            delta: Self::default(),
        };
        scan.read(sides.rows).await?;
        let Scan { probe, seen, mut sightings, mut delta, .. } = scan;
        let counts = probe.counts();
        delta.unchanged += unconcerned;
        sightings.sort();
        let mut unmet = Unmet::default();
        let left =
            collect_removals(sides, special, &probe, &sightings, &mut unmet, &mut delta).await?;
        renames::follow(sides, special, &probe, &sightings, &unmet, &mut delta).await?;
        delta.additions.sort_unstable_by_key(|change| change.entry.member);
        delta.removals.sort_unstable_by_key(|change| change.entry.member);
        delta.moves.sort_unstable_by_key(|one| one.change.entry.member);
        for (member, held) in &special.held {
            if !seen.contains(member) {
                delta.released.push(held.member);
            }
        }
        delta.in_doubt = (special.uncertain_additions.iter())
            .filter(|(member, _)| !seen.contains(member) && !left.contains(member))
            .map(|(member, contact)| (*member, *contact))
            .collect();
        // Where the record has who she was, that leads to the contact.
        let lost = special.uncertain_moves.iter().filter(|(before, entry)| {
            let is_known = |member| probe.index_of(member).is_some();
            !seen.contains(&entry.member) && !is_known(entry.member) && !is_known(*before)
        });
        delta.in_doubt.extend(lost.map(|(_, entry)| (entry.member, entry.contact)));
        delta.counts = DeltaCounts {
            previous: counts.previous + unconcerned,
            current: counts.added + counts.unchanged + unconcerned,
            added: delta.additions.len() as u64,
            removed: delta.removals.len() as u64,
            rejected: delta.rejected.values().sum(),
            excluded: delta.excluded.values().sum(),
            exclusion_rows: sides.excluded.rows,
            rejected_exclusions: sides.excluded.rejected,
            moved: delta.moves.len() as u64,
            rekeyed: delta.identities.rekeyed,
        };
        Ok(delta)
    }
}

/// The fingerprint of an identifier in normal form.
pub(super) fn fingerprint(key: &FingerprintKey, identifier: &Identifier) -> Fingerprint {
    identifier.with_text(|text| key.fingerprint(text.as_bytes()))
}

/// The record's members whom the rows may concern, and how many there are besides.
async fn load_probe(
    sides: &Sides<'_>,
    sightings: &mut Sightings,
) -> Result<(Probe, u64), StoreError> {
    let expected = match sides.owned {
        Some(owned) => owned.len() as u64,
        None => sides.snapshot.map_or(0, |snapshot| snapshot.members),
    };
    let capacity = match sides.rows {
        Rows::Changed(changes) => changes.concerned.len(),
        Rows::Segment(_) | Rows::Staged(_) => usize::try_from(expected).unwrap_or(0),
    };
    let mut builder = ProbeBuilder::with_capacity(capacity);
    let mut reader = open(sides).await?;
    let mut members = Vec::new();
    let mut count: u64 = 0;
    while reader.next_members(&mut members).await? {
        for (position, entry) in members.iter().enumerate() {
            if reader.is_keyed() {
                sightings.recorded(reader.key(position), capacity);
            }
            builder.push(entry.member).map_err(|error| {
                StoreError::new(StoreErrorKind::Corrupt, "the snapshot is out of order")
                    .caused_by(error)
            })?;
        }
        count += members.len() as u64;
    }
    let unconcerned = reader.left_out();
    count += unconcerned;
    if count != expected {
        let message = format!("the snapshot should hold {expected} members and holds {count}");
        return Err(StoreError::new(StoreErrorKind::Corrupt, message));
    }
    Ok((builder.build(), unconcerned))
}

/// Fills in the removals, and returns the special members found in the snapshot.
async fn collect_removals(
    sides: &Sides<'_>,
    special: &Special<'_>,
    probe: &Probe,
    sightings: &Sightings,
    unmet: &mut Unmet,
    delta: &mut Delta,
) -> Result<HashSet<Fingerprint>, StoreError> {
    let mut in_snapshot = HashSet::new();
    if probe.counts().removed == 0 {
        // Every member of the snapshot was met in the segment.
        return Ok(in_snapshot);
    }
    let mut reader = open(sides).await?;
    let mut members = Vec::new();
    let mut index = 0;
    while reader.next_members(&mut members).await? {
        for (position, &entry) in members.iter().enumerate() {
            if special.watches(&entry.member) {
                in_snapshot.insert(entry.member);
            }
            if !probe.was_seen(index) {
                let is_excluded = sides.excluded.reason(&entry.member).is_some();
                match reader.key(position).filter(|_| sightings.has_keys() && !is_excluded) {
                    Some(key) => unmet.push(entry, key, special.bar(&entry.member)),
                    None => leave(sides, special, entry, delta),
                }
            }
            index += 1;
        }
    }
    Ok(in_snapshot)
}

/// Somebody whom the segment is without: she leaves, dwells, or is being removed already.
pub(super) fn leave(sides: &Sides<'_>, special: &Special<'_>, entry: Entry, delta: &mut Delta) {
    let missed_before = special.absent.get(&entry.member).copied();
    let is_under_way = special.under_way.contains(&entry.member);
    let runs = match (missed_before, is_under_way) {
        (before, false) => before.unwrap_or(0).saturating_add(1),
        (Some(before), true) => before,
        (None, true) => return,
    };
    if sides.leave_after_runs > 1 {
        delta.absent.push(AbsentMember { member: entry.member, runs });
    }
    if is_under_way {
        return;
    }
    let excluded = sides.excluded.reason(&entry.member);
    if let Some(reason) = excluded {
        delta.excluded_leavers.insert(entry.member, format!("excluded:{reason}"));
    }
    if runs >= sides.leave_after_runs || excluded.is_some() {
        delta.removals.push(Change { entry, identifier: None });
    } else {
        delta.dwelling += 1;
    }
}

/// Opens the membership that the rows are compared with.
pub(super) async fn open(sides: &Sides<'_>) -> Result<MembershipReader, StoreError> {
    let reader = open_whole(sides).await?;
    Ok(match sides.rows {
        Rows::Changed(changes) => reader.only(changes.concerned.clone()),
        Rows::Segment(_) | Rows::Staged(_) => reader,
    })
}

/// Opens the whole membership, also those whom no row concerns.
pub(super) async fn open_whole(sides: &Sides<'_>) -> Result<MembershipReader, StoreError> {
    match sides.owned {
        Some(owned) => Ok(MembershipReader::of(owned.to_vec())),
        None => MembershipReader::open(sides.store, sides.activation, sides.snapshot).await,
    }
}
