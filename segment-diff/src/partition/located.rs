use super::Entry;

/// A hash of 88 bits and the place of its key: 64 bits of the hash, and 24 bits more above 40 of
/// the place. Not a type of its own because the system hands out zeros untouched only for numbers.
pub(crate) type Located = [u64; 2];

/// Places are below 2 to the power of this.
pub(crate) const PLACE_BITS: u32 = 40;

/// The entry of a key with this hash at this place.
pub(crate) fn located(hash: u128, place: u64) -> Located {
    [hash as u64, ((hash >> 64) as u64) << PLACE_BITS | place]
}

/// Where the key of an entry is.
pub(crate) fn place(entry: Located) -> u64 {
    entry[1] & ((1 << PLACE_BITS) - 1)
}

impl Entry for Located {
    const ZERO: Self = [0; 2];

    fn bits(self) -> u64 {
        self[0]
    }

    fn is_same(self, other: Self) -> bool {
        (self[0] == other[0]) & ((self[1] ^ other[1]) >> PLACE_BITS == 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entries_are_the_same_if_88_bits_are(hash: u128, flip in 0..128_u32, places: [u64; 2]) {
            let [one, other] = places.map(|place| place >> (64 - PLACE_BITS));
            prop_assert_eq!(place(located(hash, one)), one);
            prop_assert!(located(hash, one).is_same(located(hash, other)));
            let flipped = located(hash ^ (1 << flip), other);
            prop_assert_eq!(located(hash, one).is_same(flipped), flip >= 88);
        }
    }
}
