//! A query on warehouses with ADBC drivers.

use std::{fs, path::Path};

use activation_core::{
    SegmentSource,
    sources::{AdbcDatabase, AdbcSource},
};
use tempfile::TempDir;

use super::{failure, rows, scan, texts};
use crate::adbc::{Warehouse, drivers};

/// DuckDB and SQLite with the same people in them.
struct Case {
    directory: TempDir,
    drivers: &'static Path,
}

impl Case {
    fn new() -> Option<Self> {
        Some(Self { drivers: drivers()?, directory: TempDir::new().unwrap() })
    }

    fn duckdb(&self) -> Warehouse {
        Warehouse::duckdb(self.drivers, &self.directory.path().join("warehouse.duckdb"))
    }

    fn sqlite(&self) -> Warehouse {
        Warehouse::sqlite(self.drivers, &self.directory.path().join("warehouse.db"))
    }

    /// Each of them, filled by these statements.
    fn each<const N: usize>(&self, statements: [&str; N]) -> [Warehouse; 2] {
        let both = [self.duckdb(), self.sqlite()];
        both.iter().for_each(|warehouse| warehouse.run(statements));
        both
    }

    fn profile(&self, name: &str, text: &str) -> AdbcDatabase {
        let file = self.directory.path().join(name).with_extension("toml");
        fs::write(&file, text).unwrap();
        AdbcDatabase::profile(file.to_str().unwrap())
    }
}

const PEOPLE: [&str; 2] = [
    "CREATE TABLE people (id BIGINT, email VARCHAR, score DOUBLE)",
    "INSERT INTO people VALUES (1, 'ann@example.com', 0.5), (2, NULL, 1.5), (NULL, 'cy@example.com', 2)",
];

#[tokio::test]
async fn identifiers_and_keys_come_from_the_columns_named() {
    let Some(case) = Case::new() else { return };
    for warehouse in case.each(PEOPLE) {
        let source = AdbcSource::new(warehouse.database(), "SELECT * FROM people ORDER BY score")
            .column("email")
            .key_column("id");
        let expected = [("ann@example.com", "1"), ("", "2"), ("cy@example.com", "")];
        assert_eq!(rows(&source).await, expected.map(|(who, key)| (who.into(), key.into())));
        let ids = AdbcSource::new(warehouse.database(), "SELECT id FROM people ORDER BY score");
        assert_eq!(texts(&ids).await, ["1", "2", ""]);
    }
}

#[tokio::test]
async fn a_wrong_type_is_refused_by_its_column() {
    let Some(case) = Case::new() else { return };
    for warehouse in case.each(PEOPLE) {
        let source = AdbcSource::new(warehouse.database(), "SELECT score FROM people");
        // Before a row is read.
        let Err(error) = source.open().await else { panic!("opened") };
        let told = error.to_string();
        let expected = "gives Float64 in column \"score\"; cast it to text if it is an identifier";
        assert!(told.ends_with(expected), "{told}");
        assert!(!error.is_temporary());
    }
}

#[tokio::test]
async fn a_wrong_query_is_told_without_what_it_compares_with() {
    let Some(case) = Case::new() else { return };
    for warehouse in case.each(PEOPLE) {
        let query = |sql: &str| AdbcSource::new(warehouse.database(), sql);
        let told = failure(&query("SELECT email FROM peple")).await;
        assert!(told.contains("failed: ") && told.contains("peple"), "{told}");
        let told =
            failure(&query("SELECT emial FROM people WHERE email = 'ann@example.com'")).await;
        assert!(told.starts_with("the query on the ADBC driver"), "{told}");
        assert!(told.contains("emial") && !told.contains("ann"), "{told}");
        // What drivers would run in part, or as if it were a query.
        let told = failure(&query("SELECT email FROM people; SELECT email FROM people")).await;
        assert!(told.ends_with("has several statements; it must be one"), "{told}");
        let told = failure(&query("DELETE FROM people RETURNING email")).await;
        assert!(told.ends_with("writes; it must only read"), "{told}");
        let told = failure(&query("SELECT id, email, score FROM people")).await;
        assert!(told.contains("gives 3 columns; name the one with the identifiers"), "{told}");
        let told = failure(&query("SELECT email FROM people").column("mail")).await;
        assert!(told.contains("has no column \"mail\"; it has \"email\""), "{told}");
    }
}

#[tokio::test]
async fn data_in_an_error_of_the_warehouse_are_not_told() {
    let Some(case) = Case::new() else { return };
    let warehouse = case.duckdb();
    warehouse
        .run(["CREATE TABLE people (name VARCHAR)", "INSERT INTO people VALUES ('Ann Smith')"]);
    let source = AdbcSource::new(warehouse.database(), "SELECT name::BIGINT FROM people");
    let told = failure(&source).await;
    assert!(told.contains("Could not convert string '…'"), "{told}");
    assert!(!told.contains("Smith"), "{told}");
}

