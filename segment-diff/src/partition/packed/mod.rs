//! Entries of eight bytes, dealt out in batches: in memory, or in temporary files.

mod compare;
mod dealer;
mod near;
mod store;
mod table;

pub(crate) use compare::{PackedFound, compare_packed};
pub(crate) use dealer::PackedDealer;
pub(crate) use near::Near;
pub(crate) use store::PackedPartitions;
pub(crate) use table::PackedTable;

use super::{Exhausted, Located, PLACE_BITS};
use crate::external::ExternalError;

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
    /// So many partitions, a power of two, are read from a temporary file at once.
    group: usize,
}

impl Packing {
    /// Suits batches of so many keys that are `length` bytes long on average.
    pub(crate) fn for_keys(keys: u64, length: u64) -> Self {
        let bytes = length.max(1).saturating_mul(keys.max(1));
        Self::new(bytes.ilog2() + 1, usize::try_from(keys).unwrap_or(usize::MAX))
    }

    pub(crate) fn new(distance: u32, batch: usize) -> Self {
        let mask = (1 << distance.min(MOST_DISTANCE)) - 1;
        Self { mask, kept: !mask, batch: batch.max(1), group: 1 }
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

    /// Reads so many partitions, a power of two, from a temporary file at once.
    pub(crate) fn grouped(self, group: usize) -> Self {
        Self { group, ..self }
    }

    /// What would be found of a key with this hash at this place.
    pub(crate) fn finding(self, hash: u128, place: u64) -> Finding {
        finding([self.bits(hash), place])
    }

    /// So many partitions are read at once.
    #[cfg(test)]
    pub(crate) const fn group(self) -> usize {
        self.group
    }

    /// The most keys of a batch.
    pub(crate) const fn batch(self) -> usize {
        self.batch
    }

    /// The entry of a key with this hash, so far behind the first of its batch.
    #[inline]
    fn pack(self, hash: u128, distance: u64) -> [u8; 8] {
        (hash as u64 & self.kept | distance).to_le_bytes()
    }
}

/// Why entries could not be dealt out or compared.
#[derive(Debug)]
pub(crate) enum PackedError {
    /// The memory does not suffice.
    Exhausted,
    /// A temporary file failed.
    File(ExternalError),
}

impl From<Exhausted> for PackedError {
    fn from(_: Exhausted) -> Self {
        Self::Exhausted
    }
}

impl From<ExternalError> for PackedError {
    fn from(error: ExternalError) -> Self {
        Self::File(error)
    }
}

/// What was found of a key, in one word: its place, and above it the highest bits of its hash.
pub(crate) type Finding = u64;

pub(crate) const fn finding([bits, place]: Located) -> Finding {
    bits >> PLACE_BITS << PLACE_BITS | place
}

/// Where the key is that something was found of.
pub(crate) const fn place_of(finding: Finding) -> u64 {
    finding & ((1 << PLACE_BITS) - 1)
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
    pub(crate) fn unpack(self, entry: [u8; 8]) -> Located {
        let entry = u64::from_le_bytes(entry);
        [spread(entry & !self.mask), self.first + (entry & self.mask)]
    }
}

/// Makes the lowest bits depend on the hash as well; different words stay different.
#[inline]
const fn spread(bits: u64) -> u64 {
    bits ^ bits >> MOST_DISTANCE
}

const MOST_DISTANCE: u32 = 28;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::near::Near;
    use super::*;
    use crate::external::ScratchFile;
    use crate::external::faults::{Fault, faulty_scratch};
    use crate::partition::{Room, Shape};

