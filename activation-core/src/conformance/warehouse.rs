//! The contract of [`Warehouse`].

use std::collections::BTreeMap;

use super::check::{Broken, Checked, Conformance, check_each, ensure, ensure_eq};
use crate::{SegmentScan, Warehouse, warehouse::Statements};

/// Checks a warehouse against the contract of [`Warehouse`], with the statements of its dialect.
///
/// `set` makes the segment consist of exactly these rows, an empty one standing for a row without
/// an identifier. Tables named `activation_conformance_…` are made, and dropped at the end.
///
/// # Errors
///
/// Returns the clauses that the warehouse or its dialect breaks.
pub async fn warehouse(warehouse: &dyn Warehouse, set: impl AsyncFn(Vec<String>)) -> Conformance {
    let bench = Bench { warehouse, set: &set };
    check_each!("Warehouse", (&bench);
        clauses::every_spelling_comes_with_how_often_it_occurs,
        clauses::spellings_are_compared_byte_by_byte,
        clauses::a_row_without_an_identifier_is_an_empty_text,
        clauses::a_segment_of_nobody_makes_an_empty_table,
        clauses::a_change_shows_in_the_next_table,
        clauses::what_is_in_one_table_only_is_told_both_ways,
        clauses::spellings_are_left_out_by_their_bytes,
        clauses::a_statement_that_cannot_be_carried_out_fails,
        clauses::an_error_shows_no_statement,
        clauses::two_scans_at_once_are_both_whole,
        clauses::a_dropped_table_is_gone_and_may_be_dropped_again,
    )
}

const STAGE: &str = "activation_conformance_stage";
const KEYS: &str = "activation_conformance_keys";
const LEFT_OUT: &str = "activation_conformance_left_out";

/// More than a few batches of the advised size.
const MANY: usize = 20_000;

/// A spelling, and how often it occurs.
type Rows = BTreeMap<String, u64>;

struct Bench<'a, S> {
    warehouse: &'a dyn Warehouse,
    set: &'a S,
}

impl<S: AsyncFn(Vec<String>)> Bench<'_, S> {
    fn statements(&self) -> Statements<'_> {
        Statements::new(self.warehouse.dialect(), self.warehouse.schema())
    }

    /// Makes a table of a segment with these rows.
    async fn stage(&self, table: &str, rows: Vec<String>) -> Checked {
        (self.set)(rows).await;
        let segment = self.warehouse.segment().await?;
        self.make(table, &self.statements().stage(table, &segment)).await
    }

    async fn make(&self, table: &str, create: &str) -> Checked {
        self.drop(table).await?;
        Ok(self.warehouse.execute(create).await?)
    }

    async fn drop(&self, table: &str) -> Checked {
        Ok(self.warehouse.execute(&self.statements().drop(table)).await?)
    }

    async fn all(&self, table: &str) -> Result<Rows, Broken> {
        self.rows(&self.statements().all(table)).await
    }

    async fn rows(&self, select: &str) -> Result<Rows, Broken> {
        let mut rows = Rows::new();
        read(&mut *self.warehouse.scan(select).await?, &mut rows).await?;
        Ok(rows)
    }
}

/// Reads the rest of a scan.
async fn read(scan: &mut dyn SegmentScan, rows: &mut Rows) -> Checked {
    while let Some(batch) = scan.next_batch().await? {
        for row in batch.rows() {
            let spelling = String::from_utf8_lossy(row.identifier).into_owned();
            let digits = String::from_utf8_lossy(row.warehouse_key);
            let Ok(occurs) = digits.parse() else {
                return Err(Broken::new(format!("{digits:?} came where a whole number should")));
            };
            if rows.insert(spelling.clone(), occurs).is_some() {
                return Err(Broken::new(format!("{spelling:?} came twice")));
            }
        }
    }
    Ok(())
}

fn texts<const N: usize>(rows: [&str; N]) -> Vec<String> {
    rows.map(str::to_owned).into()
}

fn once(rows: Vec<String>) -> Rows {
    rows.into_iter().map(|row| (row, 1)).collect()
}

fn people(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("person{number:06}@example.com")).collect()
}

mod clauses {
    use super::*;

    pub(super) async fn every_spelling_comes_with_how_often_it_occurs(
        bench: &Bench<'_, impl AsyncFn(Vec<String>)>,
    ) -> Checked {
        bench.stage(STAGE, texts(["a@example.com", "b@example.com", "a@example.com"])).await?;
        let expected = [("a@example.com".to_owned(), 2), ("b@example.com".to_owned(), 1)];
        ensure_eq!(bench.all(STAGE).await?, Rows::from(expected));
        Ok(())
    }

    pub(super) async fn spellings_are_compared_byte_by_byte(
        bench: &Bench<'_, impl AsyncFn(Vec<String>)>,
    ) -> Checked {
        let alike =
            ["jane@example.com", "Jane@example.com", "jane@example.com ", "béa", "be\u{301}a"];
        bench.stage(STAGE, texts(alike)).await?;
        ensure_eq!(bench.all(STAGE).await?, once(texts(alike)));
        bench.stage(KEYS, texts(["JANE@example.com", " jane@example.com", "bea"])).await?;
        let found = bench.rows(&bench.statements().only_in(STAGE, KEYS)).await?;
        ensure_eq!(found, once(texts(alike)));
        Ok(())
    }

