//! Exclusions that break one clause each.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use activation_core::{
    ADVISED_BATCH, ExclusionBatch, ExclusionScan, Exclusions, SourceError, conformance,
};
use async_trait::async_trait;

use super::each_breach_is_found;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breach {
    KeepsOneReason,
    FailsOnNobody,
    GivesOneBatchOnly,
    BeginsAgainAtItsEnd,
    RemembersItsFirstScan,
    SharesOneCursor,
}

#[derive(Debug, Default)]
struct BrokenExclusions {
    breach: Option<Breach>,
    people: Mutex<Vec<(String, String)>>,
    first_scan: Mutex<Option<Vec<(String, String)>>>,
    cursor: AtomicUsize,
}

struct Scan<'a> {
    exclusions: &'a BrokenExclusions,
    people: Vec<(String, String)>,
    next: usize,
}

impl Scan<'_> {
    fn is(&self, breach: Breach) -> bool {
        self.exclusions.breach == Some(breach)
    }
}

#[async_trait]
impl Exclusions for &'static BrokenExclusions {
    async fn open(&self) -> Result<Box<dyn ExclusionScan>, SourceError> {
        let mut people = self.people.lock().unwrap().clone();
        if self.breach == Some(Breach::FailsOnNobody) && people.is_empty() {
            return Err(SourceError::permanent("nobody is excluded"));
        }
        if self.breach == Some(Breach::RemembersItsFirstScan) {
            people = self.first_scan.lock().unwrap().get_or_insert(people).clone();
        }
        Ok(Box::new(Scan { exclusions: *self, people, next: 0 }))
    }
}

#[async_trait]
impl ExclusionScan for Scan<'static> {
    async fn next_batch(&mut self) -> Result<Option<ExclusionBatch>, SourceError> {
        let cursor = &self.exclusions.cursor;
        if self.is(Breach::SharesOneCursor) {
            self.next = cursor.load(Ordering::SeqCst);
        }
        let rest = &self.people[self.next.min(self.people.len())..];
        let ended = rest.is_empty() || self.is(Breach::GivesOneBatchOnly) && self.next > 0;
        if ended {
            cursor.store(0, Ordering::SeqCst);
            if self.is(Breach::BeginsAgainAtItsEnd) {
                self.next = 0;
            }
            return Ok(None);
        }
        // As many of the same reason as stand together.
        let reason = rest[0].0.clone();
        let keep = self.is(Breach::KeepsOneReason);
        let batch: Vec<_> = (rest.iter().take(ADVISED_BATCH))
            .take_while(|(other, _)| keep || *other == reason)
            .map(|(_, key)| key)
            .collect();
        self.next += batch.len();
        cursor.store(self.next, Ordering::SeqCst);
        Ok(Some(ExclusionBatch { reason, keys: batch.into_iter().collect() }))
    }
}

#[tokio::test]
async fn each_breach_of_the_contract_of_exclusions_is_found() {
    let breaches = [
        (Breach::KeepsOneReason, "everybody_comes_with_her_reason"),
        (Breach::FailsOnNobody, "a_scan_of_nobody_is_complete"),
        (Breach::GivesOneBatchOnly, "a_scan_of_many_gives_all_of_them"),
        (Breach::BeginsAgainAtItsEnd, "the_end_stays_the_end"),
        (Breach::RemembersItsFirstScan, "a_change_shows_in_the_next_scan"),
        (Breach::SharesOneCursor, "a_scan_given_up_leaves_the_next_one_whole"),
    ];
    each_breach_is_found(&breaches, async |breach| {
        // Scans outlive the borrow of whoever opened them.
        let exclusions: &'static BrokenExclusions =
            Box::leak(Box::new(BrokenExclusions { breach, ..BrokenExclusions::default() }));
        let set = async |people| *exclusions.people.lock().unwrap() = people;
        conformance::exclusions(&exclusions, set).await
    })
    .await;
}
