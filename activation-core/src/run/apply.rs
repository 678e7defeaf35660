//! Sends a plan, batch by batch, and learns what became of it.
//!
//! Every batch is in the journal before it is sent and after it was accepted, so that a run killed
//! anywhere leaves either nothing to find out or somebody to ask.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use segment_diff::Fingerprint;

use super::{
    Session,
    delta::{Change, Move, fingerprint},
    error::RunError,
    journal::{Before, Entry, Record},
    tally::{NOT_ATTEMPTED, Tally},
};
use crate::{
    Batch, BatchMember, CONTACT_NOT_FOUND, DestinationError, DestinationErrorKind, Event,
    MemberOutcome, MemberRef, MissingContacts, Operation, Receipt, Settlement, Submission,
};

/// The first wait before asking about a job again; it doubles up to [`MAX_POLL_WAIT`].
const FIRST_POLL_WAIT: Duration = Duration::from_secs(1);
const MAX_POLL_WAIT: Duration = Duration::from_secs(30);

/// How long one run waits for one job. The job stays in the journal, and the next run asks again.
const PATIENCE: TimeDelta = TimeDelta::hours(1);

/// When a job that never ends is no longer waited for: its outcome counts as unknown.
const STUCK_AFTER: TimeDelta = TimeDelta::hours(24);

/// How many refusals in a row are about what is sent. Halving a batch down to its culprit takes
/// fewer; more mean a right, a quota or a fault that every member would meet.
const MOST_REFUSALS: u32 = 24;

/// A batch the destination is working on.
struct Flight {
    batch: u64,
    sent_at: DateTime<Utc>,
    changes: Vec<Change>,
    receipt: Receipt,
}

/// What came of asking about a job until it ended.
pub(super) enum Verdict {
    /// One outcome for each member.
    Outcomes(Vec<(Entry, MemberOutcome)>),
    /// Failed as a whole; smaller batches may go through.
    Refused(String),
}

/// Applies additions or removals. Outcomes go into the tally, also those before an error.
pub(super) async fn apply(
    session: &mut Session<'_>,
    list_id: u64,
    operation: Operation,
    changes: Vec<Change>,
    tally: &mut Tally,
) -> Result<(), RunError> {
    let before = HashMap::new();
    let queue = VecDeque::from([changes.into()]);
    let work = Work { list_id, operation, before, queue, refusals: 0 };
    work.apply(session, tally).await
}

/// As [`apply`], for moves.
pub(super) async fn apply_moves(
    session: &mut Session<'_>,
    list_id: u64,
    moves: Vec<Move>,
    tally: &mut Tally,
) -> Result<(), RunError> {
    let before = moves.iter().map(|one| (one.change.entry.member, one.before)).collect();
    let changes: VecDeque<Change> = moves.into_iter().map(|one| one.change).collect();
    let queue = VecDeque::from([changes]);
    let work = Work { list_id, operation: Operation::Move, before, queue, refusals: 0 };
    work.apply(session, tally).await
}
struct Work {
    list_id: u64,
    operation: Operation,
    /// For a move, who each member was before.
    before: HashMap<Fingerprint, Fingerprint>,
    /// What is left to send; a refused batch comes back here in two halves.
    queue: VecDeque<VecDeque<Change>>,
    /// Refusals since something was taken.
    refusals: u32,
}

impl Work {
    async fn apply(mut self, session: &mut Session<'_>, tally: &mut Tally) -> Result<(), RunError> {
        let total = self.queue.iter().map(VecDeque::len).sum::<usize>() as u64;
        let settled_before = tally.settled();
        let mut flights = VecDeque::new();
        let result = self.run(session, &mut flights, tally).await;
        // Whatever was neither confirmed nor counted yet was wanted and has not been done.
        let settled = tally.settled() - settled_before;
        if total > settled {
            tally.fail(NOT_ATTEMPTED, total - settled);
        }
        result
    }

