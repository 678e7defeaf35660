//! Moves the state forward by exactly what was acknowledged. Nothing else does.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use segment_diff::Fingerprint;

use super::{
    error::RunError,
    journal::{Entry, NO_BATCH, OpenBatch, Stage},
    membership::{Changes, write_membership},
    push_down::{Next, Spellings},
    session::Session,
    tally::Tally,
    warehouse_key::WarehouseKey,
};
use crate::{
    AbsentMember, Commit, ContactId, Event, Head, HeldMember, ListPin, MembershipChange, Operation,
    RunReport, SnapshotRef, report::VANISHED,
};

/// How long after its journal entry a job whose outcome is unknown may still come to life: an hour,
/// after a call that may have lined up for its turn for another.
const UNCERTAIN_FOR: TimeDelta = TimeDelta::hours(2);

/// The ledger's cause of what an earlier run began.
const RECOVERED: &str = "recovered";

/// What a run found out beside the outcomes of its batches.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Held members who left the segment.
    pub(super) released: Vec<Fingerprint>,
    /// All members of the snapshot who are not in the segment; `None` where that was not looked at.
    pub(super) absent: Option<Vec<AbsentMember>>,
    /// Why those were removed who are excluded; `None` where an earlier run knew why.
    pub(super) excluded_leavers: Option<HashMap<Fingerprint, String>>,
    /// Warehouse keys to be recorded with their members, in ascending order of member.
    pub(super) keys: Vec<(Fingerprint, WarehouseKey)>,
    /// Whether they are worth a commit of their own.
    pub(super) keys_change_record: bool,
    /// How the segment spells whom a warehouse gave; `None` where no table can come of it.
    pub(super) spellings: Option<Spellings>,
    /// Whether the plan was carried out. An approval of it is used up then, or as soon as list or
    /// membership has moved, since the same plan cannot come again.
    pub(super) is_done: bool,
}

/// Commits what a run learnt: previous + acknowledged additions − acknowledged removals, held and
/// absent members, and the end of batches that need no more attention. Returns the members newly held.
pub(super) async fn commit(
    session: &mut Session<'_>,
    mut tally: Tally,
    findings: Findings,
    everything_settled: bool,
    report: &mut RunReport,
) -> Result<Vec<HeldMember>, RunError> {
    tally.sort();
    let hold = tally.held_members(&session.held, session.clock.now());
    let unhold = no_longer_held(session, &tally, &findings.released);
    let absent = (findings.absent).and_then(|absent| still_absent(session, &tally, absent));
    let mut retired_batches = std::mem::take(&mut tally.retired_batches);
    if everything_settled {
        retired_batches.extend(retire_outlived(session, &hold, &unhold).await?);
    }
    watch_who_moved_again(session, &tally).await?;
    let moves = tally.moves_membership();
    let rewrites = moves || findings.keys_change_record;
    let lists_stay = hold.is_empty() && unhold.is_empty() && absent.is_none();
    if findings.is_done || moves {
        retired_batches.append(&mut session.approved);
    }
    let table = findings.spellings.map(|spellings| spellings.next(&tally.added));
    if let Some(push_down) = &mut session.push_down {
        retired_batches.append(&mut push_down.cleared);
    }
    let keeps_table = table.as_ref().is_none_or(|next| *next == Next::Keep);
    if !rewrites && lists_stay && keeps_table && retired_batches.is_empty() {
        return Ok(hold);
    }
    session.renew().await?;
    let mut ledger = session.ledger()?;
    let mut head = next_head(session);
    if rewrites {
        let previous = session.head.snapshot.as_ref();
        let knows_why = findings.excluded_leavers.is_some();
        let changes = Changes {
            added: &tally.added,
            removed: &tally.removed,
            moved: &tally.moved,
            lost_contacts: &tally.lost_contacts,
            keys: &findings.keys,
            why_added: if knows_why { "entered_segment" } else { RECOVERED },
            why_removed: if knows_why { "left_segment" } else { RECOVERED },
            excluded: findings.excluded_leavers.as_ref(),
        };
        let lease = session.lease()?;
        let written = write_membership(session.store, lease, previous, &changes, &mut ledger);
        head.snapshot = written.await?;
    }
    head.table = match (table, &session.push_down) {
        (Some(next), Some(push_down)) => push_down.promote(next, head.table).await,
        // The table stands for the record and for who was absent when it was made.
        _ => head.table.filter(|_| !rewrites && absent.is_none()),
    };
    for held in &hold {
        ledger.push(MembershipChange::Hold, held.member, None, &held.cause).await?;
    }
    for member in findings.released {
        ledger.push(MembershipChange::Release, member, None, "left_segment").await?;
    }
    ledger.finish().await?;
    let newly_held = hold.clone();
    let commit = Commit { head, retired_batches, hold, unhold, absent, ..Commit::default() };
    store(session, commit).await?;
    report.added += tally.added.len() as u64;
    report.removed += tally.removed.len() as u64;
    report.moved += tally.moved.len() as u64;
    Ok(newly_held)
}

/// Commits the list to keep, with everybody on it where they are owned; the intent to create one is
/// fulfilled.
pub(super) async fn commit_pin(
    session: &mut Session<'_>,
    pin: ListPin,
    owned: Option<Vec<Entry>>,
) -> Result<(), RunError> {
    let mut head = Head { pin: Some(pin), ..next_head(session) };
    let mut ledger = session.ledger()?;
    if let Some(owned) = owned {
        let changes = Changes { added: &owned, why_added: "adopted", ..Changes::default() };
        let lease = session.lease()?;
        let written = write_membership(session.store, lease, None, &changes, &mut ledger);
        head.snapshot = written.await?;
        head.table = None;
    }
    let mut retired_batches = vec![NO_BATCH];
    retired_batches.append(&mut session.approved);
    ledger.finish().await?;
    store(session, Commit { head, retired_batches, ..Commit::default() }).await
}

