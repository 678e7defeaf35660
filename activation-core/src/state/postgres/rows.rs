//! What is in the tables but leases, read and written inside a transaction of the caller.

use std::collections::BTreeMap;

use chrono::DateTime;
use segment_diff::Fingerprint;
use tokio_postgres::{Row, types::Type};

use super::{
    lease,
    link::{Fault, Tx},
    names::SnapshotName,
    schema::damaged,
};
use crate::state::{
    AbsentMember, ActivationKey, Commit, Head, HeldMember, JournalEntry, Lease, SnapshotRef, State,
    StoreError, StoreErrorKind, rules, seal,
};

/// Everything that is remembered of an activation.
pub(super) async fn state(tx: &Tx<'_>, activation: &ActivationKey) -> Result<State, Fault> {
    let name = activation.as_str().as_bytes();
    let all = async |sql: &str| tx.rows(sql, &[(&name, Type::BYTEA)]).await;
    let journal =
        all("SELECT batch, body FROM @.journal WHERE activation = $1 ORDER BY seq").await?;
    let held = "SELECT member, cause, since, retry_at, attempts FROM @.held WHERE activation = $1";
    let held = all(held).await?;
    let absent = all("SELECT member, runs FROM @.absent WHERE activation = $1").await?;
    Ok(State {
        head: head(tx, activation).await?.0,
        journal: each(&journal, journal_entry, "journal entry")?,
        held: each(&held, held_member, "held member")?,
        absent: each(&absent, absent_member, "absent member")?,
    })
}

/// The head and the id of the commit that made it; the default before the first one.
pub(super) async fn head(
    tx: &Tx<'_>,
    activation: &ActivationKey,
) -> Result<(Head, Vec<u8>), Fault> {
    let name = activation.as_str().as_bytes();
    let sql = "SELECT body, commit_id FROM @.head WHERE activation = $1";
    let Some(row) = tx.row(sql, &[(&name, Type::BYTEA)]).await? else {
        return Ok((Head::default(), Vec::new()));
    };
    let body = row.try_get(0).ok().and_then(seal::open).ok_or_else(|| damaged("head"))?;
    let head = serde_json::from_slice(&body).map_err(|error| damaged("head").caused_by(error))?;
    Ok((head, row.try_get(1).map_err(|_| damaged("head"))?))
}

/// Appends to the journal under `id`, unless it was done.
pub(super) async fn append(
    tx: &Tx<'_>,
    lease: &Lease,
    entry: &JournalEntry,
    id: &[u8],
) -> Result<(), Fault> {
    let name = lease.activation.as_str().as_bytes();
    let (batch, body) = (entry.batch.cast_signed(), seal::seal(&entry.body));
    let held = lease::hold(tx, lease).await;
    if tx.is_repeated {
        let sql = "SELECT FROM @.journal WHERE activation = $1 AND batch = $2 AND entry_id = $3";
        let values =
            [(&name as _, Type::BYTEA), (&batch as _, Type::INT8), (&id as _, Type::BYTEA)];
        if tx.row(sql, &values).await?.is_some() {
            return Ok(());
        }
    }
    held?;
    tx.execute(
        "INSERT INTO @.journal (activation, batch, body, entry_id) VALUES ($1, $2, $3, $4)",
        &[(&name, Type::BYTEA), (&batch, Type::INT8), (&body, Type::BYTEA), (&id, Type::BYTEA)],
    )
    .await?;
    Ok(())
}

/// Makes a new head under `id`, unless it was done, and removes the snapshot of the one before.
pub(super) async fn commit(
    tx: &Tx<'_>,
    lease: &Lease,
    commit: &Commit,
    id: &[u8],
) -> Result<(), Fault> {
    let activation = &lease.activation;
    let held = lease::hold(tx, lease).await;
    let (previous, made_by) = head(tx, activation).await?;
    if made_by == id {
        return Ok(());
    }
    held?;
    rules::check_generation(previous.generation, commit)?;
    let current = commit.head.snapshot.as_ref();
    if let Some(snapshot) = current {
        check_snapshot(tx, activation, snapshot).await?;
    }
    put_head(tx, activation, &commit.head, id).await?;
    retire(tx, activation, &commit.retired_batches).await?;
    put_held(tx, activation, commit).await?;
    if let Some(absent) = &commit.absent {
        put_absent(tx, activation, absent).await?;
    }
    match previous.snapshot.filter(|one| Some(&one.name) != current.map(|new| &new.name)) {
        Some(previous) => remove_snapshot(tx, activation, &previous).await,
        None => Ok(()),
    }
}

