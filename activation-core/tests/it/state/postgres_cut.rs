//! The PostgreSQL store when its connections are cut, at each statement.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use activation_core::{
    Commit, PostgresServer, PostgresStateStore, State, StateStore, StoreError, StoreErrorKind,
};

use super::tools::{
    MINUTE, at, entry, fingerprint, furnish, held, host_key, lease, load, members, noise, read,
    step, try_lease, try_write, vip,
};
use crate::postgres::{self, Cut, Database, Proxy};

async fn open(server: PostgresServer, schema: &str) -> Result<PostgresStateStore, StoreError> {
    PostgresStateStore::open(server, schema, host_key(7)).await
}

/// Each operation once.
async fn run(server: PostgresServer, schema: &str) -> Result<(), StoreError> {
    let store = open(server, schema).await?;
    let lease = try_lease(&store, &vip(), 60).await?;
    store.append(&lease, entry(2, b"second batch")).await?;
    let snapshot = try_write(&store, &lease, &noise(600_000)).await?;
    store.renew(&lease, at(70), MINUTE).await?;
    let commit = Commit {
        retired_batches: vec![1],
        hold: vec![held(2, "new")],
        unhold: vec![fingerprint(1)],
        ..step(1, Some(snapshot.clone()))
    };
    store.commit(&lease, commit).await?;
    assert!(read(&store, &vip(), &snapshot).await? == noise(600_000));
    assert_eq!(store.load(&vip()).await?.head.generation, 2);
    assert_eq!(store.activations().await?, [vip()]);
    store.release(&lease).await
}

/// The state before [`run`], in a schema of its own.
async fn first_generation(database: &Database<'_>, schema: &str) -> State {
    let store = open(database.by_socket(), schema).await.unwrap();
    furnish(&store, &lease(&store, &vip(), 0).await).await
}

/// A proxy that does `cut` at statement `from` and, if they are `more`, at all after it.
fn cutter(database: &Database<'_>, from: usize, cut: Cut, more: bool) -> (Proxy, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let proxy =
        Proxy::before(database.server, move || match counter.fetch_add(1, Ordering::SeqCst) + 1 {
            number if number == from => cut,
            number if number > from && more => Cut::Before,
            _ => Cut::Nothing,
        });
    (proxy, seen)
}

async fn is_complete(store: &PostgresStateStore) {
    let found = load(store, &vip()).await;
    assert_eq!(found.head.generation, 2);
    assert_eq!(found.journal, [entry(2, b"second batch")]);
    assert_eq!(found.held, [held(2, "new")]);
    assert!(members(store, &vip()).await == noise(600_000));
}

/// Nothing but the chunks of the head's snapshot is left, and its lease was given once.
fn is_tidy(database: &Database<'_>, schema: &str, token: &str) {
    let chunks = format!("SELECT count(DISTINCT snapshot) FROM \"{schema}\".chunk");
    assert_eq!(database.run(&chunks), "1");
    assert_eq!(database.run(&format!("SELECT token FROM \"{schema}\".lease")), token);
}

#[tokio::test]
async fn a_connection_cut_once_at_any_statement_changes_no_answer() {
    let Some(server) = postgres::server() else { return };
    let database = server.database("");
    for cut in [Cut::Before, Cut::Amid, Cut::After] {
        let mut cuts = 0;
        for statement in 1.. {
            let schema = format!("{cut:?} {statement}");
            first_generation(&database, &schema).await;
            let (proxy, seen) = cutter(&database, statement, cut, false);
            let ended = run(database.through(&proxy), &schema).await;
            ended.unwrap_or_else(|error| panic!("{schema}: {error}"));
            is_complete(&open(database.by_socket(), &schema).await.unwrap()).await;
            is_tidy(&database, &schema, "2");
            if seen.load(Ordering::SeqCst) < statement {
                break;
            }
            cuts += 1;
        }
        assert!(cuts > 60, "only {cuts} statements to cut at");
    }
}

#[tokio::test]
async fn a_server_lost_at_any_statement_leaves_the_old_state_or_the_new() {
    let Some(server) = postgres::server() else { return };
    let database = server.database("");
    for cut in [Cut::Before, Cut::After] {
        let (mut old_states, mut new_states) = (0, 0);
        for statement in 1.. {
            let schema = format!("{cut:?} {statement}");
            let old = first_generation(&database, &schema).await;
            let (proxy, _) = cutter(&database, statement, cut, true);
            let ended = run(database.through(&proxy), &schema).await;

            let store = open(database.by_socket(), &schema).await.unwrap();
            let found = load(&store, &vip()).await;
            if found.head.generation == 1 {
                old_states += 1;
                assert_eq!((&found.head, &found.held), (&old.head, &old.held));
                assert!(found.journal.starts_with(&old.journal));
                assert_eq!(members(&store, &vip()).await, b"first members");
            } else {
                new_states += 1;
                is_complete(&store).await;
            }
            // The next one clears away what was left.
            lease(&store, &vip(), 600).await;
            let chunks = format!("SELECT count(DISTINCT snapshot) FROM \"{schema}\".chunk");
            assert_eq!(database.run(&chunks), "1");
            match ended {
                Ok(()) => break,
                Err(error) => assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}"),
            }
        }
        assert!(old_states > 30 && new_states > 10, "{cut:?}: {old_states}, {new_states}");
    }
}

/// Rows are deleted in one transaction, and then the tables are written anew, one by one.
#[tokio::test]
async fn a_scrub_that_is_cut_at_any_statement_is_done_all_the_same() {
    let Some(server) = postgres::server() else { return };
    let database = server.database("");
    first_generation(&database, "scrub").await;
    for statement in 1.. {
        let cut = [Cut::Before, Cut::Amid, Cut::After][statement % 3];
        let (proxy, seen) = cutter(&database, statement, cut, false);
        let store = open(database.through(&proxy), "scrub").await.unwrap();
        let now = i64::try_from(statement).unwrap() * 60;
        let lease = lease(&store, &vip(), now).await;
        try_write(&store, &lease, b"never committed").await.unwrap();
        store.scrub(&lease).await.unwrap();
        is_tidy(&database, "scrub", &(statement + 1).to_string());
        if seen.load(Ordering::SeqCst) < statement {
            assert!(statement > 30, "only {statement} statements to cut at");
            break;
        }
    }
}
