//! Whatever goes wrong in a warehouse is told with what to do about it, and the list stays as it is.

use activation_core::{Activation, RunStatus, SegmentSource};
use dotdigital_client::simulator::{JobLatency, SimulatorSettings};

use crate::world::{World, people};

/// A source that cannot give all of its segment, and what is said of it.
struct Failure {
    what: &'static str,
    source: Box<dyn SegmentSource>,
    says: &'static [&'static str],
    /// Whether a later run may succeed without anybody doing something.
    passes: bool,
}

impl Failure {
    fn new(
        what: &'static str,
        source: impl SegmentSource + 'static,
        says: &'static [&'static str],
    ) -> Self {
        Self { what, source: Box::new(source), says, passes: false }
    }

    #[cfg(any(feature = "postgres", feature = "adbc"))]
    fn passing(self) -> Self {
        Self { passes: true, ..self }
    }
}

/// Fills a list, and then runs into each failure.
async fn leave_the_list_alone(failures: Vec<Failure>) {
    // A server's time cannot be paused, so nothing is to be waited for.
    let settings = SimulatorSettings { latency: JobLatency::NONE, ..SimulatorSettings::default() };
    let (world, vip) = (World::with(settings), Activation::new("vip"));
    world.segment(people(5));
    assert_eq!(world.run(&vip).await.added, 5);
    let (on_list, state) = (world.on_list("vip"), world.store.load(&vip.key()).await.unwrap());
    let calls = world.simulator.ledger().len();
    for Failure { what, source, says, passes } in failures {
        let report = world.engine().run(&vip, &*source, &world.destination()).await;
        let error = report.error.as_ref().unwrap_or_else(|| panic!("{what}: {report}"));
        for expected in says {
            assert!(error.message.contains(expected), "{what}: {}", error.message);
        }
        assert!(!error.message.contains('@') && !error.message.contains("secret"), "{what}");
        assert_eq!(error.temporary, passes, "{what}: {}", error.message);
        let status = if passes { RunStatus::Busy } else { RunStatus::Failed };
        assert_eq!((report.status, report.added, report.removed), (status, 0, 0), "{what}");
        assert_eq!(world.store.load(&vip.key()).await.unwrap().head, state.head, "{what}");
    }
    assert_eq!(world.on_list("vip"), on_list);
    let after = world.simulator.ledger();
    assert!(after[calls..].iter().all(|call| call.method == dotdigital_client::Method::Get));
}

