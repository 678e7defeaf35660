//! "Existing contacts only" for many: looking up or reading, whichever is cheaper.

use activation_core::{
    Activation, Destination, MissingContacts, RunReport, RunStatus, Settings, SettingsPatch,
    dotdigital::Dotdigital,
};
use dotdigital_client::simulator::{RateLimits, SimulatorSettings, TierLimits};

use crate::world::{World, people};

const PAGE: &str = "GET /contacts/v3";
const LOOK_UP: &str = "GET /contacts/v3/{identifier}/{value}";

fn existing_only() -> Activation {
    let patch = SettingsPatch::default().missing_contacts(MissingContacts::ExistingOnly);
    Activation::new("vip").settings(Settings::resolve(&SettingsPatch::default(), &patch))
}

/// An account with so many contacts, some of which are the first of the segment.
fn account_of(contacts: usize, settings: SimulatorSettings) -> World {
    let world = World::with(settings);
    for address in people(contacts) {
        world.simulator.add_contact(&address);
    }
    world
}

/// So many of the account's contacts, and so many strangers.
fn segment(world: &World, known: usize, strangers: usize) {
    let strangers = (0..strangers).map(|number| format!("stranger{number}@example.com"));
    world.segment(people(known).into_iter().chain(strangers));
}

fn reads(report: &RunReport) -> (u64, u64) {
    let calls = |endpoint| report.calls.get(endpoint).copied().unwrap_or(0);
    (calls(PAGE), calls(LOOK_UP))
}

async fn run(world: &World, destination: &Dotdigital) -> RunReport {
    world.engine().run(&existing_only(), &world.source, destination).await
}

#[tokio::test(start_paused = true)]
async fn many_are_found_by_reading_a_small_account() {
    let world = account_of(12_000, SimulatorSettings::default());
    segment(&world, 300, 200);
    let report = run(&world, &world.destination()).await;
    assert_eq!(report.status, RunStatus::Done, "{report}");
    assert_eq!((report.added, report.skipped), (300, 200), "{report}");
    assert_eq!(reads(&report), (3, 0), "{report}");
    assert_eq!(world.on_list("vip"), people(300));
    assert_eq!(world.simulator.contact_count(), 12_000, "nobody was created");
    world.assert_harmless();
}

#[tokio::test(start_paused = true)]
async fn reading_ends_where_everybody_is_found() {
    let world = account_of(12_000, SimulatorSettings::default());
    segment(&world, 300, 0);
    let report = run(&world, &world.destination()).await;
    assert_eq!((report.added, reads(&report)), (300, (1, 0)), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_few_are_looked_up() {
    let world = account_of(12_000, SimulatorSettings::default());
    segment(&world, 5, 4);
    let report = run(&world, &world.destination()).await;
    assert_eq!((report.added, report.skipped), (5, 4), "{report}");
    assert_eq!(reads(&report), (0, 9), "{report}");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_too_large_is_given_up_and_not_read_in_vain_again() {
    // Ten pages weigh as much as a hundred look-ups, and there are eleven.
    let world = account_of(55_000, SimulatorSettings::default());
    segment(&world, 60, 40);
    let destination = world.destination();
    let report = run(&world, &destination).await;
    assert_eq!((report.added, report.skipped), (60, 40), "{report}");
    assert_eq!(reads(&report), (10, 40), "who was found on a page is not looked up: {report}");

    let strangers = (40..140).map(|number| format!("stranger{number}@example.com"));
    world.segment(people(60).into_iter().chain(strangers));
    let report = run(&world, &destination.sibling()).await;
    assert_eq!((report.added, reads(&report)), (0, (0, 100)), "{report}");
}

#[tokio::test(start_paused = true)]
async fn pages_are_worth_less_where_fewer_of_them_are_allowed_a_minute() {
    let limits = RateLimits::Tiered(TierLimits { low: 10, medium: 1_000, high: 1_000 });
    let settings = SimulatorSettings { limits, ..SimulatorSettings::default() };
    let world = account_of(12_000, settings);
    segment(&world, 100, 100);
    let report = run(&world, &world.destination()).await;
    assert_eq!((report.added, report.skipped), (100, 100), "{report}");
    assert_eq!(reads(&report), (2, 100), "two pages last as long as 200 look-ups: {report}");
}

#[tokio::test(start_paused = true)]
async fn somebody_in_the_recycle_bin_is_no_contact_on_a_page_either() {
    let world = account_of(100, SimulatorSettings::default());
    let binned = world.simulator.add_contact("stranger7@example.com");
    world
        .simulator
        .delete_contact(binned, activation_core::Clock::now(&activation_core::SystemClock));
    segment(&world, 20, 20);
    let report = run(&world, &world.destination()).await;
    assert_eq!((report.added, report.skipped), (20, 20), "{report}");
    assert_eq!(reads(&report).1, 0, "{report}");
    assert_eq!(world.on_list("vip"), people(20));
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_what_looking_up_will_cost_as_far_as_it_is_known() {
    let world = account_of(12_000, SimulatorSettings::default());
    let destination = world.destination();
    let add = activation_core::Operation::Add;
    let policy = MissingContacts::ExistingOnly;
    assert_eq!(destination.estimate_calls(add, 1_000, policy), 1_000 + 2);
    segment(&world, 10, 40);
    run(&world, &destination).await;
    assert_eq!(
        destination.estimate_calls(add, 1_000, policy),
        3 + 2,
        "the account has three pages"
    );
    assert_eq!(destination.limits().look_ups, destination.limits().additions);
}
