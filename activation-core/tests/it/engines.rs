//! Engines in processes of their own, which end with this one.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, OnceLock},
};

use activation_core::{
    Dialect, KeyBatch, SegmentScan, SegmentSource, SourceError, Warehouse as Tables,
};
use async_trait::async_trait;
use serde_json::Value;

use crate::adbc::{Warehouse, brought, unavailable};

/// Sail, which speaks Spark's SQL, with workers of its own. `None` where it cannot be brought, which is
/// an error in CI.
pub(crate) fn sail() -> Option<Warehouse> {
    static SERVER: OnceLock<Option<(Conversation, Warehouse)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let packages = brought(&["flightsql", "sail"], "CI")?;
        let mut server = Conversation::with("sail.py", &packages.join("sail"));
        let port = server.hear().trim().parse().unwrap();
        Some((server, Warehouse::flight_sql(&packages, port)))
    });
    server.as_ref().map(|(_, warehouse)| warehouse.clone())
}

/// Apache Spark with two workers. It takes half a minute and four gigabytes, so it is only there where
/// `CI_FULL` is set.
pub(crate) fn spark() -> Option<Warehouse> {
    static SERVER: OnceLock<Option<(Conversation, Warehouse)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        if std::env::var("CI_FULL").unwrap_or_default().is_empty() {
            unavailable("Apache Spark runs where CI_FULL is set", "CI_FULL");
            return None;
        }
        let packages = brought(&["spark", "spark-connect"], "CI_FULL")?;
        let mut server = Conversation::with("spark.py", &packages.join("spark"));
        let port = server.hear().trim().parse().unwrap();
        Some((server, Warehouse::spark_connect(&packages, port)))
    });
    server.as_ref().map(|(_, warehouse)| warehouse.clone())
}

/// ClickHouse, with a database of each test's own.
pub(crate) fn clickhouse(database: &str) -> Option<Engine> {
    static SERVER: OnceLock<Option<Arc<Mutex<Conversation>>>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let packages = brought(&["clickhouse"], "CI")?;
        let server = Conversation::with("clickhouse.py", &packages.join("clickhouse"));
        Some(Arc::new(Mutex::new(server)))
    });
    Some(Engine::new(server.clone()?, Dialect::clickhouse(), database))
}

/// MariaDB, with a database of each test's own. Only Debian has it as a package that need not be
/// installed, so elsewhere it is an error not to have it only where `CI_FULL` is set.
pub(crate) fn mariadb(database: &str) -> Option<Engine> {
    static SERVER: OnceLock<Option<Arc<Mutex<Conversation>>>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let packages = brought(&["mariadb", "pymysql"], "CI_FULL")?;
        let files = packages.join("mariadb");
        let server =
            Conversation::with_arguments("mariadb.py", &packages.join("pymysql"), &[&files]);
        Some(Arc::new(Mutex::new(server)))
    });
    Some(Engine::new(server.clone()?, Dialect::mysql(), database))
}

/// A program of `tests/engines`, which ends when its input does.
#[derive(Debug)]
struct Conversation {
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Conversation {
    fn with(script: &str, packages: &Path) -> Self {
        Self::with_arguments(script, packages, &[])
    }

    fn with_arguments(script: &str, packages: &Path, arguments: &[&Path]) -> Self {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines");
        let mut child = Command::new("python3")
            .arg(scripts.join(script))
            .args(arguments)
            .env("PYTHONPATH", packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { _child: child, input, output: BufReader::new(output) }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the engine has ended");
        line
    }
}

/// A warehouse as a host may bring one: an engine for which there is no driver here.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    conversation: Arc<Mutex<Conversation>>,
    dialect: Dialect,
    schema: [String; 1],
    query: String,
}

impl Engine {
    fn new(conversation: Arc<Mutex<Conversation>>, dialect: Dialect, database: &str) -> Self {
        let query = format!("SELECT email AS k FROM {database}.members");
        let engine = Self { conversation, dialect, schema: [database.to_owned()], query };
        engine.run(&format!("CREATE DATABASE {database}"));
        engine
    }

    /// Runs a statement that must succeed.
    pub(crate) fn run(&self, statement: &str) -> Vec<Value> {
        self.ask(statement).unwrap()
    }

    fn ask(&self, statement: &str) -> Result<Vec<Value>, SourceError> {
        let mut conversation = self.conversation.lock().unwrap();
        conversation.say(&Value::from(statement).to_string());
        let mut answer: Value = serde_json::from_str(&conversation.hear()).unwrap();
        match answer["rows"].take() {
            Value::Array(rows) => Ok(rows),
            _ => Err(SourceError::permanent(format!("the engine says {}", answer["error"]))),
        }
    }
}

#[async_trait]
impl SegmentSource for Engine {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        let rows = self.ask(&self.query)?;
        let identifiers = rows.iter().map(|row| row[0].as_str().unwrap_or_default());
        Ok(Box::new(Scan(vec![identifiers.collect()].into_iter())))
    }

    fn warehouse(&self) -> Option<Arc<dyn Tables>> {
        Some(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Tables for Engine {
    fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    fn schema(&self) -> &[String] {
        &self.schema
    }

    async fn segment(&self) -> Result<String, SourceError> {
        Ok(self.query.clone())
    }

    async fn execute(&self, statement: &str) -> Result<(), SourceError> {
        self.ask(statement).map(|_| ())
    }

    async fn scan(&self, statement: &str) -> Result<Box<dyn SegmentScan>, SourceError> {
        let batch = |rows: &[Value]| {
            let mut batch = KeyBatch::default();
            for row in rows {
                let number = row[1].as_u64().unwrap().to_string();
                batch.push_keyed(row[0].as_str().unwrap().as_bytes(), number.as_bytes());
            }
            batch
        };
        let batches: Vec<KeyBatch> = self.ask(statement)?.chunks(8_192).map(batch).collect();
        Ok(Box::new(Scan(batches.into_iter())))
    }
}

struct Scan(std::vec::IntoIter<KeyBatch>);

#[async_trait]
impl SegmentScan for Scan {
    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        Ok(self.0.next())
    }
}
