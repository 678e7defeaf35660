use std::ops::{AddAssign, SubAssign};

use crate::merge::Side;

/// The sums of whole hashes, of the previous side and of the current one.
///
/// Two collections of different lines have the same sum with a chance of one in 2^128.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums([u128; 2]);

impl Sums {
    pub(super) fn add(&mut self, side: Side, hash: u128) {
        let sum = &mut self.0[side as usize];
        *sum = sum.wrapping_add(hash);
    }

    pub(super) fn subtract(&mut self, side: Side, hash: u128) {
        let sum = &mut self.0[side as usize];
        *sum = sum.wrapping_sub(hash);
    }

    pub(super) fn agree(self) -> bool {
        self.0[0] == self.0[1]
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        Side::ALL.into_iter().zip(other.0).for_each(|(side, sum)| self.add(side, sum));
    }
}

impl SubAssign for Sums {
    fn sub_assign(&mut self, other: Self) {
        Side::ALL.into_iter().zip(other.0).for_each(|(side, sum)| self.subtract(side, sum));
    }
}