#[cfg(feature = "csv")]
#[tokio::test]
async fn of_a_csv_file() {
    use activation_core::sources::CsvSource;

    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let whole = file("whole.csv", "email\nann@example.com\n");
    let cut = file("cut.csv", "email\nann@example.com\n\"bo@exam");
    let torn = file("torn.csv", "id,email\n1,ann@example.com\n2");
    leave_the_list_alone(vec![
        Failure::new("a missing file", CsvSource::new("/nowhere/vip.csv", "email"), &["vip.csv"]),
        Failure::new(
            "a missing column",
            CsvSource::new(&whole, "mail"),
            &["no column \"mail\"", "\"email\""],
        ),
        Failure::new("a file cut inside quotes", CsvSource::new(&cut, "email"), &["quotes"]),
        Failure::new("a file cut inside a row", CsvSource::new(&torn, "email"), &["line 3"]),
    ])
    .await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn of_a_sqlite_file() {
    use activation_core::sources::SqliteSource;

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("warehouse.db");
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute_batch(
            "CREATE TABLE people (id INTEGER, email TEXT, score REAL);
             INSERT INTO people VALUES (1, 'ann@example.com', 0.5), (2, 'bo@example.com', 1.5)",
        )
        .unwrap();
    let query = |sql: &str| SqliteSource::new(&file, sql);
    let half_way = "SELECT iif(id = 2, abs(-9223372036854775808), email) FROM people";
    leave_the_list_alone(vec![
        Failure::new(
            "a missing file",
            SqliteSource::new("/nowhere/warehouse.db", "SELECT 1"),
            &["warehouse.db"],
        ),
        Failure::new(
            "a missing table",
            query("SELECT email FROM peple"),
            &["no such table: peple"],
        ),
        Failure::new("a wrong type", query("SELECT score FROM people"), &["score", "cast"]),
        Failure::new("a query that fails half-way", query(half_way), &["integer overflow"]),
        Failure::new(
            "no place for tables",
            query("SELECT email FROM people").push_down("/nowhere/tables.db"),
            &["/nowhere/tables.db"],
        ),
    ])
    .await;
}

#[cfg(all(feature = "postgres", feature = "test-util", unix))]
mod of_postgresql {
    use activation_core::{PostgresServer, PostgresTls, sources::PostgresSource};

    use super::*;
    use crate::postgres::{self, Database};

    const PEOPLE: &str = "
        CREATE TABLE people (id int, email text, score numeric);
        INSERT INTO people VALUES (1, 'ann@example.com', 0.5), (2, 'bo@example.com', 1.5);
        CREATE TABLE private (email text);
        CREATE SCHEMA tables;
        CREATE USER reader PASSWORD 'secret'; GRANT SELECT ON people TO reader;";
    const HALF_WAY: &str = "SELECT CAST(1 / (2 - id) AS text) FROM people";

    fn database() -> Option<Database<'static>> {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        // Users are the server's, and not the database's.
        let user = format!("reader{}", NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        Some(postgres::server()?.database(&PEOPLE.replace("reader", &user)))
    }

    fn user(database: &Database<'_>) -> String {
        database.run("SELECT grantee FROM information_schema.table_privileges WHERE table_name = 'people' AND grantee LIKE 'reader%'")
    }

    #[tokio::test]
    async fn by_its_own_driver() {
        let Some(database) = database() else { return };
        let user = user(&database);
        let at = |password: &str| {
            let server = database.at("127.0.0.1", &user, password);
            server.tls(PostgresTls::Disable)
        };
        let query = |sql: &str| PostgresSource::new(at("secret"), sql);
        let nobody = PostgresServer::new("127.0.0.1", "warehouse", "reader").port(1);
        leave_the_list_alone(vec![
            Failure::new(
                "a wrong password",
                PostgresSource::new(at("wrong"), "SELECT email FROM people"),
                &["the password of user", "is wrong"],
            ),
            Failure::new(
                "a missing table",
                query("SELECT email FROM peple"),
                &["\"peple\" does not exist"],
            ),
            Failure::new(
                "a missing privilege",
                query("SELECT email FROM private"),
                &["permission denied for table private", "GRANT"],
            ),
            Failure::new(
                "a wrong type",
                query("SELECT score FROM people"),
                &["score", "numeric", "cast"],
            ),
            Failure::new("a query that fails half-way", query(HALF_WAY), &["division by zero"]),
            Failure::new(
                "a schema in which no tables may be made",
                query("SELECT email FROM people").push_down("tables"),
                &["permission denied for schema tables", "GRANT"],
            ),
            Failure::new(
                "a server that is not there",
                PostgresSource::new(nobody, "SELECT 1"),
                &["cannot be reached"],
            )
            .passing(),
        ])
        .await;
    }

    #[cfg(feature = "adbc")]
    #[tokio::test]
    async fn over_adbc() {
        use activation_core::{
            Dialect,
            sources::{AdbcDatabase, AdbcSource},
        };

        let Some(database) = database() else { return };
        let Some(drivers) = crate::adbc::drivers() else { return };
        let driver = drivers.join("postgresql.so").to_str().unwrap().to_owned();
        let user = user(&database);
        let at = |url: &str| AdbcDatabase::driver(&driver).option("uri", url);
        let url = database.url(&user, "secret");
        let query = |sql: &str| AdbcSource::new(at(&url), sql);
        leave_the_list_alone(vec![
            Failure::new(
                "a wrong password",
                AdbcSource::new(at(&url.replace("secret", "wrong")), "SELECT email FROM people"),
                &["connecting to the ADBC driver", "the user or the password is wrong"],
            ),
            Failure::new(
                "a missing table",
                query("SELECT email FROM peple"),
                &["peple", "does not exist"],
            ),
            Failure::new(
                "a missing privilege",
                query("SELECT email FROM private"),
                &["permission denied for table private"],
            ),
            Failure::new(
                "a wrong type",
                query("SELECT CAST(score AS float8) FROM people"),
                &["score", "cast"],
            ),
            // Drivers do not tell whether it would succeed later.
            Failure::new("a query that fails half-way", query(HALF_WAY), &["division by zero"])
                .passing(),
            Failure::new(
                "a schema in which no tables may be made",
                query("SELECT email FROM people")
                    .column("email")
                    .push_down(Dialect::postgresql(), ["tables"]),
                &["is not allowed", "GRANT what is missing"],
            ),
            Failure::new(
                "a server that is not there",
                AdbcSource::new(at("postgresql://reader:secret@127.0.0.1:1/warehouse"), "SELECT 1"),
                &["connecting to the ADBC driver"],
            )
            .passing(),
        ])
        .await;
    }
}
