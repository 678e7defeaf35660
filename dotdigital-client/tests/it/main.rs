//! What the client does, seen from outside.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod calls;
mod discovery;
mod errors;
mod http;
mod limits;
mod paging;
mod privacy;
mod raw;
mod retries;
#[cfg(feature = "simulator")]
mod simulator;
mod slots;
mod sockets;
mod support;
#[cfg(feature = "simulator")]
mod together;
