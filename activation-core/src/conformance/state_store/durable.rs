//! What is still there after the store was closed and opened again.

use super::{
    Store,
    bench::{entry, furnish, lease, load, members, noise, step, vip, write},
};
use crate::conformance::check::{Broken, Checked, ensure, ensure_eq};

pub(super) async fn an_appended_entry_is_still_there(open: &impl AsyncFn() -> Store) -> Checked {
    let store = open().await;
    let lease = lease(&store, &vip(), 0).await?;
    let entries = [entry(1, b"open batch"), entry(2, &noise(10_000))];
    for entry in &entries {
        store.append(&lease, entry.clone()).await?;
    }
    drop(store);
    ensure_eq!(load(&open().await, &vip()).await?.journal, entries);
    Ok(())
}

pub(super) async fn a_commit_is_still_there(open: &impl AsyncFn() -> Store) -> Checked {
    let store = open().await;
    let lease = lease(&store, &vip(), 0).await?;
    let before = furnish(&store, &lease).await?;
    drop(store);
    let store = open().await;
    ensure_eq!(load(&store, &vip()).await?, before);
    ensure_eq!(members(&store, &vip()).await?, b"first members");
    Ok(())
}

pub(super) async fn what_no_commit_named_still_counts_for_nothing(
    open: &impl AsyncFn() -> Store,
) -> Checked {
    let store = open().await;
    let lease = lease(&store, &vip(), 0).await?;
    let before = furnish(&store, &lease).await?;
    write(&store, &lease, b"never committed").await?;
    drop(store);
    let store = open().await;
    ensure_eq!(load(&store, &vip()).await?, before);
    ensure_eq!(members(&store, &vip()).await?, b"first members");
    Ok(())
}

pub(super) async fn tokens_go_on_growing(open: &impl AsyncFn() -> Store) -> Checked {
    let store = open().await;
    let first = lease(&store, &vip(), 0).await?;
    store.release(&first).await?;
    drop(store);
    let second = lease(&open().await, &vip(), 1).await?;
    ensure!(first.token < second.token);
    Ok(())
}

pub(super) async fn a_holder_of_before_is_fenced(open: &impl AsyncFn() -> Store) -> Checked {
    let store = open().await;
    let first = lease(&store, &vip(), 0).await?;
    drop(store);
    let store = open().await;
    let second = lease(&store, &vip(), 60).await?;
    super::bench::refused(
        "append",
        store.append(&first, entry(1, b"late")).await,
        crate::StoreErrorKind::Fenced,
    )?;
    store.commit(&second, step(0, None)).await?;
    Ok(())
}

pub(super) async fn the_key_is_the_same(open: &impl AsyncFn() -> Store) -> Checked {
    let store = open().await;
    furnish(&store, &lease(&store, &vip(), 0).await?).await?;
    let before = store.fingerprint_key().fingerprint(b"somebody");
    drop(store);
    let after = open().await.fingerprint_key().fingerprint(b"somebody");
    if before != after {
        return Err(Broken::new("the same member has another fingerprint".to_owned()));
    }
    Ok(())
}
