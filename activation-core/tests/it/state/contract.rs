//! The contract of `StateStore`, clause by clause, for any store. Each clause takes a way to make
//! new, empty stores.

use std::sync::Arc;

use activation_core::{
    AbsentMember, Acquired, ActivationKey, Commit, Lease, SnapshotRef, State, StateStore,
    StoreErrorKind,
};

use super::tools::{
    MINUTE, at, entry, fingerprint, furnish, held, lease, load, members, noise, read, step, vip,
    write,
};

pub(super) async fn a_lease_keeps_others_out_and_names_its_holder<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let first = store.acquire(&vip(), "host-a pid 1", at(0), MINUTE).await.unwrap();
    assert!(matches!(first, Acquired::Lease(_)));
    let second = store.acquire(&vip(), "host-b pid 2", at(59), MINUTE).await.unwrap();
    assert_eq!(second, Acquired::Busy { holder: "host-a pid 1".into(), until: at(60) });
}

pub(super) async fn one_of_many_at_once_gets_the_lease<S: StateStore + 'static>(
    make: impl Fn() -> S,
) {
    let store = Arc::new(make());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.acquire(&vip(), "one of many", at(0), MINUTE).await });
    }
    let given = tasks.join_all().await.into_iter();
    let given = given.filter(|answer| matches!(answer, Ok(Acquired::Lease(_)))).count();
    assert_eq!(given, 1);
}

pub(super) async fn a_released_lease_is_free_at_once<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    let first = lease(&store, &vip(), 0).await;
    store.release(&first).await.unwrap();
    store.release(&first).await.unwrap();
    lease(&store, &vip(), 1).await;
}

pub(super) async fn a_lease_ends_with_its_time<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    lease(&store, &vip(), 0).await;
    lease(&store, &vip(), 60).await;
}

pub(super) async fn a_renewed_lease_ends_later<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    let first = lease(&store, &vip(), 0).await;
    store.renew(&first, at(50), MINUTE).await.unwrap();
    let second = store.acquire(&vip(), "late", at(109), MINUTE).await.unwrap();
    assert_eq!(second, Acquired::Busy { holder: "tester".into(), until: at(110) });
    lease(&store, &vip(), 110).await;
}

pub(super) async fn tokens_grow_whatever_ended_the_lease_before<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let first = lease(&store, &vip(), 0).await;
    let after_expiry = lease(&store, &vip(), 60).await;
    store.release(&after_expiry).await.unwrap();
    let after_release = lease(&store, &vip(), 61).await;
    assert!(first.token < after_expiry.token);
    assert!(after_expiry.token < after_release.token);
}

pub(super) async fn releasing_an_old_lease_does_not_end_the_new_one<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let old = lease(&store, &vip(), 0).await;
    let new = lease(&store, &vip(), 60).await;
    store.release(&old).await.unwrap();
    let third = store.acquire(&vip(), "third", at(61), MINUTE).await.unwrap();
    assert!(matches!(third, Acquired::Busy { .. }));
    store.append(&new, entry(1, b"still ours")).await.unwrap();
}

pub(super) async fn a_holder_who_was_followed_can_write_nothing<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let old = lease(&store, &vip(), 0).await;
    let before = furnish(&store, &old).await;
    let mut writer = store.write_snapshot(&old).await.unwrap();
    writer.write_chunk(b"late").await.unwrap();
    lease(&store, &vip(), 60).await;

    all_writes_are_fenced(&store, &old).await;
    let late = writer.finish().await.unwrap_err();
    assert_eq!(late.kind, StoreErrorKind::Fenced);
    assert_eq!(load(&store, &vip()).await, before);
    assert_eq!(members(&store, &vip()).await, b"first members");
}

pub(super) async fn a_lease_that_was_given_back_can_write_nothing<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let old = lease(&store, &vip(), 0).await;
    let before = furnish(&store, &old).await;
    store.release(&old).await.unwrap();
    all_writes_are_fenced(&store, &old).await;
    assert_eq!(load(&store, &vip()).await, before);
}

