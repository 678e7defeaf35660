//! Bulk imports: submit, ask, wait.

mod body;
mod report;

use std::time::Duration;

use serde::Deserialize;

use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::Error,
    ids::ImportId,
    limits::Tier,
    retry::doubled,
    wait::between,
};

pub use body::{ImportBody, ImportContact, ImportContactError, ImportLimits, MergeOption, Pushed};
pub use report::{
    FailureCode, FailureDetail, ImportFailure, ImportState, ImportStatus, ImportSummary,
    ImportedContact,
};

const STATUS_ENDPOINT: &str = "GET /contacts/v3/import/{importId}";

/// How often to ask about a job, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollPolicy {
    /// The wait before the first question and after it; it doubles from then on.
    pub base: Duration,
    /// The longest wait between two questions.
    pub cap: Duration,
    /// How long to go on. The vendor states no bound for a job's length.
    pub give_up_after: Duration,
}

impl Default for PollPolicy {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(30),
            give_up_after: Duration::from_secs(2 * 3600),
        }
    }
}

/// Calls about imports. From [`Client::imports`].
#[derive(Clone, Debug)]
pub struct Imports {
    client: Client,
}

impl Imports {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Hands in contacts to create or update, and returns at once. Repeated only when it cannot
    /// have been acted on: a second job would do the same work again.
    ///
    /// An account may have 25 imports at work. When it has, this waits for a free slot as long
    /// as [`LimitSettings::slot_wait`](crate::LimitSettings) allows.
    ///
    /// `PUT /contacts/v3/import` (tier: low)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SlotsFull`](crate::ErrorKind::SlotsFull) when no slot came free, and
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before sending for an empty body.
    pub async fn submit(&self, body: &ImportBody) -> Result<ImportId, Error> {
        let call = submit_call(body)?;
        let submitted: Submitted = decode::json(&call, &self.client.send(&call).await?)?;
        Ok(submitted.import_id)
    }

    /// How far an import has come and, once it has ended, what became of each contact.
    ///
    /// `GET /contacts/v3/import/{importId}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the service does not know the
    /// import (any more).
    pub async fn status(&self, import: &ImportId) -> Result<ImportStatus, Error> {
        let call = status_call(import);
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Asks about an import until it has ended. Dropping the future leaves the import at work.
    ///
    /// `GET /contacts/v3/import/{importId}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::GaveUp`](crate::ErrorKind::GaveUp) when it takes longer than `policy` allows,
    /// and as [`status`](Self::status) does.
    pub async fn wait(
        &self,
        import: &ImportId,
        policy: &PollPolicy,
    ) -> Result<ImportStatus, Error> {
        let clock = self.client.clock();
        let started = clock.now();
        let mut round = 1;
        loop {
            let left = policy.give_up_after.saturating_sub(between(started, clock.now()));
            if left.is_zero() {
                return Err(Error::gave_up(STATUS_ENDPOINT));
            }
            clock.sleep(doubled(policy.base, round, policy.cap).min(left)).await;
            let status = self.status(import).await?;
            if status.state.is_terminal() {
                return Ok(status);
            }
            round += 1;
        }
    }
}

#[derive(Deserialize)]
struct Submitted {
    #[serde(rename = "importId")]
    import_id: ImportId,
}

fn submit_call(body: &ImportBody) -> Result<Call, Error> {
    const ENDPOINT: &str = "PUT /contacts/v3/import";
    if body.is_empty() {
        return Err(Error::refused(ENDPOINT, "an import needs at least one contact"));
    }
    let call = Call::new(ENDPOINT, Tier::Low, Repeat::ActsAgain);
    Ok(call.taking_slot().bytes(body.bytes()))
}

fn status_call(import: &ImportId) -> Call {
    Call::read(STATUS_ENDPOINT, Tier::Unlimited).arg(import)
}
