use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ReadAt;
use crate::merge::Side;

/// What every engine is given.
pub(crate) struct Task<'a> {
    pub(crate) previous: &'a dyn ReadAt,
    pub(crate) current: &'a dyn ReadAt,
    /// Bytes for everything the engine allocates, buffers included.
    pub(crate) memory: usize,
    /// At least 1.
    pub(crate) threads: usize,
    /// An existing directory for temporary files.
    pub(crate) directory: &'a Path,
    pub(crate) meter: &'a Meter<'a>,
}

impl<'a> Task<'a> {
    pub(crate) fn side(&self, side: Side) -> &'a dyn ReadAt {
        match side {
            Side::Previous => self.previous,
            Side::Current => self.current,
        }
    }
}

/// Counts what was read and tells whoever wants to know.
pub(crate) struct Meter<'a> {
    done: AtomicU64,
    total: AtomicU64,
    observer: Option<&'a (dyn Fn(Progress) + Sync)>,
}

impl<'a> Meter<'a> {
    pub(crate) const fn new(observer: Option<&'a (dyn Fn(Progress) + Sync)>) -> Self {
        Self { done: AtomicU64::new(0), total: AtomicU64::new(0), observer }
    }

    /// Announces `bytes` more to be read, by an engine that begins a pass.
    pub(crate) fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes that nothing more will be read of what was announced, because an engine gave up.
    pub(crate) fn give_up(&self) {
        self.total.store(self.done.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Notes that `bytes` were read; once for each block.
    pub(crate) fn read(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if let Some(observer) = self.observer {
            observer(Progress { done, total: self.total.load(Ordering::Relaxed) });
        }
    }
}

/// How far a difference is, in bytes read from inputs and temporary files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Progress {
    /// Bytes read so far.
    pub done: u64,
    /// Bytes to be read, as far as is known; it grows when a further pass turns out necessary.
    pub total: u64,
}