/// Commits a record that was put right against the list.
pub(super) async fn commit_record(
    session: &mut Session<'_>,
    pin: ListPin,
    snapshot: Option<SnapshotRef>,
    hold: Vec<HeldMember>,
    unhold: Vec<Fingerprint>,
) -> Result<(), RunError> {
    let head = Head { pin: Some(pin), snapshot, table: None, ..next_head(session) };
    // Where a list was to be created, this is it.
    let retired_batches = vec![NO_BATCH];
    store(session, Commit { head, retired_batches, hold, unhold, ..Commit::default() }).await
}

/// Commits that tables are gone which the journal announced.
pub(super) async fn commit_cleared(
    session: &mut Session<'_>,
    retired_batches: Vec<u64>,
) -> Result<(), RunError> {
    let head = next_head(session);
    session.ledger()?.finish().await?;
    store(session, Commit { head, retired_batches, ..Commit::default() }).await
}

fn next_head(session: &Session<'_>) -> Head {
    Head { generation: session.head.generation + 1, ..session.head.clone() }
}

async fn store(session: &mut Session<'_>, mut commit: Commit) -> Result<(), RunError> {
    commit.expected_generation = session.head.generation;
    let now = session.clock.now();
    let expired = session.journal.approvals.iter().filter(|(_, given)| given.expires_at <= now);
    commit.retired_batches.extend(expired.map(|(batch, _)| *batch));
    session.store.commit(session.lease()?, commit.clone()).await?;
    let replaced: HashSet<Fingerprint> =
        commit.hold.iter().map(|held| held.member).chain(commit.unhold).collect();
    session.held.retain(|held| !replaced.contains(&held.member));
    session.held.extend(commit.hold);
    session.absent = commit.absent.unwrap_or(std::mem::take(&mut session.absent));
    session.head = commit.head;
    session.observe(&Event::Committed { generation: session.head.generation });
    Ok(())
}

fn no_longer_held(
    session: &Session<'_>,
    tally: &Tally,
    released: &[Fingerprint],
) -> Vec<Fingerprint> {
    let moved = tally.moved.iter().map(|moved| &moved.entry);
    let added: HashSet<Fingerprint> =
        tally.added.iter().chain(moved).map(|entry| entry.member).collect();
    // Whoever vanished is watched until she is seen on the list.
    let added = (session.held.iter())
        .filter(|held| added.contains(&held.member) && held.cause != VANISHED)
        .map(|held| held.member);
    added.chain(released.iter().copied()).collect()
}

/// Who is still absent after this run; `None` where nothing is to be written.
fn still_absent(
    session: &Session<'_>,
    tally: &Tally,
    mut absent: Vec<AbsentMember>,
) -> Option<Vec<AbsentMember>> {
    absent.retain(|absent| tally.removed.binary_search(&absent.member).is_err());
    (!(absent.is_empty() && session.absent.is_empty())).then_some(absent)
}

/// Keeps an eye on contacts who moved although it is not known what became of an earlier move of
/// theirs: it may happen late, and would make them somebody else again.
async fn watch_who_moved_again(session: &mut Session<'_>, tally: &Tally) -> Result<(), RunError> {
    let moved: HashMap<ContactId, Entry> =
        tally.moved.iter().filter_map(|moved| Some((moved.entry.contact?, moved.entry))).collect();
    let mut to_watch = Vec::new();
    for batch in &session.journal.batches {
        if (batch.operation, &batch.stage) != (Operation::Move, &Stage::Uncertain) {
            continue;
        }
        let becomes_another = |entry: &Entry| {
            let now = moved.get(&entry.contact?).copied()?;
            let is_watched = batch.before.contains(&now.member);
            (now.member != entry.member && !is_watched).then_some(now)
        };
        let members: Vec<Entry> = batch.members.iter().filter_map(becomes_another).collect();
        if !members.is_empty() {
            to_watch.push((batch.at, members));
        }
    }
    for (at, members) in to_watch {
        let before = members.iter().map(|entry| entry.member).collect();
        session.uncertain(Operation::Move, at, members, before).await?;
    }
    Ok(())
}

/// Uncertain batches that were old enough when this run began, and that it has made up for. The
/// doubt about members who are held goes on: nobody has learnt yet whether they are on the list.
async fn retire_outlived(
    session: &mut Session<'_>,
    hold: &[HeldMember],
    unhold: &[Fingerprint],
) -> Result<Vec<u64>, RunError> {
    let horizon = session.started_at - UNCERTAIN_FOR;
    let unhold: HashSet<&Fingerprint> = unhold.iter().collect();
    // Whoever vanished and was tried again is only watched.
    let is_held = |held: &&HeldMember| held.cause != VANISHED || held.retry_at > session.started_at;
    let held: HashSet<Fingerprint> = (session.held.iter().chain(hold))
        .filter(is_held)
        .map(|held| held.member)
        .filter(|member| !unhold.contains(member))
        .collect();
    let is_outlived = |batch: &&OpenBatch| batch.stage == Stage::Uncertain && batch.at <= horizon;
    let outlived: Vec<_> = session.journal.batches.iter().filter(is_outlived).cloned().collect();
    let mut retired = Vec::with_capacity(outlived.len());
    for mut batch in outlived {
        let all = batch.members.len();
        batch.retain(|entry| held.contains(&entry.member));
        let OpenBatch { id, operation, at, members, before, .. } = batch;
        if members.len() < all {
            retired.push(id);
            if !members.is_empty() {
                session.uncertain(operation, at, members, before).await?;
            }
        }
    }
    Ok(retired)
}