    async fn run(
        &mut self,
        session: &mut Session<'_>,
        flights: &mut VecDeque<Flight>,
        tally: &mut Tally,
    ) -> Result<(), RunError> {
        let in_flight = session.destination.limits().in_flight.max(1);
        let mut stop = None;
        loop {
            while stop.is_none() && flights.len() < in_flight {
                let Some(changes) = self.next_batch(session) else { break };
                match self.submit(session, changes, tally).await {
                    Ok(Some(flight)) => flights.push_back(flight),
                    Ok(None) => {}
                    Err(RunError::Store(error)) => return Err(error.into()),
                    // What is under way is still settled before the run stops.
                    Err(error) => stop = Some(error),
                }
            }
            let Some(flight) = flights.pop_front() else { break };
            if let Err(error) = self.settle(session, flight, tally).await {
                match error {
                    RunError::Store(error) => return Err(error.into()),
                    error => stop = stop.or(Some(error)),
                }
            }
        }
        stop.map_or(Ok(()), Err)
    }

    /// Takes from the queue as much as fits into one submission.
    fn next_batch(&mut self, session: &Session<'_>) -> Option<Vec<Change>> {
        let mut changes = self.queue.pop_front()?;
        if changes.is_empty() {
            return self.next_batch(session);
        }
        let most = self.most(session).max(1);
        let members: Vec<BatchMember> = changes.iter().take(most).map(batch_member).collect();
        let size = session.destination.batch_size(self.list_id, self.operation, &members);
        let batch = changes.drain(..size.clamp(1, members.len())).collect();
        self.queue.push_front(changes);
        Some(batch)
    }

    /// For a move, who the members of a batch were before, in their order.
    fn before(&self, changes: &[Change]) -> Before {
        if self.operation != Operation::Move {
            return Before::new();
        }
        let members = changes.iter().map(|change| change.entry.member);
        members.map(|member| self.before.get(&member).copied().unwrap_or(member)).collect()
    }

    fn most(&self, session: &Session<'_>) -> usize {
        let limits = session.destination.limits();
        match (self.operation, session.activation.resolved().missing_contacts) {
            (Operation::Remove, _) => limits.removals,
            (Operation::Move, _) | (Operation::Add, MissingContacts::Create) => limits.additions,
            (Operation::Add, MissingContacts::ExistingOnly) => {
                limits.additions.min(limits.look_ups)
            }
        }
    }

    async fn submit(
        &mut self,
        session: &mut Session<'_>,
        changes: Vec<Change>,
        tally: &mut Tally,
    ) -> Result<Option<Flight>, RunError> {
        let changes = self.existing_only(session, changes, tally).await?;
        if changes.is_empty() {
            return Ok(None);
        }
        session.renew().await?;
        let batch = session.next_batch();
        let sent_at = session.clock.now();
        let (operation, at) = (self.operation, sent_at);
        let members = changes.iter().map(|change| change.entry).collect();
        let before = self.before(&changes);
        session.journal(batch, &Record::Sending { operation, at, members, before }).await?;
        let members = changes.iter().map(batch_member).collect();
        let submission = session
            .destination
            .submit(self.list_id, &Batch { operation: self.operation, members })
            .await;
        if submission.is_ok() {
            let members = changes.len() as u64;
            session.observe(&Event::Submitted { operation: self.operation, members });
        }
        match submission {
            Ok(Submission::Receipt(receipt)) => {
                self.refusals = 0;
                session.journal(batch, &Record::Accepted { receipt: receipt.clone() }).await?;
                Ok(Some(Flight { batch, sent_at, changes, receipt }))
            }
            Ok(Submission::Settled { outcomes, stopped_by }) => {
                let outcomes = in_order(&changes, outcomes);
                let refusal = refused_by_all(&outcomes);
                let before = self.before(&changes);
                session.settled(batch, self.operation, sent_at, outcomes, &before, tally).await?;
                match refusal {
                    Some(code) => self.count_refusal(&code)?,
                    None => self.refusals = 0,
                }
                stopped_by.map_or(Ok(None), |error| Err(error.into()))
            }
            Err(error) => self.not_submitted(session, batch, changes, error, tally).await,
        }
    }

