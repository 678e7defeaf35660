//! Stopping in the middle: finished, parked, cut or dropped, and made good by the next runner.

use activation_core::{
    Approver, Batch, BatchMember, ContactId, DestinationError, Identifier, Limits, ListState,
    ListWish, MemberScan, MissingContacts, Operation, Plan, Receipt, RunStatus, Settlement,
    Submission, Trip, dotdigital::Dotdigital,
};
use async_trait::async_trait;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Starts a runner, lets one run go on for a while, stops the runner and returns what it said, what
/// is left to do, and how long the stop took.
async fn run_and_stop(
    world: &World,
    runner: Runner,
    after: Duration,
    deadline: Duration,
) -> (Vec<RunReport>, Vec<ActivationKey>, Duration) {
    let running = Running::start(runner);
    running.trigger("vip");
    world.wait(after).await;
    let (said, stopped) = (running.said.clone(), world.clock.now());
    let unfinished = running.stop(deadline).await;
    let took = (world.clock.now() - stopped).to_std().unwrap();
    let reports = said.lock().unwrap().iter().map(|(report, _)| report.clone()).collect();
    (reports, unfinished, took)
}

/// Lets another runner finish, and returns what it said.
async fn go_on(world: &World, source: &Arc<MemorySource>) -> Vec<RunReport> {
    let running = Running::start(runner(world, source));
    running.trigger("vip");
    world.wait(180 * MINUTE).await;
    let reports = running.reports();
    assert_eq!(running.stop(MINUTE).await, []);
    assert_eq!(world.on_list("vip"), people(10));
    world.assert_harmless();
    reports
}