pub(super) async fn a_lease_of_nobody_can_write_nothing<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    let invented = Lease { activation: vip(), token: 1 };
    all_writes_are_fenced(&store, &invented).await;
    assert_eq!(load(&store, &vip()).await, State::default());
}

async fn all_writes_are_fenced(store: &dyn StateStore, lease: &Lease) {
    let generation = store.load(&lease.activation).await.unwrap().head.generation;
    let commit = Commit { hold: vec![held(9, "late")], ..step(generation, None) };
    let answers = [
        store.renew(lease, at(61), MINUTE).await,
        store.append(lease, entry(1, b"late")).await,
        store.write_snapshot(lease).await.map(drop),
        store.commit(lease, commit).await,
    ];
    let kinds = answers.map(|answer| answer.unwrap_err().kind);
    assert_eq!(kinds, [StoreErrorKind::Fenced; 4]);
}

pub(super) async fn a_late_holder_whom_nobody_followed_may_write<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let late = lease(&store, &vip(), 0).await;
    store.renew(&late, at(600), MINUTE).await.unwrap();
    furnish(&store, &late).await;
}

pub(super) async fn an_activation_never_committed_is_empty<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    assert_eq!(store.load(&vip()).await.unwrap(), State::default());
    lease(&store, &vip(), 0).await;
    assert_eq!(store.load(&vip()).await.unwrap(), State::default());
}

pub(super) async fn a_commit_changes_head_journal_and_held_members_together<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    furnish(&store, &lease).await;
    store.append(&lease, entry(2, b"next batch")).await.unwrap();
    let snapshot = write(&store, &lease, b"second members").await;
    let commit = Commit {
        retired_batches: vec![1],
        hold: vec![held(2, "globally_suppressed")],
        unhold: vec![fingerprint(1)],
        ..step(1, Some(snapshot))
    };
    store.commit(&lease, commit.clone()).await.unwrap();

    let expected = State {
        head: commit.head,
        journal: vec![entry(2, b"next batch")],
        held: vec![held(2, "globally_suppressed")],
        absent: vec![AbsentMember { member: fingerprint(8), runs: 1 }],
    };
    assert_eq!(load(&store, &vip()).await, expected);
    assert_eq!(members(&store, &vip()).await, b"second members");
}

/// Commits what must be refused, with changes of every sort in it.
async fn refused(store: &dyn StateStore, lease: &Lease, commit: Commit) -> StoreErrorKind {
    let before = load(store, &lease.activation).await;
    let commit = Commit {
        retired_batches: vec![1],
        hold: vec![held(2, "refused")],
        unhold: vec![fingerprint(1)],
        ..commit
    };
    let error = store.commit(lease, commit).await.unwrap_err();
    assert_eq!(load(store, &lease.activation).await, before);
    error.kind
}

pub(super) async fn a_commit_from_another_generation_changes_nothing<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    furnish(&store, &lease).await;
    for generation in [0, 2] {
        let kind = refused(&store, &lease, step(generation, None)).await;
        assert_eq!(kind, StoreErrorKind::Moved);
    }
    assert_eq!(members(&store, &vip()).await, b"first members");
}

pub(super) async fn a_commit_that_skips_a_generation_changes_nothing<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    furnish(&store, &lease).await;
    let skipping = Commit { expected_generation: 1, ..step(2, None) };
    assert_eq!(refused(&store, &lease, skipping).await, StoreErrorKind::Failed);
}

pub(super) async fn a_commit_of_a_missing_snapshot_changes_nothing<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    furnish(&store, &lease).await;
    for name in ["", "never-written", "../state.db"] {
        let missing = SnapshotRef { name: name.into(), members: 1, bytes: 1 };
        let kind = refused(&store, &lease, step(1, Some(missing))).await;
        assert_eq!(kind, StoreErrorKind::Corrupt);
    }
}