/// Removes all snapshots of an activation but the one that its head names.
pub(super) async fn remove_orphans(tx: &Tx<'_>, activation: &ActivationKey) -> Result<(), Fault> {
    let (head, _) = head(tx, activation).await?;
    let named = head.snapshot.and_then(|snapshot| SnapshotName::parse(&snapshot.name));
    let (name, kept) = (activation.as_str().as_bytes(), named.map(|named| named.rows.to_vec()));
    let sql = "DELETE FROM @.chunk WHERE activation = $1 AND snapshot IS DISTINCT FROM $2";
    tx.execute(sql, &[(&name, Type::BYTEA), (&kept, Type::BYTEA)]).await?;
    Ok(())
}

/// How many bytes the rows of a snapshot hold; `None` when there are none of these rows.
pub(super) async fn snapshot_bytes(
    tx: &Tx<'_>,
    activation: &ActivationKey,
    rows: &[u8],
) -> Result<Option<u64>, Fault> {
    let name = activation.as_str().as_bytes();
    let sql = "SELECT sum(octet_length(bytes))::bigint FROM @.chunk \
        WHERE activation = $1 AND snapshot = $2";
    let row = tx.row(sql, &[(&name, Type::BYTEA), (&rows, Type::BYTEA)]).await?;
    let sum: Option<i64> = row.map(|row| row.try_get(0)).transpose()?.flatten();
    Ok(sum.map(i64::cast_unsigned))
}

/// Fails unless a snapshot is there with all its bytes.
async fn check_snapshot(
    tx: &Tx<'_>,
    activation: &ActivationKey,
    snapshot: &SnapshotRef,
) -> Result<(), Fault> {
    let stored = match SnapshotName::parse(&snapshot.name) {
        Some(name) => snapshot_bytes(tx, activation, &name.rows).await?,
        None => None,
    };
    let stored = stored.ok_or_else(|| rules::missing_snapshot(&snapshot.name))?;
    Ok(rules::check_length(snapshot, stored)?)
}

async fn remove_snapshot(
    tx: &Tx<'_>,
    activation: &ActivationKey,
    snapshot: &SnapshotRef,
) -> Result<(), Fault> {
    let Some(snapshot) = SnapshotName::parse(&snapshot.name) else { return Ok(()) };
    let (name, rows) = (activation.as_str().as_bytes(), &snapshot.rows[..]);
    let sql = "DELETE FROM @.chunk WHERE activation = $1 AND snapshot = $2";
    tx.execute(sql, &[(&name, Type::BYTEA), (&rows, Type::BYTEA)]).await?;
    Ok(())
}

async fn put_head(
    tx: &Tx<'_>,
    activation: &ActivationKey,
    head: &Head,
    id: &[u8],
) -> Result<(), Fault> {
    let body = serde_json::to_vec(head).map_err(|error| {
        StoreError::new(StoreErrorKind::Failed, "the head cannot be encoded").caused_by(error)
    })?;
    let (name, body) = (activation.as_str().as_bytes(), seal::seal(&body));
    let sql = "INSERT INTO @.head (activation, body, commit_id) VALUES ($1, $2, $3) \
        ON CONFLICT (activation) DO UPDATE \
        SET body = excluded.body, commit_id = excluded.commit_id";
    tx.execute(sql, &[(&name, Type::BYTEA), (&body, Type::BYTEA), (&id, Type::BYTEA)]).await?;
    Ok(())
}

async fn retire(tx: &Tx<'_>, activation: &ActivationKey, batches: &[u64]) -> Result<(), Fault> {
    if batches.is_empty() {
        return Ok(());
    }
    let name = activation.as_str().as_bytes();
    let batches: Vec<i64> = batches.iter().map(|batch| batch.cast_signed()).collect();
    let sql = "DELETE FROM @.journal WHERE activation = $1 AND batch = ANY ($2)";
    tx.execute(sql, &[(&name, Type::BYTEA), (&batches, Type::INT8_ARRAY)]).await?;
    Ok(())
}

