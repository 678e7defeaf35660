use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes of a memory budget that are left, for several threads.
#[derive(Debug)]
pub(crate) struct Room(AtomicUsize);

/// The memory budget does not suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Room {
    pub(crate) const fn new(bytes: usize) -> Self {
        Self(AtomicUsize::new(bytes))
    }

    /// Takes `bytes` for an allocation to come.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Exhausted> {
        let less = |left: usize| left.checked_sub(bytes);
        match self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
            Ok(_) => Ok(()),
            Err(_) => Err(Exhausted),
        }
    }

    /// Gives back what an allocation held that is no more.
    pub(crate) fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
