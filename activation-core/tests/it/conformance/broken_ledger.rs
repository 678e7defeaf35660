//! Ledgers that break one clause each.

use std::sync::Mutex;

use activation_core::{ContactId, Ledger, LedgerError, LedgerPage, conformance};
use async_trait::async_trait;

use super::each_breach_is_found;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breach {
    CutsContactIds,
    LeavesOutEmptyPages,
    KeepsTheLastPageOnly,
    ForgetsTheRun,
    FoldsNames,
}

#[derive(Debug, Default)]
struct BrokenLedger {
    breach: Option<Breach>,
    pages: Mutex<Vec<LedgerPage>>,
}

#[async_trait]
impl Ledger for BrokenLedger {
    async fn record(&self, page: &LedgerPage) -> Result<(), LedgerError> {
        let mut page = page.clone();
        let mut pages = self.pages.lock().unwrap();
        match self.breach {
            Some(Breach::CutsContactIds) => {
                let contacts = page.rows.iter_mut().filter_map(|row| row.contact.as_mut());
                contacts.for_each(|contact| {
                    let least = contact.get().min(u64::from(u32::MAX));
                    *contact = ContactId::new(least).expect("not 0");
                });
            }
            Some(Breach::LeavesOutEmptyPages) if page.rows.is_empty() => return Ok(()),
            Some(Breach::KeepsTheLastPageOnly) => pages.retain(|other| {
                (&other.segment, other.run, other.generation)
                    != (&page.segment, page.run, page.generation)
            }),
            Some(Breach::ForgetsTheRun) => page.run = 1,
            Some(Breach::FoldsNames) => page.segment = page.segment.to_lowercase(),
            _ => {}
        }
        pages.push(page);
        Ok(())
    }
}

#[tokio::test]
async fn each_breach_of_a_ledgers_contract_is_found() {
    let breaches = [
        (Breach::CutsContactIds, "every_row_of_a_page_is_kept_as_it_is"),
        (Breach::LeavesOutEmptyPages, "a_page_without_rows_is_kept"),
        (Breach::KeepsTheLastPageOnly, "pages_of_one_commit_are_kept_together"),
        (Breach::ForgetsTheRun, "runs_and_generations_stay_apart"),
        (Breach::FoldsNames, "segments_stay_apart"),
    ];
    each_breach_is_found(&breaches, async |breach| {
        let ledger = BrokenLedger { breach, ..BrokenLedger::default() };
        conformance::ledger(&ledger, async || ledger.pages.lock().unwrap().clone()).await
    })
    .await;
}
