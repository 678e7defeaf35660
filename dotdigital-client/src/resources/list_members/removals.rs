//! Taking any number of contacts off a list, batch by batch.

use std::fmt;

use super::{ContactIds, ListMembers, RemovalState};
use crate::{
    error::Error,
    ids::{ContactId, RemovalJobId},
    polling::PollPolicy,
};

/// A removal of any number of contacts, done batch by batch. From
/// [`ListMembers::remove_in_batches`].
///
/// A batch that failed does not stop those after it; stop asking for batches to stop. A dropped
/// future leaves what became of its batch unknown and its job at work.
#[must_use = "nothing is removed before batches are asked for"]
pub struct Removals<I> {
    members: ListMembers,
    contacts: I,
    policy: PollPolicy,
}

/// What became of one batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct RemovedBatch {
    /// The contacts of the batch.
    pub contacts: ContactIds,
    /// The job that removes them; `None` when the service did not say that it had taken it on.
    pub job: Option<RemovalJobId>,
    /// How the job ended, or why that is not known. After
    /// [`ErrorKind::GaveUp`](crate::ErrorKind::GaveUp) the job may be asked about again.
    pub outcome: Result<RemovalState, Error>,
}

impl RemovedBatch {
    /// Whether the service says that all contacts of the batch are off the list.
    pub fn is_completed(&self) -> bool {
        matches!(self.outcome, Ok(RemovalState::Completed))
    }
}

impl<I: Iterator<Item = ContactId>> Removals<I> {
    pub(super) fn new(members: ListMembers, contacts: I, policy: PollPolicy) -> Self {
        Self { members, contacts, policy }
    }

    /// Removes the next batch and waits for its job, or `None` when there are no more contacts.
    pub async fn next_batch(&mut self) -> Option<RemovedBatch> {
        let batch = self.contacts.by_ref().take(ContactIds::MOST).collect();
        // Not too many, so the only thing wrong with them can be that there are none.
        let contacts = ContactIds::new(batch).ok()?;
        let job = match self.members.remove_many(&contacts).await {
            Ok(job) => job.id,
            Err(error) => return Some(RemovedBatch { contacts, job: None, outcome: Err(error) }),
        };
        let outcome = self.members.wait(&job, &self.policy).await;
        Some(RemovedBatch { contacts, job: Some(job), outcome })
    }
}

impl<I> fmt::Debug for Removals<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Removals")
            .field("members", &self.members)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