#[tokio::test]
async fn the_time_of_the_data_is_a_timestamp_text_or_seconds() {
    let Some(case) = Case::new() else { return };
    let [duckdb, sqlite] = case.each(PEOPLE);
    let as_of = async |warehouse: &Warehouse, query: &str| {
        let source = AdbcSource::new(warehouse.database(), "SELECT email FROM people");
        let mut scan = source.as_of(query).open().await.unwrap();
        while scan.next_batch().await.unwrap().is_some() {}
        scan.as_of().unwrap().to_rfc3339()
    };
    for warehouse in [&duckdb, &sqlite] {
        for query in ["SELECT '2027-03-01T07:00:00+01:00'", "SELECT 1803880800"] {
            assert_eq!(as_of(warehouse, query).await, "2027-03-01T06:00:00+00:00", "{query}");
        }
    }
    let query = "SELECT TIMESTAMPTZ '2027-03-01 07:00:00+01'";
    assert_eq!(as_of(&duckdb, query).await, "2027-03-01T06:00:00+00:00");
    for (query, problem) in [
        ("SELECT TIMESTAMP '2027-03-01 07:00:00'", "gives a time without a time zone"),
        ("SELECT '1803880800'", "gives no time"),
        ("SELECT 'yesterday'", "gives no time"),
        ("SELECT NULL", "gives no time"),
        ("SELECT 1.5", "gives no time"),
        ("SELECT id FROM people WHERE id = 99", "gives no time"),
        ("SELECT max(loaded) FROM loads", "failed"),
    ] {
        let source = AdbcSource::new(duckdb.database(), "SELECT email FROM people").as_of(query);
        let told = failure(&source).await;
        assert!(told.starts_with("the query for the time of the ADBC driver"), "{told}");
        assert!(told.contains(problem), "{query}: {told}");
    }
}

#[tokio::test]
async fn rows_and_their_time_are_of_the_same_state_where_transactions_show_one() {
    let Some(case) = Case::new() else { return };
    let warehouse = case.sqlite();
    warehouse.run([
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE people (email TEXT)",
        "CREATE TABLE loads (at INTEGER)",
        // More than is read ahead, so that the scan is under way while others write.
        "INSERT INTO people WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 60000)
         SELECT 'person' || i || '@example.com' FROM n",
        "INSERT INTO loads VALUES (1)",
    ]);
    let source = AdbcSource::new(warehouse.database(), "SELECT email FROM people")
        .as_of("SELECT max(at) FROM loads");
    let mut scan = source.open().await.unwrap();
    warehouse.run(["INSERT INTO people VALUES ('bo@example.com')", "INSERT INTO loads VALUES (2)"]);
    let mut rows = 0;
    while let Some(batch) = scan.next_batch().await.unwrap() {
        rows += batch.len();
    }
    assert_eq!((rows, scan.as_of().unwrap().timestamp()), (60_000, 1));
}

#[tokio::test]
async fn a_scan_that_is_dropped_lets_its_thread_end() {
    let Some(case) = Case::new() else { return };
    // Without an end. What shows that the thread ends is that the runtime can: it waits for it.
    let forever = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT 'person' || i || '@example.com' FROM n";
    let source = AdbcSource::new(case.sqlite().database(), forever);
    let mut scan = source.open().await.unwrap();
    assert!(scan.next_batch().await.unwrap().is_some());
    drop(scan);
}

