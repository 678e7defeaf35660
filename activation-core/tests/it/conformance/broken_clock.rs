//! Clocks that break one clause each.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use activation_core::{Clock, conformance};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::each_breach_is_found;
use crate::world::{EngineClock, World};

#[derive(Clone, Copy, Debug)]
enum Breach {
    GoesBack,
    WakesEarly,
}

#[derive(Debug)]
struct BrokenClock {
    clock: EngineClock,
    breach: Option<Breach>,
    readings: AtomicI64,
}

#[async_trait]
impl Clock for BrokenClock {
    fn now(&self) -> DateTime<Utc> {
        let reading = self.readings.fetch_add(1, Ordering::Relaxed);
        let back = matches!(self.breach, Some(Breach::GoesBack)) && reading % 100 == 99;
        self.clock.now() - TimeDelta::seconds(i64::from(back))
    }

    async fn sleep(&self, duration: Duration) {
        let early = matches!(self.breach, Some(Breach::WakesEarly));
        self.clock.sleep(if early { duration / 2 } else { duration }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_breach_of_the_clocks_contract_is_found() {
    let breaches = [
        (Breach::GoesBack, "now_does_not_go_backwards"),
        (Breach::WakesEarly, "sleep_lasts_at_least_as_long_as_asked"),
    ];
    each_breach_is_found(&breaches, async |breach| {
        let clock = EngineClock(World::new().clock);
        conformance::clock(&BrokenClock { clock, breach, readings: AtomicI64::new(0) }).await
    })
    .await;
}
