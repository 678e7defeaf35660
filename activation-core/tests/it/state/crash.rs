//! A crash before any step leaves the old state or the new one, and files that go away later.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use activation_core::{
    Commit, DirectoryStore, State, StateStore, Step, StoreError, StoreErrorKind,
};

use super::tools::{
    entry, fingerprint, furnish, held, lease, load, members, noise, step, try_lease, try_write, vip,
};

/// Stops the store before its step number `allowed`, counting from 0, and before all after it.
fn stop_after(store: &DirectoryStore, allowed: usize) -> Arc<AtomicUsize> {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    store.before_each_step(Arc::new(move |_| {
        if counter.fetch_add(1, Ordering::SeqCst) < allowed {
            return Ok(());
        }
        Err(io::Error::other("killed here"))
    }));
    seen
}

/// A whole run: lease, journal, snapshot, commit with every sort of change.
async fn run(store: &DirectoryStore) -> Result<(), StoreError> {
    let lease = try_lease(store, &vip(), 60).await?;
    store.append(&lease, entry(2, b"second batch")).await?;
    let snapshot = try_write(store, &lease, &noise(600_000)).await?;
    let commit = Commit {
        retired_batches: vec![1, 2],
        hold: vec![held(2, "new")],
        unhold: vec![fingerprint(1)],
        ..step(1, Some(snapshot))
    };
    store.commit(&lease, commit).await?;
    store.release(&lease).await
}

/// A directory after a first generation, with a lease that was never released.
async fn first_generation(root: &Path) -> State {
    let store = DirectoryStore::open(root).unwrap();
    furnish(&store, &lease(&store, &vip(), 0).await).await
}

#[tokio::test]
async fn a_crash_before_any_step_of_a_run_leaves_the_old_state_or_the_new() {
    let (mut old_states, mut new_states) = (0, 0);
    for allowed in 0.. {
        let root = tempfile::tempdir().unwrap();
        let old = first_generation(root.path()).await;
        let store = DirectoryStore::open(root.path()).unwrap();
        stop_after(&store, allowed);
        let ended = run(&store).await;
        drop(store);

        let store = DirectoryStore::open(root.path()).unwrap();
        let found = load(&store, &vip()).await;
        if found.head.generation == 1 {
            old_states += 1;
            assert_eq!((&found.head, &found.held), (&old.head, &old.held));
            assert!(found.journal.starts_with(&old.journal));
            assert_eq!(members(&store, &vip()).await, b"first members");
        } else {
            new_states += 1;
            assert_eq!(found.head.generation, 2);
            assert_eq!((found.journal, found.held), (vec![], vec![held(2, "new")]));
            assert!(members(&store, &vip()).await == noise(600_000));
        }
        // The dead holder's lease is free, and taking it clears away what the crash left.
        lease(&store, &vip(), 61).await;
        assert_eq!(fs::read_dir(root.path().join("snapshots")).unwrap().count(), 1);
        match ended {
            Ok(()) => break,
            Err(error) => assert_eq!(error.kind, StoreErrorKind::Failed),
        }
    }
    // Ten steps up to the commit; three after it, and the run that was not stopped.
    assert_eq!((old_states, new_states), (10, 4));
}

#[tokio::test]
async fn the_steps_of_a_run_are_announced_in_the_order_that_makes_it_safe() {
    let root = tempfile::tempdir().unwrap();
    first_generation(root.path()).await;
    let store = DirectoryStore::open(root.path()).unwrap();
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&steps);
    store.before_each_step(Arc::new(move |step| {
        seen.lock().unwrap().push(step);
        Ok(())
    }));
    run(&store).await.unwrap();
    assert_eq!(
        *steps.lock().unwrap(),
        [
            Step::Transaction("acquire"),
            Step::RemoveLock,
            Step::Transaction("append"),
            Step::WriteSnapshot,
            Step::WriteSnapshot,
            Step::WriteSnapshot,
            Step::SyncSnapshot,
            Step::RenameSnapshot,
            Step::SyncDirectory,
            Step::Transaction("commit"),
            Step::RemoveSnapshot,
            Step::Transaction("release"),
            Step::RemoveLock,
        ]
    );
}

#[tokio::test]
async fn nothing_happens_after_the_step_that_was_stopped() {
    let root = tempfile::tempdir().unwrap();
    first_generation(root.path()).await;
    let store = DirectoryStore::open(root.path()).unwrap();
    let lease = lease(&store, &vip(), 60).await;
    let seen = stop_after(&store, 2);
    let error = try_write(&store, &lease, &noise(300_000)).await.unwrap_err();
    assert_eq!(error.to_string(), "stopped before syncing a snapshot");
    assert_eq!(seen.load(Ordering::SeqCst), 3, "no clean-up was announced");
    let files = fs::read_dir(root.path().join("snapshots")).unwrap();
    let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{names:?}");
}

#[tokio::test]
async fn a_first_run_creates_its_directories_in_steps_too() {
    let mut kinds = Vec::new();
    for allowed in 0.. {
        let root = tempfile::tempdir().unwrap();
        let store = DirectoryStore::open(root.path()).unwrap();
        stop_after(&store, allowed);
        match try_lease(&store, &vip(), 0).await {
            Ok(_) => break,
            Err(error) => kinds.push(error.to_string()),
        }
        drop(store);
        lease(&DirectoryStore::open(root.path()).unwrap(), &vip(), 0).await;
    }
    assert_eq!(
        kinds,
        [
            "stopped before creating a directory",
            "stopped before syncing a directory",
            "stopped before the transaction acquire",
        ]
    );
}

#[tokio::test]
async fn a_follower_between_two_steps_fences_the_commit() {
    let root = tempfile::tempdir().unwrap();
    first_generation(root.path()).await;
    let store = DirectoryStore::open(root.path()).unwrap();
    let slow = lease(&store, &vip(), 60).await;
    let snapshot = try_write(&store, &slow, b"late").await.unwrap();
    let path = root.path().to_owned();
    store.before_each_step(Arc::new(move |step| {
        if step == Step::Transaction("commit") {
            let follower = DirectoryStore::open(&path).map_err(io::Error::other)?;
            let handle = tokio::runtime::Handle::current();
            handle.block_on(lease(&follower, &vip(), 120));
        }
        Ok(())
    }));
    let error = store.commit(&slow, step(1, Some(snapshot))).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Fenced);
    store.before_each_step(Arc::new(|_| Ok(())));
    assert_eq!(members(&store, &vip()).await, b"first members");
}
