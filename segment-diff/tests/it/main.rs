//! Behaviour of the public interface.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod delta;
mod engines;
mod external;
mod front_door;
mod lines_sorted;
mod memory;
mod merge;
mod probe;
#[cfg(feature = "serde")]
mod serde;
mod sketch;
mod snapshot;
mod values;
