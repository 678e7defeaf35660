//! SipHash of as many keys at a time as a register has lanes of 64 bits, for the modules that
//! name the register's operations.

use super::{KeyRange, SLACK};

/// Keys of fewer bytes are hashed in lanes: all their words fit into the [`SLACK`] bytes that are
/// loaded of each key.
pub(super) const LIMIT: u32 = SLACK as u32;

/// The [`SLACK`] bytes from where a key starts that fits.
#[inline(always)]
pub(super) fn window(bytes: &[u8], key: KeyRange) -> &[u8; SLACK] {
    bytes[key.start as usize..].first_chunk().expect("the key was found to fit")
}

/// Whether a key is short enough, and far enough from the end of `bytes`, to be hashed in lanes.
#[inline(always)]
pub(super) fn fits(bytes: &[u8], key: KeyRange) -> bool {
    key.length < LIMIT && key.start as usize + SLACK <= bytes.len()
}

/// Whether all keys fit, for a group in which they nearly always do: without a branch for each.
#[inline(always)]
pub(super) fn all_fit(bytes: &[u8], keys: &[KeyRange]) -> bool {
    let longest = keys.iter().fold(0, |most, key| key.length.max(most));
    let furthest = keys.iter().fold(0, |most, key| key.start.max(most));
    fits(bytes, KeyRange { start: furthest, length: longest })
}

/// Defines `hash_many` for one kind of register, in a module that defines the operations used
/// here. A macro, because functions with a target feature cannot be handed on as generic ones.
macro_rules! define_hash_many {
    ($lanes:literal, $feature:literal, words $($index:literal)*) => {
        /// Appends the hashes of `keys`, which lie in `bytes`, to `hashes`.
        #[target_feature(enable = $feature)]
        pub(super) fn hash_many<S: Sip>(
            secret: &[u8; 16],
            bytes: &[u8],
            keys: &[KeyRange],
            hashes: &mut Vec<u128>,
        ) {
            if bytes.len() < SLACK {
                return hash_each::<S>(secret, bytes, keys, hashes);
            }
            let (groups, rest) = keys.as_chunks::<$lanes>();
            hashes.reserve(keys.len());
            for group in groups {
                let mut fitting = *group;
                let all_fit = all_fit(bytes, group);
                if !all_fit {
                    for key in fitting.iter_mut().filter(|key| !fits(bytes, **key)) {
                        *key = KeyRange { start: 0, length: 0 };
                    }
                }
                let first = hashes.len();
                hashes.extend_from_slice(&hash_group::<S>(secret, bytes, &fitting));
                if !all_fit {
                    for (key, hash) in group.iter().zip(&mut hashes[first..]) {
                        if !fits(bytes, *key) {
                            *hash = S::hash(secret, key.of(bytes));
                        }
                    }
                }
            }
            hash_each::<S>(secret, bytes, rest, hashes);
        }

        /// The hashes of keys that all fit.
        #[inline]
        #[target_feature(enable = $feature)]
        fn hash_group<S: Sip>(
            secret: &[u8; 16],
            bytes: &[u8],
            keys: &[KeyRange; $lanes],
        ) -> [u128; $lanes] {
            let words = load_words::<S>(bytes, keys);
            let lengths = load_lengths(keys);
            // The last word holds what is left of the key, and its length in the highest byte.
            let last = shift_right::<3>(lengths);
            let tail_bits = shift_left::<3>(and(lengths, splat(7)));
            let tail_mask = subtract(shift_left_by(splat(1), tail_bits), splat(1));
            let length_byte = shift_left::<56>(lengths);
            let most = (keys.iter().fold(0, |most, key| key.length.max(most)) / 8) as usize;

            let halves = secret.as_chunks().0;
            let (k0, k1) = (u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1]));
            let mut state = [
                splat(k0 ^ 0x736f_6d65_7073_6575),
                splat(k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee),
                splat(k0 ^ 0x6c79_6765_6e65_7261),
                splat(k1 ^ 0x7465_6462_7974_6573),
            ];
            // In one place and not in a function for each word: the state is to stay in registers.
            'words: {
                $(
                    let number = splat($index);
                    let closing = or(and(words[$index], tail_mask), length_byte);
                    let word = select(equal(last, number), closing, words[$index]);
                    let [v0, v1, v2, v3] = state;
                    state[3] = xor(state[3], word);
                    for _ in 0..S::WORD_ROUNDS {
                        round(&mut state);
                    }
                    state[0] = xor(state[0], word);
                    // Lanes whose key has ended stay as they were.
                    let ended = less(last, number);
                    let [n0, n1, n2, n3] = state;
                    state = [
                        select(ended, v0, n0),
                        select(ended, v1, n1),
                        select(ended, v2, n2),
                        select(ended, v3, n3),
                    ];
                    if most == $index {
                        break 'words;
                    }
                )*
            }
            state[2] = xor(state[2], splat(0xee));
            for _ in 0..S::FINAL_ROUNDS {
                round(&mut state);
            }
            let low = xor(xor(state[0], state[1]), xor(state[2], state[3]));
            state[1] = xor(state[1], splat(0xdd));
            for _ in 0..S::FINAL_ROUNDS {
                round(&mut state);
            }
            let high = xor(xor(state[0], state[1]), xor(state[2], state[3]));
            join(low, high)
        }

        #[inline]
        #[target_feature(enable = $feature)]
        fn round(state: &mut [Lanes; 4]) {
            let [mut v0, mut v1, mut v2, mut v3] = *state;
            v0 = add(v0, v1);
            v2 = add(v2, v3);
            v1 = xor(rotate::<13, 51>(v1), v0);
            v3 = xor(rotate::<16, 48>(v3), v2);
            v0 = rotate::<32, 32>(v0);
            v2 = add(v2, v1);
            v0 = add(v0, v3);
            v1 = xor(rotate::<17, 47>(v1), v2);
            v3 = xor(rotate::<21, 43>(v3), v0);
            v2 = rotate::<32, 32>(v2);
            *state = [v0, v1, v2, v3];
        }
    };
}
pub(super) use define_hash_many;
