//! Differences of line files: a key is a line without its line feed, and empty lines are ignored.
//!
//! [`LineDiff`] compares two inputs that can be read more than once ([`ReadAt`](crate::ReadAt):
//! files, slices) or only once (standard input). Lines may come in any order and repeat. The
//! result comes in ascending order of bytes and each line once, whatever the engine, the threads
//! and the memory.
//!
//! # Engines
//!
//! | [`Engine`] | needs | reads | memory | rests on a hash |
//! |---|---|---|---|---|
//! | [`Merge`](Engine::Merge) | both sides sorted, which is verified | once | a few blocks | no |
//! | [`Partition`](Engine::Partition) | inputs below 1 TiB that can be read again | once, and what differs again | 8 bytes a line; beyond the budget temporary files of that size | yes |
//! | [`Sketch`](Engine::Sketch) | few differences; inputs that can be read again | twice | about 100 bytes a difference | yes |
//! | [`Spill`](Engine::Spill) | nothing | once | the budget; beyond it temporary files of about the inputs' size | no |
//!
//! Unless told which to use, [`LineDiff`] looks into a few places of both inputs. What looks sorted
//! is merged, and compared in another way should it turn out not to be. Otherwise it is the
//! partition engine, in memory or with temporary files; where the memory is too short even to list
//! these, the sketch if the caller expects at most one line in two hundred to differ; then the
//! engine that spills. [`LineDiff::exact`] leaves out those that rest on a hash.
//!
//! # How likely is a wrong answer?
//!
//! Merging and spilling compare the lines themselves. The other two compare keyed hashes,
//! SipHash-1-3 with 128 bits, under a random key that lives as long as the difference, so nobody
//! can choose lines that do worse than chance.
//!
//! **Partition.** Some 50 bits of each hash are kept. These prove nothing, so the outcome is
//! verified. Lines that agree in them with another of their side are read again and told apart by
//! their whole hashes. All others that agree are one of each side, and for these the sums of the
//! whole hashes, modulo 2¹²⁸, must be the same on both sides; if they are not, different lines were
//! taken for the same, and the next engine takes over. So a wrong answer needs two different
//! collections of lines with the same sum, one chance in 2¹²⁸, or two of the *m* lines read again in
//! doubt with the same hash, at most *m*² / 2¹²⁹: altogether less than 2 × 10⁻²³ for 10⁸ lines, even
//! if all of them are repeated.
//!
//! The next engine has to take over with a chance of about *n* · *d* / 2^(b + p), where *n* lines are
//! on a side, *d* differ, b bits are kept and 2^p partitions made: one in 4,000 for 10⁷ lines of 27
//! bytes of which 2 × 10⁵ differ, one in 200 for 10⁸ and 2 × 10⁶.
//!
//! **Sketch.** What it decodes into is compared byte by byte. A line added and a line removed are
//! missed if they agree in 120 bits: at most *d*² / 2¹²² for *d* differences, 8 × 10⁻²⁷ for 10⁵ of
//! them.

mod diff;
mod error;
mod gather;
mod input;
mod lockstep;
mod partition;
mod plan;
mod prefixed;
mod reader;
mod sample;
mod sketch;
mod snapshot;
mod sorted;
mod spill;
mod task;

pub use diff::{LineDiff, LineReport};
pub use error::{LineError, LinesError};
use error::{size, size_of_side};
pub use input::LineInput;
pub use lockstep::diff_sorted;
pub use plan::Engine;
pub use prefixed::{PrefixedError, PrefixedReader};
pub use reader::{LineBlock, LineReader};
pub use sketch::{ChangesError, SketchChanges, changes_since, sketch_lines};
pub use snapshot::{SnapshotDiff, SnapshotDiffError};
pub use sorted::SortedLines;
pub use task::Progress;
pub(crate) use task::{Meter, Task};
