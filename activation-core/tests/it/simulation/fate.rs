//! What happens to a process, and at which of its points: it is killed, the power goes, the clock
//! jumps, or it is paused while others go on.

use std::{
    fmt, io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use activation_core::Step;
use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use super::{
    clock::{Machine, jump},
    disk::Disk,
};
#[cfg(all(feature = "postgres", unix))]
use crate::postgres::Cut;

/// Decided before a process begins. Points are counted from 1; 0 is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fate {
    /// Where it is killed.
    pub(super) kill_at: i64,
    /// Whether it is killed by a power cut, in the middle of a step of the store if one is there.
    /// The number decides what is lost.
    pub(super) power_cut: Option<u64>,
    /// Where the machine's clock jumps, and by how many seconds.
    pub(super) jump: Option<(i64, i64)>,
}

impl Fate {
    /// Every second process that is killed is killed by a power cut, and every fifth one sees its
    /// clock jump.
    pub(super) fn random(kill_at: i64, dice: &mut fastrand::Rng) -> Self {
        let seed = dice.u64(..);
        let jump = jump(dice).map(|seconds| (dice.i64(1..100), seconds));
        Self { kill_at, power_cut: seed.is_multiple_of(2).then_some(seed), jump }
    }

    /// Killed at its `point`-th point, if it has so many.
    pub(super) fn killed_at(point: i64) -> Self {
        Self { kill_at: point, ..Self::default() }
    }
}

/// What goes on while a process is paused.
pub(super) type Interlude = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Until when the lease lasts that a process holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Tenure(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    until: Option<DateTime<Utc>>,
    /// How many leases there have been.
    leases: u64,
    /// How long the run has waited for jobs since the lease was given or prolonged.
    waited: Duration,
}

impl Tenure {
    pub(super) fn begin(&self, until: DateTime<Utc>) {
        let mut held = self.0.lock().expect("no poison");
        held.until = Some(until);
        held.leases += 1;
        held.waited = Duration::ZERO;
    }

    pub(super) fn prolong(&self, until: DateTime<Utc>) {
        let mut held = self.0.lock().expect("no poison");
        held.until = Some(until);
        held.waited = Duration::ZERO;
    }

    /// The run waits for a job. Gives how long it has done so since the lease was last prolonged.
    pub(super) fn wait(&self, duration: Duration) -> Duration {
        let mut held = self.0.lock().expect("no poison");
        held.waited += duration;
        held.until.map_or(Duration::ZERO, |_| held.waited)
    }

    pub(super) fn end(&self) {
        self.0.lock().expect("no poison").until = None;
    }

    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        self.0.lock().expect("no poison").until
    }

    pub(super) fn leases(&self) -> u64 {
        self.0.lock().expect("no poison").leases
    }
}

/// Counts the points of a process and lets its fate come true.
pub(super) struct Reaper {
    fate: Fate,
    points: AtomicI64,
    died: Notify,
    machine: Machine,
    disk: Arc<Disk>,
    interlude: Mutex<Option<(i64, Interlude)>>,
    pub(super) tenure: Tenure,
}

impl Reaper {
    pub(super) fn new(fate: Fate, machine: Machine, disk: Arc<Disk>) -> Self {
        Self {
            fate,
            points: AtomicI64::new(0),
            died: Notify::new(),
            machine,
            disk,
            interlude: Mutex::default(),
            tenure: Tenure::default(),
        }
    }

    /// Pauses the process at a point between two awaits until `interlude` is over.
    pub(super) fn pause_at(&self, point: i64, interlude: Interlude) {
        *self.interlude.lock().expect("no poison") = Some((point, interlude));
    }

    /// A point between two awaits. The dead never return from it.
    pub(super) async fn point(&self) {
        let number = self.next();
        if let Some(interlude) = self.interlude_at(number) {
            interlude.await;
        }
        if self.is_dead_at(number) {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Returns when the process has been killed.
    pub(super) async fn death(&self) {
        self.died.notified().await;
    }

    /// A step of the store. When the power goes it may be done by half.
    pub(super) fn step(&self, step: Step) -> io::Result<()> {
        let number = self.next();
        let is_torn = self.fate.power_cut.is_some() && number == self.fate.kill_at;
        if self.is_dead_at(number) && !is_torn {
            return Err(io::Error::other("killed"));
        }
        self.disk.begin(step, is_torn);
        Ok(())
    }

    /// A statement that a store sends to its server. The connections of the dead are cut.
    #[cfg(all(feature = "postgres", unix))]
    pub(super) fn statement(&self) -> Cut {
        let number = self.next();
        match self.fate.power_cut {
            _ if !self.is_dead_at(number) => Cut::Nothing,
            Some(seed) if number == self.fate.kill_at && seed % 3 == 0 => Cut::Amid,
            Some(seed) if number == self.fate.kill_at && seed % 3 == 1 => Cut::After,
            _ => Cut::Before,
        }
    }

    fn next(&self) -> i64 {
        let number = self.points.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some((_, seconds)) = self.fate.jump.filter(|(at, _)| *at == number) {
            self.machine.jump(seconds);
        }
        number
    }

    fn is_dead_at(&self, number: i64) -> bool {
        self.fate.kill_at > 0 && number >= self.fate.kill_at
    }

    /// The interlude of this point or, where that fell into a step of the store, of one before.
    fn interlude_at(&self, number: i64) -> Option<Interlude> {
        let mut interlude = self.interlude.lock().expect("no poison");
        let is_due = interlude.as_ref().is_some_and(|(at, _)| number >= *at);
        if is_due { interlude.take().map(|(_, interlude)| interlude) } else { None }
    }
}

impl fmt::Debug for Reaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reaper").field("fate", &self.fate).finish_non_exhaustive()
    }
}
