//! Digests as they stand in the names of snapshots.

use sha2::{Digest, Sha256};

/// The digest of a snapshot's content: 128 bits of SHA-256, in 32 hexadecimal digits.
pub(super) fn of_content(content: Sha256) -> String {
    hex(&content.finalize()[..16])
}

/// Whether `text` may be such a digest.
pub(super) fn is_one(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
