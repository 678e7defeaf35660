//! What a run is about to do, and the digest that names exactly this.

use std::fmt;

use chrono::{DateTime, Utc};
use segment_diff::Fingerprint;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Activation, DeltaCounts, Head, IdentityCounts};

/// The operations a run would do, in order: the list first, then removals, moves and additions.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// Names this plan: the same configuration, state and delta give the same digest; any change
    /// to one of them gives another.
    pub digest: String,
    /// What happens to the list itself.
    pub list_action: ListAction,
    /// Members to add.
    pub add: u64,
    /// Members to remove.
    pub remove: u64,
    /// Members whose contact is to get another identifier.
    pub moves: u64,
    /// What warehouse keys said of people whose identifier is another one.
    pub identities: IdentityCounts,
    /// Calls needed at the least, polls included.
    pub estimated_calls: u64,
    /// What the plan rests on.
    pub counts: DeltaCounts,
    /// When it was made.
    pub made_at: DateTime<Utc>,
}

impl Plan {
    /// Members of whom something is to be changed.
    pub(crate) fn changes(&self) -> u64 {
        self.add + self.remove + self.moves
    }
}

/// What a run does to the list itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ListAction {
    /// Nothing: it is there and as wanted.
    Keep,
    /// Create it.
    Create,
    /// Use one that exists.
    Adopt,
    /// Change its name or visibility.
    Update,
}

impl fmt::Display for ListAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "stays as it is",
            Self::Create => "to be created",
            Self::Adopt => "exists and will be used",
            Self::Update => "name or visibility to be changed",
        })
    }
}

/// Bytes of the hash that a digest shows: enough that no two plans ever share one.
const DIGEST_BYTES: usize = 16;

/// Whether `text` is written as a digest is.
pub(crate) fn is_digest(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 2 * DIGEST_BYTES && text.bytes().all(is_digit)
}

/// Computes a plan's digest over configuration, list, acknowledged membership and delta. The state's
/// generation is left out: what else a commit writes does not change what the plan does. So is the table,
/// since a plan is the same whoever compares.
pub(crate) fn digest<'a>(
    activation: &Activation,
    head: &Head,
    list_action: ListAction,
    added: impl Iterator<Item = &'a Fingerprint>,
    removed: impl Iterator<Item = &'a Fingerprint>,
    moved: impl Iterator<Item = (&'a Fingerprint, &'a Fingerprint)>,
) -> Result<String, serde_json::Error> {
    let mut hash = Sha256::new();
    let Head { generation: _, pin, snapshot, table: _ } = head;
    hash.update(serde_json::to_vec(&(activation, pin, snapshot, list_action))?);
    // A tag before each member, so that an addition never reads as a removal.
    for member in removed {
        hash.update(b"-");
        hash.update(member.as_bytes());
    }
    for member in added {
        hash.update(b"+");
        hash.update(member.as_bytes());
    }
    for (before, member) in moved {
        hash.update(b">");
        hash.update(before.as_bytes());
        hash.update(member.as_bytes());
    }
    Ok(hash.finalize().iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SnapshotRef;

    fn digest_of(name: &str, members: u64, added: &[u8], removed: &[u8]) -> String {
        digest_with_move(name, members, added, removed, None)
    }

    fn digest_with_move(
        name: &str,
        members: u64,
        added: &[u8],
        removed: &[u8],
        moved: Option<[u8; 2]>,
    ) -> String {
        let fingerprints = |bytes: &[u8]| -> Vec<Fingerprint> {
            bytes.iter().map(|byte| Fingerprint::from_bytes([*byte; 16])).collect()
        };
        let snapshot = SnapshotRef { name: "snapshot".into(), members, bytes: 1 };
        let head = Head { snapshot: Some(snapshot), ..Head::default() };
        let activation = Activation::new("vip").named(name);
        let (added, removed) = (fingerprints(added), fingerprints(removed));
        let moved = moved.map(|[before, member]| fingerprints(&[before, member]));
        let moved = moved.iter().map(|pair| (&pair[0], &pair[1]));
        digest(&activation, &head, ListAction::Keep, added.iter(), removed.iter(), moved).unwrap()
    }

    #[test]
    fn a_digest_changes_with_everything_it_covers() {
        let base = digest_of("VIP", 1, &[1, 2], &[3]);
        assert_eq!(base, digest_of("VIP", 1, &[1, 2], &[3]));
        assert!(
            is_digest(&base) && !is_digest(&base[1..]) && !is_digest(&base.replace(|_| true, "g"))
        );
        for other in [
            digest_of("vip", 1, &[1, 2], &[3]),
            digest_of("VIP", 2, &[1, 2], &[3]),
            digest_of("VIP", 1, &[1], &[3]),
            digest_of("VIP", 1, &[1, 2], &[]),
            digest_of("VIP", 1, &[1], &[2, 3]),
            digest_with_move("VIP", 1, &[1, 2], &[3], Some([4, 5])),
            digest_with_move("VIP", 1, &[1, 2], &[3], Some([5, 4])),
        ] {
            assert_ne!(base, other);
        }
    }
}
