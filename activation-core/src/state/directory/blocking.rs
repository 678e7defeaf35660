//! Blocking work, away from the threads that run futures.

use tokio::task;

use crate::state::{StoreError, StoreErrorKind};

/// Runs `work` where it may block. Dropping the future does not stop work that has begun.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => {
            Err(StoreError::new(StoreErrorKind::Unavailable, "the runtime is shutting down")
                .caused_by(error))
        }
    }
}
