//! Counting calls against the account's limits.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    ledger::SimulatedTier,
    settings::{RateLimits, TierLimits},
    switches::RateReset,
};

const WINDOW_SECONDS: i64 = 60;

/// Windows of the tiers, and the calls of the last hour under the flat scheme.
#[derive(Default)]
pub(super) struct Limiter {
    /// Number of the current minute and calls in it, for low, medium and high.
    windows: [(i64, u32); 3],
    last_hour: VecDeque<DateTime<Utc>>,
}

/// Whether a call may go on, and what its answer says about the limit.
pub(super) enum Admission {
    /// No limit applies.
    Free,
    /// Within the limit, or beyond it.
    Tiered { admitted: bool, limit: u32, remaining: u32 },
    /// Beyond the flat limit.
    Capped,
}

impl Admission {
    fn lets_through(&self) -> bool {
        matches!(self, Self::Free | Self::Tiered { admitted: true, .. })
    }
}

impl Limiter {
    pub(super) fn admit(
        &mut self,
        limits: RateLimits,
        tier: SimulatedTier,
        now: DateTime<Utc>,
    ) -> Admission {
        self.forget_before_the_hour(now);
        let admission = match limits {
            RateLimits::Off => Admission::Free,
            RateLimits::Tiered(limits) => self.admit_tiered(limits, tier, now),
            RateLimits::Flat { per_hour } => self.admit_flat(per_hour),
        };
        if admission.lets_through() {
            self.last_hour.push_back(now);
        }
        admission
    }

    /// Calls let through in the last hour, under any scheme.
    pub(super) fn calls_in_last_hour(&self) -> usize {
        self.last_hour.len()
    }

    fn admit_tiered(
        &mut self,
        limits: TierLimits,
        tier: SimulatedTier,
        now: DateTime<Utc>,
    ) -> Admission {
        let (index, limit) = match tier {
            SimulatedTier::Low => (0, limits.low),
            SimulatedTier::Medium => (1, limits.medium),
            SimulatedTier::High => (2, limits.high),
            SimulatedTier::Unlimited => return Admission::Free,
        };
        let window = &mut self.windows[index];
        let minute = now.timestamp().div_euclid(WINDOW_SECONDS);
        if window.0 != minute {
            *window = (minute, 0);
        }
        let admitted = window.1 < limit;
        window.1 += u32::from(admitted);
        Admission::Tiered { admitted, limit, remaining: limit - window.1 }
    }

    fn admit_flat(&self, per_hour: u32) -> Admission {
        if self.last_hour.len() >= per_hour as usize { Admission::Capped } else { Admission::Free }
    }

    fn forget_before_the_hour(&mut self, now: DateTime<Utc>) {
        let hour_ago =
            now.checked_sub_signed(TimeDelta::hours(1)).unwrap_or(DateTime::<Utc>::MIN_UTC);
        while self.last_hour.front().is_some_and(|at| *at <= hour_ago) {
            self.last_hour.pop_front();
        }
    }
}

/// The headers that tell a caller where it stands.
pub(super) fn rate_headers(
    tier: SimulatedTier,
    limit: Option<u32>,
    remaining: u32,
    reset: RateReset,
    now: DateTime<Utc>,
) -> Vec<(String, String)> {
    let ends = (now.timestamp().div_euclid(WINDOW_SECONDS) + 1) * WINDOW_SECONDS;
    let reset = match reset {
        RateReset::EpochSeconds => ends,
        RateReset::SecondsFromNow => ends - now.timestamp(),
    };
    let scope = match tier {
        SimulatedTier::Low => "lowCallRate",
        SimulatedTier::Medium => "mediumCallRate",
        SimulatedTier::High => "highCallRate",
        SimulatedTier::Unlimited => "unlimitedCallRate",
    };
    let limit = limit.map(|limit| ("X-RateLimit-Limit", limit.to_string()));
    limit
        .into_iter()
        .chain([
            ("X-RateLimit-Remaining", remaining.to_string()),
            ("X-RateLimit-Reset", reset.to_string()),
            ("X-RateLimit-Scope", scope.to_owned()),
        ])
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RateLimits = RateLimits::Tiered(TierLimits { low: 2, medium: 1, high: 1 });

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn admitted(
        limiter: &mut Limiter,
        limits: RateLimits,
        tier: SimulatedTier,
        seconds: i64,
    ) -> bool {
        limiter.admit(limits, tier, at(seconds)).lets_through()
    }

    #[test]
    fn a_tier_fills_up_and_opens_again_with_the_next_minute() {
        let mut limiter = Limiter::default();
        let low = [0, 1, 2, 59, 60].map(|s| admitted(&mut limiter, LIMITS, SimulatedTier::Low, s));
        assert_eq!(low, [true, true, false, false, true]);
    }

    #[test]
    fn tiers_are_counted_apart_and_polling_is_free() {
        let mut limiter = Limiter::default();
        assert!(admitted(&mut limiter, LIMITS, SimulatedTier::Medium, 0));
        assert!(admitted(&mut limiter, LIMITS, SimulatedTier::High, 0));
        assert!((0..9).all(|_| admitted(&mut limiter, LIMITS, SimulatedTier::Unlimited, 0)));
        assert!(!admitted(&mut limiter, LIMITS, SimulatedTier::High, 0));
    }

    #[test]
    fn the_flat_limit_rolls_with_the_hour() {
        let mut limiter = Limiter::default();
        let flat = RateLimits::Flat { per_hour: 2 };
        let calls = [0, 1_800, 3_599, 3_600, 3_601, 5_400]
            .map(|s| admitted(&mut limiter, flat, SimulatedTier::Low, s));
        assert_eq!(calls, [true, true, false, true, false, true]);
    }

    #[test]
    fn the_reset_is_the_end_of_the_minute_in_either_notation() {
        let reset = |notation| {
            let headers = rate_headers(SimulatedTier::Low, Some(2), 1, notation, at(130));
            headers
                .into_iter()
                .find(|(name, _)| name == "X-RateLimit-Reset")
                .map(|(_, value)| value)
        };
        assert_eq!(reset(RateReset::EpochSeconds).as_deref(), Some("180"));
        assert_eq!(reset(RateReset::SecondsFromNow).as_deref(), Some("50"));
    }
}
