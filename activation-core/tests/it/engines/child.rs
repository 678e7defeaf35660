//! An engine for which there is no driver here, in a process that speaks Python: a warehouse as a host may
//! bring one. Also used by measurements.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
};

use activation_core::{
    Dialect, KeyBatch, SegmentScan, SegmentSource, SourceError, Warehouse as Tables,
};
use async_trait::async_trait;
use serde_json::Value;

/// A program of `tests/engines`, which ends when its input does.
#[derive(Debug)]
pub(crate) struct Conversation {
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Conversation {
    pub(crate) fn with(script: &str, packages: &Path, arguments: &[&Path]) -> Self {
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

    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the engine has ended");
        line
    }
}

/// The engine, and a segment in it.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    conversation: Arc<Mutex<Conversation>>,
    dialect: Dialect,
    schema: [String; 1],
    query: String,
}

impl Engine {
    /// A segment, with our tables in `database`.
    pub(crate) fn new(
        conversation: Arc<Mutex<Conversation>>,
        dialect: Dialect,
        database: &str,
        query: &str,
    ) -> Self {
        Self { conversation, dialect, schema: [database.to_owned()], query: query.to_owned() }
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
