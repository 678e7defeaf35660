//! Plan, approve, apply: in different processes, for exactly one plan, once.

use std::{sync::Arc, time::Duration};

use activation_core::{
    Activation, DirectoryStore, GuardOutcome, GuardSettings, RunReport, RunStatus, Settings,
    SettingsPatch,
};
use dotdigital_client::simulator::{Fault, FaultRule};

use crate::world::{World, people};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn vip() -> Activation {
    Activation::new("vip")
}

/// Two hundred people are on the list, and a hundred are left in the segment.
async fn world_before_a_mass_removal() -> World {
    let world = World::new();
    world.segment(people(200));
    world.run(&vip()).await;
    world.segment(people(100));
    world
}

async fn approve(world: &World, digest: &str) {
    let engine = world.engine();
    engine.approve(&vip(), digest, "Ada", "the campaign is over", DAY).await.unwrap();
}

async fn apply(world: &World, digest: &str) -> RunReport {
    world.engine().apply(&vip(), &world.source, &world.destination(), digest).await
}

fn digest(report: &RunReport) -> String {
    report.plan_digest.clone().expect("a digest")
}

#[tokio::test(start_paused = true)]
async fn plan_approve_and_apply_work_in_three_processes() {
    let directory = tempfile::tempdir().unwrap();
    // Each process opens the store anew.
    let open = || Arc::new(DirectoryStore::open(directory.path()).unwrap());
    let mut world = World::new();
    world.store = open();
    world.segment(people(200));
    world.run(&vip()).await;
    world.segment(people(100));

    world.store = Arc::new(DirectoryStore::open_read_only(directory.path()).unwrap().unwrap());
    let plan = world.plan(&vip()).await;
    assert_eq!(plan.guard.outcome, GuardOutcome::Tripped, "{plan}");
    world.store = open();
    approve(&world, &digest(&plan)).await;
    world.store = open();
    let again = world.plan(&vip()).await;
    assert_eq!((digest(&again), again.guard.outcome), (digest(&plan), GuardOutcome::Approved));
    world.store = open();
    let report = apply(&world, &digest(&plan)).await;
    assert_eq!((report.status, report.removed), (RunStatus::Done, 100), "{report}");
    assert_eq!(report.guard.outcome, GuardOutcome::Approved);
    let approval = report.guard.approval.expect("it stands in the report");
    assert_eq!((approval.by.as_str(), approval.reason.as_str()), ("Ada", "the campaign is over"));
    assert_eq!((approval.expires_at - approval.approved_at).to_std().unwrap(), DAY);
    assert_eq!(world.on_list("vip"), people(100));
    assert_eq!(world.engine().approvals(&vip()).await.unwrap(), [], "used up");
}

#[tokio::test(start_paused = true)]
async fn an_approval_counts_for_its_plan_alone_and_waits_for_it() {
    let world = world_before_a_mass_removal().await;
    let plan = world.plan(&vip()).await;
    approve(&world, &digest(&plan)).await;
    world.segment(people(99));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Blocked, "{report}");
    assert_eq!(world.engine().approvals(&vip()).await.unwrap().len(), 1);
    world.segment(people(100));
    let report = world.run(&vip()).await;
    assert_eq!(
        (report.status, report.removed),
        (RunStatus::Done, 100),
        "a plain run too: {report}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_approval_is_used_once_also_by_a_run_that_changes_nothing() {
    let world = World::new();
    let guard = GuardSettings { max_age_hours: Some(1), ..GuardSettings::default() };
    let stale = SettingsPatch::default().guard(guard);
    let activation = vip().settings(Settings::resolve(&SettingsPatch::default(), &stale));
    world.segment(people(5));
    world.run(&vip()).await;
    let report = world.run(&activation).await;
    assert_eq!(report.status, RunStatus::Blocked, "{report}");
    // Given twice by mistake, it still counts once.
    approve(&world, &digest(&report)).await;
    approve(&world, &digest(&report)).await;
    assert_eq!(world.run(&activation).await.status, RunStatus::NothingToDo);
    assert_eq!(world.run(&activation).await.status, RunStatus::Blocked);
}

