//! Who entered, who left: differences between two memberships, and the checksummed snapshot that
//! the next difference is taken against.
//!
//! A membership is a set of keys: addresses, ids, anything that is bytes or ordered. This crate
//! says which keys were added and which removed between two of them; with versions, which changed
//! too. It is plain synchronous code over slices, iterators and [`std::io`]: no async, no network,
//! no database.
//!
//! # Which module?
//!
//! | you have | take |
//! |---|---|
//! | two files of lines, or a file and a pipe | [`lines`]: the engine is chosen by what they look like and by the memory |
//! | two inputs sorted by key, perhaps with versions | [`merge`]: one pass, constant memory, order checked |
//! | two slices, or integers, in any order | [`memory`]: dealt out by a keyed hash, on several threads if asked |
//! | records pushed one by one that may exceed the memory | [`external`]: exact, within a budget, temporary files beyond it |
//! | a membership to keep until the next time | [`snapshot`]: a sorted, checksummed, searchable file |
//! | a stored snapshot, and the present in lines | [`lines::SnapshotDiff`]: only the lines are dealt out |
//! | a stored snapshot, and the present coming one by one | [`probe`]: a look-up each, 16 bytes a previous member |
//! | differences to keep, undo or chain | [`delta`]: apply, invert, compose, fold into a snapshot |
//! | two sets that cannot be brought together | [`sketch`]: a summary as large as their difference |
//! | keys that should not be kept as they are | [`fingerprint`]: 128 bits under a secret key |
//!
//! ```
//! use segment_diff::merge::{Collect, byte_keys, diff};
//!
//! let yesterday = byte_keys(["ada@example.com", "bo@example.com"]);
//! let today = byte_keys(["bo@example.com", "cy@example.com"]);
//! let mut delta = Collect::new();
//! assert!(diff(yesterday, today, &mut delta)?.is_continue());
//! assert_eq!(delta.added, [b"cy@example.com".to_vec()]);
//! assert_eq!(delta.removed, [b"ada@example.com".to_vec()]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds everywhere
//!
//! * Results come in ascending order of keys, each key once, whatever the threads and the budget.
//!   (A [`probe`] answers in the order in which it is asked.)
//! * Unsorted input, a source that fails, a file that is cut off or altered: each is an error with
//!   its position, never a shorter result.
//! * Keys are compared as they are. Normalise them first.
//! * Neither error messages nor the `Debug` output of this crate's types show a key.
//! * Where an answer rests on a hash, its documentation says how likely an error is, with the
//!   arithmetic, and names the exact counterpart. The hashes are keyed, so keys that were chosen to
//!   collide are like any others.
//!
//! # Features
//!
//! * `std` (default): all that reads, writes, spawns threads or draws a random key. Without it the
//!   crate needs only `alloc`: [`merge`], [`fingerprint`], [`delta`] as values, and the encoder and
//!   decoder of [`snapshot`].
//! * `serde`: counts, sides, progress, fingerprints and deltas can be serialised.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod delta;
mod error;
#[cfg(feature = "std")]
pub mod external;
pub mod fingerprint;
#[cfg(feature = "std")]
mod kernel;
#[cfg(feature = "std")]
pub mod lines;
#[cfg(feature = "std")]
pub mod memory;
pub mod merge;
#[cfg(feature = "std")]
mod partition;
#[cfg(feature = "std")]
pub mod probe;
#[cfg(feature = "std")]
mod read_at;
#[cfg(feature = "std")]
pub mod sketch;
pub mod snapshot;

pub use error::{KeyTooLong, OrderError};
pub use fingerprint::{Fingerprint, FingerprintKey};
#[cfg(feature = "std")]
pub use read_at::ReadAt;

#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
