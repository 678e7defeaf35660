//! The names of snapshots.

use crate::state::digest;

/// Which rows hold a snapshot, and the digest of its content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SnapshotName {
    /// Random, so that no two snapshots share rows.
    pub(super) rows: [u8; 16],
    pub(super) digest: String,
}

impl SnapshotName {
    /// `None` when this store cannot have given that name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (rows, digest) = name.split_once('.')?;
        if !digest::is_one(rows) || !digest::is_one(digest) {
            return None;
        }
        let rows = u128::from_str_radix(rows, 16).ok()?.to_be_bytes();
        Some(Self { rows, digest: digest.to_owned() })
    }

    pub(super) fn to_text(&self) -> String {
        format!("{}.{}", digest::hex(&self.rows), self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written_and_nothing_else_is() {
        let name = SnapshotName { rows: [1; 16], digest: "0f".repeat(16) };
        assert_eq!(SnapshotName::parse(&name.to_text()), Some(name));
        for other in ["", ".", "../state.db", &"0".repeat(32), &"+".repeat(65)] {
            assert_eq!(SnapshotName::parse(other), None, "{other}");
        }
    }
}
