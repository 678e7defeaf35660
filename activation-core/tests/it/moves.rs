//! Somebody has another identifier than before, and her warehouse key tells: her contact moves.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use activation_core::{
    Activation, DirectoryStore, ExcludedSegments, Fingerprint, GuardSettings, IdentifierChange,
    IdentifierKind, IdentityCounts, MembershipChange, MissingContacts, Reconciliation, RunReport,
    RunStatus, Settings, SettingsPatch, Standing, Trip, sources::MemorySource,
};
use chrono::TimeDelta;
use dotdigital_client::{
    Clock as _,
    simulator::{Fault, FaultRule, JobLatency, SimulatorSettings},
};

use crate::{
    ledger::Book,
    world::{World, key},
};

const IMPORT: &str = "PUT /contacts/v3/import";
const MINUTE: Duration = Duration::from_secs(60);

/// A segment by warehouse key.
type People = BTreeMap<String, String>;

fn vip() -> Activation {
    Activation::new("vip")
}

fn with(patch: &SettingsPatch) -> Activation {
    vip().settings(Settings::resolve(&SettingsPatch::default(), patch))
}

/// `count` people with the addresses they begin with.
fn customers(count: usize) -> People {
    (0..count).map(|number| (format!("c{number}"), format!("person{number}@example.com"))).collect()
}

/// As the warehouse gives them: identifiers with keys.
fn rows(people: &People) -> Vec<(String, String)> {
    people.iter().map(|(key, address)| (address.clone(), key.clone())).collect()
}

fn renamed(people: &mut People, numbers: impl IntoIterator<Item = usize>) {
    for number in numbers {
        people.insert(format!("c{number}"), format!("renamed{number}@example.com"));
    }
}

fn addresses(people: &People) -> Vec<String> {
    let mut addresses: Vec<String> = people.values().cloned().collect();
    addresses.sort();
    addresses
}

/// Contacts on the list by address.
fn contacts(world: &World) -> BTreeMap<String, i64> {
    world.simulator.finish_jobs(world.clock.now());
    let list = world.simulator.list_named("vip").expect("the list");
    let members = world.simulator.members(list.id).into_iter();
    members.map(|one| (one.email.or(one.mobile).unwrap_or_default(), one.id)).collect()
}

fn fingerprint(address: &str) -> Fingerprint {
    key().fingerprint(address.as_bytes())
}

async fn world_with(people: &People) -> World {
    let world = World::new();
    world.source.set_keyed(rows(people));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, people.len() as u64), "{report}");
    assert_eq!(report.identities, IdentityCounts::default());
    world
}

fn counts(report: &RunReport) -> [u64; 4] {
    [report.added, report.removed, report.moved, report.unchanged]
}

fn planned(report: &RunReport) -> [u64; 3] {
    let plan = report.planned.as_ref().expect("a plan");
    [plan.add, plan.remove, plan.moves]
}

async fn is_done_after(world: &World, people: &People) {
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::NothingToDo, "{report}");
    assert_eq!(report.total_calls(), 2, "{report}");
    assert_eq!(world.on_list("vip"), addresses(people));
    world.assert_harmless();
}