pub(super) async fn a_commit_of_a_snapshot_of_another_length_changes_nothing<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    furnish(&store, &lease).await;
    let written = write(&store, &lease, b"12345").await;
    let wrong = SnapshotRef { bytes: 6, ..written };
    let kind = refused(&store, &lease, step(1, Some(wrong))).await;
    assert_eq!(kind, StoreErrorKind::Corrupt);
}

pub(super) async fn a_commit_of_the_snapshot_of_another_activation_changes_nothing<
    S: StateStore,
>(
    make: impl Fn() -> S,
) {
    let store = make();
    let other = lease(&store, &ActivationKey::new("other"), 0).await;
    let ours = lease(&store, &vip(), 0).await;
    furnish(&store, &ours).await;
    let theirs = write(&store, &other, b"theirs").await;
    let kind = refused(&store, &ours, step(1, Some(theirs))).await;
    assert_eq!(kind, StoreErrorKind::Corrupt);
}

pub(super) async fn a_commit_may_keep_the_snapshot_or_drop_it<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let kept = furnish(&store, &lease).await.head.snapshot;
    store.commit(&lease, step(1, kept)).await.unwrap();
    assert_eq!(members(&store, &vip()).await, b"first members");
    store.commit(&lease, step(2, None)).await.unwrap();
    assert_eq!(load(&store, &vip()).await.head, step(2, None).head);
}

pub(super) async fn the_journal_keeps_its_order_until_its_batches_retire<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let entries: Vec<_> = (0_u8..30).map(|n| entry(u64::from(n) * 7 % 3, &[n])).collect();
    for entry in &entries {
        store.append(&lease, entry.clone()).await.unwrap();
    }
    assert_eq!(load(&store, &vip()).await.journal, entries);

    let commit = Commit { retired_batches: vec![1, 99], ..step(0, None) };
    store.commit(&lease, commit).await.unwrap();
    let rest: Vec<_> = entries.into_iter().filter(|entry| entry.batch != 1).collect();
    assert_eq!(load(&store, &vip()).await.journal, rest);
}

pub(super) async fn journal_bodies_come_back_byte_for_byte<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let entries =
        [entry(u64::MAX, b""), entry(0, b"\0\xff text"), entry(u64::MAX, &noise(100_000))];
    for entry in &entries {
        store.append(&lease, entry.clone()).await.unwrap();
    }
    assert_eq!(load(&store, &vip()).await.journal, entries);
}

pub(super) async fn held_members_are_inserted_replaced_and_removed<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let hold = vec![held(1, "a"), held(2, "b"), held(3, "c")];
    store.commit(&lease, Commit { hold: hold.clone(), ..step(0, None) }).await.unwrap();
    assert_eq!(load(&store, &vip()).await.held, hold);

    let again = activation_core::HeldMember { attempts: 2, retry_at: at(5), ..held(2, "d") };
    let commit = Commit {
        hold: vec![again.clone(), held(4, "e")],
        unhold: vec![fingerprint(3), fingerprint(99)],
        ..step(1, None)
    };
    store.commit(&lease, commit).await.unwrap();
    assert_eq!(load(&store, &vip()).await.held, [held(1, "a"), again, held(4, "e")]);
}

pub(super) async fn a_member_held_and_no_longer_held_in_one_commit_is_held<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let commit = Commit { hold: vec![held(1, "a")], unhold: vec![fingerprint(1)], ..step(0, None) };
    store.commit(&lease, commit).await.unwrap();
    assert_eq!(load(&store, &vip()).await.held, [held(1, "a")]);
}

pub(super) async fn an_empty_snapshot_comes_back_empty<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let snapshot = write(&store, &lease, b"").await;
    store.commit(&lease, step(0, Some(snapshot.clone()))).await.unwrap();
    assert_eq!(read(&store, &vip(), &snapshot).await.unwrap(), b"");
}

