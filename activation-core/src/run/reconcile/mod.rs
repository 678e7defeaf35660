//! Reconciliation: whether the list still is what our record says, and putting the record right.
//!
//! Reads the list, which a run does not, so it belongs on a slower schedule. It changes nobody's
//! membership: a repair moves our record, and the next run does what follows from it.

mod drift;
mod recorded_keys;
mod report;
mod sides;
mod sorter;

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use chrono::{SubsecRound, TimeDelta};
use segment_diff::Fingerprint;

pub use self::{drift::Drift, report::ReconcileReport};
use self::{
    drift::{Verdict, judge},
    recorded_keys::RecordedKeys,
    sides::{Member, Sides},
};
use super::{
    Engine, Session, commit, error::RunError, excluded::Excluded, journal::Journal,
    membership::MembershipWriter, recover,
};
use crate::{
    Activation, Destination, HeldMember, ListPin, ListState, MembershipChange, RunReport,
    RunStatus, SegmentSource, ledger::LedgerWriter, report::VANISHED,
};

/// How to reconcile.
#[derive(Clone, Debug)]
#[must_use]
pub struct Reconciliation {
    mode: ReconcileMode,
    memory: usize,
    directory: PathBuf,
}

/// What comes of the drift that is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReconcileMode {
    /// It is reported; nothing is changed anywhere.
    Report,
    /// Our record is put right. The list is changed by the next run.
    Repair,
    /// Our record is made anew from the list and the segment, where it was lost: whoever is on the
    /// list and in the segment is ours from then on, everybody else stays on the list as a foreign
    /// member. Removes nobody. Uses the list of the activation's name whoever is on it. What is left
    /// of the record is used.
    Rebuild,
}

/// Enough for some millions of members without temporary files.
const MEMORY: usize = 64 << 20;

impl Reconciliation {
    /// Only reports.
    pub fn report() -> Self {
        Self::new(ReconcileMode::Report)
    }

    /// Puts our record right.
    pub fn repair() -> Self {
        Self::new(ReconcileMode::Repair)
    }

    /// Makes a lost record anew.
    pub fn rebuild() -> Self {
        Self::new(ReconcileMode::Rebuild)
    }

    /// Sets about how many bytes of memory are used for comparing, whatever the size of the list; 64
    /// MiB by default. What exceeds them goes to temporary files.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Sets the existing directory for temporary files; the system's by default. They hold
    /// fingerprints and contact ids, no addresses.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    fn new(mode: ReconcileMode) -> Self {
        Self { mode, memory: MEMORY, directory: std::env::temp_dir() }
    }
}

impl Engine {
    /// Compares our record, the segment and the list, three ways, in bounded memory.
    ///
    /// A report changes nothing and may go on beside a run; it is [`Busy`](RunStatus::Busy) when a
    /// run moved the state meanwhile. A repair is alone like a run. Members whose batch the service
    /// is still working on, or of whom a run does not know yet, are left to the runs.
    ///
    /// When more members have vanished than the guard lets a run remove, a repair is
    /// [`Blocked`](RunStatus::Blocked): a list that is read as empty looks the same. Raise the
    /// guard's limits for this one repair if it is true.
    ///
    /// Somebody who vanished and is wanted is added again by the next run. When she vanishes once
    /// more, she is held with the cause `vanished`.
    #[tracing::instrument(skip_all, fields(segment = activation.segment()))]
    pub async fn reconcile(
        &self,
        activation: &Activation,
        source: &dyn SegmentSource,
        destination: &dyn Destination,
        how: &Reconciliation,
    ) -> ReconcileReport {
        let mut report = ReconcileReport::new(activation, how.mode, self.clock.now());
        let calls = destination.calls();
        let result = self.reconcile_alone(activation, source, destination, how, &mut report).await;
        if let Err(error) = result {
            report.stop(error.to_report());
        }
        report.calls = super::calls_since(&calls, destination);
        report.finished_at = self.clock.now();
        report
    }

    async fn reconcile_alone(
        &self,
        activation: &Activation,
        source: &dyn SegmentSource,
        destination: &dyn Destination,
        how: &Reconciliation,
        report: &mut ReconcileReport,
    ) -> Result<(), RunError> {
        if how.mode == ReconcileMode::Report {
            let mut session = Session::new(self, activation, destination, None);
            return session.report_drift(source, how, report).await;
        }
        match self.lease(activation).await {
            Ok(lease) => {
                let mut session = Session::new(self, activation, destination, Some(lease));
                let result = session.repair(source, how, report).await;
                result.and(session.release().await)
            }
            Err(error) => {
                report.stop(error.into());
                Ok(())
            }
        }
    }
}

