//! The difference of sorted line files, both of which are looked at only once.
//!
//! Stretches that are the same on both sides are compared many bytes at a time, and their lines
//! are looked at only to see that they ascend. Where the sides differ, a few lines are compared
//! one by one.

mod parallel;
mod part;
mod probe;
mod relay;
mod seams;
mod stream;
mod window;

use std::io::Read;
use std::ops::ControlFlow;

use parallel::Sizes;
use part::Part;
pub(super) use window::Window;

use super::{LinesError, Task, size_of_side};
use crate::merge::{Counts, DiffSink, Side};
use crate::snapshot::MAX_KEY;

/// Tells `sink` how the lines of `current` differ from those of `previous`, both sorted by their
/// bytes.
///
/// Takes one pass and about 5 MiB, and reads in blocks of 256 KiB: no further buffering is needed.
/// Empty lines are ignored, repeated ones count once, and the last one may lack its line feed. The
/// sink is not told of [unchanged](DiffSink::unchanged) lines.
///
/// Returns the counts, or what the sink broke off with.
///
/// # Errors
///
/// Fails when reading fails, when a line is longer than [`MAX_KEY`], and when the lines of a side
/// do not ascend, even where both sides are the same. The sink may have been told about smaller
/// keys by then.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use segment_diff::lines::diff_sorted;
/// use segment_diff::merge::MarkedLines;
///
/// let (previous, current) = ("ada\nbo\n", "bo\ncy\n");
/// let mut sink = MarkedLines::new(Vec::new());
/// let ControlFlow::Continue(counts) =
///     diff_sorted(previous.as_bytes(), current.as_bytes(), &mut sink)?
/// else {
///     unreachable!("writing to a vector does not fail");
/// };
/// assert_eq!(counts.unchanged, 1);
/// assert_eq!(sink.into_inner(), b"-ada\n+cy\n");
/// # Ok::<(), segment_diff::lines::LinesError>(())
/// ```
pub fn diff_sorted<S: DiffSink<[u8]> + ?Sized>(
    previous: impl Read,
    current: impl Read,
    sink: &mut S,
) -> Result<ControlFlow<S::Break, Counts>, LinesError> {
    let mut previous = Window::new(previous, 0, BLOCK, MAX_KEY);
    let mut current = Window::new(current, 0, BLOCK, MAX_KEY);
    stream::merge(&mut previous, &mut current, sink)
}

/// As [`diff_sorted`], within `memory` bytes. The longest line is as that of [`run`].
pub(super) fn run_once<S: DiffSink<[u8]> + ?Sized>(
    previous: impl Read,
    current: impl Read,
    memory: usize,
    sink: &mut S,
) -> Result<ControlFlow<S::Break, Counts>, LinesError> {
    let Sizes { block, limit, .. } = Sizes::within(memory, 1);
    let mut previous = Window::new(previous, 0, block, limit);
    let mut current = Window::new(current, 0, block, limit);
    stream::merge(&mut previous, &mut current, sink)
}

/// As [`diff_sorted`], on several threads.
///
/// The longest line is a sixteenth of the memory, at most [`MAX_KEY`].
pub(crate) fn run<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    sink: &mut S,
) -> Result<ControlFlow<S::Break, Counts>, LinesError> {
    run_in(task, Sizes::within(task.memory, task.threads), sink)
}

fn run_in<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    mut sizes: Sizes,
    sink: &mut S,
) -> Result<ControlFlow<S::Break, Counts>, LinesError> {
    let ends =
        [size_of_side(task.previous, Side::Previous)?, size_of_side(task.current, Side::Current)?];
    task.meter.expect(ends[0] + ends[1]);
    let pieces = usize::try_from(ends[0].max(ends[1]).div_ceil(sizes.step)).unwrap_or(usize::MAX);
    sizes.threads = sizes.threads.min(pieces);
    if sizes.threads > 1 {
        return parallel::run(task, ends, sizes, sink);
    }
    let window = |source, end| {
        Window::new(Part::new(source, 0..end, task.meter), 0, sizes.block, sizes.limit)
    };
    let (mut previous, mut current) =
        (window(task.previous, ends[0]), window(task.current, ends[1]));
    stream::merge(&mut previous, &mut current, sink)
}

/// Large enough to make a read cheap, small enough for the second-level cache.
pub(super) const BLOCK: usize = 256 << 10;

#[cfg(test)]
mod tests;
