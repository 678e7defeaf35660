//! A query on a real PostgreSQL server.

use activation_core::{
    ADVISED_BATCH, PostgresServer, PostgresTls, SegmentSource, conformance, sources::PostgresSource,
};

use super::{failure, rows, scan, texts};
use crate::postgres::{self, Database, Server};

impl Database<'_> {
    fn query(&self, query: &str) -> PostgresSource {
        PostgresSource::new(self.by_socket(), query)
    }

    /// What is wrong with `query`, without the words before, and whether it may pass.
    async fn complaint(&self, query: &str) -> (String, bool) {
        let source = self.query(query);
        let is_temporary = scan(&source).await.unwrap_err().is_temporary();
        let place = format!("the query on {} ", self.by_socket());
        let told = failure(&source).await;
        let told = told.strip_prefix(&place).unwrap_or_else(|| panic!("{told}"));
        (told.to_owned(), is_temporary)
    }
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

const PEOPLE: &str = "
    CREATE EXTENSION citext;
    CREATE TABLE people (id int PRIMARY KEY, email text, phone bigint, vip numeric, code char(8),
        small smallint, person uuid, alias citext, short varchar(40), photo bytea, nick name);
    INSERT INTO people VALUES
        (1, 'ann@example.com', 491700000001, 1, 'a', -1, '00112233-4455-6677-8899-AABBCCDDEEFF',
         'Ann@x', 'ann', NULL, 'ann'),
        (2, 'Béa@example.com', -5, 1.5, 'b  c', 2, NULL, NULL, ' bea ', NULL, NULL),
        (3, NULL, 0, 1, NULL, NULL, NULL, NULL, NULL, '\\xff', NULL),
        (4, '', 9223372036854775807, 1, '', 4, NULL, '', '', NULL, '');";

#[tokio::test]
async fn the_source_keeps_its_contract() {
    let database = database!("CREATE TABLE people (email text)");
    let set = async |people: Vec<String>| {
        let people = people.into_iter().map(|row| match row.as_str() {
            "" => "\\N\n".to_owned(),
            row => format!("{row}\n"),
        });
        let people: String = people.collect();
        database.run(&format!(
            "BEGIN; DELETE FROM people;\nCOPY people FROM STDIN;\n{people}\\.\nCOMMIT;"
        ));
    };
    let source = database.query("SELECT email FROM people");
    conformance::segment_source(&source, set).await.unwrap();

    set((0..20_000).map(|number| format!("person{number}@example.com")).collect()).await;
    let query = "SELECT CASE WHEN email LIKE 'person19999@%' THEN (1 / (length(email) - length(email)))::text ELSE email END
        FROM people";
    conformance::broken_segment_source(&database.query(query)).await.unwrap();
}

#[tokio::test]
async fn text_numbers_and_uuids_are_keys_and_null_is_an_empty_one() {
    let database = database!(PEOPLE);
    let column = async |name: &str| {
        texts(&database.query(&format!("SELECT {name} FROM people ORDER BY id;  -- all"))).await
    };
    assert_eq!(column("email").await, ["ann@example.com", "Béa@example.com", "", ""]);
    assert_eq!(column("phone").await, ["491700000001", "-5", "0", "9223372036854775807"]);
    assert_eq!(column("id").await, ["1", "2", "3", "4"]);
    assert_eq!(column("small").await, ["-1", "2", "", "4"]);
    assert_eq!(column("code").await, ["a", "b  c", "", ""]);
    assert_eq!(column("person").await, ["00112233-4455-6677-8899-aabbccddeeff", "", "", ""]);
    assert_eq!(column("alias").await, ["Ann@x", "", "", ""]);
    assert_eq!(column("short").await, ["ann", " bea ", "", ""]);
    assert_eq!(column("nick").await, ["ann", "", "", ""]);
    assert_eq!(texts(&database.query("SELECT 'x@example.com'")).await, ["x@example.com"]);
}

#[tokio::test]
async fn other_types_are_refused_before_a_row_is_read() {
    let database = database!(PEOPLE);
    for (column, type_) in [("vip", "numeric"), ("photo", "bytea"), ("now()", "timestamptz")] {
        // There is no row that could have been looked at.
        let query = format!("SELECT {column} AS x FROM people WHERE id > 99");
        let told = format!("gives {type_} in column \"x\"; cast it to text if it is an identifier");
        assert_eq!(database.complaint(&query).await, (told, false));
    }
    let key = database.query("SELECT email, vip FROM people").key_column("vip");
    assert!(failure(&key).await.contains("gives numeric in column \"vip\""));
}

