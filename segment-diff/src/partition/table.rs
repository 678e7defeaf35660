use super::{Exhausted, Room};

/// What is dealt out and compared: small and plain, all zeros being one of them.
pub(crate) trait Entry: Copy + Send + Sync {
    const ZERO: Self;

    /// Bits that are uniformly spread, alike for entries that are the same.
    fn bits(self) -> u64;

    /// Whether both stand for the same key, as far as the entries tell.
    fn is_same(self, other: Self) -> bool;
}

impl Entry for u64 {
    const ZERO: Self = 0;

    fn bits(self) -> u64 {
        self
    }

    fn is_same(self, other: Self) -> bool {
        self == other
    }
}

impl Entry for u128 {
    const ZERO: Self = 0;

    fn bits(self) -> u64 {
        self as u64
    }

    fn is_same(self, other: Self) -> bool {
        self == other
    }
}

/// How a key of the current side stands to what came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It is on neither side so far.
    Added,
    /// It is on the previous side, and the first of its kind on the current one.
    Kept,
    /// It came before on the current side.
    Again,
}

/// The keys of one partition, by open addressing in buckets of eight.
///
/// A word holds a byte for each entry of its bucket, so that one comparison nearly always finds
/// the only candidate, or that there is none, without a branch that cannot be predicted.
///
/// What is done for every entry is always a part of its caller: a call for each was found to show in
/// the time of a whole difference.
pub(crate) struct Table<'a, E> {
    room: &'a Room,
    tags: Vec<u64>,
    entries: Vec<[E; 8]>,
    /// Entries that may yet be added before it has to grow.
    free: usize,
}

/// Set in the byte of a slot that is taken; six bits of the entry follow.
const TAKEN: u64 = 0x80;
/// Set in the byte of an entry that the current side has.
const CURRENT: u64 = 0x40;
/// One in every byte of a word.
const EACH: u64 = 0x0101_0101_0101_0101;

impl<'a, E: Entry> Table<'a, E> {
    pub(crate) const fn new(room: &'a Room) -> Self {
        Self { room, tags: Vec::new(), entries: Vec::new(), free: 0 }
    }

    /// Forgets everything, and makes room for `keys` different keys; more may come.
    pub(crate) fn reset(&mut self, keys: usize) -> Result<(), Exhausted> {
        let buckets = (keys / 5 + 1).next_power_of_two();
        if buckets > self.entries.len() {
            self.allocate(buckets)?;
        } else {
            self.tags.clear();
            self.tags.resize(buckets, 0);
        }
        self.free = room_in(buckets);
        Ok(())
    }

    /// Adds a key of the previous side, unless it is there; says whether it did.
    #[inline(always)]
    pub(crate) fn insert(
        &mut self,
        entry: E,
        same: impl Fn(E, E) -> bool,
    ) -> Result<bool, Exhausted> {
        let place = self.find(entry, same);
        if !place.found {
            self.put(place, entry, 0)?;
        }
        Ok(!place.found)
    }

    /// Notes a key of the current side.
    #[inline(always)]
    pub(crate) fn note(
        &mut self,
        entry: E,
        same: impl Fn(E, E) -> bool,
    ) -> Result<Seen, Exhausted> {
        let place = self.find(entry, same);
        if !place.found {
            self.put(place, entry, CURRENT)?;
            return Ok(Seen::Added);
        }
        let flag = CURRENT << (8 * place.slot);
        let tags = &mut self.tags[place.bucket];
        let seen = if *tags & flag == 0 { Seen::Kept } else { Seen::Again };
        *tags |= flag;
        Ok(seen)
    }

    /// The keys of the previous side that the current side does not have.
    pub(crate) fn missing(&self) -> impl Iterator<Item = E> {
        self.tags.iter().zip(&self.entries).flat_map(|(tags, entries)| {
            let mut slots = tags & !(tags << 1) & (TAKEN * EACH);
            std::iter::from_fn(move || {
                let slot = slots.trailing_zeros() / 8;
                slots &= slots.checked_sub(1)?;
                Some(entries[slot as usize])
            })
        })
    }

    /// `same_key` says whether an entry of the table, the first, stands for the key of another.
    #[inline(always)]
    fn find(&self, entry: E, same_key: impl Fn(E, E) -> bool) -> Place {
        let mask = self.tags.len() - 1;
        let pattern = tag(entry) * EACH;
        let mut bucket = entry.bits() as usize & mask;
        loop {
            let tags = self.tags[bucket];
            let other = (tags & !(CURRENT * EACH)) ^ pattern;
            // Marks every byte that is zero, and now and then another, which the entry refutes.
            let mut same = other.wrapping_sub(EACH) & !other & (TAKEN * EACH);
            while same != 0 {
                let slot = same.trailing_zeros() / 8;
                if same_key(self.entries[bucket][slot as usize], entry) {
                    return Place { bucket, slot, found: true };
                }
                same &= same - 1;
            }
            let free = !tags & (TAKEN * EACH);
            if free != 0 {
                return Place { bucket, slot: free.trailing_zeros() / 8, found: false };
            }
            bucket = (bucket + 1) & mask;
        }
    }