#[tokio::test(start_paused = true)]
async fn a_changed_address_is_a_move_and_the_contact_keeps_its_id() {
    // By a single call, and in bulk.
    for moving in [1, 8] {
        let mut people = customers(200);
        let world = world_with(&people).await;
        let before = contacts(&world);
        renamed(&mut people, 0..moving);
        world.source.set_keyed(rows(&people));
        let plan = world.plan(&vip()).await;
        assert_eq!(planned(&plan), [0, 0, moving as u64], "{plan}");
        assert!(plan.to_string().contains(&format!("another identifier: {moving}")), "{plan}");
        let report = world.run(&vip()).await;
        assert_eq!(counts(&report), [0, 0, moving as u64, (200 - moving) as u64], "{report}");
        assert_eq!((report.status, report.plan_digest), (RunStatus::Done, plan.plan_digest));
        let after = contacts(&world);
        for number in 0..moving {
            let (old, new) =
                (format!("person{number}@example.com"), format!("renamed{number}@example.com"));
            assert_eq!(after[&new], before[&old]);
        }
        assert_eq!(world.simulator.contact_count(), 200, "nobody was created");
        is_done_after(&world, &people).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_mobile_number_is_a_move_too() {
    let activation = with(&SettingsPatch::default().identifier(IdentifierKind::MobileNumber));
    let world = World::new();
    // The keys read like numbers, and are none.
    let numbers = |second| [("447123000001", "447123000009"), (second, "447123000001")];
    world.source.set_keyed(numbers("447123000002"));
    world.run(&activation).await;
    let before = contacts(&world);
    world.source.set_keyed(numbers("+44 7123 000003"));
    let report = world.run(&activation).await;
    assert_eq!(counts(&report), [0, 0, 1, 1], "{report}");
    assert_eq!(contacts(&world)["447123000003"], before["447123000002"]);
}

#[tokio::test(start_paused = true)]
async fn without_warehouse_keys_a_changed_address_is_a_removal_and_an_addition() {
    let mut people = customers(10);
    let world = World::new();
    world.segment(people.values().cloned());
    world.run(&vip()).await;
    renamed(&mut people, [3]);
    world.segment(people.values().cloned());
    let report = world.run(&vip()).await;
    assert_eq!(counts(&report), [1, 1, 0, 9], "{report}");
    assert_eq!(report.identities, IdentityCounts::default());
}

#[tokio::test(start_paused = true)]
async fn replace_and_segments_of_contact_ids_know_no_moves() {
    let replace = with(&SettingsPatch::default().identifier_change(IdentifierChange::Replace));
    let mut people = customers(10);
    let world = world_with(&people).await;
    renamed(&mut people, [3]);
    world.source.set_keyed(rows(&people));
    let report = world.run(&replace).await;
    assert_eq!(counts(&report), [1, 1, 0, 9], "{report}");
    assert_eq!(report.identities.not_movable, 1);

    let by_id = with(&SettingsPatch::default().identifier(IdentifierKind::ContactId));
    let world = World::new();
    let [ada, bob] = ["ada@example.com", "bob@example.com"]
        .map(|one| world.simulator.add_contact(one).to_string());
    world.source.set_keyed([(ada, "c1")]);
    world.run(&by_id).await;
    world.source.set_keyed([(bob, "c1")]);
    let report = world.run(&by_id).await;
    assert_eq!(counts(&report), [1, 1, 0, 0], "{report}");
    assert_eq!(world.on_list("vip"), ["bob@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn an_older_record_learns_its_keys_without_a_call_and_in_one_commit() {
    let mut people = customers(10);
    let world = World::new();
    world.segment(people.values().cloned());
    world.run(&vip()).await;
    let plain = world.store.load(&vip().key()).await.unwrap().head;
    world.source.set_keyed(rows(&people));
    is_done_after(&world, &people).await;
    let keyed = world.store.load(&vip().key()).await.unwrap().head;
    assert_eq!(keyed.generation, plain.generation + 1);
    let snapshots = [&plain, &keyed].map(|head| head.snapshot.clone().unwrap());
    assert_eq!(snapshots.each_ref().map(|snapshot| snapshot.members), [10, 10]);
    assert_eq!(
        snapshots[1].bytes,
        snapshots[0].bytes + 10 * 16,
        "sixteen bytes a key, and no other"
    );
    is_done_after(&world, &people).await;
    let again = world.store.load(&vip().key()).await.unwrap().head;
    assert_eq!(again, keyed, "nothing is learnt twice");
    let before = contacts(&world);
    renamed(&mut people, [4]);
    world.source.set_keyed(rows(&people));
    assert_eq!(world.run(&vip()).await.moved, 1);
    assert_eq!(contacts(&world)["renamed4@example.com"], before["person4@example.com"]);
    // A run without keys forgets none.
    world.segment(people.values().cloned());
    is_done_after(&world, &people).await;
    renamed(&mut people, [5]);
    world.source.set_keyed(rows(&people));
    assert_eq!(world.run(&vip()).await.moved, 1);
}

#[tokio::test(start_paused = true)]
async fn an_address_of_somebody_else_is_a_conflict_and_the_old_one_stays_on_the_list() {
    // By a single call, and in bulk.
    for moving in [1, 8] {
        let mut people = customers(200);
        let world = world_with(&people).await;
        let taken = world.simulator.add_contact("renamed0@example.com");
        renamed(&mut people, 0..moving);
        world.source.set_keyed(rows(&people));
        let report = world.run(&vip()).await;
        assert_eq!(counts(&report), [0, 0, moving as u64 - 1, (200 - moving) as u64], "{report}");
        assert_eq!((report.held, report.conflicts), (1, 1), "{report}");
        assert_eq!(report.status, RunStatus::Incomplete);
        for _ in 0..2 {
            let report = world.run(&vip()).await;
            assert_eq!(report.status, RunStatus::Incomplete, "{report}");
            assert_eq!((report.held, report.identities.waiting), (1, 1), "{report}");
            assert_eq!(report.total_calls(), 2);
            assert!(contacts(&world).contains_key("person0@example.com"));
            assert!(!contacts(&world).values().any(|id| *id == taken));
        }
        // She leaves the segment: only then the old address goes.
        people.remove("c0");
        world.source.set_keyed(rows(&people));
        let report = world.run(&vip()).await;
        assert_eq!((report.removed, report.held), (1, 0), "{report}");
        is_done_after(&world, &people).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_held_move_is_tried_again_when_it_is_due_and_when_the_address_changes_once_more() {
    for days in [0, 8] {
        let mut people = customers(10);
        let world = world_with(&people).await;
        let before = contacts(&world);
        let taken = world.simulator.add_contact("renamed2@example.com");
        renamed(&mut people, [2]);
        world.source.set_keyed(rows(&people));
        assert_eq!(world.run(&vip()).await.conflicts, 1);
        if days > 0 {
            world.simulator.set_identifier(taken, "email", "elsewhere@example.com");
            world.wait(days * 24 * 60 * MINUTE).await;
        } else {
            people.insert("c2".to_owned(), "third@example.com".to_owned());
            world.source.set_keyed(rows(&people));
        }
        let report = world.run(&vip()).await;
        assert_eq!((report.moved, report.held), (1, 0), "{report}");
        assert_eq!(contacts(&world)[&people["c2"]], before["person2@example.com"]);
        is_done_after(&world, &people).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_contact_that_is_no_more_is_replaced() {
    for moving in [1, 8] {
        let mut people = customers(200);
        let world = world_with(&people).await;
        world.simulator.delete_contact(contacts(&world)["person0@example.com"], world.clock.now());
        // Gone for good, so that not even the recycle bin has it.
        world.wait(40 * 24 * 60 * MINUTE).await;
        renamed(&mut people, 0..moving);
        world.source.set_keyed(rows(&people));
        let report = world.run(&vip()).await;
        assert_eq!((report.moved, report.failed), (moving as u64 - 1, 1), "{report}");
        let report = world.run(&vip()).await;
        assert_eq!((report.added, report.removed), (1, 1), "{report}");
        assert_eq!(report.identities.contact_unknown, 1, "{report}");
        is_done_after(&world, &people).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_contact_in_the_recycle_bin_is_not_brought_back_by_a_single_move() {
    let mut people = customers(10);
    let world = world_with(&people).await;
    world.simulator.delete_contact(contacts(&world)["person0@example.com"], world.clock.now());
    renamed(&mut people, [0]);
    world.source.set_keyed(rows(&people));
    assert_eq!(world.run(&vip()).await.failed, 1);
    world.run(&vip()).await;
    assert_eq!(world.simulator.binned().len(), 1);
    is_done_after(&world, &people).await;
}

#[tokio::test(start_paused = true)]
async fn a_move_whose_answer_was_lost_is_made_again_or_back() {
    for (faults, goes_back) in [
        (Fault::ResetAfterActing, false),
        (Fault::ResetAfterActing, true),
        (Fault::ResetBeforeActing, false),
        (Fault::ResetBeforeActing, true),
    ] {
        for moving in [1, 8] {
            let original = customers(200);
            let mut people = original.clone();
            let world = world_with(&people).await;
            let before = contacts(&world);
            renamed(&mut people, 0..moving);
            world.source.set_keyed(rows(&people));
            let endpoint = if moving == 1 { "PATCH" } else { IMPORT };
            world.simulator.inject(FaultRule::new(faults.clone()).on(endpoint).times(20));
            assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
            world.simulator.clear_faults();
            world.wait(10 * MINUTE).await;
            if goes_back {
                people = original;
                world.source.set_keyed(rows(&people));
            }
            let report = world.run(&vip()).await;
            assert_eq!((report.status, report.moved), (RunStatus::Done, moving as u64), "{report}");
            assert_eq!(world.on_list("vip"), addresses(&people));
            let ids: Vec<i64> = contacts(&world).into_values().collect();
            assert!(before.values().all(|id| ids.contains(id)));
            assert_eq!(world.simulator.contact_count(), 200);
            world.wait(130 * MINUTE).await;
            world.run(&vip()).await;
            is_done_after(&world, &people).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_move_that_comes_to_life_late_does_not_win() {
    let latency = JobLatency { base: 40 * MINUTE, per_member: Duration::ZERO };
    let world = World::with(SimulatorSettings { latency, ..SimulatorSettings::default() });
    let original = customers(200);
    world.source.set_keyed(rows(&original));
    world.run(&vip()).await;
    let mut people = original.clone();
    renamed(&mut people, 0..8);
    world.source.set_keyed(rows(&people));
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on(IMPORT).times(4));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    world.simulator.clear_faults();
    // Meanwhile one left, one is back, and one is somebody else again, by single calls.
    for number in 2..8 {
        people.insert(format!("c{number}"), format!("renamed{number}@example.com"));
    }
    people.remove("c0");
    people.insert("c1".to_owned(), "person1@example.com".to_owned());
    people.insert("c2".to_owned(), "third2@example.com".to_owned());
    world.source.set_keyed(rows(&people));
    for _ in 0..12 {
        world.wait(15 * MINUTE).await;
        world.run(&vip()).await;
    }
    is_done_after(&world, &people).await;
    assert_eq!(world.simulator.contact_count(), 200);
}

#[tokio::test(start_paused = true)]
async fn somebody_moves_no_further_while_the_service_is_still_working_on_her_move() {
    let latency = JobLatency { base: 90 * MINUTE, per_member: Duration::ZERO };
    let world = World::with(SimulatorSettings { latency, ..SimulatorSettings::default() });
    let mut people = customers(200);
    world.source.set_keyed(rows(&people));
    world.run(&vip()).await;
    world.wait(100 * MINUTE).await;
    world.run(&vip()).await;
    let before = contacts(&world);
    assert_eq!(before.len(), 200);
    renamed(&mut people, 0..8);
    world.source.set_keyed(rows(&people));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    people.insert("c0".to_owned(), "third@example.com".to_owned());
    world.source.set_keyed(rows(&people));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added, report.moved), (RunStatus::Busy, 0, 0), "{report}");
    world.wait(100 * MINUTE).await;
    let report = world.run(&vip()).await;
    assert_eq!((report.recovered, report.moved), (8, 9), "{report}");
    assert_eq!(contacts(&world)["third@example.com"], before["person0@example.com"]);
    is_done_after(&world, &people).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_known_contact_the_old_address_is_removed_and_the_new_one_added() {
    // Two addresses lead to one contact: moving it would take the address away from the other.
    let mut people = customers(10);
    let world = World::new();
    let shared = world.simulator.add_contact("person0@example.com");
    world.source.set_keyed(rows(&people));
    world.run(&vip()).await;
    world.simulator.set_identifier(shared, "email", "second@example.com");
    people.insert("c10".to_owned(), "second@example.com".to_owned());
    world.source.set_keyed(rows(&people));
    assert_eq!(world.run(&vip()).await.added, 1);
    renamed(&mut people, [0]);
    world.source.set_keyed(rows(&people));
    let report = world.run(&vip()).await;
    assert_eq!(counts(&report), [1, 1, 0, 10], "{report}");
    assert_eq!(report.identities.contact_shared, 1);
    assert_eq!(contacts(&world)["second@example.com"], shared);
    is_done_after(&world, &people).await;
}

#[tokio::test(start_paused = true)]
async fn two_keys_that_come_to_share_an_address_are_one_member_and_nobody_moves() {
    // Onto an address of one of them, and onto one that is new.
    for address in ["person1@example.com", "new@example.com"] {
        let mut people = customers(10);
        let world = world_with(&people).await;
        people.insert("c0".to_owned(), address.to_owned());
        people.insert("c1".to_owned(), address.to_owned());
        let mut expected = addresses(&people);
        expected.dedup();
        let mut merged = 0;
        for _ in 0..2 {
            world.source.set_keyed(rows(&people));
            let report = world.run(&vip()).await;
            merged += report.identities.merged;
            assert_eq!(report.moved, 0, "{report}");
            // Nobody leaves before the address she has now is on the list.
            assert!(contacts(&world).contains_key(address), "{report}");
        }
        assert!(merged > 0);
        assert_eq!(world.on_list("vip"), expected);
        world.assert_harmless();
        let report = world.run(&vip()).await;
        assert_eq!(report.status, RunStatus::NothingToDo, "{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_merge_onto_an_address_that_is_refused_removes_nobody() {
    let mut people = customers(10);
    let world = world_with(&people).await;
    world.simulator.globally_suppress("new@example.com");
    people.insert("c0".to_owned(), "new@example.com".to_owned());
    people.insert("c1".to_owned(), "new@example.com".to_owned());
    world.source.set_keyed(rows(&people));
    for _ in 0..3 {
        let report = world.run(&vip()).await;
        assert_eq!((report.removed, report.held), (0, 1), "{report}");
        assert_eq!(report.identities.waiting, 2, "{report}");
        assert_eq!(world.on_list("vip"), addresses(&customers(10)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_with_several_addresses_is_several_members_and_nobody_moves() {
    let people = customers(10);
    let world = world_with(&people).await;
    let split = |first: &str| {
        let mut rows = rows(&people);
        rows[0].0 = first.to_owned();
        rows.push(("other@example.com".to_owned(), "c0".to_owned()));
        rows
    };
    // Beside the address she had, and in its place.
    world.source.set_keyed(split("person0@example.com"));
    let report = world.run(&vip()).await;
    assert_eq!((counts(&report), report.identities.split), ([1, 0, 0, 10], 1), "{report}");
    world.source.set_keyed(split("third@example.com"));
    let report = world.run(&vip()).await;
    assert_eq!((report.added, report.removed, report.moved), (1, 1, 0), "{report}");
    let mut expected: Vec<String> =
        split("third@example.com").into_iter().map(|row| row.0).collect();
    expected.sort();
    assert_eq!(world.on_list("vip"), expected);
    assert_eq!(world.run(&vip()).await.status, RunStatus::NothingToDo);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_changes_hands_stays_and_its_key_is_learnt() {
    let mut people = customers(10);
    let world = world_with(&people).await;
    let before = contacts(&world);
    people.insert("c0".to_owned(), "person1@example.com".to_owned());
    people.insert("c1".to_owned(), "person0@example.com".to_owned());
    world.source.set_keyed(rows(&people));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.identities.rekeyed), (RunStatus::NothingToDo, 2), "{report}");
    assert_eq!(contacts(&world), before);
    assert_eq!(world.run(&vip()).await.identities, IdentityCounts::default());
    // From now on person1's address is c0's.
    people.insert("c0".to_owned(), "new@example.com".to_owned());
    world.source.set_keyed(rows(&people));
    assert_eq!(world.run(&vip()).await.moved, 1);
    assert_eq!(contacts(&world)["new@example.com"], before["person1@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn mass_moves_and_unstable_keys_stop_the_run_until_they_are_approved() {
    let mut people = customers(200);
    let world = world_with(&people).await;
    renamed(&mut people, 0..50);
    world.source.set_keyed(rows(&people));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, counts(&report)), (RunStatus::Blocked, [0, 0, 0, 150]));
    let reasons = &report.guard.reasons[..];
    assert!(matches!(reasons, [Trip::Moves { moved: 50, previous: 200, .. }]), "{report}");
    assert!(report.to_string().contains("would get another identifier"), "{report}");
    assert_eq!(world.on_list("vip"), addresses(&customers(200)));
    let digest = report.plan_digest.unwrap();
    let report = world.run_approved(&vip(), &digest).await;
    assert_eq!(report.moved, 50, "{report}");
    is_done_after(&world, &people).await;
    // Keys that were made by counting rows: one comes, one goes, and all behind them shift.
    let counted = |people: &People| -> Vec<(String, String)> {
        addresses(people).into_iter().enumerate().map(|(row, one)| (one, row.to_string())).collect()
    };
    world.source.set_keyed(counted(&people));
    world.run(&vip()).await;
    let all = addresses(&people);
    people.retain(|_, address| !all[198..].contains(address));
    people.insert("first".to_owned(), "aaa@example.com".to_owned());
    people.insert("last".to_owned(), "zzz@example.com".to_owned());
    world.source.set_keyed(counted(&people));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Blocked, "{report}");
    let reasons = &report.guard.reasons[..];
    assert!(
        matches!(reasons, [Trip::UnstableKeys { rekeyed: 198, previous: 200, .. }]),
        "{report}"
    );
    assert_eq!(planned(&report), [1, 1, 1], "{report}");
    assert_eq!(world.on_list("vip"), all);
}

#[tokio::test(start_paused = true)]
async fn additions_that_may_pass_the_guard_take_no_moves_with_them() {
    let settings = GuardSettings {
        max_removals: Some(0),
        max_removal_share: activation_core::Share::new(0.0).ok(),
        additions_through: Some(true),
        ..GuardSettings::default()
    };
    let activation = with(&SettingsPatch::default().guard(settings));
    let mut people = customers(10);
    let world = world_with(&people).await;
    people.remove("c9");
    renamed(&mut people, [0]);
    people.insert("c10".to_owned(), "person10@example.com".to_owned());
    world.source.set_keyed(rows(&people));
    let report = world.run(&activation).await;
    assert_eq!((report.status, report.added, report.moved), (RunStatus::Blocked, 1, 0), "{report}");
    let digest = report.plan_digest.unwrap();
    let report = world.run_approved(&activation, &digest).await;
    assert_eq!((report.removed, report.moved), (1, 1), "{report}");
}

#[tokio::test(start_paused = true)]
async fn exclusions_and_dwell_hold_for_people_with_keys() {
    let people = customers(10);
    for (excluded, expected) in
        [("renamed0@example.com", [0, 1, 0]), ("person0@example.com", [1, 1, 0])]
    {
        let (mut people, world) = (people.clone(), world_with(&people).await);
        renamed(&mut people, [0]);
        world.source.set_keyed(rows(&people));
        let complaints = Arc::new(MemorySource::new([excluded]));
        let exclusions = ExcludedSegments::default().segment("complained", complaints);
        let engine = world.engine().exclusions(Arc::new(exclusions));
        let report = engine.run(&vip(), &world.source, &world.destination()).await;
        assert_eq!([report.added, report.removed, report.moved], expected, "{excluded}: {report}");
    }
    // Whoever is in the segment under another address does not dwell: she moves.
    let dwelling = with(&SettingsPatch::default().leave_after_runs(3.try_into().unwrap()));
    let (mut people, world) = (people.clone(), world_with(&people).await);
    people.remove("c1");
    world.source.set_keyed(rows(&people));
    assert_eq!(world.run(&dwelling).await.dwelling, 1);
    renamed(&mut people, [0, 1]);
    world.source.set_keyed(rows(&people));
    let report = world.run(&dwelling).await;
    assert_eq!((report.moved, report.dwelling), (2, 0), "{report}");
    assert!(world.store.load(&vip().key()).await.unwrap().absent.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_address_with_a_mistake_does_not_cost_the_place_on_the_list_and_none_does() {
    let mut people = customers(10);
    let world = world_with(&people).await;
    people.insert("c0".to_owned(), "no address".to_owned());
    people.insert("c1".to_owned(), " ".to_owned());
    world.source.set_keyed(rows(&people));
    let report = world.run(&vip()).await;
    assert_eq!((report.removed, report.identities.waiting), (1, 1), "{report}");
    assert!(contacts(&world).contains_key("person0@example.com"));
    // Put right, it is a move.
    renamed(&mut people, [0]);
    world.source.set_keyed(rows(&people));
    assert_eq!(world.run(&vip()).await.moved, 1);
}

#[tokio::test(start_paused = true)]
async fn existing_contacts_only_moves_contacts_and_creates_nobody() {
    let existing = with(&SettingsPatch::default().missing_contacts(MissingContacts::ExistingOnly));
    let mut people = customers(10);
    let world = World::new();
    people.values().for_each(|address| _ = world.simulator.add_contact(address));
    world.source.set_keyed(rows(&people));
    world.run(&existing).await;
    renamed(&mut people, 0..5);
    world.source.set_keyed(rows(&people));
    let report = world.run(&existing).await;
    assert_eq!((report.moved, report.skipped), (5, 0), "{report}");
    assert_eq!(world.simulator.contact_count(), 10);
    assert_eq!(world.on_list("vip"), addresses(&people));
}

#[tokio::test(start_paused = true)]
async fn the_ledger_tells_of_a_move_as_one_row_from_old_to_new() {
    let (mut people, book) = (customers(10), Arc::new(Book::default()));
    let world = World::new();
    let engine = world.engine().ledger(book.clone());
    world.source.set_keyed(rows(&people));
    engine.run(&vip(), &world.source, &world.destination()).await;
    renamed(&mut people, [0]);
    world.source.set_keyed(rows(&people));
    engine.run(&vip(), &world.source, &world.destination()).await;
    assert_eq!(book.causes(MembershipChange::Move), ["identifier_changed"]);
    assert_eq!(book.causes(MembershipChange::Exit), Vec::<String>::new());
    let generation = world.store.load(&vip().key()).await.unwrap().head.generation;
    let expected = people.values().map(|address| fingerprint(address)).collect();
    assert_eq!(book.members(generation), expected);
}

#[tokio::test(start_paused = true)]
async fn explain_knows_that_she_is_in_the_segment_under_another_identifier() {
    let mut people = customers(10);
    let world = world_with(&people).await;
    renamed(&mut people, [0]);
    people.remove("c1");
    world.source.set_keyed(rows(&people));
    let engine = world.engine();
    let ask = async |address: &str| {
        let source = Some(&world.source as &dyn activation_core::SegmentSource);
        engine.explain(&vip(), address.as_bytes(), source).await.unwrap()
    };
    assert_eq!(ask("person0@example.com").await.standing, Standing::Renamed);
    assert_eq!(ask("person1@example.com").await.standing, Standing::Leaving);
    assert_eq!(ask("person2@example.com").await.standing, Standing::OnList);
    assert_eq!(ask("renamed0@example.com").await.standing, Standing::ToAdd);
    let text = ask("person0@example.com").await.to_string();
    assert!(text.contains("another identifier"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_repair_keeps_the_keys_and_a_rebuild_learns_them_again() {
    let mut people = customers(10);
    let world = world_with(&people).await;
    let list = world.simulator.list_named("vip").unwrap().id;
    let before = contacts(&world);
    world.simulator.remove_member(list, before["person9@example.com"]);
    let how = Reconciliation::repair();
    let destination = world.destination();
    let report = world.engine().reconcile(&vip(), &world.source, &destination, &how).await;
    assert_eq!(report.status, RunStatus::Done, "{report}");
    renamed(&mut people, [0]);
    world.source.set_keyed(rows(&people));
    let report = world.run(&vip()).await;
    assert_eq!((report.moved, report.added), (1, 1), "{report}");
    assert_eq!(contacts(&world)["renamed0@example.com"], before["person0@example.com"]);
    is_done_after(&world, &people).await;
}

#[tokio::test(start_paused = true)]
async fn an_erased_person_leaves_neither_identifier_nor_key_nor_contact_behind() {
    let directory = tempfile::tempdir().unwrap();
    let mut world = World::new();
    world.store = Arc::new(DirectoryStore::open(directory.path().join("state")).unwrap());
    let mut people = customers(200);
    world.source.set_keyed(rows(&people));
    world.run(&vip()).await;
    // Her move is in doubt: the journal has her under both addresses.
    renamed(&mut people, 0..8);
    world.source.set_keyed(rows(&people));
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on(IMPORT).times(4));
    world.run(&vip()).await;
    world.simulator.clear_faults();
    let secret = world.store.fingerprint_key();
    let her_key =
        activation_core::FingerprintKey::new(*secret.fingerprint(b"\0warehouse keys").as_bytes())
            .fingerprint(b"c0");
    let traces = [
        *secret.fingerprint(b"person0@example.com").as_bytes(),
        *secret.fingerprint(b"renamed0@example.com").as_bytes(),
        *her_key.as_bytes(),
    ];
    let found = |trace: &[u8; 16]| {
        let mut directories = vec![directory.path().to_owned()];
        let mut is_there = false;
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    is_there |= bytes.windows(16).any(|window| window == trace);
                }
            }
        }
        is_there
    };
    assert!(traces.iter().all(found));
    let old = IdentifierKind::Email.normalise(b"person0@example.com").unwrap();
    let report = world.engine().erase(&[old]).await.unwrap();
    assert!(report.is_complete() && report.found_her(), "{report}");
    assert!(!traces.iter().any(found), "{:?}", traces.map(|trace| found(&trace)));
    // The others are still in doubt, and move.
    world.wait(TimeDelta::minutes(1).to_std().unwrap()).await;
    let report = world.run(&vip()).await;
    assert_eq!(report.moved, 7, "{report}");
}
