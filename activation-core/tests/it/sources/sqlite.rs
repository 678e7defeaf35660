//! A query on a SQLite file.

use std::{fs, path::Path};

use activation_core::{ADVISED_BATCH, SegmentSource, sources::SqliteSource};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{failure, rows, scan, texts};

struct Warehouse(TempDir);

impl Warehouse {
    fn new(sql: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let warehouse = Self(directory);
        Connection::open(warehouse.file()).unwrap().execute_batch(sql).unwrap();
        warehouse
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.path().join("warehouse.db")
    }

    fn query(&self, query: &str) -> SqliteSource {
        SqliteSource::new(self.file(), query)
    }

    /// What is wrong with `query`, without the words before.
    async fn complaint(&self, query: &str) -> String {
        let told = failure(&self.query(query)).await;
        let place = format!("the query on {} ", self.file().display());
        told.strip_prefix(&place).unwrap_or_else(|| panic!("{told}")).to_owned()
    }
}

const PEOPLE: &str = "
    CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, phone INTEGER, vip, photo BLOB);
    INSERT INTO people VALUES
        (1, 'ann@example.com', 491700000001, 1, NULL),
        (2, 'Béa@example.com', -5, 1.5, NULL),
        (3, NULL, 0, 1, x'ff'),
        (4, '', 9223372036854775807, 1, NULL);";

#[tokio::test]
async fn text_and_whole_numbers_are_keys_and_null_is_an_empty_one() {
    let warehouse = Warehouse::new(PEOPLE);
    let emails = texts(&warehouse.query("SELECT email FROM people ORDER BY id")).await;
    assert_eq!(emails, ["ann@example.com", "Béa@example.com", "", ""]);
    let phones = texts(&warehouse.query("SELECT phone FROM people ORDER BY id;  -- all")).await;
    assert_eq!(phones, ["491700000001", "-5", "0", "9223372036854775807"]);
}

#[tokio::test]
async fn text_that_is_not_utf_8_comes_as_it_is() {
    let warehouse = Warehouse::new("");
    let keys = scan(&warehouse.query("SELECT CAST(x'61ff' AS TEXT)")).await.unwrap();
    assert_eq!(keys, [b"a\xff"]);
}

#[tokio::test]
async fn twenty_thousand_rows_come_in_batches_and_in_order() {
    let warehouse = Warehouse::new("");
    let source = warehouse.query(&numbers(20_000, "'m' || i || '@example.com'"));
    let keys = texts(&source).await;
    assert_eq!(keys.len(), 20_000);
    assert!(keys.iter().zip(1..).all(|(key, i)| *key == format!("m{i}@example.com")));

    let mut scan = source.open().await.unwrap();
    let mut sizes = Vec::new();
    while let Some(batch) = scan.next_batch().await.unwrap() {
        sizes.push(batch.len());
    }
    assert_eq!(sizes, [ADVISED_BATCH, ADVISED_BATCH, 20_000 - 2 * ADVISED_BATCH]);
}

/// A query that gives `expression` for i from 1 to `rows`.
fn numbers(rows: u64, expression: &str) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         SELECT {expression} AS key FROM n"
    )
}

#[tokio::test]
async fn an_empty_result_is_complete_and_empty() {
    let warehouse = Warehouse::new(PEOPLE);
    let keys = scan(&warehouse.query("SELECT email FROM people WHERE id > 99")).await.unwrap();
    assert!(keys.is_empty());
}

#[tokio::test]
async fn an_error_half_way_is_an_error_and_not_a_short_segment() {
    let warehouse = Warehouse::new("");
    let broken = numbers(20_000, "CASE WHEN i = 15000 THEN abs(-9223372036854775808) ELSE i END");
    let source = warehouse.query(&broken);
    let mut scan = source.open().await.unwrap();
    assert_eq!(scan.next_batch().await.unwrap().unwrap().len(), ADVISED_BATCH);
    let error = scan.next_batch().await.unwrap_err();
    assert!(!error.is_temporary());
    assert!(failure(&source).await.contains("integer overflow"));
}

