//! The PostgreSQL store when its connections are cut, at each statement.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use activation_core::{
    AbsentMember, ActivationKey, Commit, PostgresServer, PostgresStateStore, StateStore,
    StoreError, StoreErrorKind,
};

use super::tools::{
    MINUTE, at, entry, fingerprint, furnish, held, host_key, lease, load, members, noise, read,
    step, try_lease, try_write, vip,
};
use crate::postgres::{self, Cut, Database, Proxy};

async fn open(server: PostgresServer) -> Result<PostgresStateStore, StoreError> {
    PostgresStateStore::open(server, "state", host_key(7)).await
}

/// More than a chunk.
fn bytes() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| noise(300_000))
}

/// Each operation once, after [`furnish`].
async fn run(server: PostgresServer, of: &ActivationKey) -> Result<(), StoreError> {
    let store = open(server).await?;
    let lease = try_lease(&store, of, 60).await?;
    store.append(&lease, entry(2, b"second batch")).await?;
    let snapshot = try_write(&store, &lease, bytes()).await?;
    store.renew(&lease, at(70), MINUTE).await?;
    let commit = Commit {
        retired_batches: vec![1],
        hold: vec![held(2, "new")],
        unhold: vec![fingerprint(1)],
        absent: Some(vec![AbsentMember { member: fingerprint(9), runs: 2 }]),
        ..step(1, Some(snapshot.clone()))
    };
    store.commit(&lease, commit).await?;
    assert!(read(&store, of, &snapshot).await? == bytes());
    assert_eq!(store.load(of).await?.head.generation, 2);
    assert!(store.activations().await?.contains(of));
    store.release(&lease).await
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

async fn is_complete(store: &PostgresStateStore, of: &ActivationKey) {
    let found = load(store, of).await;
    assert_eq!(found.head.generation, 2);
    assert_eq!(found.journal, [entry(2, b"second batch")]);
    assert_eq!(found.held, [held(2, "new")]);
    assert_eq!(found.absent, [AbsentMember { member: fingerprint(9), runs: 2 }]);
    assert!(members(store, of).await == bytes());
}

/// Nothing but the chunks of the head's snapshot is left, and this is the newest token.
fn is_tidy(database: &Database<'_>, of: &ActivationKey, token: usize) {
    let sql = format!(
        "SELECT token, (SELECT count(DISTINCT snapshot) FROM state.chunk
            WHERE activation = lease.activation)
        FROM state.lease WHERE activation = convert_to('{of}', 'UTF8')"
    );
    assert_eq!(database.run(&sql), format!("{token}|1"), "{of}");
}

#[tokio::test]
async fn a_connection_cut_once_at_any_statement_changes_no_answer() {
    let Some(server) = postgres::server() else { return };
    let database = server.database("");
    let store = open(database.by_socket()).await.unwrap();
    // How far the server gets with a statement that is cut amid it is a matter of luck.
    for (cut, each) in [(Cut::Before, 1), (Cut::Amid, 3), (Cut::After, 1)] {
        let mut cuts = 0;
        for statement in (1..).step_by(each) {
            let of = ActivationKey::new(format!("{cut:?} {statement}"));
            furnish(&store, &lease(&store, &of, 0).await).await;
            let (proxy, seen) = cutter(&database, statement, cut, false);
            let ended = run(database.through(&proxy), &of).await;
            ended.unwrap_or_else(|error| panic!("{of}: {error}"));
            is_complete(&store, &of).await;
            is_tidy(&database, &of, 2);
            if seen.load(Ordering::SeqCst) < statement {
                break;
            }
            cuts += 1;
        }
        assert!(cuts * each > 60, "only {cuts} statements to cut at");
    }
}

#[tokio::test]
async fn a_server_lost_at_any_statement_leaves_the_old_state_or_the_new() {
    let Some(server) = postgres::server() else { return };
    let database = server.database("");
    let store = open(database.by_socket()).await.unwrap();
    for cut in [Cut::Before, Cut::After] {
        let (mut old_states, mut new_states) = (0, 0);
        for statement in 1.. {
            let of = ActivationKey::new(format!("{cut:?} {statement}"));
            let old = furnish(&store, &lease(&store, &of, 0).await).await;
            let (proxy, _) = cutter(&database, statement, cut, true);
            let ended = run(database.through(&proxy), &of).await;

            let found = load(&store, &of).await;
            if found.head.generation == 1 {
                old_states += 1;
                assert_eq!((&found.head, &found.held), (&old.head, &old.held));
                assert!(found.journal.starts_with(&old.journal));
                assert_eq!(members(&store, &of).await, b"first members");
            } else {
                new_states += 1;
                is_complete(&store, &of).await;
            }
            // The next one clears away what was left.
            let next = lease(&store, &of, 600).await;
            is_tidy(&database, &of, usize::try_from(next.token).unwrap());
            match ended {
                Ok(()) => break,
                Err(error) => assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}"),
            }
        }
        assert!(old_states > 30 && new_states > 10, "{cut:?}: {old_states}, {new_states}");
    }
}

#[tokio::test]
async fn a_connection_cut_while_the_tables_are_created_is_made_good() {
    let Some(server) = postgres::server() else { return };
    for statement in 1.. {
        let cut = [Cut::Before, Cut::Amid, Cut::After][statement % 3];
        let database = server.database("");
        let (proxy, seen) = cutter(&database, statement, cut, false);
        let store = open(database.through(&proxy)).await.unwrap();
        let again = open(database.by_socket()).await.unwrap();
        let fingerprint = |store: &PostgresStateStore| store.fingerprint_key().fingerprint(b"x");
        assert_eq!(fingerprint(&store), fingerprint(&again));
        if seen.load(Ordering::SeqCst) < statement {
            assert!(statement > 12, "only {statement} statements to cut at");
            break;
        }
    }
}

/// Rows are deleted in one transaction, and then the tables are written anew, one by one.
#[tokio::test]
async fn a_scrub_that_is_cut_at_any_statement_is_done_all_the_same() {
    let Some(server) = postgres::server() else { return };
    let database = server.database("");
    let direct = open(database.by_socket()).await.unwrap();
    furnish(&direct, &lease(&direct, &vip(), 0).await).await;
    for statement in 1.. {
        let cut = [Cut::Before, Cut::Amid, Cut::After][statement % 3];
        let (proxy, seen) = cutter(&database, statement, cut, false);
        let store = open(database.through(&proxy)).await.unwrap();
        let now = i64::try_from(statement).unwrap() * 60;
        let lease = lease(&store, &vip(), now).await;
        try_write(&store, &lease, b"never committed").await.unwrap();
        store.scrub(&lease).await.unwrap();
        is_tidy(&database, &vip(), statement + 1);
        if seen.load(Ordering::SeqCst) < statement {
            assert!(statement > 30, "only {statement} statements to cut at");
            break;
        }
    }
}
