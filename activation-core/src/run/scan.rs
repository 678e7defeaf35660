//! One pass over the rows of a segment, past the record's members in memory.

use std::collections::HashSet;

use segment_diff::{
    Fingerprint, FingerprintKey,
    probe::{Observation, Probe},
};

use super::{
    delta::{Change, Delta, Move, fingerprint},
    error::RunError,
    excluded::Excluded,
    journal::Entry,
    push_down::{Changes, Met, PushDown, Rows, Spellings, occurrences},
    sightings::Sightings,
    special::Special,
    warehouse_key::WarehouseKey,
};
use crate::{
    Identifier, IdentifierKind, KeyBatch, KeyedRow, Reject, RejectedRow, SegmentSource,
    SourceError, source::CheckedScan,
};

/// Rows that are normalised before the first of them is looked up, so that the processor waits for
/// memory once for many of them.
const AT_ONCE: usize = 64;

/// The state of one pass.
pub(super) struct Scan<'a> {
    pub(super) key: &'a FingerprintKey,
    pub(super) kind: IdentifierKind,
    pub(super) special: &'a Special<'a>,
    pub(super) excluded: &'a Excluded,
    pub(super) show_rejects: usize,
    pub(super) probe: Probe,
    pub(super) sightings: Sightings,
    /// Special members met in the segment.
    pub(super) seen: HashSet<Fingerprint>,
    /// Excluded members met in the segment.
    pub(super) left_out: HashSet<Fingerprint>,
    pub(super) delta: Delta,
}

/// A row of which it is known who it is, if it is anybody.
struct Row<'a> {
    raw: KeyedRow<'a>,
    who: Result<(Identifier, Fingerprint), Reject>,
}

impl Scan<'_> {
    pub(super) async fn read(&mut self, rows: &Rows<'_>) -> Result<(), RunError> {
        match rows {
            Rows::Segment(source) => self.read_segment(*source).await,
            Rows::Staged(push_down) => Ok(self.read_staged(push_down).await?),
            Rows::Changed(changes) => Ok(self.read_changed(changes)?),
        }
    }

    async fn read_segment(&mut self, source: &dyn SegmentSource) -> Result<(), RunError> {
        let mut scan = CheckedScan::new(source.open().await?);
        while let Some(batch) = scan.next_batch().await? {
            // A contact id never changes, so there is nothing to learn from keys.
            let has_keys = batch.has_warehouse_keys() && self.kind != IdentifierKind::ContactId;
            self.each_row(&batch, |scan, row| {
                let key = has_keys.then(|| scan.sightings.print(row.raw.warehouse_key));
                scan.row(row, key);
                Ok(())
            })?;
        }
        self.delta.as_of = scan.as_of();
        Ok(())
    }

    async fn read_staged(&mut self, push_down: &PushDown) -> Result<(), SourceError> {
        let mut spellings = Spellings::of_new_table();
        let mut scan = push_down.staged().await?;
        while let Some(batch) = scan.next_batch().await? {
            self.each_row(&batch, |scan, row| {
                let KeyedRow { identifier, warehouse_key } = row.raw;
                let met = scan.counted_row(row, occurrences(warehouse_key)?);
                spellings.note(identifier, met, false);
                Ok(())
            })?;
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
        for batch in &changes.added {
            self.each_row(batch, |scan, row| {
                let KeyedRow { identifier, warehouse_key } = row.raw;
                let met = scan.counted_row(row, occurrences(warehouse_key)?);
                let is_spelt_otherwise =
                    matches!(met, Met::Recorded(member) if changes.stands(&member, scan.special));
                spellings.note(identifier, met, is_spelt_otherwise);
                Ok(())
            })?;
        }
        self.delta.as_of = changes.as_of;
        self.delta.spellings = Some(spellings);
        Ok(())
    }

    /// Takes the rows in their order.
    fn each_row<'b>(
        &mut self,
        batch: &'b KeyBatch,
        mut take: impl FnMut(&mut Self, Row<'b>) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let mut rows = batch.rows();
        let (mut lined_up, mut members) = (Vec::new(), Vec::new());
        loop {
            lined_up.extend(rows.by_ref().take(AT_ONCE).map(|raw| self.look_at(raw)));
            if lined_up.is_empty() {
                return Ok(());
            }
            let who = lined_up.iter().filter_map(|row| row.who.as_ref().ok());
            members.extend(who.map(|(_, member)| *member));
            self.probe.warm(&members);
            members.clear();
            for row in lined_up.drain(..) {
                take(self, row)?;
            }
        }
    }

    fn look_at<'b>(&self, raw: KeyedRow<'b>) -> Row<'b> {
        let who = self.kind.normalise(raw.identifier).map(|identifier| {
            let member = fingerprint(self.key, &identifier);
            (identifier, member)
        });
        Row { raw, who }
    }

    fn row(&mut self, row: Row<'_>, key: RowKey) {
        match row.who {
            Ok((identifier, member)) => _ = self.member(identifier, member, key),
            Err(reason) => {
                // Whoever has no address any more is not reached under an old one either.
                if let Some(key) = key.filter(|_| reason != Reject::Empty) {
                    self.sightings.unusable(key);
                }
                self.reject(reason, row.raw.identifier, 1);
            }
        }
    }

    /// A row that stands for as many as are equal.
    fn counted_row(&mut self, row: Row<'_>, rows: u64) -> Met {
        match row.who {
            Ok((identifier, member)) => self.member(identifier, member, None),
            Err(reason) => {
                self.reject(reason, row.raw.identifier, rows);
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

    fn member(&mut self, identifier: Identifier, member: Fingerprint, key: RowKey) -> Met {
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
