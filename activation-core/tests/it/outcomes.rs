//! What becomes of members that the service refuses, loses or leaves hanging.

use std::time::Duration;

use activation_core::{Activation, RunStatus, dotdigital::BatchLimits};
use dotdigital_client::Clock as _;
use dotdigital_client::simulator::{
    Fault, FaultRule, JobLatency, SimulatorSettings, Switches, UnknownRemoval,
};

use crate::world::{World, people};

const IMPORT: &str = "PUT /contacts/v3/import";
const HOUR: Duration = Duration::from_secs(3600);

fn vip() -> Activation {
    Activation::new("vip")
}

fn fail_rows(code: &str, every: u64) -> FaultRule {
    FaultRule::new(Fault::FailRows { code: code.to_owned(), every }).on(IMPORT)
}

#[tokio::test(start_paused = true)]
async fn a_failed_row_stays_out_of_the_snapshot_and_comes_back_next_run() {
    let world = World::new();
    world.simulator.inject(fail_rows("ApiSchemaViolation", 2));
    world.segment(people(10));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added, report.failed), (RunStatus::Incomplete, 5, 5));
    assert_eq!(report.failed_by_cause["api_schema_violation"], 5);
    let report = world.run(&vip()).await;
    assert_eq!(
        (report.status, report.added, report.unchanged),
        (RunStatus::Done, 5, 5),
        "{report}"
    );
    assert_eq!(world.on_list("vip"), people(10));
}

#[tokio::test(start_paused = true)]
async fn a_permanent_fault_holds_the_member_until_she_returns_or_a_week_is_over() {
    let world = World::new();
    world.simulator.globally_suppress("person000003@example.com");
    world.segment(people(10));
    let report = world.run(&vip()).await;
    assert_eq!(
        (report.status, report.added, report.held),
        (RunStatus::Incomplete, 9, 1),
        "{report}"
    );
    assert_eq!(report.held_by_cause["globally_suppressed"], 1);
    let report = world.run(&vip()).await;
    assert_eq!((report.held, report.total_calls()), (1, 2), "not tried every run: {report}");
    assert_eq!(report.status, RunStatus::Incomplete);

    // She leaves and comes back: a sign of change.
    let others: Vec<String> = people(10).into_iter().filter(|p| !p.contains("000003")).collect();
    world.segment(others.clone());
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.held), (RunStatus::NothingToDo, 0), "{report}");
    world.segment(people(10));
    let report = world.run(&vip()).await;
    assert_eq!(
        (report.held, report.planned.as_ref().unwrap().add),
        (1, 1),
        "tried again: {report}"
    );

    world.wait(2 * 24 * HOUR).await;
    assert_eq!(world.run(&vip()).await.total_calls(), 2, "a week has not passed");
    world.wait(6 * 24 * HOUR).await;
    let report = world.run(&vip()).await;
    assert_eq!(
        (report.held, report.planned.as_ref().unwrap().add),
        (1, 1),
        "tried again: {report}"
    );
    assert_eq!(world.on_list("vip"), others);
}

#[tokio::test(start_paused = true)]
async fn an_import_whose_answer_was_lost_is_made_up_for_in_the_next_run() {
    let world = World::new();
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on(IMPORT));
    world.segment(people(10));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added, report.failed), (RunStatus::Busy, 0, 10), "{report}");
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 10), "{report}");
    assert_eq!(world.on_list("vip"), people(10));
}

#[tokio::test(start_paused = true)]
async fn somebody_who_left_after_a_lost_import_is_found_and_removed() {
    let world = World::new();
    world.segment(people(10));
    world.run(&vip()).await;
    world.simulator.inject(FaultRule::new(Fault::TimeoutAfterActing).on(IMPORT));
    world.segment(people(20));
    world.run(&vip()).await;
    // The lost import has put all twenty on the list; fifteen of them are wanted.
    world.segment(people(15));
    world.wait(HOUR / 60).await;
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Done, "{report}");
    assert_eq!(world.on_list("vip"), people(15));
}

