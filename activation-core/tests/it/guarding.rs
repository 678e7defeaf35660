//! The guard, dry runs, approval, and who may run.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use activation_core::{
    Acquired, Activation, Event, GuardOutcome, KeyBatch, ListAction, Observer, RunStatus,
    SegmentScan, SegmentSource, Settings, SettingsPatch, SourceError, Trip, Visibility,
};
use async_trait::async_trait;
use dotdigital_client::simulator::{Fault, FaultRule};

use crate::world::{World, people};

fn vip() -> Activation {
    Activation::new("vip")
}

fn assert_only_reads(report: &activation_core::RunReport) {
    assert!(report.calls.keys().all(|endpoint| endpoint.starts_with("GET")), "{:?}", report.calls);
}

#[tokio::test(start_paused = true)]
async fn an_empty_segment_stops_the_run_before_anything_is_written() {
    let world = World::new();
    world.segment(people(5));
    world.run(&vip()).await;
    world.segment(people(0));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.guard.outcome), (RunStatus::Blocked, GuardOutcome::Tripped));
    assert_eq!(report.guard.reasons[0], Trip::EmptySegment { previous: 5 });
    let digest = report.plan_digest.clone().unwrap();
    assert!(report.to_string().contains(&format!("approve plan {digest}")), "{report}");
    assert_only_reads(&report);
    assert_eq!(world.on_list("vip"), people(5));
}

