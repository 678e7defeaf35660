//! What is in the tables, read and written inside a transaction of the caller.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, Transaction};
use segment_diff::Fingerprint;

use super::{database::Fault, schema};
use crate::state::{
    AbsentMember, ActivationKey, Commit, Head, HeldMember, JournalEntry, Lease, StoreError,
    StoreErrorKind,
    rules::{self, Holder, NewestLease},
    seal,
};

type Tx<'a> = Transaction<'a>;

/// The newest lease of an activation; `None` when there never was one.
pub(super) fn newest_lease(
    tx: &Tx<'_>,
    activation: &ActivationKey,
) -> Result<Option<NewestLease>, Fault> {
    let row: Option<(i64, Option<String>, i64)> = tx
        .prepare_cached("SELECT token, holder, until FROM lease WHERE activation = ?1")?
        .query_row([activation.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((token, holder, until)) = row else { return Ok(None) };
    let until = DateTime::from_timestamp_micros(until).ok_or_else(|| damaged("lease"))?;
    let holder = holder.map(|name| Holder { name, until });
    Ok(Some(NewestLease { token: token.cast_unsigned(), holder }))
}

/// Every activation that ever had a lease, in ascending order.
pub(super) fn activations(tx: &Tx<'_>) -> Result<Vec<ActivationKey>, Fault> {
    let mut query = tx.prepare_cached("SELECT activation FROM lease ORDER BY activation")?;
    let names = query.query_map([], |row| row.get::<_, String>(0))?;
    Ok(names.map(|name| name.map(ActivationKey::new)).collect::<Result<_, _>>()?)
}

/// Replaces the newest lease.
pub(super) fn put_lease(
    tx: &Tx<'_>,
    activation: &ActivationKey,
    token: u64,
    holder: &Holder,
) -> Result<(), Fault> {
    tx.prepare_cached(
        "INSERT INTO lease (activation, token, holder, until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (activation) DO UPDATE
         SET token = excluded.token, holder = excluded.holder, until = excluded.until",
    )?
    .execute((
        activation.as_str(),
        token.cast_signed(),
        &holder.name,
        holder.until.timestamp_micros(),
    ))?;
    Ok(())
}

/// Prolongs the newest lease.
pub(super) fn prolong_lease(tx: &Tx<'_>, lease: &Lease, until: DateTime<Utc>) -> Result<(), Fault> {
    tx.prepare_cached("UPDATE lease SET until = ?2 WHERE activation = ?1")?
        .execute((lease.activation.as_str(), until.timestamp_micros()))?;
    Ok(())
}

/// Marks a lease as given back, if it is the newest.
pub(super) fn end_lease(tx: &Tx<'_>, lease: &Lease) -> Result<(), Fault> {
    tx.prepare_cached("UPDATE lease SET holder = NULL WHERE activation = ?1 AND token = ?2")?
        .execute((lease.activation.as_str(), lease.token.cast_signed()))?;
    Ok(())
}

/// Fails unless `lease` may write.
pub(super) fn check_lease(tx: &Tx<'_>, lease: &Lease) -> Result<(), Fault> {
    let newest = newest_lease(tx, &lease.activation)?;
    Ok(rules::check_lease(newest.as_ref(), lease)?)
}

/// The head; the default before the first commit.
pub(super) fn head(tx: &Tx<'_>, activation: &ActivationKey) -> Result<Head, Fault> {
    let sealed: Option<Vec<u8>> = tx
        .prepare_cached("SELECT body FROM head WHERE activation = ?1")?
        .query_row([activation.as_str()], |row| row.get(0))
        .optional()?;
    let Some(sealed) = sealed else { return Ok(Head::default()) };
    let body = seal::open(sealed).ok_or_else(|| damaged("head"))?;
    Ok(serde_json::from_slice(&body).map_err(|error| damaged("head").caused_by(error))?)
}

/// The journal, oldest entry first.
pub(super) fn journal(tx: &Tx<'_>, activation: &ActivationKey) -> Result<Vec<JournalEntry>, Fault> {
    let mut query =
        tx.prepare_cached("SELECT batch, body FROM journal WHERE activation = ?1 ORDER BY seq")?;
    let mut rows = query.query([activation.as_str()])?;
    let mut journal = Vec::new();
    while let Some(row) = rows.next()? {
        let batch = row.get::<_, i64>(0)?.cast_unsigned();
        let body = seal::open(row.get(1)?).ok_or_else(|| damaged("journal entry"))?;
        journal.push(JournalEntry { batch, body });
    }
    Ok(journal)
}

/// Appends to the journal.
pub(super) fn append(tx: &Tx<'_>, lease: &Lease, entry: &JournalEntry) -> Result<(), Fault> {
    tx.prepare_cached("INSERT INTO journal (activation, batch, body) VALUES (?1, ?2, ?3)")?
        .execute((lease.activation.as_str(), entry.batch.cast_signed(), seal::seal(&entry.body)))?;
    Ok(())
}

/// The held members.
pub(super) fn held(tx: &Tx<'_>, activation: &ActivationKey) -> Result<Vec<HeldMember>, Fault> {
    let mut query = tx.prepare_cached(
        "SELECT member, cause, since, retry_at, attempts FROM held WHERE activation = ?1",
    )?;
    let mut rows = query.query([activation.as_str()])?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        held.push(held_member(row)?);
    }
    Ok(held)
}

/// The absent members. A store of version 1 that is opened for reading only has no place for them.
pub(super) fn absent(tx: &Tx<'_>, activation: &ActivationKey) -> Result<Vec<AbsentMember>, Fault> {
    if schema::version_of(tx)? < schema::WITH_ABSENT {
        return Ok(Vec::new());
    }
    let mut query = tx.prepare_cached("SELECT member, runs FROM absent WHERE activation = ?1")?;
    let rows = query.query_map([activation.as_str()], |row| {
        Ok(AbsentMember { member: Fingerprint::from_bytes(row.get(0)?), runs: row.get(1)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes what `commit` changes.
pub(super) fn apply(tx: &Tx<'_>, activation: &ActivationKey, commit: &Commit) -> Result<(), Fault> {
    put_head(tx, activation, &commit.head)?;
    let name = activation.as_str();
    let mut retire =
        tx.prepare_cached("DELETE FROM journal WHERE activation = ?1 AND batch = ?2")?;
    for batch in &commit.retired_batches {
        retire.execute((name, batch.cast_signed()))?;
    }
    let mut unhold = tx.prepare_cached("DELETE FROM held WHERE activation = ?1 AND member = ?2")?;
    for member in &commit.unhold {
        unhold.execute((name, member.as_bytes()))?;
    }
    let mut hold = tx.prepare_cached(
        "INSERT OR REPLACE INTO held (activation, member, cause, since, retry_at, attempts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for held in &commit.hold {
        hold.execute((
            name,
            held.member.as_bytes(),
            &held.cause,
            held.since.timestamp(),
            held.retry_at.timestamp(),
            held.attempts,
        ))?;
    }
    commit.absent.as_ref().map_or(Ok(()), |absent| put_absent(tx, activation, absent))
}

fn put_absent(
    tx: &Tx<'_>,
    activation: &ActivationKey,
    absent: &[AbsentMember],
) -> Result<(), Fault> {
    let name = activation.as_str();
    tx.prepare_cached("DELETE FROM absent WHERE activation = ?1")?.execute([name])?;
    let mut insert = tx.prepare_cached(
        "INSERT OR REPLACE INTO absent (activation, member, runs) VALUES (?1, ?2, ?3)",
    )?;
    for absent in absent {
        insert.execute((name, absent.member.as_bytes(), absent.runs))?;
    }
    Ok(())
}

fn put_head(tx: &Tx<'_>, activation: &ActivationKey, head: &Head) -> Result<(), Fault> {
    let body = serde_json::to_vec(head).map_err(|error| {
        StoreError::new(StoreErrorKind::Failed, "the head cannot be encoded").caused_by(error)
    })?;
    tx.prepare_cached("INSERT OR REPLACE INTO head (activation, body) VALUES (?1, ?2)")?
        .execute((activation.as_str(), seal::seal(&body)))?;
    Ok(())
}

fn held_member(row: &Row<'_>) -> Result<HeldMember, Fault> {
    let time = |column| -> Result<DateTime<Utc>, Fault> {
        let seconds = row.get(column)?;
        Ok(DateTime::from_timestamp(seconds, 0).ok_or_else(|| damaged("held member"))?)
    };
    Ok(HeldMember {
        member: Fingerprint::from_bytes(row.get(0)?),
        cause: row.get(1)?,
        since: time(2)?,
        retry_at: time(3)?,
        attempts: row.get(4)?,
    })
}

fn damaged(what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("a stored {what} was altered"))
}
