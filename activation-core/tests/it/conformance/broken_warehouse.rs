//! Warehouses that break one clause each: that of a file, whose statements and dialect are changed.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use activation_core::{
    Dialect, KeyBatch, SegmentScan, SegmentSource, SourceError, Warehouse, conformance,
    sources::SqliteSource,
};
use async_trait::async_trait;
use rusqlite::Connection;

use super::each_breach_is_found;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breach {
    CountsEachOnce,
    IgnoresCase,
    LeavesOutEmptyRows,
    CountsNothingAsNoRow,
    KeepsOldTables,
    EndsAfterABatch,
    TakesDigitsForText,
    SwallowsErrors,
    ShowsStatements,
    ScansOnceAtATime,
    InsistsOnTables,
}

#[derive(Debug)]
struct BrokenWarehouse {
    breach: Option<Breach>,
    file: Arc<dyn Warehouse>,
    dialect: Dialect,
    scans: Arc<AtomicUsize>,
}

struct Scan {
    breach: Option<Breach>,
    scan: Box<dyn SegmentScan>,
    batches: usize,
    scans: Arc<AtomicUsize>,
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.scans.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl SegmentScan for Scan {
    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        self.batches += 1;
        if self.breach == Some(Breach::EndsAfterABatch) && self.batches > 1 {
            return Ok(None);
        }
        self.scan.next_batch().await
    }
}

impl BrokenWarehouse {
    fn new(breach: Option<Breach>, file: Arc<dyn Warehouse>) -> Self {
        let mut dialect = file.dialect().clone();
        match breach {
            Some(Breach::IgnoresCase) => dialect.text = "COALESCE(LOWER({}), '')",
            Some(Breach::TakesDigitsForText) => dialect.hex = "{}",
            _ => {}
        }
        Self { breach, file, dialect, scans: Arc::default() }
    }
}

#[async_trait]
impl Warehouse for BrokenWarehouse {
    fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    fn schema(&self) -> &[String] {
        self.file.schema()
    }

    async fn segment(&self) -> Result<String, SourceError> {
        let segment = self.file.segment().await?;
        Ok(match self.breach {
            Some(Breach::LeavesOutEmptyRows) => format!("SELECT k FROM ({segment}) WHERE k <> ''"),
            _ => segment,
        })
    }

    async fn execute(&self, statement: &str) -> Result<(), SourceError> {
        let changed = match self.breach {
            Some(Breach::CountsEachOnce) => statement.replace("COUNT(*)", "1"),
            Some(Breach::KeepsOldTables) => statement
                .replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ")
                .replace("DROP TABLE IF EXISTS ", "SELECT "),
            Some(Breach::InsistsOnTables) => statement.replace("IF EXISTS ", ""),
            _ => statement.to_owned(),
        };
        match (self.breach, self.file.execute(&changed).await) {
            // The statement that drops became one that makes no sense.
            (Some(Breach::KeepsOldTables), _) if statement.starts_with("DROP") => Ok(()),
            (Some(Breach::SwallowsErrors), _) => Ok(()),
            (Some(Breach::ShowsStatements), Err(error)) => {
                Err(SourceError::permanent(format!("{error}: {statement}")))
            }
            (_, done) => done,
        }
    }

    async fn scan(&self, statement: &str) -> Result<Box<dyn SegmentScan>, SourceError> {
        let at_once = self.scans.fetch_add(1, Ordering::SeqCst);
        if self.breach == Some(Breach::ScansOnceAtATime) && at_once > 0 {
            self.scans.fetch_sub(1, Ordering::SeqCst);
            return Err(SourceError::temporary("busy"));
        }
        let changed = match self.breach {
            Some(Breach::CountsNothingAsNoRow) if statement.contains("COUNT(*)") => {
                format!("{statement} HAVING COUNT(*) > 0")
            }
            _ => statement.to_owned(),
        };
        let scanned = self.file.scan(&changed).await;
        let scan = scanned.inspect_err(|_| _ = self.scans.fetch_sub(1, Ordering::SeqCst))?;
        Ok(Box::new(Scan { breach: self.breach, scan, batches: 0, scans: self.scans.clone() }))
    }
}

#[tokio::test]
async fn each_breach_of_a_warehouses_contract_is_found() {
    let breaches = [
        (Breach::CountsEachOnce, "every_spelling_comes_with_how_often_it_occurs"),
        (Breach::IgnoresCase, "spellings_are_compared_byte_by_byte"),
        (Breach::LeavesOutEmptyRows, "a_row_without_an_identifier_is_an_empty_text"),
        (Breach::CountsNothingAsNoRow, "a_segment_of_nobody_makes_an_empty_table"),
        (Breach::KeepsOldTables, "a_change_shows_in_the_next_table"),
        (Breach::EndsAfterABatch, "what_is_in_one_table_only_is_told_both_ways"),
        (Breach::TakesDigitsForText, "spellings_are_left_out_by_their_bytes"),
        (Breach::SwallowsErrors, "a_statement_that_cannot_be_carried_out_fails"),
        (Breach::ShowsStatements, "an_error_shows_no_statement"),
        (Breach::ScansOnceAtATime, "two_scans_at_once_are_both_whole"),
        (Breach::InsistsOnTables, "a_dropped_table_is_gone_and_may_be_dropped_again"),
    ];
    each_breach_is_found(&breaches, async |breach| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("warehouse.db");
        let open = || Connection::open(&file).unwrap();
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
        let source = SqliteSource::new(&file, "SELECT email FROM people")
            .push_down(directory.path().join("tables.db"));
        let warehouse = BrokenWarehouse::new(breach, source.warehouse().expect("one"));
        conformance::warehouse(&warehouse, set).await
    })
    .await;
}