pub(super) async fn a_snapshot_of_many_chunks_comes_back_byte_for_byte<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    // Around the stores' own chunks of 256 KiB, and with one chunk longer than several of those.
    for length in [262_143, 262_144, 262_145, 1_500_001] {
        let bytes = noise(length);
        let mut writer = store.write_snapshot(&lease).await.unwrap();
        let (head, tail) = bytes.split_at(length / 100);
        for chunk in head.chunks(7) {
            writer.write_chunk(chunk).await.unwrap();
        }
        writer.write_chunk(tail).await.unwrap();
        writer.write_chunk(b"").await.unwrap();
        let name = writer.finish().await.unwrap();
        let snapshot = SnapshotRef { name, members: 5, bytes: length as u64 };
        assert!(read(&store, &vip(), &snapshot).await.unwrap() == bytes);
    }
}

pub(super) async fn a_scan_opened_before_a_commit_reads_on<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let bytes = noise(1_000_000);
    let first = write(&store, &lease, &bytes).await;
    store.commit(&lease, step(0, Some(first.clone()))).await.unwrap();

    let mut scan = store.read_snapshot(&vip(), &first).await.unwrap();
    let mut seen = scan.next_chunk().await.unwrap().unwrap();
    let second = write(&store, &lease, b"second").await;
    store.commit(&lease, step(1, Some(second))).await.unwrap();
    while let Some(chunk) = scan.next_chunk().await.unwrap() {
        seen.extend(chunk);
    }
    assert!(seen == bytes);
}

pub(super) async fn a_reader_overtaken_by_a_commit_is_told_to_start_again<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let old = furnish(&store, &lease).await.head.snapshot.unwrap();
    let new = write(&store, &lease, b"second members").await;
    store.commit(&lease, step(1, Some(new))).await.unwrap();
    let error = store.read_snapshot(&vip(), &old).await.map(drop).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Moved);
}

pub(super) async fn an_unfinished_snapshot_counts_for_nothing<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let before = furnish(&store, &lease).await;
    let mut writer = store.write_snapshot(&lease).await.unwrap();
    writer.write_chunk(&noise(300_000)).await.unwrap();
    drop(writer);
    assert_eq!(load(&store, &vip()).await, before);
    let next = write(&store, &lease, b"second members").await;
    store.commit(&lease, step(1, Some(next))).await.unwrap();
    assert_eq!(members(&store, &vip()).await, b"second members");
}

pub(super) async fn a_finished_snapshot_counts_for_nothing_until_committed<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let before = furnish(&store, &lease).await;
    let (first, second) =
        (write(&store, &lease, b"one").await, write(&store, &lease, b"other").await);
    assert_eq!(load(&store, &vip()).await, before);
    store.commit(&lease, step(1, Some(second))).await.unwrap();
    assert_eq!(members(&store, &vip()).await, b"other");
    store.commit(&lease, step(2, Some(first))).await.unwrap();
    assert_eq!(members(&store, &vip()).await, b"one");
}

pub(super) async fn activations_with_any_name_do_not_influence_each_other<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let long = "x".repeat(300);
    let names = ["a", "A", "a/b", "..", ".", "", "c:\\d", "🦀 é", "a\0b", "%", &long];
    let names = names.map(ActivationKey::new);
    let mut leases = Vec::new();
    for name in &names {
        leases.push(lease(&store, name, 0).await);
    }
    for (lease, number) in leases.iter().zip(1_u8..) {
        let snapshot = write(&store, lease, &[number; 3]).await;
        store.append(lease, entry(1, &[number])).await.unwrap();
        let commit = Commit { hold: vec![held(number, "a")], ..step(0, Some(snapshot)) };
        store.commit(lease, commit).await.unwrap();
    }
    // The end of one lease and its follower's clean-up touch nobody else.
    store.release(&leases[0]).await.unwrap();
    lease(&store, &names[0], 1).await;
    for (name, number) in names.iter().zip(1_u8..) {
        let state = load(&store, name).await;
        assert_eq!(state.journal, [entry(1, &[number])], "{name}");
        assert_eq!(state.held, [held(number, "a")], "{name}");
        assert_eq!(members(&store, name).await, [number; 3], "{name}");
    }
    for lease in &leases[1..] {
        store.renew(lease, at(1), MINUTE).await.unwrap();
    }
}

