use std::hash::{BuildHasher, RandomState};
use std::ops::{BitOr, BitXor, Shr};

use crate::partition::Entry;

/// An integer that can be compared here: `u64` and `u128`. Map others onto them, ascending.
pub trait Value: Integer {}

impl Value for u64 {}
impl Value for u128 {}

/// What the algorithms need of an integer.
#[expect(private_bounds, reason = "nobody else can implement it")]
pub trait Integer:
    Entry + Ord + From<bool> + BitOr<Output = Self> + BitXor<Output = Self> + Shr<u32, Output = Self>
{
    const BITS: u32;
    fn wrapping_mul(self, other: Self) -> Self;
    /// The number with which multiplying undoes multiplying with this odd one.
    fn inverse(self) -> Self;
    /// The low bits, which have to be enough.
    fn low(self) -> usize;
    fn wrapping_sub(self, other: Self) -> Self;
    fn from_usize(number: usize) -> Self;
    fn random() -> Self;
}

macro_rules! integer {
    ($integer:ty) => {
        impl Integer for $integer {
            const BITS: u32 = <$integer>::BITS;

            fn wrapping_mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }

            fn inverse(self) -> Self {
                // Newton's iteration: each step doubles the number of right bits, three at first.
                let step = |inverse: Self, _| {
                    inverse.wrapping_mul((2 as Self).wrapping_sub(self.wrapping_mul(inverse)))
                };
                (0..6).fold(self, step)
            }

            fn low(self) -> usize {
                self as usize
            }

            fn wrapping_sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            fn from_usize(number: usize) -> Self {
                number as Self
            }

            fn random() -> Self {
                let half = || u128::from(RandomState::new().hash_one(0_u8));
                (half() << 64 | half()) as Self
            }
        }
    };
}

integer!(u64);
integer!(u128);

/// A secret permutation of the integers of a width, whose bits are used as a hash.
///
/// Multiplying by a random odd number is universal in the upper bits: two values that were chosen
/// without knowing it agree in the upper b bits with a probability of at most 2 / 2^b
/// (Dietzfelbinger and others, 1997). The upper half is then mixed into the lower one, and all of
/// it done twice, so that patterns in the values, such as equal distances, disappear from all bits.
#[derive(Clone, Copy)]
pub(super) struct Bijection<T> {
    mask: T,
    first: T,
    second: T,
    first_inverse: T,
    second_inverse: T,
}

impl<T: Integer> Bijection<T> {
    pub(super) fn random() -> Self {
        Self::new(T::random(), T::random(), T::random())
    }

    fn new(mask: T, first: T, second: T) -> Self {
        let odd = |factor: T| factor | T::from(true);
        let (first, second) = (odd(first), odd(second));
        let (first_inverse, second_inverse) = (first.inverse(), second.inverse());
        Self { mask, first, second, first_inverse, second_inverse }
    }

    pub(super) fn apply(&self, value: T) -> T {
        let mixed = (value ^ self.mask).wrapping_mul(self.first);
        let mixed = (mixed ^ mixed >> (T::BITS / 2)).wrapping_mul(self.second);
        mixed ^ mixed >> (T::BITS / 2)
    }

    pub(super) fn undo(&self, mixed: T) -> T {
        let mixed = (mixed ^ mixed >> (T::BITS / 2)).wrapping_mul(self.second_inverse);
        (mixed ^ mixed >> (T::BITS / 2)).wrapping_mul(self.first_inverse) ^ self.mask
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_value_comes_back(narrow: u64, wide: u128) {
            let bijection = Bijection::random();
            prop_assert_eq!(bijection.undo(bijection.apply(narrow)), narrow);
            let bijection = Bijection::random();
            prop_assert_eq!(bijection.undo(bijection.apply(wide)), wide);
        }
    }

    #[test]
    fn values_at_equal_distances_are_spread_evenly() {
        let bijection =
            Bijection::new(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0);
        for distance in 0..64 {
            let (mut highest, mut lowest) = ([0; 64], [0; 64]);
            for index in 0..32_000_u64 {
                let mixed = bijection.apply(index.rotate_left(distance));
                highest[(mixed >> 58) as usize] += 1;
                lowest[(mixed & 63) as usize] += 1;
            }
            let most = highest.iter().chain(&lowest).max();
            assert!(most < Some(&1000), "{most:?} instead of 500 at a distance of 2^{distance}");
        }
    }
}