#[tokio::test(start_paused = true)]
async fn an_approved_plan_goes_on_and_any_other_does_not() {
    let world = World::new();
    world.segment(people(200));
    world.run(&vip()).await;
    world.segment(people(100));
    let blocked = world.run(&vip()).await;
    assert_eq!(blocked.status, RunStatus::Blocked, "{blocked}");
    let digest = blocked.plan_digest.unwrap();
    assert_eq!(world.plan(&vip()).await.plan_digest, Some(digest.clone()), "a dry run agrees");

    world.segment(people(99));
    let report = world.run_approved(&vip(), &digest).await;
    assert_eq!(report.status, RunStatus::Blocked, "the segment moved on: {report}");
    world.segment(people(100));
    let report = world.run_approved(&vip(), &digest).await;
    assert_eq!((report.status, report.removed), (RunStatus::Done, 100), "{report}");
    assert_eq!(report.guard.outcome, GuardOutcome::Approved);
    assert_eq!(world.on_list("vip"), people(100));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_changes_nothing_on_either_side() {
    let world = World::new();
    world.segment(people(5));
    let first = world.plan(&vip()).await;
    assert_eq!((first.status, first.planned.as_ref().unwrap().add), (RunStatus::Planned, 5));
    assert_eq!((first.added, first.removed), (0, 0), "nothing is reported done that was not");
    assert_only_reads(&first);
    assert!(world.simulator.list_named("vip").is_none());
    assert_eq!(world.store.load(&vip().key()).await.unwrap().head.generation, 0);

    world.run(&vip()).await;
    let before = world.store.load(&vip().key()).await.unwrap();
    world.segment(people(8)[2..].to_vec());
    let second = world.plan(&vip()).await;
    let planned = second.planned.as_ref().unwrap();
    assert_eq!((planned.add, planned.remove, second.unchanged), (3, 2, 3), "{second}");
    assert_only_reads(&second);
    assert_eq!(world.store.load(&vip().key()).await.unwrap(), before);
    assert_eq!(world.on_list("vip"), people(5));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_does_not_rename_the_list_or_show_it_to_others() {
    let world = World::new();
    world.segment(people(5));
    world.run(&vip()).await;
    let public = SettingsPatch::default().visibility(Visibility::Public);
    let public = Settings::resolve(&SettingsPatch::default(), &public);
    let report = world.plan(&vip().named("Best customers").settings(public)).await;
    assert_eq!(report.planned.as_ref().unwrap().list_action, ListAction::Update, "{report}");
    assert_only_reads(&report);
    assert!(world.simulator.list_named("Best customers").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_long_run_keeps_its_lease_and_others_out() {
    let world = World::new();
    let slow = Fault::SlowJob(Duration::from_secs(1_800));
    world.simulator.inject(FaultRule::new(slow).on("PUT"));
    world.segment(people(5));
    let activation = vip();
    let second = async {
        // The lease was taken for five minutes.
        world.wait(Duration::from_secs(1_000)).await;
        world.run(&activation).await
    };
    let (first, second) = tokio::join!(world.run(&activation), second);
    assert_eq!((first.status, second.status), (RunStatus::Done, RunStatus::Busy), "{second}");
}

#[tokio::test(start_paused = true)]
async fn a_second_run_is_told_who_is_running_and_until_when() {
    let world = World::new();
    let key = vip().key();
    let ttl = Duration::from_secs(300);
    let now = crate::world::monday();
    let lease = world.store.acquire(&key, "host-7", now, ttl).await.unwrap();
    assert!(matches!(lease, Acquired::Lease(_)));
    world.segment(people(5));
    let report = world.run(&vip()).await;
    assert_eq!(report.status, RunStatus::Busy);
    let message = &report.error.as_ref().unwrap().message;
    assert!(message.contains("host-7") && message.contains("06:05"), "{message}");
    assert_eq!(world.simulator.ledger(), []);
}

/// Writes down what it is told.
#[derive(Debug, Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn on_event(&self, segment: &str, event: &Event<'_>) {
        let note = match event {
            Event::Planned(plan) => format!("{segment}: planned {} to add", plan.add),
            other => format!("{segment}: {other:?}"),
        };
        self.0.lock().unwrap().push(note);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_told_of_every_step() {
    let world = World::new();
    world.segment(people(10));
    let notes = Arc::new(Notes::default());
    let engine = world.engine().observer(notes.clone());
    engine.run(&vip(), &world.source, &world.destination()).await;
    let notes = notes.0.lock().unwrap().clone();
    assert_eq!(
        notes,
        [
            "vip: planned 10 to add",
            "vip: Committed { generation: 1 }",
            "vip: Submitted { operation: Add, members: 10 }",
            "vip: Settled { operation: Add, members: 10, acknowledged: 10 }",
            "vip: Committed { generation: 2 }",
        ]
    );
}

/// Breaks after its first batch.
#[derive(Debug)]
struct CutConnection;

struct CutScan(u8);

#[async_trait]
impl SegmentSource for CutConnection {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        Ok(Box::new(CutScan(0)))
    }
}

#[async_trait]
impl SegmentScan for CutScan {
    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        self.0 += 1;
        match self.0 {
            1 => Ok(Some(people(2).iter().collect())),
            _ => Err(SourceError::temporary("the connection was cut")),
        }
    }
}

/// Announces more rows than it gives.
#[derive(Debug)]
struct ShortSegment;

#[async_trait]
impl SegmentSource for ShortSegment {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        Ok(Box::new(ShortScan(false)))
    }
}

struct ShortScan(bool);

#[async_trait]
impl SegmentScan for ShortScan {
    fn expected_rows(&self) -> Option<u64> {
        Some(5)
    }

    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        let first = !std::mem::replace(&mut self.0, true);
        Ok(first.then(|| people(4).iter().collect()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_is_cut_short_changes_nothing() {
    let world = World::new();
    world.segment(people(5));
    world.run(&vip()).await;
    let sources: [Arc<dyn SegmentSource>; 2] = [Arc::new(CutConnection), Arc::new(ShortSegment)];
    for source in sources {
        let report = world.engine().run(&vip(), &source, &world.destination()).await;
        assert_eq!(report.status, RunStatus::Busy, "{report}");
        assert_only_reads(&report);
    }
    assert_eq!(world.on_list("vip"), people(5));
}
