//! Integration tests, one binary.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

#[cfg(all(feature = "adbc", unix))]
mod adbc;
mod approval;
#[cfg(feature = "test-util")]
mod conformance;
mod doubts;
#[cfg(all(feature = "adbc", unix))]
mod engines;
mod erasure;
mod exclusions;
mod existing_only;
mod explaining;
mod failures;
mod guarding;
mod held;
mod identity;
mod leaving;
mod ledger;
mod lists;
mod meddling;
mod moves;
#[cfg(all(feature = "directory", feature = "test-util"))]
mod mutations;
mod new_key;
mod outcomes;
#[cfg(all(feature = "postgres", feature = "test-util", unix))]
mod postgres;
#[cfg(feature = "sqlite")]
mod push_down;
mod reconcile;
mod rejects;
mod rules;
mod runner;
mod scale;
mod simulation;
mod sources;
mod state;
mod world;
