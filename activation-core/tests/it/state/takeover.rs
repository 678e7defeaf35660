//! A holder that stands still for too long is followed by another one. Wherever it stood, it changes
//! nothing any more when it goes on.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use activation_core::{
    Acquired, Commit, DirectoryStore, State, StateStore, StoreError, StoreErrorKind,
};
use tokio::runtime::Handle;

use super::tools::{
    MINUTE, at, entry, fingerprint, furnish, held, lease, load, members, noise, step, try_lease,
    try_write, vip, write,
};

/// A whole life of a holder: lease, journal, snapshot, commit, erasure, end.
async fn first_holder(store: &DirectoryStore) -> Result<(), StoreError> {
    let lease = try_lease(store, &vip(), 60).await?;
    store.append(&lease, entry(2, b"of the first")).await?;
    let snapshot = try_write(store, &lease, &noise(600_000)).await?;
    let commit = Commit {
        retired_batches: vec![1, 2],
        hold: vec![held(2, "by the first")],
        unhold: vec![fingerprint(1)],
        ..step(1, Some(snapshot))
    };
    store.commit(&lease, commit).await?;
    store.scrub(&lease).await?;
    store.release(&lease).await
}

/// Another one, who begins when the lease of the first is over, and goes on to live.
struct Follower {
    _store: DirectoryStore,
    state: State,
    members: Vec<u8>,
}

async fn follower(root: &Path) -> Follower {
    let store = DirectoryStore::open(root).unwrap();
    let lease = lease(&store, &vip(), 180).await;
    let snapshot = write(&store, &lease, b"of the follower").await;
    let generation = load(&store, &vip()).await.head.generation;
    store.append(&lease, entry(7, b"of the follower")).await.unwrap();
    store.commit(&lease, step(generation, Some(snapshot))).await.unwrap();
    let (state, members) = (load(&store, &vip()).await, members(&store, &vip()).await);
    Follower { _store: store, state, members }
}

#[tokio::test]
async fn a_holder_that_is_followed_at_any_step_changes_nothing_any_more() {
    let mut fenced = 0;
    // Before its first step it has no lease that could be lost.
    for stop in 2.. {
        let root = tempfile::tempdir().unwrap();
        {
            // Its process died, so that the first holder clears away after it.
            let dead = DirectoryStore::open(root.path()).unwrap();
            furnish(&dead, &lease(&dead, &vip(), 0).await).await;
            let lease = lease(&dead, &vip(), 60).await;
            write(&dead, &lease, b"never committed").await;
        }
        let store = DirectoryStore::open(root.path()).unwrap();
        let left = Arc::new(Mutex::new(None));
        let (steps, path, leave) = (AtomicUsize::new(0), root.path().to_owned(), left.clone());
        store.before_each_step(Arc::new(move |_| {
            if steps.fetch_add(1, Ordering::SeqCst) + 1 == stop {
                *leave.lock().unwrap() = Some(Handle::current().block_on(follower(&path)));
            }
            Ok::<_, io::Error>(())
        }));
        let ended = first_holder(&store).await;
        let Some(follower) = left.lock().unwrap().take() else {
            ended.unwrap();
            break;
        };
        assert_eq!(load(&store, &vip()).await, follower.state, "followed at step {stop}");
        assert_eq!(members(&store, &vip()).await, follower.members, "followed at step {stop}");
        let third = DirectoryStore::open(root.path()).unwrap();
        let answer = third.acquire(&vip(), "the third", at(200), MINUTE).await.unwrap();
        assert!(matches!(answer, Acquired::Busy { .. }), "the follower lives: {answer:?}");
        if let Err(error) = ended {
            fenced += 1;
            let kinds = [StoreErrorKind::Fenced, StoreErrorKind::Moved, StoreErrorKind::Failed];
            assert!(kinds.contains(&error.kind), "{error}");
        }
    }
    assert!(fenced > 8, "only {fenced} were fenced");
}
