//! What the warehouse found to have changed, and whether it fits the record.

use std::{collections::HashSet, sync::Arc};

use chrono::{DateTime, Utc};
use segment_diff::Fingerprint;

use super::{PushDown, occurrences};
use crate::{
    KeyBatch, SourceError,
    run::{
        delta::fingerprint, error::RunError, excluded::Excluded, membership::MembershipReader,
        session::Session, special::Special,
    },
};

/// Beyond so many changes they are not kept in memory, and the stage is read in full.
const MOST_CHANGES: u64 = 1_000_000;

/// The rows that are in only one of stage and table.
pub(in crate::run) struct Changes {
    /// Rows of the stage, with how often each occurs.
    pub(in crate::run) added: Vec<KeyBatch>,
    /// Members whose spelling in the table is not in the segment any more.
    pub(in crate::run) removed: HashSet<Fingerprint>,
    /// Members who may have changed. All others of the record are in the segment, unchanged.
    pub(in crate::run) concerned: Arc<HashSet<Fingerprint>>,
    pub(in crate::run) as_of: Option<DateTime<Utc>>,
}

impl Changes {
    /// Compares stage and table; `None` where the whole stage has to be read: the table is not there or
    /// does not fit the record, members of the record are excluded, or the changes are too many.
    pub(super) async fn find(
        push_down: &PushDown,
        session: &Session<'_>,
        table: &str,
        special: &Special<'_>,
        excluded: &Excluded,
    ) -> Result<Option<Self>, RunError> {
        let Some((added, gone)) = or_full(read(push_down, session, table).await)? else {
            return Ok(None);
        };
        let kind = session.activation.resolved().identifier;
        let key = session.store.fingerprint_key();
        let print = |raw: &[u8]| kind.normalise(raw).ok().map(|one| fingerprint(key, &one));
        let mut removed = HashSet::new();
        for raw in gone.iter().flat_map(KeyBatch::iter) {
            // Each row of the table is somebody of the record, and somebody else than the others.
            if !print(raw).is_some_and(|member| removed.insert(member)) {
                return Ok(None);
            }
        }
        let mut concerned = removed.clone();
        concerned.extend(added.iter().flat_map(KeyBatch::iter).filter_map(print));
        concerned.extend(special.absent.keys());
        concerned.extend(special.held.keys());
        if !fits(session, &removed, excluded).await? {
            return Ok(None);
        }
        let (concerned, as_of) = (Arc::new(concerned), push_down.as_of);
        Ok(Some(Self { added, removed, concerned, as_of }))
    }

    /// Whether the table has a spelling of a recorded member that the segment still has.
    pub(in crate::run) fn stands(&self, member: &Fingerprint, special: &Special<'_>) -> bool {
        !self.removed.contains(member) && !special.absent.contains_key(member)
    }
}

/// The rows of only the stage and those of only the table.
async fn read(
    push_down: &PushDown,
    session: &Session<'_>,
    table: &str,
) -> Result<Option<(Vec<KeyBatch>, Vec<KeyBatch>)>, SourceError> {
    let (stage, statements) = (push_down.stage(), push_down.statements());
    let recorded = session.head.snapshot.as_ref().map_or(0, |snapshot| snapshot.members);
    let absent = session.absent.len() as u64;
    // Some drivers say of a table that is not there that it may come back.
    let rows = count(push_down, &statements.count(table)).await.inspect_err(warn).ok();
    if rows.and_then(|rows| rows.checked_add(absent)) != Some(recorded) {
        return Ok(None);
    }
    let Some(gone) = some(push_down, &statements.only_in(table, &stage)).await? else {
        return Ok(None);
    };
    let added = some(push_down, &statements.only_in(&stage, table)).await?;
    Ok(added.map(|added| (added, gone)))
}

/// What cannot be read for good is left alone: the whole stage can be read, or says what is wrong.
fn or_full<T>(result: Result<Option<T>, SourceError>) -> Result<Option<T>, SourceError> {
    match result {
        Err(error) if !error.is_temporary() => {
            warn(&error);
            Ok(None)
        }
        result => result,
    }
}

fn warn(error: &SourceError) {
    tracing::warn!(%error, "the table cannot be used; the segment is read in full");
}

async fn count(push_down: &PushDown, statement: &str) -> Result<u64, SourceError> {
    let mut scan = push_down.scan(statement).await?;
    let mut rows = None;
    while let Some(batch) = scan.next_batch().await? {
        for row in batch.rows() {
            rows = Some(occurrences(row.warehouse_key)?);
        }
    }
    rows.ok_or_else(|| SourceError::permanent("the warehouse gave no number of rows"))
}

/// The rows of a statement, unless there are too many.
async fn some(push_down: &PushDown, statement: &str) -> Result<Option<Vec<KeyBatch>>, SourceError> {
    let mut scan = push_down.scan(statement).await?;
    let (mut batches, mut rows) = (Vec::new(), 0);
    while let Some(batch) = scan.next_batch().await? {
        rows += batch.len() as u64;
        if rows > MOST_CHANGES {
            return Ok(None);
        }
        batches.push(batch);
    }
    Ok(Some(batches))
}

/// Whether the record has everybody who is gone from the table, and nobody who is excluded: she is in
/// the table, and nothing tells under which spelling.
async fn fits(
    session: &Session<'_>,
    removed: &HashSet<Fingerprint>,
    excluded: &Excluded,
) -> Result<bool, RunError> {
    let (key, snapshot) = (session.activation.key(), session.head.snapshot.as_ref());
    let mut reader = MembershipReader::open(session.store, &key, snapshot).await?;
    let (mut members, mut found) = (Vec::new(), 0);
    while reader.next_members(&mut members).await? {
        for entry in &members {
            if excluded.reason(&entry.member).is_some() {
                return Ok(false);
            }
            found += usize::from(removed.contains(&entry.member));
        }
    }
    Ok(found == removed.len())
}
