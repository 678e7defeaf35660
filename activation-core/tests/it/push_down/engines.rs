//! On every engine that runs here, a run that leaves the difference to it does and reports what a run
//! does that reads the same rows from memory.

use std::sync::Arc;

use activation_core::{RunReport, SegmentSource, sources::MemorySource};
use dotdigital_client::simulator::{Fault, FaultRule, JobLatency, SimulatorSettings};
use serde_json::Value;

use super::{Host, Side, equivalence::ROWS, vip};

type Row = Option<&'static str>;

type Set<'a> = Box<dyn Fn(&[Row]) + 'a>;

/// An engine with a segment.
struct Engine<'a> {
    source: Arc<dyn SegmentSource>,
    /// Replaces the members.
    set: Set<'a>,
    /// The names of the tables where ours are.
    tables: Box<dyn Fn() -> Vec<String> + 'a>,
}

/// Rows of the segment before each run.
fn segments() -> Vec<Vec<Row>> {
    let text = |row: &Option<&'static [u8]>| match row {
        None => Some(None),
        Some(bytes) => {
            std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).map(Some)
        }
    };
    let rows: Vec<Row> = ROWS.iter().filter_map(text).collect();
    let segment = |run: usize| {
        let chosen =
            rows.iter().enumerate().filter(move |(row, _)| !(row * 7 + run * 5).is_multiple_of(3));
        chosen
            .flat_map(move |(row, text)| std::iter::repeat_n(*text, 1 + (row + run) % 2))
            .collect()
    };
    // The last one twice: then nothing is to be done.
    (0..6).map(segment).chain([segment(5)]).collect()
}

/// A statement that inserts rows.
fn insert(rows: &[Row]) -> String {
    inserted(rows, |text| text.replace('\'', "''"))
}

