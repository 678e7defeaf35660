//! Why a run stopped.

use chrono::{DateTime, Utc};

use crate::{
    DestinationError, DestinationErrorKind, ErrorReport, LedgerError, SourceError, StoreError,
    StoreErrorKind,
};

/// Whatever stops a run. What was acknowledged before is kept all the same.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error("the segment could not be read: {}", chain(.0))]
    Source(#[from] SourceError),
    #[error("the state could not be kept: {}", chain(.0))]
    Store(#[from] StoreError),
    #[error("the destination did not do it: {}", chain(.0))]
    Destination(#[from] DestinationError),
    #[error("the ledger could not be kept, and nothing was committed: {}", chain(.0))]
    Ledger(#[from] LedgerError),
    #[error("{0}")]
    Stopped(String),
    #[error("{0}")]
    NotYet(String),
}

impl RunError {
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::Source(error) => error.is_temporary(),
            Self::Store(error) => matches!(
                error.kind,
                StoreErrorKind::Fenced | StoreErrorKind::Moved | StoreErrorKind::Unavailable
            ),
            Self::Destination(error) => error.is_temporary(),
            Self::Ledger(error) => error.is_temporary(),
            Self::Stopped(_) => false,
            Self::NotYet(_) => true,
        }
    }

    /// Whether the destination may have done what it was asked although no answer came.
    pub(super) fn may_have_acted(&self) -> bool {
        match self {
            Self::Destination(error) => error.kind == DestinationErrorKind::Unknown,
            Self::Source(_)
            | Self::Store(_)
            | Self::Ledger(_)
            | Self::Stopped(_)
            | Self::NotYet(_) => false,
        }
    }

    /// When it may work, where the service said so.
    pub(super) fn retry_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Destination(DestinationError {
                kind: DestinationErrorKind::Unavailable { until },
                ..
            }) => *until,
            _ => None,
        }
    }

    pub(super) fn to_report(&self) -> ErrorReport {
        ErrorReport { message: self.to_string(), temporary: self.is_temporary() }
    }
}

/// An error and its causes on one line: a report is often all an operator gets to see.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
