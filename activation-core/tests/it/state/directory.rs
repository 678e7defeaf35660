//! What the directory store does beyond the contract: it survives, and it knows who is dead.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use activation_core::{
    AbsentMember, Acquired, ActivationKey, Commit, DirectoryStore, State, StateStore,
    StoreErrorKind,
};
use tempfile::TempDir;

use super::tools::{
    MINUTE, at, entry, fingerprint, furnish, held, key, lease, load, members, noise, read, step,
    vip, write,
};

fn empty() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(root: &TempDir) -> DirectoryStore {
    DirectoryStore::open(root.path().join("state")).unwrap()
}

fn files(root: &TempDir, directory: &str) -> Vec<String> {
    let entries = fs::read_dir(root.path().join("state").join(directory)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let root = empty();
    let store = open(&root);
    let first = lease(&store, &vip(), 0).await;
    let before = furnish(&store, &first).await;
    let key = *store.fingerprint_key().as_bytes();
    drop(store);

    let store = open(&root);
    assert_eq!(load(&store, &vip()).await, before);
    assert_eq!(before.journal, [entry(1, b"open batch")]);
    assert_eq!(before.held, [held(1, "invalid_email")]);
    assert_eq!(members(&store, &vip()).await, b"first members");
    assert_eq!(*store.fingerprint_key().as_bytes(), key);
    assert!(lease(&store, &vip(), 1).await.token > first.token);
}

#[tokio::test]
async fn two_stores_on_one_directory_keep_each_other_out_and_see_the_same() {
    let root = empty();
    let (one, two) = (open(&root), open(&root));
    let first = lease(&one, &vip(), 0).await;
    let busy = two.acquire(&vip(), "two", at(1), MINUTE).await.unwrap();
    assert_eq!(busy, Acquired::Busy { holder: "tester".into(), until: at(60) });
    let state = furnish(&one, &first).await;
    assert_eq!(load(&two, &vip()).await, state);
    one.release(&first).await.unwrap();
    lease(&two, &vip(), 1).await;
}

#[tokio::test]
async fn the_lease_of_a_store_that_is_gone_is_taken_over_at_once() {
    let root = empty();
    let gone = open(&root);
    lease(&gone, &vip(), 0).await;
    drop(gone);
    lease(&open(&root), &vip(), 1).await;
}

#[tokio::test]
async fn the_end_of_a_paused_holder_does_not_end_the_lease_of_its_follower() {
    let root = empty();
    let (paused, follower, third) = (open(&root), open(&root), open(&root));
    let old = lease(&paused, &vip(), 0).await;
    let new = lease(&follower, &vip(), 60).await;
    let late = paused.append(&old, entry(1, b"late")).await.unwrap_err();
    assert_eq!(late.kind, StoreErrorKind::Fenced);
    drop(paused);
    let busy = third.acquire(&vip(), "third", at(61), MINUTE).await.unwrap();
    assert_eq!(busy, Acquired::Busy { holder: "tester".into(), until: at(120) });
    follower.renew(&new, at(61), MINUTE).await.unwrap();
}

#[tokio::test]
async fn a_killed_process_leaves_its_lease_to_the_next_at_once() {
    let root = empty();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "state::directory::holds_a_lease_until_killed", "--ignored"])
        .arg("--nocapture")
        .env(HELD_DIRECTORY, root.path().join("state"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap().contains("holding")));
    let store = open(&root);
    let busy = store.acquire(&vip(), "parent", at(1), MINUTE).await.unwrap();
    assert!(matches!(busy, Acquired::Busy { .. }));

    child.kill().unwrap();
    child.wait().unwrap();
    lease(&store, &vip(), 1).await;
    assert_eq!(load(&store, &vip()).await.journal, [entry(1, b"before the kill")]);
}

