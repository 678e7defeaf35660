//! How long it counts as possible that a job whose answer was lost comes to life.

use std::time::Duration;

use activation_core::{Activation, MissingContacts, RunStatus, Settings, SettingsPatch};
use dotdigital_client::{
    Clock as _,
    simulator::{Fault, FaultRule, JobLatency, SimulatorSettings},
};

use crate::world::{World, people};

const IMPORT: &str = "PUT /contacts/v3/import";
const MINUTE: Duration = Duration::from_secs(60);

fn vip() -> Activation {
    Activation::new("vip")
}

fn world_whose_jobs_take(minutes: u32) -> World {
    let latency = JobLatency { base: minutes * MINUTE, per_member: Duration::ZERO };
    World::with(SimulatorSettings { latency, ..SimulatorSettings::default() })
}

#[tokio::test(start_paused = true)]
async fn a_doubt_that_ends_while_a_run_is_under_way_is_left_to_the_next_one() {
    let world = world_whose_jobs_take(118);
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on(IMPORT));
    world.segment(people(10));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    // This run looks at the list before the lost import comes to life, and ends after two hours.
    world.wait(117 * MINUTE).await;
    world.simulator.inject(FaultRule::new(Fault::RateLimited).on("PATCH").times(5));
    world.segment(people(1));
    let started = world.clock.now();
    assert_eq!(world.run(&vip()).await.status, RunStatus::Done);
    assert!((world.clock.now() - started).num_minutes() >= 4);
    world.wait(10 * MINUTE).await;
    world.run(&vip()).await;
    assert_eq!(world.on_list("vip"), people(1));
}

#[tokio::test(start_paused = true)]
async fn a_doubt_lasts_from_when_a_batch_may_have_been_sent_and_not_from_when_it_lined_up() {
    let world = world_whose_jobs_take(55);
    world.segment(people(10));
    world.run(&vip()).await;
    // The import lines up for a job slot for long; then it is taken and its answer is lost.
    world.simulator.inject(FaultRule::new(Fault::TooManyActiveImports).on(IMPORT).times(20));
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on(IMPORT).from_call(21));
    world.segment(people(20));
    let started = world.clock.now();
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    let lined_up = (world.clock.now() - started).num_minutes();
    assert!(lined_up > 6, "{lined_up} minutes");
    world.segment(people(10));
    for _ in 0..4 {
        let since = (world.clock.now() - started).to_std().unwrap();
        world.wait((61 * MINUTE).saturating_sub(since).max(30 * MINUTE)).await;
        world.run(&vip()).await;
    }
    assert_eq!(world.on_list("vip"), people(10));
}

#[tokio::test(start_paused = true)]
async fn somebody_held_after_a_lost_removal_is_not_tried_in_every_run() {
    let world = World::new();
    world.segment(people(20));
    world.run(&vip()).await;
    // Five are removed, and the answer is lost; then one of them is back, and cannot be added.
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on("POST"));
    world.segment(people(15));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    world.simulator.inject(FaultRule::new(Fault::Status(400)).on("PATCH"));
    world.segment(people(16));
    let refused = world.run(&vip()).await;
    assert_eq!((refused.status, refused.held), (RunStatus::Incomplete, 1), "{refused}");
    for _ in 0..3 {
        world.wait(70 * MINUTE).await;
        world.run(&vip()).await;
    }
    let report = world.run(&vip()).await;
    assert_eq!((report.held, report.total_calls()), (1, 2), "{report}");
    world.wait(8 * 24 * 60 * MINUTE).await;
    assert_eq!(world.run(&vip()).await.added, 1);
    assert_eq!(world.run(&vip()).await.total_calls(), 2);
    assert_eq!(world.on_list("vip"), people(16));
}

/// So many are on the list; then the answer is lost to the import of ten more, who leave. Gives the
/// calls of the run that sees to them: pages of the list, and bulk removals.
async fn calls_about_lost_additions(listed: usize, policy: MissingContacts) -> (u64, u64) {
    let world = World::new();
    for address in people(listed + 10) {
        world.simulator.add_contact(&address);
    }
    let patch = SettingsPatch::default().missing_contacts(policy);
    let vip = vip().settings(Settings::resolve(&SettingsPatch::default(), &patch));
    world.segment(people(listed));
    assert_eq!(world.run(&vip).await.status, RunStatus::Done);
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on(IMPORT));
    world.segment(people(listed + 10));
    assert_eq!(world.run(&vip).await.status, RunStatus::Busy);
    // The lost import does its work meanwhile.
    world.wait(10 * MINUTE).await;
    world.segment(people(listed));
    let report = world.run(&vip).await;
    assert_eq!((report.removed, report.failed), (10, 0), "{report}");
    assert_eq!(world.on_list("vip"), people(listed));
    world.assert_harmless();
    let calls = |endpoint| report.calls.get(endpoint).copied().unwrap_or(0);
    let removals = report.calls.iter().filter(|(endpoint, _)| endpoint.starts_with("POST"));
    (calls("GET /contacts/v3"), removals.map(|(_, calls)| calls).sum())
}

#[tokio::test(start_paused = true)]
async fn a_lost_addition_of_contacts_who_are_known_is_undone_without_reading_a_long_list() {
    assert_eq!(calls_about_lost_additions(10_010, MissingContacts::ExistingOnly).await, (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_short_list_is_read_instead_and_so_is_any_list_where_the_contacts_are_not_known() {
    assert_eq!(calls_about_lost_additions(100, MissingContacts::ExistingOnly).await, (1, 1));
    assert_eq!(calls_about_lost_additions(10_010, MissingContacts::Create).await, (3, 1));
}
