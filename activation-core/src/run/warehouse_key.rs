//! Stable keys of people in the warehouse, as the engine knows them: keyed fingerprints.

use segment_diff::{Fingerprint, FingerprintKey};

use super::membership::KEY_BYTES;

/// What the key of these fingerprints is made from. No identifier in normal form begins with a zero
/// byte, so no member has this fingerprint.
const DOMAIN: &[u8] = b"\0warehouse keys";

/// Makes fingerprints of warehouse keys under a key of their own: a customer id that reads like a
/// mobile number has nothing in common with it.
#[derive(Debug)]
pub(super) struct KeyPrinter(FingerprintKey);

/// The fingerprint of a warehouse key; never all zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct WarehouseKey(Fingerprint);

impl KeyPrinter {
    pub(super) fn new(key: &FingerprintKey) -> Self {
        Self(FingerprintKey::new(*key.fingerprint(DOMAIN).as_bytes()))
    }

    /// `None` for an empty key, which is none.
    pub(super) fn print(&self, key: &[u8]) -> Option<WarehouseKey> {
        if key.is_empty() { None } else { Some(WarehouseKey(self.0.fingerprint(key))) }
    }
}

impl WarehouseKey {
    /// As it stands in a record, where zeros mean that there is none.
    pub(super) fn from_record(bytes: &[u8; KEY_BYTES]) -> Option<Self> {
        (*bytes != [0; KEY_BYTES]).then(|| Self(Fingerprint::from_bytes(*bytes)))
    }

    pub(super) fn to_record(key: Option<Self>) -> [u8; KEY_BYTES] {
        key.map_or([0; KEY_BYTES], |key| *key.0.as_bytes())
    }

    /// Half of it: enough to tell whether a key is the one that was recorded.
    pub(super) fn tag(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = *self.0.as_bytes();
        // Zero means none.
        u64::from_le_bytes([a, b, c, d, e, f, g, h]).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warehouse_key_that_reads_like_an_identifier_is_another_fingerprint() {
        let secret = FingerprintKey::new([7; 16]);
        let printer = KeyPrinter::new(&secret);
        let key = printer.print(b"447123123123").unwrap();
        assert_ne!(key.0, secret.fingerprint(b"447123123123"));
        assert_eq!(Some(key), printer.print(b"447123123123"));
        assert_ne!(Some(key), printer.print(b"447123123124"));
        assert_ne!(
            Some(key),
            KeyPrinter::new(&FingerprintKey::new([8; 16])).print(b"447123123123")
        );
    }

    #[test]
    fn an_empty_key_is_none_and_none_is_written_as_zeros() {
        let printer = KeyPrinter::new(&FingerprintKey::new([7; 16]));
        assert_eq!(printer.print(b""), None);
        let key = printer.print(b"17");
        assert_eq!(WarehouseKey::from_record(&WarehouseKey::to_record(key)), key);
        assert_eq!(WarehouseKey::from_record(&WarehouseKey::to_record(None)), None);
    }
}