/// What a comparison found.
#[derive(Default)]
struct Found {
    /// Vanished members of the segment.
    vanished: Vec<Fingerprint>,
    /// Held members who are on the list after all.
    there: Vec<Fingerprint>,
}

impl Session<'_> {
    async fn report_drift(
        &mut self,
        source: &dyn SegmentSource,
        how: &Reconciliation,
        report: &mut ReconcileReport,
    ) -> Result<(), RunError> {
        self.load().await?;
        self.account().await?;
        let list = self.list_to_reconcile(how.mode).await?;
        let before = (self.head.clone(), self.journal.clone());
        self.compare(&list, source, how, None, report).await?;
        let state = self.store.load(&self.activation.key()).await?;
        if before != (state.head, Journal::replay(&state.journal)?) {
            return Err(RunError::NotYet(
                "a run moved the state while the list was read; nothing was changed".to_owned(),
            ));
        }
        report.status = match report.drift.repairable() {
            0 => RunStatus::NothingToDo,
            _ => RunStatus::Planned,
        };
        Ok(())
    }

    async fn repair(
        &mut self,
        source: &dyn SegmentSource,
        how: &Reconciliation,
        report: &mut ReconcileReport,
    ) -> Result<(), RunError> {
        self.load().await?;
        let account = self.account().await?;
        let list = self.list_to_reconcile(how.mode).await?;
        if how.mode == ReconcileMode::Repair {
            let mut recovery = RunReport::new(self.activation, self.started_at);
            recover::recover(self, &mut recovery).await?;
        }
        let lost = how.mode == ReconcileMode::Rebuild;
        let keys = RecordedKeys::open(self, lost).await?;
        let mut record = Record {
            members: MembershipWriter::begin(self.store, self.lease()?, keys.is_keyed()).await?,
            keys,
            ledger: self.ledger()?,
        };
        let found = self.compare(&list, source, how, Some(&mut record), report).await?;
        let limits = self.activation.resolved().guard;
        report.reasons.extend(limits.check_vanished(report.drift.vanished, report.ours));
        if !report.reasons.is_empty() {
            report.status = RunStatus::Blocked;
            return Ok(());
        }
        report.status = RunStatus::NothingToDo;
        let is_new = self.head.pin.is_none();
        let unhold = found.there;
        if report.drift.repairable() == 0 && unhold.is_empty() && !is_new && !report.snapshot_lost {
            return Ok(());
        }
        let Record { members, mut ledger, .. } = record;
        let snapshot = members.finish().await?;
        let pin = self.head.pin.clone().unwrap_or_else(|| self.pin_of(account, list));
        let hold = self.watched(&found.vanished);
        for held in hold.iter().filter(|held| held.attempts > 1) {
            ledger.push(MembershipChange::Hold, held.member, None, VANISHED).await?;
        }
        ledger.finish().await?;
        self.renew().await?;
        commit::commit_record(self, pin, snapshot, hold, unhold).await?;
        report.status = RunStatus::Done;
        Ok(())
    }

    /// The list that our record is about.
    async fn list_to_reconcile(&self, mode: ReconcileMode) -> Result<ListState, RunError> {
        if let Some(pin) = &self.head.pin {
            return super::list::pinned(self.destination, pin).await;
        }
        let name = self.activation.list_name();
        if mode != ReconcileMode::Rebuild {
            return Err(RunError::Stopped(format!(
                "nothing is known of a list for segment \"{}\": run the activation first, or \
                 rebuild its state from list \"{name}\"",
                self.activation.segment()
            )));
        }
        let list = self.destination.list_named(name).await?;
        list.ok_or_else(|| {
            RunError::Stopped(format!("there is no list \"{name}\" to rebuild the state from"))
        })
    }

    fn pin_of(&self, account: String, list: ListState) -> ListPin {
        let wanted = self.activation.resolved().visibility;
        ListPin {
            account,
            list_id: list.id,
            name: self.activation.list_name().to_owned(),
            // The next run gives it the one that is wanted.
            visibility: list.visibility.unwrap_or(wanted),
        }
    }

    /// Compares, counts into the report, and writes the corrected record.
    async fn compare(
        &mut self,
        list: &ListState,
        source: &dyn SegmentSource,
        how: &Reconciliation,
        mut record: Option<&mut Record<'_>>,
        report: &mut ReconcileReport,
    ) -> Result<Found, RunError> {
        report.list.id = Some(list.id);
        let kind = self.activation.resolved().identifier;
        let key = self.store.fingerprint_key();
        let excluded = Excluded::read(self.exclusions, key, kind).await?;
        let mut sides = Sides::gather(self, source, list.id, &excluded, how).await?;
        report.on_list = sides.on_list;
        report.drift.foreign = sides.nameless;
        report.snapshot_lost = sides.snapshot_lost;
        let in_flux = self.in_flux();
        let held: HashSet<Fingerprint> = self.held.iter().map(|held| held.member).collect();
        let mut found = Found::default();
        let mut members: u64 = 0;
        while let Some(member) = sides.next_member().await? {
            members += 1;
            if members.is_multiple_of(RENEW_EVERY) {
                self.renew_if_leased().await?;
            }
            let is_held = held.contains(&member.member);
            let corrected = if in_flux.contains(&member.member) {
                report.count_in_flux(&member);
                member.ours.map(|ours| super::journal::Entry {
                    member: member.member,
                    contact: ours.contact,
                })
            } else {
                let verdict = judge(&member);
                report.count(&member, &verdict, is_held);
                found.note(&member, &verdict, is_held);
                if let Some(record) = record.as_deref_mut() {
                    record.take_down(&member, &verdict).await?;
                }
                verdict.record(&member)
            };
            if let (Some(record), Some(corrected)) = (record.as_deref_mut(), corrected) {
                let key = record.keys.of(&corrected.member).await?;
                record.members.push(corrected, key).await?;
            }
        }
        Ok(found)
    }

    /// Members whose batch has not come to an end.
    fn in_flux(&self) -> HashSet<Fingerprint> {
        let batches = self.journal.batches.iter();
        batches.flat_map(|batch| batch.entries().map(|entry| entry.member)).collect()
    }

    /// Vanished members are tried again at once the first time, and then held like others.
    fn watched(&self, vanished: &[Fingerprint]) -> Vec<HeldMember> {
        let now = self.clock.now().trunc_subsecs(0);
        let wait = TimeDelta::days(self.activation.resolved().hold_days.get().into());
        let before: HashMap<_, _> = (self.held.iter())
            .filter(|held| held.cause == VANISHED)
            .map(|held| (held.member, held))
            .collect();
        let watch = |member: &Fingerprint| match before.get(member) {
            Some(held) => HeldMember {
                retry_at: now + wait,
                attempts: held.attempts.saturating_add(1),
                ..(*held).clone()
            },
            None => HeldMember {
                member: *member,
                cause: VANISHED.to_owned(),
                since: now,
                retry_at: now,
                attempts: 1,
            },
        };
        vanished.iter().map(watch).collect()
    }
}

