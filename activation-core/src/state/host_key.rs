//! The key that a host keeps, and the wrapping of a store's own key under it.

use std::{fmt, str::FromStr};

use aes_kw::{KeyInit, KwAes128};
use segment_diff::FingerprintKey;
use zeroize::Zeroizing;

use super::{StoreError, StoreErrorKind};

const BYTES: usize = 16;

/// How long a wrapped key is: the key and a check of 8 bytes.
pub(super) const WRAPPED_BYTES: usize = BYTES + 8;

/// The key that a host keeps for a state store that lies where others may read it: 16 secret bytes
/// from a secret manager, an environment variable or the like.
///
/// Fingerprints are made under a key of the store's own, which is kept wrapped under this one. So
/// this one can be changed without touching a fingerprint. `Debug` shows nothing of it, and it is
/// wiped from memory when it is dropped.
///
/// ```
/// use activation_core::HostKey;
///
/// # fn main() -> Result<(), activation_core::NotAHostKey> {
/// let key: HostKey = "000102030405060708090a0b0c0d0e0f".parse()?;
/// assert_eq!(format!("{key:?}"), "HostKey(****************)");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HostKey(Zeroizing<[u8; BYTES]>);

/// A text that is no [`HostKey`]. Shows nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has 32 hexadecimal digits, from a random source")]
pub struct NotAHostKey;

impl HostKey {
    /// Takes 16 secret bytes, which should come from a cryptographic random source.
    pub fn new(bytes: [u8; BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key of a directory that was made when hosts still kept the fingerprint key itself.
    #[cfg(feature = "directory")]
    pub(super) fn as_fingerprint_key(&self) -> FingerprintKey {
        FingerprintKey::new(*self.0)
    }

    /// `key`, so that only this key brings it back.
    pub(super) fn wrap(&self, key: &FingerprintKey) -> Result<[u8; WRAPPED_BYTES], StoreError> {
        let mut wrapped = [0; WRAPPED_BYTES];
        self.cipher().wrap_key(key.as_bytes(), &mut wrapped).map_err(|error| {
            StoreError::new(StoreErrorKind::Failed, "the key cannot be wrapped").caused_by(error)
        })?;
        Ok(wrapped)
    }

    /// The key that was wrapped; `None` when it was wrapped under another key, or altered since.
    pub(super) fn unwrap(&self, wrapped: &[u8; WRAPPED_BYTES]) -> Option<FingerprintKey> {
        let mut key = Zeroizing::new([0; BYTES]);
        self.cipher().unwrap_key(wrapped, &mut *key).ok()?;
        Some(FingerprintKey::new(*key))
    }

    fn cipher(&self) -> KwAes128 {
        KwAes128::new(&(*self.0).into())
    }
}

/// Reads 32 hexadecimal digits, of either case, with or without white space around them.
impl FromStr for HostKey {
    type Err = NotAHostKey;

    fn from_str(text: &str) -> Result<Self, NotAHostKey> {
        let digits = text.trim();
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u128::from_str_radix(digits, 16) {
            Ok(number) if is_hex && digits.len() == 2 * BYTES => {
                Ok(Self::new(number.to_be_bytes()))
            }
            _ => Err(NotAHostKey),
        }
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostKey(****************)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of RFC 3394, section 4.1.
    #[test]
    fn a_key_is_wrapped_as_the_standard_says() {
        let host: HostKey = "000102030405060708090A0B0C0D0E0F".parse().unwrap();
        let key = FingerprintKey::new(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes());
        let wrapped = host.wrap(&key).unwrap();
        let expected = [
            0x1f, 0xa6, 0x8b, 0x0a, 0x81, 0x12, 0xb4, 0x47, 0xae, 0xf3, 0x4b, 0xd8, 0xfb, 0x5a,
            0x7b, 0x82, 0x9d, 0x3e, 0x86, 0x23, 0x71, 0xd2, 0xcf, 0xe5,
        ];
        assert_eq!(wrapped, expected);
        assert_eq!(host.unwrap(&wrapped).unwrap().as_bytes(), key.as_bytes());
    }

    #[test]
    fn another_key_and_altered_bytes_bring_nothing_back() {
        let (host, key) = (HostKey::new([1; 16]), FingerprintKey::new([2; 16]));
        let wrapped = host.wrap(&key).unwrap();
        assert!(HostKey::new([3; 16]).unwrap(&wrapped).is_none());
        for index in 0..wrapped.len() {
            let mut altered = wrapped;
            altered[index] ^= 1;
            assert!(host.unwrap(&altered).is_none(), "byte {index}");
        }
    }

    #[test]
    fn a_key_is_read_from_digits_and_from_nothing_else() {
        let key: HostKey = " 00FF00000000000000000000000000a1\n".parse().unwrap();
        assert_eq!((key.0[0], key.0[1], key.0[15]), (0, 0xff, 0xa1));
        let (short, long) = ("0".repeat(31), "0".repeat(33));
        let sign = format!("+{}", "0".repeat(31));
        for bad in ["", "secret", &short, &long, &sign, &"g".repeat(32)] {
            let error = bad.parse::<HostKey>().unwrap_err();
            assert!(bad.is_empty() || !error.to_string().contains(bad), "{error}");
        }
    }
}
