//! The mission's rules, each with a test.

use activation_core::{
    Activation, IdentifierKind, MissingContacts, RunStatus, Settings, SettingsPatch, Visibility,
};
use dotdigital_client::{Clock as _, simulator};

use crate::world::{World, people};

fn vip(patch: SettingsPatch) -> Activation {
    let settings = Settings::resolve(&SettingsPatch::default(), &patch);
    Activation::new("vip").named("VIP customers").settings(settings)
}

#[tokio::test(start_paused = true)]
async fn the_first_run_creates_the_list_and_adds_everybody() {
    let world = World::new();
    world.segment(people(10));
    let report = world.run(&vip(SettingsPatch::default())).await;
    assert_eq!((report.status, report.added, report.removed), (RunStatus::Done, 10, 0), "{report}");
    assert_eq!(world.on_list("VIP customers"), people(10));
    let list = world.simulator.list_named("VIP customers").unwrap();
    assert_eq!(list.visibility, simulator::Visibility::Private);
    assert_eq!(report.list.id, Some(u64::from(list.id.unsigned_abs())));
    world.assert_harmless();
}

#[tokio::test(start_paused = true)]
async fn a_list_is_public_when_asked() {
    let world = World::new();
    world.segment(people(1));
    world.run(&vip(SettingsPatch::default().visibility(Visibility::Public))).await;
    let list = world.simulator.list_named("VIP customers").unwrap();
    assert_eq!(list.visibility, simulator::Visibility::Public);
}

