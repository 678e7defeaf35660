//! The run: lease → recover → list → read → diff → guard → plan → apply → settle → commit.

mod apply;
mod approval;
mod commit;
mod delta;
mod erase;
mod error;
mod evidence;
mod excluded;
mod explain;
mod held;
mod identity;
mod journal;
mod list;
mod membership;
mod plan;
mod push_down;
mod reconcile;
mod recover;
mod renames;
mod scan;
mod session;
mod sightings;
mod special;
mod tally;
mod warehouse_key;

pub use self::{
    erase::{ActivationErasure, ErasureReport},
    explain::{Explanation, Pending, Standing},
    held::{HeldPage, HeldSelection},
    reconcile::{Drift, ReconcileMode, ReconcileReport, Reconciliation},
};

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use self::{
    commit::Findings,
    error::RunError,
    journal::{Entry, Journal, NO_BATCH, Record, Stage},
    list::FoundList,
    plan::{Planned, plan, undescribed},
    session::Session,
    tally::{NOT_ATTEMPTED, Tally},
};
use crate::{
    Acquired, Activation, ActivationKey, ApproveNothing, Approver, Clock, Destination, ErrorReport,
    Exclusions, GuardOutcome, Lease, Ledger, ListAction, NoExclusions, NoObserver, Observer,
    Operation, RunReport, RunStatus, SegmentSource, StateStore, SystemClock, Trip, plan::digest,
};

/// How long a lease lasts when it is not renewed. A run renews it long before.
const LEASE: Duration = Duration::from_secs(300);

/// Runs activations against one state store.
///
/// A run is an idempotent step that can be killed anywhere: the next one finds out what became of
/// everything under way and brings the list to the segment. At worst a harmless call is repeated.
#[derive(Clone, Debug)]
pub struct Engine {
    store: Arc<dyn StateStore>,
    pub(crate) clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    approver: Arc<dyn Approver>,
    exclusions: Arc<dyn Exclusions>,
    ledger: Option<Arc<dyn Ledger>>,
    holder: String,
}

impl Engine {
    /// An engine on `store`, with the machine's clock, that stops at every trip of the guard.
    pub fn new(store: Arc<dyn StateStore>) -> Self {
        Self {
            store,
            clock: Arc::new(SystemClock),
            observer: Arc::new(NoObserver),
            approver: Arc::new(ApproveNothing),
            exclusions: Arc::new(NoExclusions),
            ledger: None,
            holder: format!("process {}", std::process::id()),
        }
    }

    /// Replaces the clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets who watches.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Sets who decides when the guard trips.
    #[must_use]
    pub fn approver(mut self, approver: Arc<dyn Approver>) -> Self {
        self.approver = approver;
        self
    }

    /// Sets who must not be on the list.
    #[must_use]
    pub fn exclusions(mut self, exclusions: Arc<dyn Exclusions>) -> Self {
        self.exclusions = exclusions;
        self
    }

    /// Sets who takes down every change of a membership.
    #[must_use]
    pub fn ledger(mut self, ledger: Arc<dyn Ledger>) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// Sets what others are told of the one who is running.
    #[must_use]
    pub fn holder(mut self, holder: impl Into<String>) -> Self {
        self.holder = holder.into();
        self
    }

    /// Brings the list to the segment once.
    ///
    /// Never fails as a function: what went wrong stands in the report, beside everything that was
    /// done before.
    #[tracing::instrument(skip_all, fields(segment = activation.segment()))]
    pub async fn run(
        &self,
        activation: &Activation,
        source: &dyn SegmentSource,
        destination: &dyn Destination,
    ) -> RunReport {
        self.run_plan(activation, source, destination, None).await
    }

    /// As [`run`](Self::run), but carries out the plan with this digest or nothing: when the state,
    /// the list, the segment or the configuration has moved since it was made, the report says what
    /// the plan is now, and nothing is changed but what an earlier run left unfinished. Where the
    /// guard trips, the plan needs an approval besides.
    #[tracing::instrument(skip_all, fields(segment = activation.segment()))]
    pub async fn apply(
        &self,
        activation: &Activation,
        source: &dyn SegmentSource,
        destination: &dyn Destination,
        digest: &str,
    ) -> RunReport {
        self.run_plan(activation, source, destination, Some(digest)).await
    }

