//! The account's call limits: learnt from the service's headers, shared by all clones of a client.

mod headers;
mod window;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{
    clock::Clock,
    wait::{after, between, within},
};
pub(crate) use headers::Reading;
use window::Window;

/// The counter that a call belongs to. The service counts each tier by itself, per minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// Imports and large reads.
    Low,
    /// Single records that are written, moderate reads.
    Medium,
    /// Single light records.
    High,
    /// Sends and polls.
    Unlimited,
}

impl Tier {
    const COUNT: usize = 4;

    /// The tier's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Unlimited => "unlimited",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A kind of jobs of which an account may only have so many at work, counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobKind {
    Import,
    InsightImport,
    /// Told by the service of a call that is not known to start a job.
    Other,
    #[cfg(feature = "account-deletion")]
    Deletion,
}

impl JobKind {
    const COUNT: usize = 4;
}

/// How limits are kept. Start from [`Default`] and change single fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Calls per window to assume for the low tier until the service tells. With `None` the first
    /// call goes alone and the others wait for what its answer says.
    pub low: Option<u32>,
    /// The same for the medium tier.
    pub medium: Option<u32>,
    /// The same for the high tier.
    pub high: Option<u32>,
    /// The same for the unlimited tier.
    pub unlimited: Option<u32>,
    /// The length of a window where the service does not say when it ends.
    pub window: Duration,
    /// The longest that a window is believed to last, since clocks may differ.
    pub longest_window: Duration,
    /// How long to leave the account alone once an older API user's hourly limit is used up. A
    /// part of a rolling hour's calls is back by then.
    pub hourly_pause: Duration,
    /// The first wait for a free job slot; it doubles with each further one.
    pub slot_base: Duration,
    /// The longest single wait for a free job slot.
    pub slot_cap: Duration,
    /// How long to wait for a job slot in all before
    /// [`ErrorKind::SlotsFull`](crate::ErrorKind::SlotsFull) is reported.
    pub slot_wait: Duration,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            low: None,
            medium: None,
            high: None,
            unlimited: None,
            window: Duration::from_secs(60),
            longest_window: Duration::from_secs(120),
            hourly_pause: Duration::from_secs(900),
            slot_base: Duration::from_secs(1),
            slot_cap: Duration::from_secs(30),
            slot_wait: Duration::from_secs(1800),
        }
    }
}

/// Lets calls go when the account's limits allow, first come first served within a tier.
#[derive(Debug)]
pub(crate) struct Governor {
    settings: LimitSettings,
    clock: Arc<dyn Clock>,
    lanes: [Lane; Tier::COUNT],
    learnt: Mutex<Learnt>,
    /// The line for the job slots of each kind.
    slots: [RwLock<()>; JobKind::COUNT],
}

/// One tier: the queue in front of it and its window.
#[derive(Debug)]
struct Lane {
    turn: tokio::sync::Mutex<()>,
    window: Mutex<Window>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Learnt {
    tiers: HashMap<&'static str, Tier>,
    paused_until: Option<DateTime<Utc>>,
}

impl Governor {
    pub(crate) fn new(settings: LimitSettings, clock: Arc<dyn Clock>) -> Self {
        let lane = |limit| Lane {
            turn: tokio::sync::Mutex::default(),
            window: Mutex::new(Window::new(limit)),
            changed: Notify::new(),
        };
        let LimitSettings { low, medium, high, unlimited, .. } = settings;
        let lanes = [lane(low), lane(medium), lane(high), lane(unlimited)];
        Self { settings, clock, lanes, learnt: Mutex::default(), slots: Default::default() }
    }

    pub(crate) fn settings(&self) -> &LimitSettings {
        &self.settings
    }

    /// The tier of an endpoint: what the service said last, until then `guess`.
    pub(crate) fn tier_of(&self, endpoint: &'static str, guess: Tier) -> Tier {
        lock(&self.learnt).tiers.get(endpoint).copied().unwrap_or(guess)
    }