#[tokio::test]
async fn a_driver_that_is_not_there_is_named() {
    let query = "SELECT email FROM people";
    let told = failure(&AdbcSource::new(AdbcDatabase::driver("nosuch"), query)).await;
    assert!(told.starts_with(r#"the ADBC driver "nosuch" cannot be loaded: Driver not"#), "{told}");
    let uri = AdbcDatabase::uri("nosuch://ann:s3cret-word@warehouse.example/db");
    let told = failure(&AdbcSource::new(uri, query)).await;
    assert!(
        told.contains(r#"the ADBC driver "nosuch" of the URI of nosuch cannot be loaded"#),
        "{told}"
    );
    assert!(told.contains("ADBC_DRIVER_PATH") && !told.contains("s3cret"), "{told}");
    let told = failure(&AdbcSource::new(AdbcDatabase::uri("ann:s3cret"), query)).await;
    assert!(!told.contains("s3cret"), "{told}");
    // As a file would be found that depends on where the process was started.
    let told = failure(&AdbcSource::new(AdbcDatabase::driver("./duckdb.so"), query)).await;
    assert!(told.contains("Relative paths are not allowed"), "{told}");
    let told = failure(&AdbcSource::new(AdbcDatabase::uri("/no/uri"), query)).await;
    assert!(told.contains("names no ADBC driver"), "{told}");
}

#[tokio::test]
async fn a_profile_that_is_not_there_is_named() {
    let source = AdbcSource::new(AdbcDatabase::uri("profile://nosuch"), "SELECT 1");
    let told = failure(&source).await;
    assert!(told.starts_with(r#"the ADBC profile "nosuch" is not there: put NAME.toml"#), "{told}");
}

#[tokio::test]
async fn a_profile_takes_values_from_the_environment() {
    let Some(case) = Case::new() else { return };
    let warehouse = case.sqlite();
    warehouse.run(PEOPLE);
    // A variable that cargo sets for every test.
    let profile = case.profile(
        "warehouse",
        &format!(
            "profile_version = 1\ndriver = \"{}\"\n[Options]\n\
             uri = \"{}/{{{{ env_var(CARGO_PKG_NAME) }}}}.db\"\n",
            warehouse.driver().display(),
            case.directory.path().display()
        ),
    );
    let named = case.directory.path().join("activation-core.db");
    fs::rename(case.directory.path().join("warehouse.db"), named).unwrap();
    let source = AdbcSource::new(profile, "SELECT email FROM people WHERE id = 1");
    assert_eq!(texts(&source).await, ["ann@example.com"]);
}

#[tokio::test]
async fn a_variable_that_a_profile_wants_and_that_is_not_set_is_named() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("warehouse.toml");
    let profile = "profile_version = 1\ndriver = \"postgresql\"\n[Options]\n\
        password = \"{{ env_var(NO_SUCH_VARIABLE_OF_TESTS) }}\"\n";
    fs::write(&file, profile).unwrap();
    let database = AdbcDatabase::profile(file.to_str().unwrap());
    let told = failure(&AdbcSource::new(database, "SELECT 1")).await;
    let expected =
        "takes a value from environment variable NO_SUCH_VARIABLE_OF_TESTS, which is not set";
    assert!(told.ends_with(expected), "{told}");
    // What stands in a profile that cannot be read is not shown.
    fs::write(&file, "profile_version = 1\npassword = s3cret-word\n").unwrap();
    let database = AdbcDatabase::profile(file.to_str().unwrap());
    let told = failure(&AdbcSource::new(database, "SELECT 1")).await;
    assert!(told.contains("cannot be used") && !told.contains("s3cret"), "{told}");
}

#[test]
fn nothing_confidential_is_in_what_debug_shows() {
    let database = AdbcDatabase::uri("postgresql://ann:s3cret-word@warehouse.example/db")
        .option("adbc.password", "s3cret-word");
    let source = AdbcSource::new(database, "SELECT 'ann@example.com'").as_of("SELECT 's3cret'");
    let told = format!("{source:?}");
    assert!(told.contains("postgresql") && told.contains("adbc.password"), "{told}");
    assert!(!told.contains("s3cret") && !told.contains('@'), "{told}");
}

#[cfg(all(feature = "postgres", feature = "test-util", unix))]
#[tokio::test]
async fn a_connection_that_is_cut_amid_the_rows_is_an_error_and_no_end() {
    let Some(drivers) = drivers() else { return };
    let Some(server) = crate::postgres::server() else { return };
    let database = server.database("");
    let warehouse = Warehouse::postgres(drivers, &database);
    // More than fits into buffers on the way.
    let people =
        "SELECT 'person' || i || '@example.com' AS email FROM generate_series(1, 3000000) i";
    let source = AdbcSource::new(warehouse.database(), people);
    let mut scan = source.open().await.unwrap();
    assert!(scan.next_batch().await.unwrap().is_some());
    let ended = database.run(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    assert_eq!(ended, "1");
    let mut came = 0;
    let error = loop {
        match scan.next_batch().await {
            Ok(Some(batch)) => came += batch.len(),
            Ok(None) => panic!("the scan ended after {came} rows as if complete"),
            Err(error) => break error,
        }
    };
    assert!(error.is_temporary());
    let told = error.to_string();
    assert!(told.contains("broke off before its end"), "{told}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_temporary_failure_without_its_uri() {
    let Some(drivers) = drivers() else { return };
    let driver = drivers.join("postgresql.so");
    let database = AdbcDatabase::driver(driver.to_str().unwrap())
        .option("uri", "postgresql://ann:s3cret-word@127.0.0.1:1/segments");
    let error = scan(&AdbcSource::new(database, "SELECT 1")).await.unwrap_err();
    let told = error.to_string();
    assert!(error.is_temporary(), "{told}");
    assert!(told.starts_with("connecting to the ADBC driver"), "{told}");
    for hidden in ["s3cret", "ann:", "segments"] {
        assert!(!told.contains(hidden), "{told}");
    }
}