    async fn run_plan(
        &self,
        activation: &Activation,
        source: &dyn SegmentSource,
        destination: &dyn Destination,
        digest: Option<&str>,
    ) -> RunReport {
        let mut report = RunReport::new(activation, self.clock.now());
        let calls = destination.calls();
        match self.lease(activation).await {
            Ok(lease) => {
                report.run = Some(lease.token);
                let mut session = Session::new(self, activation, destination, Some(lease));
                let result = session.run(source, digest, &mut report).await;
                let result = session.unless_overtaken(result).await;
                let released = session.release().await;
                conclude(&mut report, result.and(released));
            }
            Err(NoLease { error, until }) => {
                report.stop(error);
                report.retry_at = until;
            }
        }
        self.finish(report, destination, &calls)
    }

    /// A dry run: reads the segment, the state and the list, and says what a run would do. Changes
    /// nothing at the destination and nothing in the state.
    #[tracing::instrument(skip_all, fields(segment = activation.segment()))]
    pub async fn plan(
        &self,
        activation: &Activation,
        source: &dyn SegmentSource,
        destination: &dyn Destination,
    ) -> RunReport {
        let mut report = RunReport::new(activation, self.clock.now());
        let calls = destination.calls();
        let mut session = Session::new(self, activation, destination, None);
        let result = session.plan_only(source, &mut report).await;
        report.status = RunStatus::Planned;
        if let Err(error) = result {
            conclude(&mut report, Err(error));
        }
        self.finish(report, destination, &calls)
    }

    /// The lease of an activation, or why there is none and, where that is known, until when.
    async fn lease(&self, activation: &Activation) -> Result<Lease, NoLease> {
        self.lease_of(&activation.key()).await
    }

    async fn lease_of(&self, activation: &ActivationKey) -> Result<Lease, NoLease> {
        match self.store.acquire(activation, &self.holder, self.clock.now(), LEASE).await {
            Ok(Acquired::Lease(lease)) => Ok(lease),
            Ok(Acquired::Busy { holder, until }) => {
                Err(NoLease { error: busy(&holder, until), until: Some(until) })
            }
            Err(error) => Err(NoLease { error: RunError::from(error).to_report(), until: None }),
        }
    }

    fn finish(
        &self,
        mut report: RunReport,
        destination: &dyn Destination,
        before: &BTreeMap<String, u64>,
    ) -> RunReport {
        report.calls = calls_since(before, destination);
        report.finished_at = self.clock.now();
        report
    }
}

