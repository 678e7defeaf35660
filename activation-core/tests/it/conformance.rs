//! The public conformance suites: ours pass them, and for each clause an implementation that breaks
//! it does not.

mod broken_clock;
mod broken_destination;
mod broken_exclusions;
mod broken_ledger;
mod broken_source;
mod broken_store;
#[cfg(feature = "sqlite")]
mod broken_warehouse;
mod ours;

use std::collections::BTreeSet;

use activation_core::conformance::Conformance;

/// Runs a suite on an implementation with one breach after the other: it must find each one broken
/// by it, and the table of breaches must leave no clause out.
async fn each_breach_is_found<B: Copy>(
    breaches: &[(B, &'static str)],
    suite: impl AsyncFn(Option<B>) -> Conformance,
) {
    let clauses = suite(None).await.unwrap();
    for (breach, clause) in breaches {
        let violations = suite(Some(*breach)).await.expect_err(clause);
        let found = violations.iter().any(|violation| violation.clause == *clause);
        assert!(found, "{clause} was not found to be broken, but this was: {violations}");
    }
    let broken: BTreeSet<_> = breaches.iter().map(|(_, clause)| *clause).collect();
    assert_eq!(broken, clauses.into_iter().collect(), "every clause has a breach");
}