#[tokio::test(start_paused = true)]
async fn without_a_name_the_list_takes_the_segments() {
    let world = World::new();
    world.segment(people(1));
    world.run(&Activation::new("vip")).await;
    assert_eq!(world.on_list("vip").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn people_who_leave_are_removed_from_the_list_and_from_nothing_else() {
    let world = World::new();
    let newsletter = world.simulator.add_list("Newsletter", simulator::Visibility::Private);
    for person in people(10) {
        let contact = world.simulator.add_contact(&person);
        world.simulator.add_member(newsletter, contact);
    }
    let activation = vip(SettingsPatch::default());
    world.segment(people(10));
    world.run(&activation).await;
    for remaining in [8, 3] {
        // Two leave through single calls, then five in bulk.
        world.segment(people(remaining));
        let report = world.run(&activation).await;
        assert_eq!(report.status, RunStatus::Done, "{report}");
        assert_eq!(report.unchanged, remaining as u64);
        assert_eq!(world.on_list("VIP customers"), people(remaining));
    }
    assert_eq!(world.on_list("Newsletter"), people(10));
    assert_eq!(world.simulator.contact_count(), 10);
    assert_eq!(world.simulator.binned().len(), 0);
    world.assert_harmless();
}

#[tokio::test(start_paused = true)]
async fn members_put_there_by_others_stay() {
    let world = World::new();
    let activation = vip(SettingsPatch::default());
    world.segment(people(10));
    world.run(&activation).await;
    let list = world.simulator.list_named("VIP customers").unwrap().id;
    let guest = world.simulator.add_contact("guest@example.com");
    world.simulator.add_member(list, guest);
    world.segment(people(2));
    world.run(&activation).await;
    world.segment(people(1));
    world.run(&activation).await;
    assert_eq!(world.on_list("VIP customers"), ["guest@example.com", "person000000@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_without_changes_makes_two_reading_calls_and_no_more() {
    let world = World::new();
    let activation = vip(SettingsPatch::default());
    world.segment(people(10));
    world.run(&activation).await;
    let before = world.store.load(&activation.key()).await.unwrap();
    let report = world.run(&activation).await;
    assert_eq!(report.status, RunStatus::NothingToDo);
    assert_eq!(report.total_calls(), 2, "{:?}", report.calls);
    assert!(report.calls.keys().all(|endpoint| endpoint.starts_with("GET")), "{:?}", report.calls);
    assert_eq!(world.store.load(&activation.key()).await.unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn duplicates_and_other_spellings_are_one_member() {
    let world = World::new();
    world.segment(["Jane@Example.com", " jane@example.com", "jane@example.com", "joe@example.com"]);
    let report = world.run(&vip(SettingsPatch::default())).await;
    assert_eq!((report.added, report.planned.unwrap().add), (2, 2), "folded before the plan");
    let report = world.run(&vip(SettingsPatch::default())).await;
    assert_eq!(report.unchanged, 2);
    assert_eq!(world.on_list("VIP customers"), ["jane@example.com", "joe@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn unusable_rows_are_counted_by_reason_and_not_sent() {
    let world = World::new();
    world.segment(["jane@example.com", "", "not an address", "joe@"]);
    let report = world.run(&vip(SettingsPatch::default())).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 1));
    let rejected: Vec<_> = report.rejected.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    assert_eq!(rejected, [("empty", 1), ("invalid_email", 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_segment_of_mobile_numbers_creates_contacts_with_that_number_alone() {
    let world = World::new();
    let activation = vip(SettingsPatch::default().identifier(IdentifierKind::MobileNumber));
    let numbers: Vec<String> = (0..5).map(|n| format!("+44 7123 00000{n}")).collect();
    world.segment(numbers.clone());
    world.run(&activation).await;
    let digits: Vec<String> = (0..5).map(|n| format!("44712300000{n}")).collect();
    assert_eq!(world.on_list("VIP customers"), digits);
    assert!(world.simulator.contacts().iter().all(|contact| contact.email.is_none()));
    world.segment(numbers[..1].to_vec());
    world.run(&activation).await;
    assert_eq!(world.on_list("VIP customers"), digits[..1]);
    assert_eq!(world.simulator.contact_count(), 5);
    world.assert_harmless();
}

#[tokio::test(start_paused = true)]
async fn a_segment_of_contact_ids_adds_those_contacts_and_creates_nobody() {
    let world = World::new();
    let ids: Vec<i64> =
        people(5).iter().map(|person| world.simulator.add_contact(person)).collect();
    let activation = vip(SettingsPatch::default().identifier(IdentifierKind::ContactId));
    let stranger = 999_999;
    world.segment(ids.iter().chain([&stranger]).map(i64::to_string));
    let report = world.run(&activation).await;
    assert_eq!(
        (report.status, report.added, report.held),
        (RunStatus::Incomplete, 5, 1),
        "{report}"
    );
    assert_eq!(world.on_list("VIP customers"), people(5));
    world.segment([ids[0].to_string()]);
    world.run(&activation).await;
    assert_eq!(world.on_list("VIP customers"), people(1));
    assert_eq!(world.simulator.contact_count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_contact_id_in_the_recycle_bin_is_left_there() {
    let world = World::new();
    let ids: Vec<i64> =
        people(2).iter().map(|person| world.simulator.add_contact(person)).collect();
    world.simulator.delete_contact(ids[1], world.clock.now());
    world.segment(ids.iter().map(i64::to_string));
    let report =
        world.run(&vip(SettingsPatch::default().identifier(IdentifierKind::ContactId))).await;
    assert_eq!((report.added, report.held), (1, 1), "{report}");
    assert_eq!(world.simulator.binned().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn missing_contacts_are_created_with_the_single_identifier() {
    let world = World::new();
    let known = world.simulator.add_contact("person000000@example.com");
    world.simulator.set_identifier(known, "mobileNumber", "447123000000");
    world.segment(people(6));
    world.run(&vip(SettingsPatch::default())).await;
    let contacts = world.simulator.contacts();
    assert_eq!(contacts.len(), 6);
    let with_mobile: Vec<i64> =
        contacts.iter().filter(|c| c.mobile.is_some()).map(|contact| contact.id).collect();
    assert_eq!(with_mobile, [known], "nothing was written beside the email");
}

#[tokio::test(start_paused = true)]
async fn existing_contacts_only_never_creates_anybody() {
    // In bulk and by single calls, for each identifier.
    for count in [2, 10] {
        for kind in [IdentifierKind::Email, IdentifierKind::MobileNumber, IdentifierKind::ContactId]
        {
            let world = World::new();
            let known = |n: usize| match kind {
                IdentifierKind::Email => {
                    let email = format!("known{n}@example.com");
                    world.simulator.add_contact(&email);
                    email
                }
                IdentifierKind::MobileNumber => {
                    let mobile = format!("44712300000{n}");
                    world.simulator.add_mobile_contact(&mobile);
                    mobile
                }
                IdentifierKind::ContactId => {
                    world.simulator.add_contact(&format!("known{n}@example.com")).to_string()
                }
            };
            let members: Vec<String> = (0..count).map(known).collect();
            let strangers: Vec<String> = (0..count)
                .map(|n| match kind {
                    IdentifierKind::Email => format!("stranger{n}@example.com"),
                    IdentifierKind::MobileNumber => format!("44999900000{n}"),
                    IdentifierKind::ContactId => format!("88888{n}"),
                })
                .collect();
            world.segment(members.iter().chain(&strangers).cloned());
            let patch = SettingsPatch::default()
                .identifier(kind)
                .missing_contacts(MissingContacts::ExistingOnly);
            let report = world.run(&vip(patch)).await;
            assert_eq!(world.on_list("VIP customers").len(), count, "{kind:?} {report}");
            assert_eq!(world.simulator.contact_count(), count, "{kind:?} {report}");
            assert_eq!(report.added, count as u64, "{kind:?} {report}");
            assert_eq!((report.skipped, report.held), (count as u64, 0), "{kind:?} {report}");
            assert_eq!(report.status, RunStatus::Done, "{kind:?} {report}");
            world.assert_harmless();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_skipped_member_is_added_once_she_has_become_a_contact() {
    let world = World::new();
    let patch = SettingsPatch::default().missing_contacts(MissingContacts::ExistingOnly);
    let activation = vip(patch);
    world.segment(["jane@example.com"]);
    let report = world.run(&activation).await;
    assert_eq!((report.status, report.skipped), (RunStatus::Done, 1), "{report}");
    world.simulator.add_contact("jane@example.com");
    let report = world.run(&activation).await;
    assert_eq!((report.added, report.skipped), (0, 1), "not looked up again at once");
    world.wait(std::time::Duration::from_secs(25 * 3600)).await;
    let report = world.run(&activation).await;
    assert_eq!((report.added, report.skipped), (1, 0), "{report}");
    assert_eq!(world.store.load(&activation.key()).await.unwrap().held, []);
    assert_eq!(world.on_list("VIP customers"), ["jane@example.com"]);
}
