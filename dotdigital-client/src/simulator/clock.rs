//! A clock that follows tokio's timer, so that a paused runtime runs hours in milliseconds.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::clock::Clock;

/// Tells `start` plus whatever tokio's timer says has passed since.
///
/// Under `#[tokio::test(start_paused = true)]` the timer jumps to the next sleeper as soon as
/// nothing else can run, so waiting for hours costs nothing and is repeatable.
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    start: DateTime<Utc>,
    origin: Instant,
}

impl VirtualClock {
    /// A clock that says `start` now.
    pub fn starting_at(start: DateTime<Utc>) -> Self {
        Self { start, origin: Instant::now() }
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        self.start + self.origin.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_runtime_sleeps_a_day_at_once() {
        let clock = VirtualClock::starting_at(DateTime::UNIX_EPOCH);
        clock.sleep(Duration::from_secs(86_400)).await;
        assert_eq!(clock.now(), DateTime::UNIX_EPOCH + Duration::from_secs(86_400));
    }
}
