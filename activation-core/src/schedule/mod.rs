//! When an activation is due. Pure: the time and the place within the jitter are arguments.

#[cfg(feature = "cron")]
mod cron;
mod written;
pub(crate) mod written_duration;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

#[cfg(feature = "cron")]
use self::cron::Cron;
use self::written::WrittenOrManual;
use crate::{ActivationKey, Share};

/// When an activation runs.
///
/// As people write it: `"manual"`, `{ every = "15m" }`, or with the feature `cron`
/// `{ cron = "30 6 * * MON-FRI", time_zone = "Europe/Berlin" }`; the latter two also with
/// `jitter = "10m"`. An activation's schedule replaces a destination's as a whole, since half of one
/// and half of another make no sense.
///
/// ```
/// use std::time::Duration;
///
/// use activation_core::{Schedule, Share};
/// use chrono::{DateTime, Utc};
///
/// let schedule = Schedule::every(Duration::from_secs(900))?;
/// let last: DateTime<Utc> = "2026-11-26T06:00:00Z".parse()?;
/// let next = schedule.next_after(Some(last), last, Share::NONE);
/// assert_eq!(next, Some("2026-11-26T06:15:00Z".parse()?));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenOrManual", into = "WrittenOrManual")]
pub struct Schedule {
    when: When,
    jitter: Duration,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum When {
    #[default]
    Manual,
    Every(Duration),
    #[cfg(feature = "cron")]
    Cron(Box<Cron>),
}

/// Why there is no such schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A period shorter than a second.
    #[error("a period must be a second or more")]
    TooOften,
    /// Not a duration.
    #[error("\"{0}\" is not a duration such as 15m, 1h 30m or 2days")]
    NotADuration(String),
    /// Not a cron pattern.
    #[error("\"{pattern}\" is not a cron pattern of five fields: {reason}")]
    NotAPattern {
        /// As it was given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A pattern that no time ever matches, such as the 30th of February.
    #[error("\"{0}\" never comes")]
    NeverDue(String),
    /// A time zone that the time zone database does not know.
    #[error("\"{0}\" is not a time zone such as Europe/Berlin")]
    UnknownTimeZone(String),
    /// Settings that do not belong together.
    #[error("{0}")]
    Contradiction(&'static str),
}

impl Schedule {
    /// Runs only when triggered. The default.
    pub fn manual() -> Self {
        Self::default()
    }

    /// Runs once in every `period`, counted from the beginning of the last run.
    ///
    /// # Errors
    ///
    /// Fails with [`ScheduleError::TooOften`] below a second.
    pub fn every(period: Duration) -> Result<Self, ScheduleError> {
        if period < Duration::from_secs(1) {
            return Err(ScheduleError::TooOften);
        }
        Ok(Self { when: When::Every(period), ..Self::default() })
    }

    /// Runs at the times of a cron pattern (minute, hour, day of month, month, day of week), as
    /// clocks in `time_zone` show them: `"Europe/Berlin"`, `"UTC"`.
    ///
    /// When clocks are put forward, a time that is left out is made up for at once, at the moment
    /// after. When they are put back, a time that comes twice counts the first time. Patterns whose
    /// hour begins with `*` go by the time that passes: nothing to make up for, and no hour left
    /// out.
    ///
    /// # Errors
    ///
    /// Fails when there is no such pattern or zone, and with [`ScheduleError::NeverDue`].
    #[cfg(feature = "cron")]
    pub fn cron(pattern: &str, time_zone: &str) -> Result<Self, ScheduleError> {
        let when = When::Cron(Box::new(Cron::new(pattern, time_zone)?));
        Ok(Self { when, ..Self::default() })
    }

    /// Spreads activations over so much time, so that hundreds with one schedule do not begin
    /// together. Each one always has the same place in it.
    ///
    /// With a cron pattern each run begins so much later; with a period, only the first one does,
    /// and the others keep their distance to it.
    #[must_use]
    pub fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// The place of an activation within the jitter: the same in every process, and evenly spread.
    pub fn place(activation: &ActivationKey) -> Share {
        let digest = Sha256::digest(activation.as_str().as_bytes());
        let number = digest.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte));
        Share::new(f64::from(number) / f64::from(u32::MAX)).unwrap_or(Share::NONE)
    }

