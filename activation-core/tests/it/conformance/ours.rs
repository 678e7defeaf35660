//! What this crate brings along keeps every clause.

use std::sync::Arc;

use activation_core::{
    ExcludedSegments, MemoryStore, SystemClock,
    conformance::{self, Trouble},
    sources::MemorySource,
};
use dotdigital_client::simulator::{Fault, FaultRule, JobLatency, SimulatorSettings};

use crate::world::{EngineClock, World, key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_store() {
    conformance::state_store(async || MemoryStore::new(key())).await.unwrap();
}

#[cfg(feature = "directory")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_store() {
    use activation_core::DirectoryStore;

    let root = tempfile::tempdir().unwrap();
    let open = |name: String| DirectoryStore::open(root.path().join(name)).unwrap();
    let made = std::cell::Cell::new(0);
    let make = async || open(made.replace(made.get() + 1).to_string());
    conformance::state_store(make).await.unwrap();
    conformance::durable_state_store(async |n| open(format!("durable{n}"))).await.unwrap();
}

#[cfg(all(feature = "postgres", unix))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_postgres_store() {
    use activation_core::{HostKey, PostgresStateStore};

    let Some(server) = crate::postgres::server() else { return };
    let database = server.database("");
    let open = async |schema: String| {
        let key = HostKey::new([7; 16]);
        PostgresStateStore::open(database.by_socket(), &schema, key).await.unwrap()
    };
    let made = std::cell::Cell::new(0);
    let make = async || open(format!("number {}", made.replace(made.get() + 1))).await;
    conformance::state_store(make).await.unwrap();
    conformance::durable_state_store(async |n| open(format!("durable {n}")).await).await.unwrap();
}

#[tokio::test]
async fn the_memory_source() {
    let source = MemorySource::new([""; 0]);
    conformance::segment_source(&source, async |rows| source.set(rows)).await.unwrap();
}

