use crate::partition::{Exhausted, Located, Room, Seen};

/// The bits of hashes of one partition, by open addressing in buckets of eight, which are compared
/// at once.
pub(crate) struct PackedTable<'a> {
    room: &'a Room,
    buckets: Vec<Bucket>,
    marks: Vec<Marks>,
    /// Of each slot, the place of its key: apart, because it is hardly ever read.
    places: Vec<[u64; WIDTH]>,
    /// Entries that may yet be added before it has to grow.
    free: usize,
}

/// As long as a line of the cache, and in one.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Bucket([u64; WIDTH]);

/// A bit for each slot of a bucket.
#[derive(Clone, Copy, Default)]
struct Marks {
    /// It is taken: the lowest first.
    taken: u8,
    /// The current side has it.
    current: u8,
}

/// Slots of a bucket.
pub(crate) const WIDTH: usize = 8;

/// Where an entry is, or would be.
#[derive(Clone, Copy)]
struct Slot {
    bucket: usize,
    /// Set where the entry is; none if it is nowhere.
    same: u8,
}

impl<'a> PackedTable<'a> {
    pub(crate) const fn new(room: &'a Room) -> Self {
        Self { room, buckets: Vec::new(), marks: Vec::new(), places: Vec::new(), free: 0 }
    }

    /// Forgets everything, and makes room for `keys` different keys; more may come.
    pub(crate) fn reset(&mut self, keys: usize) -> Result<(), Exhausted> {
        let buckets = (keys / 5 + 1).next_power_of_two();
        if buckets > self.buckets.len() {
            self.allocate(buckets)?;
        }
        self.marks.clear();
        self.marks.resize(buckets, Marks::default());
        self.free = room_in(buckets);
        Ok(())
    }

    /// Makes sure that there is room for so many keys more.
    pub(crate) fn reserve(&mut self, keys: usize) -> Result<Open<'_>, Exhausted> {
        while self.free < keys {
            self.grow()?;
        }
        let Self { buckets, marks, places, free, .. } = self;
        let mask = marks.len() - 1;
        Ok(Open { buckets, marks, places, mask, free })
    }

    /// The keys of the previous side that the current side does not have, with their places.
    pub(crate) fn missing(&self) -> impl Iterator<Item = Located> {
        let buckets = self.marks.iter().zip(&self.buckets).zip(&self.places);
        buckets.flat_map(|((marks, bucket), places)| {
            let mut slots = marks.taken & !marks.current;
            std::iter::from_fn(move || {
                let slot = slots.trailing_zeros() as usize;
                slots &= slots.checked_sub(1)?;
                Some([bucket.0[slot], places[slot]])
            })
        })
    }

    #[cold]
    fn grow(&mut self) -> Result<(), Exhausted> {
        let mut larger = Self::new(self.room);
        let buckets = 2 * self.marks.len();
        larger.allocate(buckets)?;
        larger.marks.resize(buckets, Marks::default());
        larger.free = room_in(buckets);
        let mut open = larger.reserve(0)?;
        // All of them differ.
        let nowhere = |_: &[u64; WIDTH], _| 0;
        for (bucket, marks) in self.marks.iter().enumerate() {
            for slot in 0..marks.taken.trailing_ones() as usize {
                let (bits, place) = (self.buckets[bucket].0[slot], self.places[bucket][slot]);
                let at = open.find(bits, &nowhere).bucket;
                open.put(at, bits, place, marks.current >> slot & 1);
            }
        }
        *self = larger;
        Ok(())
    }

    fn allocate(&mut self, buckets: usize) -> Result<(), Exhausted> {
        self.release();
        self.room.take(buckets * BUCKET)?;
        self.buckets = vec![Bucket([0; WIDTH]); buckets];
        self.places = vec![[0; WIDTH]; buckets];
        self.marks = Vec::with_capacity(buckets);
        Ok(())
    }

    fn release(&mut self) {
        self.room.give_back(self.buckets.len() * BUCKET);
        (self.buckets, self.places, self.marks) = (Vec::new(), Vec::new(), Vec::new());
    }
}

/// A table that has room for what is to come.
pub(crate) struct Open<'t> {
    buckets: &'t mut [Bucket],
    marks: &'t mut [Marks],
    places: &'t mut [[u64; WIDTH]],
    mask: usize,
    free: &'t mut usize,
}

