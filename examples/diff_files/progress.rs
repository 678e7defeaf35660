use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use segment_diff::lines::Progress;

/// A line on the terminal that says how far it is.
pub(super) struct ProgressLine {
    /// The length of both sides is known: of a pipe nobody knows it.
    has_total: bool,
    /// What was shown last, plus one: nothing is shown twice, nor goes back.
    shown: AtomicU64,
}

impl ProgressLine {
    pub(super) fn new(has_total: bool) -> Self {
        Self { has_total, shown: AtomicU64::new(0) }
    }

    pub(super) fn show(&self, progress: Progress) {
        let Progress { done, total, .. } = progress;
        let (figure, unit) = match self.has_total {
            true => (100 * done / total.max(1), "%"),
            false => (done >> 20, "MiB read"),
        };
        if self.shown.fetch_max(figure + 1, Ordering::Relaxed) <= figure {
            // A terminal that cannot be written to is no reason to fail.
            let _ = write!(io::stderr(), "\r{figure} {unit}\x1b[K");
        }
    }

    /// Leaves the terminal as it was, if anything was shown.
    pub(super) fn clear(&self) {
        if self.shown.load(Ordering::Relaxed) > 0 {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
