//! Journal and held members, and that activations and the key are left alone.

use super::{
    Store,
    bench::{
        MINUTE, absent, at, entry, fingerprint, furnish, held, lease, load, members, noise,
        refused, step, vip, write,
    },
};
use crate::{
    ActivationKey, Commit, HeldMember, StoreErrorKind,
    conformance::check::{Checked, ensure_eq},
};

pub(super) async fn the_journal_keeps_its_order_until_its_batches_retire(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    let entries: Vec<_> = (0_u8..30).map(|n| entry(u64::from(n) * 7 % 3, &[n])).collect();
    for entry in &entries {
        store.append(&lease, entry.clone()).await?;
    }
    ensure_eq!(load(&store, &vip()).await?.journal, entries);

    let commit = Commit { retired_batches: vec![1, 99], ..step(0, None) };
    store.commit(&lease, commit).await?;
    let rest: Vec<_> = entries.into_iter().filter(|entry| entry.batch != 1).collect();
    ensure_eq!(load(&store, &vip()).await?.journal, rest);
    Ok(())
}

pub(super) async fn journal_bodies_come_back_byte_for_byte(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    let entries =
        [entry(u64::MAX, b""), entry(0, b"\0\xff text"), entry(u64::MAX, &noise(100_000))];
    for entry in &entries {
        store.append(&lease, entry.clone()).await?;
    }
    ensure_eq!(load(&store, &vip()).await?.journal, entries);
    Ok(())
}

pub(super) async fn held_members_are_inserted_replaced_and_removed(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    let hold = vec![held(1, "a"), held(2, "b"), held(3, "c")];
    store.commit(&lease, Commit { hold: hold.clone(), ..step(0, None) }).await?;
    ensure_eq!(load(&store, &vip()).await?.held, hold);

    let again = HeldMember { attempts: 2, retry_at: at(5), ..held(2, "d") };
    let commit = Commit {
        hold: vec![again.clone(), held(4, "e")],
        unhold: vec![fingerprint(3), fingerprint(99)],
        ..step(1, None)
    };
    store.commit(&lease, commit).await?;
    ensure_eq!(load(&store, &vip()).await?.held, [held(1, "a"), again, held(4, "e")]);
    Ok(())
}

pub(super) async fn a_member_held_and_no_longer_held_in_one_commit_is_held(
    store: Store,
) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    let commit = Commit { hold: vec![held(1, "a")], unhold: vec![fingerprint(1)], ..step(0, None) };
    store.commit(&lease, commit).await?;
    ensure_eq!(load(&store, &vip()).await?.held, [held(1, "a")]);
    Ok(())
}

pub(super) async fn absent_members_are_replaced_together_or_kept(store: Store) -> Checked {
    let ours = lease(&store, &vip(), 0).await?;
    let first = vec![absent(1, 1), absent(2, u32::MAX)];
    let other = lease(&store, &ActivationKey::new("other"), 0).await?;
    let theirs = Commit { absent: Some(vec![absent(9, 9)]), ..step(0, None) };
    store.commit(&other, theirs).await?;
    store.commit(&ours, Commit { absent: Some(first.clone()), ..step(0, None) }).await?;
    ensure_eq!(load(&store, &vip()).await?.absent, first);
    store.commit(&ours, step(1, None)).await?;
    ensure_eq!(load(&store, &vip()).await?.absent, first);
    let late = Commit { absent: Some(Vec::new()), ..step(1, None) };
    refused("commit", store.commit(&ours, late).await, StoreErrorKind::Moved)?;
    ensure_eq!(load(&store, &vip()).await?.absent, first);
    let second = vec![absent(2, 3), absent(4, 1)];
    store.commit(&ours, Commit { absent: Some(second.clone()), ..step(2, None) }).await?;
    ensure_eq!(load(&store, &vip()).await?.absent, second);
    store.commit(&ours, Commit { absent: Some(Vec::new()), ..step(3, None) }).await?;
    ensure_eq!(load(&store, &vip()).await?.absent, []);
    ensure_eq!(load(&store, &other.activation).await?.absent, [absent(9, 9)]);
    Ok(())
}

pub(super) async fn activations_with_any_name_do_not_influence_each_other(store: Store) -> Checked {
    let long = "x".repeat(300);
    let names = ["a", "A", "a/b", "..", ".", "", "c:\\d", "🦀 é", "a\0b", "%", &long];
    let names = names.map(ActivationKey::new);
    let mut leases = Vec::new();
    for name in &names {
        leases.push(lease(&store, name, 0).await?);
    }
    for (lease, number) in leases.iter().zip(1_u8..) {
        let snapshot = write(&store, lease, &[number; 3]).await?;
        store.append(lease, entry(1, &[number])).await?;
        let commit = Commit { hold: vec![held(number, "a")], ..step(0, Some(snapshot)) };
        store.commit(lease, commit).await?;
    }
    // The end of one lease and its follower's clean-up touch nobody else.
    store.release(&leases[0]).await?;
    lease(&store, &names[0], 1).await?;
    for (name, number) in names.iter().zip(1_u8..) {
        let state = load(&store, name).await?;
        ensure_eq!(state.journal, [entry(1, &[number])]);
        ensure_eq!(state.held, [held(number, "a")]);
        ensure_eq!(members(&store, name).await?, [number; 3]);
    }
    for lease in &leases[1..] {
        store.renew(lease, at(1), MINUTE).await?;
    }
    Ok(())
}

pub(super) async fn the_fingerprint_key_stays(store: Store) -> Checked {
    let before = store.fingerprint_key().fingerprint(b"somebody");
    furnish(&store, &lease(&store, &vip(), 0).await?).await?;
    ensure_eq!(store.fingerprint_key().fingerprint(b"somebody"), before);
    Ok(())
}
