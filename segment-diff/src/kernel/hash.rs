use std::hash::{BuildHasher, RandomState};

use super::sip::{Sip, Sip13, hash_many};

/// Where a key is in a buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyRange {
    pub(crate) start: u32,
    pub(crate) length: u32,
}

impl KeyRange {
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..][..self.length as usize]
    }
}

/// The secret of hashes that live no longer than one difference: SipHash-1-3 with 128 bits, which
/// is what the standard library trusts its hash maps to.
#[derive(Clone, Copy)]
pub(crate) struct HashKey([u8; 16]);

impl HashKey {
    /// A secret that nobody can guess, from the random state that the standard library gives
    /// every hash map.
    pub(crate) fn random() -> Self {
        let half = || RandomState::new().hash_one(0_u8).to_le_bytes();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&half());
        bytes[8..].copy_from_slice(&half());
        Self(bytes)
    }

    /// The hash of one key.
    pub(crate) fn hash(&self, key: &[u8]) -> u128 {
        Sip13::hash(&self.0, key)
    }

    /// Puts the hashes of `keys`, which lie in `bytes`, into `hashes`, replacing its content.
    ///
    /// Fastest when [`SLACK`](super::SLACK) more bytes follow the last key.
    pub(crate) fn hash_many(&self, bytes: &[u8], keys: &[KeyRange], hashes: &mut Vec<u128>) {
        hashes.clear();
        hash_many::<Sip13>(&self.0, bytes, keys, hashes);
    }
}