#[tokio::test]
async fn twenty_thousand_rows_come_in_batches_and_in_order() {
    let database = database!("");
    let source =
        database.query("SELECT 'm' || i || '@example.com' FROM generate_series(1, 20000) i");
    let keys = texts(&source).await;
    assert!(keys.iter().zip(1..).all(|(key, i)| *key == format!("m{i}@example.com")));
    let mut scan = source.open().await.unwrap();
    let mut sizes = Vec::new();
    while let Some(batch) = scan.next_batch().await.unwrap() {
        sizes.push(batch.len());
    }
    assert_eq!(sizes, [ADVISED_BATCH, ADVISED_BATCH, 20_000 - 2 * ADVISED_BATCH]);
}

#[tokio::test]
async fn a_batch_whose_future_was_dropped_is_not_lost() {
    let database = database!("");
    let source = database.query("SELECT i FROM generate_series(1, 100000) i");
    let mut scan = source.open().await.unwrap();
    let mut rows = 0;
    loop {
        let mut next = scan.next_batch();
        // Polled once, which is rarely enough, and then dropped.
        let first = std::future::poll_fn(|context| {
            std::task::Poll::Ready(match next.as_mut().poll(context) {
                std::task::Poll::Ready(batch) => Some(batch),
                std::task::Poll::Pending => None,
            })
        })
        .await;
        drop(next);
        let batch = match first {
            Some(batch) => batch,
            None => scan.next_batch().await,
        };
        match batch.unwrap() {
            Some(batch) => rows += batch.len(),
            None => break,
        }
    }
    assert_eq!(rows, 100_000);
}

