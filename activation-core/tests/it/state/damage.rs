//! Damaged, foreign and busy directories are errors that say so, never wrong answers.

use std::{
    fs,
    path::{Path, PathBuf},
};

use activation_core::{DirectoryStore, SnapshotRead, StateStore, StoreError, StoreErrorKind};
use rusqlite::Connection;
use tempfile::TempDir;

use super::tools::{furnish, lease, load, noise, read, step, vip, write};

async fn furnished() -> (TempDir, DirectoryStore) {
    let root = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(root.path()).unwrap();
    let lease = lease(&store, &vip(), 0).await;
    furnish(&store, &lease).await;
    (root, store)
}

fn only_snapshot(root: &TempDir) -> PathBuf {
    let mut files = fs::read_dir(root.path().join("snapshots")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

fn execute(root: &TempDir, sql: &str) {
    Connection::open(root.path().join("state.db")).unwrap().execute_batch(sql).unwrap();
}

async fn read_head(store: &DirectoryStore) -> Result<Vec<u8>, StoreError> {
    let snapshot = load(store, &vip()).await.head.snapshot.unwrap();
    read(store, &vip(), &snapshot).await
}

fn open_kind(root: &Path) -> StoreErrorKind {
    let (writable, read_only) =
        (DirectoryStore::open(root).unwrap_err(), DirectoryStore::open_read_only(root));
    assert_eq!(read_only.unwrap_err().kind, writable.kind);
    assert!(writable.to_string().contains("state.db"), "{writable}");
    writable.kind
}

#[tokio::test]
async fn a_removed_snapshot_is_noticed() {
    let (root, store) = furnished().await;
    fs::remove_file(only_snapshot(&root)).unwrap();
    assert_eq!(read_head(&store).await.unwrap_err().kind, StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn a_snapshot_cut_short_or_grown_is_noticed() {
    let (root, store) = furnished().await;
    for length in [0, 5, 500] {
        let file = fs::File::options().write(true).open(only_snapshot(&root)).unwrap();
        file.set_len(length).unwrap();
        assert_eq!(read_head(&store).await.unwrap_err().kind, StoreErrorKind::Corrupt);
    }
}

#[tokio::test]
async fn a_snapshot_with_one_flipped_bit_is_noticed_before_its_end() {
    let (root, store) = furnished().await;
    let path = only_snapshot(&root);
    let mut bytes = fs::read(&path).unwrap();
    bytes[3] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = read_head(&store).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Corrupt);
    assert!(error.to_string().ends_with("was altered"), "{error}");
}

#[tokio::test]
async fn a_scan_does_not_end_well_after_an_error() {
    let (root, store) = furnished().await;
    let lease = lease(&store, &vip(), 60).await;
    let snapshot = write(&store, &lease, &noise(1_000_000)).await;
    store.commit(&lease, step(1, Some(snapshot.clone()))).await.unwrap();
    let mut scan: Box<dyn SnapshotRead> = store.read_snapshot(&vip(), &snapshot).await.unwrap();
    scan.next_chunk().await.unwrap().unwrap();
    fs::File::options().write(true).open(only_snapshot(&root)).unwrap().set_len(300_000).unwrap();
    assert_eq!(scan.next_chunk().await.unwrap_err().kind, StoreErrorKind::Corrupt);
    assert!(scan.next_chunk().await.is_err());
}

#[tokio::test]
async fn altered_rows_are_noticed() {
    for damage in [
        "UPDATE head SET body = zeroblob(length(body))",
        "UPDATE head SET body = x''",
        "UPDATE journal SET body = CAST(body || 'x' AS BLOB)",
        "UPDATE held SET member = x'00'",
        "UPDATE held SET attempts = -1",
        "UPDATE held SET since = 9223372036854775807",
        "UPDATE absent SET member = x'00'",
        "UPDATE absent SET runs = -1",
    ] {
        let (root, store) = furnished().await;
        execute(
            &root,
            &damage
                .replace("replace(CAST", "CAST(replace(CAST")
                .replace("'VIQ')", "'VIQ') AS BLOB)"),
        );
        let error = store.load(&vip()).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Corrupt, "{damage}: {error}");
    }
}

#[tokio::test]
async fn an_altered_or_missing_key_is_noticed() {
    for damage in ["UPDATE meta SET key = zeroblob(16)", "DELETE FROM meta"] {
        let (root, store) = furnished().await;
        drop(store);
        execute(&root, damage);
        let error = DirectoryStore::open(root.path()).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Corrupt, "{error}");
    }
}

#[test]
fn a_file_that_is_no_database_is_damaged() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("state.db"), noise(10_000)).unwrap();
    assert_eq!(open_kind(root.path()), StoreErrorKind::Corrupt);
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    execute(&root, "CREATE TABLE customers (email TEXT)");
    let before = fs::read(root.path().join("state.db")).unwrap();
    assert_eq!(open_kind(root.path()), StoreErrorKind::Failed);
    assert_eq!(fs::read(root.path().join("state.db")).unwrap(), before);
}

#[test]
fn a_store_of_a_newer_program_asks_for_that_program() {
    let root = tempfile::tempdir().unwrap();
    DirectoryStore::open(root.path()).unwrap();
    execute(&root, "PRAGMA user_version = 3");
    assert_eq!(open_kind(root.path()), StoreErrorKind::Failed);
    let error = DirectoryStore::open(root.path()).unwrap_err();
    assert!(error.to_string().ends_with("use a newer program"), "{error}");
}

#[test]
fn a_file_in_place_of_the_directory_is_named() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("file");
    fs::write(&path, b"").unwrap();
    let error = DirectoryStore::open(&path).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Failed);
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}
