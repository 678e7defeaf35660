//! What must be found before it can be erased, and what erasure leaves.

use super::{
    Store,
    bench::{furnish, lease, load, members, refused, step, vip, write},
};
use crate::{
    ActivationKey, StoreErrorKind,
    conformance::check::{Checked, ensure_eq},
};

pub(super) async fn activations_are_listed_once_they_had_a_lease(store: Store) -> Checked {
    ensure_eq!(store.activations().await?, []);
    let ours = lease(&store, &vip(), 0).await?;
    lease(&store, &other(), 0).await?;
    store.load(&ActivationKey::new("only looked at")).await?;
    let expected = [other(), vip()];
    ensure_eq!(store.activations().await?, expected);
    furnish(&store, &ours).await?;
    store.release(&ours).await?;
    ensure_eq!(store.activations().await?, expected);
    Ok(())
}

pub(super) async fn a_scrub_keeps_the_state_and_nothing_else(store: Store) -> Checked {
    let ours = lease(&store, &vip(), 0).await?;
    let before = furnish(&store, &ours).await?;
    let theirs = lease(&store, &other(), 0).await?;
    let other_state = furnish(&store, &theirs).await?;
    let uncommitted = write(&store, &ours, b"never committed").await?;
    let of_other = write(&store, &theirs, b"about to be committed").await?;
    store.scrub(&ours).await?;
    ensure_eq!(load(&store, &vip()).await?, before);
    ensure_eq!(members(&store, &vip()).await?, b"first members");
    ensure_eq!(load(&store, &other()).await?, other_state);
    let gone = store.read_snapshot(&vip(), &uncommitted).await;
    refused("read_snapshot", gone, StoreErrorKind::Moved)?;
    store.commit(&theirs, step(1, Some(of_other))).await?;
    store.commit(&ours, step(1, None)).await?;
    store.scrub(&ours).await?;
    Ok(())
}

pub(super) async fn a_scrub_needs_its_lease(store: Store) -> Checked {
    let old = lease(&store, &vip(), 0).await?;
    furnish(&store, &old).await?;
    let new = lease(&store, &vip(), 60).await?;
    let snapshot = write(&store, &new, b"of the follower").await?;
    refused("scrub", store.scrub(&old).await, StoreErrorKind::Fenced)?;
    store.commit(&new, step(1, Some(snapshot))).await?;
    Ok(())
}

fn other() -> ActivationKey {
    ActivationKey::new("other")
}