#[tokio::test(start_paused = true)]
async fn somebody_held_after_a_lost_import_is_still_looked_for_when_she_leaves() {
    let world = World::new();
    world.segment(people(10));
    world.run(&vip()).await;
    // The lost import puts ten more on the list; then the service refuses half of them.
    world.simulator.inject(FaultRule::new(Fault::TimeoutAfterActing).on(IMPORT));
    world.segment(people(20));
    world.run(&vip()).await;
    world.simulator.inject(fail_rows("invalidEmail", 2));
    let report = world.run(&vip()).await;
    assert_eq!((report.added, report.held), (5, 5), "{report}");
    // The doubt about the lost import itself has ended long ago.
    for _ in 0..2 {
        world.wait(4 * HOUR).await;
        let report = world.run(&vip()).await;
        assert_eq!((report.held, report.total_calls()), (5, 2), "{report}");
    }
    world.segment(people(10));
    world.run(&vip()).await;
    assert_eq!(world.on_list("vip"), people(10));
    world.wait(4 * HOUR).await;
    world.run(&vip()).await;
    assert_eq!(world.run(&vip()).await.total_calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_lost_import_is_still_made_up_for_when_it_comes_to_life_late() {
    let latency = JobLatency { base: HOUR / 2, per_member: Duration::ZERO };
    let world = World::with(SimulatorSettings { latency, ..SimulatorSettings::default() });
    world.segment(people(10));
    world.run(&vip()).await;
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on(IMPORT));
    world.segment(people(20));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.failed), (RunStatus::Busy, 10), "{report}");
    assert_eq!(world.simulator.pending_jobs(), 1);
    world.segment(people(10));
    for _ in 0..3 {
        world.wait(HOUR).await;
        world.run(&vip()).await;
    }
    assert_eq!(world.on_list("vip"), people(10));
    let report = world.run(&vip()).await;
    assert_eq!(report.total_calls(), 2, "the doubt is over: {report}");
}

#[tokio::test(start_paused = true)]
async fn a_removal_whose_answer_was_lost_is_undone_for_those_who_came_back() {
    let world = World::new();
    world.segment(people(20));
    world.run(&vip()).await;
    world.simulator.inject(FaultRule::new(Fault::TimeoutAfterActing).on("POST"));
    world.segment(people(10));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Busy, "{report}");
    let removal = "POST /v2/address-books/{addressBookId}/contacts/delete";
    assert_eq!(report.calls[removal], 1, "not repeated blindly: {report}");
    world.simulator.clear_faults();
    // All are back before the next run: the snapshot knows them, the list no longer does.
    world.segment(people(20));
    world.wait(HOUR / 60).await;
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Done, "{report}");
    assert_eq!(world.on_list("vip"), people(20));
}

#[tokio::test(start_paused = true)]
async fn a_failed_removal_may_have_removed_those_who_came_back() {
    let world = World::new();
    world.segment(people(20));
    world.run(&vip()).await;
    // The job fails, and the halves of it find no connection.
    world.simulator.inject(FaultRule::new(Fault::FailedJob).on("POST"));
    let outage = FaultRule::new(Fault::ConnectionRefused).on("POST").from_call(2);
    world.simulator.inject(outage.times(1_000));
    world.segment(people(10));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    world.simulator.clear_faults();
    world.segment(people(20));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 10), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_is_found_failed_by_the_next_run_may_have_removed_somebody() {
    let latency = JobLatency { base: 2 * HOUR, per_member: Duration::ZERO };
    let world = World::with(SimulatorSettings { latency, ..SimulatorSettings::default() });
    world.segment(people(20));
    while world.run(&vip()).await.status != RunStatus::Done {}
    world.simulator.inject(FaultRule::new(Fault::FailedJob).on("POST"));
    world.segment(people(10));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy, "it takes too long");
    world.wait(2 * HOUR).await;
    world.segment(people(20));
    let report = world.run(&vip()).await;
    assert_eq!(report.planned.as_ref().unwrap().add, 10, "made up for at once: {report}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_takes_long_is_left_to_the_next_run_and_not_sent_twice() {
    let world = World::new();
    world.simulator.inject(FaultRule::new(Fault::SlowJob(2 * HOUR)).on(IMPORT));
    world.segment(people(10));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added), (RunStatus::Busy, 0), "{report}");
    assert!(report.calls["GET /contacts/v3/import/{importId}"] < 140, "polls back off: {report}");
    world.wait(HOUR).await;
    let report = world.run(&vip()).await;
    assert_eq!(
        (report.status, report.added, report.recovered),
        (RunStatus::Done, 10, 10),
        "{report}"
    );
    assert_eq!(world.simulator.calls()[IMPORT], 1);
}