async fn put_held(tx: &Tx<'_>, activation: &ActivationKey, commit: &Commit) -> Result<(), Fault> {
    let name = activation.as_str().as_bytes();
    // One statement cannot write a row twice; of several the last one counts.
    let hold: BTreeMap<Fingerprint, &HeldMember> =
        commit.hold.iter().map(|held| (held.member, held)).collect();
    let gone = commit.unhold.iter().chain(hold.keys());
    let gone: Vec<&[u8]> = gone.map(|member| &member.as_bytes()[..]).collect();
    if !gone.is_empty() {
        let sql = "DELETE FROM @.held WHERE activation = $1 AND member = ANY ($2)";
        tx.execute(sql, &[(&name, Type::BYTEA), (&gone, Type::BYTEA_ARRAY)]).await?;
    }
    if hold.is_empty() {
        return Ok(());
    }
    let members: Vec<&[u8]> = hold.keys().map(|member| &member.as_bytes()[..]).collect();
    let causes: Vec<&[u8]> = hold.values().map(|held| held.cause.as_bytes()).collect();
    let since: Vec<i64> = hold.values().map(|held| held.since.timestamp()).collect();
    let retry_at: Vec<i64> = hold.values().map(|held| held.retry_at.timestamp()).collect();
    let attempts: Vec<i64> = hold.values().map(|held| held.attempts.into()).collect();
    tx.execute(
        "INSERT INTO @.held (activation, member, cause, since, retry_at, attempts) \
        SELECT $1, * FROM unnest($2, $3, $4, $5, $6)",
        &[
            (&name, Type::BYTEA),
            (&members, Type::BYTEA_ARRAY),
            (&causes, Type::BYTEA_ARRAY),
            (&since, Type::INT8_ARRAY),
            (&retry_at, Type::INT8_ARRAY),
            (&attempts, Type::INT8_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

async fn put_absent(
    tx: &Tx<'_>,
    activation: &ActivationKey,
    absent: &[AbsentMember],
) -> Result<(), Fault> {
    let name = activation.as_str().as_bytes();
    let sql = "DELETE FROM @.absent WHERE activation = $1";
    tx.execute(sql, &[(&name, Type::BYTEA)]).await?;
    let absent: BTreeMap<Fingerprint, u32> =
        absent.iter().map(|absent| (absent.member, absent.runs)).collect();
    if absent.is_empty() {
        return Ok(());
    }
    let members: Vec<&[u8]> = absent.keys().map(|member| &member.as_bytes()[..]).collect();
    let runs: Vec<i64> = absent.values().map(|runs| i64::from(*runs)).collect();
    let sql = "INSERT INTO @.absent (activation, member, runs) SELECT $1, * FROM unnest($2, $3)";
    let values = [
        (&name as _, Type::BYTEA),
        (&members as _, Type::BYTEA_ARRAY),
        (&runs as _, Type::INT8_ARRAY),
    ];
    tx.execute(sql, &values).await?;
    Ok(())
}

fn each<T>(rows: &[Row], read: impl Fn(&Row) -> Option<T>, what: &str) -> Result<Vec<T>, Fault> {
    let all = rows.iter().map(|row| read(row).ok_or_else(|| damaged(what).into()));
    all.collect()
}

fn journal_entry(row: &Row) -> Option<JournalEntry> {
    let batch: i64 = row.try_get(0).ok()?;
    Some(JournalEntry { batch: batch.cast_unsigned(), body: seal::open(row.try_get(1).ok()?)? })
}

fn held_member(row: &Row) -> Option<HeldMember> {
    let time = |column: usize| DateTime::from_timestamp(row.try_get(column).ok()?, 0);
    Some(HeldMember {
        member: fingerprint(row)?,
        cause: String::from_utf8(row.try_get(1).ok()?).ok()?,
        since: time(2)?,
        retry_at: time(3)?,
        attempts: row.try_get::<_, i64>(4).ok()?.try_into().ok()?,
    })
}

fn absent_member(row: &Row) -> Option<AbsentMember> {
    let runs = row.try_get::<_, i64>(1).ok()?.try_into().ok()?;
    Some(AbsentMember { member: fingerprint(row)?, runs })
}

fn fingerprint(row: &Row) -> Option<Fingerprint> {
    let bytes: Vec<u8> = row.try_get(0).ok()?;
    Some(Fingerprint::from_bytes(bytes.try_into().ok()?))
}
