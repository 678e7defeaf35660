//! The contract of [`SegmentSource`] and its scans.

use super::check::{Broken, Conformance, check_each};
use crate::{SegmentScan, SegmentSource};

/// Checks a source against the contract of [`SegmentSource`] and [`SegmentScan`].
///
/// `set` makes the segment consist of exactly these rows, an empty one standing for a row without
/// an identifier. It is called between scans, and once in the middle of one, where it must do as
/// whoever changes the warehouse does.
///
/// # Errors
///
/// Returns the clauses that the source breaks.
///
/// # Examples
///
/// ```
/// use activation_core::{conformance, sources::MemorySource};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let source = MemorySource::new([""; 0]);
/// conformance::segment_source(&source, async |rows| source.set(rows)).await.unwrap();
/// # }
/// ```
pub async fn segment_source(
    source: &dyn SegmentSource,
    set: impl AsyncFn(Vec<String>),
) -> Conformance {
    check_each!("SegmentSource", (source, &set);
        clauses::a_scan_gives_every_row_as_it_is,
        clauses::a_row_without_an_identifier_is_an_empty_key,
        clauses::a_scan_of_nothing_is_complete,
        clauses::a_scan_of_many_rows_gives_all_of_them,
        clauses::the_expected_count_is_what_comes,
        clauses::the_end_stays_the_end,
        clauses::a_change_shows_in_the_next_scan,
        clauses::a_scan_given_up_leaves_the_next_one_whole,
        clauses::two_scans_at_once_are_both_whole,
        clauses::nobody_who_stays_is_missed_when_others_leave_meanwhile,
    )
}

/// Checks that a source which cannot give all of its segment says so.
///
/// `source` is one that breaks: a connection that the test cuts, a file that ends too early, a
/// query that runs into an error at some row. Best after more rows than fit into one batch.
///
/// # Errors
///
/// Returns the clauses that the source breaks.
pub async fn broken_segment_source(source: &dyn SegmentSource) -> Conformance {
    check_each!("a SegmentSource that breaks", (source);
        clauses::a_scan_that_cannot_be_completed_fails,
        clauses::a_scan_that_failed_is_over,
    )
}

/// More than a few batches of the advised size.
const MANY: usize = 20_000;

/// How many leave while a scan is under way: fewer than have been read by then.
const LEAVING: usize = 1_000;

mod clauses {
    use super::*;
    use crate::conformance::check::{Checked, ensure, ensure_eq};

    pub(super) async fn a_scan_gives_every_row_as_it_is(
        source: &dyn SegmentSource,
        set: &impl AsyncFn(Vec<String>),
    ) -> Checked {
        let rows =
            ["Jane.DOE+vip@Example.COM", "béa@example.com", "a,\"b\"@example.com", "0049 171"];
        set(rows.map(str::to_owned).into()).await;
        ensure_eq!(scan(source).await?, sorted(rows.map(str::to_owned).into()));
        Ok(())
    }

    pub(super) async fn a_row_without_an_identifier_is_an_empty_key(
        source: &dyn SegmentSource,
        set: &impl AsyncFn(Vec<String>),
    ) -> Checked {
        let rows = ["a@example.com", "", "b@example.com", ""];
        set(rows.map(str::to_owned).into()).await;
        ensure_eq!(scan(source).await?, sorted(rows.map(str::to_owned).into()));
        Ok(())
    }

    pub(super) async fn a_scan_of_nothing_is_complete(
        source: &dyn SegmentSource,
        set: &impl AsyncFn(Vec<String>),
    ) -> Checked {
        set(Vec::new()).await;
        ensure_eq!(scan(source).await?, Vec::<String>::new());
        Ok(())
    }

    pub(super) async fn a_scan_of_many_rows_gives_all_of_them(
        source: &dyn SegmentSource,
        set: &impl AsyncFn(Vec<String>),
    ) -> Checked {
        set(people(0..MANY)).await;
        same_rows(scan(source).await?, people(0..MANY))
    }

    pub(super) async fn the_expected_count_is_what_comes(
        source: &dyn SegmentSource,
        set: &impl AsyncFn(Vec<String>),
    ) -> Checked {
        set(["a@example.com", "", "b@example.com"].map(str::to_owned).into()).await;
        let mut scan = source.open().await?;
        let expected = scan.expected_rows();
        let came = rest(&mut *scan).await?.len() as u64;
        ensure_eq!(expected.unwrap_or(came), came);
        Ok(())
    }

