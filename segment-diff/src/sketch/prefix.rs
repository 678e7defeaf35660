use std::fmt;

use crate::Fingerprint;

/// The first 30 of the 32 hexadecimal digits of a [`Fingerprint`]: what a sketch remembers of a
/// member. Ordered as fingerprints are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FingerprintPrefix {
    /// The first 15 digits as a number, below [`HALF`].
    a: u64,
    /// The other 15.
    b: u64,
}

impl FingerprintPrefix {
    /// The beginning of `fingerprint`.
    pub fn of(fingerprint: Fingerprint) -> Self {
        Self::of_hash(u128::from_be_bytes(*fingerprint.as_bytes()))
    }

    /// Whether `fingerprint` begins with this.
    pub fn is_of(self, fingerprint: Fingerprint) -> bool {
        Self::of(fingerprint) == self
    }

    /// The 30 digits, in lower case.
    pub fn to_hex(self) -> String {
        format!("{:015x}{:015x}", self.a, self.b)
    }

    /// The upper 120 bits of a hash.
    pub(crate) fn of_hash(hash: u128) -> Self {
        Self { a: (hash >> 68) as u64, b: (hash >> 8) as u64 & (HALF - 1) }
    }

    /// The prefix that consists of the numbers `a` and `b`, each below [`HALF`].
    pub(super) fn of_halves(a: u64, b: u64) -> Self {
        Self { a, b }
    }

    pub(crate) fn a(self) -> u64 {
        self.a
    }

    pub(crate) fn b(self) -> u64 {
        self.b
    }
}

impl fmt::Debug for FingerprintPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FingerprintPrefix({})", self.to_hex())
    }
}

/// One more than the largest half of a prefix.
pub(super) const HALF: u64 = 1 << 60;
