use std::fmt;
use std::io::Read;

use super::LineError;
use super::lockstep::{BLOCK, Window};
use crate::merge::SortedInput;
use crate::snapshot::MAX_KEY;

/// The lines of a sorted file as an input of [`merge::diff`](crate::merge::diff()).
///
/// For the difference of two line files [`diff_sorted`](super::diff_sorted) is faster: this is for
/// comparing lines with something else, as with a snapshot.
///
/// Memory is about 2.5 MiB. Reading is in blocks of 256 KiB: no further buffering is needed. Empty
/// lines are ignored.
///
/// ```
/// use segment_diff::lines::SortedLines;
/// use segment_diff::merge::{CountOnly, byte_keys, diff};
///
/// let current = SortedLines::new("bo\ncy\n".as_bytes());
/// let flow = diff(byte_keys(["ada", "bo"]), current, &mut CountOnly)?;
/// # let std::ops::ControlFlow::Continue(counts) = flow;
/// assert_eq!((counts.added, counts.removed, counts.unchanged), (1, 1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SortedLines<R> {
    window: Window<R>,
}

impl<R: Read> SortedLines<R> {
    /// Reads the lines of `inner`, up to [`MAX_KEY`] bytes each.
    pub fn new(inner: R) -> Self {
        Self { window: Window::new(inner, 0, BLOCK, MAX_KEY) }
    }
}

impl<R: Read> SortedInput for SortedLines<R> {
    type Key = [u8];
    type Version = ();
    type Error = LineError;

    fn advance(&mut self) -> Result<bool, LineError> {
        self.window.drop_ahead();
        self.window.find()
    }

    fn key(&self) -> &[u8] {
        self.window.ahead()
    }

    fn version(&self) -> &() {
        &()
    }
}

/// Says that it is one, and no line.
impl<R> fmt::Debug for SortedLines<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SortedLines").finish_non_exhaustive()
    }
}
