//! What the clauses have in common: a time, a name, and states with a bit of everything.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use segment_diff::Fingerprint;

use crate::{
    AbsentMember, Acquired, ActivationKey, Commit, Head, HeldMember, JournalEntry, Lease, ListPin,
    SnapshotRef, State, StateStore, StoreError, StoreErrorKind, Visibility,
    conformance::check::{Broken, Checked, ensure, ensure_eq},
};

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// A moment of the suite's own time, in seconds.
pub(super) fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(second)
}

pub(super) fn vip() -> ActivationKey {
    ActivationKey::new("vip")
}

/// Takes the lease of an activation for a minute.
pub(super) async fn lease(
    store: &dyn StateStore,
    of: &ActivationKey,
    now: i64,
) -> Result<Lease, Broken> {
    match store.acquire(of, "tester", at(now), MINUTE).await? {
        Acquired::Lease(lease) => Ok(lease),
        busy => Err(Broken::new(format!("a lease that should be free is not: {busy:?}"))),
    }
}

pub(super) async fn write(
    store: &dyn StateStore,
    lease: &Lease,
    bytes: &[u8],
) -> Result<SnapshotRef, Broken> {
    let mut writer = store.write_snapshot(lease).await?;
    for chunk in bytes.chunks(100_000) {
        writer.write_chunk(chunk).await?;
    }
    Ok(SnapshotRef { name: writer.finish().await?, members: 1, bytes: bytes.len() as u64 })
}

pub(super) async fn read(
    store: &dyn StateStore,
    of: &ActivationKey,
    snapshot: &SnapshotRef,
) -> Result<Vec<u8>, Broken> {
    let mut reader = store.read_snapshot(of, snapshot).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = reader.next_chunk().await? {
        ensure!(!chunk.is_empty());
        bytes.extend(chunk);
    }
    ensure_eq!(reader.next_chunk().await?, None);
    Ok(bytes)
}

/// What the head's snapshot contains; empty without one.
pub(super) async fn members(store: &dyn StateStore, of: &ActivationKey) -> Result<Vec<u8>, Broken> {
    match store.load(of).await?.head.snapshot {
        Some(snapshot) => read(store, of, &snapshot).await,
        None => Ok(Vec::new()),
    }
}

/// A commit after `generation` that changes the head only.
pub(super) fn step(generation: u64, snapshot: Option<SnapshotRef>) -> Commit {
    Commit {
        expected_generation: generation,
        head: Head {
            generation: generation + 1,
            pin: Some(pin()),
            snapshot,
            table: Some(format!("keys_{generation}")),
        },
        ..Commit::default()
    }
}

fn pin() -> ListPin {
    ListPin {
        account: "4711".into(),
        list_id: u64::MAX,
        name: "VIP – Kund*innen".into(),
        visibility: Visibility::Public,
    }
}

pub(super) fn entry(batch: u64, body: &[u8]) -> JournalEntry {
    JournalEntry { batch, body: body.to_vec() }
}

pub(super) fn fingerprint(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 16])
}

pub(super) fn held(byte: u8, cause: &str) -> HeldMember {
    HeldMember {
        member: fingerprint(byte),
        cause: cause.into(),
        since: at(0),
        retry_at: at(86_400),
        attempts: u32::MAX,
    }
}

pub(super) fn absent(byte: u8, runs: u32) -> AbsentMember {
    AbsentMember { member: fingerprint(byte), runs }
}

/// A state in an order that can be compared.
pub(super) async fn load(store: &dyn StateStore, of: &ActivationKey) -> Result<State, Broken> {
    let mut state = store.load(of).await?;
    state.held.sort_by_key(|held| held.member);
    state.absent.sort_by_key(|absent| absent.member);
    Ok(state)
}

/// A generation with a bit of everything: a snapshot, journal entries, a held and an absent member.
pub(super) async fn furnish(store: &dyn StateStore, lease: &Lease) -> Result<State, Broken> {
    let snapshot = write(store, lease, b"first members").await?;
    store.append(lease, entry(1, b"open batch")).await?;
    let commit = Commit {
        hold: vec![held(1, "invalid_email")],
        absent: Some(vec![absent(8, 1)]),
        ..step(0, Some(snapshot))
    };
    store.commit(lease, commit).await?;
    load(store, &lease.activation).await
}

/// Whether `operation` failed as it must.
pub(super) fn refused<T>(
    operation: &str,
    answer: Result<T, StoreError>,
    kind: StoreErrorKind,
) -> Checked {
    match answer {
        Err(error) if error.kind == kind => Ok(()),
        Err(error) => Err(Broken::new(format!(
            "{operation} failed with {:?} and not with {kind:?}: {error}",
            error.kind
        ))),
        Ok(_) => Err(Broken::new(format!("{operation} succeeded and should fail with {kind:?}"))),
    }
}

/// Bytes without a pattern that a faulty reader could hide in.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(1).fill(&mut bytes);
    bytes
}
