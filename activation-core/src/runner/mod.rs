//! A small loop for hosts that want one: it runs many activations when they are due.

mod agenda;
mod interrupt;
mod limits;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{
    sync::{Notify, watch},
    task::{Id, JoinError, JoinSet},
};

pub use self::limits::RunnerLimits;
use self::{
    agenda::{Agenda, Ending, Entry},
    interrupt::{Interrupt, ParkingClock, ParkingDestination, ParkingSource, Stage},
};
use crate::{
    Activation, ActivationKey, Clock, Destination, Engine, ErrorReport, RunReport, RunStatus,
    Schedule, SegmentSource,
};

/// The clock is looked at this often at the least: it may be set, and machines sleep.
const LONGEST_NAP: Duration = Duration::from_secs(60);

/// How long a run that takes too long has for parking, and again for being cut.
const GRACE: Duration = Duration::from_secs(60);

/// An activation with all that its runs need.
#[derive(Clone, Debug)]
pub struct ScheduledActivation {
    activation: Activation,
    source: Arc<dyn SegmentSource>,
    destination_name: String,
    destination: Arc<dyn Destination>,
    schedule: Schedule,
    last_run: Option<DateTime<Utc>>,
}

impl ScheduledActivation {
    /// An activation that runs when triggered, until it gets a schedule.
    ///
    /// Activations of one account should give the same `destination_name`, since they share a
    /// limit by it, and each a handle of its own, since a handle counts its calls.
    pub fn new(
        activation: Activation,
        source: Arc<dyn SegmentSource>,
        destination_name: impl Into<String>,
        destination: Arc<dyn Destination>,
    ) -> Self {
        Self {
            activation,
            source,
            destination_name: destination_name.into(),
            destination,
            schedule: Schedule::manual(),
            last_run: None,
        }
    }

    /// Sets when it runs.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Tells when its last run began, as a report of it says: a run that was due since then is
    /// made up for. Without it the schedule counts from the start of the runner.
    #[must_use]
    pub fn last_run(mut self, began: DateTime<Utc>) -> Self {
        self.last_run = Some(began);
        self
    }
}

/// Runs activations when they are due or triggered, many at once and fairly.
///
/// * At most one run of an activation at a time. Triggers while it runs make one run after it.
/// * Limits overall and per destination, and turns by age: a destination that fails, hangs or has
///   much to do does not hold up another.
/// * A run that ended as [`Busy`](RunStatus::Busy) is tried again after a minute, doubling up to
///   half an hour, at its schedule's time if that is sooner, and not before the time it was told,
///   within a day: the end of another's lease, or what the service asked for.
/// * A run that panics, or takes longer than [`RunnerLimits::longest_run`], is stopped and reported,
///   and does not harm the others.
///
/// Dropping the future of [`run`](Self::run) drops the runs, which is as safe as a crash.
///
/// # Examples
///
/// ```no_run
/// # use std::{error::Error, sync::Arc, time::Duration};
/// # use activation_core::{
/// #     Activation, Destination, Engine, Runner, Schedule, ScheduledActivation, SegmentSource,
/// # };
/// # async fn host(
/// #     engine: Engine, source: Arc<dyn SegmentSource>, destination: Arc<dyn Destination>,
/// # ) -> Result<(), Box<dyn Error>> {
/// let vip = ScheduledActivation::new(Activation::new("vip"), source, "main account", destination)
///     .schedule(Schedule::every(Duration::from_secs(900))?);
/// let runner = Runner::new(engine, vec![vip])?.on_report(|report, _next| println!("{report}"));
/// let handle = runner.handle();
/// let running = tokio::spawn(runner.run());
/// // … and when the process is asked to end:
/// handle.stop(Duration::from_secs(30));
/// let unfinished = running.await?;
/// # Ok(())
/// # }
/// ```
///
/// The example `scheduled_runner` shows a whole day.
pub struct Runner {
    engine: Engine,
    activations: Vec<ScheduledActivation>,
    limits: RunnerLimits,
    on_report: Arc<OnReport>,
    shared: Arc<Shared>,
    stop: watch::Receiver<Option<Duration>>,
}

type OnReport = dyn Fn(&RunReport, Option<DateTime<Utc>>) + Send + Sync;

/// Triggers runs of a [`Runner`] and stops it. Clones do the same.
#[derive(Clone, Debug)]
pub struct RunnerHandle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    numbers: HashMap<ActivationKey, usize>,
    triggered: Mutex<BTreeSet<usize>>,
    wake: Notify,
    stop: watch::Sender<Option<Duration>>,
}

/// Two activations of one segment: they would wait for each other's lease for ever.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the segment \"{0}\" has two activations in one runner; one state store keeps one of them")]
pub struct DuplicateActivation(pub ActivationKey);

/// An activation that the runner does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the runner has no activation of the segment \"{0}\"")]
pub struct UnknownActivation(pub ActivationKey);

