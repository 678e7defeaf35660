//! Runs by a runner that is stopped in the middle: finished, parked, cut or dropped.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use activation_core::{RunReport, Runner, ScheduledActivation};
use dotdigital_client::Clock as _;

use super::{ApproveAll, Fate, Stage};

/// When a runner is stopped, and how much time it has to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    after: Duration,
    deadline: Duration,
}

impl Stop {
    /// Decided by a dice of its own, so that the rest of a seed's history stays what it was.
    pub(super) fn random(dice: &mut fastrand::Rng) -> Option<Self> {
        let after = dice.choice([0, 1, 5, 20, 90, 600, 7_200]).unwrap_or(0);
        let deadline = dice.choice([0, 1, 30, 300]).unwrap_or(0);
        let stop = Self {
            after: Duration::from_millis(after * 1_000 + dice.u64(0..1_000)),
            deadline: Duration::from_secs(deadline),
        };
        dice.bool().then_some(stop)
    }
}

impl Stage {
    /// One process with a runner: what it reported.
    pub(super) async fn run_until(&self, stop: Stop) -> Vec<RunReport> {
        self.lay_to_rest().await;
        // Dropped in the middle it cannot give its lease back.
        self.is_unburied.store(true, Ordering::SeqCst);
        let (engine, source, destination, _immortal) = self.process(Fate::default());
        let engine = engine.approver(Arc::new(ApproveAll));
        let activation = self.activation();
        let key = activation.key();
        let (source, destination) = (Arc::new(source), Arc::new(destination));
        let scheduled = ScheduledActivation::new(activation, source, "account", destination);
        let said: Arc<Mutex<Vec<RunReport>>> = Arc::default();
        let write = said.clone();
        let runner = Runner::new(engine, vec![scheduled]).expect("one activation");
        let runner = runner
            .on_report(move |report, _| write.lock().expect("no poison").push(report.clone()));
        let handle = runner.handle();
        handle.trigger(&key).expect("the one activation");
        let stop_it = async {
            self.clock.sleep(stop.after).await;
            handle.stop(stop.deadline);
            self.clock.now()
        };
        let (unfinished, stopped_at) = tokio::join!(runner.run(), stop_it);
        let took = (self.clock.now() - stopped_at).to_std().unwrap_or_default();
        // Timers count in whole milliseconds.
        assert!(took <= stop.deadline + Duration::from_millis(5), "{took:?} for {stop:?}");
        let reports = said.lock().expect("no poison").clone();
        let ended =
            reports.last().is_some_and(|last| last.status != activation_core::RunStatus::Busy);
        assert_eq!(unfinished.is_empty(), ended, "{reports:?}");
        reports
    }
}
