//! Whether to try again: a decision without clocks, sockets or sleeping.

use std::time::Duration;

/// Bounds of trying again. Start from [`Default`] and change single fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// How often a call may fail before it stops, the first attempt included.
    pub max_attempts: u32,
    /// The longest wait after the first failure; it doubles with each further one.
    pub base: Duration,
    /// The longest wait that doubling may lead to.
    pub cap: Duration,
    /// How long after the first attempt of a call another one may still begin.
    pub max_elapsed: Duration,
    /// The longest wait that the service may ask for. Beyond it the call stops and reports
    /// [`ErrorKind::Throttled`](crate::ErrorKind::Throttled).
    pub max_hint: Duration,
    /// How many retries all calls of a client together may have in hand. Every retry takes one,
    /// every ten calls that succeed give one back, so an outage is not answered with a storm.
    pub budget: u32,
    /// Makes the jitter repeatable, for simulations. `None` in real life.
    pub jitter_seed: Option<u64>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 6,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(30),
            max_elapsed: Duration::from_secs(600),
            max_hint: Duration::from_secs(120),
            budget: 100,
            jitter_seed: None,
        }
    }
}

/// How an attempt failed, as far as repeating it is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request never reached the service.
    NotSent,
    /// The service may have acted: broken connection, timeout, 408, 5xx.
    MaybeActed,
    /// The service refused to act for now.
    Throttled,
    /// The service refused, and would again.
    Permanent,
}

/// All that the verdict on a failed attempt depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FailedAttempt {
    /// Which failure of the call this is, from 1.
    pub failures: u32,
    /// Time since the call's first attempt began.
    pub elapsed: Duration,
    /// How it failed.
    pub fault: Fault,
    /// Whether acting twice does no harm.
    pub idempotent: bool,
    /// How long the service asked to wait.
    pub hint: Option<Duration>,
    /// Whether the shared budget has a retry left.
    pub budget_left: bool,
    /// From 0.0 (no wait) to 1.0 (the longest).
    pub jitter: f64,
}

/// What to do after an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Report the failure.
    Stop,
    /// Try again after this time.
    RetryAfter(Duration),
}

impl RetryPolicy {
    /// Decides what to do after an attempt failed.
    ///
    /// The wait is drawn from zero to a bound that doubles with every failure (full jitter), and
    /// is never shorter than what the service asked for.
    pub fn verdict(&self, failed: &FailedAttempt) -> Verdict {
        let safe = match failed.fault {
            Fault::Permanent => false,
            Fault::MaybeActed => failed.idempotent,
            Fault::NotSent | Fault::Throttled => true,
        };
        if !safe || !failed.budget_left || failed.failures >= self.max_attempts {
            return Verdict::Stop;
        }
        let hint = failed.hint.unwrap_or_default();
        let wait = hint.max(self.backoff(failed.failures, failed.jitter));
        if hint > self.max_hint || failed.elapsed.saturating_add(wait) > self.max_elapsed {
            return Verdict::Stop;
        }
        Verdict::RetryAfter(wait)
    }

    fn backoff(&self, failures: u32, jitter: f64) -> Duration {
        let share = if (0.0..=1.0).contains(&jitter) { jitter } else { 1.0 };
        let longest = doubled(self.base, failures, self.cap);
        Duration::try_from_secs_f64(longest.as_secs_f64() * share).unwrap_or(longest)
    }
}

/// `base`, doubled for every round after the first, at most `cap`.
pub(crate) fn doubled(base: Duration, round: u32, cap: Duration) -> Duration {
    base.saturating_mul(2_u32.saturating_pow(round.saturating_sub(1))).min(cap)
}

/// The retries that all calls of a client have in hand together, counted in tenths.
#[derive(Debug)]
pub(crate) struct Budget {
    tenths: u32,
    full: u32,
}

impl Budget {
    pub(crate) fn new(retries: u32) -> Self {
        let full = retries.saturating_mul(10);
        Self { tenths: full, full }
    }

    pub(crate) fn has_one(&self) -> bool {
        self.tenths >= 10
    }

