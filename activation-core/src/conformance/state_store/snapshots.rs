//! Snapshots: byte for byte, and only what a commit names counts.

use super::{
    Store,
    bench::{furnish, lease, load, members, noise, read, refused, step, vip, write},
};
use crate::{
    SnapshotRef, StoreErrorKind,
    conformance::check::{Checked, ensure, ensure_eq, found},
};

pub(super) async fn an_empty_snapshot_comes_back_empty(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    let snapshot = write(&store, &lease, b"").await?;
    store.commit(&lease, step(0, Some(snapshot.clone()))).await?;
    ensure_eq!(read(&store, &vip(), &snapshot).await?, b"");
    Ok(())
}

pub(super) async fn a_snapshot_of_many_chunks_comes_back_byte_for_byte(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    // Around the stores' own chunks of 256 KiB, and with one chunk longer than several of those.
    for length in [262_143, 262_144, 262_145, 1_500_001] {
        let bytes = noise(length);
        let mut writer = store.write_snapshot(&lease).await?;
        let (head, tail) = bytes.split_at(length / 100);
        for chunk in head.chunks(7) {
            writer.write_chunk(chunk).await?;
        }
        writer.write_chunk(tail).await?;
        writer.write_chunk(b"").await?;
        let name = writer.finish().await?;
        let snapshot = SnapshotRef { name, members: 5, bytes: length as u64 };
        ensure!(read(&store, &vip(), &snapshot).await? == bytes);
    }
    Ok(())
}

pub(super) async fn a_scan_opened_before_a_commit_reads_on(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    let bytes = noise(1_000_000);
    let first = write(&store, &lease, &bytes).await?;
    store.commit(&lease, step(0, Some(first.clone()))).await?;

    let mut scan = store.read_snapshot(&vip(), &first).await?;
    let mut seen = scan.next_chunk().await?.unwrap_or_default();
    let second = write(&store, &lease, b"second").await?;
    store.commit(&lease, step(1, Some(second))).await?;
    while let Some(chunk) = scan.next_chunk().await? {
        seen.extend(chunk);
    }
    ensure!(seen == bytes);
    Ok(())
}

pub(super) async fn a_reader_overtaken_by_a_commit_is_told_to_start_again(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    let old = found(furnish(&store, &lease).await?.head.snapshot, "the snapshot just committed")?;
    let new = write(&store, &lease, b"second members").await?;
    store.commit(&lease, step(1, Some(new))).await?;
    refused("read_snapshot", store.read_snapshot(&vip(), &old).await, StoreErrorKind::Moved)?;
    Ok(())
}

pub(super) async fn an_unfinished_snapshot_counts_for_nothing(store: Store) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    let before = furnish(&store, &lease).await?;
    let mut writer = store.write_snapshot(&lease).await?;
    writer.write_chunk(&noise(300_000)).await?;
    drop(writer);
    ensure_eq!(load(&store, &vip()).await?, before);
    let next = write(&store, &lease, b"second members").await?;
    store.commit(&lease, step(1, Some(next))).await?;
    ensure_eq!(members(&store, &vip()).await?, b"second members");
    Ok(())
}

pub(super) async fn a_finished_snapshot_counts_for_nothing_until_committed(
    store: Store,
) -> Checked {
    let lease = lease(&store, &vip(), 0).await?;
    let before = furnish(&store, &lease).await?;
    let (first, second) =
        (write(&store, &lease, b"one").await?, write(&store, &lease, b"other").await?);
    ensure_eq!(load(&store, &vip()).await?, before);
    store.commit(&lease, step(1, Some(second))).await?;
    ensure_eq!(members(&store, &vip()).await?, b"other");
    store.commit(&lease, step(2, Some(first))).await?;
    ensure_eq!(members(&store, &vip()).await?, b"one");
    Ok(())
}