#[tokio::test(start_paused = true)]
async fn people_who_leave_do_not_wait_for_a_stuck_job() {
    let world = World::new();
    world.segment(people(20));
    world.run(&vip()).await;
    world.simulator.inject(FaultRule::new(Fault::StuckJob).on(IMPORT));
    world.segment(people(30));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    // Five leave who are on the list, five more join, and the ten are still under way.
    world.segment(people(35)[5..].to_vec());
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.removed, report.added), (RunStatus::Busy, 5, 5), "{report}");
    assert!(report.error.as_ref().unwrap().message.contains("10 members"), "{report}");
    assert_eq!((report.under_way, report.unchanged), (10, 15), "{report}");
    let list = world.simulator.list_named("vip").unwrap();
    assert_eq!(world.simulator.members(list.id).len(), 20, "fifteen stayed and five joined");
    assert_eq!(world.simulator.calls()[IMPORT], 3, "the ten were not sent again");
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_is_under_way_is_not_sent_again() {
    let world = World::new();
    world.segment(people(20));
    world.run(&vip()).await;
    world.simulator.inject(FaultRule::new(Fault::SlowJob(2 * HOUR)).on("POST"));
    world.segment(people(10));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    // Meanwhile five of the ten who left come back.
    world.segment(people(15));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added, report.removed), (RunStatus::Busy, 0, 0), "{report}");
    assert_eq!(
        world.simulator.calls()["POST /v2/address-books/{addressBookId}/contacts/delete"],
        1
    );
    world.wait(2 * HOUR).await;
    let report = world.run(&vip()).await;
    let counts = (report.status, report.removed, report.added, report.recovered);
    assert_eq!(counts, (RunStatus::Done, 10, 5, 10), "{report}");
    assert_eq!(world.on_list("vip"), people(15));
}

#[tokio::test(start_paused = true)]
async fn a_stuck_job_is_given_up_after_a_day() {
    let world = World::new();
    world.simulator.inject(FaultRule::new(Fault::StuckJob).on(IMPORT));
    world.segment(people(10));
    world.run(&vip()).await;
    world.wait(25 * HOUR).await;
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 10), "{report}");
    assert_eq!(world.on_list("vip"), people(10));
}

#[tokio::test(start_paused = true)]
async fn an_import_rejected_by_the_watchdog_is_not_sent_again() {
    let world = World::new();
    world.simulator.inject(FaultRule::new(Fault::RejectedByWatchdog).on(IMPORT));
    world.segment(people(10));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.held), (RunStatus::Incomplete, 10), "{report}");
    world.run(&vip()).await;
    assert_eq!(world.simulator.calls()[IMPORT], 1);
}

#[tokio::test(start_paused = true)]
async fn one_stale_contact_does_not_keep_the_others_on_the_list() {
    let switches = Switches { unknown_removal: UnknownRemoval::JobFails, ..Switches::default() };
    let world = World::with(SimulatorSettings { switches, ..SimulatorSettings::default() });
    world.segment(people(20));
    world.run(&vip()).await;
    let gone =
        world.simulator.contacts().into_iter().find(|c| c.email == Some(people(20)[15].clone()));
    world.simulator.delete_contact(gone.unwrap().id, world.clock.now());
    world.segment(people(10));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.removed), (RunStatus::Done, 10), "{report}");
    assert_eq!(world.on_list("vip"), people(10));
}

#[tokio::test(start_paused = true)]
async fn a_batch_refused_as_a_whole_is_halved_until_the_culprit_is_alone() {
    // A body the service will not take at all is the only whole-batch refusal the simulator knows.
    let world =
        World::with(SimulatorSettings { max_import_bytes: 1_000, ..SimulatorSettings::default() });
    world.segment(people(40));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 40), "{report}");
    assert!(world.simulator.calls()[IMPORT] > 2);
    assert_eq!(world.on_list("vip"), people(40));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_refuses_everything_is_not_asked_about_each_member() {
    let world = World::new();
    // Such as a right that the API user lacks, or a quota that is used up.
    for endpoint in [IMPORT, "PATCH"] {
        let refusal = FaultRule::new(Fault::Status(400)).on(endpoint);
        world.simulator.inject(refusal.times(100_000));
    }
    world.segment(people(2_000));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Failed, "{report}");
    assert!(report.total_calls() < 60, "{:?}", report.calls);
    world.simulator.clear_faults();
    world.run(&vip()).await;
    world.wait(8 * 24 * HOUR).await;
    world.run(&vip()).await;
    assert_eq!(world.on_list("vip"), people(2_000));
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_service_is_reported_as_temporary_and_nothing_is_lost() {
    let world = World::new();
    world.segment(people(10));
    world.run(&vip()).await;
    world.simulator.inject(FaultRule::new(Fault::ConnectionRefused).times(1_000));
    world.segment(people(5));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Busy, "{report}");
    assert!(report.error.as_ref().unwrap().temporary);
    world.simulator.clear_faults();
    world.run(&vip()).await;
    assert_eq!(world.on_list("vip"), people(5));
}

