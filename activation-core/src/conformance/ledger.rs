//! The contract of [`Ledger`].

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use segment_diff::Fingerprint;

use super::check::{Checked, Conformance, check_each};
use crate::{ContactId, Ledger, LedgerPage, LedgerRow, MembershipChange};

/// Checks a ledger against the contract of [`Ledger`].
///
/// `read` gives everything that the ledger has, in any order, as pages; those of the same segment,
/// run and generation may come as one. Pages of a run that was overruled by a later one count here
/// too. The suite leaves its pages behind, under segments whose names begin with `suite.`.
///
/// # Errors
///
/// Returns the clauses that the ledger breaks.
pub async fn ledger(ledger: &dyn Ledger, read: impl AsyncFn() -> Vec<LedgerPage>) -> Conformance {
    check_each!("Ledger", (ledger, &read);
        clauses::every_row_of_a_page_is_kept_as_it_is,
        clauses::a_page_without_rows_is_kept,
        clauses::pages_of_one_commit_are_kept_together,
        clauses::runs_and_generations_stay_apart,
        clauses::segments_stay_apart,
    )
}

mod clauses {
    use super::*;
    use crate::conformance::check::ensure_eq;

    pub(super) async fn every_row_of_a_page_is_kept_as_it_is(
        ledger: &dyn Ledger,
        read: &impl AsyncFn() -> Vec<LedgerPage>,
    ) -> Checked {
        let rows = vec![
            row(1, MembershipChange::Enter, Some(u64::from(u32::MAX) + 1), "entered_segment"),
            row(2, MembershipChange::Exit, Some(7), "excluded:\"complained\", twice; Grüße"),
            row(3, MembershipChange::Hold, None, "invalid_email"),
            row(3, MembershipChange::Release, None, "left_segment"),
            LedgerRow {
                before: Some(Fingerprint::from_bytes([5; 16])),
                ..row(4, MembershipChange::Move, Some(8), "identifier_changed")
            },
        ];
        let page = page("suite.rows", 1, 1, rows);
        ledger.record(&page).await?;
        ensure_eq!(kept(read, &page).await, Some(sorted(page.rows)));
        Ok(())
    }

    pub(super) async fn a_page_without_rows_is_kept(
        ledger: &dyn Ledger,
        read: &impl AsyncFn() -> Vec<LedgerPage>,
    ) -> Checked {
        // It overrules what an earlier run told of the same generation.
        let empty = page("suite.empty", 2, 1, Vec::new());
        ledger.record(&empty).await?;
        ensure_eq!(kept(read, &empty).await, Some(Vec::new()));
        Ok(())
    }

    pub(super) async fn pages_of_one_commit_are_kept_together(
        ledger: &dyn Ledger,
        read: &impl AsyncFn() -> Vec<LedgerPage>,
    ) -> Checked {
        let mut expected = Vec::new();
        let of_commit = page("suite.pages", 1, 1, Vec::new());
        for number in 0..3 {
            let rows = vec![row(number, MembershipChange::Enter, Some(9), "entered_segment")];
            expected.extend(rows.clone());
            ledger.record(&LedgerPage { rows, ..of_commit.clone() }).await?;
        }
        ensure_eq!(kept(read, &of_commit).await, Some(sorted(expected)));
        Ok(())
    }

    pub(super) async fn runs_and_generations_stay_apart(
        ledger: &dyn Ledger,
        read: &impl AsyncFn() -> Vec<LedgerPage>,
    ) -> Checked {
        let of = |run, generation, member| {
            let rows = vec![row(member, MembershipChange::Enter, None, "entered_segment")];
            page("suite.runs", run, generation, rows)
        };
        let pages = [of(1, 1, 1), of(2, 1, 1), of(2, 2, 3)];
        for page in &pages {
            ledger.record(page).await?;
        }
        for page in pages {
            ensure_eq!(kept(read, &page).await, Some(page.rows));
        }
        Ok(())
    }

    pub(super) async fn segments_stay_apart(
        ledger: &dyn Ledger,
        read: &impl AsyncFn() -> Vec<LedgerPage>,
    ) -> Checked {
        let of = |segment, member| {
            page(segment, 1, 1, vec![row(member, MembershipChange::Exit, None, "left_segment")])
        };
        let pages = [of("suite.a", 1), of("suite.A", 2), of("suite.a b/é", 3)];
        for page in &pages {
            ledger.record(page).await?;
        }
        for page in pages {
            ensure_eq!(kept(read, &page).await, Some(page.rows));
        }
        Ok(())
    }
}

/// What the ledger has of the commit that `page` belongs to; `None` where it does not know it.
async fn kept(
    read: &impl AsyncFn() -> Vec<LedgerPage>,
    page: &LedgerPage,
) -> Option<Vec<LedgerRow>> {
    let mut commits: BTreeMap<(String, u64, u64), Vec<LedgerRow>> = BTreeMap::new();
    for LedgerPage { segment, run, generation, rows, .. } in read().await {
        commits.entry((segment, run, generation)).or_default().extend(rows);
    }
    commits.remove(&(page.segment.clone(), page.run, page.generation)).map(sorted)
}

fn sorted(mut rows: Vec<LedgerRow>) -> Vec<LedgerRow> {
    rows.sort_by_key(|row| (row.member, row.cause.clone()));
    rows
}

fn page(segment: &str, run: u64, generation: u64, rows: Vec<LedgerRow>) -> LedgerPage {
    LedgerPage { segment: segment.to_owned(), run, generation, at: at(), rows }
}

fn row(member: u8, change: MembershipChange, contact: Option<u64>, cause: &str) -> LedgerRow {
    LedgerRow {
        change,
        member: Fingerprint::from_bytes([member; 16]),
        contact: contact.and_then(ContactId::new),
        before: None,
        cause: cause.to_owned(),
    }
}

fn at() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}
