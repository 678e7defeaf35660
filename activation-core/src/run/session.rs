//! One run in progress: who takes part, what is known, and the writes every step shares.

use std::{fmt, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use segment_diff::Fingerprint;

use super::{
    Engine, LEASE,
    error::RunError,
    journal::{Before, Entry, Journal, NO_BATCH, Record, settled_entry},
    push_down::PushDown,
    tally::Tally,
};
use crate::{
    AbsentMember, Activation, Approval, Approver, Clock, Destination, Event, Exclusions, Head,
    HeldMember, Lease, Ledger, MemberOutcome, Observer, Operation, StateStore, StoreError,
    StoreErrorKind, ledger::LedgerWriter,
};

/// A lease is renewed when so much of it is over.
const RENEW_AFTER: Duration = Duration::from_secs(LEASE.as_secs() / 3);

/// Everything a step of a run needs.
pub(super) struct Session<'a> {
    pub(super) store: &'a dyn StateStore,
    pub(super) clock: &'a dyn Clock,
    pub(super) approver: &'a dyn Approver,
    pub(super) exclusions: &'a dyn Exclusions,
    pub(super) destination: &'a dyn Destination,
    pub(super) activation: &'a Activation,
    pub(super) started_at: DateTime<Utc>,
    pub(super) head: Head,
    pub(super) held: Vec<HeldMember>,
    pub(super) absent: Vec<AbsentMember>,
    pub(super) journal: Journal,
    /// Batches of the approvals that let this run go on; its next commit uses them up.
    pub(super) approved: Vec<u64>,
    /// What a run has in a warehouse that computes the difference; `None` where it reads the segment.
    pub(super) push_down: Option<PushDown>,
    ledger: Option<&'a dyn Ledger>,
    observer: &'a dyn Observer,
    /// `None` in a dry run, which therefore cannot write.
    lease: Option<Lease>,
    renewed_at: DateTime<Utc>,
    last_batch: u64,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        activation: &'a Activation,
        destination: &'a dyn Destination,
        lease: Option<Lease>,
    ) -> Self {
        let now = engine.clock.now();
        Self {
            store: &*engine.store,
            clock: &*engine.clock,
            approver: &*engine.approver,
            exclusions: &*engine.exclusions,
            destination,
            activation,
            started_at: now,
            head: Head::default(),
            held: Vec::new(),
            absent: Vec::new(),
            journal: Journal::default(),
            approved: Vec::new(),
            push_down: None,
            ledger: engine.ledger.as_deref(),
            observer: &*engine.observer,
            lease,
            renewed_at: now,
            last_batch: NO_BATCH,
        }
    }

    pub(super) fn lease(&self) -> Result<&Lease, StoreError> {
        self.lease.as_ref().ok_or_else(|| {
            StoreError::new(StoreErrorKind::Fenced, "a dry run holds no lease and writes nothing")
        })
    }

    /// The ledger's pages for the next commit.
    pub(super) fn ledger(&self) -> Result<LedgerWriter<'a>, StoreError> {
        Ok(LedgerWriter::new(
            self.ledger,
            self.activation.segment(),
            self.lease()?.token,
            self.head.generation + 1,
            self.clock.now(),
        ))
    }

    /// Prolongs the lease when a good part of it is over.
    pub(super) async fn renew(&mut self) -> Result<(), RunError> {
        let now = self.clock.now();
        let due = TimeDelta::from_std(RENEW_AFTER).unwrap_or(TimeDelta::zero());
        if now - self.renewed_at >= due {
            self.store.renew(self.lease()?, now, LEASE).await?;
            self.renewed_at = now;
        }
        Ok(())
    }

    /// As [`renew`](Self::renew); a dry run has nothing to prolong.
    pub(super) async fn renew_if_leased(&mut self) -> Result<(), RunError> {
        if self.lease.is_some() { self.renew().await } else { Ok(()) }
    }

    /// The result of a run, unless it lost its lease on the way: then it may have taken its
    /// follower's work for somebody else's.
    pub(super) async fn unless_overtaken(
        &self,
        result: Result<(), RunError>,
    ) -> Result<(), RunError> {
        match &result {
            Err(error) if !error.is_temporary() => {
                self.store.renew(self.lease()?, self.clock.now(), LEASE).await?;
            }
            _ => {}
        }
        result
    }

    pub(super) async fn release(&self) -> Result<(), RunError> {
        Ok(self.store.release(self.lease()?).await?)
    }

    /// The recorded approval of a plan, if it counts now, with the batches of all that say the same.
    pub(super) fn approval_of(&self, digest: &str) -> Option<(Approval, Vec<u64>)> {
        let approvals = self.journal.approvals.iter();
        let mut approvals = approvals.filter(|(_, approval)| {
            approval.digest == digest && self.started_at < approval.expires_at
        });
        let batches = approvals.clone().map(|(batch, _)| *batch).collect();
        approvals.next_back().map(|(_, approval)| (approval.clone(), batches))
    }

    /// A batch number that no entry of the journal has.
    pub(super) fn next_batch(&mut self) -> u64 {
        self.last_batch = self.journal.next_batch().max(self.last_batch + 1);
        self.last_batch
    }

    pub(super) async fn journal(&self, batch: u64, record: &Record) -> Result<(), RunError> {
        Ok(self.store.append(self.lease()?, record.to_entry(batch)?).await?)
    }

    /// Records what became of a batch, first in the journal, then in the tally.
    pub(super) async fn settled(
        &mut self,
        batch: u64,
        operation: Operation,
        sent_at: DateTime<Utc>,
        outcomes: Vec<(Entry, MemberOutcome)>,
        before: &[Fingerprint],
        tally: &mut Tally,
    ) -> Result<(), RunError> {
        self.store.append(self.lease()?, settled_entry(batch, &outcomes)?).await?;
        self.absorb(batch, operation, sent_at, &outcomes, before, tally).await
    }

    /// Takes settled outcomes into the tally. Members of whom nothing is known stay in the journal
    /// when the batch itself is retired.
    pub(super) async fn absorb(
        &mut self,
        batch: u64,
        operation: Operation,
        sent_at: DateTime<Utc>,
        outcomes: &[(Entry, MemberOutcome)],
        before: &[Fingerprint],
        tally: &mut Tally,
    ) -> Result<(), RunError> {
        let (mut unknown, mut unknown_before) = (Vec::new(), Before::new());
        for (position, (entry, outcome)) in outcomes.iter().enumerate() {
            if matches!(outcome, MemberOutcome::Unknown { .. }) {
                unknown.push(*entry);
                unknown_before.extend(before.get(position));
            }
        }
        if !unknown.is_empty() {
            self.uncertain(operation, sent_at, unknown, unknown_before).await?;
        }
        tally.retired_batches.push(batch);
        tally.settle(operation, outcomes, before);
        let acknowledged = (outcomes.iter())
            .filter(|(_, outcome)| matches!(outcome, MemberOutcome::Acknowledged { .. }))
            .count() as u64;
        let members = outcomes.len() as u64;
        self.observe(&Event::Settled { operation, members, acknowledged });
        Ok(())
    }

    /// Remembers members of whom it is not known whether the service acted.
    pub(super) async fn uncertain(
        &mut self,
        operation: Operation,
        at: DateTime<Utc>,
        members: Vec<Entry>,
        before: Before,
    ) -> Result<(), RunError> {
        let batch = self.next_batch();
        self.journal(batch, &Record::Uncertain { operation, at, members, before }).await
    }

    pub(super) fn observe(&self, event: &Event<'_>) {
        self.observer.on_event(self.activation.segment(), event);
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("activation", &self.activation)
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}
