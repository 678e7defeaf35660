//! What a host may watch while a run goes on, and where it decides.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{Operation, Plan, Trip};

/// Watches runs, for progress and metrics. Called between steps; should return quickly.
pub trait Observer: fmt::Debug + Send + Sync {
    /// Something happened in the run of `segment`.
    fn on_event(&self, segment: &str, event: &Event<'_>);
}

/// A step of a run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The segment was read and compared.
    Planned(&'a Plan),
    /// A batch was handed to the destination.
    Submitted {
        /// What it does.
        operation: Operation,
        /// How many members it holds.
        members: u64,
    },
    /// The destination told what became of a batch.
    Settled {
        /// What it did.
        operation: Operation,
        /// How many members it held.
        members: u64,
        /// How many of them are confirmed.
        acknowledged: u64,
    },
    /// The new membership is safe.
    Committed {
        /// The state's generation.
        generation: u64,
    },
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn on_event(&self, _segment: &str, _event: &Event<'_>) {}
}

impl<T: Observer + ?Sized> Observer for Arc<T> {
    fn on_event(&self, segment: &str, event: &Event<'_>) {
        (**self).on_event(segment, event);
    }
}

/// Decides about plans at which the guard tripped.
#[async_trait]
pub trait Approver: fmt::Debug + Send + Sync {
    /// Whether exactly this plan may go on in spite of `reasons`.
    async fn approves(&self, plan: &Plan, reasons: &[Trip]) -> bool;
}

/// Approves nothing: every trip of the guard stops the run.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApproveNothing;

#[async_trait]
impl Approver for ApproveNothing {
    async fn approves(&self, _plan: &Plan, _reasons: &[Trip]) -> bool {
        false
    }
}

/// Approves the one plan with this digest.
#[derive(Clone, Debug)]
pub struct ApproveDigest(
    /// The digest, as a report showed it.
    pub String,
);

#[async_trait]
impl Approver for ApproveDigest {
    async fn approves(&self, plan: &Plan, _reasons: &[Trip]) -> bool {
        plan.digest == self.0
    }
}
