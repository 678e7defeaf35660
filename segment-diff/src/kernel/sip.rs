use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13, SipHasher24};

use super::KeyRange;

/// A variant of SipHash with 128 bits: so many rounds for each word, and so many at the end.
pub(crate) trait Sip {
    #[cfg(target_arch = "x86_64")]
    const WORD_ROUNDS: usize;
    #[cfg(target_arch = "x86_64")]
    const FINAL_ROUNDS: usize;

    /// The hash of one key: the portable form, which says what is right.
    fn hash(secret: &[u8; 16], key: &[u8]) -> u128;
}

/// SipHash-1-3.
pub(crate) struct Sip13;

/// SipHash-2-4.
pub(crate) struct Sip24;

impl Sip for Sip13 {
    #[cfg(target_arch = "x86_64")]
    const WORD_ROUNDS: usize = 1;
    #[cfg(target_arch = "x86_64")]
    const FINAL_ROUNDS: usize = 3;

    fn hash(secret: &[u8; 16], key: &[u8]) -> u128 {
        let mut hasher = SipHasher13::new_with_key(secret);
        hasher.write(key);
        hasher.finish128().as_u128()
    }
}

impl Sip for Sip24 {
    #[cfg(target_arch = "x86_64")]
    const WORD_ROUNDS: usize = 2;
    #[cfg(target_arch = "x86_64")]
    const FINAL_ROUNDS: usize = 4;

    fn hash(secret: &[u8; 16], key: &[u8]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(secret);
        hasher.write(key);
        hasher.finish128().as_u128()
    }
}

/// Appends the hashes of `keys`, which lie in `bytes`, to `hashes`.
pub(crate) fn hash_many<S: Sip>(
    secret: &[u8; 16],
    bytes: &[u8],
    keys: &[KeyRange],
    hashes: &mut Vec<u128>,
) {
    #[cfg(target_arch = "x86_64")]
    if super::detected::hash_many::<S>(secret, bytes, keys, hashes) {
        return;
    }
    hash_each::<S>(secret, bytes, keys, hashes);
}

/// As [`hash_many`], one key after the other.
pub(super) fn hash_each<S: Sip>(
    secret: &[u8; 16],
    bytes: &[u8],
    keys: &[KeyRange],
    hashes: &mut Vec<u128>,
) {
    hashes.extend(keys.iter().map(|key| S::hash(secret, key.of(bytes))));
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    type HashMany = fn(&[u8; 16], &[u8], &[KeyRange], &mut Vec<u128>);

    /// Every form that this machine has, each checked against [`Sip::hash`].
    fn forms<S: Sip>() -> Vec<HashMany> {
        let mut forms: Vec<HashMany> = vec![hash_many::<S>, hash_each::<S>];
        #[cfg(target_arch = "x86_64")]
        {
            use crate::kernel::detected::{hash_many_avx2, hash_many_avx512};

            if is_x86_feature_detected!("avx512f") {
                forms.push(|secret, bytes, keys, hashes| {
                    assert!(hash_many_avx512::<S>(secret, bytes, keys, hashes));
                });
            }
            if is_x86_feature_detected!("avx2") {
                forms.push(|secret, bytes, keys, hashes| {
                    assert!(hash_many_avx2::<S>(secret, bytes, keys, hashes));
                });
            }
        }
        forms
    }

    fn check<S: Sip>(secret: [u8; 16], bytes: &[u8], keys: &[KeyRange]) {
        let expected: Vec<u128> = keys.iter().map(|key| S::hash(&secret, key.of(bytes))).collect();
        for form in forms::<S>() {
            let mut hashes = vec![7];
            form(&secret, bytes, keys, &mut hashes);
            assert_eq!(hashes.split_off(1), expected);
        }
    }

    proptest! {
        #[test]
        fn many_keys_hash_as_each_alone(
            secret: [u8; 16],
            lengths in vec(prop_oneof![0..40_u32, 0..200_u32], 0..40),
            gap in 0..3_u32,
            slack in prop_oneof![Just(0_usize), Just(64), 0..100_usize],
            seed: u8,
        ) {
            let mut keys = Vec::new();
            let mut start = 0;
            for length in lengths {
                keys.push(KeyRange { start, length });
                start += length + gap;
            }
            let byte = |index: usize| (index as u8).wrapping_mul(197).wrapping_add(seed) ^ (index >> 8) as u8;
            let bytes: Vec<u8> = (0..start as usize + slack).map(byte).collect();
            check::<Sip13>(secret, &bytes, &keys);
            check::<Sip24>(secret, &bytes, &keys);
        }
    }

    #[test]
    fn every_length_is_hashed_alike_in_every_lane() {
        let bytes: Vec<u8> = (0..400).map(|index: u32| (index * 7) as u8).collect();
        for length in 0..80 {
            for lane in 0..8 {
                let keys: Vec<_> = (0..8)
                    .map(|index| KeyRange {
                        start: 3 * index,
                        length: if index == lane { length } else { 9 },
                    })
                    .collect();
                check::<Sip13>([5; 16], &bytes, &keys);
                check::<Sip24>([5; 16], &bytes, &keys);
            }
        }
    }
}
