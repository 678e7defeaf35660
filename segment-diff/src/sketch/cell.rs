use super::prefix::{FingerprintPrefix, HALF};

/// What a sketch holds at one place: sums over the members that fall there, modulo 2⁶⁴.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(align(32))] // Two cells to a cache line, none across two.
pub struct Cell([u64; 4]);

impl Cell {
    /// A cell from exact sums, as a query returns them: the number of members, the sums of their
    /// numbers *a* and *b*, and that of their checks.
    pub fn from_sums(count: i64, a: i128, b: i128, check: i128) -> Self {
        Self([count as u64, a as u64, b as u64, check as u64])
    }

    /// How many members fall here; after a subtraction, how many more than on the other side.
    pub fn count(self) -> i64 {
        self.0[0] as i64
    }

    /// Count, sum of *a*, sum of *b* and sum of checks, all modulo 2⁶⁴.
    pub fn to_words(self) -> [u64; 4] {
        self.0
    }

    pub(super) fn of_words(words: [u64; 4]) -> Self {
        Self(words)
    }

    /// What `copies` of one member add to each of its cells.
    pub(crate) fn of(member: FingerprintPrefix, copies: i64) -> Self {
        let (a, b) = (member.a(), member.b());
        let words = [1, a, b, check(a, b)];
        match copies {
            1 => Self(words),
            -1 => Self(words.map(u64::wrapping_neg)),
            _ => Self(words.map(|word| word.wrapping_mul(copies as u64))),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word = word.wrapping_add(other);
        }
    }

    pub(super) fn subtract(&mut self, other: Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word = word.wrapping_sub(other);
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self.0 == [0; 4]
    }

    /// The member of which all that falls here are copies, if so.
    pub(super) fn only_member(self) -> Option<(FingerprintPrefix, i64)> {
        let copies = self.0[0];
        if copies == 0 {
            return None;
        }
        let (a, b) = (divide(self.0[1], copies)?, divide(self.0[2], copies)?);
        if a >= HALF || b >= HALF || self.0[3] != check(a, b).wrapping_mul(copies) {
            return None;
        }
        Some((FingerprintPrefix::of_halves(a, b), copies as i64))
    }
}

/// The smallest number that `divisor` times gives `product` modulo 2⁶⁴.
fn divide(product: u64, divisor: u64) -> Option<u64> {
    let twos = divisor.trailing_zeros();
    let odd = divisor >> twos;
    let quotient = match divisor as i64 {
        1 => product,
        -1 => product.wrapping_neg(),
        _ => product.wrapping_mul(inverse(odd)),
    };
    // Modulo 2⁶⁴ the upper bits are lost where the divisor is even. What is left is small enough
    // to be told apart as long as no more than four bits are.
    (twos <= 4 && quotient.trailing_zeros() >= twos).then_some(quotient >> twos)
}

/// The inverse of an odd number modulo 2⁶⁴, by Newton's method: each step doubles the right bits.
fn inverse(odd: u64) -> u64 {
    let mut inverse = odd; // Right in the lowest three bits.
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    inverse
}

/// No linear function of its arguments, so that sums of several members do not look like one.
fn check(a: u64, b: u64) -> u64 {
    let (a, b) = (a % CHECK_MODULUS, b % CHECK_MODULUS);
    a * a + b * b
}

/// A prime just below 2³¹: the remainders depend on all bits, and the sum of their squares fits
/// into a signed number of 64 bits.
const CHECK_MODULUS: u64 = (1 << 31) - 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn copies_of_one_member_are_recognised(a in 0..HALF, b in 0..HALF, copies in -31..=31_i64) {
            let member = FingerprintPrefix::of_halves(a, b);
            let expected = (copies != 0).then_some((member, copies));
            prop_assert_eq!(Cell::of(member, copies).only_member(), expected);
        }

        #[test]
        fn several_members_are_not_taken_for_one(
            members in prop::collection::vec((0..HALF, 0..HALF, -3..=3_i64), 2..5),
        ) {
            let mut cell = Cell::default();
            for (a, b, copies) in &members {
                cell.add(Cell::of(FingerprintPrefix::of_halves(*a, *b), *copies));
            }
            if members.iter().filter(|(.., copies)| *copies != 0).count() >= 2 {
                prop_assert_eq!(cell.only_member(), None);
            }
        }

        #[test]
        fn members_alike_in_one_half_are_not_taken_for_one(a in 0..HALF, b in 0..HALF, c in 0..HALF) {
            prop_assume!(b != c);
            let mut cell = Cell::of(FingerprintPrefix::of_halves(a, b), 1);
            cell.add(Cell::of(FingerprintPrefix::of_halves(a, c), 1));
            prop_assert_eq!(cell.only_member(), None);
        }
    }

    #[test]
    fn any_odd_number_of_copies_and_many_even_ones_are_recognised() {
        let member = FingerprintPrefix::of_halves(HALF - 1, HALF - 2);
        for copies in [1_000_001, -999, 5_000, 48, i64::MAX] {
            assert_eq!(Cell::of(member, copies).only_member(), Some((member, copies)));
        }
        assert_eq!(Cell::of(member, 32).only_member(), None);
    }
}
