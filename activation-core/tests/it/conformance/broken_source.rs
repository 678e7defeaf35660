//! Sources that break one clause each.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use activation_core::{KeyBatch, SegmentScan, SegmentSource, SourceError, conformance};
use async_trait::async_trait;

use super::each_breach_is_found;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breach {
    LowersCase,
    LeavesOutEmptyRows,
    FailsOnNothing,
    GivesOneBatchOnly,
    CountsUsableRowsOnly,
    BeginsAgainAtItsEnd,
    RemembersItsFirstScan,
    SharesOneCursor,
    ScansOnceAtATime,
    ReadsPagesByOffset,
    EndsWhereItBreaks,
    GoesOnAfterItBroke,
}

#[derive(Debug, Default)]
struct BrokenSource {
    breach: Option<Breach>,
    /// Breaks after so many rows.
    breaks_at: Option<usize>,
    table: Arc<Table>,
}

#[derive(Debug, Default)]
struct Table {
    rows: Mutex<Arc<Vec<String>>>,
    first_scan: Mutex<Option<Arc<Vec<String>>>>,
    cursor: AtomicUsize,
    scans: AtomicUsize,
}

impl Table {
    fn rows(&self) -> Arc<Vec<String>> {
        self.rows.lock().unwrap().clone()
    }
}

struct Scan {
    breach: Option<Breach>,
    breaks_at: usize,
    table: Arc<Table>,
    rows: Arc<Vec<String>>,
    next: usize,
}

const PAGE: usize = 5_000;

#[async_trait]
impl SegmentSource for BrokenSource {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        let mut rows = self.table.rows();
        match self.breach {
            Some(Breach::FailsOnNothing) if rows.is_empty() => {
                return Err(SourceError::permanent("no such segment"));
            }
            Some(Breach::RemembersItsFirstScan) => {
                rows = self.table.first_scan.lock().unwrap().get_or_insert(rows).clone();
            }
            Some(Breach::ScansOnceAtATime) if self.table.scans.load(Ordering::SeqCst) > 0 => {
                return Err(SourceError::temporary("busy"));
            }
            _ => {}
        }
        self.table.scans.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Scan {
            breach: self.breach,
            breaks_at: self.breaks_at.unwrap_or(usize::MAX),
            table: self.table.clone(),
            rows,
            next: 0,
        }))
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.table.scans.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl SegmentScan for Scan {
    fn expected_rows(&self) -> Option<u64> {
        let usable =
            |row: &&String| self.breach != Some(Breach::CountsUsableRowsOnly) || !row.is_empty();
        Some(self.rows.iter().filter(usable).count() as u64)
    }

    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        if self.breach == Some(Breach::ReadsPagesByOffset) {
            self.rows = self.table.rows();
        }
        if self.breach == Some(Breach::SharesOneCursor) {
            self.next = self.table.cursor.load(Ordering::SeqCst);
        }
        if self.next >= self.breaks_at {
            return match self.breach {
                Some(Breach::EndsWhereItBreaks) => Ok(None),
                Some(Breach::GoesOnAfterItBroke) => {
                    self.breaks_at = usize::MAX;
                    Err(SourceError::temporary("cut"))
                }
                _ => Err(SourceError::temporary("cut")),
            };
        }
        let page: Vec<&String> = self.rows.iter().skip(self.next).take(PAGE).collect();
        let read = page.len();
        let ended = read == 0 || self.breach == Some(Breach::GivesOneBatchOnly) && self.next > 0;
        let batch = page
            .into_iter()
            .filter(|row| self.breach != Some(Breach::LeavesOutEmptyRows) || !row.is_empty())
            .map(|row| match self.breach {
                Some(Breach::LowersCase) => row.to_lowercase(),
                _ => row.clone(),
            })
            .collect();
        self.next += read;
        if ended && self.breach == Some(Breach::BeginsAgainAtItsEnd) {
            self.next = 0;
        }
        self.table.cursor.store(if ended { 0 } else { self.next }, Ordering::SeqCst);
        Ok(Some(batch).filter(|_| !ended))
    }
}

#[tokio::test]
async fn each_breach_of_a_sources_contract_is_found() {
    let breaches = [
        (Breach::LowersCase, "a_scan_gives_every_row_as_it_is"),
        (Breach::LeavesOutEmptyRows, "a_row_without_an_identifier_is_an_empty_key"),
        (Breach::FailsOnNothing, "a_scan_of_nothing_is_complete"),
        (Breach::GivesOneBatchOnly, "a_scan_of_many_rows_gives_all_of_them"),
        (Breach::CountsUsableRowsOnly, "the_expected_count_is_what_comes"),
        (Breach::BeginsAgainAtItsEnd, "the_end_stays_the_end"),
        (Breach::RemembersItsFirstScan, "a_change_shows_in_the_next_scan"),
        (Breach::SharesOneCursor, "a_scan_given_up_leaves_the_next_one_whole"),
        (Breach::ScansOnceAtATime, "two_scans_at_once_are_both_whole"),
        (Breach::ReadsPagesByOffset, "nobody_who_stays_is_missed_when_others_leave_meanwhile"),
    ];
    each_breach_is_found(&breaches, async |breach| {
        let source = BrokenSource { breach, ..BrokenSource::default() };
        let set = async |rows| *source.table.rows.lock().unwrap() = Arc::new(rows);
        conformance::segment_source(&source, set).await
    })
    .await;
}

#[tokio::test]
async fn each_breach_of_a_broken_sources_contract_is_found() {
    let breaches = [
        (Breach::EndsWhereItBreaks, "a_scan_that_cannot_be_completed_fails"),
        (Breach::GoesOnAfterItBroke, "a_scan_that_failed_is_over"),
    ];
    each_breach_is_found(&breaches, async |breach| {
        let source = BrokenSource { breach, breaks_at: Some(PAGE), ..BrokenSource::default() };
        let rows = (0..2 * PAGE).map(|number| format!("person{number}@example.com"));
        *source.table.rows.lock().unwrap() = Arc::new(rows.collect());
        conformance::broken_segment_source(&source).await
    })
    .await;
}