    #[inline(always)]
    fn put(&mut self, mut place: Place, entry: E, flag: u64) -> Result<(), Exhausted> {
        if self.free == 0 {
            self.grow()?;
            place = self.find(entry, |_, _| false);
        }
        self.free -= 1;
        self.tags[place.bucket] |= (tag(entry) | flag) << (8 * place.slot);
        self.entries[place.bucket][place.slot as usize] = entry;
        Ok(())
    }

    #[cold]
    fn grow(&mut self) -> Result<(), Exhausted> {
        let mut larger = Self::new(self.room);
        larger.allocate(2 * self.tags.len())?;
        larger.free = room_in(larger.tags.len());
        for (tags, entries) in self.tags.iter().zip(&self.entries) {
            for (slot, entry) in entries.iter().enumerate() {
                let tag = tags >> (8 * slot);
                if tag & TAKEN != 0 {
                    larger.put(larger.find(*entry, |_, _| false), *entry, tag & CURRENT)?;
                }
            }
        }
        *self = larger;
        Ok(())
    }

    fn allocate(&mut self, buckets: usize) -> Result<(), Exhausted> {
        self.release();
        self.room.take(buckets * Self::BUCKET)?;
        self.tags = vec![0; buckets];
        self.entries = vec![[E::ZERO; 8]; buckets];
        Ok(())
    }

    fn release(&mut self) {
        self.room.give_back(self.entries.len() * Self::BUCKET);
        self.tags = Vec::new();
        self.entries = Vec::new();
    }

    const BUCKET: usize = size_of::<u64>() + size_of::<[E; 8]>();
}

impl<E> Drop for Table<'_, E> {
    fn drop(&mut self) {
        self.room.give_back(self.entries.len() * (size_of::<u64>() + size_of::<[E; 8]>()));
    }
}

/// Where an entry is, or would be.
#[derive(Clone, Copy)]
struct Place {
    bucket: usize,
    slot: u32,
    found: bool,
}

/// Bits that the choice of the bucket leaves over.
fn tag<E: Entry>(entry: E) -> u64 {
    TAKEN | entry.bits() >> 58
}

/// So many entries that hardly any bucket is full.
const fn room_in(buckets: usize) -> usize {
    buckets * 6
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn is_same(one: u128, other: u128) -> bool {
        one.is_same(other)
    }

    proptest! {
        /// Few values, so that they repeat, that lie in few buckets, have few tags, and often
        /// differ only where the table does not look to find their place.
        #[test]
        fn a_table_knows_what_it_was_told(
            previous in vec((0..3_u128, 0..4_u128, 0..30_u128), 0..200),
            current in vec((0..3_u128, 0..4_u128, 0..30_u128), 0..200),
            size in 0..100_usize,
        ) {
            let value = |(other, high, low)| other << 64 | high << 57 | low;
            let previous: Vec<u128> = previous.into_iter().map(value).collect();
            let current: Vec<u128> = current.into_iter().map(value).collect();
            let room = Room::new(1 << 20);
            let mut table = Table::new(&room);
            table.reset(size).unwrap();
            table.insert(77, is_same).unwrap();
            table.reset(size).unwrap();
            for value in &previous {
                table.insert(*value, is_same).unwrap();
            }
            let before: BTreeSet<u128> = previous.into_iter().collect();
            let mut after = BTreeSet::new();
            for value in current {
                let seen = table.note(value, is_same).unwrap();
                let expected = match (after.insert(value), before.contains(&value)) {
                    (false, _) => Seen::Again,
                    (true, true) => Seen::Kept,
                    (true, false) => Seen::Added,
                };
                prop_assert_eq!(seen, expected);
            }
            let mut missing: Vec<u128> = table.missing().collect();
            missing.sort_unstable();
            prop_assert!(missing.iter().eq(before.difference(&after)));
            drop(table);
            prop_assert_eq!(room.left(), 1 << 20);
        }
    }

    #[test]
    fn a_table_that_may_not_grow_says_so() {
        let room = Room::new(200);
        let mut table = Table::new(&room);
        table.reset(1).unwrap();
        let added = (0..100).take_while(|value| table.note(*value, is_same).is_ok()).count();
        assert!((6..=8).contains(&added), "{added}");
    }
}
