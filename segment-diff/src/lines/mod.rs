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
//! | [`Partition`](Engine::Partition) | inputs below 1 TiB that can be read again | once, and what differs again | about 16 bytes a line | yes |
//! | [`Sketch`](Engine::Sketch) | few differences; inputs that can be read again | twice | about 100 bytes a difference | yes |
//! | [`Spill`](Engine::Spill) | nothing | once | the budget; beyond it temporary files of about the inputs' size | no |
//!
//! Unless told which to use, [`LineDiff`] looks into a few places of both inputs. What looks sorted
//! is merged, and compared in another way should it turn out not to be. Otherwise it is the
//! partition engine where the memory suffices; then the sketch if the caller expects at most one
//! line in two hundred to differ; then the engine that spills. [`LineDiff::exact`] leaves out those
//! that rest on a hash.
//!
//! # How likely is a wrong answer?
//!
//! Merging and spilling compare the lines themselves. The other two compare keyed hashes,
//! SipHash-1-3 with 128 bits, under a random key that lives as long as the difference, so nobody
//! can choose lines that do worse than chance.
//!
//! **Partition.** Two different lines are taken for the same if they agree in the 88 bits that are
//! kept and in the p bits that chose one of 2ᵖ partitions. A line that differs is missed only if
//! it agrees so with another. With *n* different lines in all, *d* of them only on one side, the
//! chance that any is missed is at most *n* · *d* / 2^(88 + p):
//!
//! | lines a side | differing a side | n · d | p | chance |
//! |---|---|---|---|---|
//! | 10⁶ | 10⁴ | 10⁶ · 2 × 10⁴ | 6 | 2 × 10¹⁰ / 2⁹⁴ ≈ 1 × 10⁻¹⁸ |
//! | 10⁷ | 10⁵ | 10⁷ · 2 × 10⁵ | 9 | 2 × 10¹² / 2⁹⁷ ≈ 1 × 10⁻¹⁷ |
//! | 10⁸ | 10⁶ | 10⁸ · 2 × 10⁶ | 12 | 2 × 10¹⁴ / 2¹⁰⁰ ≈ 2 × 10⁻¹⁶ |
//! | 10⁸ | 10⁸ | 2 × 10⁸ · 2 × 10⁸ | 12 | 4 × 10¹⁶ / 2¹⁰⁰ ≈ 3 × 10⁻¹⁴ |
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
