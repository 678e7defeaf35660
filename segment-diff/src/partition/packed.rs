use std::mem;

use super::{Exhausted, Located, Room, Shape};

/// How the eight bytes of an entry are divided: the upper bits are of the hash of its key, the
/// lower ones say how far behind the first key of its batch its key is.
///
/// So few bits of a hash prove nothing: whoever compares such entries has to verify the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    /// The bits of a distance.
    mask: u64,
    /// The bits of a hash that are kept: all others, but in tests.
    kept: u64,
    /// The most keys of a batch.
    batch: usize,
}

impl Packing {
    /// Suits so many keys that are `length` bytes long on average.
    pub(crate) fn for_keys(keys: u64, length: u64) -> Self {
        let batch = usize::try_from(keys).unwrap_or(MOST_KEYS).clamp(1, MOST_KEYS);
        let bytes = length.max(1).saturating_mul(batch as u64);
        Self::new(bytes.ilog2() + 1, batch)
    }

    pub(crate) fn new(distance: u32, batch: usize) -> Self {
        let mask = (1 << distance.min(MOST_DISTANCE)) - 1;
        Self { mask, kept: !mask, batch: batch.clamp(1, MOST_KEYS) }
    }

    /// Keeps no more than so many bits of a hash.
    #[cfg(test)]
    pub(crate) fn keeping(self, bits: u32) -> Self {
        let highest = u64::MAX.checked_shl(64 - bits).unwrap_or(0);
        Self { kept: self.kept & highest, ..self }
    }

    /// The bits of a hash that an entry keeps, uniformly spread over a word.
    pub(crate) fn bits(self, hash: u128) -> u64 {
        spread(hash as u64 & self.kept)
    }

    /// The bytes of the batch that a [`PackedDealer`] is filling.
    pub(crate) const fn buffers(self) -> usize {
        self.batch * (size_of::<u64>() + size_of::<u16>())
    }

    /// The bytes that so many entries take at most, dealt out by one worker to so many partitions.
    pub(crate) fn bytes(self, entries: u64, shape: Shape) -> u64 {
        let batches = entries / self.batch as u64 + 1;
        let starts = (shape.partitions() + 1) * size_of::<u32>();
        entries * size_of::<u64>() as u64 + batches * starts as u64
    }
}

/// What entries are to be read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    mask: u64,
    /// The place of the first key of their batch.
    first: u64,
}

impl Origin {
    /// The [bits](Packing::bits) of the hash of an entry, and its place.
    #[inline]
    pub(crate) fn unpack(self, entry: u64) -> Located {
        [spread(entry & !self.mask), self.first + (entry & self.mask)]
    }
}

/// Makes the lowest bits depend on the hash as well; different words stay different.
#[inline]
const fn spread(bits: u64) -> u64 {
    bits ^ bits >> MOST_DISTANCE
}

const MOST_DISTANCE: u32 = 28;

/// With their partitions, those of other threads and what they are sorted into, so many fit into
/// the second-level cache.
pub(crate) const MOST_KEYS: usize = 1 << 16;

/// Deals entries out by their hash, in one worker, which comes upon ever higher places.
///
/// To write here and there into memory that is far away costs more than anything else that is done
/// to an entry. So a batch of them is sorted by partition where it is at hand, and put down in one
/// piece.
pub(crate) struct PackedDealer<'a> {
    packing: Packing,
    /// The place of the first key of the batch.
    first: u64,
    entries: Vec<u64>,
    /// Of each entry, its partition.
    partitions: Vec<u16>,
    /// Of each partition, how many entries it has.
    counts: Vec<u32>,
    dealt: PackedPartitions<'a>,
}

impl<'a> PackedDealer<'a> {
    pub(crate) fn new(shape: Shape, packing: Packing, room: &'a Room) -> Self {
        Self {
            packing,
            first: 0,
            entries: Vec::with_capacity(packing.batch),
            partitions: Vec::with_capacity(packing.batch),
            counts: vec![0; shape.partitions()],
            dealt: PackedPartitions {
                room,
                taken: 0,
                shape,
                mask: packing.mask,
                batches: Vec::new(),
            },
        }
    }

    /// Adds keys by their hashes and places, which ascend, and are not below those before.
    #[inline]
    pub(crate) fn extend(
        &mut self,
        hashes: &[u128],
        places: impl Iterator<Item = u64>,
    ) -> Result<(), Exhausted> {
        let (shape, Packing { mask, kept, .. }) = (self.dealt.shape, self.packing);
        for (hash, place) in hashes.iter().zip(places) {
            let mut distance = place.wrapping_sub(self.first);
            if distance > mask || self.entries.len() == self.packing.batch {
                self.put_down()?;
                self.first = place;
                distance = 0;
            }
            let partition = shape.partition((hash >> 64) as u64);
            self.counts[partition] += 1;
            self.partitions.push(partition as u16);
            self.entries.push(*hash as u64 & kept | distance);
        }
        Ok(())
    }