impl Session<'_> {
    async fn run(
        &mut self,
        source: &dyn SegmentSource,
        digest: Option<&str>,
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        self.load().await?;
        let account = self.account().await?;
        recover::recover(self, report).await?;
        push_down::begin(self, source).await?;
        let result = self.run_begun(&account, source, digest, report).await;
        if let Some(push_down) = &self.push_down {
            push_down.clean_up(self).await;
        }
        result
    }

    async fn run_begun(
        &mut self,
        account: &str,
        source: &dyn SegmentSource,
        digest: Option<&str>,
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        let planned = plan(self, source, report).await?;
        if let Some(digest) = digest.filter(|digest| planned.plan.digest != *digest) {
            report.stop(another_plan(digest, &planned.plan.digest));
            report.status = RunStatus::Blocked;
            return Ok(());
        }
        if !self.guard_lets_pass(&planned, report).await {
            report.status = RunStatus::Blocked;
            return self.let_additions_through(account, planned, report).await;
        }
        let list_action = planned.found.action;
        let result = self.execute(account, planned, report).await;
        let result = result.and_then(|()| self.nothing_under_way());
        if result.is_ok() {
            let did_something =
                report.added + report.removed + report.moved > 0 || list_action != ListAction::Keep;
            report.status = match () {
                () if report.held + report.failed > 0 => RunStatus::Incomplete,
                () if did_something => RunStatus::Done,
                () => RunStatus::NothingToDo,
            };
        }
        result
    }

    async fn plan_only(
        &mut self,
        source: &dyn SegmentSource,
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        self.load().await?;
        self.account().await?;
        push_down::check(source).await?;
        let planned = plan(self, source, report).await?;
        let approval = self.approval_of(&planned.plan.digest).map(|(approval, _)| approval);
        report.guard.outcome = match (&planned.trips[..], &approval) {
            ([], _) => GuardOutcome::Passed,
            (_, Some(_)) => GuardOutcome::Approved,
            (_, None) => GuardOutcome::Tripped,
        };
        report.guard.approval = approval.filter(|_| !planned.trips.is_empty());
        report.guard.reasons = planned.trips;
        Ok(())
    }

    /// Whether the service has finished what earlier runs handed to it.
    fn nothing_under_way(&self) -> Result<(), RunError> {
        let under_way =
            self.journal.batches.iter().filter(|batch| matches!(batch.stage, Stage::Accepted(_)));
        match under_way.map(|batch| batch.members.len()).sum::<usize>() {
            0 => Ok(()),
            members => Err(RunError::NotYet(format!(
                "the service is still working on {members} members of an earlier run; everything \
                 else was done, and the next run goes on from there"
            ))),
        }
    }

    /// Reads the state and the journal.
    async fn load(&mut self) -> Result<(), RunError> {
        let state = self.store.load(&self.activation.key()).await?;
        self.journal = Journal::replay(&state.journal)?;
        self.head = state.head;
        self.held = state.held;
        self.absent = state.absent;
        Ok(())
    }

    /// Makes sure that the state belongs to this account: ids of another one would hit strangers.
    async fn account(&self) -> Result<String, RunError> {
        let account = self.destination.account().await?;
        match &self.head.pin {
            Some(pin) if pin.account != account => Err(RunError::Stopped(format!(
                "the state of segment \"{}\" belongs to account {} and the credentials to account \
                 {account}; nothing was changed. Use the credentials or the state directory that \
                 belong together",
                self.activation.segment(),
                pin.account
            ))),
            _ => Ok(account),
        }
    }

    async fn guard_lets_pass(&mut self, planned: &Planned, report: &mut RunReport) -> bool {
        report.guard.reasons = planned.trips.clone();
        let approval = self.approval_of(&planned.plan.digest).map(|(approval, batches)| {
            // Also where it is not needed: the plan is carried out once.
            self.approved = batches;
            approval
        });
        report.guard.outcome = if planned.trips.is_empty() {
            GuardOutcome::Passed
        } else if approval.is_some() {
            report.guard.approval = approval;
            GuardOutcome::Approved
        } else if self.approver.approves(&planned.plan, &planned.trips).await {
            GuardOutcome::Approved
        } else {
            GuardOutcome::Tripped
        };
        report.guard.outcome != GuardOutcome::Tripped
    }

    /// Does what is allowed of a plan that the guard stopped: its additions, if the settings say so
    /// and nothing but removals is suspicious. What is left to approve then has another digest.
    async fn let_additions_through(
        &mut self,
        account: &str,
        mut planned: Planned,
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        let only_removals = planned.trips.iter().all(Trip::concerns_removals_only);
        let wanted = self.activation.resolved().guard.additions_through;
        if !(wanted && only_removals) || planned.delta.additions.is_empty() {
            return Ok(());
        }
        let removals = std::mem::take(&mut planned.delta.removals);
        let to_forget = std::mem::take(&mut planned.to_forget);
        let moves = std::mem::take(&mut planned.delta.moves);
        planned.plan.remove = 0;
        planned.plan.moves = 0;
        planned.is_whole = false;
        // Stopped runs do not count towards the dwell.
        planned.delta.absent.clone_from(&self.absent);
        let result = self.execute(account, planned, report).await;
        match result.and_then(|()| self.nothing_under_way()) {
            Ok(()) => {}
            // The guard's verdict needs somebody to look at it, whatever passes by itself.
            Err(error) if error.is_temporary() && !matches!(error, RunError::Store(_)) => {
                report.error = Some(error.to_report());
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let removed = removals.iter().map(|change| &change.entry.member).chain(&to_forget);
        let moved = moves.iter().map(|one| (&one.before, &one.change.entry.member));
        let keep = ListAction::Keep;
        let digest = digest(self.activation, &self.head, keep, [].iter(), removed, moved);
        report.plan_digest = Some(digest.map_err(undescribed)?);
        Ok(())
    }

    /// Brings the list itself into being or into shape, remembers it, and gives its id.
    async fn ensure_list(
        &mut self,
        account: &str,
        found: FoundList,
        owned: Option<Vec<Entry>>,
    ) -> Result<u64, RunError> {
        if let (ListAction::Keep, Some(pin)) = (found.action, &self.head.pin) {
            return Ok(pin.list_id);
        }
        let creates = found.action == ListAction::Create;
        if creates {
            let name = self.activation.list_name().to_owned();
            self.journal(NO_BATCH, &Record::CreateIntent { name }).await?;
        }
        let intent = self.journal.may_have_created(self.activation.list_name());
        let pin = list::ensure(self.destination, self.activation, account, found, intent).await;
        if creates && pin.as_ref().is_err_and(|error| !error.may_have_acted()) {
            // A list of that name that appears later is not ours.
            self.journal(NO_BATCH, &Record::NotCreated).await?;
        }
        let pin = pin?;
        let list_id = pin.list_id;
        commit::commit_pin(self, pin, owned).await?;
        Ok(list_id)
    }

    /// Removals first: privacy beats reach. Moves before additions, so that an identifier which one
    /// contact gives up is free for the next.
    async fn execute(
        &mut self,
        account: &str,
        planned: Planned,
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        let mut tally = Tally::new(self.activation.resolved());
        let list_id = match self.ensure_list(account, planned.found, planned.owned).await {
            Ok(list_id) => list_id,
            Err(error) => {
                tally.fail(NOT_ATTEMPTED, planned.plan.changes());
                report.count_failed(tally.failed_by_cause);
                return Err(error);
            }
        };
        report.list.id = Some(list_id);
        tally.removed.extend(planned.to_forget);
        let delta = planned.delta;
        let mut result =
            apply::apply(self, list_id, Operation::Remove, delta.removals, &mut tally).await;
        if result.is_ok() {
            result = apply::apply_moves(self, list_id, delta.moves, &mut tally).await;
        } else {
            tally.fail(NOT_ATTEMPTED, delta.moves.len() as u64);
        }
        if result.is_ok() {
            let additions = delta.additions;
            result = apply::apply(self, list_id, Operation::Add, additions, &mut tally).await;
        } else {
            tally.fail(NOT_ATTEMPTED, delta.additions.len() as u64);
        }
        report.count_failed(std::mem::take(&mut tally.failed_by_cause));
        if let Err(RunError::Store(_)) = result {
            // The state cannot be written: what is in the journal waits for the next run.
            return result;
        }
        let is_done = planned.is_whole && result.is_ok();
        let everything_settled = is_done && tally.failed == 0 && self.nothing_under_way().is_ok();
        let findings = Findings {
            released: delta.released,
            absent: Some(delta.absent),
            excluded_leavers: Some(delta.excluded_leavers),
            keys: delta.keys,
            keys_change_record: delta.keys_change_record,
            spellings: delta.spellings.filter(|_| planned.is_whole),
            is_done,
        };
        let newly_held = commit::commit(self, tally, findings, everything_settled, report).await?;
        report.count_held(&newly_held);
        result
    }
}

/// Why a lease was not given, and until when somebody else has it.
struct NoLease {
    error: ErrorReport,
    until: Option<DateTime<Utc>>,
}

impl From<NoLease> for ErrorReport {
    fn from(none: NoLease) -> Self {
        none.error
    }
}

/// Calls by endpoint, without those that were counted before.
fn calls_since(
    before: &BTreeMap<String, u64>,
    destination: &dyn Destination,
) -> BTreeMap<String, u64> {
    let mut calls = destination.calls();
    for (endpoint, count) in before {
        if let Some(calls) = calls.get_mut(endpoint) {
            *calls = calls.saturating_sub(*count);
        }
    }
    calls.retain(|_, count| *count > 0);
    calls
}

fn conclude(report: &mut RunReport, result: Result<(), RunError>) {
    if let Err(error) = result {
        report.retry_at = error.retry_at();
        report.stop(error.to_report());
    }
}

fn another_plan(wanted: &str, now: &str) -> ErrorReport {
    ErrorReport {
        message: format!(
            "plan {wanted} is out of date: the state, the list, the segment or the configuration \
             has moved since, and the plan is {now} now; nothing was changed"
        ),
        temporary: false,
    }
}

fn busy(holder: &str, until: DateTime<Utc>) -> ErrorReport {
    ErrorReport {
        message: format!("{holder} is running this activation, until {until} unless it goes on"),
        temporary: true,
    }
}
