//! When people leave: after the minimum dwell, and never on data that is too old.

use std::time::Duration;

use activation_core::{
    Activation, GuardSettings, RunReport, RunStatus, Settings, SettingsPatch, Trip,
};
use chrono::TimeDelta;
use dotdigital_client::{
    Clock as _,
    simulator::{Fault, FaultRule},
};

use crate::world::{World, people};

fn with(patch: &SettingsPatch) -> Activation {
    Activation::new("vip").settings(Settings::resolve(&SettingsPatch::default(), patch))
}

fn leaving_after(runs: u32) -> Activation {
    with(&SettingsPatch::default().leave_after_runs(runs.try_into().unwrap()))
}

fn counts(report: &RunReport) -> (u64, u64, u64) {
    (report.removed, report.dwelling, report.unchanged)
}

#[tokio::test(start_paused = true)]
async fn a_member_leaves_in_the_run_that_misses_her_for_the_kth_time_in_succession() {
    let world = World::new();
    let activation = leaving_after(3);
    world.segment(people(10));
    world.run(&activation).await;
    world.segment(people(8));
    for _ in 0..2 {
        let report = world.run(&activation).await;
        assert_eq!(counts(&report), (0, 2, 8), "{report}");
        assert_eq!((report.status, report.total_calls()), (RunStatus::NothingToDo, 2));
        assert!(report.to_string().contains("stay for now: 2"), "{report}");
    }
    // One returns, and one more leaves.
    world.segment(people(9)[1..].to_vec());
    let report = world.run(&activation).await;
    assert_eq!(counts(&report), (1, 1, 8), "{report}");
    assert_eq!(world.on_list("vip"), people(9));
    // Whoever returned begins anew.
    world.segment(people(8)[1..].to_vec());
    let report = world.run(&activation).await;
    assert_eq!(counts(&report), (0, 2, 7), "{report}");
    let report = world.run(&activation).await;
    assert_eq!(counts(&report), (1, 1, 7), "{report}");
    assert_eq!(world.on_list("vip"), people(9)[1..]);
    let report = world.run(&activation).await;
    assert_eq!(counts(&report), (1, 0, 7), "{report}");
    assert_eq!(world.store.load(&activation.key()).await.unwrap().absent, []);
}

#[tokio::test(start_paused = true)]
async fn dry_runs_and_runs_that_the_guard_stops_do_not_count() {
    let world = World::new();
    let activation = leaving_after(2);
    world.segment(people(10));
    world.run(&activation).await;
    world.segment(people(0));
    for _ in 0..3 {
        assert_eq!(world.run(&activation).await.status, RunStatus::Blocked);
    }
    world.segment(people(8));
    for _ in 0..3 {
        assert_eq!(world.plan(&activation).await.dwelling, 2);
    }
    assert_eq!(counts(&world.run(&activation).await), (0, 2, 8));
    assert_eq!(counts(&world.run(&activation).await), (2, 0, 8));
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_failed_does_not_wait_for_another_dwell() {
    let world = World::new();
    let activation = leaving_after(2);
    world.segment(people(10));
    world.run(&activation).await;
    world.segment(people(8));
    world.run(&activation).await;
    world.simulator.inject(FaultRule::new(Fault::ConnectionRefused).on("DELETE").times(99));
    assert_eq!(world.run(&activation).await.status, RunStatus::Busy);
    world.simulator.clear_faults();
    assert_eq!(counts(&world.run(&activation).await), (2, 0, 8));
}

#[tokio::test(start_paused = true)]
async fn a_shorter_dwell_lets_those_go_who_wait() {
    let world = World::new();
    world.segment(people(10));
    world.run(&leaving_after(9)).await;
    world.segment(people(8));
    assert_eq!(world.run(&leaving_after(9)).await.dwelling, 2);
    let report = world.run(&leaving_after(1)).await;
    assert_eq!(counts(&report), (2, 0, 8), "{report}");
    assert_eq!(world.store.load(&leaving_after(1).key()).await.unwrap().absent, []);
}

#[tokio::test(start_paused = true)]
async fn data_that_is_too_old_stops_the_run() {
    let world = World::new();
    let guard = GuardSettings { max_age_hours: Some(24), ..GuardSettings::default() };
    let activation = with(&SettingsPatch::default().guard(guard));
    world.segment(people(5));
    let report = world.run(&activation).await;
    assert_eq!(report.status, RunStatus::Blocked);
    assert_eq!(report.guard.reasons, [Trip::UnknownAge { max_age_hours: 24 }], "{report}");

    let as_of = world.clock.now() - TimeDelta::hours(1);
    world.source.set_as_of(as_of);
    let report = world.run(&activation).await;
    assert_eq!((report.status, report.as_of), (RunStatus::Done, Some(as_of)), "{report}");
    world.wait(Duration::from_secs(24 * 3600)).await;
    world.segment(people(3));
    let report = world.run(&activation).await;
    assert_eq!(report.status, RunStatus::Blocked);
    assert_eq!(report.guard.reasons, [Trip::Stale { as_of, max_age_hours: 24 }], "{report}");
    assert_eq!(world.on_list("vip"), people(5));
    // A person may say that it is right all the same.
    let report = world.run_approved(&activation, &report.plan_digest.unwrap()).await;
    assert_eq!((report.status, report.removed), (RunStatus::Done, 2), "{report}");
}