    pub(super) async fn the_end_stays_the_end(
        source: &dyn SegmentSource,
        set: &impl AsyncFn(Vec<String>),
    ) -> Checked {
        set(people(0..3)).await;
        let mut scan = source.open().await?;
        rest(&mut *scan).await?;
        for _ in 0..3 {
            ensure!(matches!(scan.next_batch().await, Ok(None)));
        }
        Ok(())
    }

    pub(super) async fn a_change_shows_in_the_next_scan(
        source: &dyn SegmentSource,
        set: &impl AsyncFn(Vec<String>),
    ) -> Checked {
        for rows in [people(0..3), people(2..5), Vec::new()] {
            set(rows.clone()).await;
            ensure_eq!(scan(source).await?, rows);
        }
        Ok(())
    }

    pub(super) async fn a_scan_given_up_leaves_the_next_one_whole(
        source: &dyn SegmentSource,
        set: &impl AsyncFn(Vec<String>),
    ) -> Checked {
        set(people(0..MANY)).await;
        let mut given_up = source.open().await?;
        given_up.next_batch().await?;
        drop(given_up);
        same_rows(scan(source).await?, people(0..MANY))
    }

    pub(super) async fn two_scans_at_once_are_both_whole(
        source: &dyn SegmentSource,
        set: &impl AsyncFn(Vec<String>),
    ) -> Checked {
        set(people(0..MANY)).await;
        let (mut one, mut other) = (source.open().await?, source.open().await?);
        let mut first = keys(one.next_batch().await?);
        same_rows(rest(&mut *other).await?, people(0..MANY))?;
        first.extend(rest(&mut *one).await?);
        same_rows(sorted(first), people(0..MANY))
    }

    pub(super) async fn nobody_who_stays_is_missed_when_others_leave_meanwhile(
        source: &dyn SegmentSource,
        set: &impl AsyncFn(Vec<String>),
    ) -> Checked {
        set(people(0..MANY)).await;
        let mut scan = source.open().await?;
        let mut came = keys(scan.next_batch().await?);
        set(people(LEAVING..MANY)).await;
        came.extend(rest(&mut *scan).await?);
        came.sort();
        let stayed = people(LEAVING..MANY);
        let missed = stayed.iter().filter(|row| came.binary_search(row).is_err()).count();
        if missed > 0 {
            return Err(Broken::new(format!("{missed} of {} rows were missed", stayed.len())));
        }
        Ok(())
    }

    pub(super) async fn a_scan_that_cannot_be_completed_fails(
        source: &dyn SegmentSource,
    ) -> Checked {
        let Ok(mut scan) = source.open().await else { return Ok(()) };
        match rest(&mut *scan).await {
            Err(_) => Ok(()),
            Ok(rows) => {
                Err(Broken::new(format!("the scan ended after {} rows as if complete", rows.len())))
            }
        }
    }

    pub(super) async fn a_scan_that_failed_is_over(source: &dyn SegmentSource) -> Checked {
        let Ok(mut scan) = source.open().await else { return Ok(()) };
        let failed = rest(&mut *scan).await.is_err();
        ensure!(!failed || !matches!(scan.next_batch().await, Ok(Some(_))));
        Ok(())
    }
}

/// All rows of one scan, sorted: a segment has no order.
async fn scan(source: &dyn SegmentSource) -> Result<Vec<String>, Broken> {
    rest(&mut *source.open().await?).await
}

async fn rest(scan: &mut dyn SegmentScan) -> Result<Vec<String>, Broken> {
    let mut rows = Vec::new();
    while let Some(batch) = scan.next_batch().await? {
        rows.extend(keys(Some(batch)));
    }
    Ok(sorted(rows))
}

fn keys(batch: Option<crate::KeyBatch>) -> Vec<String> {
    let batch = batch.unwrap_or_default();
    batch.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect()
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

/// As `ensure_eq`, without showing thousands of rows.
fn same_rows(found: Vec<String>, expected: Vec<String>) -> Result<(), Broken> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.len(), expected.len());
    Err(Broken::new(format!("{found} rows came that are not the {expected} rows of the segment")))
}

fn people(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("person{number:06}@example.com")).collect()
}
