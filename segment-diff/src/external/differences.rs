use std::ops::ControlFlow;
use std::path::Path;
use std::thread;

use super::{ExternalError, ExternalSorter, SortedRecords};
use crate::merge::{Counts, DiffSink, Membership, MergeError, SortedInput, diff};

/// What was found to differ, in any order and with repetitions, for a sink that is told of it in
/// ascending order and of each key once. Of a repeated key the first record counts.
///
/// Both sorters hold what their side has of it. What differs on both sides has changed.
#[derive(Debug)]
pub(crate) struct Differences {
    added: ExternalSorter,
    removed: ExternalSorter,
}

impl Differences {
    /// Holds at most about `budget` bytes in memory; what exceeds it goes below `directory`.
    pub(crate) fn new(directory: &Path, budget: usize) -> Result<Self, ExternalError> {
        Self::with_values(directory, budget, 0)
    }

    /// As [`new`](Self::new), for records with values of `width` bytes.
    pub(crate) fn with_values(
        directory: &Path,
        budget: usize,
        width: u16,
    ) -> Result<Self, ExternalError> {
        Ok(Self {
            added: ExternalSorter::with_payload(directory, budget / 2, width)?,
            removed: ExternalSorter::with_payload(directory, budget / 2, width)?,
        })
    }

    pub(crate) fn added(&mut self, key: &[u8]) -> Result<(), ExternalError> {
        self.added.push(key)
    }

    pub(crate) fn removed(&mut self, key: &[u8]) -> Result<(), ExternalError> {
        self.removed.push(key)
    }

    pub(crate) fn added_record(&mut self, key: &[u8], value: &[u8]) -> Result<(), ExternalError> {
        self.added.push_record(key, value)
    }

    pub(crate) fn removed_record(&mut self, key: &[u8], value: &[u8]) -> Result<(), ExternalError> {
        self.removed.push_record(key, value)
    }

    /// The two values are different.
    pub(crate) fn changed_record(
        &mut self,
        key: &[u8],
        previous: &[u8],
        current: &[u8],
    ) -> Result<(), ExternalError> {
        self.removed.push_record(key, previous)?;
        self.added.push_record(key, current)
    }

    /// Tells `sink` of keys without values, sorting on up to `threads` threads. The counts are of
    /// those added and removed.
    pub(crate) fn deliver<S: DiffSink<[u8]> + ?Sized>(
        self,
        threads: usize,
        sink: &mut S,
    ) -> Result<ControlFlow<S::Break, Counts>, ExternalError> {
        let (removed, added) = self.sort(threads)?;
        tell(Membership::new(removed), Membership::new(added), sink)
    }

    /// As [`deliver`](Self::deliver), of records with their values; the counts are of those
    /// changed as well.
    pub(crate) fn deliver_records<S: DiffSink<[u8], [u8]> + ?Sized>(
        self,
        threads: usize,
        sink: &mut S,
    ) -> Result<ControlFlow<S::Break, Counts>, ExternalError> {
        let (removed, added) = self.sort(threads)?;
        tell(removed, added, sink)
    }

    fn sort(self, threads: usize) -> Result<(SortedRecords, SortedRecords), ExternalError> {
        if threads < 2 {
            return Ok((self.removed.finish_records()?, self.added.finish_records()?));
        }
        let removed = self.removed.threads(threads / 2);
        let added = self.added.threads(threads - threads / 2);
        thread::scope(|scope| {
            let removed = scope.spawn(|| removed.finish_records());
            let added = added.finish_records();
            let removed = removed.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok((removed?, added?))
        })
    }
}

fn tell<V: Eq + ?Sized, P, C, S>(
    removed: P,
    added: C,
    sink: &mut S,
) -> Result<ControlFlow<S::Break, Counts>, ExternalError>
where
    P: SortedInput<Key = [u8], Version = V, Error = ExternalError>,
    C: SortedInput<Key = [u8], Version = V, Error = ExternalError>,
    S: DiffSink<[u8], V> + ?Sized,
{
    diff(removed, added, sink).map_err(|error| match error {
        MergeError::Previous { source, .. } | MergeError::Current { source, .. } => source,
        MergeError::Unordered { .. } => unreachable!("both were just sorted"),
    })
}
