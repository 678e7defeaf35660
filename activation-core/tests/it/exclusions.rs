//! People who must not be on the list, whatever the segment says.

use std::sync::Arc;

use activation_core::{
    Activation, ExcludedSegments, ExclusionScan, Exclusions, IdentifierKind, RunReport, RunStatus,
    Settings, SettingsPatch, SourceError, Trip, sources::MemorySource,
};
use async_trait::async_trait;

use crate::world::{World, people};

fn vip() -> Activation {
    Activation::new("vip")
}

fn segment(members: &[&str]) -> Arc<MemorySource> {
    Arc::new(MemorySource::new(members))
}

async fn run(world: &World, exclusions: impl Exclusions + 'static) -> RunReport {
    let engine = world.engine().exclusions(Arc::new(exclusions));
    engine.run(&vip(), &world.source, &world.destination()).await
}

#[tokio::test(start_paused = true)]
async fn somebody_excluded_is_not_added_and_counted_once_by_her_first_reason() {
    let world = World::new();
    world.segment(people(5).into_iter().chain(people(2)));
    let exclusions = ExcludedSegments::default()
        .segment("complained", segment(&[" Person000000@EXAMPLE.com", "nobody@example.com"]))
        .segment("employee", segment(&["person000000@example.com", "person000003@example.com"]));
    let report = run(&world, exclusions).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 3), "{report}");
    let reasons: Vec<_> = report.excluded.iter().map(|(k, n)| (k.as_str(), *n)).collect();
    assert_eq!(reasons, [("complained", 1), ("employee", 1)]);
    assert_eq!(world.on_list("vip"), [&people(5)[1..3], &people(5)[4..]].concat());
    assert_eq!(world.simulator.contact_count(), 3);
}

#[tokio::test(start_paused = true)]
async fn somebody_excluded_leaves_the_list_if_we_put_her_there_and_only_then() {
    let world = World::new();
    world.segment(people(5));
    world.run(&vip()).await;
    let list = world.simulator.list_named("vip").unwrap().id;
    world.simulator.add_member(list, world.simulator.add_contact("guest@example.com"));
    let excluded = || {
        ExcludedSegments::default()
            .segment("complained", segment(&["person000001@example.com", "guest@example.com"]))
    };
    let report = run(&world, excluded()).await;
    assert_eq!((report.status, report.removed), (RunStatus::Done, 1), "{report}");
    let on_list = world.on_list("vip");
    assert!(on_list.contains(&"guest@example.com".to_owned()), "{on_list:?}");
    assert_eq!(on_list.len(), 5);
    assert_eq!(run(&world, excluded()).await.status, RunStatus::NothingToDo);
    // And comes back with the end of her exclusion.
    assert_eq!(run(&world, ExcludedSegments::default()).await.added, 1);
    world.assert_harmless();
}

#[tokio::test(start_paused = true)]
async fn somebody_excluded_leaves_at_once_whatever_the_dwell() {
    let world = World::new();
    let patch = SettingsPatch::default().leave_after_runs(3.try_into().unwrap());
    let activation = vip().settings(Settings::resolve(&SettingsPatch::default(), &patch));
    world.segment(people(5));
    world.run(&activation).await;
    let excluded =
        ExcludedSegments::default().segment("complained", segment(&["person000001@example.com"]));
    let engine = world.engine().exclusions(Arc::new(excluded));
    let report = engine.run(&activation, &world.source, &world.destination()).await;
    assert_eq!((report.removed, report.dwelling), (1, 0), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_mass_exclusion_stops_at_the_guard() {
    let world = World::new();
    world.segment(people(200));
    world.run(&vip()).await;
    let everybody = Arc::new(MemorySource::new(people(200)));
    let report = run(&world, ExcludedSegments::default().segment("mistake", everybody)).await;
    assert_eq!(report.status, RunStatus::Blocked);
    assert_eq!(report.guard.reasons[0], Trip::EmptySegment { previous: 200 }, "{report}");
    assert_eq!(world.on_list("vip").len(), 200);
}

#[tokio::test(start_paused = true)]
async fn exclusions_of_the_wrong_column_stop_at_the_guard() {
    let world = World::new();
    world.segment(people(5));
    let names = segment(&["Jane", "Joe"]);
    let report = run(&world, ExcludedSegments::default().segment("complained", names)).await;
    assert_eq!(report.status, RunStatus::Blocked);
    assert!(
        matches!(report.guard.reasons[..], [Trip::RejectedExclusions { rejected: 2, rows: 2, .. }]),
        "{report}"
    );
    assert!(world.simulator.list_named("vip").is_none());
}

#[derive(Debug)]
struct OutOfReach;

#[async_trait]
impl Exclusions for OutOfReach {
    async fn open(&self) -> Result<Box<dyn ExclusionScan>, SourceError> {
        Err(SourceError::temporary("the complaints are out of reach"))
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_added_while_the_exclusions_cannot_be_read() {
    let world = World::new();
    world.segment(people(5));
    let report = run(&world, OutOfReach).await;
    assert_eq!((report.status, report.added), (RunStatus::Busy, 0), "{report}");
    assert!(world.simulator.list_named("vip").is_none());
    // Nor when they end early.
    let report = run(&world, ExcludedSegments::default().segment("x", Arc::new(Short))).await;
    assert_eq!((report.status, report.added), (RunStatus::Busy, 0), "{report}");
}

/// Announces a row and gives none.
#[derive(Debug)]
struct Short;

struct ShortScan;

#[async_trait]
impl activation_core::SegmentSource for Short {
    async fn open(&self) -> Result<Box<dyn activation_core::SegmentScan>, SourceError> {
        Ok(Box::new(ShortScan))
    }
}

#[async_trait]
impl activation_core::SegmentScan for ShortScan {
    fn expected_rows(&self) -> Option<u64> {
        Some(1)
    }

    async fn next_batch(&mut self) -> Result<Option<activation_core::KeyBatch>, SourceError> {
        Ok(None)
    }
}

#[tokio::test(start_paused = true)]
async fn exclusions_are_of_the_activations_kind_of_identifier() {
    let world = World::new();
    let patch = SettingsPatch::default().identifier(IdentifierKind::MobileNumber);
    let activation = vip().settings(Settings::resolve(&SettingsPatch::default(), &patch));
    world.segment(["+44 7123 000001", "+44 7123 000002"]);
    let excluded = ExcludedSegments::default().segment("x", segment(&["0044-7123-000001"]));
    let engine = world.engine().exclusions(Arc::new(excluded));
    engine.run(&activation, &world.source, &world.destination()).await;
    assert_eq!(world.on_list("vip"), ["447123000002"]);
}
