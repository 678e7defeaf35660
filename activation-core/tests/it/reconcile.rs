//! Whether the list still is what our record says, and putting the record right.

use std::{fs, sync::Arc, time::Duration};

use activation_core::{
    Activation, DirectoryStore, GuardSettings, MemoryStore, ReconcileReport, Reconciliation,
    RunStatus, Settings, SettingsPatch, Trip,
};
use dotdigital_client::simulator::{self, Fault, FaultRule, RateLimits, SimulatorSettings};

use crate::world::{World, key, people};

const HOUR: Duration = Duration::from_secs(3600);

fn vip() -> Activation {
    Activation::new("vip")
}

async fn reconcile(world: &World, how: &Reconciliation) -> ReconcileReport {
    world.engine().reconcile(&vip(), &world.source, &world.destination(), how).await
}

async fn report(world: &World) -> ReconcileReport {
    reconcile(world, &Reconciliation::report()).await
}

async fn repair(world: &World) -> ReconcileReport {
    reconcile(world, &Reconciliation::repair()).await
}

async fn rebuild(world: &World) -> ReconcileReport {
    reconcile(world, &Reconciliation::rebuild()).await
}

/// Ten people on the list.
async fn synchronised() -> World {
    let world = World::new();
    world.segment(people(10));
    world.run(&vip()).await;
    world
}

fn list(world: &World) -> i32 {
    world.simulator.list_named("vip").unwrap().id
}

fn contact(world: &World, email: &str) -> i64 {
    let contacts = world.simulator.contacts().into_iter();
    contacts.filter(|contact| contact.email.as_deref() == Some(email)).map(|c| c.id).next().unwrap()
}

fn take_off(world: &World, email: &str) {
    world.simulator.remove_member(list(world), contact(world, email));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_as_our_record_says_is_left_alone() {
    let world = synchronised().await;
    let before = world.store.load(&vip().key()).await.unwrap();
    for found in [report(&world).await, repair(&world).await] {
        assert_eq!(found.status, RunStatus::NothingToDo, "{found}");
        let sides = (found.ours, found.in_segment, found.on_list, found.agreeing);
        assert_eq!(sides, (10, 10, 10, 10), "{found}");
        assert_eq!(found.drift, Default::default());
        assert_eq!(found.calls.values().sum::<u64>(), 3, "{:?}", found.calls);
    }
    assert_eq!(world.store.load(&vip().key()).await.unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn a_report_says_how_the_sides_differ_and_changes_nothing() {
    let world = synchronised().await;
    take_off(&world, "person000001@example.com");
    take_off(&world, "person000002@example.com");
    for guest in ["guest@example.com", "person000011@example.com"] {
        world.simulator.add_member(list(&world), world.simulator.add_contact(guest));
    }
    world.simulator.add_member(list(&world), world.simulator.add_mobile_contact("447123000001"));
    // One who vanished and one who did not leave; two are new, one of them is there already.
    world.segment(people(13)[2..].iter().filter(|p| !p.contains("000003")).cloned());
    let before = world.store.load(&vip().key()).await.unwrap();
    let found = report(&world).await;
    assert_eq!(found.status, RunStatus::Planned, "{found}");
    assert_eq!((found.drift.vanished, found.drift.unclaimed, found.drift.foreign), (2, 1, 2));
    assert_eq!((found.to_add, found.to_remove), (3, 2), "{found}");
    assert_eq!((found.ours, found.in_segment, found.on_list), (10, 10, 11), "{found}");
    assert!(found.to_string().contains("vanished 2, unclaimed 1"), "{found}");
    assert_eq!(world.store.load(&vip().key()).await.unwrap(), before);
    assert!(found.calls.keys().all(|endpoint| endpoint.starts_with("GET")), "{:?}", found.calls);
}

#[tokio::test(start_paused = true)]
async fn somebody_taken_off_by_hand_is_added_again_once_and_then_held() {
    let world = synchronised().await;
    assert_eq!(world.run(&vip()).await.status, RunStatus::NothingToDo);
    for attempt in 1..=2 {
        take_off(&world, "person000001@example.com");
        assert_eq!(world.run(&vip()).await.added, 0, "a run does not read the list");
        let found = repair(&world).await;
        assert_eq!((found.status, found.drift.vanished), (RunStatus::Done, 1), "{found}");
        // Asked again before a run, it is no second time.
        assert_eq!(repair(&world).await.status, RunStatus::NothingToDo);
        let report = world.run(&vip()).await;
        assert_eq!((report.added, report.held), (2 - attempt, attempt - 1), "{report}");
    }
    assert_eq!(world.on_list("vip").len(), 9);
    let held = world.engine().held(&vip(), None, 9).await.unwrap().members.remove(0);
    assert_eq!((held.cause.as_str(), held.attempts), ("vanished", 2));
    world.wait(8 * 24 * HOUR).await;
    assert_eq!(world.run(&vip()).await.added, 1);
    // Seen on the list, she is watched no more.
    assert_eq!(repair(&world).await.status, RunStatus::Done);
    assert_eq!(world.engine().held(&vip(), None, 9).await.unwrap().total, 0);
    assert_eq!(world.on_list("vip"), people(10));
    world.assert_harmless();
}

#[tokio::test(start_paused = true)]
async fn somebody_who_vanished_and_is_not_wanted_any_more_is_forgotten() {
    let world = synchronised().await;
    take_off(&world, "person000009@example.com");
    world.segment(people(9));
    assert_eq!(repair(&world).await.status, RunStatus::Done);
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.planned.unwrap().remove), (RunStatus::NothingToDo, 0));
}

#[tokio::test(start_paused = true)]
async fn held_members_who_are_on_the_list_after_all_are_ours() {
    let world = World::new();
    let fault = Fault::FailRows { code: "invalidEmail".to_owned(), every: 10 };
    world.simulator.inject(FaultRule::new(fault).on("PUT"));
    world.segment(people(10));
    assert_eq!(world.run(&vip()).await.held, 1);
    let on_list = world.on_list("vip");
    let held = people(10).into_iter().find(|person| !on_list.contains(person)).unwrap();
    world.simulator.add_member(list(&world), world.simulator.add_contact(&held));
    let found = repair(&world).await;
    assert_eq!((found.drift.unclaimed, found.drift.held_on_list), (1, 1), "{found}");
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.unchanged, report.held), (RunStatus::NothingToDo, 10, 0));
    world.segment([held.clone()]);
    world.run(&vip()).await;
    world.segment(Vec::<String>::new());
    let plan = world.run(&vip()).await.plan_digest.unwrap();
    world.run_approved(&vip(), &plan).await;
    assert_eq!(world.on_list("vip"), [""; 0], "she leaves like the others");
}

