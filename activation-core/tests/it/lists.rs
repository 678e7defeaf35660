//! The list itself: created once, pinned, adopted only when allowed.

use std::sync::Arc;

use activation_core::{
    Activation, Destination, ExistingList, ListWish, RunStatus, Settings, SettingsPatch, State,
    Visibility, dotdigital::Dotdigital,
};
use dotdigital_client::{
    Credentials,
    simulator::{self, Fault, FaultRule, SimulatorSettings},
};

use crate::world::{World, people};

const CREATE: &str = "POST /v2/address-books";

fn vip() -> Activation {
    Activation::new("vip").named("VIP")
}

fn vip_with(patch: SettingsPatch) -> Activation {
    vip().settings(Settings::resolve(&SettingsPatch::default(), &patch))
}

fn error(report: &activation_core::RunReport) -> &str {
    &report.error.as_ref().expect("an error").message
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_the_creation_does_not_make_a_second_list() {
    for fault in [Fault::ResetAfterActing, Fault::TimeoutAfterActing, Fault::StatusAfterActing(502)]
    {
        let world = World::new();
        world.simulator.inject(FaultRule::new(fault.clone()).on(CREATE));
        world.segment(people(5));
        let report = world.run(&vip()).await;
        assert_eq!(report.status, RunStatus::Done, "{fault:?} {report}");
        let named = |list: &&simulator::ListView| list.name == "VIP";
        assert_eq!(world.simulator.lists().iter().filter(named).count(), 1);
        assert_eq!(world.on_list("VIP"), people(5));
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_may_have_been_made_is_still_ours_when_nobody_could_be_asked() {
    let world = World::new();
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on(CREATE));
    let look_up = FaultRule::new(Fault::ConnectionRefused).on("GET /v2/address-books");
    world.simulator.inject(look_up.from_call(3).times(50));
    world.segment(people(5));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Busy, "{report}");
    world.simulator.clear_faults();
    let list = world.simulator.list_named("VIP").unwrap().id;
    world.simulator.add_member(list, world.simulator.add_contact("guest@example.com"));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.list.id), (RunStatus::Done, Some(list as u64)), "{report}");
    assert_eq!(world.on_list("VIP").len(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_intent_to_create_one_list_is_no_leave_to_take_another() {
    let world = World::new();
    world.simulator.inject(FaultRule::new(Fault::TimeoutAfterActing).on(CREATE));
    let look_up = FaultRule::new(Fault::ConnectionRefused).on("GET /v2/address-books");
    world.simulator.inject(look_up.from_call(3).times(50));
    world.segment(people(5));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    world.simulator.clear_faults();
    // Before the next run somebody gives the activation the name of a list with members.
    let list = world.simulator.add_list("Staff", simulator::Visibility::Private);
    world.simulator.add_member(list, world.simulator.add_contact("guest@example.com"));
    let report = world.run(&Activation::new("vip").named("Staff")).await;
    assert_eq!(report.status, RunStatus::Failed, "{report}");
    assert_eq!(world.on_list("Staff"), ["guest@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_was_certainly_not_made_is_not_ours_when_it_appears() {
    let world = World::new();
    world.simulator.inject(FaultRule::new(Fault::ConnectionRefused).on(CREATE).times(50));
    world.segment(people(5));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    world.simulator.clear_faults();
    let list = world.simulator.add_list("VIP", simulator::Visibility::Private);
    world.simulator.add_member(list, world.simulator.add_contact("guest@example.com"));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Failed, "{report}");
    assert_eq!(world.on_list("VIP"), ["guest@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_of_that_name_is_used_and_brought_to_the_wanted_visibility() {
    let world = World::new();
    let list = world.simulator.add_list("vip", simulator::Visibility::Public);
    world.segment(people(5));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Done, "{report}");
    assert_eq!(world.simulator.members(list).len(), 5);
    let list = world.simulator.list_named("VIP").unwrap();
    assert_eq!(list.visibility, simulator::Visibility::Private);
}

#[tokio::test(start_paused = true)]
async fn a_list_with_members_is_only_used_when_asked_and_keeps_them() {
    let world = World::new();
    let list = world.simulator.add_list("VIP", simulator::Visibility::Private);
    let guest = world.simulator.add_contact("guest@example.com");
    world.simulator.add_member(list, guest);
    world.segment(people(5));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Failed);
    assert!(error(&report).contains("keep_members"), "{report}");
    assert_eq!(world.simulator.members(list).len(), 1);

    let refusing = vip_with(SettingsPatch::default().existing_list(ExistingList::Refuse));
    assert_eq!(world.run(&refusing).await.status, RunStatus::Failed);

    let keeping = vip_with(SettingsPatch::default().existing_list(ExistingList::KeepMembers));
    assert_eq!(world.run(&keeping).await.status, RunStatus::Done);
    world.segment(people(1));
    world.run(&keeping).await;
    assert_eq!(world.on_list("VIP"), ["guest@example.com", "person000000@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_renamed_by_hand_is_still_the_one_and_keeps_its_new_name() {
    let world = World::new();
    world.segment(people(5));
    world.run(&vip()).await;
    let list = world.simulator.list_named("VIP").unwrap().id;
    world.simulator.rename_list(list, "Very important");
    world.segment(people(9));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Done, "{report}");
    assert_eq!(world.on_list("Very important"), people(9));
    assert!(world.simulator.list_named("VIP").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_new_visibility_does_not_undo_a_rename_by_hand() {
    let world = World::new();
    world.segment(people(5));
    world.run(&vip()).await;
    let list = world.simulator.list_named("VIP").unwrap().id;
    world.simulator.rename_list(list, "Very important");
    let report =
        world.run(&vip_with(SettingsPatch::default().visibility(Visibility::Public))).await;
    assert_eq!(report.status, RunStatus::Done, "{report}");
    let now = world.simulator.list_named("Very important").unwrap();
    assert_eq!((now.id, now.visibility), (list, simulator::Visibility::Public));
}

#[tokio::test(start_paused = true)]
async fn a_new_name_or_visibility_in_the_configuration_is_passed_on() {
    let world = World::new();
    world.segment(people(5));
    world.run(&vip()).await;
    let list = world.simulator.list_named("VIP").unwrap().id;
    let public = Settings::resolve(
        &SettingsPatch::default(),
        &SettingsPatch::default().visibility(Visibility::Public),
    );
    let renamed = Activation::new("vip").named("Best customers").settings(public);
    let report = world.run(&renamed).await;
    assert_eq!((report.status, report.unchanged), (RunStatus::Done, 5), "{report}");
    let now = world.simulator.list_named("Best customers").unwrap();
    assert_eq!((now.id, now.visibility), (list, simulator::Visibility::Public));
    assert_eq!(world.run(&renamed).await.status, RunStatus::NothingToDo);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_list_stops_the_run_even_if_another_took_its_name() {
    let world = World::new();
    world.segment(people(5));
    world.run(&vip()).await;
    world.simulator.delete_list(world.simulator.list_named("VIP").unwrap().id);
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Failed);
    assert!(error(&report).contains("no longer exists"), "{report}");
    let other = world.simulator.add_list("VIP", simulator::Visibility::Private);
    assert_eq!(world.run(&vip()).await.status, RunStatus::Failed);
    assert!(world.simulator.members(other).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_name_of_a_segment_or_of_the_system_is_a_clear_error() {
    let world = World::new();
    world.simulator.add_segment_name("VIP");
    world.segment(people(5));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Failed);
    assert!(error(&report).contains("belongs to a segment"), "{report}");
    assert_eq!(report.failed, 5, "what was planned and not done has failed: {report}");
    for reserved in ["test", "All Contacts"] {
        let report = world.run(&Activation::new("other").named(reserved)).await;
        assert_eq!(report.status, RunStatus::Failed, "{report}");
        assert!(error(&report).contains("cannot be the name"), "{report}");
    }
    assert_eq!(world.simulator.contact_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_state_of_another_account_is_refused() {
    let mut world = World::new();
    world.segment(people(5));
    world.run(&vip()).await;
    let state = world.store.load(&vip().key()).await.unwrap();
    let elsewhere = change_account(state);
    world.store = elsewhere.await;
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Failed);
    assert!(error(&report).contains("belongs to account elsewhere"), "{report}");
}

async fn change_account(state: State) -> std::sync::Arc<dyn activation_core::StateStore> {
    use activation_core::{Acquired, Commit, Head, ListPin, MemoryStore, StateStore};
    let store = MemoryStore::new(crate::world::key());
    let hour = std::time::Duration::from_secs(3600);
    let lease = store.acquire(&vip().key(), "test", crate::world::monday(), hour).await.unwrap();
    let Acquired::Lease(lease) = lease else { panic!("free") };
    let pin = ListPin { account: "elsewhere".into(), ..state.head.pin.unwrap() };
    let head = Head { generation: 1, pin: Some(pin), ..Head::default() };
    store.commit(&lease, Commit { head, ..Commit::default() }).await.unwrap();
    store.release(&lease).await.unwrap();
    std::sync::Arc::new(store)
}

#[tokio::test(start_paused = true)]
async fn a_visibility_changed_by_hand_is_left_as_it_is() {
    let world = World::new();
    let list = world.simulator.add_list("VIP", simulator::Visibility::Private);
    world.segment(people(5));
    world.run(&vip()).await;
    let settings = SimulatorSettings::default();
    let credentials = Credentials::new(&settings.user, &settings.password);
    let transport = Arc::new(world.simulator.transport(Arc::new(world.clock)));
    let by_hand = crate::world::client(credentials, transport, Arc::new(world.clock));
    let public = ListWish { name: "VIP".into(), visibility: Visibility::Public };
    Dotdigital::new(&by_hand).update_list(list.unsigned_abs().into(), &public).await.unwrap();
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.total_calls()), (RunStatus::NothingToDo, 2), "{report}");
    let now = world.simulator.list_named("VIP").unwrap();
    assert_eq!(now.visibility, simulator::Visibility::Public);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_may_have_no_more_lists_is_a_clear_error() {
    let settings = SimulatorSettings { max_lists: Some(1), ..SimulatorSettings::default() };
    let world = World::with(settings);
    assert_eq!(world.simulator.lists().len(), 1, "the account's own");
    world.segment(people(5));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.failed), (RunStatus::Failed, 5), "{report}");
    assert!(error(&report).contains("may have no more lists"), "{report}");
    assert_eq!(world.simulator.contact_count(), 0);
}

/// A list with three guests, one of whom is in the segment and one of whom has no address.
fn world_with_a_list(count: usize) -> (World, i32) {
    let world = World::new();
    let list = world.simulator.add_list("VIP", simulator::Visibility::Private);
    for email in ["guest@example.com", "person000001@example.com"] {
        world.simulator.add_member(list, world.simulator.add_contact(email));
    }
    world.simulator.add_member(list, world.simulator.add_mobile_contact("447123000001"));
    world.segment(people(count));
    (world, list)
}

fn owning() -> Activation {
    vip_with(SettingsPatch::default().existing_list(ExistingList::OwnAll))
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_owned_with_everybody_on_it_is_brought_to_the_segment() {
    let (world, list) = world_with_a_list(10);
    let plan = world.plan(&owning()).await;
    let planned = plan.planned.as_ref().unwrap();
    assert_eq!((planned.add, planned.remove, plan.unchanged), (9, 2, 1), "{plan}");
    assert_eq!(world.simulator.members(list).len(), 3, "a dry run changes nothing");
    let report = world.run(&owning()).await;
    let counts = (report.status, report.added, report.removed, report.unchanged);
    assert_eq!(counts, (RunStatus::Done, 9, 2, 1), "{report}");
    assert_eq!(world.on_list("VIP"), people(10));
    assert_eq!(world.simulator.contact_count(), 12, "nobody was deleted");
    // Who comes later is a guest.
    world.simulator.add_member(list, world.simulator.add_contact("late@example.com"));
    assert_eq!(world.run(&owning()).await.status, RunStatus::NothingToDo);
    assert_eq!(world.on_list("VIP").len(), 11);
    world.assert_harmless();
}

#[tokio::test(start_paused = true)]
async fn members_of_an_owned_list_leave_later_if_they_could_not_at_once() {
    let (world, _) = world_with_a_list(10);
    world.simulator.inject(FaultRule::new(Fault::ConnectionRefused).on("DELETE").times(99));
    assert_eq!(world.run(&owning()).await.status, RunStatus::Busy);
    world.simulator.clear_faults();
    let report = world.run(&owning()).await;
    assert_eq!((report.added, report.removed, report.unchanged), (9, 2, 1), "{report}");
    assert_eq!(world.on_list("VIP"), people(10));
}

#[tokio::test(start_paused = true)]
async fn the_guard_looks_at_the_members_of_a_list_about_to_be_owned() {
    let (world, list) = world_with_a_list(10);
    for guest in 0..100 {
        let guest = world.simulator.add_contact(&format!("guest{guest}@example.com"));
        world.simulator.add_member(list, guest);
    }
    let report = world.run(&owning()).await;
    assert_eq!(report.status, RunStatus::Blocked);
    let counts = report.planned.as_ref().unwrap().counts;
    assert_eq!((counts.previous, counts.removed), (103, 102), "{report}");
    assert_eq!(world.simulator.members(list).len(), 103);
    assert_eq!(world.store.load(&vip().key()).await.unwrap().head.pin, None, "not adopted yet");
}
