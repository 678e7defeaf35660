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
//! | two inputs sorted by key | [`merge`]: one pass, constant memory, order checked |
//! | two sets in memory, in any order | [`memory`]: sorted in place, on several threads if asked |
//! | two sets that may exceed the memory | [`external`]: a budget, temporary files beyond it |
//! | a stored snapshot, and the present coming in any order | [`probe`]: 16 bytes a member |
//! | a membership to keep until the next time | [`snapshot`]: a sorted, checksummed file |
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

mod error;
pub mod external;
pub mod fingerprint;
pub mod memory;
pub mod merge;
pub mod probe;
pub mod snapshot;

pub use error::{KeyTooLong, OrderError};
pub use fingerprint::{Fingerprint, FingerprintKey};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
