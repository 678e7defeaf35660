//! Keyed 128-bit fingerprints of keys: fixed width, uniformly spread, and no address at rest.
//!
//! A [`Fingerprint`] is SipHash-2-4 with 128 bits of output under a secret [`FingerprintKey`]. The
//! same key and the same bytes give the same fingerprint on every platform and in every release.
//!
//! # How likely is a collision?
//!
//! Two different keys collide with probability 2⁻¹²⁸. Among *n* distinct keys there are
//! *n* (*n* − 1) / 2 pairs, so the probability that any two of them collide is at most
//! *n*² / 2¹²⁹. With 2¹²⁹ ≈ 6.8 × 10³⁸:
//!
//! | distinct keys on both sides | chance of any collision |
//! |---|---|
//! | 10⁶ | 10¹² / 6.8 × 10³⁸ ≈ 1.5 × 10⁻²⁷ |
//! | 10⁷ | 10¹⁴ / 6.8 × 10³⁸ ≈ 1.5 × 10⁻²⁵ |
//! | 2 × 10⁸ | 4 × 10¹⁶ / 6.8 × 10³⁸ ≈ 5.9 × 10⁻²³ |
//!
//! The bound holds against people who choose their own keys only as long as the
//! [`FingerprintKey`] is secret and random. Whoever wants no bound at all uses exact byte keys.
//!
//! # What a fingerprint hides
//!
//! Without the key a fingerprint says nothing about the address behind it. With the key anybody
//! can test guesses, so fingerprints are pseudonyms and the key is a secret: keep it apart from
//! the snapshots where you can.

use alloc::string::String;
use core::fmt;

use siphasher::sip128::SipHasher24;

#[cfg(feature = "std")]
use crate::kernel::{self, KeyRange, Sip24};

/// The secret under which fingerprints are made: 16 random bytes.
///
/// Fingerprints made under different keys cannot be compared.
#[derive(Clone)]
pub struct FingerprintKey([u8; 16]);

impl FingerprintKey {
    /// Takes 16 secret bytes, which should come from a cryptographic random source.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The secret bytes, for storing them.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The fingerprint of `key`. It is made of the bytes as they are: normalise first.
    pub fn fingerprint(&self, key: &[u8]) -> Fingerprint {
        Fingerprint(SipHasher24::new_with_key(&self.0).hash(key).as_bytes())
    }

    #[cfg(feature = "std")]
    /// Puts the fingerprints of `keys`, which lie in `bytes`, into `fingerprints`, as numbers of
    /// which these are the little-endian bytes.
    pub(crate) fn fingerprint_ranges(
        &self,
        bytes: &[u8],
        keys: &[KeyRange],
        fingerprints: &mut Vec<u128>,
    ) {
        fingerprints.clear();
        kernel::hash_many::<Sip24>(&self.0, bytes, keys, fingerprints);
    }

    #[cfg(feature = "std")]
    /// Appends the fingerprint of each of many keys, which lie one behind the other in `bytes`:
    /// the first one ends before `ends[0]`, the second before `ends[1]`, and so on.
    ///
    /// The same as [`fingerprint`](Self::fingerprint) of each, several times as fast: several keys
    /// are hashed at a time where the processor can.
    ///
    /// # Panics
    ///
    /// Panics if `ends` do not ascend, or lie beyond `bytes`.
    pub fn fingerprints(&self, bytes: &[u8], ends: &[usize], fingerprints: &mut Vec<Fingerprint>) {
        const BATCH: usize = 64;
        fingerprints.reserve(ends.len());
        let mut ranges = [KeyRange::default(); BATCH];
        let mut hashes = Vec::with_capacity(BATCH);
        let mut base = 0;
        for ends in ends.chunks(BATCH) {
            let last = ends[ends.len() - 1];
            let mut start = base;
            if u32::try_from(last - base).is_err() {
                for end in ends {
                    fingerprints.push(self.fingerprint(&bytes[start..*end]));
                    start = *end;
                }
            } else {
                for (range, end) in ranges.iter_mut().zip(ends) {
                    assert!(start <= *end && *end <= last, "the ends of keys ascend");
                    *range =
                        KeyRange { start: (start - base) as u32, length: (end - start) as u32 };
                    start = *end;
                }
                hashes.clear();
                // The bytes behind the last key are of use for loading it.
                let batch = &ranges[..ends.len()];
                kernel::hash_many::<Sip24>(&self.0, &bytes[base..], batch, &mut hashes);
                fingerprints.extend(hashes.iter().map(|hash| Fingerprint(hash.to_le_bytes())));
            }
            base = last;
        }
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(****************)")
    }
}

