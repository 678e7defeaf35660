//! Integration tests, one binary.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

#[cfg(feature = "test-util")]
mod conformance;
mod doubts;
mod guarding;
mod identity;
mod lists;
mod meddling;
mod outcomes;
mod rules;
mod runner;
mod scale;
mod simulation;
mod sources;
mod state;
mod world;