#[tokio::test]
async fn a_real_number_or_a_blob_stops_the_scan() {
    let warehouse = Warehouse::new(PEOPLE);
    let told = warehouse.complaint("SELECT vip FROM people ORDER BY id").await;
    assert_eq!(
        told,
        r#"gives a real number in column "vip", row 2; cast it to text if it is an identifier"#
    );
    let told = warehouse.complaint("SELECT photo FROM people ORDER BY id").await;
    assert_eq!(
        told,
        r#"gives a blob in column "photo", row 3; cast it to text if it is an identifier"#
    );
}

#[tokio::test]
async fn several_columns_need_a_name() {
    let warehouse = Warehouse::new(PEOPLE);
    let two = "SELECT id, email FROM people WHERE id = 1";
    let told = warehouse.complaint(two).await;
    assert_eq!(told, r#"gives 2 columns; name the one with the identifiers: "id", "email""#);
    assert_eq!(texts(&warehouse.query(two).column("email")).await, ["ann@example.com"]);
    let told = failure(&warehouse.query(two).column("Email")).await;
    assert!(told.ends_with(r#"has no column "Email"; it has "id", "email""#), "{told}");
    let twice = warehouse.query("SELECT email, email FROM people").column("email");
    assert!(failure(&twice).await.ends_with(r#"has several columns "email""#));
}

#[tokio::test]
async fn statements_that_do_anything_but_read_are_refused() {
    let warehouse = Warehouse::new(PEOPLE);
    let before = fs::read(warehouse.file()).unwrap();
    for (query, why) in [
        ("DELETE FROM people RETURNING email", "writes; it must only read"),
        ("UPDATE people SET email = 'x'", "writes; it must only read"),
        ("DROP TABLE people", "writes; it must only read"),
        ("SELECT 1; DELETE FROM people", "has several statements; it must be one"),
        ("SELECT 1; SELECT 2", "has several statements; it must be one"),
        (
            "SELECT email FROM people WHERE id = ?",
            "has parameters, and there are no values for them",
        ),
        ("", "gives no rows: it must be one SELECT"),
        ("BEGIN", "gives no rows: it must be one SELECT"),
        ("ATTACH 'other.db' AS other", "gives no rows: it must be one SELECT"),
    ] {
        assert_eq!(warehouse.complaint(query).await, why, "{query}");
    }
    assert_eq!(fs::read(warehouse.file()).unwrap(), before);
}

#[tokio::test]
async fn an_invalid_query_tells_where_but_no_address() {
    let warehouse = Warehouse::new(PEOPLE);
    let told = warehouse.complaint("SELECT mail FROM people").await;
    assert_eq!(told, "is not valid at byte 7: no such column: mail");
    let quoted = r#"SELECT email FROM people WHERE email = "a@example.com""#;
    assert_eq!(warehouse.complaint(quoted).await, "is not valid at byte 39");
    let source = warehouse.query("SELECT 'a@example.com'");
    assert!(!format!("{source:?}").contains('@'));
}

#[tokio::test]
async fn a_misspelt_column_in_quotes_is_an_error_and_not_a_text() {
    let warehouse = Warehouse::new(PEOPLE);
    let told = warehouse.complaint(r#"SELECT "emial" FROM people"#).await;
    assert!(told.contains("no such column"), "{told}");
}

#[tokio::test]
async fn a_missing_file_is_an_error_and_is_not_created() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing.db");
    let told = failure(&SqliteSource::new(&path, "SELECT 1")).await;
    assert!(told.starts_with("cannot open ") && told.contains("missing.db"), "{told}");
    assert!(fs::read_dir(directory.path()).unwrap().next().is_none());
    for special in [":memory:", "", "file::memory:"] {
        assert!(!Path::new(special).exists());
        failure(&SqliteSource::new(special, "SELECT 1")).await;
    }
    let told = failure(&SqliteSource::new(directory.path(), "SELECT 1")).await;
    assert!(told.ends_with("not a file"), "{told}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.csv");
    fs::write(&path, "email\nann@example.com\n".repeat(100)).unwrap();
    let told = failure(&SqliteSource::new(&path, "SELECT 1 FROM sqlite_master")).await;
    assert!(told.contains("not a database"), "{told}");
}

#[test]
fn dropping_a_scan_stops_its_query() {
    let warehouse = Warehouse::new("");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // One that never gives a row, and one that gives rows for ever. The second makes sure that the
    // first has begun.
    for endless in ["max(i)", "i"] {
        let source = warehouse.query(&numbers(u64::MAX >> 1, endless));
        runtime.block_on(async { drop(source.open().await.unwrap()) });
    }
    // Waits for both threads, and would do so for ever.
    drop(runtime);
}

#[tokio::test]
async fn a_key_column_gives_each_row_its_warehouse_key() {
    let warehouse = Warehouse::new(PEOPLE);
    let expected = [("ann@example.com", "1"), ("Béa@example.com", "2"), ("", "3"), ("", "4")];
    let expected = expected.map(|(email, key)| (email.to_owned(), key.to_owned()));
    // The other one of two columns has the identifiers.
    let two = warehouse.query("SELECT id, email FROM people ORDER BY id").key_column("id");
    assert_eq!(rows(&two).await, expected);
    let three = warehouse.query("SELECT vip, id, email FROM people ORDER BY id");
    let three = three.column("email").key_column("id");
    assert_eq!(rows(&three).await, expected);
}

#[tokio::test]
async fn a_key_that_is_no_key_is_an_error_that_names_its_column() {
    let warehouse = Warehouse::new(PEOPLE);
    let real = warehouse.query("SELECT email, vip FROM people ORDER BY id").key_column("vip");
    let told = failure(&real).await;
    assert!(
        told.ends_with(
            r#"gives a real number in column "vip", row 2; cast it to text if it is an identifier"#
        ),
        "{told}"
    );
    let missing = warehouse.query("SELECT email FROM people").key_column("id");
    let told = failure(&missing).await;
    assert!(told.contains(r#"has no column "id"; it has "email""#), "{told}");
    let unnamed = warehouse.query("SELECT id, email, vip FROM people").key_column("id");
    let told = failure(&unnamed).await;
    assert!(told.contains("gives 3 columns; name the one with the identifiers"), "{told}");
}

#[tokio::test]
async fn the_time_of_the_data_is_text_or_seconds() {
    let warehouse = Warehouse::new(PEOPLE);
    let as_of = async |query: &str| {
        let source = warehouse.query("SELECT email FROM people").as_of(query);
        let mut scan = source.open().await.unwrap();
        while scan.next_batch().await.unwrap().is_some() {}
        scan.as_of().unwrap().to_rfc3339()
    };
    assert_eq!(as_of("SELECT '2027-03-01T07:00:00+01:00'").await, "2027-03-01T06:00:00+00:00");
    assert_eq!(as_of("SELECT 1803880800").await, "2027-03-01T06:00:00+00:00");
    let silent = warehouse.query("SELECT email FROM people").open().await.unwrap();
    assert_eq!(silent.as_of(), None);
}

#[tokio::test]
async fn what_is_no_time_stops_the_scan() {
    let warehouse = Warehouse::new(PEOPLE);
    let place = format!("the query for the time of {} ", warehouse.file().display());
    for (query, problem) in [
        ("SELECT 'yesterday'", "gives no time"),
        ("SELECT NULL", "gives no time"),
        ("SELECT 1.5", "gives no time"),
        ("SELECT id FROM people WHERE id = 99", "gives no time"),
        ("SELECT max(at) FROM loads", "failed"),
    ] {
        let told = failure(&warehouse.query("SELECT email FROM people").as_of(query)).await;
        let problem = format!("{place}{problem}");
        assert!(told.starts_with(&problem), "{query}: {told}");
    }
}

#[tokio::test]
async fn rows_and_their_time_are_of_the_same_state_of_the_file() {
    let warehouse = Warehouse::new(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE people (email TEXT);
         CREATE TABLE loads (at INTEGER);
         INSERT INTO people VALUES ('ann@example.com');
         INSERT INTO loads VALUES (1);",
    );
    let source = warehouse.query("SELECT email FROM people").as_of("SELECT max(at) FROM loads");
    let mut scan = source.open().await.unwrap();
    Connection::open(warehouse.file())
        .unwrap()
        .execute_batch(
            "INSERT INTO people VALUES ('bob@example.com'); INSERT INTO loads VALUES (2);",
        )
        .unwrap();
    let mut rows = 0;
    while let Some(batch) = scan.next_batch().await.unwrap() {
        rows += batch.len();
    }
    assert_eq!((rows, scan.as_of().unwrap().timestamp()), (1, 1));
}
