//! The machine's clock, which may be wrong and set anew at any time. The service's clock is right.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use dotdigital_client::{
    Clock as _,
    simulator::{Simulator, VirtualClock},
};

/// How far a clock may be set forward while the service works on something. The engine counts the
/// age of a lost answer by this clock, so a larger jump takes what is under way for over.
const MOST_AMID_JOBS: i64 = 20 * 60;

/// Minutes to hours forward or back, in seconds; mostly not at all.
pub(super) fn jump(dice: &mut fastrand::Rng) -> Option<i64> {
    let jumps = [90, 1_100, 10_800, 108_000, -1, -120, -1_200, -3_600, -18_000];
    let seconds = dice.choice(jumps)?;
    (dice.u8(0..5) == 0).then_some(seconds)
}

/// The clock of the machine that all processes of a history run on.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    world: VirtualClock,
    /// Seconds by which it is ahead of the world.
    ahead: Arc<AtomicI64>,
    /// The most that it ever was ahead.
    most_ahead: Arc<AtomicI64>,
    /// How often it was set.
    jumps: Arc<AtomicI64>,
    /// By how much it was set forward while the service worked on the same jobs.
    amid_jobs: Arc<AtomicI64>,
    simulator: Simulator,
}

impl Machine {
    pub(super) fn new(world: VirtualClock, simulator: Simulator) -> Self {
        Self {
            world,
            ahead: Arc::default(),
            most_ahead: Arc::default(),
            jumps: Arc::default(),
            amid_jobs: Arc::default(),
            simulator,
        }
    }

    /// Sets the clock forward or back. Before a large step forward, the service ends what it works
    /// on: see "What if the machine's clock is wrong?" in the crate's `DESIGN.md`.
    pub(super) fn jump(&self, seconds: i64) {
        let amid_jobs = self.amid_jobs.fetch_add(seconds.max(0), Ordering::SeqCst);
        if amid_jobs + seconds > MOST_AMID_JOBS {
            self.simulator.finish_jobs(self.world.now());
            self.amid_jobs.store(0, Ordering::SeqCst);
        }
        let ahead = self.ahead.fetch_add(seconds, Ordering::SeqCst) + seconds;
        self.most_ahead.fetch_max(ahead, Ordering::SeqCst);
        self.jumps.fetch_add(1, Ordering::SeqCst);
    }

    /// Sets the clock right.
    pub(super) fn set_right(&self) {
        match self.ahead.load(Ordering::SeqCst) {
            0 => {}
            ahead => self.jump(-ahead),
        }
    }

    pub(super) fn is_right(&self) -> bool {
        self.ahead.load(Ordering::SeqCst) == 0
    }

    /// How long what was written down under a wrong clock may lie in the future.
    pub(super) fn most_ahead(&self) -> Duration {
        Duration::from_secs(self.most_ahead.load(Ordering::SeqCst).max(0).unsigned_abs())
    }

    pub(super) fn jumps(&self) -> i64 {
        self.jumps.load(Ordering::SeqCst)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.world.now() + TimeDelta::seconds(self.ahead.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl activation_core::Clock for Machine {
    fn now(&self) -> DateTime<Utc> {
        Machine::now(self)
    }

    async fn sleep(&self, duration: Duration) {
        self.world.sleep(duration).await;
    }
}

#[async_trait]
impl dotdigital_client::Clock for Machine {
    fn now(&self) -> DateTime<Utc> {
        Machine::now(self)
    }

    async fn sleep(&self, duration: Duration) {
        self.world.sleep(duration).await;
    }
}