pub(super) async fn the_fingerprint_key_stays<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    let before = store.fingerprint_key().fingerprint(b"somebody");
    furnish(&store, &lease(&store, &vip(), 0).await).await;
    assert_eq!(store.fingerprint_key().fingerprint(b"somebody"), before);
}

pub(super) async fn absent_members_are_replaced_together_or_kept<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let absent = |byte, runs| AbsentMember { member: fingerprint(byte), runs };
    let first = vec![absent(1, 1), absent(2, u32::MAX)];
    let other = other_lease(&store).await;
    store
        .commit(&other, Commit { absent: Some(vec![absent(9, 9)]), ..step(0, None) })
        .await
        .unwrap();
    store.commit(&lease, Commit { absent: Some(first.clone()), ..step(0, None) }).await.unwrap();
    assert_eq!(load(&store, &vip()).await.absent, first);
    store.commit(&lease, step(1, None)).await.unwrap();
    assert_eq!(load(&store, &vip()).await.absent, first, "kept");
    let refused = Commit { absent: Some(Vec::new()), ..step(1, None) };
    store.commit(&lease, refused).await.unwrap_err();
    assert_eq!(load(&store, &vip()).await.absent, first, "a refused commit changes nothing");
    let second = vec![absent(2, 3), absent(4, 1)];
    store.commit(&lease, Commit { absent: Some(second.clone()), ..step(2, None) }).await.unwrap();
    assert_eq!(load(&store, &vip()).await.absent, second);
    store.commit(&lease, Commit { absent: Some(Vec::new()), ..step(3, None) }).await.unwrap();
    assert_eq!(load(&store, &vip()).await.absent, []);
    assert_eq!(load(&store, &other.activation).await.absent, [absent(9, 9)]);
}

async fn other_lease(store: &dyn StateStore) -> Lease {
    lease(store, &ActivationKey::new("other"), 0).await
}

pub(super) async fn activations_are_listed_once_they_had_a_lease<S: StateStore>(
    make: impl Fn() -> S,
) {
    let store = make();
    assert_eq!(store.activations().await.unwrap(), []);
    let lease = lease(&store, &vip(), 0).await;
    other_lease(&store).await;
    store.load(&ActivationKey::new("only looked at")).await.unwrap();
    let expected = [ActivationKey::new("other"), vip()];
    assert_eq!(store.activations().await.unwrap(), expected);
    furnish(&store, &lease).await;
    store.release(&lease).await.unwrap();
    assert_eq!(store.activations().await.unwrap(), expected);
}

pub(super) async fn a_scrub_keeps_the_state_and_nothing_else<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    let lease = lease(&store, &vip(), 0).await;
    let before = furnish(&store, &lease).await;
    let other = other_lease(&store).await;
    let other_state = furnish(&store, &other).await;
    let uncommitted = write(&store, &lease, b"never committed").await;
    let of_other = write(&store, &other, b"about to be committed").await;
    store.scrub(&lease).await.unwrap();
    assert_eq!(load(&store, &vip()).await, before);
    assert_eq!(members(&store, &vip()).await, b"first members");
    assert_eq!(load(&store, &other.activation).await, other_state);
    let gone = read(&store, &vip(), &uncommitted).await.unwrap_err();
    assert_eq!(gone.kind, StoreErrorKind::Moved);
    store.commit(&other, step(1, Some(of_other))).await.unwrap();
    store.commit(&lease, step(1, None)).await.unwrap();
    store.scrub(&lease).await.unwrap();
}

pub(super) async fn a_scrub_needs_its_lease<S: StateStore>(make: impl Fn() -> S) {
    let store = make();
    let old = lease(&store, &vip(), 0).await;
    furnish(&store, &old).await;
    let new = lease(&store, &vip(), 60).await;
    let snapshot = write(&store, &new, b"of the follower").await;
    assert_eq!(store.scrub(&old).await.unwrap_err().kind, StoreErrorKind::Fenced);
    store.commit(&new, step(1, Some(snapshot))).await.unwrap();
}
