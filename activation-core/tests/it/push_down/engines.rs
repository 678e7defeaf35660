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
    /// Asks for the names of our tables, and a number.
    tables: String,
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
    let literal = |row: &Row| match row {
        Some(text) => format!("('{}')", text.replace('\'', "''")),
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
        names = table_names(&*engine.source, &engine.tables).await;
        assert_eq!(names, head.table.into_iter().collect::<Vec<_>>(), "run {run}");
    }
    assert_eq!(names.len(), 1, "there is a table");
    let all = segments().last().unwrap().len() as u64;
    assert!(pushed.steps.rows() < all / 2, "only what may have changed was read last");
    assert_eq!(pushed.world.on_list("vip"), expected.world.on_list("vip"));
}

async fn table_names(source: &dyn SegmentSource, query: &str) -> Vec<String> {
    let mut scan = source.warehouse().unwrap().scan(query).await.unwrap();
    let mut names = Vec::new();
    while let Some(batch) = scan.next_batch().await.unwrap() {
        names.extend(batch.iter().map(|name| String::from_utf8(name.to_vec()).unwrap()));
    }
    names.retain(|name| name.starts_with("activation_"));
    names
}

#[tokio::test]
async fn sqlite_agrees_with_memory() {
    let host = Host::new("CREATE TABLE members (email TEXT COLLATE NOCASE)");
    let set = |rows: &[Row]| host.execute(&format!("DELETE FROM members; {}", insert(rows)));
    let tables = "SELECT name, 1 FROM main.sqlite_schema".to_owned();
    let source = Arc::new(host.pushed_down());
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

    fn tables() -> String {
        format!(
            "SELECT CAST(tablename AS text), CAST(1 AS bigint) FROM pg_tables \
             WHERE schemaname = '{SCHEMA}' ORDER BY 1"
        )
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
        let refused = side(Arc::new(source(server.clone()))).run(&vip()).await;
        assert_eq!((refused.status, refused.added), (RunStatus::Failed, 0), "{refused}");
        let message = refused.error.unwrap().message;
        assert!(message.contains("the difference on") && message.contains("GRANT"), "{message}");

        database.run(GRANT);
        let source = Arc::new(source(server));
        agrees_with_memory(Engine { source, set: set(&database), tables: tables() }).await;
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
        agrees_with_memory(Engine { source, set: set(&database), tables: tables() }).await;
    }
}

#[cfg(all(feature = "adbc", unix))]
mod duckdb {
    use activation_core::{Dialect, sources::AdbcSource};

    use super::*;
    use crate::adbc;

    #[tokio::test]
    async fn duckdb_agrees_with_memory() {
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
            .push_down(Dialect::duckdb(), ["warehouse", schema]);
        let tables = format!(
            "SELECT table_name, 1 FROM information_schema.tables WHERE table_schema = '{schema}'"
        );
        agrees_with_memory(Engine { source: Arc::new(source), set: Box::new(set), tables }).await;
    }
}
