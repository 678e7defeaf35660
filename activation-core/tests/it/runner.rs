//! The runner, in virtual time, against the simulator.

mod breakages;
mod stopping;
mod timing;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use activation_core::{
    Activation, ActivationKey, Destination, RunReport, Runner, RunnerHandle, ScheduledActivation,
    SegmentSource, sources::MemorySource,
};
use chrono::{DateTime, Utc};
use dotdigital_client::{
    Clock as _,
    simulator::{JobLatency, SimulatorSettings},
};
use tokio::task::JoinHandle;

use crate::world::{World, people};

const MINUTE: Duration = Duration::from_secs(60);
const IMPORT: &str = "PUT /contacts/v3/import";

/// What the runner said of each run: its report, and when the next one is due.
type Said = Arc<Mutex<Vec<(RunReport, Option<DateTime<Utc>>)>>>;

/// A runner at work.
struct Running {
    handle: RunnerHandle,
    said: Said,
    task: JoinHandle<Vec<ActivationKey>>,
}

impl Running {
    fn start(runner: Runner) -> Self {
        let said = Said::default();
        let write = said.clone();
        let runner = runner.on_report(move |report, next| {
            write.lock().unwrap().push((report.clone(), next));
        });
        Self { handle: runner.handle(), said, task: tokio::spawn(runner.run()) }
    }

    fn trigger(&self, segment: &str) {
        self.handle.trigger(&ActivationKey::new(segment)).unwrap();
    }

    async fn stop(self, deadline: Duration) -> Vec<ActivationKey> {
        self.handle.stop(deadline);
        self.task.await.unwrap()
    }

    fn reports(&self) -> Vec<RunReport> {
        self.said.lock().unwrap().iter().map(|(report, _)| report.clone()).collect()
    }

    /// Minutes from `start` at which runs of a segment began.
    fn began(&self, segment: &str, start: DateTime<Utc>) -> Vec<i64> {
        let reports = self.reports().into_iter().filter(|report| report.segment == segment);
        reports.map(|report| (report.started_at - start).num_minutes()).collect()
    }
}

/// An account whose jobs take so long, with a segment of ten.
fn world_whose_jobs_take(time: Duration) -> (World, Arc<MemorySource>) {
    let latency = JobLatency { base: time, per_member: Duration::ZERO };
    let world = World::with(SimulatorSettings { latency, ..SimulatorSettings::default() });
    (world, Arc::new(MemorySource::new(people(10))))
}

fn scheduled(world: &World, segment: &str, source: Arc<dyn SegmentSource>) -> ScheduledActivation {
    at(Arc::new(world.destination()), "account", segment, source)
}

fn at(
    destination: Arc<dyn Destination>,
    name: &str,
    segment: &str,
    source: Arc<dyn SegmentSource>,
) -> ScheduledActivation {
    ScheduledActivation::new(Activation::new(segment), source, name, destination)
}

/// A runner of one activation, that runs when triggered.
fn runner(world: &World, source: &Arc<MemorySource>) -> Runner {
    Runner::new(world.engine(), vec![scheduled(world, "vip", source.clone())]).unwrap()
}

fn imports(world: &World) -> u64 {
    world.simulator.calls().get(IMPORT).copied().unwrap_or_default()
}

fn vip() -> ActivationKey {
    ActivationKey::new("vip")
}