/// The keyed 128-bit fingerprint of a key. Ordered by its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Takes the bytes of a fingerprint, as stored earlier.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the fingerprint, the order of which is the order of fingerprints.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The fingerprint as 32 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
        self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    /// Reads 32 hexadecimal digits, of either case.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidHex`] when `text` is anything else.
    pub fn from_hex(text: &str) -> Result<Self, InvalidHex> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 16 || !rest.is_empty() {
            return Err(InvalidHex);
        }
        let mut bytes = [0; 16];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = hex_value(*high)? << 4 | hex_value(*low)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", self.to_hex())
    }
}

/// A text is not the 32 hexadecimal digits of a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is written as 32 hexadecimal digits")]
pub struct InvalidHex;

fn hex_value(digit: u8) -> Result<u8, InvalidHex> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(InvalidHex),
    }
}

/// A fingerprint is written as its hexadecimal digits.
#[cfg(feature = "serde")]
impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = alloc::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::from_hex(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTING: FingerprintKey =
        FingerprintKey::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

    #[test]
    fn fingerprints_equal_the_published_vectors_of_siphash_2_4_128() {
        let counting: Vec<u8> = (0..63).collect();
        let of = |length: usize| COUNTING.fingerprint(&counting[..length]).to_hex();
        assert_eq!(of(0), "a3817f04ba25a8e66df67214c7550293");
        assert_eq!(of(1), "da87c1d86b99af44347659119b22fc45");
        assert_eq!(of(63), "5150d1772f50834a503e069a973fbd7c");
    }

    #[test]
    fn many_fingerprints_equal_those_of_each_key() {
        let bytes: Vec<u8> = (0..4000).map(|index: u32| (index * 7) as u8).collect();
        let mut ends: Vec<usize> = (0..80).map(|index| index * (index + 1) / 2).collect();
        ends.extend([3160, 3160, 4000]);
        let starts = [0].into_iter().chain(ends.iter().copied());
        let each = starts.zip(&ends).map(|(start, end)| COUNTING.fingerprint(&bytes[start..*end]));
        let expected: Vec<_> = [Fingerprint([1; 16])].into_iter().chain(each).collect();
        let mut many = vec![Fingerprint([1; 16])];
        COUNTING.fingerprints(&bytes, &ends, &mut many);
        assert_eq!(many, expected);
    }

    #[test]
    #[should_panic(expected = "the ends of keys ascend")]
    fn ends_that_do_not_ascend_are_refused() {
        COUNTING.fingerprints(b"adabo", &[3, 2, 5], &mut Vec::new());
    }

    #[test]
    fn fingerprints_of_addresses_never_change_between_releases() {
        let of = |key: &[u8]| COUNTING.fingerprint(key).to_hex();
        assert_eq!(of(b"ada@example.com"), "f548c4715d53c01dd229c6cbe56ef416");
        assert_eq!(of("zoë@example.com".as_bytes()), "1d21e63ad150c9dacda2695e4e7633e1");
    }

    #[test]
    fn another_key_gives_another_fingerprint() {
        let other = FingerprintKey::new([7; 16]);
        assert_ne!(other.fingerprint(b"ada@example.com"), COUNTING.fingerprint(b"ada@example.com"));
    }

    #[test]
    fn hexadecimal_text_is_read_back() {
        let fingerprint = COUNTING.fingerprint(b"ada@example.com");
        assert_eq!(Fingerprint::from_hex(&fingerprint.to_hex()), Ok(fingerprint));
        assert_eq!(Fingerprint::from_hex(&fingerprint.to_hex().to_uppercase()), Ok(fingerprint));
    }

    #[test]
    fn other_text_is_not_a_fingerprint() {
        let good = "a3817f04ba25a8e66df67214c7550293";
        for bad in ["", &good[1..], &good[2..], &format!("{good}0"), &good.replace('f', "g")] {
            assert_eq!(Fingerprint::from_hex(bad), Err(InvalidHex), "{bad}");
        }
    }

    #[test]
    fn fingerprints_are_ordered_by_their_bytes() {
        let (mut low, mut high) = ([0; 16], [0; 16]);
        (low[15], high[0]) = (255, 1);
        assert!(Fingerprint::from_bytes(low) < Fingerprint::from_bytes(high));
    }

    #[test]
    fn the_secret_key_is_not_printed() {
        let printed = format!("{:?}", FingerprintKey::new([0xab; 16]));
        assert_eq!(printed, "FingerprintKey(****************)");
    }
}