    /// Puts the batch down, and begins another.
    #[cold]
    fn put_down(&mut self) -> Result<(), Exhausted> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let count = self.entries.len();
        self.dealt.take(size_of::<u64>() * count + size_of::<u32>() * (self.counts.len() + 1))?;
        let mut starts = Vec::with_capacity(self.counts.len() + 1);
        let mut start = 0;
        for count in &mut self.counts {
            starts.push(start);
            start += mem::replace(count, start);
        }
        starts.push(start);
        // Zeros, because the system hands out such memory without touching it.
        let mut entries = vec![0; count].into_boxed_slice();
        for (entry, partition) in self.entries.iter().zip(&self.partitions) {
            let at = &mut self.counts[usize::from(*partition)];
            entries[*at as usize] = *entry;
            *at += 1;
        }
        self.counts.fill(0);
        self.entries.clear();
        self.partitions.clear();
        let starts = starts.into_boxed_slice();
        self.dealt.batches.push(Batch { first: self.first, entries, starts });
        Ok(())
    }

    /// Ends dealing out.
    pub(crate) fn finish(mut self) -> Result<PackedPartitions<'a>, Exhausted> {
        self.put_down()?;
        Ok(self.dealt)
    }
}

/// Entries dealt out by their hash, by one worker.
pub(crate) struct PackedPartitions<'a> {
    room: &'a Room,
    taken: usize,
    shape: Shape,
    mask: u64,
    batches: Vec<Batch>,
}

/// Entries in the order of their partitions.
struct Batch {
    first: u64,
    entries: Box<[u64]>,
    /// Where each partition starts, and the end of the last.
    starts: Box<[u32]>,
}

impl PackedPartitions<'_> {
    fn take(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.room.take(bytes)?;
        self.taken += bytes;
        Ok(())
    }

    /// The entries of a partition, some at a time, each with what it is to be read with.
    pub(crate) fn entries(&self, partition: usize) -> impl Iterator<Item = (Origin, &[u64])> {
        self.batches.iter().map(move |batch| {
            let (start, end) = (batch.starts[partition], batch.starts[partition + 1]);
            let origin = Origin { mask: self.mask, first: batch.first };
            (origin, &batch.entries[start as usize..end as usize])
        })
    }

    /// The number of entries of a partition.
    pub(crate) fn len(&self, partition: usize) -> usize {
        self.entries(partition).map(|(_, entries)| entries.len()).sum()
    }
}

impl Drop for PackedPartitions<'_> {
    fn drop(&mut self) {
        self.room.give_back(self.taken);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entries_come_back_in_order_with_their_places(
            keys in vec((any::<u128>(), prop_oneof![0..20_u64, 0..1_u64 << 33]), 0..60),
            distance in 1..40_u32,
            batch in 1..9_usize,
            bits in 0..4_u32,
        ) {
            let room = Room::new(1 << 24);
            let shape = Shape { bits, chunk: 1, slab: 1 };
            let packing = Packing::new(distance, batch);
            let mut dealer = PackedDealer::new(shape, packing, &room);
            let mut expected = vec![Vec::new(); shape.partitions()];
            let mut place = 0;
            for (hash, step) in keys {
                place += step;
                dealer.extend(&[hash], [place].into_iter()).unwrap();
                expected[shape.partition((hash >> 64) as u64)].push([packing.bits(hash), place]);
            }
            let dealt = dealer.finish().unwrap();
            for (partition, expected) in expected.iter().enumerate() {
                let found: Vec<Located> = dealt
                    .entries(partition)
                    .flat_map(|(origin, entries)| entries.iter().map(move |entry| origin.unpack(*entry)))
                    .collect();
                prop_assert_eq!(&found, expected);
                prop_assert_eq!(dealt.len(partition), expected.len());
            }
            drop(dealt);
            prop_assert_eq!(room.left(), 1 << 24);
        }

        #[test]
        fn bits_are_the_same_if_what_is_kept_is(hash: u128, flip in 0..128_u32, distance in 0..=MOST_DISTANCE) {
            let packing = Packing::new(distance, 1);
            let same = packing.bits(hash) == packing.bits(hash ^ (1 << flip));
            prop_assert_eq!(same, flip < distance || flip >= 64);
        }
    }

    #[test]
    fn longer_keys_and_more_of_them_leave_fewer_bits_to_the_hash() {
        let distance = |keys, length| Packing::for_keys(keys, length).mask.count_ones();
        let distances =
            [distance(0, 0), distance(1, 28), distance(1000, 28), distance(10_000_000, 28)];
        assert_eq!(distances, [1, 5, 15, 21]);
        assert_eq!(distance(u64::MAX, u64::MAX), MOST_DISTANCE);
    }

    #[test]
    fn what_exceeds_the_budget_is_refused() {
        let shape = Shape { bits: 1, chunk: 1, slab: 1 };
        let room = Room::new(150);
        let mut dealer = PackedDealer::new(shape, Packing::new(20, 4), &room);
        // Each batch takes three starts and four entries.
        let dealt = (0..100).take_while(|place| dealer.extend(&[7], [*place].into_iter()).is_ok());
        assert_eq!(dealt.count(), 16);
        drop(dealer);
        assert_eq!(room.left(), 150);
    }
}
