//! Who is excluded, as a run needs to know it.

use std::collections::HashMap;

use segment_diff::{Fingerprint, FingerprintKey};

use super::delta::fingerprint;
use crate::{Exclusions, IdentifierKind, SourceError};

/// Everybody who is excluded: about 40 bytes a person.
#[derive(Debug, Default)]
pub(super) struct Excluded {
    reasons: Vec<String>,
    /// Positions in `reasons`.
    members: HashMap<Fingerprint, usize>,
    /// Rows read.
    pub(super) rows: u64,
    /// Rows without a usable identifier.
    pub(super) rejected: u64,
}

impl Excluded {
    /// Reads all exclusions.
    pub(super) async fn read(
        exclusions: &dyn Exclusions,
        key: &FingerprintKey,
        kind: IdentifierKind,
    ) -> Result<Self, SourceError> {
        let mut excluded = Self::default();
        let mut scan = exclusions.open().await?;
        while let Some(batch) = scan.next_batch().await? {
            let reason = excluded.reason_number(batch.reason);
            for raw in batch.keys.iter() {
                excluded.rows += 1;
                match kind.normalise(raw) {
                    Ok(identifier) => {
                        let member = fingerprint(key, &identifier);
                        excluded.members.entry(member).or_insert(reason);
                    }
                    Err(_) => excluded.rejected += 1,
                }
            }
        }
        Ok(excluded)
    }

    /// Why somebody is excluded, if she is.
    pub(super) fn reason(&self, member: &Fingerprint) -> Option<&str> {
        self.members.get(member).map(|number| self.reasons[*number].as_str())
    }

    fn reason_number(&mut self, reason: String) -> usize {
        self.reasons.iter().position(|known| *known == reason).unwrap_or_else(|| {
            self.reasons.push(reason);
            self.reasons.len() - 1
        })
    }
}