    /// The calls of a window, once known.
    pub(crate) fn limit(&self, tier: Tier) -> Option<u32> {
        lock(&self.lane(tier).window).limit()
    }

    /// Until when the whole account is left alone, if it is.
    pub(crate) fn paused_until(&self) -> Option<DateTime<Utc>> {
        lock(&self.learnt).paused_until.filter(|until| *until > self.clock.now())
    }

    /// Leaves the whole account alone for a while and says until when.
    pub(crate) fn pause(&self) -> DateTime<Utc> {
        let until = after(self.clock.now(), self.settings.hourly_pause);
        lock(&self.learnt).paused_until = Some(until);
        until
    }

    /// When a call of this tier can go at the earliest, as far as known.
    pub(crate) fn earliest(&self, tier: Tier) -> DateTime<Utc> {
        let now = self.clock.now();
        lock(&self.lane(tier).window).ends().unwrap_or_else(|| after(now, self.settings.window))
    }

    /// Waits for a place. Dropping the future, or the place, gives it back.
    pub(crate) async fn admit(&self, endpoint: &'static str, guess: Tier) -> Permit<'_> {
        'lane: loop {
            let tier = self.tier_of(endpoint, guess);
            let lane = self.lane(tier);
            let _turn = lane.turn.lock().await;
            loop {
                if self.tier_of(endpoint, guess) != tier {
                    continue 'lane;
                }
                let admitted = lock(&lane.window).admit(self.clock.now(), self.settings.window);
                match admitted {
                    Ok(()) => return Permit { governor: self, endpoint, tier, open: true },
                    Err(wait) => within(&*self.clock, wait, lane.changed.notified()).await,
                };
            }
        }
    }

    /// Waits while another call is trying to get a job slot of that kind.
    pub(crate) async fn slot_gate(&self, job: JobKind) -> RwLockReadGuard<'_, ()> {
        self.slots[job as usize].read().await
    }

    /// The right to be the one call that tries to get a job slot of that kind, in order of asking.
    pub(crate) async fn slot_turn(&self, job: JobKind) -> RwLockWriteGuard<'_, ()> {
        self.slots[job as usize].write().await
    }

    fn lane(&self, tier: Tier) -> &Lane {
        &self.lanes[tier as usize]
    }
}

/// A place in a window, taken for one attempt.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    governor: &'a Governor,
    endpoint: &'static str,
    tier: Tier,
    open: bool,
}

impl Permit<'_> {
    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    /// The attempt was answered. `refused` says that the limit was exceeded; the result is how
    /// long the window still lasts then.
    pub(crate) fn answered(mut self, reading: &Reading, refused: bool) -> Option<Duration> {
        self.open = false;
        let now = self.governor.clock.now();
        let tier = reading.scope.unwrap_or(self.tier);
        if reading.scope.is_some() {
            lock(&self.governor.learnt).tiers.insert(self.endpoint, tier);
        }
        let settings = &self.governor.settings;
        let lane = self.governor.lane(tier);
        if tier != self.tier {
            self.leave_lane(Window::leave);
        }
        let reading = reading.bounded(now, settings.longest_window);
        let mut window = lock(&lane.window);
        if tier == self.tier {
            // Under the same lock as what was learnt: nobody may take the place in between.
            window.leave();
        }
        window.learn(now, &reading);
        let wait = refused.then(|| between(now, window.exhaust(now, &reading, settings.window)));
        drop(window);
        lane.changed.notify_one();
        wait
    }

    /// The attempt never reached the service.
    pub(crate) fn not_sent(mut self) {
        self.open = false;
        self.leave_lane(Window::leave);
    }

    fn leave_lane(&self, change: impl FnOnce(&mut Window)) {
        let lane = self.governor.lane(self.tier);
        change(&mut lock(&lane.window));
        lane.changed.notify_one();
    }
}

impl Drop for Permit<'_> {
    /// An attempt that was dropped half way, or brought no answer, may have been counted.
    fn drop(&mut self) {
        if self.open {
            self.leave_lane(|window| {
                window.leave();
                window.count();
            });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
