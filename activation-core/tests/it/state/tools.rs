//! What the tests of stores have in common.

use std::time::Duration;

use activation_core::{
    AbsentMember, Acquired, ActivationKey, Commit, Head, HeldMember, JournalEntry, Lease, ListPin,
    SnapshotRef, SnapshotWrite, State, StateStore, StoreError, Visibility,
};
use chrono::{DateTime, Utc};
use segment_diff::{Fingerprint, FingerprintKey};

pub(super) const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

pub(super) fn vip() -> ActivationKey {
    ActivationKey::new("vip")
}

pub(super) fn key(byte: u8) -> FingerprintKey {
    FingerprintKey::new([byte; 16])
}

#[cfg(any(feature = "directory", feature = "postgres"))]
pub(super) fn host_key(byte: u8) -> activation_core::HostKey {
    activation_core::HostKey::new([byte; 16])
}

/// Takes the lease of an activation for a minute.
pub(super) async fn lease(store: &dyn StateStore, of: &ActivationKey, now: i64) -> Lease {
    try_lease(store, of, now).await.unwrap()
}

pub(super) async fn try_lease(
    store: &dyn StateStore,
    of: &ActivationKey,
    now: i64,
) -> Result<Lease, StoreError> {
    match store.acquire(of, "tester", at(now), MINUTE).await? {
        Acquired::Lease(lease) => Ok(lease),
        busy => panic!("{busy:?}"),
    }
}

pub(super) async fn write(store: &dyn StateStore, lease: &Lease, bytes: &[u8]) -> SnapshotRef {
    try_write(store, lease, bytes).await.unwrap()
}

pub(super) async fn try_write(
    store: &dyn StateStore,
    lease: &Lease,
    bytes: &[u8],
) -> Result<SnapshotRef, StoreError> {
    let mut writer = store.write_snapshot(lease).await?;
    for chunk in bytes.chunks(100_000) {
        writer.write_chunk(chunk).await?;
    }
    finished(writer, bytes).await
}

async fn finished(writer: Box<dyn SnapshotWrite>, bytes: &[u8]) -> Result<SnapshotRef, StoreError> {
    Ok(SnapshotRef { name: writer.finish().await?, members: 1, bytes: bytes.len() as u64 })
}

pub(super) async fn read(
    store: &dyn StateStore,
    of: &ActivationKey,
    snapshot: &SnapshotRef,
) -> Result<Vec<u8>, StoreError> {
    let mut reader = store.read_snapshot(of, snapshot).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = reader.next_chunk().await? {
        assert!(!chunk.is_empty());
        bytes.extend(chunk);
    }
    assert_eq!(reader.next_chunk().await?, None, "the end stays the end");
    Ok(bytes)
}

/// What the head's snapshot contains; empty without one.
pub(super) async fn members(store: &dyn StateStore, of: &ActivationKey) -> Vec<u8> {
    match store.load(of).await.unwrap().head.snapshot {
        Some(snapshot) => read(store, of, &snapshot).await.unwrap(),
        None => Vec::new(),
    }
}

/// A commit after `generation` that changes the head only.
pub(super) fn step(generation: u64, snapshot: Option<SnapshotRef>) -> Commit {
    Commit {
        expected_generation: generation,
        head: Head { generation: generation + 1, pin: Some(pin()), snapshot, table: None },
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

/// A state in an order that can be compared.
pub(super) async fn load(store: &dyn StateStore, of: &ActivationKey) -> State {
    let mut state = store.load(of).await.unwrap();
    state.held.sort_by_key(|held| held.member);
    state.absent.sort_by_key(|absent| absent.member);
    state
}

/// A generation with a bit of everything: a snapshot, journal entries, a held and an absent member.
pub(super) async fn furnish(store: &dyn StateStore, lease: &Lease) -> State {
    let snapshot = write(store, lease, b"first members").await;
    store.append(lease, entry(1, b"open batch")).await.unwrap();
    let commit = Commit {
        hold: vec![held(1, "invalid_email")],
        absent: Some(vec![AbsentMember { member: fingerprint(8), runs: 1 }]),
        ..step(0, Some(snapshot))
    };
    store.commit(lease, commit).await.unwrap();
    load(store, &lease.activation).await
}

/// Bytes without a pattern that a faulty reader could hide in.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(1);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}
