//! Fault scripts: what is to go wrong, and when.

use std::time::Duration;

use super::mix::mix;

/// One thing that goes wrong with one call.
///
/// Over real HTTP the server cannot refuse or break a connection; see `SimulatorServer`
/// for what it answers instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No connection is made; the service never hears of the call and the ledger shows nothing.
    ConnectionRefused,
    /// The connection breaks before the service acts.
    ResetBeforeActing,
    /// The service acts; the connection breaks before the answer arrives.
    ResetAfterActing,
    /// The service acts; the answer does not arrive in time.
    TimeoutAfterActing,
    /// An empty answer of that status, without acting.
    Status(u16),
    /// An empty answer of that status, although the service acted.
    StatusAfterActing(u16),
    /// An error of the service, without acting, such as 400 with `ERROR_ADDRESSBOOK_IN_USE`.
    Refused {
        /// The answer's status.
        status: u16,
        /// The code, in the shape of error that the endpoint has.
        code: String,
    },
    /// A proxy's HTML page of that status, without acting.
    Html(u16),
    /// 429 as if the tier's limit were used up.
    RateLimited,
    /// 429 as if too many imports were under way.
    TooManyActiveImports,
    /// The job that is handed in never ends. It keeps its slot.
    StuckJob,
    /// The job that is handed in takes so much longer.
    SlowJob(Duration),
    /// The job that is handed in ends as failed, without effect.
    FailedJob,
    /// The import that is handed in ends as `RejectedByWatchdog`, without effect.
    RejectedByWatchdog,
    /// Every so-many-th row of the import that is handed in fails with that code.
    FailRows {
        /// The failure code, such as `invalidEmail`.
        code: String,
        /// 1 fails every row, 2 every second one; 0 counts as 1.
        every: u64,
    },
}

/// A fault and the calls it hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    fault: Fault,
    endpoint: String,
    from_call: u64,
    times: u64,
}

impl FaultRule {
    /// A rule that hits the next call, whatever it is.
    pub fn new(fault: Fault) -> Self {
        Self { fault, endpoint: String::new(), from_call: 1, times: 1 }
    }

    /// Hits only calls whose endpoint begins so, such as `PUT /contacts/v3/import` or `POST`.
    #[must_use]
    pub fn on(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// Begins with the n-th such call from now, counted from 1.
    #[must_use]
    pub fn from_call(mut self, number: u64) -> Self {
        self.from_call = number;
        self
    }

    /// Hits so many calls in a row.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }
}

/// The rules in force and how far each has come.
#[derive(Default)]
pub(super) struct FaultScript {
    rules: Vec<(FaultRule, u64)>,
    random: Option<Random>,
    calls: u64,
}

struct Random {
    seed: u64,
    probability: f64,
}

impl FaultScript {
    pub(super) fn inject(&mut self, rule: FaultRule) {
        self.rules.push((rule, 0));
    }

    pub(super) fn at_random(&mut self, seed: u64, probability: f64) {
        self.random = Some(Random { seed, probability });
        self.calls = 0;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault of the next call. Of several rules that hit it, the one queued first wins; every
    /// rule counts the call.
    pub(super) fn next(&mut self, endpoint: &str) -> Option<Fault> {
        let number = self.calls;
        self.calls += 1;
        let mut hit = None;
        for (rule, seen) in &mut self.rules {
            if endpoint.starts_with(&rule.endpoint) {
                *seen += 1;
                let since = seen.checked_sub(rule.from_call.max(1));
                if hit.is_none() && since.is_some_and(|since| since < rule.times) {
                    hit = Some(rule.fault.clone());
                }
            }
        }
        self.rules.retain(|(rule, seen)| {
            *seen < rule.from_call.max(1).saturating_add(rule.times).saturating_sub(1)
        });
        hit.or_else(|| self.random.as_ref()?.fault(number, endpoint))
    }
}

impl Random {
    fn fault(&self, number: u64, endpoint: &str) -> Option<Fault> {
        // 53 bits fill a float's mantissa, so the share is uniform.
        let share = (mix(self.seed, number) >> 11) as f64 / (1_u64 << 53) as f64;
        if share >= self.probability {
            return None;
        }
        let submits_import =
            matches!(endpoint, "PUT /contacts/v3/import" | "PUT /insightData/v3/import");
        Some(match mix(!self.seed, number) % 11 {
            0 => Fault::ConnectionRefused,
            1 => Fault::ResetBeforeActing,
            2 => Fault::ResetAfterActing,
            3 => Fault::TimeoutAfterActing,
            4 => Fault::Status(500),
            5 => Fault::Status(503),
            6 => Fault::StatusAfterActing(504),
            7 => Fault::Html(502),
            8 if submits_import => Fault::TooManyActiveImports,
            9 => Fault::SlowJob(Duration::from_secs(1 + mix(self.seed, !number) % 900)),
            _ => Fault::RateLimited,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMPORT: &str = "PUT /contacts/v3/import";

    #[test]
    fn a_rule_hits_the_calls_it_names_and_no_others() {
        let mut script = FaultScript::default();
        script.inject(FaultRule::new(Fault::Status(500)).on("PUT").from_call(2).times(2));
        let hits = [IMPORT, "GET /contacts/v3", IMPORT, IMPORT, IMPORT]
            .map(|endpoint| script.next(endpoint).is_some());
        assert_eq!(hits, [false, false, true, true, false]);
        assert!(script.rules.is_empty());
    }

    #[test]
    fn the_rule_queued_first_wins_and_both_count() {
        let mut script = FaultScript::default();
        script.inject(FaultRule::new(Fault::Status(500)));
        script.inject(FaultRule::new(Fault::Status(503)).times(2));
        let faults = [(); 3].map(|()| script.next(IMPORT));
        assert_eq!(faults, [Some(Fault::Status(500)), Some(Fault::Status(503)), None]);
    }

    #[test]
    fn random_faults_repeat_with_their_seed_and_keep_to_their_share() {
        let run = |seed| {
            let mut script = FaultScript::default();
            script.at_random(seed, 0.25);
            (0..4_000).map(|_| script.next(IMPORT)).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let hit = run(1).iter().flatten().count();
        assert!((850..1_150).contains(&hit), "{hit} of 4000");
    }
}
