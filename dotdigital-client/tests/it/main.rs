//! What the client does, seen from outside.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod account;
mod calls;
mod contacts;
mod custom_identifiers;
mod data_fields;
mod discovery;
mod errors;
#[cfg(all(feature = "simulator", feature = "account-deletion", feature = "consent-changes"))]
mod every_method;
mod http;
#[cfg(feature = "simulator")]
mod import_run;
mod imports;
mod insight_data;
mod limits;
mod list_members;
mod lists;
mod oddities;
mod paging;
mod preferences;
mod privacy;
mod programs;
mod raw;
mod retries;
mod segments;
mod send;
#[cfg(feature = "simulator")]
mod simulator;
mod slots;
mod sockets;
mod support;
mod suppressions;
#[cfg(feature = "simulator")]
mod together;
#[cfg(feature = "simulator")]
#[path = "../traffic/mod.rs"]
mod traffic;
