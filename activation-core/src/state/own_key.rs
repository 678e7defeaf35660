//! The key that a store makes its fingerprints under, and how it is known again.

use segment_diff::FingerprintKey;

use super::{StoreError, StoreErrorKind};

/// A new key.
pub(super) fn random() -> Result<FingerprintKey, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        StoreError::new(StoreErrorKind::Failed, "the system gives no random bytes").caused_by(error)
    })?;
    Ok(FingerprintKey::new(bytes))
}

/// What is kept beside a key that is wrapped or kept elsewhere: the key's fingerprint of a fixed
/// label.
pub(super) fn check_value(key: &FingerprintKey) -> [u8; 16] {
    // No identifier of a person looks like this, so the value tells nothing about one.
    *key.fingerprint(b"activation-core: check value of the key").as_bytes()
}