#[tokio::test(start_paused = true)]
async fn a_run_that_can_finish_in_time_does() {
    let (world, source) = world_whose_jobs_take(20 * SECOND);
    let (reports, unfinished, took) =
        run_and_stop(&world, runner(&world, &source), 5 * SECOND, 120 * SECOND).await;
    assert_eq!((reports[0].status, reports[0].added), (RunStatus::Done, 10));
    assert_eq!(unfinished, []);
    assert!(took < 60 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_parked_run_is_finished_by_the_next_runner_and_its_import_is_not_sent_again() {
    let (world, source) = world_whose_jobs_take(10 * MINUTE);
    let (reports, unfinished, took) =
        run_and_stop(&world, runner(&world, &source), MINUTE, 30 * SECOND).await;
    assert_eq!((reports.len(), reports[0].status, imports(&world)), (1, RunStatus::Busy, 1));
    let told = &reports[0].error.as_ref().unwrap().message;
    assert!(told.contains("the next one goes on from here"), "{told}");
    assert_eq!((unfinished, took), (vec![vip()], 15 * SECOND));

    let reports = go_on(&world, &source).await;
    let last = reports.last().unwrap();
    assert_eq!((last.status, last.recovered, last.failed), (RunStatus::Done, 10, 0));
    assert_eq!(imports(&world), 1);
    // The lease was given back: the first thing it meets is the job, not another holder.
    let told = &reports[0].error.as_ref().unwrap().message;
    assert!(told.contains("still working on"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_runner_is_dropped_is_finished_by_the_next_and_its_import_is_not_sent_again() {
    let (world, source) = world_whose_jobs_take(10 * MINUTE);
    let running = Running::start(runner(&world, &source));
    running.trigger("vip");
    world.wait(MINUTE).await;
    assert_eq!(imports(&world), 1);
    running.task.abort();
    assert!(running.task.await.unwrap_err().is_cancelled());

    let reports = go_on(&world, &source).await;
    let told = &reports[0].error.as_ref().unwrap().message;
    assert!(told.contains("is running this activation"), "{told}");
    assert_eq!(reports.last().unwrap().recovered, 10);
    assert_eq!(imports(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_not_begun_is_named() {
    let (world, source) = world_whose_jobs_take(10 * MINUTE);
    let one = std::num::NonZeroUsize::MIN;
    let activations = ["vip", "staff"].map(|segment| scheduled(&world, segment, source.clone()));
    let runner = Runner::new(world.engine(), activations.into()).unwrap();
    let running = Running::start(
        runner.limits(activation_core::RunnerLimits::default().runs_per_destination(one)),
    );
    running.trigger("vip");
    running.trigger("staff");
    world.wait(MINUTE).await;
    assert_eq!(running.stop(SECOND).await, [vip(), ActivationKey::new("staff")]);
}

/// Hands batches in and never hears of them again.
#[derive(Debug)]
struct Mute(Dotdigital);

#[async_trait]
impl Destination for Mute {
    async fn account(&self) -> Result<String, DestinationError> {
        self.0.account().await
    }

    async fn list(&self, list_id: u64) -> Result<Option<ListState>, DestinationError> {
        self.0.list(list_id).await
    }

    async fn list_named(&self, name: &str) -> Result<Option<ListState>, DestinationError> {
        self.0.list_named(name).await
    }

    async fn create_list(&self, wanted: &ListWish) -> Result<ListState, DestinationError> {
        self.0.create_list(wanted).await
    }

    async fn update_list(
        &self,
        list_id: u64,
        wanted: &ListWish,
    ) -> Result<ListState, DestinationError> {
        self.0.update_list(list_id, wanted).await
    }

    fn limits(&self) -> Limits {
        self.0.limits()
    }

    fn batch_size(&self, list_id: u64, operation: Operation, members: &[BatchMember]) -> usize {
        self.0.batch_size(list_id, operation, members)
    }

    fn estimate_calls(&self, operation: Operation, members: u64, policy: MissingContacts) -> u64 {
        self.0.estimate_calls(operation, members, policy)
    }

    async fn find_contacts(
        &self,
        identifiers: &[Identifier],
    ) -> Result<Vec<Option<ContactId>>, DestinationError> {
        self.0.find_contacts(identifiers).await
    }

    async fn submit(&self, list_id: u64, batch: &Batch) -> Result<Submission, DestinationError> {
        self.0.submit(list_id, batch).await?;
        std::future::pending().await
    }

    async fn settle(&self, receipt: &Receipt) -> Result<Settlement, DestinationError> {
        self.0.settle(receipt).await
    }

    fn members(&self, list_id: u64) -> Box<dyn MemberScan> {
        self.0.members(list_id)
    }

    fn calls(&self) -> std::collections::BTreeMap<String, u64> {
        self.0.calls()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_cut_and_what_became_of_it_is_made_up_for() {
    let (world, source) = world_whose_jobs_take(MINUTE);
    let mute = at(Arc::new(Mute(world.destination())), "account", "vip", source.clone());
    let runner = Runner::new(world.engine(), vec![mute]).unwrap();
    let (reports, unfinished, took) = run_and_stop(&world, runner, MINUTE, 40 * SECOND).await;
    assert_eq!((reports[0].status, reports[0].added), (RunStatus::Busy, 0));
    let told = &reports[0].error.as_ref().unwrap().message;
    assert!(told.contains("may have been acted on"), "{told}");
    assert_eq!((unfinished, took), (vec![vip()], 30 * SECOND));

    // Half of them left since: those are looked for, although nobody heard that they were added.
    source.set(people(5));
    let running = Running::start(super::runner(&world, &source));
    running.trigger("vip");
    world.wait(30 * MINUTE).await;
    assert_eq!(running.reports()[0].status, RunStatus::Done);
    assert_eq!(world.on_list("vip"), people(5));
    world.assert_harmless();
}

/// Somebody who is asked and does not answer.
#[derive(Debug)]
struct NoAnswer;

#[async_trait]
impl Approver for NoAnswer {
    async fn approves(&self, _plan: &Plan, _reasons: &[Trip]) -> bool {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_be_parked_is_dropped_at_the_deadline() {
    let (world, source) = world_whose_jobs_take(SECOND);
    go_on(&world, &source).await;
    source.set(people(0));
    let engine = world.engine().approver(Arc::new(NoAnswer));
    let runner = Runner::new(engine, vec![scheduled(&world, "vip", source.clone())]).unwrap();
    let (reports, unfinished, took) = run_and_stop(&world, runner, MINUTE, 30 * SECOND).await;
    assert_eq!((reports.len(), reports[0].status), (1, RunStatus::Busy));
    assert!(reports[0].error.as_ref().unwrap().message.contains("was dropped"));
    assert_eq!((unfinished, took), (vec![vip()], 30 * SECOND));
    source.set(people(10));
    let reports = go_on(&world, &source).await;
    let last = reports.last().unwrap().status;
    assert_eq!(last, RunStatus::NothingToDo, "once the lease had ended");
}
