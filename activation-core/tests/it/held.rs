//! Members that should be on the list and cannot be: how long, why, who, and another try on request.

use std::time::Duration;

use activation_core::{
    Activation, HeldPage, HeldSelection, RunReport, RunStatus, Settings, SettingsPatch,
};
use dotdigital_client::simulator::{Fault, FaultRule};

use crate::world::{World, people};

const IMPORT: &str = "PUT /contacts/v3/import";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn vip() -> Activation {
    Activation::new("vip")
}

fn fail_rows(code: &str, every: u64) -> FaultRule {
    FaultRule::new(Fault::FailRows { code: code.to_owned(), every }).on(IMPORT)
}

fn planned(report: &RunReport) -> u64 {
    report.planned.as_ref().expect("a plan").add
}

/// Twelve people, of whom the service refuses every second.
async fn world_with_held_members() -> World {
    let world = World::new();
    world.simulator.inject(fail_rows("invalidEmail", 2));
    world.segment(people(12));
    let report = world.run(&vip()).await;
    assert_eq!((report.added, report.held), (6, 6), "{report}");
    world
}

async fn page(world: &World, after: Option<&HeldPage>, most: usize) -> HeldPage {
    let after = after.map(|page| page.next.expect("another page"));
    world.engine().held(&vip(), after, most).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn held_members_are_listed_page_by_page_with_cause_date_and_attempts() {
    let world = world_with_held_members().await;
    let first = page(&world, None, 4).await;
    let second = page(&world, Some(&first), 4).await;
    assert_eq!((first.members.len(), second.members.len()), (4, 2));
    assert_eq!((first.total, second.total, second.next), (6, 6, None));
    let all = [first.members, second.members].concat();
    assert!(all.is_sorted_by(|one, other| one.member < other.member), "each once: {all:?}");
    for held in &all {
        assert_eq!((held.cause.as_str(), held.attempts), ("invalid_email", 1));
        assert_eq!(held.retry_at - held.since, chrono::TimeDelta::days(7));
    }
    assert_eq!(page(&world, None, 6).await.next, None, "a full page may be the last");
    assert_eq!(
        page(&world, None, 0).await.members.len(),
        1,
        "a page is never empty before the end"
    );
    let other = world.engine().held(&Activation::new("other"), None, 4).await.unwrap();
    assert_eq!(other, HeldPage { members: Vec::new(), next: None, total: 0 });
}

#[tokio::test(start_paused = true)]
async fn held_members_are_tried_again_on_request() {
    let world = world_with_held_members().await;
    let engine = world.engine();
    let retry = async |which| engine.retry_held(&vip(), &which).await.unwrap();
    assert_eq!(retry(HeldSelection::Cause("blocker".into())).await, 0);
    assert_eq!(retry(HeldSelection::Member(b"nobody@example.com".to_vec())).await, 0);
    assert_eq!(planned(&world.run(&vip()).await), 0);

    let on_list = world.on_list("vip");
    let held = people(12).into_iter().find(|person| !on_list.contains(person)).unwrap();
    let spelt = format!(" {}", held.to_uppercase());
    assert_eq!(retry(HeldSelection::Member(spelt.into_bytes())).await, 1);
    let report = world.run(&vip()).await;
    assert_eq!((report.added, report.held), (1, 5), "{report}");
    assert!(world.on_list("vip").contains(&held));

    assert_eq!(retry(HeldSelection::Cause("invalid_email".into())).await, 5);
    world.simulator.inject(fail_rows("invalidEmail", 5));
    let report = world.run(&vip()).await;
    assert_eq!((report.added, report.held), (4, 1), "{report}");
    let again = page(&world, None, 9).await.members.remove(0);
    assert_eq!(again.attempts, 2, "the second try is counted");
    assert_eq!(retry(HeldSelection::All).await, 1);
    assert_eq!(world.run(&vip()).await.status, RunStatus::Done);
    assert_eq!(world.on_list("vip"), people(12));
}

#[tokio::test(start_paused = true)]
async fn a_request_for_another_try_waits_for_a_run_and_refuses_what_is_no_identifier() {
    let world = world_with_held_members().await;
    let key = vip().key();
    let lease = world.store.acquire(&key, "host-7", crate::world::monday(), DAY).await.unwrap();
    let error = world.engine().retry_held(&vip(), &HeldSelection::All).await.unwrap_err();
    assert!(error.temporary && error.message.contains("host-7"), "{error}");
    let activation_core::Acquired::Lease(lease) = lease else { panic!("free") };
    world.store.release(&lease).await.unwrap();
    let nobody = HeldSelection::Member(b"not an address".to_vec());
    let error = world.engine().retry_held(&vip(), &nobody).await.unwrap_err();
    assert!(!error.message.contains("not an address"), "no address in errors: {error}");
    assert_eq!(planned(&world.run(&vip()).await), 0, "nothing was changed");
}

#[tokio::test(start_paused = true)]
async fn how_long_a_member_is_held_is_configured() {
    let world = World::new();
    let patch = SettingsPatch::default().hold_days(3.try_into().unwrap());
    let activation = vip().settings(Settings::resolve(&SettingsPatch::default(), &patch));
    world.simulator.inject(fail_rows("invalidEmail", 2));
    world.segment(people(10));
    world.run(&activation).await;
    world.wait(2 * DAY).await;
    assert_eq!(planned(&world.run(&activation).await), 0);
    world.wait(DAY).await;
    assert_eq!(planned(&world.run(&activation).await), 5);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_held_and_counted_apart() {
    let world = World::new();
    world.simulator.inject(fail_rows("duplicateIdentifier", 5));
    world.segment(people(10));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.held, report.conflicts), (RunStatus::Incomplete, 2, 2));
    assert_eq!(report.held_by_cause["conflict:duplicate_identifier"], 2, "{report}");
    let report = world.run(&vip()).await;
    assert_eq!((report.conflicts, planned(&report)), (2, 0), "not tried every run: {report}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_concerns_everybody_stops_the_run_and_holds_nobody() {
    let mut world = World::new();
    world.batch_limits = activation_core::dotdigital::BatchLimits::default().import_contacts(5);
    world.simulator.inject(fail_rows("InvalidAddressBookIds", 5).times(100));
    world.segment(people(100));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.held), (RunStatus::Failed, 0), "{report}");
    assert!(report.error.as_ref().unwrap().message.contains("invalid_address_book_ids"));
    assert!(report.calls[IMPORT] < 10, "no further batch is sent: {report}");
    assert_eq!(report.added + report.failed, 100, "{report}");
    world.simulator.clear_faults();
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.held), (RunStatus::Done, 0), "{report}");
    assert_eq!(world.on_list("vip"), people(100));
}
