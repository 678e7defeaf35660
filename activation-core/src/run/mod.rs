//! The run: lease → recover → list → read → diff → guard → plan → apply → settle → commit.

mod apply;
mod commit;
mod delta;
mod error;
mod journal;
mod list;
mod membership;
mod plan;
mod recover;
mod session;
mod tally;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use self::{
    error::RunError,
    journal::{Journal, NO_BATCH, Record, Stage},
    list::FoundList,
    plan::{Planned, plan},
    session::Session,
    tally::{NOT_ATTEMPTED, Tally},
};
use crate::{
    Acquired, Activation, ApproveNothing, Approver, Clock, Destination, ErrorReport, GuardOutcome,
    ListAction, NoObserver, Observer, Operation, RunReport, RunStatus, SegmentSource, StateStore,
    SystemClock,
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
        let mut report = RunReport::new(activation, self.clock.now());
        let calls = destination.calls();
        let key = activation.key();
        match self.store.acquire(&key, &self.holder, self.clock.now(), LEASE).await {
            Ok(Acquired::Lease(lease)) => {
                let mut session = Session::new(self, activation, destination, Some(lease));
                let result = session.run(source, &mut report).await;
                let released = session.release().await;
                conclude(&mut report, result.and(released));
            }
            Ok(Acquired::Busy { holder, until }) => {
                report.status = RunStatus::Busy;
                report.error = Some(busy(&holder, until));
                report.retry_at = Some(until);
            }
            Err(error) => conclude(&mut report, Err(error.into())),
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

    fn finish(
        &self,
        mut report: RunReport,
        destination: &dyn Destination,
        before: &std::collections::BTreeMap<String, u64>,
    ) -> RunReport {
        report.calls = destination.calls();
        for (endpoint, count) in before {
            if let Some(calls) = report.calls.get_mut(endpoint) {
                *calls = calls.saturating_sub(*count);
            }
        }
        report.calls.retain(|_, count| *count > 0);
        report.finished_at = self.clock.now();
        report
    }
}

impl Session<'_> {
    async fn run(
        &mut self,
        source: &dyn SegmentSource,
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        self.load().await?;
        let account = self.account().await?;
        recover::recover(self, report).await?;
        let planned = plan(self, source, report).await?;
        if !self.guard_lets_pass(&planned, report).await {
            report.status = RunStatus::Blocked;
            return Ok(());
        }
        let list_action = planned.found.action;
        let result = self.execute(&account, planned, report).await;
        let result = result.and_then(|()| self.nothing_under_way());
        if result.is_ok() {
            let did_something =
                report.added + report.removed > 0 || list_action != ListAction::Keep;
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
        let planned = plan(self, source, report).await?;
        report.guard.reasons = planned.trips;
        report.guard.outcome = match report.guard.reasons[..] {
            [] => GuardOutcome::Passed,
            _ => GuardOutcome::Tripped,
        };
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

    async fn guard_lets_pass(&self, planned: &Planned, report: &mut RunReport) -> bool {
        report.guard.reasons = planned.trips.clone();
        report.guard.outcome = if planned.trips.is_empty() {
            GuardOutcome::Passed
        } else if self.approver.approves(&planned.plan, &planned.trips).await {
            GuardOutcome::Approved
        } else {
            GuardOutcome::Tripped
        };
        report.guard.outcome != GuardOutcome::Tripped
    }

    /// Brings the list itself into being or into shape, remembers it, and gives its id.
    async fn ensure_list(&mut self, account: &str, found: FoundList) -> Result<u64, RunError> {
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
        commit::commit_pin(self, pin).await?;
        Ok(list_id)
    }

    /// Removals first: privacy beats reach.
    async fn execute(
        &mut self,
        account: &str,
        planned: Planned,
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        let mut tally = Tally::new(self.activation.resolved().missing_contacts);
        let list_id = match self.ensure_list(account, planned.found).await {
            Ok(list_id) => list_id,
            Err(error) => {
                tally.fail(NOT_ATTEMPTED, planned.plan.add + planned.plan.remove);
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
        let everything_settled =
            result.is_ok() && tally.failed == 0 && self.nothing_under_way().is_ok();
        let newly_held =
            commit::commit(self, tally, delta.released, everything_settled, report).await?;
        report.count_held(&newly_held);
        result
    }
}

fn conclude(report: &mut RunReport, result: Result<(), RunError>) {
    if let Err(error) = result {
        report.retry_at = error.retry_at();
        let error = error.to_report();
        report.status = if error.temporary { RunStatus::Busy } else { RunStatus::Failed };
        report.error = Some(error);
    }
}

fn busy(holder: &str, until: DateTime<Utc>) -> ErrorReport {
    ErrorReport {
        message: format!("{holder} is running this activation, until {until} unless it goes on"),
        temporary: true,
    }
}
