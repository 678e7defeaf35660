//! A second process on the same store, at some point of a first one's run.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use activation_core::{RunReport, RunStatus, State, StateStore, StoreError, StoreErrorKind};
use chrono::{DateTime, SubsecRound, Utc};
use dotdigital_client::Clock as _;

use super::{ApproveAll, Fate, Stage};
use crate::simulation::{
    fate::{Interlude, Tenure},
    place::Place,
};

const FIRST: &str = "the first process";

/// The first process stands still at its `at`-th point. After `pause` a second one runs, which may
/// be killed. Then the first goes on.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Rival {
    pub(in super::super) at: i64,
    pub(in super::super) pause: Duration,
    pub(in super::super) kill_at: i64,
}

/// What came of the first process.
pub(super) enum Beside {
    Reported(Box<RunReport>),
    /// It lost its lease to the second one.
    Overtaken,
    Killed,
}

/// Everything a store has of an activation, in an order that can be compared.
#[derive(Debug, PartialEq)]
pub(super) struct Content {
    state: State,
    snapshot: Vec<u8>,
}

impl Rival {
    /// At once, while the lease lasts, or after it is over. All pauses are short enough for the
    /// doubts about what the first process may still send.
    pub(super) fn random(dice: &mut fastrand::Rng) -> Option<Self> {
        let rival = Self {
            at: dice.i64(1..100),
            pause: Duration::from_secs(dice.choice([0, 200, 301, 900, 1_800]).unwrap_or(0)),
            kill_at: if dice.u8(0..4) == 0 { dice.i64(1..80) } else { 0 },
        };
        (dice.u8(0..5) == 0).then_some(rival)
    }
}

impl Stage {
    /// A run that stands still somewhere while another one is tried.
    pub(super) async fn run_beside(&self, fate: Fate, rival: Rival) -> Beside {
        // The model of the disk knows one process at a time: what the second one makes durable in the
        // middle of a step of the first would be lost with it.
        let fate = Fate { power_cut: None, ..fate };
        self.lay_to_rest().await;
        let (engine, source, destination, reaper) = self.process(fate);
        let engine = engine.holder(FIRST).approver(Arc::new(ApproveAll));
        let left: Arc<Mutex<Option<Content>>> = Arc::default();
        reaper.pause_at(rival.at, self.interlude(rival, reaper.tenure.clone(), left.clone()));
        let activation = self.activation();
        let report = tokio::select! {
            report = engine.run(&activation, &source, &destination) => Some(report),
            () = reaper.death() => None,
        };
        drop((engine, source, destination, reaper));
        // The second one may have died too.
        self.is_unburied.store(true, Ordering::SeqCst);
        if report.is_none() {
            self.bury(fate);
        }
        let left = left.lock().expect("no poison").take();
        if let Some(left) = &left {
            let now = content(&self.place).await;
            assert_eq!(now, *left, "a process that lost its lease has written");
        }
        match (report, left) {
            (None, _) => Beside::Killed,
            (Some(report), Some(_)) => {
                let is_told = report.error.as_ref().is_some_and(|error| error.temporary);
                // Nothing was left to write but the end of the lease.
                let is_over = report.error.is_none();
                assert!(is_told || is_over, "{report}");
                Beside::Overtaken
            }
            // The second one was killed just when it had taken over.
            (Some(report), None) if is_overtaken(&report) => Beside::Overtaken,
            (Some(report), None) => Beside::Reported(Box::new(report)),
        }
    }

    /// The second process. What is in the store when it has taken over and ended goes to `left`.
    fn interlude(
        &self,
        rival: Rival,
        first: Tenure,
        left: Arc<Mutex<Option<Content>>>,
    ) -> Interlude {
        let fate = Fate::killed_at(rival.kill_at);
        let (engine, source, destination, reaper) = self.process(fate);
        let engine = engine.holder("the second process").approver(Arc::new(ApproveAll));
        let (activation, world, machine) = (self.activation(), self.clock, self.machine.clone());
        let place = self.place.clone();
        Box::pin(async move {
            world.sleep(rival.pause).await;
            let until = first.until();
            let kept_out_until = until.filter(|until| machine.now() < *until);
            let report = tokio::select! {
                report = engine.run(&activation, &source, &destination) => Some(report),
                () = reaper.death() => None,
            };
            let has_run = reaper.tenure.leases() > 0;
            drop((engine, source, destination, reaper));
            if let Some(until) = kept_out_until {
                assert!(!has_run, "two processes have the lease");
                report.iter().for_each(|report| check_kept_out(report, until));
            } else if has_run && until.is_some() {
                *left.lock().expect("no poison") = Some(content(&place).await);
            }
            // The first one may stand still when it has just got its lease, and nobody knows it yet.
            let kept_out = report.as_ref().filter(|report| report.run.is_none());
            if let Some(report) = kept_out {
                check_kept_out(report, report.retry_at.expect("kept out by nobody"));
            }
        })
    }
}

fn is_overtaken(report: &RunReport) -> bool {
    report.error.as_ref().is_some_and(|error| error.message.contains("was taken over"))
}

/// Whoever is kept out is told by whom and until when, and does nothing.
fn check_kept_out(report: &RunReport, until: DateTime<Utc>) {
    assert_eq!(report.status, RunStatus::Busy, "{report}");
    assert_eq!(report.retry_at, Some(until.trunc_subsecs(6)), "{report}");
    let message = report.error.as_ref().map(|error| error.message.as_str());
    assert!(message.is_some_and(|message| message.contains(FIRST)), "{report}");
    assert_eq!(report.total_calls(), 0, "{report}");
}

/// Reads all of it, to its end. A killed process may still be in the middle of a step.
pub(super) async fn content(place: &Place) -> Content {
    let store = place.open();
    loop {
        match read(&*store).await {
            Ok(content) => return content,
            Err(error) if error.kind == StoreErrorKind::Moved => {}
            Err(error) => panic!("the state is not readable: {error}"),
        }
    }
}

async fn read(store: &dyn StateStore) -> Result<Content, StoreError> {
    let key = activation_core::ActivationKey::new("vip");
    let mut state = store.load(&key).await?;
    state.held.sort_by_key(|held| held.member);
    state.absent.sort_by_key(|absent| absent.member);
    let mut snapshot = Vec::new();
    if let Some(named) = &state.head.snapshot {
        let mut reader = store.read_snapshot(&key, named).await?;
        while let Some(chunk) = reader.next_chunk().await? {
            snapshot.extend(chunk);
        }
    }
    Ok(Content { state, snapshot })
}