#[tokio::test]
async fn several_columns_need_a_name() {
    let database = database!(PEOPLE);
    let two = "SELECT id, email FROM people WHERE id = 1";
    let told = database.complaint(two).await.0;
    assert_eq!(told, r#"gives 2 columns; name the one with the identifiers: "id", "email""#);
    assert_eq!(texts(&database.query(two).column("email")).await, ["ann@example.com"]);
    let told = failure(&database.query(two).column("Email")).await;
    assert!(told.ends_with(r#"has no column "Email"; it has "id", "email""#), "{told}");
    let twice = database.query("SELECT email, email FROM people").column("email");
    assert!(failure(&twice).await.ends_with(r#"has several columns "email""#));
}

#[tokio::test]
async fn a_key_column_gives_each_row_its_warehouse_key() {
    let database = database!(PEOPLE);
    let expected = [("ann@example.com", "1"), ("Béa@example.com", "2"), ("", "3"), ("", "4")];
    let expected = expected.map(|(email, key)| (email.to_owned(), key.to_owned()));
    let two = database.query("SELECT id, email FROM people ORDER BY id").key_column("id");
    assert_eq!(rows(&two).await, expected);
    let three = database.query("SELECT vip, id, email FROM people ORDER BY id");
    assert_eq!(rows(&three.column("email").key_column("id")).await, expected);
}

#[tokio::test]
async fn statements_that_do_anything_but_read_are_refused() {
    let database = database!(PEOPLE);
    database.run(
        "CREATE FUNCTION sneaky() RETURNS text LANGUAGE sql AS
         $$ DELETE FROM people RETURNING email $$; CREATE SEQUENCE numbers;",
    );
    for (query, why) in [
        ("DELETE FROM people RETURNING email", "writes; it must only read"),
        (
            "WITH gone AS (DELETE FROM people RETURNING email) SELECT email FROM gone",
            "writes; it must only read",
        ),
        ("SELECT sneaky()", "writes; it must only read"),
        ("SELECT nextval('numbers')", "writes; it must only read"),
        ("UPDATE people SET email = 'x'", "gives no rows: it must be one SELECT"),
        ("DROP TABLE people", "gives no rows: it must be one SELECT"),
        ("COMMIT", "gives no rows: it must be one SELECT"),
        ("", "gives no rows: it must be one SELECT"),
        ("SELECT 1; DELETE FROM people", "has several statements; it must be one"),
        (
            "SELECT email FROM people WHERE id = $1",
            "has parameters, and there are no values for them",
        ),
    ] {
        assert_eq!(database.complaint(query).await, (why.to_owned(), false), "{query}");
    }
    assert_eq!(database.run("SELECT count(*) FROM people WHERE email <> 'x'"), "3");
}

#[tokio::test]
async fn an_invalid_query_tells_where_but_no_address() {
    let database = database!(PEOPLE);
    let told = async |query: &str| database.complaint(query).await.0;
    assert_eq!(
        told("SELECT mail FROM people").await,
        r#"is not valid at character 8: column "mail" does not exist"#
    );
    assert_eq!(
        told("SELECT email FROM peple").await,
        r#"is not valid at character 19: relation "peple" does not exist"#
    );
    let quoted = r#"SELECT email FROM people WHERE email = "a@example.com""#;
    assert_eq!(told(quoted).await, "is not valid at character 40");
    assert_eq!(
        told("SELECT email::int FROM people ORDER BY id").await,
        r#"failed with SQLSTATE 22P02: invalid input syntax for type integer: "…""#
    );
    database.run(
        "CREATE FUNCTION shout() RETURNS text LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'ann has no phone'; END $$",
    );
    assert_eq!(told("SELECT shout()").await, "failed with SQLSTATE P0001");
    assert!(!format!("{:?}", database.query("SELECT 'a@example.com'")).contains("a@example"));
}

#[tokio::test]
async fn a_missing_privilege_is_told() {
    let database = database!(PEOPLE);
    database.run("CREATE USER poor PASSWORD 'x'");
    let server =
        PostgresServer::new(database.server.directory.to_str().unwrap(), &database.name, "poor");
    let source = PostgresSource::new(server.port(database.server.port), "SELECT email FROM people");
    let told = failure(&source).await;
    let expected =
        "is not allowed: permission denied for table people: GRANT what is missing to its user";
    assert!(told.ends_with(expected), "{told}");
    assert!(!scan(&source).await.unwrap_err().is_temporary());
}

#[tokio::test]
async fn an_error_half_way_is_an_error_and_not_a_short_segment() {
    let database = database!("");
    let source = database.query("SELECT 1 / (15000 - i) FROM generate_series(1, 20000) i");
    let mut scan = source.open().await.unwrap();
    assert_eq!(scan.next_batch().await.unwrap().unwrap().len(), ADVISED_BATCH);
    let error = scan.next_batch().await.unwrap_err();
    assert!(!error.is_temporary());
    assert!(error.to_string().ends_with("failed with SQLSTATE 22012: division by zero"), "{error}");
    assert!(scan.next_batch().await.unwrap().is_none());
}

#[tokio::test]
async fn a_connection_that_ends_amid_the_rows_is_a_temporary_error() {
    let database = database!("");
    let source = database.query(ENDLESS).column("i");
    let mut scan = source.open().await.unwrap();
    scan.next_batch().await.unwrap().unwrap();
    database.run(&end_marked("pg_terminate_backend"));
    let error = loop {
        match scan.next_batch().await {
            Ok(batch) => assert!(batch.is_some(), "a short segment"),
            Err(error) => break error,
        }
    };
    assert!(error.is_temporary());
    assert!(error.to_string().contains("the connection was "), "{error}");
    assert!(scan.next_batch().await.unwrap().is_none());
}

#[tokio::test]
async fn a_server_that_is_killed_amid_the_rows_is_a_temporary_error() {
    let Some(server) = Server::start(&[], &[]) else { return };
    let database = server.database("");
    let mut scan = database.query(ENDLESS).column("i").open().await.unwrap();
    scan.next_batch().await.unwrap().unwrap();
    let socket = database.by_socket();
    drop(server);
    let error = loop {
        match scan.next_batch().await {
            Ok(batch) => assert!(batch.is_some(), "a short segment"),
            Err(error) => break error,
        }
    };
    assert!(error.is_temporary(), "{error}");
    let error = super::scan(&PostgresSource::new(socket, "SELECT 1")).await.unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_or_is_cancelled_is_a_temporary_error() {
    let database = database!("CREATE USER hurried");
    database.run("ALTER USER hurried SET statement_timeout = '1ms'");
    let server =
        PostgresServer::new(database.server.directory.to_str().unwrap(), &database.name, "hurried");
    let source = PostgresSource::new(
        server.port(database.server.port),
        "SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) i",
    );
    let error = scan(&source).await.unwrap_err();
    assert!(error.is_temporary());
    assert!(error.to_string().contains("was cancelled, by statement_timeout"), "{error}");
}

#[tokio::test]
async fn a_scan_that_is_dropped_ends_its_query_on_the_server() {
    let database = database!("");
    let scan = database.query(ENDLESS).column("i").open().await.unwrap();
    database.wait_until(RUNNING, "1");
    drop(scan);
    is_ended(&database).await;
}

#[tokio::test]
async fn an_opening_that_is_dropped_ends_its_query_on_the_server() {
    let database = database!("");
    let source = database
        .query("SELECT 1")
        .as_of("SELECT count(*), 'marked' FROM (SELECT generate_series(1, 1000000000000)) i");
    let opening = tokio::spawn(async move { source.open().await.map(drop) });
    while database.run(RUNNING) != "1" {
        // The opening needs its turn.
        tokio::task::yield_now().await;
    }
    opening.abort();
    is_ended(&database).await;
}

#[tokio::test]
async fn the_time_of_the_data_is_a_time_with_zone_text_or_seconds() {
    let database = database!(PEOPLE);
    let as_of = async |query: &str| {
        let source = database.query("SELECT email FROM people").as_of(query);
        let mut scan = source.open().await.unwrap();
        while scan.next_batch().await.unwrap().is_some() {}
        scan.as_of().unwrap().to_rfc3339()
    };
    let six = "2027-03-01T06:00:00+00:00";
    assert_eq!(as_of("SELECT '2027-03-01T07:00:00+01:00'").await, six);
    assert_eq!(as_of("SELECT 1803880800").await, six);
    assert_eq!(as_of("SELECT timestamptz '2027-03-01 06:00Z'").await, six);
    assert_eq!(as_of("SELECT timestamptz '1960-01-01 06:00Z'").await, "1960-01-01T06:00:00+00:00");
    let silent = database.query("SELECT email FROM people").open().await.unwrap();
    assert_eq!(silent.as_of(), None);
}

#[tokio::test]
async fn what_is_no_time_stops_the_scan() {
    let database = database!(PEOPLE);
    let place = format!("the query for the time of {} ", database.by_socket());
    for (query, problem) in [
        ("SELECT 'yesterday'", "gives no time"),
        ("SELECT NULL", "gives no time"),
        ("SELECT 1.5", "gives no time"),
        ("SELECT timestamptz 'infinity'", "gives no time"),
        ("SELECT timestamptz '-infinity'", "gives no time"),
        ("SELECT timestamp '2027-03-01'", "gives a time without a time zone: cast it to"),
        ("SELECT id FROM people WHERE id = 99", "gives no time"),
        ("SELECT 1; SELECT 2", "has several statements; it must be one"),
        ("SELECT max(at) FROM loads", "is not valid at character 21"),
    ] {
        let told = failure(&database.query("SELECT email FROM people").as_of(query)).await;
        assert!(told.starts_with(&format!("{place}{problem}")), "{query}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_their_time_are_of_the_same_state() {
    let database = database!(
        "CREATE TABLE people (email text); CREATE TABLE loads (at bigint);
         INSERT INTO people VALUES ('ann@example.com'); INSERT INTO loads VALUES (1);"
    );
    // The first query waits for a lock, and until then more is loaded.
    let source = database
        .query("SELECT email FROM people")
        .as_of("SELECT max(at) FROM loads, pg_advisory_xact_lock_shared(1)");
    let load_more = "SELECT pg_advisory_lock(1);
        DO $$ BEGIN
            WHILE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted) LOOP
                PERFORM pg_sleep(0.01);
            END LOOP;
        END $$;
        INSERT INTO people VALUES ('bob@example.com'); INSERT INTO loads VALUES (2);";
    let locked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted";
    let seen = tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| database.run(load_more));
            database.wait_until(locked, "1");
            tokio::runtime::Handle::current().block_on(async {
                let mut scan = source.open().await.unwrap();
                let mut rows = 0;
                while let Some(batch) = scan.next_batch().await.unwrap() {
                    rows += batch.len();
                }
                (rows, scan.as_of().unwrap().timestamp())
            })
        })
    });
    assert_eq!(seen, (1, 1));
    assert_eq!(texts(&source).await.len(), 2);
}

#[tokio::test]
async fn a_password_that_is_wrong_or_missing_is_told_and_not_shown() {
    let database = database!("CREATE USER reader PASSWORD 'right'; CREATE USER unwelcome");
    let answer = async |server: PostgresServer| {
        let source = PostgresSource::new(server, "SELECT 'ann'");
        match scan(&source).await {
            Ok(rows) => format!("{} row", rows.len()),
            Err(error) => {
                assert!(!error.is_temporary(), "{error}");
                let told = failure(&source).await;
                assert!(!told.contains("hush") && !format!("{error:?}{source:?}").contains("hush"));
                told.rsplit(": ").next().unwrap().to_owned()
            }
        }
    };
    let tcp = |user, password| database.at("127.0.0.1", user, password);
    assert_eq!(answer(tcp("reader", "right")).await, "1 row");
    assert_eq!(
        answer(tcp("reader", "hush")).await,
        r#"the password of user "reader" is wrong, or has expired"#
    );
    assert_eq!(
        answer(
            PostgresServer::new("127.0.0.1", &database.name, "reader").port(database.server.port)
        )
        .await,
        "password missing"
    );
    let told = answer(tcp("unwelcome", "hush")).await;
    assert!(told.contains("look at its name, at sslmode, and at pg_hba.conf"), "{told}");
    let nowhere = PostgresServer::new("127.0.0.1", "nowhere", "reader");
    let nowhere = nowhere.port(database.server.port).password("right");
    assert_eq!(answer(nowhere).await, r#"there is no database "nowhere""#);
    let url = database.url("reader", "right");
    assert_eq!(answer(url.parse().unwrap()).await, "1 row");
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_a_temporary_error() {
    // Bound and not listening to anybody in particular: nothing answers there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = PostgresServer::new("127.0.0.1", "a", "b").port(closed.port());
    let error = scan(&PostgresSource::new(server, "SELECT 1")).await.unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains("cannot be reached"), "{error}");
    let server = PostgresServer::new("/nonexistent", "a", "b");
    let error = scan(&PostgresSource::new(server, "SELECT 1")).await.unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn require_takes_only_a_server_that_is_vouched_for_by_its_name() {
    let database = database!("CREATE USER tls PASSWORD 'x'");
    let encrypted = "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let answer = async |server: PostgresServer| {
        let source = PostgresSource::new(server, encrypted);
        match scan(&source).await {
            Ok(rows) => String::from_utf8(rows.concat()).unwrap(),
            Err(error) => {
                assert!(!error.is_temporary(), "{error}");
                failure(&source).await
            }
        }
    };
    let authority = &postgres::certificates().authority;
    let at = |host| database.at(host, "tls", "x");
    let trusting = |host| at(host).ca_certificates(authority).unwrap();
    assert_eq!(answer(trusting("localhost")).await, "true");
    let told = answer(trusting("127.0.0.1")).await;
    assert!(
        told.contains("is not trusted: invalid peer certificate: certificate not valid for name"),
        "{told}"
    );
    let told = answer(at("localhost").tls(PostgresTls::Require)).await;
    assert!(told.contains("is not trusted: invalid peer certificate: UnknownIssuer"), "{told}");
    assert_eq!(answer(at("localhost")).await, "true", "prefer encrypts and verifies nothing");
    assert_eq!(answer(at("localhost").tls(PostgresTls::Disable)).await, "false");
}

/// Waits until no marked query runs any more.
async fn is_ended(database: &Database<'_>) {
    for _ in 0..3_000 {
        if database.run(RUNNING) == "0" {
            return;
        }
        // The task that cancels it needs its turn, and a busy server its time.
        tokio::task::yield_now().await;
        postgres::pause();
    }
    panic!("a query that nobody wants goes on");
}

/// Gives rows one by one: in FROM, all would be made before the first is given.
const ENDLESS: &str = "SELECT generate_series(1, 1000000000000) AS i, 'marked'";

/// How many marked queries of this database run.
const RUNNING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE '%''marked''%' AND state = 'active'
    AND pid <> pg_backend_pid()";

/// Does something to the backends of marked queries.
fn end_marked(function: &str) -> String {
    format!(
        "SELECT {function}(pid) FROM pg_stat_activity WHERE datname = current_database()
         AND query LIKE '%''marked''%' AND pid <> pg_backend_pid()"
    )
}