    pub(super) async fn a_row_without_an_identifier_is_an_empty_text(
        bench: &Bench<'_, impl AsyncFn(Vec<String>)>,
    ) -> Checked {
        bench.stage(STAGE, texts(["", "a@example.com", ""])).await?;
        let expected = [(String::new(), 2), ("a@example.com".to_owned(), 1)];
        ensure_eq!(bench.all(STAGE).await?, Rows::from(expected));
        Ok(())
    }

    pub(super) async fn a_segment_of_nobody_makes_an_empty_table(
        bench: &Bench<'_, impl AsyncFn(Vec<String>)>,
    ) -> Checked {
        bench.stage(STAGE, Vec::new()).await?;
        ensure_eq!(bench.all(STAGE).await?, Rows::new());
        let count = bench.rows(&bench.statements().count(STAGE)).await?;
        ensure_eq!(count, Rows::from([("rows".to_owned(), 0)]));
        Ok(())
    }

    pub(super) async fn a_change_shows_in_the_next_table(
        bench: &Bench<'_, impl AsyncFn(Vec<String>)>,
    ) -> Checked {
        for rows in [people(0..3), people(2..5), Vec::new()] {
            bench.stage(STAGE, rows.clone()).await?;
            ensure_eq!(bench.all(STAGE).await?, once(rows));
        }
        Ok(())
    }

    pub(super) async fn what_is_in_one_table_only_is_told_both_ways(
        bench: &Bench<'_, impl AsyncFn(Vec<String>)>,
    ) -> Checked {
        bench.stage(KEYS, people(0..MANY)).await?;
        // An empty spelling is one like any other.
        let now = [people(MANY / 2..2 * MANY), texts([""])].concat();
        bench.stage(STAGE, now).await?;
        let left = bench.rows(&bench.statements().only_in(KEYS, STAGE)).await?;
        ensure!(left == once(people(0..MANY / 2)));
        let came = bench.rows(&bench.statements().only_in(STAGE, KEYS)).await?;
        ensure!(came == once([people(MANY..2 * MANY), texts([""])].concat()));
        Ok(())
    }

    pub(super) async fn spellings_are_left_out_by_their_bytes(
        bench: &Bench<'_, impl AsyncFn(Vec<String>)>,
    ) -> Checked {
        let refused = texts(["o'hara@example.com", "a\\b@example.com", "béa", "x\"`;--", ""]);
        let kept = texts(["O'hara@example.com", "jane@example.com"]);
        bench.stage(STAGE, [refused.clone(), kept.clone()].concat()).await?;
        let statements = bench.statements();
        bench.make(LEFT_OUT, &statements.left_out(LEFT_OUT, STAGE)).await?;
        let bytes: Vec<Box<[u8]>> =
            refused.into_iter().map(|text| text.into_bytes().into()).collect();
        bench.warehouse.execute(&statements.leave_out(LEFT_OUT, &bytes)).await?;
        bench.make(KEYS, &statements.without(KEYS, STAGE, LEFT_OUT)).await?;
        ensure_eq!(bench.all(KEYS).await?, once(kept));
        Ok(())
    }

    pub(super) async fn a_statement_that_cannot_be_carried_out_fails(
        bench: &Bench<'_, impl AsyncFn(Vec<String>)>,
    ) -> Checked {
        bench.stage(STAGE, people(0..3)).await?;
        let segment = bench.warehouse.segment().await?;
        // There is a table of that name.
        ensure!(bench.warehouse.execute(&bench.statements().stage(STAGE, &segment)).await.is_err());
        bench.drop(STAGE).await?;
        ensure!(bench.all(STAGE).await.is_err());
        Ok(())
    }

    pub(super) async fn an_error_shows_no_statement(
        bench: &Bench<'_, impl AsyncFn(Vec<String>)>,
    ) -> Checked {
        bench.drop(LEFT_OUT).await?;
        let statement = bench.statements().leave_out(LEFT_OUT, &[b"jane@example.com"[..].into()]);
        let Err(error) = bench.warehouse.execute(&statement).await else {
            return Err(Broken::new("rows went into a table that is not there".to_owned()));
        };
        let mut told = vec![error.to_string(), format!("{error:?}")];
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            told.extend([error.to_string(), format!("{error:?}")]);
            cause = error.source();
        }
        // The digits of `jane`.
        ensure!(!told.iter().any(|text| text.contains("6A616E65")));
        Ok(())
    }

    pub(super) async fn two_scans_at_once_are_both_whole(
        bench: &Bench<'_, impl AsyncFn(Vec<String>)>,
    ) -> Checked {
        bench.stage(STAGE, people(0..MANY)).await?;
        let select = bench.statements().all(STAGE);
        let mut one = bench.warehouse.scan(&select).await?;
        let mut given_up = bench.warehouse.scan(&select).await?;
        given_up.next_batch().await?;
        ensure!(bench.all(STAGE).await? == once(people(0..MANY)));
        drop(given_up);
        let mut rows = Rows::new();
        read(&mut *one, &mut rows).await?;
        ensure!(rows == once(people(0..MANY)));
        Ok(())
    }

    pub(super) async fn a_dropped_table_is_gone_and_may_be_dropped_again(
        bench: &Bench<'_, impl AsyncFn(Vec<String>)>,
    ) -> Checked {
        bench.stage(STAGE, people(0..3)).await?;
        for table in [STAGE, KEYS, LEFT_OUT, STAGE] {
            bench.drop(table).await?;
        }
        ensure!(bench.all(STAGE).await.is_err());
        Ok(())
    }
}
