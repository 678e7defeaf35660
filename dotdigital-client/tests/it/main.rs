//! What the client does, seen from outside.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod calls;
mod discovery;
mod errors;
mod http;
mod limits;
mod list_members;
mod lists;
mod paging;
mod preferences;
mod privacy;
mod raw;
mod retries;
#[cfg(feature = "simulator")]
mod simulator;
mod slots;
mod sockets;
mod support;
mod suppressions;
#[cfg(feature = "simulator")]
mod together;
