//! What runs when, and how much at once.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
};

use activation_core::{
    DuplicateActivation, GuardSettings, RunStatus, RunnerLimits, Schedule, SegmentScan, Settings,
    SettingsPatch, SourceError, UnknownActivation,
};
use async_trait::async_trait;

use super::*;

#[tokio::test(start_paused = true)]
async fn activations_run_when_they_are_due() {
    let (world, source) = world_whose_jobs_take(5 * MINUTE);
    let start = world.clock.now();
    let every = Schedule::every(15 * MINUTE).unwrap();
    let due = scheduled(&world, "vip", source.clone()).schedule(every.clone());
    let ran_before =
        scheduled(&world, "staff", source.clone()).schedule(every).last_run(start - 10 * MINUTE);
    let never = scheduled(&world, "manual", source.clone());
    let running =
        Running::start(Runner::new(world.engine(), vec![due, ran_before, never]).unwrap());
    world.wait(10 * MINUTE).await;
    assert_eq!(world.on_list("vip"), people(10));
    source.set(people(8));
    world.wait(51 * MINUTE).await;
    assert_eq!(running.began("vip", start), [0, 15, 30, 45, 60]);
    assert_eq!(running.began("staff", start), [5, 20, 35, 50]);
    assert!(running.began("manual", start).is_empty());
    assert_eq!(world.on_list("vip"), people(8));
    let (_, next) = running.said.lock().unwrap()[0].clone();
    assert_eq!(next, Some(start + 15 * MINUTE));
    assert_eq!(running.stop(MINUTE).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_runner_knows_of_when_the_segment_is() {
    let (world, source) = world_whose_jobs_take(MINUTE);
    let guard = GuardSettings { max_age_hours: Some(36), ..GuardSettings::default() };
    let patch = SettingsPatch::default().guard(guard);
    let settings = Settings::resolve(&SettingsPatch::default(), &patch);
    let activation = Activation::new("vip").settings(settings);
    let destination = Arc::new(world.destination());
    let scheduled = ScheduledActivation::new(activation, source.clone(), "account", destination);
    let running = Running::start(Runner::new(world.engine(), vec![scheduled]).unwrap());
    for (age, status) in [(1, RunStatus::Done), (37, RunStatus::Blocked)] {
        source.set_as_of(world.clock.now() - age * 60 * MINUTE);
        running.trigger("vip");
        world.wait(30 * MINUTE).await;
        let report = running.reports().pop().expect("a report");
        assert_eq!(report.status, status, "{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn triggers_during_a_run_are_one_run_after_it() {
    let (world, source) = world_whose_jobs_take(10 * MINUTE);
    let running = Running::start(runner(&world, &source));
    world.wait(MINUTE).await;
    assert_eq!(running.reports().len(), 0);
    running.trigger("vip");
    world.wait(MINUTE).await;
    source.set(people(20));
    for _ in 0..5 {
        running.trigger("vip");
        world.wait(MINUTE).await;
    }
    world.wait(60 * MINUTE).await;
    let added: Vec<_> = running.reports().iter().map(|report| report.added).collect();
    assert_eq!(added, [10, 10]);
    assert_eq!(world.on_list("vip"), people(20));
    let unknown = ActivationKey::new("nobody");
    assert_eq!(running.handle.trigger(&unknown), Err(UnknownActivation(unknown)));
}

#[tokio::test(start_paused = true)]
async fn one_segment_cannot_have_two_activations() {
    let (world, source) = world_whose_jobs_take(MINUTE);
    let twice =
        vec![scheduled(&world, "vip", source.clone()), scheduled(&world, "vip", source.clone())];
    let refused = Runner::new(world.engine(), twice).map(drop);
    assert_eq!(refused, Err(DuplicateActivation(vip())));
}

/// How many are being read, and the most at once.
#[derive(Debug, Default)]
struct Count {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Count {
    fn enter(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// All runs together, and those at each destination.
type Counts = (Arc<Count>, Vec<Arc<Count>>);

/// A segment of one that takes a minute to read.
#[derive(Debug)]
struct CountedSource {
    counts: [Arc<Count>; 2],
}

#[async_trait]
impl SegmentSource for CountedSource {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        self.counts.iter().for_each(|count| count.enter());
        tokio::time::sleep(MINUTE).await;
        self.counts.iter().for_each(|count| count.leave());
        MemorySource::new(people(1)).open().await
    }
}

#[tokio::test(start_paused = true)]
async fn hundreds_share_the_limits_fairly() {
    const DESTINATIONS: usize = 4;
    let worlds: Vec<World> = (0..DESTINATIONS).map(|_| World::new()).collect();
    let (all, each): Counts = (Arc::default(), (0..DESTINATIONS).map(|_| Arc::default()).collect());
    // The first destination has most of the work, and its activations come first.
    let destination_of = |number: usize| if number < 120 { 0 } else { number % DESTINATIONS };
    let activations = (0..240).map(|number| {
        let destination = destination_of(number);
        let counts = [all.clone(), each[destination].clone()];
        let world = &worlds[destination];
        let source = Arc::new(CountedSource { counts });
        at(
            Arc::new(world.destination()),
            &format!("account {destination}"),
            &format!("segment {number}"),
            source,
        )
    });
    let number = |number| NonZeroUsize::new(number).unwrap();
    let limits = RunnerLimits::default().runs(number(5)).runs_per_destination(number(2));
    let runner = Runner::new(worlds[0].engine(), activations.collect()).unwrap().limits(limits);
    let running = Running::start(runner);
    for number in 0..240 {
        running.trigger(&format!("segment {number}"));
    }
    worlds[0].wait(180 * MINUTE).await;
    let reports = running.reports();
    assert_eq!(reports.len(), 240);
    assert!(reports.iter().all(|report| report.status == RunStatus::Done));
    let most = |count: &Count| count.most.load(Ordering::SeqCst);
    let most_each: Vec<_> = each.iter().map(|count| most(count)).collect();
    assert_eq!((most(&all), most_each[0]), (5, 2));
    assert!(most_each.iter().all(|most| (1..=2).contains(most)), "{most_each:?}");
    let mut early = [0; DESTINATIONS];
    for report in &reports[..60] {
        let number: usize = report.segment["segment ".len()..].parse().unwrap();
        early[destination_of(number)] += 1;
    }
    assert!(early.iter().all(|runs| (10..=25).contains(runs)), "{early:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_held_by_somebody_else_is_waited_for() {
    let (world, source) = world_whose_jobs_take(MINUTE);
    let now = world.clock.now();
    let until = now + 10 * MINUTE;
    world.store.acquire(&vip(), "process 7 of host b", now, 10 * MINUTE).await.unwrap();
    let running = Running::start(runner(&world, &source));
    running.trigger("vip");
    world.wait(9 * MINUTE).await;
    let (report, next) = running.said.lock().unwrap()[0].clone();
    assert_eq!((report.status, report.retry_at, next), (RunStatus::Busy, Some(until), Some(until)));
    let told = report.error.unwrap().message;
    assert!(told.contains("process 7 of host b") && told.contains(&until.to_string()), "{told}");
    world.wait(10 * MINUTE).await;
    let reports = running.reports();
    assert_eq!((reports.len(), reports[1].status), (2, RunStatus::Done));
    assert_eq!(reports[1].started_at, until);
}