    pub(crate) fn take_one(&mut self) {
        self.tenths = self.tenths.saturating_sub(10);
    }

    pub(crate) fn give_back(&mut self) {
        self.tenths = self.tenths.saturating_add(1).min(self.full);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn policy() -> RetryPolicy {
        RetryPolicy {
            max_attempts: 4,
            base: SECOND,
            cap: 3 * SECOND,
            max_elapsed: 100 * SECOND,
            max_hint: 60 * SECOND,
            ..RetryPolicy::default()
        }
    }

    fn failed(fault: Fault) -> FailedAttempt {
        FailedAttempt {
            failures: 1,
            elapsed: Duration::ZERO,
            fault,
            idempotent: true,
            hint: None,
            budget_left: true,
            jitter: 1.0,
        }
    }

    #[test]
    fn the_whole_verdict() {
        use Fault::{MaybeActed, NotSent, Permanent, Throttled};
        let wait = |seconds| Verdict::RetryAfter(SECOND * seconds);
        let acts_again = |fault| FailedAttempt { idempotent: false, ..failed(fault) };
        let table = [
            ("never sent", failed(NotSent), wait(1)),
            ("never sent, not idempotent", acts_again(NotSent), wait(1)),
            ("maybe acted", failed(MaybeActed), wait(1)),
            ("maybe acted, not idempotent", acts_again(MaybeActed), Verdict::Stop),
            ("throttled", failed(Throttled), wait(1)),
            ("throttled, not idempotent", acts_again(Throttled), wait(1)),
            ("refused", failed(Permanent), Verdict::Stop),
            ("second failure", FailedAttempt { failures: 2, ..failed(NotSent) }, wait(2)),
            ("third, capped", FailedAttempt { failures: 3, ..failed(NotSent) }, wait(3)),
            ("last", FailedAttempt { failures: 4, ..failed(NotSent) }, Verdict::Stop),
            ("no jitter", FailedAttempt { jitter: 0.0, ..failed(NotSent) }, wait(0)),
            (
                "budget spent",
                FailedAttempt { budget_left: false, ..failed(NotSent) },
                Verdict::Stop,
            ),
            ("hint", FailedAttempt { hint: Some(SECOND * 40), ..failed(Throttled) }, wait(40)),
            (
                "hint below backoff",
                FailedAttempt { hint: Some(SECOND / 2), ..failed(Throttled) },
                wait(1),
            ),
            (
                "longest hint",
                FailedAttempt { hint: Some(SECOND * 60), ..failed(Throttled) },
                wait(60),
            ),
            (
                "hint too long",
                FailedAttempt { hint: Some(SECOND * 61), ..failed(Throttled) },
                Verdict::Stop,
            ),
            ("just in time", FailedAttempt { elapsed: SECOND * 99, ..failed(NotSent) }, wait(1)),
            ("too late", FailedAttempt { elapsed: SECOND * 100, ..failed(NotSent) }, Verdict::Stop),
        ];
        for (case, failed, expected) in table {
            assert_eq!(policy().verdict(&failed), expected, "{case}");
        }
    }

    #[test]
    fn extreme_values_do_not_overflow() {
        let failed = FailedAttempt {
            failures: u32::MAX - 1,
            elapsed: Duration::MAX,
            hint: Some(Duration::MAX),
            jitter: f64::NAN,
            ..failed(Fault::NotSent)
        };
        let policy = RetryPolicy { max_attempts: u32::MAX, base: Duration::MAX, ..policy() };
        assert_eq!(policy.verdict(&failed), Verdict::Stop);
    }

    #[test]
    fn a_spent_budget_comes_back_with_successes() {
        let mut budget = Budget::new(1);
        budget.take_one();
        assert!(!budget.has_one());
        (0..9).for_each(|_| budget.give_back());
        assert!(!budget.has_one());
        (0..9).for_each(|_| budget.give_back());
        assert!(budget.has_one());
        budget.take_one();
        assert!(!budget.has_one(), "it never holds more than it started with");
    }
}
