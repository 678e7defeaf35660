//! Sorting within a memory budget, away from the threads that run futures.

use std::path::Path;

use segment_diff::{
    external::{ExternalError, ExternalSorter, SortedKeys},
    merge::SortedInput,
};
use tokio::task;

use crate::run::error::RunError;

/// Records handed over at a time.
const HANDED_OVER: usize = 8_192;

/// Records of one width, each kept once.
pub(super) struct Sorter<const N: usize> {
    /// `None` only after an error.
    sorter: Option<ExternalSorter>,
    pending: Vec<[u8; N]>,
}

/// The records in ascending order.
pub(super) struct Sorted<const N: usize> {
    keys: Option<SortedKeys>,
}

impl<const N: usize> Sorter<N> {
    pub(super) fn new(directory: &Path, budget: usize) -> Result<Self, RunError> {
        let sorter = ExternalSorter::new(directory, budget).map_err(unsorted)?;
        Ok(Self { sorter: Some(sorter), pending: Vec::with_capacity(HANDED_OVER) })
    }

    pub(super) async fn push(&mut self, record: [u8; N]) -> Result<(), RunError> {
        self.pending.push(record);
        if self.pending.len() < HANDED_OVER { Ok(()) } else { self.hand_over().await }
    }

    pub(super) async fn finish(mut self) -> Result<Sorted<N>, RunError> {
        self.hand_over().await?;
        let sorter = self.sorter.take().ok_or_else(broken_off)?;
        let keys = blocking(move || sorter.finish()).await?;
        Ok(Sorted { keys: Some(keys) })
    }

    async fn hand_over(&mut self) -> Result<(), RunError> {
        let mut sorter = self.sorter.take().ok_or_else(broken_off)?;
        let mut records = std::mem::take(&mut self.pending);
        let handed_over = blocking(move || {
            for record in records.drain(..) {
                sorter.push(&record)?;
            }
            Ok((sorter, records))
        });
        let (sorter, records) = handed_over.await?;
        self.pending = records;
        self.sorter = Some(sorter);
        Ok(())
    }
}

impl<const N: usize> Sorted<N> {
    /// Puts the next records into `records`, replacing its content; `false` at the end.
    pub(super) async fn next_records(
        &mut self,
        records: &mut Vec<[u8; N]>,
    ) -> Result<bool, RunError> {
        let mut keys = self.keys.take().ok_or_else(broken_off)?;
        let mut read = std::mem::take(records);
        let (keys, read) = blocking(move || {
            read.clear();
            while read.len() < HANDED_OVER && keys.advance()? {
                // All of them were pushed with this width.
                read.extend(keys.key().first_chunk::<N>());
            }
            Ok((keys, read))
        })
        .await?;
        self.keys = Some(keys);
        *records = read;
        Ok(!records.is_empty())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ExternalError> + Send + 'static,
) -> Result<T, RunError> {
    match task::spawn_blocking(work).await {
        Ok(done) => done.map_err(unsorted),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(RunError::NotYet("the runtime is shutting down".to_owned())),
    }
}

fn unsorted(error: ExternalError) -> RunError {
    RunError::Stopped(format!(
        "the list could not be compared within the memory and the temporary directory it was \
         given: {error}; nothing was changed"
    ))
}

fn broken_off() -> RunError {
    RunError::Stopped("sorting was broken off before".to_owned())
}
