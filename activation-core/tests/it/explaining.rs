//! Why somebody is on the list, or is not.

use std::{sync::Arc, time::Duration};

use activation_core::{
    Activation, Engine, ExcludedSegments, Explanation, MissingContacts, Operation, Settings,
    SettingsPatch, Standing, sources::MemorySource,
};
use dotdigital_client::simulator::{Fault, FaultRule};

use crate::world::{World, people};

const IMPORT: &str = "PUT /contacts/v3/import";

fn vip() -> Activation {
    Activation::new("vip")
}

fn with(patch: &SettingsPatch) -> Activation {
    vip().settings(Settings::resolve(&SettingsPatch::default(), patch))
}

async fn explain(world: &World, who: &str) -> Explanation {
    ask(&world.engine(), &vip(), world, who).await
}

async fn ask(engine: &Engine, activation: &Activation, world: &World, who: &str) -> Explanation {
    engine.explain(activation, who.as_bytes(), Some(&world.source)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn members_and_strangers_are_told_apart_with_and_without_the_segment() {
    let world = World::new();
    world.segment(people(10));
    world.run(&vip()).await;
    let calls = world.simulator.ledger().len();
    let member = explain(&world, " Person000001@EXAMPLE.com").await;
    assert_eq!((member.standing, member.is_ours), (Standing::OnList, true));
    assert!(member.contact.is_some());
    assert_eq!(explain(&world, "nobody@example.com").await.standing, Standing::NotInSegment);
    let blind = world.engine().explain(&vip(), b"nobody@example.com", None).await.unwrap();
    assert_eq!((blind.standing, blind.in_segment), (Standing::NotOnList, None));
    world.segment(people(11)[1..].to_vec());
    assert_eq!(explain(&world, "person000000@example.com").await.standing, Standing::Leaving);
    let newcomer = explain(&world, "person000010@example.com").await;
    assert_eq!(newcomer.standing, Standing::ToAdd);
    assert!(newcomer.to_string().contains("the next run adds her"), "{newcomer}");
    assert_eq!(world.simulator.ledger().len(), calls, "the destination is asked nothing");
    let error = world.engine().explain(&vip(), b"not an address", None).await.unwrap_err();
    assert!(error.message.contains("invalid_email"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn who_is_held_excluded_or_no_contact_learns_why() {
    let world = World::new();
    world.simulator.globally_suppress("person000000@example.com");
    world.segment(people(10));
    world.run(&vip()).await;
    let held = explain(&world, "person000000@example.com").await;
    assert_eq!(held.standing, Standing::Held);
    assert!(held.to_string().contains("globally_suppressed since 2026-11-23"), "{held}");

    let complained = Arc::new(MemorySource::new(["person000001@example.com", "x@example.com"]));
    let exclusions = ExcludedSegments::default().segment("complained", complained);
    let engine = world.engine().exclusions(Arc::new(exclusions));
    let leaving = ask(&engine, &vip(), &world, "person000001@example.com").await;
    assert_eq!(leaving.standing, Standing::Leaving);
    assert!(leaving.to_string().ends_with("excluded as complained"), "{leaving}");
    let excluded = ask(&engine, &vip(), &world, "x@example.com").await;
    assert_eq!(excluded.standing, Standing::Excluded);

    let patch = SettingsPatch::default().missing_contacts(MissingContacts::ExistingOnly);
    let activation = Activation::new("known");
    let activation = activation.settings(with(&patch).resolved().clone());
    world.segment(["stranger@example.com"]);
    world.run(&activation).await;
    let stranger = ask(&world.engine(), &activation, &world, "stranger@example.com").await;
    assert_eq!(stranger.standing, Standing::NoContact);
}

#[tokio::test(start_paused = true)]
async fn who_dwells_learns_for_how_long() {
    let world = World::new();
    let activation = with(&SettingsPatch::default().leave_after_runs(3.try_into().unwrap()));
    world.segment(people(10));
    world.run(&activation).await;
    world.segment(people(9));
    let engine = world.engine();
    for missed in 0..3 {
        let leaver = ask(&engine, &activation, &world, "person000009@example.com").await;
        let expected = if missed < 2 { Standing::Dwelling } else { Standing::Leaving };
        assert_eq!((leaver.standing, leaver.missed_runs), (expected, missed), "{leaver}");
        world.run(&activation).await;
    }
    let gone = ask(&engine, &activation, &world, "person000009@example.com").await;
    assert_eq!(gone.standing, Standing::NotInSegment);
}

#[tokio::test(start_paused = true)]
async fn who_is_under_way_or_in_doubt_learns_since_when() {
    let world = World::new();
    let slow = Fault::SlowJob(Duration::from_secs(2 * 3600));
    world.simulator.inject(FaultRule::new(slow).on(IMPORT));
    world.segment(people(10));
    world.run(&vip()).await;
    let member = explain(&world, "person000001@example.com").await;
    assert_eq!((member.standing, member.pending.len()), (Standing::Pending, 1), "{member}");
    assert_eq!(member.pending[0].operation, Operation::Add);
    assert!(member.pending[0].is_accepted && member.to_string().ends_with("accepted"), "{member}");

    let world = World::new();
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on(IMPORT));
    world.segment(people(10));
    world.run(&vip()).await;
    let member = explain(&world, "person000001@example.com").await;
    assert_eq!(member.standing, Standing::Pending);
    assert!(!member.pending[0].is_accepted && member.to_string().ends_with("in doubt"), "{member}");
}
