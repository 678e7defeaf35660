//! The contract of [`Clock`].

use std::time::Duration;

use super::check::{Broken, Checked, Conformance, check_each, ensure};
use crate::Clock;

/// Checks a clock against the contract of [`Clock`]. Waits for about 20 milliseconds of its time.
///
/// # Errors
///
/// Returns the clauses that the clock breaks.
pub async fn clock(clock: &dyn Clock) -> Conformance {
    check_each!("Clock", (clock);
        clauses::now_does_not_go_backwards,
        clauses::sleep_lasts_at_least_as_long_as_asked,
    )
}

mod clauses {
    use super::*;

    pub(super) async fn now_does_not_go_backwards(clock: &dyn Clock) -> Checked {
        let mut last = clock.now();
        for _ in 0..1_000 {
            let now = clock.now();
            ensure!(last <= now);
            last = now;
        }
        Ok(())
    }

    pub(super) async fn sleep_lasts_at_least_as_long_as_asked(clock: &dyn Clock) -> Checked {
        for duration in [Duration::from_millis(1), Duration::from_millis(20)] {
            let before = clock.now();
            clock.sleep(duration).await;
            let slept = (clock.now() - before).to_std().unwrap_or_default();
            if slept < duration {
                return Err(Broken::new(format!("{slept:?} passed and not {duration:?}")));
            }
        }
        Ok(())
    }
}
