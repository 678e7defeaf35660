//! Calls for larger segments: bounded by batches and polls, never by members.

use std::time::Duration;

use activation_core::{Activation, RunStatus, dotdigital::BatchLimits};
use dotdigital_client::simulator::{RateLimits, SimulatorSettings, TierLimits};

use crate::world::{World, people};

#[tokio::test(start_paused = true)]
async fn a_first_run_of_many_members_takes_a_handful_of_calls() {
    let world = World::new();
    let activation = Activation::new("all");
    world.segment(people(30_000));
    let report = world.run(&activation).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 30_000), "{report}");
    assert!(report.total_calls() <= 12, "{:?}", report.calls);

    // One per cent out, one per cent in; the ids of those who leave are known.
    world.segment(people(30_300)[300..].to_vec());
    let report = world.run(&activation).await;
    assert_eq!((report.added, report.removed), (300, 300), "{report}");
    assert!(report.total_calls() <= 12, "{:?}", report.calls);
    assert!(!report.calls.contains_key("GET /contacts/v3/{identifier}/{value}"));
    assert_eq!(world.on_list("all"), people(30_300)[300..]);
}

#[tokio::test(start_paused = true)]
async fn under_the_lowest_limits_a_run_waits_its_turn_and_loses_nothing() {
    let limits = RateLimits::Tiered(TierLimits { low: 35, medium: 35, high: 35 });
    let mut world = World::with(SimulatorSettings { limits, ..SimulatorSettings::default() });
    // So small that the limit is met several times over.
    world.batch_limits = BatchLimits::default().import_contacts(10).removal_contacts(10);
    let activation = Activation::new("all");
    world.segment(people(1_000));
    let report = world.run(&activation).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 1_000), "{report}");
    assert_eq!(world.on_list("all"), people(1_000));
}

#[tokio::test(start_paused = true)]
async fn under_the_hourly_limit_what_is_left_is_done_by_later_runs() {
    let limits = RateLimits::Flat { per_hour: 40 };
    let mut world = World::with(SimulatorSettings { limits, ..SimulatorSettings::default() });
    world.batch_limits = BatchLimits::default().import_contacts(20);
    let activation = Activation::new("all");
    world.segment(people(1_000));
    let mut added = 0;
    for _ in 0..10 {
        let report = world.run(&activation).await;
        added += report.added;
        if report.status == RunStatus::Done {
            break;
        }
        assert_eq!(report.status, RunStatus::Busy, "{report}");
        world.wait(Duration::from_secs(3_700)).await;
    }
    assert_eq!(added, 1_000, "each counted once, over all runs");
    assert_eq!(world.on_list("all"), people(1_000));
    assert_eq!(world.simulator.contact_count(), 1_000);
}
