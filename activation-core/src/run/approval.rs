//! Approvals that outlive the process that gave them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Engine,
    error::RunError,
    held::report,
    journal::{Journal, Record},
};
use crate::{Activation, Approval, ErrorReport, Lease, StateStore, plan::is_digest};

impl Engine {
    /// Records in the state that the plan with this digest may go on although the guard trips at it.
    /// The next [`run`](Self::run) or [`apply`](Self::apply) that would do exactly this plan does
    /// it, once, in whatever process, until `valid_for` is over. `by` and `reason` stand in its
    /// report.
    ///
    /// # Errors
    ///
    /// Fails, recording nothing, when `digest` is none, when a run is under way, and when the state
    /// cannot be read or written.
    pub async fn approve(
        &self,
        activation: &Activation,
        digest: &str,
        by: &str,
        reason: &str,
        valid_for: Duration,
    ) -> Result<Approval, ErrorReport> {
        if !is_digest(digest) {
            let message = format!("\"{digest}\" is not the digest of a plan; nothing was approved");
            return Err(RunError::Stopped(message).to_report());
        }
        let now = self.clock.now();
        let approval = Approval {
            digest: digest.to_owned(),
            by: by.to_owned(),
            reason: reason.to_owned(),
            approved_at: now,
            expires_at: end(now, valid_for),
        };
        let lease = self.lease(activation).await?;
        let recorded = record(&*self.store, &lease, approval.clone()).await;
        let released = self.store.release(&lease).await.map_err(report);
        recorded.map_err(|error| error.to_report())?;
        released.map(|()| approval)
    }

    /// The recorded approvals that count now. Changes nothing.
    ///
    /// # Errors
    ///
    /// Fails when the state cannot be read.
    pub async fn approvals(&self, activation: &Activation) -> Result<Vec<Approval>, ErrorReport> {
        let state = self.store.load(&activation.key()).await.map_err(report)?;
        let journal = Journal::replay(&state.journal).map_err(report)?;
        let now = self.clock.now();
        let approvals = journal.approvals.into_iter().map(|(_, approval)| approval);
        Ok(approvals.filter(|approval| now < approval.expires_at).collect())
    }
}

async fn record(store: &dyn StateStore, lease: &Lease, approval: Approval) -> Result<(), RunError> {
    let state = store.load(&lease.activation).await?;
    let batch = Journal::replay(&state.journal)?.next_batch();
    Ok(store.append(lease, Record::Approved { approval }.to_entry(batch)?).await?)
}

fn end(now: DateTime<Utc>, valid_for: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(valid_for)
        .ok()
        .and_then(|valid_for| now.checked_add_signed(valid_for))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
