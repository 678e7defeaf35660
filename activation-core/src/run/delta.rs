//! What changed between the acknowledged membership and the segment, both streamed.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use segment_diff::{
    Fingerprint, FingerprintKey,
    probe::{Observation, Probe, ProbeBuilder},
};

use super::{
    error::RunError,
    excluded::Excluded,
    journal::Entry,
    membership::MembershipReader,
    push_down::{Changes, Met, PushDown, Rows, Spellings, occurrences},
    renames::{self, Unmet},
    sightings::Sightings,
    special::Special,
    warehouse_key::WarehouseKey,
};
use crate::{
    AbsentMember, ActivationKey, ContactId, DeltaCounts, HeldMember, Identifier, IdentifierKind,
    IdentityCounts, KeyBatch, KeyedRow, Reject, RejectedRow, SegmentSource, SnapshotRef,
    SourceError, StateStore, StoreError, StoreErrorKind, source::CheckedScan,
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

/// The state of one pass over the segment.
struct Scan<'a> {
    key: &'a FingerprintKey,
    kind: IdentifierKind,
    special: &'a Special<'a>,
    excluded: &'a Excluded,
    show_rejects: usize,
    probe: Probe,
    sightings: Sightings,
    /// Special members met in the segment.
    seen: HashSet<Fingerprint>,
    /// Excluded members met in the segment.
    left_out: HashSet<Fingerprint>,
    delta: Delta,
}

impl Scan<'_> {
    async fn read(&mut self, rows: &Rows<'_>) -> Result<(), RunError> {
        match rows {
            Rows::Segment(source) => self.read_segment(*source).await,
            Rows::Staged(push_down) => Ok(self.read_staged(push_down).await?),
            Rows::Changed(changes) => Ok(self.read_changed(changes)?),
        }
    }

    async fn read_staged(&mut self, push_down: &PushDown) -> Result<(), SourceError> {
        let mut spellings = Spellings::of_new_table();
        let mut scan = push_down.staged().await?;
        while let Some(batch) = scan.next_batch().await? {
            for KeyedRow { identifier, warehouse_key } in batch.rows() {
                let met = self.counted_row(identifier, occurrences(warehouse_key)?);
                spellings.note(identifier, met, false);
            }
        }
        self.delta.as_of = push_down.as_of;
        self.delta.spellings = Some(spellings);
        Ok(())
    }

    fn read_changed(&mut self, changes: &Changes) -> Result<(), SourceError> {
        let mut spellings = match changes.removed.is_empty() {
            true => Spellings::default(),
            false => Spellings::of_new_table(),
        };
        // Held and in the record: no row tells of them, since they are in the segment as before.
        for &member in self.special.held.keys() {
            if self.probe.index_of(member).is_some() && changes.stands(&member, self.special) {
                self.probe.observe(member);
                self.seen.insert(member);
                self.delta.unchanged += 1;
            }
        }
        for KeyedRow { identifier, warehouse_key } in changes.added.iter().flat_map(KeyBatch::rows)
        {
            let met = self.counted_row(identifier, occurrences(warehouse_key)?);
            let is_spelt_otherwise =
                matches!(met, Met::Recorded(member) if changes.stands(&member, self.special));
            spellings.note(identifier, met, is_spelt_otherwise);
        }
        self.delta.as_of = changes.as_of;
        self.delta.spellings = Some(spellings);
        Ok(())
    }

    async fn read_segment(&mut self, source: &dyn SegmentSource) -> Result<(), RunError> {
        let mut scan = CheckedScan::new(source.open().await?);
        while let Some(batch) = scan.next_batch().await? {
            // A contact id never changes, so there is nothing to learn from keys.
            if batch.has_warehouse_keys() && self.kind != IdentifierKind::ContactId {
                for row in batch.rows() {
                    let key = self.sightings.print(row.warehouse_key);
                    self.row(row.identifier, Some(key));
                }
            } else {
                for raw in batch.iter() {
                    self.row(raw, None);
                }
            }
        }
        self.delta.as_of = scan.as_of();
        Ok(())
    }

    fn row(&mut self, raw: &[u8], key: RowKey) {
        match self.kind.normalise(raw) {
            Ok(identifier) => _ = self.member(identifier, key),
            Err(reason) => {
                // Whoever has no address any more is not reached under an old one either.
                if let Some(key) = key.filter(|_| reason != Reject::Empty) {
                    self.sightings.unusable(key);
                }
                self.reject(reason, raw, 1);
            }
        }
    }

    /// A row that stands for as many as are equal.
    fn counted_row(&mut self, raw: &[u8], rows: u64) -> Met {
        match self.kind.normalise(raw) {
            Ok(identifier) => self.member(identifier, None),
            Err(reason) => {
                self.reject(reason, raw, rows);
                Met::Useless
            }
        }
    }

    fn reject(&mut self, reason: Reject, raw: &[u8], rows: u64) {
        *self.delta.rejected.entry(reason).or_default() += rows;
        let shown = self.delta.rejected_rows.len();
        let more = usize::try_from(rows).unwrap_or(usize::MAX);
        let upto = self.show_rejects.min(shown.saturating_add(more)).max(shown);
        self.delta.rejected_rows.resize_with(upto, || RejectedRow::new(reason, raw));
    }

    fn member(&mut self, identifier: Identifier, key: RowKey) -> Met {
        let member = fingerprint(self.key, &identifier);
        if let Some(reason) = self.excluded.reason(&member) {
            if self.left_out.insert(member) {
                *self.delta.excluded.entry(reason.to_owned()).or_default() += 1;
            }
            return Met::Useless;
        }
        let observation = self.probe.observe(member);
        if let Some(key) = key {
            let index = self.probe.index_of(member);
            let standing = self.special.standing(&member, index.is_some());
            self.sightings.note(key, member, index, standing);
        }
        let met = match observation {
            Observation::Duplicate => return Met::Useless,
            Observation::Added => Met::New(member),
            Observation::Unchanged => Met::Recorded(member),
        };
        if !self.special.is_empty() && self.special.watches(&member) {
            self.seen.insert(member);
        }
        let is_new = observation == Observation::Added;
        if self.special.under_way.contains(&member) {
            let count = if is_new { &mut self.delta.under_way } else { &mut self.delta.unchanged };
            *count += 1;
            return met;
        }
        let is_missing = is_new || self.may_be_off_the_list(&member);
        match self.special.held.get(&member) {
            Some(held) if is_missing && self.special.now < held.retry_at => {
                self.delta.still_held.push((*held).clone());
            }
            _ if is_missing => {
                let contact = identifier.contact_id();
                let entry = Entry { member, contact };
                self.delta.additions.push(Change { entry, identifier: Some(identifier) });
            }
            _ => match self.special.moving_from.get(&member) {
                // A move with unknown outcome may have made her somebody else.
                Some(&contact) => {
                    let entry = Entry { member, contact };
                    let change = Change { entry, identifier: Some(identifier) };
                    self.delta.moves.push(Move { before: member, change });
                }
                None => self.delta.unchanged += 1,
            },
        }
        met
    }

    /// A removal with unknown outcome may have taken her off: she is added again.
    fn may_be_off_the_list(&self, member: &Fingerprint) -> bool {
        self.special.uncertain_removals.contains(member)
    }
}

/// The warehouse key of a row, where its batch has any.
type RowKey = Option<Option<WarehouseKey>>;

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