    /// Under "existing contacts only", looks up who is a contact and sets the others aside. The
    /// batch then goes by contact id, which never creates anybody.
    async fn existing_only(
        &self,
        session: &Session<'_>,
        changes: Vec<Change>,
        tally: &mut Tally,
    ) -> Result<Vec<Change>, RunError> {
        let policy = session.activation.resolved().missing_contacts;
        if self.operation != Operation::Add || policy == MissingContacts::Create {
            return Ok(changes);
        }
        let (known, unknown): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| change.entry.contact.is_some());
        let identifiers: Vec<_> =
            unknown.iter().filter_map(|change| change.identifier.clone()).collect();
        let contacts = session.destination.find_contacts(&identifiers).await?;
        let mut existing = known;
        for (mut change, contact) in unknown.into_iter().zip(contacts) {
            match contact {
                Some(contact) => {
                    change.entry.contact = Some(contact);
                    existing.push(change);
                }
                None => tally.hold(change.entry.member, CONTACT_NOT_FOUND.to_owned()),
            }
        }
        Ok(existing)
    }

    /// A submission that brought no receipt.
    async fn not_submitted(
        &mut self,
        session: &mut Session<'_>,
        batch: u64,
        changes: Vec<Change>,
        error: DestinationError,
        tally: &mut Tally,
    ) -> Result<Option<Flight>, RunError> {
        if error.kind == DestinationErrorKind::Unknown {
            // The journal says that it was being sent: its members count as uncertain.
            return Err(error.into());
        }
        tally.retired_batches.push(batch);
        let entries: Vec<Entry> = changes.iter().map(|change| change.entry).collect();
        let code = match &error.kind {
            DestinationErrorKind::Refused { code } => Some(code.clone()),
            _ => None,
        };
        let cause = code.clone().unwrap_or_else(|| "not_sent".to_owned());
        let outcomes = same_for_all(&entries, &MemberOutcome::Retry { cause });
        session.journal(batch, &Record::Settled { outcomes }).await?;
        let Some(code) = code else { return Err(error.into()) };
        self.refused(changes, &code, tally);
        self.count_refusal(&code)?;
        Ok(None)
    }

    fn count_refusal(&mut self, code: &str) -> Result<(), RunError> {
        self.refusals += 1;
        if self.refusals < MOST_REFUSALS {
            return Ok(());
        }
        Err(RunError::Stopped(format!(
            "the destination refuses whatever it is sent ({code}); look into rights, quotas and \
             configuration, and run again"
        )))
    }

    /// Halves a refused batch until the member that spoils it stands alone.
    fn refused(&mut self, mut changes: Vec<Change>, code: &str, tally: &mut Tally) {
        if let [change] = &changes[..] {
            let outcome = MemberOutcome::Hold { cause: code.to_owned() };
            let before = self.before(&changes);
            tally.settle(self.operation, &[(change.entry, outcome)], &before);
        } else {
            let second = changes.split_off(changes.len() / 2);
            self.queue.push_front(second.into());
            self.queue.push_front(changes.into());
        }
    }

    async fn settle(
        &mut self,
        session: &mut Session<'_>,
        flight: Flight,
        tally: &mut Tally,
    ) -> Result<(), RunError> {
        let Flight { batch, sent_at, changes, receipt } = flight;
        let entries: Vec<Entry> = changes.iter().map(|change| change.entry).collect();
        let before = self.before(&changes);
        match ask(session, &receipt, sent_at, &entries, PATIENCE).await? {
            Verdict::Outcomes(outcomes) => {
                let misconfigured = misconfigured(&outcomes);
                session.settled(batch, self.operation, sent_at, outcomes, &before, tally).await?;
                misconfigured.map_or(Ok(()), Err)
            }
            Verdict::Refused(code) => {
                // It may have acted on some. The halves repeat it, which changes nothing for them.
                session.uncertain(self.operation, sent_at, entries, before).await?;
                tally.retired_batches.push(batch);
                self.refused(changes, &code, tally);
                Ok(())
            }
        }
    }
}

