//! Who may run, and that nobody else can write.

use std::sync::Arc;

use super::{
    Store,
    bench::{MINUTE, at, entry, furnish, held, lease, load, members, refused, step, vip},
};
use crate::{
    Acquired, Commit, Lease, State, StateStore, StoreErrorKind,
    conformance::check::{Checked, ensure, ensure_eq},
};

pub(super) async fn a_lease_keeps_others_out_and_names_its_holder(store: Store) -> Checked {
    let first = store.acquire(&vip(), "host-a pid 1", at(0), MINUTE).await?;
    ensure!(matches!(first, Acquired::Lease(_)));
    let second = store.acquire(&vip(), "host-b pid 2", at(59), MINUTE).await?;
    ensure_eq!(second, Acquired::Busy { holder: "host-a pid 1".into(), until: at(60) });
    Ok(())
}

pub(super) async fn one_of_many_at_once_gets_the_lease(store: Store) -> Checked {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.acquire(&vip(), "one of many", at(0), MINUTE).await });
    }
    let given = tasks.join_all().await.into_iter();
    let given = given.filter(|answer| matches!(answer, Ok(Acquired::Lease(_)))).count();
    ensure_eq!(given, 1);
    Ok(())
}

pub(super) async fn a_released_lease_is_free_at_once(store: Store) -> Checked {
    let first = lease(&store, &vip(), 0).await?;
    store.release(&first).await?;
    store.release(&first).await?;
    lease(&store, &vip(), 1).await?;
    Ok(())
}

pub(super) async fn a_lease_ends_with_its_time(store: Store) -> Checked {
    lease(&store, &vip(), 0).await?;
    lease(&store, &vip(), 60).await?;
    Ok(())
}

pub(super) async fn a_renewed_lease_ends_later(store: Store) -> Checked {
    let first = lease(&store, &vip(), 0).await?;
    store.renew(&first, at(50), MINUTE).await?;
    let second = store.acquire(&vip(), "late", at(109), MINUTE).await?;
    ensure_eq!(second, Acquired::Busy { holder: "tester".into(), until: at(110) });
    lease(&store, &vip(), 110).await?;
    Ok(())
}

pub(super) async fn tokens_grow_whatever_ended_the_lease_before(store: Store) -> Checked {
    let first = lease(&store, &vip(), 0).await?;
    let after_expiry = lease(&store, &vip(), 60).await?;
    store.release(&after_expiry).await?;
    let after_release = lease(&store, &vip(), 61).await?;
    ensure!(first.token < after_expiry.token);
    ensure!(after_expiry.token < after_release.token);
    Ok(())
}

pub(super) async fn releasing_an_old_lease_does_not_end_the_new_one(store: Store) -> Checked {
    let old = lease(&store, &vip(), 0).await?;
    let new = lease(&store, &vip(), 60).await?;
    store.release(&old).await?;
    let third = store.acquire(&vip(), "third", at(61), MINUTE).await?;
    ensure!(matches!(third, Acquired::Busy { .. }));
    store.append(&new, entry(1, b"still ours")).await?;
    Ok(())
}

pub(super) async fn a_holder_who_was_followed_can_write_nothing(store: Store) -> Checked {
    let old = lease(&store, &vip(), 0).await?;
    let before = furnish(&store, &old).await?;
    let mut writer = store.write_snapshot(&old).await?;
    writer.write_chunk(b"late").await?;
    lease(&store, &vip(), 60).await?;

    all_writes_are_fenced(&store, &old).await?;
    refused("finish", writer.finish().await, StoreErrorKind::Fenced)?;
    ensure_eq!(load(&store, &vip()).await?, before);
    ensure_eq!(members(&store, &vip()).await?, b"first members");
    Ok(())
}

pub(super) async fn a_lease_that_was_given_back_can_write_nothing(store: Store) -> Checked {
    let old = lease(&store, &vip(), 0).await?;
    let before = furnish(&store, &old).await?;
    store.release(&old).await?;
    all_writes_are_fenced(&store, &old).await?;
    ensure_eq!(load(&store, &vip()).await?, before);
    Ok(())
}

pub(super) async fn a_lease_of_nobody_can_write_nothing(store: Store) -> Checked {
    let invented = Lease { activation: vip(), token: 1 };
    all_writes_are_fenced(&store, &invented).await?;
    ensure_eq!(load(&store, &vip()).await?, State::default());
    Ok(())
}

pub(super) async fn a_late_holder_whom_nobody_followed_may_write(store: Store) -> Checked {
    let late = lease(&store, &vip(), 0).await?;
    store.renew(&late, at(600), MINUTE).await?;
    furnish(&store, &late).await?;
    Ok(())
}

async fn all_writes_are_fenced(store: &dyn StateStore, lease: &Lease) -> Checked {
    let generation = store.load(&lease.activation).await?.head.generation;
    let commit = Commit { hold: vec![held(9, "late")], ..step(generation, None) };
    let answers = [
        store.renew(lease, at(61), MINUTE).await,
        store.append(lease, entry(1, b"late")).await,
        store.write_snapshot(lease).await.map(drop),
        store.commit(lease, commit).await,
    ];
    for (answer, write) in answers.into_iter().zip(["renew", "append", "write_snapshot", "commit"])
    {
        refused(write, answer, StoreErrorKind::Fenced)?;
    }
    Ok(())
}
