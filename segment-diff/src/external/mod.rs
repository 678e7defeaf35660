//! Comparing and sorting byte keys that do not fit into memory.
//!
//! Both [`ExactDiff`] and [`ExternalSorter`] take keys in any order and with repetitions, within a
//! memory budget. As long as they fit they stay in memory; beyond that they go to temporary files.
//! Either way the result is the same: every key once, ascending by its bytes. No hash is trusted:
//! keys themselves are compared.
//!
//! [`ExactDiff`] is for two sides to be compared, of keys or of records with values:
//!
//! ```no_run
//! use segment_diff::external::{ExactDiff, compare};
//! use segment_diff::merge::Collect;
//! use std::ops::ControlFlow;
//!
//! let (mut previous, mut current) =
//!     ExactDiff::new(std::env::temp_dir(), 64 << 20).threads(2).values(1, 4).sides()?;
//! // One byte says whether somebody changed, four travel along. Fill the sides on two threads if
//! // you like.
//! previous.push(b"ada@example.com", &[1, 0, 0, 0, 7])?;
//! current.push(b"ada@example.com", &[2, 0, 0, 0, 7])?;
//! current.push(b"bo@example.com", &[1, 0, 0, 0, 9])?;
//! let found = compare(previous, current)?;
//! println!("{} bytes were spilled", found.report().spilled);
//! # struct Sink;
//! # impl segment_diff::merge::DiffSink<[u8], [u8]> for Sink { type Break = std::convert::Infallible; }
//! # let mut sink = Sink;
//! let ControlFlow::Continue(counts) = found.deliver_records(&mut sink)?;
//! assert_eq!((counts.added, counts.changed), (1, 1));
//! # Ok::<(), segment_diff::external::ExternalError>(())
//! ```
//!
//! [`ExternalSorter`] is for one side to be sorted, for [`merge::diff`](crate::merge::diff()):
//!
//! ```no_run
//! use segment_diff::external::ExternalSorter;
//! use segment_diff::merge::{CountOnly, diff};
//!
//! let sort = |keys: &[&str]| {
//!     let mut sorter = ExternalSorter::new(std::env::temp_dir(), 32 << 20)?;
//!     for key in keys {
//!         sorter.push(key.as_bytes())?;
//!     }
//!     sorter.finish()
//! };
//! let flow = diff(sort(&["bo", "ada"])?, sort(&["cy", "bo"])?, &mut CountOnly)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Costs
//!
//! Time is linear in the number of keys for [`ExactDiff`], as long as a partition of the previous
//! side fits into the budget: with 16 MiB that holds up to about 100 million addresses. Beyond
//! that, and where the size of the sides was not known and the budget is small, what is too large
//! is partitioned once more.
//!
//! Temporary files of [`ExactDiff`] take at most the size of both sides' keys and values and five
//! bytes a record (nine for keys of 255 bytes and more), repetitions included; the partitions that
//! are partitioned again take theirs once more while that lasts. [`Report`] tells how much it was.
//! The files have holes: what they take on disk is less than their length. Those of
//! [`ExternalSorter`], and of the differences found by [`ExactDiff`] where these exceed an eighth of
//! the budget a side, take about the size of the different keys, once more for a moment when there
//! are more runs than can be merged at once.
//!
//! Temporary files are in a directory of their own, readable by nobody else, and go away with
//! what made them, also on errors and panics; a killed process leaves them behind. They hold the
//! keys as they are, under a checksum that is verified before a key is believed.
//!
//! A budget holds for all that is allocated here. A process takes two or three megabytes beside.

mod buffer;
mod compare;
mod differences;
mod directory;
mod error;
mod exact;
mod extents;
#[cfg(test)]
pub(crate) mod faults;
mod partitions;
mod record;
mod runs;
mod scratch;
mod shape;
mod sorter;
mod table;
mod temp_file;

pub(crate) use differences::Differences;
pub use error::{ExternalError, WrongWidth};
pub(crate) use exact::compare_observed;
pub use exact::{DiffSide, ExactDiff, Found, Report, compare};
pub(crate) use scratch::ScratchFile;
pub use sorter::{ExternalSorter, SortedKeys, SortedRecords};
