//! What goes wrong with one activation or destination stays there.

use activation_core::{RunStatus, RunnerLimits, Schedule, SegmentScan, SourceError};
use async_trait::async_trait;

use super::*;

#[derive(Clone, Copy, Debug)]
enum BadSource {
    Hangs,
    Fails,
    Panics,
}

#[async_trait]
impl SegmentSource for BadSource {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        match self {
            Self::Hangs => std::future::pending().await,
            Self::Fails => Err(SourceError::permanent("no such table")),
            Self::Panics => panic!("a bug of the host"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_hangs_fails_or_panics_does_not_slow_another() {
    let world = World::new();
    let start = world.clock.now();
    let every = Schedule::every(15 * MINUTE).unwrap();
    let mut activations = Vec::new();
    for (kind, source) in
        [("hangs", BadSource::Hangs), ("fails", BadSource::Fails), ("panics", BadSource::Panics)]
    {
        for number in 0..10 {
            let destination = Arc::new(world.destination());
            let segment = format!("{kind} {number}");
            activations.push(at(destination, kind, &segment, Arc::new(source)));
        }
    }
    let good: Arc<dyn SegmentSource> = Arc::new(MemorySource::new(people(10)));
    activations.push(at(Arc::new(world.destination()), "works", "vip", good));
    let activations =
        activations.into_iter().map(|activation| activation.schedule(every.clone())).collect();
    let limits = RunnerLimits::default().longest_run(20 * MINUTE);
    let runner = Runner::new(world.engine(), activations).unwrap().limits(limits);
    let running = Running::start(runner);
    world.wait(121 * MINUTE).await;

    assert_eq!(running.began("vip", start), [0, 15, 30, 45, 60, 75, 90, 105, 120]);
    assert_eq!(running.began("fails 0", start), [0, 15, 30, 45, 60, 75, 90, 105, 120]);
    let reports = running.reports();
    let of = |segment: &str| reports.iter().find(|report| report.segment == segment).unwrap();
    assert_eq!(of("vip").status, RunStatus::Done);
    assert_eq!(of("fails 0").status, RunStatus::Failed);
    let panicked = of("panics 0");
    assert_eq!(panicked.status, RunStatus::Failed);
    assert!(panicked.error.as_ref().unwrap().message.contains("panicked"));
    let hung = of("hangs 0");
    assert_eq!(hung.status, RunStatus::Busy);
    assert_eq!((hung.finished_at - start).num_minutes(), 20);
    let parked = reports.iter().filter(|report| report.segment.starts_with("hangs"));
    assert_eq!(parked.count(), 12, "two at a time, for twenty minutes each");
}