impl Runner {
    /// A runner of `activations`. All time is that of the engine's clock.
    ///
    /// # Errors
    ///
    /// Fails when two activations have the same segment.
    pub fn new(
        engine: Engine,
        activations: Vec<ScheduledActivation>,
    ) -> Result<Self, DuplicateActivation> {
        let mut numbers = HashMap::new();
        for (number, scheduled) in activations.iter().enumerate() {
            let key = scheduled.activation.key();
            if numbers.insert(key.clone(), number).is_some() {
                return Err(DuplicateActivation(key));
            }
        }
        let (sender, stop) = watch::channel(None);
        let triggered = Mutex::default();
        let shared = Shared { numbers, triggered, wake: Notify::new(), stop: sender };
        Ok(Self {
            engine,
            activations,
            limits: RunnerLimits::default(),
            on_report: Arc::new(|_, _| {}),
            shared: Arc::new(shared),
            stop,
        })
    }

    /// Replaces the limits.
    #[must_use]
    pub fn limits(mut self, limits: RunnerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets who is given the report of each run, and when the next one is due. Should return
    /// quickly: no run begins meanwhile.
    #[must_use]
    pub fn on_report(
        mut self,
        on_report: impl Fn(&RunReport, Option<DateTime<Utc>>) + Send + Sync + 'static,
    ) -> Self {
        self.on_report = Arc::new(on_report);
        self
    }

    /// What to trigger runs with, and to stop by.
    pub fn handle(&self) -> RunnerHandle {
        RunnerHandle { shared: Arc::clone(&self.shared) }
    }

    /// Runs activations until [`RunnerHandle::stop`]. Needs a tokio runtime.
    ///
    /// Returns the activations of which a run is still wanted: it was due or triggered and has not
    /// begun, or did not come to its end. Trigger them when the runner starts again.
    pub async fn run(self) -> Vec<ActivationKey> {
        let mut round = Round::new(&self);
        let deadline = round.until_stopped().await;
        round.wind_up(deadline).await
    }

    fn entries(&self, now: DateTime<Utc>) -> Vec<Entry> {
        let mut destinations = BTreeMap::new();
        let mut entry = |scheduled: &ScheduledActivation| {
            let next = destinations.len();
            let destination =
                *destinations.entry(scheduled.destination_name.clone()).or_insert(next);
            let place = Schedule::place(&scheduled.activation.key());
            Entry::new(destination, scheduled.schedule.clone(), place, scheduled.last_run, now)
        };
        self.activations.iter().map(&mut entry).collect()
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("activations", &self.activations.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl RunnerHandle {
    /// Asks for a run that begins from now on. However often this is asked for before it begins,
    /// it is one run.
    ///
    /// # Errors
    ///
    /// Fails when the runner has no such activation.
    pub fn trigger(&self, activation: &ActivationKey) -> Result<(), UnknownActivation> {
        let number = self.shared.numbers.get(activation);
        let number = number.ok_or_else(|| UnknownActivation(activation.clone()))?;
        self.shared.triggered().insert(*number);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Stops the runner within `deadline`: no further run begins.
    ///
    /// Runs that are going on have half of that time to come to their end. Then they park: no
    /// further batch is sent and no job waited for, and what is known is committed. After three
    /// quarters, calls under way are given up; whether they were acted on is found out by the next
    /// run. At the deadline, runs that are still there are dropped, which is as safe as a crash;
    /// their leases end by their time, or with this process where the store can tell.
    ///
    /// Only the first call counts.
    pub fn stop(&self, deadline: Duration) {
        self.shared.stop.send_if_modified(|stop| {
            let first = stop.is_none();
            stop.get_or_insert(deadline);
            first
        });
    }
}

impl Shared {
    fn triggered(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.triggered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The loop and what it keeps track of.
struct Round<'a> {
    runner: &'a Runner,
    clock: Arc<dyn Clock>,
    agenda: Agenda,
    runs: JoinSet<RunReport>,
    numbers: HashMap<Id, usize>,
}

impl<'a> Round<'a> {
    fn new(runner: &'a Runner) -> Self {
        let clock = Arc::clone(&runner.engine.clock);
        let agenda = Agenda::new(runner.limits, runner.entries(clock.now()));
        Self { runner, clock, agenda, runs: JoinSet::new(), numbers: HashMap::new() }
    }

    /// Begins and ends runs until the runner is stopped; returns within what time it is to end.
    async fn until_stopped(&mut self) -> Duration {
        let mut stop = self.runner.stop.clone();
        loop {
            let now = self.clock.now();
            self.take_triggers(now);
            while let Some(number) = self.agenda.begin_next(now) {
                self.begin(number);
            }
            let nap = self.agenda.next_due_after(now).map_or(LONGEST_NAP, |due| {
                (due - now).to_std().unwrap_or_default().min(LONGEST_NAP)
            });
            tokio::select! {
                biased;
                deadline = stop_asked(&mut stop) => return deadline,
                Some(ended) = self.runs.join_next_with_id() => self.ended(ended),
                () = self.runner.shared.wake.notified() => {}
                () = self.clock.sleep(nap) => {}
            }
        }
    }

    /// Waits for what is going on, up to the deadline.
    async fn wind_up(mut self, deadline: Duration) -> Vec<ActivationKey> {
        let clock = Arc::clone(&self.clock);
        let over = clock.sleep(deadline);
        tokio::pin!(over);
        loop {
            tokio::select! {
                biased;
                ended = self.runs.join_next_with_id() => match ended {
                    Some(ended) => self.ended(ended),
                    None => break,
                },
                () = &mut over => break,
            }
        }
        self.take_triggers(self.clock.now());
        let mut dropped: Vec<usize> = self.numbers.drain().map(|(_, number)| number).collect();
        dropped.sort_unstable();
        for number in dropped {
            let activation = &self.runner.activations[number].activation;
            let report = dropped_report(activation, self.clock.now());
            (self.runner.on_report)(&report, None);
        }
        let key = |number: usize| self.runner.activations[number].activation.key();
        self.agenda.unfinished(self.clock.now()).map(key).collect()
    }

    fn take_triggers(&mut self, now: DateTime<Utc>) {
        for number in std::mem::take(&mut *self.runner.shared.triggered()) {
            self.agenda.trigger(number, now);
        }
    }

    fn begin(&mut self, number: usize) {
        let scheduled = self.runner.activations[number].clone();
        let engine = self.runner.engine.clone();
        let longest_run = self.runner.limits.longest_run;
        let stop = self.runner.stop.clone();
        let run = self.runs.spawn(supervised_run(engine, scheduled, longest_run, stop));
        self.numbers.insert(run.id(), number);
    }

    fn ended(&mut self, ended: Result<(Id, RunReport), JoinError>) {
        let now = self.clock.now();
        let (id, report) = match ended {
            Ok((id, report)) => (id, Some(report)),
            Err(error) => (error.id(), None),
        };
        let Some(number) = self.numbers.remove(&id) else { return };
        let activation = &self.runner.activations[number].activation;
        let report = report.unwrap_or_else(|| panicked_report(activation, now));
        let ending = match report.status {
            RunStatus::Busy => Ending::Temporary { not_before: report.retry_at },
            _ => Ending::Final,
        };
        let next = self.agenda.ended(number, ending, now);
        (self.runner.on_report)(&report, next);
    }
}

async fn stop_asked(stop: &mut watch::Receiver<Option<Duration>>) -> Duration {
    match stop.wait_for(Option::is_some).await.ok().and_then(|stop| *stop) {
        Some(deadline) => deadline,
        None => std::future::pending().await,
    }
}

/// One run, brought to its end when it takes too long or the runner stops.
async fn supervised_run(
    engine: Engine,
    scheduled: ScheduledActivation,
    longest_run: Duration,
    stop: watch::Receiver<Option<Duration>>,
) -> RunReport {
    let clock = Arc::clone(&engine.clock);
    let (interrupt, signal) = Interrupt::new();
    let engine = engine.clock(Arc::new(ParkingClock(Arc::clone(&clock), signal.clone())));
    let source = ParkingSource(scheduled.source, signal.clone());
    let destination = ParkingDestination(scheduled.destination, signal);
    tokio::select! {
        biased;
        report = engine.run(&scheduled.activation, &source, &destination) => report,
        () = end_in_time(&*clock, longest_run, stop, &interrupt) => {
            dropped_report(&scheduled.activation, clock.now())
        }
    }
}

/// Interrupts a run step by step. Returns when it has to be dropped; when the runner stops, that is
/// left to the runner's own deadline.
async fn end_in_time(
    clock: &dyn Clock,
    longest_run: Duration,
    mut stop: watch::Receiver<Option<Duration>>,
    interrupt: &Interrupt,
) {
    tokio::select! {
        biased;
        () = clock.sleep(longest_run) => {
            interrupt.reach(Stage::Park);
            clock.sleep(GRACE).await;
            interrupt.reach(Stage::Cut);
            clock.sleep(GRACE).await;
        }
        deadline = stop_asked(&mut stop) => {
            clock.sleep(deadline / 2).await;
            interrupt.reach(Stage::Park);
            clock.sleep(deadline / 4).await;
            interrupt.reach(Stage::Cut);
            std::future::pending::<()>().await;
        }
    }
}

fn dropped_report(activation: &Activation, now: DateTime<Utc>) -> RunReport {
    let message = "the run did not end in time and was dropped; the next one finds out what became \
                   of everything under way";
    let error = ErrorReport { message: message.to_owned(), temporary: true };
    RunReport::stopped(activation, error, now)
}

fn panicked_report(activation: &Activation, now: DateTime<Utc>) -> RunReport {
    let message = "the run panicked, most likely in a source, store or destination of the host; the \
                   next one finds out what became of everything under way";
    let error = ErrorReport { message: message.to_owned(), temporary: false };
    RunReport::stopped(activation, error, now)
}