/// Our record as it is put right, and what the ledger says of it.
struct Record<'a> {
    members: MembershipWriter,
    /// The warehouse keys of our record as it was.
    keys: RecordedKeys,
    ledger: LedgerWriter<'a>,
}

impl Record<'_> {
    async fn take_down(&mut self, member: &Member, verdict: &Verdict) -> Result<(), RunError> {
        let who = member.member;
        match verdict {
            Verdict::Vanished { .. } => {
                let contact = member.ours.and_then(|ours| ours.contact);
                self.ledger.push(MembershipChange::Exit, who, contact, VANISHED).await?;
            }
            Verdict::Unclaimed { contact } => {
                let contact = Some(*contact);
                self.ledger.push(MembershipChange::Enter, who, contact, "found_on_list").await?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Found {
    fn note(&mut self, member: &Member, verdict: &Verdict, is_held: bool) {
        match verdict {
            Verdict::Vanished { wanted: true } => self.vanished.push(member.member),
            Verdict::Agrees { .. }
            | Verdict::OtherIdentifier { .. }
            | Verdict::OtherContact { .. }
            | Verdict::Unclaimed { .. }
                if is_held =>
            {
                self.there.push(member.member);
            }
            _ => {}
        }
    }
}

/// Members between two looks at the lease.
const RENEW_EVERY: u64 = 100_000;