#[cfg(feature = "csv")]
#[tokio::test]
async fn the_csv_source() {
    use activation_core::sources::CsvSource;

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("people.csv");
    let quoted = |row: String| format!("\"{}\"\n", row.replace('"', "\"\""));
    let set = async |rows: Vec<String>| {
        let table: String = rows.into_iter().map(quoted).collect();
        let new = directory.path().join("new.csv");
        std::fs::write(&new, format!("email\n{table}")).unwrap();
        std::fs::rename(&new, &file).unwrap();
    };
    let source = CsvSource::new(&file, "email");
    conformance::segment_source(&source, set).await.unwrap();

    let many: String = (0..20_000).map(|n| format!("person{n}@example.com\n")).collect();
    std::fs::write(&file, format!("email\n{many}\"cut@exa")).unwrap();
    conformance::broken_segment_source(&source).await.unwrap();
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_sqlite_source() {
    use activation_core::sources::SqliteSource;

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("warehouse.db");
    let open = || rusqlite::Connection::open(&file).unwrap();
    // So that writers need not wait for the reader of a scan.
    open().pragma_update(None, "journal_mode", "wal").unwrap();
    open().execute_batch("CREATE TABLE people (email TEXT)").unwrap();
    let set = async |rows: Vec<String>| {
        let mut connection = open();
        let change = connection.transaction().unwrap();
        change.execute("DELETE FROM people", []).unwrap();
        for row in rows {
            let email = Some(row).filter(|row| !row.is_empty());
            change.execute("INSERT INTO people VALUES (?1)", [email]).unwrap();
        }
        change.commit().unwrap();
    };
    let source = SqliteSource::new(&file, "SELECT email FROM people");
    conformance::segment_source(&source, set).await.unwrap();

    set((0..20_000).map(|n| format!("person{n}@example.com")).collect()).await;
    // At the last row, abs() overflows.
    let query = "SELECT iif(rowid % 20000 = 0, abs(-9223372036854775808), email) FROM people";
    conformance::broken_segment_source(&SqliteSource::new(&file, query)).await.unwrap();
}

#[cfg(all(feature = "adbc", unix))]
#[tokio::test]
async fn the_adbc_source_on_sqlite() {
    use activation_core::sources::AdbcSource;

    use crate::adbc::{Warehouse, drivers};

    let Some(drivers) = drivers() else { return };
    let directory = tempfile::tempdir().unwrap();
    let warehouse = Warehouse::sqlite(drivers, &directory.path().join("warehouse.db"));
    // So that writers need not wait for the reader of a scan.
    warehouse.run(["PRAGMA journal_mode = WAL", "CREATE TABLE people (email TEXT)"]);
    // Whoever closes a file last locks it for a moment, and this driver waits for no lock.
    let _never_closed = warehouse.open("SELECT COUNT(*) FROM people");
    let source = AdbcSource::new(warehouse.database(), "SELECT email FROM people");
    conformance::segment_source(&source, async |rows| warehouse.set_people(rows)).await.unwrap();

    warehouse.set_people((0..20_000).map(|n| format!("person{n}@example.com")).collect());
    // At the last row, abs() overflows.
    let query = "SELECT iif(rowid % 20000 = 0, abs(-9223372036854775808), email) FROM people";
    let broken = AdbcSource::new(warehouse.database(), query);
    conformance::broken_segment_source(&broken).await.unwrap();
}

/// DuckDB as it is used without a server: on files that somebody else replaces.
#[cfg(all(feature = "adbc", unix))]
#[tokio::test]
async fn the_adbc_source_on_duckdb() {
    use activation_core::sources::AdbcSource;

    use crate::adbc::{Warehouse, drivers};

    let Some(drivers) = drivers() else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("people.csv");
    let quoted = |row: String| format!("\"{}\"\n", row.replace('"', "\"\""));
    let set = async |rows: Vec<String>| {
        let table: String = rows.into_iter().map(quoted).collect();
        let new = directory.path().join("new.csv");
        std::fs::write(&new, table).unwrap();
        std::fs::rename(&new, &file).unwrap();
    };
    let people = format!(
        "read_csv('{}', columns = {{email: 'VARCHAR'}}, header = false, auto_detect = false)",
        file.display()
    );
    let warehouse = Warehouse::duckdb(drivers, std::path::Path::new(":memory:"));
    let query = format!("SELECT email FROM {people}");
    let source = AdbcSource::new(warehouse.database(), query);
    conformance::segment_source(&source, set).await.unwrap();

    set((0..20_000).map(|n| format!("person{n}@example.com")).collect()).await;
    let query = format!("SELECT if(email LIKE '%19999%', error('row'), email) FROM {people}");
    let broken = AdbcSource::new(warehouse.database(), query);
    conformance::broken_segment_source(&broken).await.unwrap();
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_warehouse_of_the_sqlite_source() {
    use activation_core::{SegmentSource as _, sources::SqliteSource};

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("warehouse.db");
    let open = || rusqlite::Connection::open(&file).unwrap();
    open().execute_batch("CREATE TABLE people (email TEXT COLLATE NOCASE)").unwrap();
    let set = async |rows: Vec<String>| {
        let mut connection = open();
        let change = connection.transaction().unwrap();
        change.execute("DELETE FROM people", []).unwrap();
        for row in rows {
            let email = Some(row).filter(|row| !row.is_empty());
            change.execute("INSERT INTO people VALUES (?1)", [email]).unwrap();
        }
        change.commit().unwrap();
    };
    let source = SqliteSource::new(&file, "SELECT email FROM people")
        .push_down(directory.path().join("tables.db"));
    conformance::warehouse(&*source.warehouse().unwrap(), set).await.unwrap();
}

#[cfg(all(feature = "postgres", unix))]
#[tokio::test]
async fn the_warehouse_of_the_postgres_source() {
    use activation_core::{SegmentSource as _, sources::PostgresSource};

    let Some(server) = crate::postgres::server() else { return };
    let database = server.database("CREATE TABLE people (email text); CREATE SCHEMA tables");
    let source = PostgresSource::new(database.by_socket(), "SELECT email FROM people");
    let warehouse = source.push_down("tables").warehouse().unwrap();
    let set = async |rows| {
        _ = database.run(&format!("BEGIN; DELETE FROM people; {}; COMMIT", inserted(rows)))
    };
    conformance::warehouse(&*warehouse, set).await.unwrap();
}

#[cfg(all(feature = "adbc", feature = "postgres", unix))]
#[tokio::test]
async fn the_warehouse_of_the_adbc_source_on_postgresql() {
    use activation_core::{Dialect, SegmentSource as _, sources::AdbcSource};

    let Some(server) = crate::postgres::server() else { return };
    let Some(drivers) = crate::adbc::drivers() else { return };
    let database = server.database("CREATE TABLE people (email text); CREATE SCHEMA tables");
    let adbc = crate::adbc::Warehouse::postgres(drivers, &database);
    let source = AdbcSource::new(adbc.database(), "SELECT email FROM people").column("email");
    let warehouse = source.push_down(Dialect::postgresql(), ["tables"]).warehouse().unwrap();
    let set = async |rows| {
        _ = database.run(&format!("BEGIN; DELETE FROM people; {}; COMMIT", inserted(rows)))
    };
    conformance::warehouse(&*warehouse, set).await.unwrap();
}

/// A statement that puts these rows into `people`; one that does nothing where there are none.
#[cfg(any(feature = "adbc", feature = "postgres"))]
fn inserted(rows: Vec<String>) -> String {
    inserted_into("people", rows.into_iter().map(|row| row.replace('\'', "''")))
}

/// The same where a backslash in a text means something.
#[cfg(feature = "adbc")]
fn inserted_escaped(table: &str, rows: Vec<String>) -> String {
    let escaped = |row: String| row.replace('\\', "\\\\").replace('\'', "\\'");
    inserted_into(table, rows.into_iter().map(escaped))
}

#[cfg(any(feature = "adbc", feature = "postgres"))]
fn inserted_into(table: &str, rows: impl Iterator<Item = String>) -> String {
    let literal = |row: String| match row.is_empty() {
        true => "(NULL)".to_owned(),
        false => format!("('{row}')"),
    };
    let rows: Vec<String> = rows.map(literal).collect();
    match rows.is_empty() {
        true => "SELECT 1".to_owned(),
        false => format!("INSERT INTO {table} VALUES {}", rows.join(", ")),
    }
}

#[cfg(all(feature = "adbc", unix))]
#[tokio::test]
async fn the_warehouse_of_the_adbc_source_on_duckdb() {
    use activation_core::{Dialect, SegmentSource as _, sources::AdbcSource};

    use crate::adbc::{Warehouse, drivers};

    let Some(drivers) = drivers() else { return };
    let directory = tempfile::tempdir().unwrap();
    let adbc = Warehouse::duckdb(drivers, &directory.path().join("warehouse.db"));
    adbc.run(["CREATE TABLE people (email VARCHAR)"]);
    let source = AdbcSource::new(adbc.database(), "SELECT email FROM main.people").column("email");
    let warehouse = source.push_down(Dialect::duckdb(), ["warehouse", "main"]).warehouse().unwrap();
    let set = async |rows| adbc.run(["DELETE FROM people", &inserted(rows)]);
    conformance::warehouse(&*warehouse, set).await.unwrap();
}

#[cfg(all(feature = "adbc", unix))]
#[tokio::test]
async fn the_warehouse_of_the_adbc_source_on_sail() {
    use activation_core::{Dialect, SegmentSource as _, sources::AdbcSource};

    let Some(sail) = crate::engines::sail() else { return };
    sail.run(["CREATE DATABASE conformance"]);
    let source =
        AdbcSource::new(sail.database(), "SELECT email FROM conformance.people").column("email");
    let warehouse = source.push_down(Dialect::spark(), ["conformance"]).warehouse().unwrap();
    // Rows of Parquet files cannot be deleted.
    let set = async |rows| {
        let create = "CREATE TABLE conformance.people (email STRING) USING PARQUET";
        let insert = inserted_escaped("conformance.people", rows);
        sail.run(["DROP TABLE IF EXISTS conformance.people", create, &insert]);
    };
    conformance::warehouse(&*warehouse, set).await.unwrap();
}

#[cfg(all(feature = "adbc", unix))]
#[tokio::test]
async fn a_warehouse_on_mariadb() {
    let Some(engine) = crate::engines::mariadb("conformance") else { return };
    let create = "(email VARCHAR(300)) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci";
    engine.run(&format!("CREATE TABLE conformance.members {create}"));
    let set = async |rows| {
        engine.run("DELETE FROM conformance.members");
        engine.run(&inserted_escaped("conformance.members", rows));
    };
    conformance::warehouse(&engine, set).await.unwrap();
}

#[cfg(all(feature = "adbc", unix))]
#[tokio::test]
async fn a_warehouse_on_clickhouse() {
    let Some(engine) = crate::engines::clickhouse("conformance") else { return };
    let create = "(email Nullable(String)) ENGINE = MergeTree ORDER BY tuple()";
    engine.run(&format!("CREATE TABLE conformance.members {create}"));
    let set = async |rows| {
        engine.run("TRUNCATE TABLE conformance.members");
        engine.run(&inserted_escaped("conformance.members", rows));
    };
    conformance::warehouse(&engine, set).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn dotdigital() {
    for latency in [JobLatency::NONE, JobLatency::default()] {
        let world = World::with(SimulatorSettings { latency, ..SimulatorSettings::default() });
        let clock = EngineClock(world.clock);
        conformance::destination(&world.destination(), &clock, "suite").await.unwrap();
        world.assert_harmless();
    }
}

#[tokio::test(start_paused = true)]
async fn dotdigital_in_trouble() {
    for lost in [Fault::ResetAfterActing, Fault::TimeoutAfterActing] {
        let world = World::new();
        let clock = EngineClock(world.clock);
        let trouble = async |trouble| cause(&world, &lost, trouble);
        conformance::destination_in_trouble(&world.destination(), &clock, "suite", trouble)
            .await
            .unwrap();
        world.assert_harmless();
    }
}

#[tokio::test]
async fn the_exclusions_made_of_segments() {
    let sources = ["complained", "employee"].map(|why| (why, Arc::new(MemorySource::new([""; 0]))));
    let exclusions = sources
        .iter()
        .fold(ExcludedSegments::default(), |all, (why, source)| all.segment(*why, source.clone()));
    let set = async |people: Vec<(String, String)>| {
        for (why, source) in &sources {
            let people = people.iter().filter(|(reason, _)| reason == why);
            source.set(people.map(|(_, key)| key.clone()));
        }
    };
    conformance::exclusions(&exclusions, set).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_clock_of_the_tests() {
    conformance::clock(&EngineClock(World::new().clock)).await.unwrap();
}

/// The one test that waits for the machine's own clock, for some milliseconds: that clock is what
/// it is about. It cannot fail for want of speed.
#[tokio::test]
async fn the_system_clock() {
    conformance::clock(&SystemClock).await.unwrap();
}

pub(super) fn cause(world: &World, lost: &Fault, trouble: Trouble) {
    world.simulator.clear_faults();
    let fault = match trouble {
        Trouble::Unreachable => Fault::ConnectionRefused,
        Trouble::AnswersLost => lost.clone(),
        _ => return,
    };
    world.simulator.inject(FaultRule::new(fault).times(u64::MAX));
}