#[tokio::test(start_paused = true)]
async fn a_contact_that_was_made_anew_is_known_by_its_new_id() {
    let world = synchronised().await;
    let old = contact(&world, "person000003@example.com");
    take_off(&world, "person000003@example.com");
    world.simulator.set_identifier(old, "email", "somebody-else@example.com");
    let new = world.simulator.add_contact("person000003@example.com");
    assert_ne!(new, old);
    world.simulator.add_member(list(&world), new);
    let found = repair(&world).await;
    assert_eq!((found.status, found.drift.other_contact), (RunStatus::Done, 1), "{found}");
    assert_eq!(repair(&world).await.status, RunStatus::NothingToDo);
    world.segment(people(10).into_iter().filter(|person| !person.contains("000003")));
    assert_eq!(world.run(&vip()).await.removed, 1);
    assert_eq!(world.on_list("vip").len(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_contact_whose_address_changed_is_still_ours() {
    let world = synchronised().await;
    let moved = contact(&world, "person000003@example.com");
    world.simulator.set_identifier(moved, "email", "moved@example.com");
    let found = repair(&world).await;
    assert_eq!((found.status, found.drift.other_identifier), (RunStatus::NothingToDo, 1));
    assert_eq!((found.drift.foreign, found.drift.vanished), (0, 0), "{found}");
    // Whether she goes on under the old address, or the segment learns of the new one.
    world.segment(people(10)[4..].iter().cloned().chain(["moved@example.com".to_owned()]));
    let found = report(&world).await;
    assert_eq!((found.to_add, found.drift.unclaimed), (1, 0), "{found}");
    world.run(&vip()).await;
    world.segment(people(10)[4..].to_vec());
    world.run(&vip()).await;
    assert_eq!(world.on_list("vip"), people(10)[4..]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_state_is_rebuilt_without_removing_anybody() {
    let mut world = synchronised().await;
    world.simulator.add_member(list(&world), world.simulator.add_contact("guest@example.com"));
    // Two leave and two join, and nobody knows any more who was on the list through us.
    world.segment(people(12)[2..].to_vec());
    world.store = Arc::new(MemoryStore::new(key()));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Failed, "a list with members");
    assert_eq!(report(&world).await.status, RunStatus::Failed, "nothing is known of a list");
    let found = rebuild(&world).await;
    assert_eq!((found.status, found.drift.unclaimed), (RunStatus::Done, 8), "{found}");
    assert_eq!(found.drift.foreign, 3, "two of them were ours once: {found}");
    let report = world.run(&vip()).await;
    assert_eq!((report.added, report.removed, report.unchanged), (2, 0, 8), "{report}");
    world.segment(people(12)[3..].to_vec());
    assert_eq!(world.run(&vip()).await.removed, 1, "ours again");
    assert_eq!(world.on_list("vip").len(), 12);
    world.assert_harmless();
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_needs_a_list_of_the_activations_name() {
    let world = World::new();
    world.segment(people(3));
    let found = rebuild(&world).await;
    assert_eq!(found.status, RunStatus::Failed, "{found}");
    // And brings its visibility to what is wanted in the next run.
    world.simulator.add_list("vip", simulator::Visibility::Public);
    assert_eq!(rebuild(&world).await.status, RunStatus::Done);
    assert_eq!(world.run(&vip()).await.added, 3);
    let now = world.simulator.list_named("vip").unwrap().visibility;
    assert_eq!(now, simulator::Visibility::Private);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_record_is_rebuilt_and_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let mut world = World::new();
    world.store = Arc::new(DirectoryStore::open(directory.path()).unwrap());
    world.segment(people(10));
    world.run(&vip()).await;
    let file = fs::read_dir(directory.path().join("snapshots")).unwrap().next().unwrap().unwrap();
    let mut bytes = fs::read(file.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file.path(), bytes).unwrap();
    assert_eq!(world.run(&vip()).await.status, RunStatus::Failed);
    assert_eq!(repair(&world).await.status, RunStatus::Failed, "a repair needs a record");
    let found = rebuild(&world).await;
    assert_eq!((found.status, found.snapshot_lost), (RunStatus::Done, true), "{found}");
    assert_eq!((found.ours, found.drift.unclaimed), (0, 10), "{found}");
    assert_eq!(world.run(&vip()).await.unchanged, 10);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_reads_as_empty_is_not_believed() {
    let world = World::new();
    world.segment(people(100));
    world.run(&vip()).await;
    people(100).iter().for_each(|person| take_off(&world, person));
    let found = repair(&world).await;
    assert_eq!(found.status, RunStatus::Blocked);
    assert!(matches!(found.reasons[..], [Trip::Vanished { vanished: 100, .. }]), "{found}");
    assert_eq!(world.run(&vip()).await.unchanged, 100, "nothing was changed");
    let guard = GuardSettings { max_removals: Some(100), ..GuardSettings::default() };
    let patch = SettingsPatch::default().guard(guard);
    let once = vip().settings(Settings::resolve(&SettingsPatch::default(), &patch));
    let how = Reconciliation::repair();
    let found = world.engine().reconcile(&once, &world.source, &world.destination(), &how).await;
    assert_eq!(found.status, RunStatus::Done, "{found}");
    assert_eq!(world.run(&vip()).await.added, 100);
}

#[tokio::test(start_paused = true)]
async fn members_under_way_are_left_to_the_runs() {
    let world = synchronised().await;
    world.simulator.inject(FaultRule::new(Fault::SlowJob(2 * HOUR)).on("PUT"));
    world.segment(people(20));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    let found = report(&world).await;
    assert_eq!((found.status, found.in_flux, found.to_add), (RunStatus::NothingToDo, 10, 0));
    // The service has put them on the list, and the runs do not know yet.
    world.wait(2 * HOUR).await;
    let found = report(&world).await;
    assert_eq!((found.on_list, found.in_flux, found.drift.unclaimed), (20, 10, 0), "{found}");
    // A repair settles first what can be settled.
    let found = repair(&world).await;
    assert_eq!((found.status, found.agreeing, found.in_flux), (RunStatus::NothingToDo, 20, 0));
    assert_eq!(world.run(&vip()).await.unchanged, 20);
}

#[tokio::test(start_paused = true)]
async fn a_repair_waits_for_a_run_and_a_report_notices_one() {
    let world = synchronised().await;
    world.simulator.inject(FaultRule::new(Fault::SlowJob(HOUR / 4)).on("PUT"));
    world.segment(people(20));
    let activation = vip();
    let second = async {
        world.wait(HOUR / 12).await;
        (repair(&world).await, report(&world).await)
    };
    let (run, (repaired, reported)) = tokio::join!(world.run(&activation), second);
    assert_eq!(run.status, RunStatus::Done, "{run}");
    assert_eq!(repaired.status, RunStatus::Busy, "{repaired}");
    assert_eq!((reported.status, reported.in_flux), (RunStatus::NothingToDo, 10), "{reported}");
}

#[tokio::test(start_paused = true)]
async fn a_list_larger_than_the_memory_is_compared_through_temporary_files() {
    let limits = RateLimits::Off;
    let world = World::with(SimulatorSettings { limits, ..SimulatorSettings::default() });
    world.segment(people(40_000));
    world.run(&vip()).await;
    take_off(&world, "person000777@example.com");
    let directory = tempfile::tempdir().unwrap();
    let how = Reconciliation::report().memory(128 << 10).directory(directory.path());
    let small = reconcile(&world, &how).await;
    let large = report(&world).await;
    assert_eq!(
        (small.status, small.agreeing, small.drift.vanished),
        (RunStatus::Planned, 39_999, 1)
    );
    assert_eq!(small.drift, large.drift);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "they are gone");
    // They are needed: without a place for them the comparison fails.
    let gone = directory.path().join("gone");
    let found = reconcile(&world, &how.directory(gone)).await;
    assert_eq!(found.status, RunStatus::Failed, "{found}");
}

#[tokio::test(start_paused = true)]
async fn a_doubt_about_somebody_who_is_watched_ends_like_any_other() {
    let world = synchronised().await;
    take_off(&world, "person000001@example.com");
    repair(&world).await;
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on("PATCH").times(99));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    world.simulator.clear_faults();
    assert_eq!(world.run(&vip()).await.added, 1);
    world.wait(4 * HOUR).await;
    world.run(&vip()).await;
    assert_eq!(world.store.load(&vip().key()).await.unwrap().journal, []);
}
