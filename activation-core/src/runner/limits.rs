//! How much goes on at once.

use std::{num::NonZeroUsize, time::Duration};

use serde::{Deserialize, Serialize};

use crate::schedule::written_duration;

/// How much a runner does at once. People write what differs; unknown keys are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RunnerLimits {
    /// Runs at once; 8 by default. Should be greater than what one destination may have.
    pub runs: NonZeroUsize,
    /// Runs at once at one destination; 2 by default, since they share its limits anyway.
    pub runs_per_destination: NonZeroUsize,
    /// After so much time a run is parked; 6 hours by default. Shorter than the longest first run,
    /// it would be read and parked again and again.
    #[serde(with = "written_duration")]
    pub longest_run: Duration,
}

impl Default for RunnerLimits {
    fn default() -> Self {
        Self {
            runs: NonZeroUsize::MIN.saturating_add(7),
            runs_per_destination: NonZeroUsize::MIN.saturating_add(1),
            longest_run: Duration::from_secs(6 * 60 * 60),
        }
    }
}

impl RunnerLimits {
    /// Sets the runs at once.
    #[must_use]
    pub fn runs(mut self, runs: NonZeroUsize) -> Self {
        self.runs = runs;
        self
    }

    /// Sets the runs at once at one destination.
    #[must_use]
    pub fn runs_per_destination(mut self, runs: NonZeroUsize) -> Self {
        self.runs_per_destination = runs;
        self
    }

    /// Sets after what time a run is parked.
    #[must_use]
    pub fn longest_run(mut self, longest_run: Duration) -> Self {
        self.longest_run = longest_run;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_as_people_write_them() {
        let read: RunnerLimits =
            serde_json::from_str(r#"{"runs":20,"longest_run":"90m"}"#).unwrap();
        let expected = RunnerLimits::default()
            .runs(NonZeroUsize::new(20).unwrap())
            .longest_run(Duration::from_secs(5_400));
        assert_eq!(read, expected);
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(written, r#"{"runs":20,"runs_per_destination":2,"longest_run":"1h 30m"}"#);
        for (json, part) in [
            (r#"{"run":1}"#, "`run`"),
            (r#"{"runs":0}"#, "nonzero"),
            (r#"{"longest_run":"long"}"#, "\"long\" is not a duration"),
        ] {
            let error = serde_json::from_str::<RunnerLimits>(json).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
