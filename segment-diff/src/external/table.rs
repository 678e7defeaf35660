use super::ExternalError;
use super::partitions::Pieces;
use super::record::Record;
use crate::lines::Meter;

/// The records of one partition of the previous side, and those of the current side that are not
/// among them, by the hash of their keys; all of it in memory reserved beforehand.
pub(super) struct Table {
    /// Whole records, up to `filled`.
    bytes: Vec<u8>,
    filled: usize,
    /// Open addressing. A slot is the tag of a record, above its offset, above a bit that says
    /// whether the current side has it, above a bit that says whether the slot is used.
    slots: Vec<u64>,
    /// The number of slots in use for this partition is two to the power of this.
    bits: u32,
    /// Slots that may still be taken.
    room: usize,
    width: usize,
    version: usize,
}

/// What became of a record of the current side.
pub(super) enum Lookup<'a> {
    /// Its key was looked up before.
    Repeated,
    /// The previous side has it, with the same version.
    Unchanged,
    /// The previous side has it, with this value.
    Changed(&'a [u8]),
    /// The previous side has not got it.
    Added,
}

impl Table {
    /// For records with values of `width` bytes, of which the first `version` decide whether a
    /// record changed.
    pub(super) fn new(
        room: TableRoom,
        width: usize,
        version: usize,
    ) -> Result<Self, ExternalError> {
        let (mut bytes, mut slots) = (Vec::new(), Vec::new());
        bytes
            .try_reserve_exact(room.bytes)
            .and_then(|()| slots.try_reserve_exact(room.slots))
            .map_err(|source| ExternalError::Memory { bytes: room.total(), source })?;
        bytes.resize(room.bytes, 0);
        slots.resize(room.slots, 0);
        Ok(Self { bytes, filled: 0, slots, bits: 0, room: 0, width, version })
    }

    /// Replaces the content by a partition of the previous side, of at most `records` records,
    /// counted with repetitions. `false` where it does not fit.
    pub(super) fn load(
        &mut self,
        pieces: &mut Pieces<'_>,
        records: u64,
        meter: &Meter<'_>,
    ) -> Result<bool, ExternalError> {
        let slots = TableRoom::slots(records).min(self.slots.len());
        self.bits = slots.ilog2();
        self.room = TableRoom::records(slots);
        self.slots[..slots].fill(0);
        // Records before `kept` stay; those from `next` to `end` are still to be looked at. Only
        // repetitions open a gap between the two.
        let (mut kept, mut next, mut end) = (0, 0, 0);
        while let Some(length) = pieces.length() {
            if next > kept {
                self.bytes.copy_within(next..end, kept);
                (next, end) = (kept, kept + end - next);
            }
            let Some(space) = self.bytes.get_mut(end..end + length) else { return Ok(false) };
            pieces.read(space)?;
            meter.read(length as u64);
            end += length;
            while let Some(record) = Record::parse(&self.bytes[next..end], self.width) {
                if next > kept {
                    self.bytes.copy_within(next..next + record.length, kept);
                }
                next += record.length;
                match self.find(record.tag, &self.bytes[kept..kept + record.value]) {
                    Ok(_) => {}
                    Err(_) if self.room == 0 => return Ok(false),
                    Err(free) => {
                        self.slots[free] = slot(record.tag, kept);
                        self.room -= 1;
                        kept += record.length;
                    }
                }
            }
        }
        self.filled = kept;
        Ok(true)
    }

    /// The slot of the record that begins as `head` does, which ends with the key, or the free
    /// slot where it would be. Heads state their lengths, so none is the beginning of another.
    #[inline]
    fn find(&self, tag: u32, head: &[u8]) -> Result<usize, usize> {
        let mask = (1 << self.bits) - 1;
        let mut index = tag as usize & mask;
        loop {
            let slot = self.slots[index];
            if slot & USED == 0 {
                return Err(index);
            }
            if (slot >> 32) as u32 == tag && self.bytes[offset(slot)..].starts_with(head) {
                return Ok(index);
            }
            index = (index + 1) & mask;
        }
    }