    proptest! {
        #[test]
        fn entries_come_back_in_order_with_their_places(
            keys in vec((any::<u128>(), prop_oneof![0..20_u64, 0..1_u64 << 33]), 0..60),
            distance in 1..40_u32,
            batch in 1..9_usize,
            bits in 0..4_u32,
            group in 0..4_u32,
            filed: bool,
        ) {
            let room = Room::new(1 << 24);
            let shape = Shape { bits, chunk: 1, slab: 1 };
            let packing = Packing::new(distance, batch).grouped(1 << group.min(bits));
            let file = || filed.then(|| ScratchFile::new(std::env::temp_dir()));
            let mut dealer = PackedDealer::new(shape, packing, &room, file()).unwrap();
            let mut expected = vec![vec![Vec::new(); shape.partitions()]; 2];
            // The second side begins anew.
            let sides = keys.split_at(keys.len() / 3);
            let mut parts = Vec::new();
            for (keys, expected) in [sides.0, sides.1].into_iter().zip(&mut expected) {
                let mut place = 0;
                for (hash, step) in keys {
                    place += step;
                    dealer.extend(&[*hash], [place].into_iter()).unwrap();
                    let partition = shape.partition((hash >> 64) as u64);
                    expected[partition].push([packing.bits(*hash), place]);
                }
                parts.push(dealer.turn(file()).unwrap());
            }
            for (part, expected) in parts.iter().zip(&expected) {
                let mut near = Near::new(std::slice::from_ref(part), packing, &room);
                for (partition, expected) in expected.iter().enumerate() {
                    near.turn_to(partition / packing.group).unwrap();
                    let mut found = Vec::new();
                    let unpack = |origin: Origin, entries: &[[u8; 8]]| {
                        found.extend(entries.iter().map(|entry| origin.unpack(*entry)));
                        Ok(())
                    };
                    near.for_each(partition, unpack).unwrap();
                    prop_assert_eq!(&found, expected);
                    prop_assert_eq!(near.len(partition), expected.len());
                }
            }
            drop((dealer, parts));
            prop_assert_eq!(room.left(), 1 << 24);
        }

        #[test]
        fn bits_are_the_same_if_what_is_kept_is(hash: u128, flip in 0..128_u32, distance in 0..=MOST_DISTANCE) {
            let packing = Packing::new(distance, 1);
            let same = packing.bits(hash) == packing.bits(hash ^ (1 << flip));
            prop_assert_eq!(same, flip < distance || flip >= 64);
        }

        #[test]
        fn a_finding_has_its_place(hash: u128, place in 0..1_u64 << PLACE_BITS) {
            prop_assert_eq!(place_of(Packing::new(20, 1).finding(hash, place)), place);
        }
    }

    /// Deals 1000 keys out to a file with a fault, and reads them back; returns how many there are.
    fn through(fault: Fault) -> Result<usize, PackedError> {
        let room = Room::new(1 << 24);
        let shape = Shape { bits: 3, chunk: 1, slab: 1 };
        let packing = Packing::new(12, 100).grouped(2);
        let mut dealer = PackedDealer::new(shape, packing, &room, Some(faulty_scratch(fault)))?;
        let hash =
            |key: u64| u128::from(key) << 100 | u128::from(key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for key in 0..1000 {
            dealer.extend(&[hash(key)], [key].into_iter())?;
        }
        let parts = [dealer.finish()?];
        let mut near = Near::new(&parts, packing, &room);
        let mut count = 0;
        for partition in 0..shape.partitions() {
            near.turn_to(partition / 2)?;
            near.for_each(partition, |_, entries| {
                count += entries.len();
                Ok(())
            })?;
        }
        Ok(count)
    }

    #[test]
    fn a_file_that_fails_is_an_error_and_a_slow_one_is_not() {
        assert_eq!(through(Fault::Dawdles(100)).unwrap(), 1000);
        for fault in [Fault::Full(0), Fault::Full(900), Fault::TakesNothing, Fault::Unreadable] {
            let error = through(fault).unwrap_err();
            assert!(matches!(error, PackedError::File(ExternalError::File { .. })), "{error:?}");
        }
        for fault in [Fault::Ends, Fault::Flips(1), Fault::Flips(100)] {
            let error = through(fault).unwrap_err();
            assert!(matches!(error, PackedError::File(ExternalError::Altered { .. })), "{error:?}");
        }
    }

    #[test]
    fn longer_keys_and_more_of_them_leave_fewer_bits_to_the_hash() {
        let distance = |keys, length| Packing::for_keys(keys, length).mask.count_ones();
        assert_eq!(
            [distance(0, 0), distance(1, 28), distance(1000, 28), distance(1 << 16, 28)],
            [1, 5, 15, 21]
        );
        assert_eq!(distance(u64::MAX, u64::MAX), MOST_DISTANCE);
    }

    #[test]
    fn what_exceeds_the_budget_is_refused() {
        let shape = Shape { bits: 1, chunk: 1, slab: 1 };
        let packing = Packing::new(20, 4);
        let least = PackedDealer::buffers(packing, false);
        let room = Room::new(least + 150);
        let mut dealer = PackedDealer::new(shape, packing, &room, None).unwrap();
        // Each batch takes three starts and four entries.
        let dealt = (0..100).take_while(|place| dealer.extend(&[7], [*place].into_iter()).is_ok());
        assert_eq!(dealt.count(), 16);
        drop(dealer);
        assert_eq!(room.left(), least + 150);
        let small = Room::new(least - 1);
        assert!(PackedDealer::new(shape, packing, &small, None).is_err());
    }
}
