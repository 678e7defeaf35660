//! Commits: everything together, or nothing.

use super::{
    Store,
    bench::{
        absent, entry, fingerprint, furnish, held, lease, load, members, refused, step, vip, write,
    },
};
use crate::{
    ActivationKey, Commit, Lease, SnapshotRef, State, StateStore, StoreErrorKind,
    conformance::check::{Checked, ensure_eq},
};

pub(super) async fn an_activation_never_committed_is_empty(store: Store) -> Checked {
    ensure_eq!(store.load(&vip()).await?, State::default());
    lease(&store, &vip(), 0).await?;
    ensure_eq!(store.load(&vip()).await?, State::default());
    Ok(())
}

pub(super) async fn a_commit_changes_head_journal_and_held_members_together(
    store: Store,
) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    furnish(&store, &lease).await?;
    store.append(&lease, entry(2, b"next batch")).await?;
    let snapshot = write(&store, &lease, b"second members").await?;
    let commit = Commit {
        retired_batches: vec![1],
        hold: vec![held(2, "globally_suppressed")],
        unhold: vec![fingerprint(1)],
        ..step(1, Some(snapshot))
    };
    store.commit(&lease, commit.clone()).await?;

    let expected = State {
        head: commit.head,
        journal: vec![entry(2, b"next batch")],
        held: vec![held(2, "globally_suppressed")],
        absent: vec![absent(8, 1)],
    };
    ensure_eq!(load(&store, &vip()).await?, expected);
    ensure_eq!(members(&store, &vip()).await?, b"second members");
    Ok(())
}

pub(super) async fn a_commit_from_another_generation_changes_nothing(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    furnish(&store, &lease).await?;
    for generation in [0, 2] {
        changes_nothing(&store, &lease, step(generation, None), StoreErrorKind::Moved).await?;
    }
    ensure_eq!(members(&store, &vip()).await?, b"first members");
    Ok(())
}

pub(super) async fn a_commit_that_skips_a_generation_changes_nothing(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    furnish(&store, &lease).await?;
    let skipping = Commit { expected_generation: 1, ..step(2, None) };
    changes_nothing(&store, &lease, skipping, StoreErrorKind::Failed).await?;
    Ok(())
}

pub(super) async fn a_commit_of_a_missing_snapshot_changes_nothing(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    furnish(&store, &lease).await?;
    for name in ["", "never-written", "../state.db"] {
        let missing = SnapshotRef { name: name.into(), members: 1, bytes: 1 };
        changes_nothing(&store, &lease, step(1, Some(missing)), StoreErrorKind::Corrupt).await?;
    }
    Ok(())
}

pub(super) async fn a_commit_of_a_snapshot_of_another_length_changes_nothing(
    store: Store,
) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    furnish(&store, &lease).await?;
    let written = write(&store, &lease, b"12345").await?;
    let wrong = SnapshotRef { bytes: 6, ..written };
    changes_nothing(&store, &lease, step(1, Some(wrong)), StoreErrorKind::Corrupt).await?;
    Ok(())
}

pub(super) async fn a_commit_of_the_snapshot_of_another_activation_changes_nothing(
    store: Store,
) -> Checked {
    let other = lease(&store, &ActivationKey::new("other"), 0).await?;
    let ours = lease(&store, &vip(), 0).await?;
    furnish(&store, &ours).await?;
    let theirs = write(&store, &other, b"theirs").await?;
    changes_nothing(&store, &ours, step(1, Some(theirs)), StoreErrorKind::Corrupt).await?;
    Ok(())
}

pub(super) async fn a_commit_may_keep_the_snapshot_or_drop_it(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    let kept = furnish(&store, &lease).await?.head.snapshot;
    store.commit(&lease, step(1, kept)).await?;
    ensure_eq!(members(&store, &vip()).await?, b"first members");
    store.commit(&lease, step(2, None)).await?;
    ensure_eq!(load(&store, &vip()).await?.head, step(2, None).head);
    Ok(())
}

/// Commits what must be refused, with changes of every sort in it.
async fn changes_nothing(
    store: &dyn StateStore,
    lease: &Lease,
    commit: Commit,
    kind: StoreErrorKind,
) -> Checked {
    let before = load(store, &lease.activation).await?;
    let commit = Commit {
        retired_batches: vec![1],
        hold: vec![held(2, "refused")],
        unhold: vec![fingerprint(1)],
        ..commit
    };
    refused("commit", store.commit(lease, commit).await, kind)?;
    ensure_eq!(load(store, &lease.activation).await?, before);
    Ok(())
}
