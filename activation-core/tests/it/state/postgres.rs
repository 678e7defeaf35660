//! What the PostgreSQL store does beyond the contract, and with servers that are not as they should
//! be.

use std::{process::Command, sync::Arc};

use activation_core::{
    Acquired, Commit, PostgresServer, PostgresStateStore, StateStore, StoreErrorKind,
};

use super::tools::{
    MINUTE, at, entry, fingerprint, furnish, held, host_key, lease, load, members, noise, read,
    step, try_write, vip, write,
};
use crate::postgres::{self, Cut, Database, Proxy, Server, pause};

const SCHEMA: &str = PostgresStateStore::DEFAULT_SCHEMA;

async fn open(database: &Database<'_>) -> PostgresStateStore {
    PostgresStateStore::open(database.by_socket(), SCHEMA, host_key(7)).await.unwrap()
}

/// Why the store does not open for `server`.
async fn refusal(server: PostgresServer, key: u8) -> (StoreErrorKind, String) {
    let error = PostgresStateStore::open(server, SCHEMA, host_key(key)).await.unwrap_err();
    (error.kind, error.to_string())
}

/// A database of a test's own, with `sql` run in it; ends the test where there is no PostgreSQL.
macro_rules! database {
    ($sql:expr) => {
        match postgres::server() {
            Some(server) => server.database($sql),
            None => return,
        }
    };
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_server_are_told_and_the_password_is_not() {
    let database = database!("CREATE USER keeper PASSWORD 'right'");
    let (kind, told) = refusal(database.at("127.0.0.1", "keeper", "hush"), 7).await;
    assert_eq!(kind, StoreErrorKind::Failed);
    assert!(told.contains(r#"the password of user "keeper" is wrong"#), "{told}");
    assert!(!told.contains("hush"), "{told}");
    let nowhere = PostgresServer::new("/nowhere", "state", "keeper");
    let (kind, told) = refusal(nowhere, 7).await;
    assert_eq!(kind, StoreErrorKind::Unavailable, "{told}");
}

#[tokio::test]
async fn a_user_without_rights_is_told_what_to_grant_and_then_works_on_tables_of_others() {
    let database = database!("CREATE USER tenant PASSWORD 'right'");
    let server = || database.at("127.0.0.1", "tenant", "right");
    let (kind, told) = refusal(server(), 7).await;
    assert_eq!(kind, StoreErrorKind::Failed);
    assert!(told.contains("GRANT CREATE ON DATABASE"), "{told}");

    database.run(&PostgresStateStore::tables(SCHEMA).unwrap());
    let (kind, told) = refusal(server(), 7).await;
    assert_eq!(kind, StoreErrorKind::Failed);
    assert!(told.contains("permission denied") && told.contains("USAGE on the schema"), "{told}");

    database.run(&format!(
        "GRANT USAGE ON SCHEMA {SCHEMA} TO tenant;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO tenant"
    ));
    let store = PostgresStateStore::open(server(), SCHEMA, host_key(7)).await.unwrap();
    let lease = lease(&store, &vip(), 0).await;
    let before = furnish(&store, &lease).await;
    // Only the owner may make sure that nothing is left behind.
    let error = store.scrub(&lease).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Failed);
    assert!(error.to_string().contains("VACUUM (FULL)"), "{error}");
    assert_eq!(load(&store, &vip()).await, before);
}

#[tokio::test]
async fn a_schema_that_exists_needs_the_right_to_create_in_it_only() {
    let database = database!("CREATE USER guest PASSWORD 'right'");
    database
        .run(&format!("CREATE SCHEMA {SCHEMA}; GRANT USAGE, CREATE ON SCHEMA {SCHEMA} TO guest"));
    let server = database.at("127.0.0.1", "guest", "right");
    let store = PostgresStateStore::open(server, SCHEMA, host_key(7)).await.unwrap();
    furnish(&store, &lease(&store, &vip(), 0).await).await;
}

#[tokio::test]
async fn a_hostile_name_of_a_schema_is_a_name() {
    let database = database!("CREATE TABLE public.bystander (x int)");
    let schema = "a\".b'; DROP TABLE public.bystander; -- $1 @.x";
    let open = || PostgresStateStore::open(database.by_socket(), schema, host_key(7));
    let store = open().await.unwrap();
    let lease = lease(&store, &vip(), 0).await;
    let before = furnish(&store, &lease).await;
    store.scrub(&lease).await.unwrap();
    assert_eq!(load(&open().await.unwrap(), &vip()).await, before);
    assert_eq!(database.run("SELECT count(*) FROM public.bystander"), "0");
}

#[tokio::test]
async fn a_newer_version_and_tables_of_another_program_are_left_alone() {
    let database = database!("");
    open(&database).await;
    database.run(&format!("UPDATE {SCHEMA}.meta SET version = 2"));
    let (kind, told) = refusal(database.by_socket(), 7).await;
    assert_eq!(kind, StoreErrorKind::Failed);
    assert!(told.contains("has version 2, and this program knows version 1"), "{told}");

    let database = database!("");
    database
        .run(&format!("CREATE SCHEMA {SCHEMA}; CREATE TABLE {SCHEMA}.meta (id int, secret text)"));
    let (kind, told) = refusal(database.by_socket(), 7).await;
    assert_eq!(kind, StoreErrorKind::Failed);
    assert!(told.contains("belongs to another program"), "{told}");
}

#[tokio::test]
async fn another_key_opens_nothing_and_an_altered_one_is_damage() {
    let database = database!("");
    open(&database).await;
    let (kind, told) = refusal(database.by_socket(), 8).await;
    assert_eq!(kind, StoreErrorKind::WrongKey);
    assert!(told.contains("has another key"), "{told}");
    database.run(&format!("UPDATE {SCHEMA}.meta SET key_check = '\\x00'"));
    assert_eq!(refusal(database.by_socket(), 7).await.0, StoreErrorKind::Corrupt);
    database.run(&format!("UPDATE {SCHEMA}.meta SET key = NULL"));
    assert_eq!(refusal(database.by_socket(), 7).await.0, StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn many_who_open_an_empty_database_at_once_get_the_same_key() {
    let database = database!("");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let server = database.by_socket();
        tasks.spawn(async move { PostgresStateStore::open(server, SCHEMA, host_key(7)).await });
    }
    let stores = tasks.join_all().await;
    let fingerprints =
        stores.into_iter().map(|store| store.unwrap().fingerprint_key().fingerprint(b"somebody"));
    let fingerprints: std::collections::BTreeSet<_> = fingerprints.collect();
    assert_eq!(fingerprints.len(), 1);
}

#[tokio::test]
async fn the_key_of_the_host_can_be_changed_while_others_go_on() {
    let database = database!("");
    let store = open(&database).await;
    let before = store.fingerprint_key().fingerprint(b"somebody");
    let other = open(&database).await;
    store.change_host_key(host_key(8)).await.unwrap();
    furnish(&other, &lease(&other, &vip(), 0).await).await;
    assert_eq!(refusal(database.by_socket(), 7).await.0, StoreErrorKind::WrongKey);
    let after = PostgresStateStore::open(database.by_socket(), SCHEMA, host_key(8)).await.unwrap();
    assert_eq!(after.fingerprint_key().fingerprint(b"somebody"), before);
}

#[tokio::test]
async fn opened_for_reading_only_it_creates_and_changes_nothing() {
    let database = database!("");
    let open_read_only =
        || PostgresStateStore::open_read_only(database.by_socket(), SCHEMA, host_key(7));
    assert!(open_read_only().await.unwrap().is_none());
    let schemas = format!("SELECT count(*) FROM pg_namespace WHERE nspname = '{SCHEMA}'");
    assert_eq!(database.run(&schemas), "0");
    database.run(&PostgresStateStore::tables(SCHEMA).unwrap());
    assert!(open_read_only().await.unwrap().is_none());

    let store = open(&database).await;
    let lease = lease(&store, &vip(), 0).await;
    let before = furnish(&store, &lease).await;
    let reader = open_read_only().await.unwrap().unwrap();
    assert_eq!(load(&reader, &vip()).await, before);
    assert_eq!(members(&reader, &vip()).await, b"first members");
    let refused = [
        reader.acquire(&vip(), "x", at(600), MINUTE).await.map(|_| ()),
        reader.append(&lease, entry(1, b"x")).await,
        reader.write_snapshot(&lease).await.map(|_| ()),
        reader.commit(&lease, step(1, None)).await,
        reader.scrub(&lease).await,
    ];
    for refused in refused {
        assert_eq!(refused.unwrap_err().kind, StoreErrorKind::Failed);
    }
    assert_eq!(load(&store, &vip()).await, before);
}

#[tokio::test]
async fn of_two_processes_one_runs_and_the_other_is_told_who_and_until_when() {
    let database = database!("");
    let (one, two) = (open(&database).await, open(&database).await);
    let ours = one.acquire(&vip(), "host-a pid 1", at(0), MINUTE).await.unwrap();
    let theirs = two.acquire(&vip(), "host-b pid 2", at(59), MINUTE).await.unwrap();
    assert_eq!(theirs, Acquired::Busy { holder: "host-a pid 1".into(), until: at(60) });
    // The first one stands still, is followed, and goes on.
    let new = lease(&two, &vip(), 60).await;
    let Acquired::Lease(old) = ours else { panic!("{ours:?}") };
    let error = one.append(&old, entry(1, b"late")).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Fenced);
    two.append(&new, entry(1, b"in time")).await.unwrap();
    assert_eq!(load(&one, &vip()).await.journal, [entry(1, b"in time")]);
}

/// The server is killed, or only the one process of it that serves the store, when the commit is
/// on its disk and nobody has been told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_server_is_killed_before_the_answer_is_found_to_be_done() {
    const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    const HASTE: &str = "ALTER SYSTEM RESET synchronous_standby_names";
    let Some(server) = Server::start(&[], &[]) else { return };
    let database = server.database("");
    let store = Arc::new(open(&database).await);
    let lease = lease(&*store, &vip(), 0).await;
    furnish(&*store, &lease).await;
    let commit_that_waits = |generation: u64| {
        // Commits wait for a standby that does not exist.
        database.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        database.run("SELECT pg_reload_conf()");
        database.wait_until("SHOW synchronous_standby_names", "nobody");
        let (store, lease) = (Arc::clone(&store), lease.clone());
        let hold = vec![held(2, "new")];
        let commit = Commit { hold, ..step(generation, None) };
        let committing = tokio::spawn(async move { store.commit(&lease, commit).await });
        database.wait_until(WAITING, "1");
        committing
    };

    let committing = commit_that_waits(1);
    database.run(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
    );
    // The second attempt has locked the lease, and waits for the end of its transaction.
    database.wait_until(WAITING, "1");
    database.run(HASTE);
    database.run("SELECT pg_reload_conf()");
    committing.await.unwrap().unwrap();
    assert_eq!(load(&*store, &vip()).await.head.generation, 2);

    let committing = commit_that_waits(2);
    let pid = database.run("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    database.run(HASTE);
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    // Found out, or out of reach while the server recovers.
    if let Err(error) = committing.await.unwrap() {
        assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    }
    let found = loop {
        match store.load(&vip()).await {
            Ok(state) => break state,
            Err(error) => assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}"),
        }
        pause();
    };
    assert_eq!(found.head.generation, 3);
    assert!(found.held.contains(&held(2, "new")));
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_no_lock_behind() {
    let database = database!("");
    let store = open(&database).await;
    let lease = lease(&store, &vip(), 0).await;
    furnish(&store, &lease).await;
    database.run(&format!(
        "CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_sleep(600); RETURN NEW; END';
        CREATE TRIGGER stand_still BEFORE INSERT ON {SCHEMA}.journal
            FOR EACH ROW EXECUTE FUNCTION stand_still()"
    ));
    let standing = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    {
        let appending = store.append(&lease, entry(2, b"abandoned"));
        tokio::select! {
            ended = appending => panic!("{ended:?}"),
            () = until(&database, standing, "1") => {}
        }
    }
    // Cancelled on the server, and undone.
    until(&database, standing, "0").await;
    database.run(&format!("DROP TRIGGER stand_still ON {SCHEMA}.journal"));
    store.append(&lease, entry(3, b"next")).await.unwrap();
    let journal = load(&store, &vip()).await.journal;
    assert_eq!(journal, [entry(1, b"open batch"), entry(3, b"next")]);
}

#[tokio::test]
async fn altered_and_missing_rows_are_damage() {
    let database = database!("");
    let store = open(&database).await;
    let lease = lease(&store, &vip(), 0).await;
    let snapshot = write(&store, &lease, &noise(600_000)).await;
    store.commit(&lease, step(0, Some(snapshot.clone()))).await.unwrap();
    let kind = async |sql: &str| {
        database.run(&sql.replace("@.", &format!("{SCHEMA}.")));
        read(&store, &vip(), &snapshot).await.unwrap_err().kind
    };
    let flip = "UPDATE @.chunk SET bytes = set_byte(bytes, 9, 255 - get_byte(bytes, 9)) \
        WHERE number = 1";
    assert_eq!(kind(flip).await, StoreErrorKind::Corrupt);
    assert!(read(&store, &vip(), &snapshot).await.is_err());
    assert_eq!(kind("DELETE FROM @.chunk WHERE number = 1").await, StoreErrorKind::Corrupt);
    assert_eq!(kind("DELETE FROM @.chunk").await, StoreErrorKind::Corrupt);
    let change = async |sql: &str| {
        database.run(&sql.replace("@.", &format!("{SCHEMA}.")));
        store.load(&vip()).await.unwrap_err().kind
    };
    store.append(&lease, entry(1, b"open batch")).await.unwrap();
    let flip = "body = set_byte(body, 3, 255 - get_byte(body, 3))";
    let altered = change(&format!("UPDATE @.journal SET {flip}")).await;
    assert_eq!(altered, StoreErrorKind::Corrupt);
    database.run(&format!("UPDATE {SCHEMA}.journal SET {flip}"));
    store.load(&vip()).await.unwrap();
    assert_eq!(change(&format!("UPDATE @.head SET {flip}")).await, StoreErrorKind::Corrupt);
}

/// Asks until the answer is `expected`, while other tasks go on.
async fn until(database: &Database<'_>, sql: &str, expected: &str) {
    while database.run(sql) != expected {
        tokio::task::yield_now().await;
    }
}

/// Reads the server's own files, where rows and bytes go on lying after a DELETE.
#[tokio::test]
async fn what_a_scrub_removed_is_in_no_file_of_the_database() {
    let database = database!("");
    let store = open(&database).await;
    let lease = lease(&store, &vip(), 0).await;
    let secret = b"0123456789abcdef";
    let members = activation_core::Fingerprint::from_bytes(*secret);
    let snapshot = write(&store, &lease, &secret.repeat(40_000)).await;
    store.append(&lease, entry(1, secret)).await.unwrap();
    let hold = vec![activation_core::HeldMember { member: members, ..held(1, "a") }, held(2, "b")];
    let absent = Some(vec![activation_core::AbsentMember { member: members, runs: 1 }]);
    let first = Commit { hold, absent, ..step(0, Some(snapshot)) };
    store.commit(&lease, first).await.unwrap();
    database.run("ANALYZE");
    assert!(is_in_files(&database, secret), "the test would see it");

    let snapshot = write(&store, &lease, &noise(600_000)).await;
    let second = Commit {
        unhold: vec![members],
        absent: Some(Vec::new()),
        retired_batches: vec![1],
        ..step(1, Some(snapshot))
    };
    store.commit(&lease, second).await.unwrap();
    try_write(&store, &lease, &secret.repeat(10)).await.unwrap();
    assert!(is_in_files(&database, secret), "deleting alone is not enough");
    store.scrub(&lease).await.unwrap();
    assert!(!is_in_files(&database, secret));
    assert_eq!(load(&store, &vip()).await.held, [held(2, "b")]);
}

/// Whether a file of the database has these bytes.
fn is_in_files(database: &Database<'_>, bytes: &[u8]) -> bool {
    database.run("CHECKPOINT");
    let base = "SELECT oid FROM pg_database WHERE datname = current_database()";
    let directory = database.server.directory.join("data/base").join(database.run(base));
    std::fs::read_dir(directory).unwrap().any(|file| {
        // Files of the catalogues come and go.
        let content = std::fs::read(file.unwrap().path()).unwrap_or_default();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[tokio::test]
async fn a_scrub_says_so_when_a_transaction_elsewhere_may_still_see_what_was_removed() {
    let database = database!("CREATE TABLE elsewhere (x int)");
    let store = open(&database).await;
    let lease = lease(&store, &vip(), 0).await;
    furnish(&store, &lease).await;
    // Somebody's long report, which has not touched our tables.
    let report = activation_core::sources::PostgresSource::new(
        database.by_socket(),
        "SELECT 'x' FROM generate_series(1, 10000000)",
    );
    let scan = activation_core::SegmentSource::open(&report).await.unwrap();
    let commit = Commit { unhold: vec![fingerprint(1)], ..step(1, None) };
    store.commit(&lease, commit).await.unwrap();
    let error = store.scrub(&lease).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("a transaction somewhere in the database"), "{error}");
    drop(scan);
    let reports = "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT ''x'' FROM'";
    until(&database, reports, "0").await;
    store.scrub(&lease).await.unwrap();
}

#[tokio::test]
async fn a_scan_whose_connection_was_cut_reads_on_while_the_snapshot_is_there() {
    let database = database!("");
    let store = open(&database).await;
    let lease = lease(&store, &vip(), 0).await;
    let bytes = noise(600_000);
    let snapshot = write(&store, &lease, &bytes).await;
    store.commit(&lease, step(0, Some(snapshot.clone()))).await.unwrap();
    let end_all = "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut scan = store.read_snapshot(&vip(), &snapshot).await.unwrap();
    let mut seen = scan.next_chunk().await.unwrap().unwrap();
    database.run(end_all);
    seen.extend(scan.next_chunk().await.unwrap().unwrap());
    // From here on it would be told of a new head.
    store.commit(&lease, step(1, None)).await.unwrap();
    seen.extend(scan.next_chunk().await.unwrap().unwrap());
    assert_eq!(scan.next_chunk().await.unwrap(), None);
    assert!(seen == bytes);

    let snapshot = write(&store, &lease, &bytes).await;
    store.commit(&lease, step(2, Some(snapshot.clone()))).await.unwrap();
    let mut scan = store.read_snapshot(&vip(), &snapshot).await.unwrap();
    scan.next_chunk().await.unwrap().unwrap();
    store.commit(&lease, step(3, None)).await.unwrap();
    database.run(end_all);
    assert_eq!(scan.next_chunk().await.unwrap_err().kind, StoreErrorKind::Moved);
}

#[tokio::test]
async fn a_server_out_of_reach_is_unavailable_and_the_store_works_again_afterwards() {
    let database = database!("");
    open(&database).await;
    let is_out = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let out = Arc::clone(&is_out);
    let proxy = Proxy::before(database.server, move || {
        match out.load(std::sync::atomic::Ordering::SeqCst) {
            true => Cut::Before,
            false => Cut::Nothing,
        }
    });
    let store = PostgresStateStore::open(database.through(&proxy), SCHEMA, host_key(7));
    let store = store.await.unwrap();
    let lease = lease(&store, &vip(), 0).await;
    is_out.store(true, std::sync::atomic::Ordering::SeqCst);
    let error = store.append(&lease, entry(1, b"lost")).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    is_out.store(false, std::sync::atomic::Ordering::SeqCst);
    store.append(&lease, entry(1, b"kept")).await.unwrap();
    assert_eq!(load(&store, &vip()).await.journal, [entry(1, b"kept")]);
}
