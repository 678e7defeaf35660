//! The contracts of the traits a host implements, as code to run on an implementation.
//!
//! Each suite checks one trait, clause by clause, and depends on no test framework: it gives the
//! clauses it found kept, or an error with a line for each one that is broken. So a test is
//!
//! ```no_run
//! # use activation_core::{SystemClock, conformance};
//! # async fn test() {
//! conformance::clock(&SystemClock).await.unwrap();
//! # }
//! ```
//!
//! and a host that deviates on purpose can look at the single [`Violation`]s. A clause goes on after
//! another one was broken. What an implementation's own panics and hangs do is up to the test.
//!
//! | trait | suites |
//! |---|---|
//! | [`SegmentSource`](crate::SegmentSource) | [`segment_source`], [`broken_segment_source`] |
//! | [`Warehouse`](crate::Warehouse) | [`warehouse()`] |
//! | [`StateStore`](crate::StateStore) | [`state_store`], [`durable_state_store`] |
//! | [`Destination`](crate::Destination) | [`destination`], [`destination_in_trouble`] |
//! | [`Exclusions`](crate::Exclusions) | [`exclusions()`] |
//! | [`Ledger`](crate::Ledger) | [`ledger()`] |
//! | [`Clock`](crate::Clock) | [`clock()`] |
//!
//! [`Approver`](crate::Approver) and [`Observer`](crate::Observer) promise nothing that could be
//! checked.

mod check;
mod clock;
mod destination;
mod exclusions;
mod ledger;
mod segment_source;
mod state_store;
mod warehouse;

pub use self::{
    check::{Conformance, Violation, Violations},
    clock::clock,
    destination::{Trouble, destination, destination_in_trouble},
    exclusions::exclusions,
    ledger::ledger,
    segment_source::{broken_segment_source, segment_source},
    state_store::{durable_state_store, state_store},
    warehouse::warehouse,
};