#[tokio::test(start_paused = true)]
async fn an_approval_expires() {
    let world = world_before_a_mass_removal().await;
    let plan = world.plan(&vip()).await;
    approve(&world, &digest(&plan)).await;
    world.wait(DAY).await;
    assert_eq!(apply(&world, &digest(&plan)).await.status, RunStatus::Blocked);
    assert_eq!(world.engine().approvals(&vip()).await.unwrap(), []);
    assert_eq!(world.on_list("vip"), people(200));
    // What has expired does not stay in the state for ever.
    world.segment(people(190));
    world.run(&vip()).await;
    assert_eq!(world.store.load(&vip().key()).await.unwrap().journal, []);
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_could_not_be_used_yet_is_kept() {
    let world = world_before_a_mass_removal().await;
    let plan = world.plan(&vip()).await;
    approve(&world, &digest(&plan)).await;
    world.simulator.inject(FaultRule::new(Fault::ConnectionRefused).on("POST").times(99));
    assert_eq!(apply(&world, &digest(&plan)).await.status, RunStatus::Busy);
    world.simulator.clear_faults();
    let report = apply(&world, &digest(&plan)).await;
    assert_eq!((report.status, report.removed), (RunStatus::Done, 100), "{report}");
}

#[tokio::test(start_paused = true)]
async fn apply_does_the_plan_it_was_given_or_nothing() {
    let world = World::new();
    world.segment(people(5));
    let plan = world.plan(&vip()).await;
    // Nothing suspicious, and yet another plan.
    world.segment(people(6));
    let report = apply(&world, &digest(&plan)).await;
    assert_eq!((report.status, report.added), (RunStatus::Blocked, 0), "{report}");
    let message = &report.error.as_ref().unwrap().message;
    assert!(message.contains(&digest(&plan)) && message.contains(&digest(&report)), "{message}");
    assert!(world.simulator.list_named("vip").is_none());
    let report = apply(&world, &digest(&report)).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 6), "{report}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_digest_is_not_approved() {
    let world = world_before_a_mass_removal().await;
    for text in ["", "yes", "0123456789abcdef0123456789abcdeg"] {
        let error = world.engine().approve(&vip(), text, "Ada", "", DAY).await.unwrap_err();
        assert!(!error.temporary, "{error}");
    }
    assert_eq!(world.engine().approvals(&vip()).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn additions_go_through_if_asked_while_removals_wait_for_approval() {
    let world = World::new();
    let guard = GuardSettings { additions_through: Some(true), ..GuardSettings::default() };
    let patch = SettingsPatch::default().guard(guard);
    let activation = vip().settings(Settings::resolve(&SettingsPatch::default(), &patch));
    world.segment(people(200));
    world.run(&activation).await;
    let moved: Vec<String> = people(250)[100..].to_vec();
    world.segment(moved.clone());
    let report = world.run(&activation).await;
    let counts = (report.status, report.added, report.removed);
    assert_eq!(counts, (RunStatus::Blocked, 50, 0), "{report}");
    assert_eq!(world.on_list("vip"), people(250));
    let engine = world.engine();
    engine.approve(&activation, &digest(&report), "Ada", "a relaunch", DAY).await.unwrap();
    let report = world.run(&activation).await;
    assert_eq!((report.status, report.removed), (RunStatus::Done, 100), "{report}");
    assert_eq!(world.on_list("vip"), moved);
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_through_by_default_or_when_more_than_removals_is_suspicious() {
    let world = world_before_a_mass_removal().await;
    world.segment(people(250)[100..].to_vec());
    assert_eq!(world.run(&vip()).await.added, 0);
    let guard = GuardSettings {
        additions_through: Some(true),
        max_age_hours: Some(1),
        ..GuardSettings::default()
    };
    let patch = SettingsPatch::default().guard(guard);
    let activation = vip().settings(Settings::resolve(&SettingsPatch::default(), &patch));
    let report = world.run(&activation).await;
    assert_eq!((report.status, report.added), (RunStatus::Blocked, 0), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_doubt_outlasts_a_run_that_only_let_additions_through() {
    // Found by the simulation, seed 481.
    let world = World::new();
    let guard = GuardSettings {
        additions_through: Some(true),
        max_removals: Some(2),
        ..GuardSettings::default()
    };
    let patch = SettingsPatch::default().guard(guard);
    let activation = vip().settings(Settings::resolve(&SettingsPatch::default(), &patch));
    world.segment(people(10));
    world.run(&activation).await;
    // An import whose answer is lost puts ten more on the list; all of them leave again.
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on("PUT"));
    world.segment(people(20));
    assert_eq!(world.run(&activation).await.status, RunStatus::Busy);
    world.wait(DAY).await;
    world.segment(people(10).into_iter().chain(["new@example.com".to_owned()]));
    let report = world.run(&activation).await;
    assert_eq!((report.status, report.added), (RunStatus::Blocked, 1), "{report}");
    let report = world.run_approved(&activation, &digest(&report)).await;
    assert_eq!((report.status, report.removed), (RunStatus::Done, 10), "{report}");
    assert_eq!(world.on_list("vip").len(), 11);
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_was_not_needed_is_used_up_all_the_same() {
    let world = World::new();
    world.segment(people(200));
    let plan = world.plan(&vip()).await;
    assert_eq!(plan.guard.outcome, GuardOutcome::Passed, "{plan}");
    approve(&world, &digest(&plan)).await;
    let report = apply(&world, &digest(&plan)).await;
    assert_eq!((report.status, report.guard.outcome), (RunStatus::Done, GuardOutcome::Passed));
    assert_eq!(world.engine().approvals(&vip()).await.unwrap(), []);
}