    /// When the next run is due; `None` for never, unless triggered.
    ///
    /// `last` is when the last run began. Without one, the answer counts from `now`, which should
    /// then be when the activation was set up or the program began. An answer in the past means
    /// that the run is overdue. However many were missed, one run makes up for them.
    pub fn next_after(
        &self,
        last: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        place: Share,
    ) -> Option<DateTime<Utc>> {
        let jitter = place.of(self.jitter);
        match (&self.when, last) {
            (When::Manual, _) => None,
            (When::Every(period), Some(last)) => later(last, *period),
            (When::Every(_), None) => later(now, jitter),
            #[cfg(feature = "cron")]
            (When::Cron(cron), _) => {
                let delay = TimeDelta::from_std(jitter).ok()?;
                let since = last.unwrap_or(now).checked_sub_signed(delay)?;
                later(cron.first_after(since)?, jitter)
            }
        }
    }
}

fn later(instant: DateTime<Utc>, duration: Duration) -> Option<DateTime<Utc>> {
    instant.checked_add_signed(TimeDelta::from_std(duration).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn half() -> Share {
        Share::new(0.5).unwrap()
    }

    #[test]
    fn a_manual_schedule_is_never_due() {
        assert_eq!(Schedule::manual().next_after(Some(at(0)), at(9), half()), None);
        assert_eq!(Schedule::default(), Schedule::manual());
    }

    #[test]
    fn a_period_counts_from_the_last_run_and_missed_ones_are_one() {
        let schedule = Schedule::every(15 * MINUTE).unwrap();
        assert_eq!(schedule.next_after(Some(at(0)), at(3), Share::NONE), Some(at(15)));
        assert_eq!(schedule.next_after(Some(at(0)), at(100), Share::NONE), Some(at(15)));
        assert_eq!(schedule.next_after(Some(at(100)), at(100), Share::NONE), Some(at(115)));
        assert_eq!(schedule.next_after(None, at(3), Share::NONE), Some(at(3)));
    }

    #[test]
    fn jitter_moves_the_first_run_of_a_period_only() {
        let schedule = Schedule::every(15 * MINUTE).unwrap().jitter(10 * MINUTE);
        assert_eq!(schedule.next_after(None, at(0), half()), Some(at(5)));
        assert_eq!(schedule.next_after(Some(at(5)), at(5), half()), Some(at(20)));
    }

    #[cfg(feature = "cron")]
    #[test]
    fn jitter_moves_every_run_of_a_pattern_and_loses_none() {
        let schedule = Schedule::cron("0 * * * *", "UTC").unwrap().jitter(180 * MINUTE);
        assert_eq!(schedule.next_after(None, at(0), half()), Some(at(30)));
        let mut last = at(30);
        for hour in 1..10 {
            last = schedule.next_after(Some(last), last, half()).unwrap();
            assert_eq!(last, at(30 + 60 * hour));
        }
        // Begun late, but before the next one.
        assert_eq!(schedule.next_after(Some(at(85)), at(85), half()), Some(at(90)));
    }

    #[test]
    fn a_period_below_a_second_is_refused_and_one_beyond_the_calendar_never_ends() {
        assert_eq!(Schedule::every(Duration::ZERO), Err(ScheduleError::TooOften));
        let schedule = Schedule::every(Duration::MAX).unwrap();
        assert_eq!(schedule.next_after(Some(at(0)), at(0), Share::NONE), None);
    }

    #[test]
    fn places_are_spread_evenly_and_stay_the_same() {
        let place = |number| Schedule::place(&ActivationKey::new(format!("segment {number}")));
        let mut tenths = [0_u32; 10];
        for number in 0..1_000 {
            assert_eq!(place(number), place(number));
            let tenth = place(number).of(Duration::from_secs(10)).as_secs().min(9);
            tenths[usize::try_from(tenth).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| (60..=140).contains(count)), "{tenths:?}");
    }
}