#[tokio::test(start_paused = true)]
async fn when_removals_cannot_be_sent_additions_are_not_attempted() {
    let world = World::new();
    world.segment(people(20));
    world.run(&vip()).await;
    world.simulator.inject(FaultRule::new(Fault::ConnectionRefused).on("POST").times(1_000));
    let next: Vec<String> = people(30)[10..].to_vec();
    world.segment(next.clone());
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added, report.failed), (RunStatus::Busy, 0, 20), "{report}");
    world.simulator.clear_faults();
    let report = world.run(&vip()).await;
    assert_eq!((report.added, report.removed), (10, 10), "{report}");
    assert_eq!(world.on_list("vip"), next);
}

#[tokio::test(start_paused = true)]
async fn an_outage_among_single_calls_stops_the_run_and_keeps_what_was_done() {
    let world = World::new();
    world.segment(people(10));
    world.run(&vip()).await;
    let outage = FaultRule::new(Fault::ConnectionRefused).on("DELETE").from_call(2).times(1_000);
    world.simulator.inject(outage);
    world.segment(people(20)[3..].to_vec());
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.removed, report.added), (RunStatus::Busy, 1, 0), "{report}");
    assert_eq!(report.failed, 12, "two removals, and ten additions that must wait: {report}");
    assert!(report.error.as_ref().unwrap().temporary);
    world.simulator.clear_faults();
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.removed, report.added), (RunStatus::Done, 2, 10), "{report}");
    assert_eq!(world.on_list("vip"), people(20)[3..]);
}

#[tokio::test(start_paused = true)]
async fn up_to_three_changes_go_as_single_calls() {
    let world = World::new();
    world.segment(people(10));
    world.run(&vip()).await;
    world.simulator.reset_ledger();
    world.segment(people(13)[3..].to_vec());
    let report = world.run(&vip()).await;
    assert_eq!((report.added, report.removed), (3, 3), "{report}");
    let calls = world.simulator.calls();
    assert_eq!(calls["PATCH /contacts/v3/{identifier}/{value}"], 3);
    assert_eq!(calls["DELETE /v2/address-books/{addressBookId}/contacts/{contactId}"], 3);
    assert!(!calls.contains_key(IMPORT));
    assert_eq!(world.on_list("vip"), people(13)[3..]);
}

#[tokio::test(start_paused = true)]
async fn single_calls_that_were_not_made_any_more_do_not_count_as_done() {
    let world = World::new();
    let outage = FaultRule::new(Fault::ConnectionRefused).on("PATCH").from_call(2);
    world.simulator.inject(outage.times(1_000));
    world.segment(people(3));
    let report = world.run(&vip()).await;
    assert_eq!((report.added, report.failed), (1, 2), "{report}");
    world.simulator.clear_faults();
    let report = world.run(&vip()).await;
    assert_eq!((report.added, report.unchanged), (2, 1), "{report}");
    assert_eq!(world.on_list("vip"), people(3));
}

#[tokio::test(start_paused = true)]
async fn batches_keep_to_the_configured_sizes() {
    let mut world = World::new();
    world.batch_limits = BatchLimits::default().import_contacts(25).removal_contacts(10);
    world.segment(people(100));
    let report = world.run(&vip()).await;
    assert_eq!(report.calls[IMPORT], 4, "{report}");
    world.segment(people(70));
    let report = world.run(&vip()).await;
    assert_eq!(
        report.calls["POST /v2/address-books/{addressBookId}/contacts/delete"], 3,
        "{report}"
    );
    assert_eq!(world.on_list("vip"), people(70));

    let mut world = World::new();
    world.batch_limits = BatchLimits::default().import_bytes(2_000);
    world.segment(people(100));
    let report = world.run(&vip()).await;
    assert!(report.calls[IMPORT] >= 5, "{report}");
    assert_eq!(world.on_list("vip"), people(100));
}