#[tokio::test]
#[ignore = "the child of a_killed_process_leaves_its_lease_to_the_next_at_once"]
async fn holds_a_lease_until_killed() {
    let Some(path) = std::env::var_os(HELD_DIRECTORY) else { return };
    let store = DirectoryStore::open(path).unwrap();
    let lease = lease(&store, &vip(), 0).await;
    store.append(&lease, entry(1, b"before the kill")).await.unwrap();
    println!("holding");
    // Ends by itself when the parent dies without killing it.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

const HELD_DIRECTORY: &str = "ACTIVATION_CORE_TEST_DIRECTORY";

#[tokio::test]
async fn files_that_nobody_needs_are_removed_by_the_next_lease() {
    let root = empty();
    let store = open(&root);
    let first = lease(&store, &vip(), 0).await;
    furnish(&store, &first).await;
    let other = lease(&store, &ActivationKey::new("other"), 0).await;
    write(&store, &other, b"of another run").await;
    write(&store, &first, b"never committed").await;
    let mut unfinished = store.write_snapshot(&first).await.unwrap();
    unfinished.write_chunk(&noise(300_000)).await.unwrap();
    assert_eq!(files(&root, "snapshots").len(), 4);

    lease(&store, &vip(), 60).await;
    assert_eq!(files(&root, "snapshots").len(), 2, "the head's, and that of the other run");
    assert_eq!(members(&store, &vip()).await, b"first members");
    assert_eq!(files(&root, "locks").len(), 2);
}

#[tokio::test]
async fn one_file_per_activation_stays_after_many_runs() {
    let root = empty();
    let store = open(&root);
    for generation in 0_u8..5 {
        let lease = lease(&store, &vip(), 0).await;
        let snapshot = write(&store, &lease, &[generation]).await;
        store.commit(&lease, step(generation.into(), Some(snapshot))).await.unwrap();
        assert_eq!(files(&root, "snapshots").len(), 1);
        store.release(&lease).await.unwrap();
        assert_eq!(files(&root, "locks"), [""; 0]);
    }
}

#[tokio::test]
async fn a_snapshot_written_twice_under_one_lease_does_not_harm_the_head() {
    let root = empty();
    let store = open(&root);
    let lease = lease(&store, &vip(), 0).await;
    let first = furnish(&store, &lease).await.head.snapshot.unwrap();
    let again = write(&store, &lease, b"first members").await;
    store.commit(&lease, step(1, Some(again.clone()))).await.unwrap();
    assert_eq!(members(&store, &vip()).await, b"first members");
    assert_eq!(read(&store, &vip(), &first).await.unwrap(), b"first members");
}

#[test]
fn two_stores_opened_at_the_same_moment_agree_on_the_key() {
    let root = empty();
    let keys = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| open(&root))).collect();
        let stores = threads.into_iter().map(|thread| thread.join().unwrap());
        stores.map(|store| *store.fingerprint_key().as_bytes()).collect::<Vec<_>>()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[test]
fn each_directory_gets_a_key_of_its_own() {
    let (one, two) = (open(&empty()), open(&empty()));
    assert_ne!(one.fingerprint_key().as_bytes(), two.fingerprint_key().as_bytes());
}

#[test]
fn a_key_of_the_host_is_not_stored_and_must_come_again() {
    let root = empty();
    let path = root.path().join("state");
    let host = DirectoryStore::open_with_key(&path, key(1)).unwrap();
    assert_eq!(host.fingerprint_key().as_bytes(), key(1).as_bytes());
    assert!(!contains(&path.join("state.db"), key(1).as_bytes()));
    DirectoryStore::open_with_key(&path, key(1)).unwrap();

    let wrong = DirectoryStore::open_with_key(&path, key(2)).unwrap_err();
    assert_eq!(wrong.kind, StoreErrorKind::WrongKey);
    assert!(wrong.to_string().contains("open it with the key it was created with"), "{wrong}");
    let missing = DirectoryStore::open(&path).unwrap_err();
    assert_eq!(missing.kind, StoreErrorKind::WrongKey);
    assert!(missing.to_string().contains("open it with that key"), "{missing}");
}

#[test]
fn a_store_with_a_key_of_its_own_takes_no_other() {
    let root = empty();
    let own = open(&root);
    let path = root.path().join("state");
    assert!(contains(&path.join("state.db"), own.fingerprint_key().as_bytes()));
    let error = DirectoryStore::open_with_key(&path, key(1)).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::WrongKey);
    assert!(error.to_string().contains("open it without giving one"), "{error}");
}

fn contains(file: &Path, bytes: &[u8]) -> bool {
    fs::read(file).unwrap().windows(bytes.len()).any(|window| window == bytes)
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_but_the_owner_can_read_what_the_store_creates() {
    use std::os::unix::fs::PermissionsExt;

    let root = empty();
    let store = open(&root);
    furnish(&store, &lease(&store, &vip(), 0).await).await;
    let mut paths = vec![root.path().join("state")];
    while let Some(path) = paths.pop() {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
        if path.is_dir() {
            paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn debug_shows_no_key() {
    let root = empty();
    let store = open(&root);
    let shown = format!("{store:?}");
    assert!(shown.starts_with("DirectoryStore { database: "), "{shown}");
    assert!(!shown.contains("key"), "{shown}");
}

/// Turns a store into one of version 1, which knew no absent members.
fn make_old(root: &TempDir) {
    let database = root.path().join("state").join("state.db");
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.execute_batch("DROP TABLE absent; PRAGMA user_version = 1").unwrap();
}

#[tokio::test]
async fn a_store_of_version_1_is_read_unchanged_and_brought_up_to_date_by_writing() {
    let root = empty();
    let store = open(&root);
    let before = furnish(&store, &lease(&store, &vip(), 0).await).await;
    let before = State { absent: Vec::new(), ..before };
    drop(store);
    make_old(&root);
    let database = root.path().join("state").join("state.db");
    let bytes = fs::read(&database).unwrap();
    let reading = DirectoryStore::open_read_only(root.path().join("state")).unwrap().unwrap();
    assert_eq!(load(&reading, &vip()).await, before);
    drop(reading);
    assert_eq!(fs::read(&database).unwrap(), bytes, "a dry run changes nothing");

    let store = open(&root);
    assert_eq!(load(&store, &vip()).await, before);
    let lease = lease(&store, &vip(), 1).await;
    let absent = vec![AbsentMember { member: fingerprint(3), runs: 2 }];
    let commit = Commit { absent: Some(absent.clone()), ..step(1, None) };
    store.commit(&lease, commit).await.unwrap();
    drop(store);
    assert_eq!(load(&open(&root), &vip()).await.absent, absent);
}
