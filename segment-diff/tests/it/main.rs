//! Behaviour of the public interface.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod external;
mod memory;
mod merge;
mod probe;
mod snapshot;
