//! A scan whose rows are read on a blocking thread.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::{sync::mpsc, task};

use crate::{ADVISED_BATCH, KeyBatch, SegmentScan, SourceError};

/// Collects keys and hands them over in batches, waiting while the other side is slow.
pub(super) struct Batches {
    full: KeyBatch,
    sender: mpsc::Sender<Message>,
}

/// Nobody reads the scan any more.
pub(super) struct Abandoned;

/// Why reading stopped early.
pub(super) enum Stop {
    /// Nobody wants the rest.
    Abandoned,
    /// The rows could not be read.
    Failed(SourceError),
}

/// Reads with `read` on a thread of its own until it returns. The scan is complete when it
/// returned `Ok`, and at no other time: a panic is an error too. The rows are those of `as_of`,
/// where that is known.
pub(super) fn scan(
    as_of: Option<DateTime<Utc>>,
    read: impl FnOnce(&mut Batches) -> Result<(), Stop> + Send + 'static,
) -> Box<dyn SegmentScan> {
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    task::spawn_blocking(move || {
        let mut batches = Batches { full: new_batch(), sender };
        let last = match read(&mut batches) {
            Ok(()) => batches.flush().map(|()| Ok(None)),
            Err(Stop::Failed(error)) => Ok(Err(error)),
            Err(Stop::Abandoned) => Err(Abandoned),
        };
        if let Ok(last) = last {
            // An error here means that nobody is interested any more.
            let _ = batches.sender.blocking_send(last);
        }
    });
    Box::new(ThreadScan { as_of, receiver, over: false })
}

/// Runs `work` where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    match task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(SourceError::temporary("the runtime is shutting down").caused_by(error)),
    }
}

impl Batches {
    /// Tells from then on whether nobody reads the scan any more.
    #[cfg(any(feature = "adbc", feature = "sqlite"))]
    pub(super) fn abandonment(&self) -> impl Fn() -> bool + Send + 'static {
        let sender = self.sender.clone();
        move || sender.is_closed()
    }

    /// Adds one key.
    pub(super) fn push(&mut self, key: &[u8]) -> Result<(), Abandoned> {
        self.full.push(key);
        if self.full.len() < ADVISED_BATCH {
            return Ok(());
        }
        self.flush()
    }

    /// Adds one identifier with the key of whom it belongs to.
    pub(super) fn push_keyed(&mut self, identifier: &[u8], key: &[u8]) -> Result<(), Abandoned> {
        self.full.push_keyed(identifier, key);
        if self.full.len() < ADVISED_BATCH {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Abandoned> {
        if self.full.is_empty() {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.full, new_batch());
        self.sender.blocking_send(Ok(Some(batch))).map_err(|_| Abandoned)
    }
}

impl From<Abandoned> for Stop {
    fn from(Abandoned: Abandoned) -> Self {
        Self::Abandoned
    }
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
    }
}

/// As [`SegmentScan::next_batch`] answers.
type Message = Result<Option<KeyBatch>, SourceError>;

struct ThreadScan {
    as_of: Option<DateTime<Utc>>,
    receiver: mpsc::Receiver<Message>,
    over: bool,
}

#[async_trait]
impl SegmentScan for ThreadScan {
    fn as_of(&self) -> Option<DateTime<Utc>> {
        self.as_of
    }

    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        if self.over {
            return Ok(None);
        }
        let message = self.receiver.recv().await.unwrap_or_else(|| {
            Err(SourceError::temporary("the reading thread stopped before the end"))
        });
        self.over = !matches!(message, Ok(Some(_)));
        message
    }
}

fn new_batch() -> KeyBatch {
    KeyBatch::with_capacity(ADVISED_BATCH, ADVISED_BATCH * 24)
}

/// Enough to keep both sides busy.
const BATCHES_AHEAD: usize = 2;