/// Asks about a job until it ends, or patience does.
pub(super) async fn ask(
    session: &mut Session<'_>,
    receipt: &Receipt,
    sent_at: DateTime<Utc>,
    entries: &[Entry],
    patience: TimeDelta,
) -> Result<Verdict, RunError> {
    let started = session.clock.now();
    let mut wait = FIRST_POLL_WAIT;
    loop {
        session.renew().await?;
        let settlement = session.destination.settle(receipt).await?;
        let now = session.clock.now();
        match settlement {
            Settlement::All(outcome) => {
                return Ok(Verdict::Outcomes(same_for_all(entries, &outcome)));
            }
            Settlement::Each(members) => {
                return Ok(Verdict::Outcomes(match_members(session, entries, members)));
            }
            Settlement::Refused { code } => return Ok(Verdict::Refused(code)),
            Settlement::Pending if now - sent_at > STUCK_AFTER => {
                let outcome = MemberOutcome::Unknown { cause: "job_never_ended".to_owned() };
                return Ok(Verdict::Outcomes(same_for_all(entries, &outcome)));
            }
            Settlement::Pending if now - started > patience => {
                return Err(RunError::NotYet(format!(
                    "the service is still working on job {}; the next run goes on from there",
                    receipt.id
                )));
            }
            Settlement::Pending => {
                session.clock.sleep(wait).await;
                wait = (wait * 2).min(MAX_POLL_WAIT);
            }
        }
    }
}

/// Brings the service's answer, which names members its own way, into the order of the batch.
fn match_members(
    session: &Session<'_>,
    entries: &[Entry],
    answer: Vec<(MemberRef, MemberOutcome)>,
) -> Vec<(Entry, MemberOutcome)> {
    let key = session.store.fingerprint_key();
    let kind = session.activation.resolved().identifier;
    let mut by_member = HashMap::new();
    let mut by_contact = HashMap::new();
    for (member, outcome) in answer {
        match member {
            // A contact's number may read like somebody else's mobile number.
            MemberRef::Identifier(identifier) if identifier.kind() != kind => {}
            MemberRef::Identifier(identifier) => {
                by_member.insert(fingerprint(key, &identifier), outcome);
            }
            MemberRef::Contact(contact) => {
                by_contact.insert(contact, outcome);
            }
        }
    }
    let outcome_of = |entry: &Entry| {
        by_member
            .get(&entry.member)
            .or_else(|| by_contact.get(&entry.contact?))
            .cloned()
            .unwrap_or_else(not_reported)
    };
    entries.iter().map(|entry| (*entry, outcome_of(entry))).collect()
}

/// The code of a settled batch that was refused member by member.
fn refused_by_all(outcomes: &[(Entry, MemberOutcome)]) -> Option<String> {
    let mut codes = outcomes.iter().map(|(_, outcome)| match outcome {
        MemberOutcome::Hold { cause } | MemberOutcome::Conflict { cause } => Some(cause),
        _ => None,
    });
    let first = codes.next()??.clone();
    codes.all(|code| code.is_some()).then_some(first)
}

/// Why no further batch is sent after this one.
fn misconfigured(outcomes: &[(Entry, MemberOutcome)]) -> Option<RunError> {
    outcomes.iter().find_map(|(_, outcome)| match outcome {
        MemberOutcome::Misconfigured { cause } => Some(RunError::Stopped(format!(
            "the destination refuses members for a reason that concerns all of them ({cause}); \
             look at the list and at the kind of identifier in the configuration, and run again"
        ))),
        _ => None,
    })
}

fn same_for_all(entries: &[Entry], outcome: &MemberOutcome) -> Vec<(Entry, MemberOutcome)> {
    entries.iter().map(|entry| (*entry, outcome.clone())).collect()
}

fn not_reported() -> MemberOutcome {
    MemberOutcome::Unknown { cause: "not_in_the_services_report".to_owned() }
}

fn in_order(changes: &[Change], outcomes: Vec<MemberOutcome>) -> Vec<(Entry, MemberOutcome)> {
    let outcomes = outcomes.into_iter().chain(std::iter::repeat_with(not_reported));
    changes.iter().map(|change| change.entry).zip(outcomes).collect()
}

fn batch_member(change: &Change) -> BatchMember {
    BatchMember { identifier: change.identifier.clone(), contact: change.entry.contact }
}