    fn record_at(&self, offset: usize) -> (Record, &[u8]) {
        let bytes = &self.bytes[offset..];
        let record = Record::parse(bytes, self.width).expect("the table holds whole records");
        (record, &bytes[..record.length])
    }

    /// Looks up a record of the current side, which lies at the front of `bytes`, and keeps it in
    /// mind.
    #[inline]
    pub(super) fn look_up(&mut self, record: Record, bytes: &[u8]) -> Lookup<'_> {
        match self.find(record.tag, &bytes[..record.value]) {
            Ok(index) => {
                let offset = offset(self.slots[index]);
                if self.slots[index] & SEEN != 0 {
                    return Lookup::Repeated;
                }
                self.slots[index] |= SEEN;
                if self.width == 0 {
                    return Lookup::Unchanged;
                }
                let (old, old_bytes) = self.record_at(offset);
                let (previous, current) = (old.value_of(old_bytes), record.value_of(bytes));
                if previous[..self.version] == current[..self.version] {
                    Lookup::Unchanged
                } else {
                    Lookup::Changed(previous)
                }
            }
            Err(free) => {
                // Where it does not fit its repetitions are not noticed here, but later.
                let end = self.filled + record.length;
                if self.room > 0 && end <= self.bytes.len() {
                    self.bytes[self.filled..end].copy_from_slice(&bytes[..record.length]);
                    self.slots[free] = slot(record.tag, self.filled) | SEEN;
                    self.room -= 1;
                    self.filled = end;
                }
                Lookup::Added
            }
        }
    }

    /// Key and value of each record of the previous side that was not looked up.
    pub(super) fn removed(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let slots = self.slots[..1 << self.bits].iter();
        let unseen = slots.filter(|slot| **slot & (USED | SEEN) == USED);
        unseen.map(|slot| {
            let (record, bytes) = self.record_at(offset(*slot));
            (record.key_of(bytes), record.value_of(bytes))
        })
    }
}

/// How large a table is.
#[derive(Clone, Copy)]
pub(super) struct TableRoom {
    bytes: usize,
    slots: usize,
}

impl TableRoom {
    /// Just what a partition needs of which this much is known.
    pub(super) fn for_partition(bytes: u64, records: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Self { bytes, slots: Self::slots(records) }
    }

    /// As much as `memory` holds, divided in a way that suits records of about 36 bytes.
    pub(super) fn within(memory: usize) -> Self {
        let slots = memory / 3 / size_of::<u64>();
        let slots = if slots < 4 { 2 } else { 1 << slots.ilog2() };
        let bytes = memory.saturating_sub(slots * size_of::<u64>()).min(MOST_BYTES);
        Self { bytes, slots }
    }

    pub(super) fn total(self) -> usize {
        self.bytes.saturating_add(self.slots.saturating_mul(size_of::<u64>()))
    }

    /// As large as both.
    pub(super) fn union(self, other: Self) -> Self {
        Self { bytes: self.bytes.max(other.bytes), slots: self.slots.max(other.slots) }
    }

    pub(super) fn fits(self) -> bool {
        self.bytes <= MOST_BYTES
    }

    /// Slots for so many records, a fifth of them free at least.
    fn slots(records: u64) -> usize {
        let records = usize::try_from(records).unwrap_or(usize::MAX / 8).min(usize::MAX / 8);
        (records + records / 4 + 2).next_power_of_two()
    }

    fn records(slots: usize) -> usize {
        slots - slots / 5 - 1
    }
}

fn slot(tag: u32, offset: usize) -> u64 {
    u64::from(tag) << 32 | (offset as u64) << 2 | USED
}

fn offset(slot: u64) -> usize {
    (slot as u32 >> 2) as usize
}

const USED: u64 = 1;
const SEEN: u64 = 2;

/// What the offset in a slot can reach.
const MOST_BYTES: usize = 1 << 30;