impl Open<'_> {
    /// Adds a key of the previous side, unless there is one with its bits; says whether it did.
    #[inline(always)]
    pub(crate) fn insert(
        &mut self,
        [bits, place]: Located,
        eight: &impl Fn(&[u64; WIDTH], u64) -> u8,
    ) -> bool {
        let slot = self.find(bits, eight);
        if slot.same == 0 {
            self.put(slot.bucket, bits, place, 0);
        }
        slot.same == 0
    }

    /// Notes a key of the current side.
    #[inline(always)]
    pub(crate) fn note(&mut self, bits: u64, eight: &impl Fn(&[u64; WIDTH], u64) -> u8) -> Seen {
        let slot = self.find(bits, eight);
        if slot.same == 0 {
            self.put(slot.bucket, bits, 0, 1);
            return Seen::Added;
        }
        let marks = &mut self.marks[slot.bucket];
        let seen = if marks.current & slot.same == 0 { Seen::Kept } else { Seen::Again };
        marks.current |= slot.same;
        seen
    }

    #[inline(always)]
    fn find(&self, bits: u64, eight: &impl Fn(&[u64; WIDTH], u64) -> u8) -> Slot {
        let mut bucket = bits as usize & self.mask;
        loop {
            let taken = self.marks[bucket].taken;
            let same = eight(&self.buckets[bucket].0, bits) & taken;
            if same != 0 || taken != u8::MAX {
                return Slot { bucket, same };
            }
            bucket = (bucket + 1) & self.mask;
        }
    }

    /// Into a bucket that is not full; `current` is 1 for a key of that side.
    #[inline(always)]
    fn put(&mut self, bucket: usize, bits: u64, place: u64, current: u8) {
        *self.free -= 1;
        let marks = &mut self.marks[bucket];
        let slot = marks.taken.trailing_ones() as usize % WIDTH;
        marks.taken |= 1 << slot;
        marks.current |= current << slot;
        self.buckets[bucket].0[slot] = bits;
        self.places[bucket][slot] = place;
    }
}

impl Drop for PackedTable<'_> {
    fn drop(&mut self) {
        self.release();
    }
}

/// Bytes that a bucket takes.
const BUCKET: usize = size_of::<Bucket>() + size_of::<Marks>() + size_of::<[u64; WIDTH]>();

/// So many entries that hardly any bucket is full.
const fn room_in(buckets: usize) -> usize {
    buckets * 6
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::{EightMatcher, eight, match_eight};

    /// Tells a table of both sides, some entries at a time, and checks what it says.
    struct Telling<'t, 'r> {
        table: &'t mut PackedTable<'r>,
        previous: &'t [u64],
        current: &'t [u64],
        piece: usize,
    }

    impl EightMatcher for Telling<'_, '_> {
        type Output = Vec<Located>;

        #[inline(always)]
        fn run(self, eight: impl Fn(&[u64; WIDTH], u64) -> u8) -> Self::Output {
            let mut before = BTreeMap::new();
            for (index, some) in self.previous.chunks(self.piece).enumerate() {
                let mut open = self.table.reserve(some.len()).unwrap();
                for (within, bits) in some.iter().enumerate() {
                    let place = (index * self.piece + within) as u64;
                    let new = before.len();
                    before.entry(*bits).or_insert(place);
                    assert_eq!(open.insert([*bits, place], &eight), before.len() > new);
                }
            }
            let mut after = std::collections::BTreeSet::new();
            for some in self.current.chunks(self.piece) {
                let mut open = self.table.reserve(some.len()).unwrap();
                for bits in some {
                    let expected = match (after.insert(*bits), before.contains_key(bits)) {
                        (false, _) => Seen::Again,
                        (true, true) => Seen::Kept,
                        (true, false) => Seen::Added,
                    };
                    assert_eq!(open.note(*bits, &eight), expected);
                }
            }
            let mut missing: Vec<Located> = self.table.missing().collect();
            missing.sort_unstable();
            before.retain(|bits, _| !after.contains(bits));
            assert!(
                missing.iter().copied().eq(before.into_iter().map(|(bits, place)| [bits, place]))
            );
            missing
        }
    }

    /// Few values, zero among them, so that they repeat and lie in few buckets.
    fn values() -> impl Strategy<Value = Vec<u64>> {
        vec((0..3_u64, 0..40_u64).prop_map(|(high, low)| high << 60 | low), 0..200)
    }

    proptest! {
        #[test]
        fn a_table_knows_what_it_was_told(
            previous in values(),
            current in values(),
            size in 0..100_usize,
            piece in 1..50_usize,
        ) {
            let room = Room::new(1 << 20);
            let used = || {
                let mut table = PackedTable::new(&room);
                table.reset(3).unwrap();
                table.reserve(1).unwrap().insert([77, 0], &eight);
                table.reset(size).unwrap();
                table
            };
            let (mut one, mut other) = (used(), used());
            let (previous, current) = (&previous[..], &current[..]);
            let detected = match_eight(Telling { table: &mut one, previous, current, piece });
            let portable = Telling { table: &mut other, previous, current, piece }.run(eight);
            prop_assert_eq!(detected, portable);
        }
    }

    #[test]
    fn a_table_that_may_not_grow_says_so_and_gives_all_back() {
        let room = Room::new(2 * BUCKET);
        let mut table = PackedTable::new(&room);
        table.reset(1).unwrap();
        assert!(table.reserve(6).is_ok());
        assert!(table.reserve(7).is_err());
        drop(table);
        assert_eq!(room.left(), 2 * BUCKET);
    }
}
