//! The durable stores against crashes and damage, and what it does beyond the contract.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

#[cfg(all(feature = "directory", feature = "test-util"))]
mod crash;
#[cfg(feature = "directory")]
mod damage;
#[cfg(feature = "directory")]
mod directory;
#[cfg(all(feature = "postgres", feature = "test-util", unix))]
mod postgres;
#[cfg(all(feature = "postgres", feature = "test-util", unix))]
mod postgres_cut;
#[cfg(feature = "directory")]
mod read_only;
#[cfg(all(feature = "directory", feature = "test-util"))]
mod takeover;
#[cfg(feature = "directory")]
mod tools;
