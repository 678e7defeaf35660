//! Dry runs: a store opened for reading only leaves every byte of its directory alone.

use std::{collections::BTreeMap, fs, path::Path};

use activation_core::{DirectoryStore, StateStore, StoreErrorKind};
use rusqlite::Connection;

use super::tools::{
    MINUTE, at, entry, furnish, host_key, lease, load, members, step, try_write, vip,
};

/// Every file below a directory with its bytes and times.
fn listing(root: &Path) -> BTreeMap<String, (Vec<u8>, Option<std::time::SystemTime>)> {
    let mut found = BTreeMap::new();
    let mut paths = vec![root.to_owned()];
    while let Some(path) = paths.pop() {
        let modified = fs::metadata(&path).unwrap().modified().ok();
        let bytes = if path.is_dir() {
            paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            Vec::new()
        } else {
            fs::read(&path).unwrap()
        };
        found.insert(path.display().to_string(), (bytes, modified));
    }
    found
}

#[tokio::test]
async fn it_reads_everything_and_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let writer = DirectoryStore::open(root.path()).unwrap();
    let state = furnish(&writer, &lease(&writer, &vip(), 0).await).await;
    let before = listing(root.path());

    let store = DirectoryStore::open_read_only(root.path()).unwrap().unwrap();
    assert_eq!(load(&store, &vip()).await, state);
    assert_eq!(members(&store, &vip()).await, b"first members");
    assert_eq!(store.fingerprint_key().as_bytes(), writer.fingerprint_key().as_bytes());
    assert_eq!(listing(root.path()), before);
    drop(store);
    assert_eq!(listing(root.path()), before);
}

#[tokio::test]
async fn every_write_fails_and_says_why() {
    let root = tempfile::tempdir().unwrap();
    let writer = DirectoryStore::open(root.path()).unwrap();
    let lease = lease(&writer, &vip(), 0).await;
    furnish(&writer, &lease).await;
    let before = listing(root.path());

    let store = DirectoryStore::open_read_only(root.path()).unwrap().unwrap();
    let answers = [
        store.acquire(&vip(), "dry run", at(90), MINUTE).await.map(drop),
        store.renew(&lease, at(1), MINUTE).await,
        store.release(&lease).await,
        store.append(&lease, entry(1, b"")).await,
        try_write(&store, &lease, b"").await.map(drop),
        store.commit(&lease, step(1, None)).await,
        store.scrub(&lease).await,
        store.change_host_key(host_key(1)).await,
    ];
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Failed);
        assert!(error.to_string().ends_with("was opened for reading only"), "{error}");
    }
    assert_eq!(listing(root.path()), before);
}

#[test]
fn a_missing_or_empty_directory_is_no_store_and_stays_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    let missing = root.path().join("missing");
    assert!(DirectoryStore::open_read_only(&missing).unwrap().is_none());
    assert!(!missing.exists());
    assert!(DirectoryStore::open_read_only(root.path()).unwrap().is_none());
    assert_eq!(listing(root.path()).len(), 1);
}

#[test]
fn a_store_whose_creation_was_cut_short_is_no_store_yet() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("state.db"), b"").unwrap();
    let before = listing(root.path());
    assert!(DirectoryStore::open_read_only(root.path()).unwrap().is_none());
    assert_eq!(listing(root.path()), before);
    DirectoryStore::open(root.path()).unwrap();
    assert!(DirectoryStore::open_read_only(root.path()).unwrap().is_some());
}

#[test]
fn the_key_is_checked_too() {
    let root = tempfile::tempdir().unwrap();
    DirectoryStore::open_with_key(root.path(), host_key(1)).unwrap();
    assert!(DirectoryStore::open_read_only_with_key(root.path(), host_key(1)).unwrap().is_some());
    for refused in [
        DirectoryStore::open_read_only_with_key(root.path(), host_key(2)),
        DirectoryStore::open_read_only(root.path()),
    ] {
        assert_eq!(refused.unwrap_err().kind, StoreErrorKind::WrongKey);
    }
}

#[tokio::test]
async fn a_write_cut_short_must_be_undone_by_a_real_run_first() {
    let root = tempfile::tempdir().unwrap();
    let (before, after) = (root.path().join("before"), root.path().join("after"));
    let store = DirectoryStore::open(&before).unwrap();
    let state = furnish(&store, &lease(&store, &vip(), 0).await).await;
    drop(store);
    copy_amid_a_transaction(&before, &after);

    let untouched = listing(&after);
    let error = DirectoryStore::open_read_only(&after).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("a write was interrupted"), "{error}");
    assert_eq!(listing(&after), untouched);

    DirectoryStore::open(&after).unwrap();
    let store = DirectoryStore::open_read_only(&after).unwrap().unwrap();
    assert_eq!(load(&store, &vip()).await, state);
}

/// Copies the store as a crash would leave it whose transaction has reached the file in part.
fn copy_amid_a_transaction(from: &Path, to: &Path) {
    let connection = Connection::open(from.join("state.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA cache_size = 1; BEGIN IMMEDIATE;
             UPDATE head SET body = x'00';
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO journal (activation, batch, body) SELECT 'vip', i, zeroblob(500) FROM n;",
        )
        .unwrap();
    fs::create_dir_all(to.join("snapshots")).unwrap();
    for name in ["state.db", "state.db-journal"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    connection.execute_batch("ROLLBACK").unwrap();
    drop(connection);
    for file in fs::read_dir(from.join("snapshots")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join("snapshots").join(file.file_name())).unwrap();
    }
}
