//! People who must not be on the list, whatever the segment says.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{KeyBatch, SegmentSource, SourceError, source::CheckedScan};

/// Who must not be on a list, and why: complaints, opt-outs kept elsewhere, employees, competitors.
///
/// Exclusions subtract from the segment. Somebody excluded is not added; somebody excluded whom this
/// activation put on the list is removed in the next run, like anybody who leaves. Members put there
/// by others stay.
///
/// # Contract
///
/// * Every [`open`](Self::open) starts a fresh scan of everybody who is excluded now. The keys are
///   raw identifiers of the activation's kind; the engine normalises them.
/// * **A scan that ends without an error is complete.** Somebody it leaves out may be added.
#[async_trait]
pub trait Exclusions: fmt::Debug + Send + Sync {
    /// Starts one scan.
    ///
    /// # Errors
    ///
    /// Fails when the exclusions cannot be read. The run then stops: nobody is added who perhaps
    /// must not be.
    async fn open(&self) -> Result<Box<dyn ExclusionScan>, SourceError>;
}

/// One scan of exclusions, in batches.
#[async_trait]
pub trait ExclusionScan: Send {
    /// The next batch; `None` at the end.
    ///
    /// # Errors
    ///
    /// Fails when the scan cannot be completed.
    async fn next_batch(&mut self) -> Result<Option<ExclusionBatch>, SourceError>;
}

/// People excluded for the same reason.
#[derive(Clone, Debug)]
pub struct ExclusionBatch {
    /// Why, as reports shall say it: `complained`, `employee`, … Not about one person.
    pub reason: String,
    /// Their raw identifiers. Whoever stands under several reasons counts under the first.
    pub keys: KeyBatch,
}

/// Excludes nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoExclusions;

/// Exclusions made of segments, each with its reason.
///
/// ```
/// use std::sync::Arc;
///
/// use activation_core::{ExcludedSegments, sources::MemorySource};
///
/// let complained = Arc::new(MemorySource::new(["bo@example.com"]));
/// let exclusions = ExcludedSegments::default().segment("complained", complained);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ExcludedSegments {
    segments: Vec<(String, Arc<dyn SegmentSource>)>,
}

impl ExcludedSegments {
    /// Excludes everybody in `segment` too.
    #[must_use]
    pub fn segment(mut self, reason: impl Into<String>, segment: Arc<dyn SegmentSource>) -> Self {
        self.segments.push((reason.into(), segment));
        self
    }
}

#[async_trait]
impl Exclusions for NoExclusions {
    async fn open(&self) -> Result<Box<dyn ExclusionScan>, SourceError> {
        ExcludedSegments::default().open().await
    }
}

#[async_trait]
impl Exclusions for ExcludedSegments {
    async fn open(&self) -> Result<Box<dyn ExclusionScan>, SourceError> {
        let mut scans = Vec::with_capacity(self.segments.len());
        for (reason, segment) in self.segments.iter().rev() {
            scans.push((reason.clone(), CheckedScan::new(segment.open().await?)));
        }
        Ok(Box::new(SegmentsScan { scans }))
    }
}

#[async_trait]
impl<T: Exclusions + ?Sized> Exclusions for Arc<T> {
    async fn open(&self) -> Result<Box<dyn ExclusionScan>, SourceError> {
        (**self).open().await
    }
}

struct SegmentsScan {
    /// In reverse, so that the next one to read is the last.
    scans: Vec<(String, CheckedScan)>,
}

#[async_trait]
impl ExclusionScan for SegmentsScan {
    async fn next_batch(&mut self) -> Result<Option<ExclusionBatch>, SourceError> {
        while let Some((reason, scan)) = self.scans.last_mut() {
            if let Some(keys) = scan.next_batch().await? {
                return Ok(Some(ExclusionBatch { reason: reason.clone(), keys }));
            }
            self.scans.pop();
        }
        Ok(None)
    }
}