/// The same where a backslash in a text means something.
fn insert_escaped(rows: &[Row]) -> String {
    inserted(rows, |text| text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn inserted(rows: &[Row], escaped: impl Fn(&str) -> String) -> String {
    let literal = |row: &Row| match row {
        Some(text) => format!("('{}')", escaped(text)),
        None => "(NULL)".to_owned(),
    };
    let rows: Vec<String> = rows.iter().map(literal).collect();
    format!("INSERT INTO members (email) VALUES {}", rows.join(", "))
}

fn side(source: Arc<dyn SegmentSource>) -> Side {
    let settings = SimulatorSettings { latency: JobLatency::NONE, ..SimulatorSettings::default() };
    let side = Side::with(source, settings);
    let code = "invalidEmail".to_owned();
    side.world.simulator.inject(FaultRule::new(Fault::FailRows { code, every: 3 }));
    side
}

/// A report without its times.
fn timeless(report: &RunReport) -> Value {
    let mut report = serde_json::to_value(report).unwrap();
    for time in ["started_at", "finished_at"] {
        report[time] = Value::Null;
    }
    report["planned"]["made_at"] = Value::Null;
    report
}

/// Runs through the segments, on an engine and on memory.
async fn agrees_with_memory(engine: Engine<'_>) {
    let memory = Arc::new(MemorySource::new(Vec::<String>::new()));
    let (expected, pushed) = (side(memory.clone()), side(engine.source.clone()));
    let mut names = Vec::new();
    for (run, rows) in segments().iter().enumerate() {
        memory.set(rows.iter().map(|row| row.unwrap_or_default()));
        (engine.set)(rows);
        pushed.steps.rows();
        let (report, wanted) = (pushed.run(&vip()).await, expected.run(&vip()).await);
        assert_eq!(timeless(&report), timeless(&wanted), "run {run}");
        assert_eq!(pushed.snapshot(&vip()).await, expected.snapshot(&vip()).await, "run {run}");
        let head = pushed.state(&vip()).await.head;
        names = (engine.tables)();
        names.retain(|name| name.starts_with("activation_"));
        assert_eq!(names, head.table.into_iter().collect::<Vec<_>>(), "run {run}");
    }
    assert_eq!(names.len(), 1, "there is a table");
    let all = segments().last().unwrap().len() as u64;
    assert!(pushed.steps.rows() < all / 2, "only what may have changed was read last");
    assert_eq!(pushed.world.on_list("vip"), expected.world.on_list("vip"));
}

#[tokio::test]
async fn sqlite_agrees_with_memory() {
    let host = Host::new("CREATE TABLE members (email TEXT COLLATE NOCASE)");
    let set = |rows: &[Row]| host.execute(&format!("DELETE FROM members; {}", insert(rows)));
    let (source, tables) = (Arc::new(host.pushed_down()), Box::new(|| host.tables()));
    agrees_with_memory(Engine { source, set: Box::new(set), tables }).await;
}

#[cfg(all(feature = "postgres", feature = "test-util", unix))]
mod postgresql {
    use activation_core::{PostgresServer, RunStatus, sources::PostgresSource};

    use super::*;
    use crate::postgres::{self, Database};

    /// A schema with a hostile name, and texts that are compared as the collation says, and not as
    /// bytes.
    const SQL: &str = r#"
        CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE members (email text COLLATE alike);
        CREATE SCHEMA "a""b; DROP TABLE public.members; --";"#;
    const SCHEMA: &str = "a\"b; DROP TABLE public.members; --";
    const GRANT: &str =
        r#"GRANT USAGE, CREATE ON SCHEMA "a""b; DROP TABLE public.members; --" TO activation"#;

    fn set<'a>(database: &'a Database<'_>) -> Set<'a> {
        Box::new(|rows| {
            database.run(&format!("BEGIN; DELETE FROM members; {}; COMMIT;", insert(rows)));
        })
    }

    fn tables<'a>(database: &'a Database<'_>) -> Box<dyn Fn() -> Vec<String> + 'a> {
        let names = format!("SELECT tablename FROM pg_tables WHERE schemaname = '{SCHEMA}'");
        Box::new(move || database.run(&names).lines().map(str::to_owned).collect())
    }

    #[tokio::test]
    async fn postgresql_agrees_with_memory_with_no_more_rights_than_are_told() {
        let Some(server) = postgres::server() else { return };
        let database = server.database(SQL);
        database.run(
            "CREATE ROLE activation LOGIN PASSWORD 'secret'; GRANT SELECT ON members TO activation",
        );
        let source = |server: PostgresServer| {
            PostgresSource::new(server, "SELECT email FROM public.members -- all").push_down(SCHEMA)
        };
        let server: PostgresServer = database.url("activation", "secret").parse().unwrap();
        let dry = async || {
            let dry = side(Arc::new(source(server.clone())));
            dry.engine().plan(&vip(), &dry.source, &dry.world.destination()).await
        };
        let message = dry().await.error.unwrap().message;
        assert!(message.contains("needs schema") && message.contains("USAGE, CREATE"), "{message}");
        let refused = side(Arc::new(source(server.clone()))).run(&vip()).await;
        assert_eq!((refused.status, refused.added), (RunStatus::Failed, 0), "{refused}");
        let message = refused.error.unwrap().message;
        assert!(message.contains("the difference on") && message.contains("GRANT"), "{message}");

        database.run(GRANT);
        assert_eq!(dry().await.status, RunStatus::Planned);
        let source = Arc::new(source(server));
        agrees_with_memory(Engine { source, set: set(&database), tables: tables(&database) }).await;
    }

    #[cfg(feature = "adbc")]
    #[tokio::test]
    async fn postgresql_over_adbc_agrees_with_memory() {
        use activation_core::{Dialect, sources::AdbcSource};

        let Some(server) = postgres::server() else { return };
        let Some(drivers) = crate::adbc::drivers() else { return };
        let database = server.database(SQL);
        let warehouse = crate::adbc::Warehouse::postgres(drivers, &database);
        let source = AdbcSource::new(warehouse.database(), "SELECT email FROM public.members")
            .column("email")
            .push_down(Dialect::postgresql(), [SCHEMA]);
        let source = Arc::new(source);
        agrees_with_memory(Engine { source, set: set(&database), tables: tables(&database) }).await;
    }
}

#[cfg(all(feature = "adbc", unix))]
mod duckdb {
    use activation_core::{Dialect, sources::AdbcSource};

    use super::*;
    use crate::adbc;

    #[tokio::test]
    async fn duckdb_agrees_with_memory() {
        agrees(Dialect::duckdb()).await;
    }

    /// As for Redshift.
    #[tokio::test]
    async fn a_dialect_that_keeps_digits_agrees_with_memory() {
        let mut dialect = Dialect::duckdb();
        dialect.text = "hex(COALESCE(CAST({} AS VARCHAR), ''))";
        dialect.spelling = "decode(unhex({}))";
        dialect.hex = "{}";
        agrees(dialect).await;
    }

    async fn agrees(dialect: Dialect) {
        let Some(drivers) = adbc::drivers() else { return };
        let directory = tempfile::tempdir().unwrap();
        let warehouse = adbc::Warehouse::duckdb(drivers, &directory.path().join("warehouse.db"));
        warehouse.run([
            "CREATE TABLE members (\"e\"\"mail\" VARCHAR COLLATE NOCASE)",
            "CREATE SCHEMA \"a\"\"b; DROP TABLE members; --\"",
        ]);
        let set = |rows: &[Row]| {
            let insert = insert(rows).replace("(email)", "");
            warehouse.run(["DELETE FROM members", &insert]);
        };
        let schema = "a\"b; DROP TABLE members; --";
        let source = AdbcSource::new(warehouse.database(), "SELECT * FROM main.members;")
            .column("e\"mail")
            .push_down(dialect, ["warehouse", schema]);
        let names = format!(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}'"
        );
        let tables = Box::new(|| warehouse.texts(&names, "table_name"));
        agrees_with_memory(Engine { source: Arc::new(source), set: Box::new(set), tables }).await;
    }
}

#[cfg(all(feature = "adbc", unix))]
mod spark {
    use activation_core::{Dialect, sources::AdbcSource};

    use super::*;
    use crate::{adbc, engines};

    #[tokio::test]
    async fn sail_agrees_with_memory() {
        let Some(sail) = engines::sail() else { return };
        agrees(&sail, "a`b; DROP TABLE members").await;
    }

    #[tokio::test]
    async fn apache_spark_agrees_with_memory() {
        let Some(spark) = engines::spark() else { return };
        // Its names are letters, digits and underscores, however they are quoted.
        agrees(&spark, "activation").await;
    }

    async fn agrees(warehouse: &adbc::Warehouse, schema: &str) {
        let quoted = format!("`{}`", schema.replace('`', "``"));
        warehouse.run(["CREATE DATABASE segments", &format!("CREATE DATABASE {quoted}")]);
        // Rows of Parquet files cannot be deleted.
        let set = |rows: &[Row]| {
            let insert = insert_escaped(rows).replace("members (email)", "segments.members");
            let create = "CREATE TABLE segments.members (`e-mail` STRING) USING PARQUET";
            warehouse.run(["DROP TABLE IF EXISTS segments.members", create, &insert]);
        };
        let source = AdbcSource::new(warehouse.database(), "SELECT * FROM segments.members;")
            .column("e-mail")
            .push_down(Dialect::spark(), [schema]);
        let names = format!("SHOW TABLES IN {quoted}");
        let tables = Box::new(|| warehouse.texts(&names, "tableName"));
        agrees_with_memory(Engine { source: Arc::new(source), set: Box::new(set), tables }).await;
    }
}

#[cfg(all(feature = "adbc", unix))]
mod clickhouse {
    use super::*;
    use crate::engines;

    #[tokio::test]
    async fn clickhouse_agrees_with_memory() {
        let Some(engine) = engines::clickhouse("agrees") else { return };
        engine.run(
            "CREATE TABLE agrees.members (email Nullable(String)) ENGINE = MergeTree ORDER BY tuple()",
        );
        let set = |rows: &[Row]| {
            engine.run("TRUNCATE TABLE agrees.members");
            engine.run(&insert_escaped(rows).replace("members (email)", "agrees.members"));
        };
        let tables = Box::new(|| {
            let rows = engine.run("SELECT name FROM system.tables WHERE database = 'agrees'");
            rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
        });
        let source = Arc::new(engine.clone());
        agrees_with_memory(Engine { source, set: Box::new(set), tables }).await;
    }
}

#[cfg(all(feature = "adbc", unix))]
mod mysql {
    use super::*;
    use crate::engines;

    #[tokio::test]
    async fn mariadb_agrees_with_memory() {
        let Some(engine) = engines::mariadb("agrees") else { return };
        // Most collations take different texts for equal.
        engine.run(
            "CREATE TABLE agrees.members (email VARCHAR(300)) \
             CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        );
        let set = |rows: &[Row]| {
            engine.run("DELETE FROM agrees.members");
            engine.run(&insert_escaped(rows).replace("members (email)", "agrees.members"));
        };
        let tables = Box::new(|| {
            let rows = engine.run("SHOW TABLES IN agrees");
            rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
        });
        let source = Arc::new(engine.clone());
        agrees_with_memory(Engine { source, set: Box::new(set), tables }).await;
    }
}
