//! Calls for larger segments: bounded by batches and polls, never by members.

use std::time::Duration;

use activation_core::{Activation, RunReport, RunStatus, dotdigital::BatchLimits};
use dotdigital_client::{
    Identifier, ListId,
    imports::{ImportBody, ImportContact, ImportLimits, MergeOption},
    simulator::{JobLatency, RateLimits, SimulatorSettings, TierLimits},
};

use crate::world::{World, people};

const IMPORT: &str = "PUT /contacts/v3/import";
const IMPORT_STATUS: &str = "GET /contacts/v3/import/{importId}";
const REMOVAL: &str = "POST /v2/address-books/{addressBookId}/contacts/delete";
const REMOVAL_STATUS: &str = "GET /v2/contacts/deletion/{id}";

fn calls(report: &RunReport, endpoint: &str) -> u64 {
    report.calls.get(endpoint).copied().unwrap_or(0)
}

/// An account where every job takes that long.
fn jobs_take(base: Duration) -> World {
    let latency = JobLatency { base, per_member: Duration::ZERO };
    World::with(SimulatorSettings { latency, ..SimulatorSettings::default() })
}

#[tokio::test(start_paused = true)]
async fn additions_take_as_many_imports_as_their_bytes_fill() {
    let mut world = jobs_take(Duration::ZERO);
    let activation = Activation::new("all");
    world.segment(people(300));
    let list = world.run(&activation).await.list.id.expect("a list");
    let list = ListId::new(i32::try_from(list).expect("an id of 32 bits")).expect("an id");
    let address = Identifier::email("person000000@example.com").expect("an address");
    let contact = ImportContact::new(address).list(list).encoded_len() + ",".len();
    let empty = ImportBody::new(MergeOption::Overwrite, ImportLimits::default()).byte_len();
    world.batch_limits = BatchLimits::default().import_bytes(empty + 100 * contact);
    world.segment(people(2_790));
    let report = world.run(&activation).await;
    assert_eq!(report.added, 2_490, "{report}");
    let imports = calls(&report, IMPORT);
    assert_eq!(imports, 25, "{:?}", report.calls);
    assert_eq!(calls(&report, IMPORT_STATUS), imports, "each was over when it was asked about");
    assert_eq!(report.total_calls(), 2 * imports + 2, "{:?}", report.calls);
}

#[tokio::test(start_paused = true)]
async fn removals_take_a_call_for_each_thousand_and_no_look_up() {
    let world = jobs_take(Duration::ZERO);
    let activation = Activation::new("all");
    world.segment(people(9_000));
    world.run(&activation).await;
    world.segment(people(9_000)[2_100..].to_vec());
    let report = world.run(&activation).await;
    assert_eq!((report.status, report.removed), (RunStatus::Done, 2_100), "{report}");
    assert_eq!(calls(&report, REMOVAL), 3, "{:?}", report.calls);
    assert_eq!(calls(&report, REMOVAL_STATUS), 3, "{:?}", report.calls);
    // Account and list, and nothing about a person.
    assert_eq!(report.total_calls(), 3 + 3 + 2, "{:?}", report.calls);
}

#[tokio::test(start_paused = true)]
async fn a_run_without_changes_asks_for_the_account_and_the_list_only() {
    let world = World::new();
    let activation = Activation::new("all");
    world.segment(people(3_000));
    world.run(&activation).await;
    let report = world.run(&activation).await;
    assert_eq!(report.status, RunStatus::NothingToDo, "{report}");
    assert!(report.total_calls() <= 2, "{:?}", report.calls);
}

#[tokio::test(start_paused = true)]
async fn polls_are_bounded_by_the_length_of_the_job_and_not_by_its_members() {
    let polls = async |members: usize, job: Duration| {
        let world = jobs_take(job);
        world.segment(people(members));
        let report = world.run(&Activation::new("all")).await;
        assert_eq!((report.status, report.added), (RunStatus::Done, members as u64), "{report}");
        assert_eq!(calls(&report, IMPORT), 1, "{:?}", report.calls);
        calls(&report, IMPORT_STATUS)
    };
    let ten_minutes = Duration::from_secs(600);
    let few = polls(10, ten_minutes).await;
    assert_eq!(polls(5_000, ten_minutes).await, few);
    // Waits of 1, 2, 4, 8 and 16 seconds, and then of half a minute each.
    assert!(few <= 6 + 600 / 30, "{few}");
    assert_eq!(polls(10, Duration::ZERO).await, 1);
}

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
