//! The difference in the warehouse: stage → compare → … → promote, and clearing away.
//!
//! The table that the head names, T, holds for each member of the record the spelling under which the
//! segment had her when that record was committed. It knows nobody else, and of the record all but
//! those who were absent from the segment then. So a run needs only the rows that are in the stage
//! (the segment now) or in T but not in both: everybody else is in the segment, and unchanged.

mod changes;
mod spellings;

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub(super) use self::{
    changes::Changes,
    spellings::{Met, Next, Spellings},
};
use super::{
    commit::commit_cleared, error::RunError, excluded::Excluded, journal::Record, session::Session,
    special::Special,
};
use crate::{
    IdentifierKind, SegmentSource, SourceError, Warehouse, source::CheckedScan,
    warehouse::Statements,
};

/// Identifiers that one statement leaves out.
const LEFT_OUT_AT_ONCE: usize = 500;

/// Announcements of tables that are gone are left to a run's own commit, up to so many: runs that fail
/// one after the other make none.
const MOST_ANNOUNCED: usize = 8;

/// The rows that a run compares with the record.
pub(super) enum Rows<'a> {
    /// The segment itself, in full.
    Segment(&'a dyn SegmentSource),
    /// The stage, in full.
    Staged(&'a PushDown),
    /// What is in only one of stage and T.
    Changed(Changes),
}

/// A run's dealings with a warehouse.
pub(super) struct PushDown {
    warehouse: Arc<dyn Warehouse>,
    /// How the names of this run's tables begin.
    prefix: String,
    /// Of when the segment is at the least, where the warehouse knows.
    pub(super) as_of: Option<DateTime<Utc>>,
    /// Batches that announced tables which are gone.
    pub(super) cleared: Vec<u64>,
}

/// Makes the stage, if the source has a warehouse, and clears away what earlier runs left behind. Each
/// name is in the journal before its table is made.
pub(super) async fn begin(
    session: &mut Session<'_>,
    source: &dyn SegmentSource,
) -> Result<(), RunError> {
    let Some(warehouse) = source.warehouse() else { return Ok(()) };
    let prefix = format!("{}{}", family(session), session.lease()?.token);
    let mut push_down = PushDown { warehouse, prefix, as_of: None, cleared: Vec::new() };
    for (batch, prefix) in &session.journal.tables {
        if push_down.clear(prefix, session.head.table.as_deref()).await? {
            push_down.cleared.push(*batch);
        }
    }
    if push_down.cleared.len() > MOST_ANNOUNCED {
        commit_cleared(session, std::mem::take(&mut push_down.cleared)).await?;
    }
    push_down.as_of = push_down.warehouse.as_of().await?;
    let segment = push_down.warehouse.segment().await?;
    let batch = session.next_batch();
    session.journal(batch, &Record::Tables { prefix: push_down.prefix.clone() }).await?;
    let stage = push_down.stage();
    push_down.make(&stage, &push_down.statements().stage(&stage, &segment)).await?;
    session.push_down = Some(push_down);
    Ok(())
}

/// Whether a run could have the difference computed, as far as that is known without making a table.
pub(super) async fn check(source: &dyn SegmentSource) -> Result<(), RunError> {
    let Some(warehouse) = source.warehouse() else { return Ok(()) };
    warehouse.segment().await?;
    Ok(warehouse.check().await?)
}

/// How the names of an activation's tables begin. Another store has another key, and so other names,
/// for the same segment. Kind and number are there since a table rests on how identifiers are
/// normalised: the number changes when that does.
fn family(session: &Session<'_>) -> String {
    let name = session.store.fingerprint_key().fingerprint(session.activation.segment().as_bytes());
    let digits: String = name.as_bytes().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let kind = match session.activation.resolved().identifier {
        IdentifierKind::ContactId => 'c',
        IdentifierKind::Email => 'e',
        IdentifierKind::MobileNumber => 'm',
    };
    format!("activation_1{kind}_{digits}_")
}

impl PushDown {
    /// The rows to be compared with the record: what changed where that is enough, else all of them.
    pub(super) async fn rows(
        &self,
        session: &Session<'_>,
        special: &Special<'_>,
        excluded: &Excluded,
    ) -> Result<Rows<'_>, RunError> {
        let table = session.head.table.as_deref().filter(|name| name.starts_with(&family(session)));
        match table {
            // A doubt is about somebody who may be in both tables.
            Some(table) if !special.has_doubts() => {
                let changes = Changes::find(self, session, table, special, excluded).await?;
                Ok(changes.map_or(Rows::Staged(self), Rows::Changed))
            }
            _ => Ok(Rows::Staged(self)),
        }
    }

    /// All rows of the stage.
    pub(super) async fn staged(&self) -> Result<CheckedScan, SourceError> {
        self.scan(&self.statements().all(&self.stage())).await
    }

    /// The table for the next run; `None` where there is to be none, or it could not be made. Nothing
    /// is lost by that: the next run reads in full.
    pub(super) async fn promote(&self, next: Next, before: Option<String>) -> Option<String> {
        match next {
            Next::Keep => before,
            Next::Nothing => None,
            Next::Replace(left_out) => self.replace(&left_out).await.map_or_else(
                |error| {
                    tracing::warn!(%error, "no table was made; the next run reads in full");
                    None
                },
                Some,
            ),
        }
    }

    async fn replace(&self, left_out: &[Box<[u8]>]) -> Result<String, SourceError> {
        if left_out.is_empty() {
            return Ok(self.stage());
        }
        let (stage, out, keys) = (self.stage(), self.left_out(), self.keys());
        self.make(&out, &self.statements().left_out(&out, &stage)).await?;
        for some in left_out.chunks(LEFT_OUT_AT_ONCE) {
            self.warehouse.execute(&self.statements().leave_out(&out, some)).await?;
        }
        self.make(&keys, &self.statements().without(&keys, &stage, &out)).await?;
        Ok(keys)
    }

    /// Removes what this run made and what it replaced. What cannot be removed now is removed by the
    /// next run, which finds it in the journal.
    pub(super) async fn clean_up(&self, session: &Session<'_>) {
        let earlier = session.journal.tables.iter().map(|(_, prefix)| prefix);
        for prefix in earlier.chain([&self.prefix]) {
            if let Err(error) = self.clear(prefix, session.head.table.as_deref()).await {
                tracing::debug!(%error, "tables are left for the next run to remove");
                return;
            }
        }
    }

    /// Removes the tables of a run but for the one to be kept, and tells whether none is left.
    async fn clear(&self, prefix: &str, kept: Option<&str>) -> Result<bool, SourceError> {
        let mut are_gone = true;
        for table in TABLES.map(|suffix| format!("{prefix}{suffix}")) {
            if kept == Some(table.as_str()) {
                are_gone = false;
            } else {
                self.warehouse.execute(&self.statements().drop(&table)).await?;
            }
        }
        Ok(are_gone)
    }

    /// Makes a table. A state that was set back to an older one gives the same names again.
    async fn make(&self, table: &str, create: &str) -> Result<(), SourceError> {
        self.warehouse.execute(&self.statements().drop(table)).await?;
        self.warehouse.execute(create).await
    }

    fn statements(&self) -> Statements<'_> {
        Statements::new(self.warehouse.dialect(), self.warehouse.schema())
    }

    async fn scan(&self, statement: &str) -> Result<CheckedScan, SourceError> {
        Ok(CheckedScan::new(self.warehouse.scan(statement).await?))
    }

    fn stage(&self) -> String {
        format!("{}{STAGE}", self.prefix)
    }

    fn left_out(&self) -> String {
        format!("{}{LEFT_OUT}", self.prefix)
    }

    fn keys(&self) -> String {
        format!("{}{KEYS}", self.prefix)
    }
}

const STAGE: &str = "_stage";
const LEFT_OUT: &str = "_left_out";
const KEYS: &str = "_keys";
const TABLES: [&str; 3] = [STAGE, LEFT_OUT, KEYS];

/// How often an identifier occurs, as a scan gives it.
pub(super) fn occurrences(digits: &[u8]) -> Result<u64, SourceError> {
    let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| SourceError::permanent("the warehouse gave no number of rows"))
}
