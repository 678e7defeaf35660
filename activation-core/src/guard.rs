//! The check that stops a suspicious delta before anything is written. Pure.

use std::{fmt, num::NonZeroU32, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Guard limits as people write them: what is absent stays as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardSettings {
    /// See [`GuardLimits::max_removal_share`].
    pub max_removal_share: Option<Share>,
    /// See [`GuardLimits::max_removals`].
    pub max_removals: Option<u64>,
    /// See [`GuardLimits::max_move_share`].
    pub max_move_share: Option<Share>,
    /// See [`GuardLimits::max_moves`].
    pub max_moves: Option<u64>,
    /// See [`GuardLimits::max_growth`].
    pub max_growth: Option<NonZeroU32>,
    /// See [`GuardLimits::max_rejected_share`].
    pub max_rejected_share: Option<Share>,
    /// See [`GuardLimits::max_age_hours`].
    pub max_age_hours: Option<u32>,
    /// See [`GuardLimits::additions_through`].
    pub additions_through: Option<bool>,
}

/// When a delta is suspicious.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GuardLimits {
    /// Share of the previous members that one run may remove; 0.3 by default. Trips only
    /// together with `max_removals`, so that small segments may turn over.
    pub max_removal_share: Share,
    /// Number of members that one run may remove whatever their share; 50 by default.
    pub max_removals: u64,
    /// Share of the previous members whose identifier one run may change; 0.05 by default. Trips
    /// only together with `max_moves`. Also the share of members that may have another warehouse
    /// key than before in a run that moves anybody.
    pub max_move_share: Share,
    /// Members whose identifier one run may change; 20 by default. Trips only together with
    /// `max_move_share`.
    pub max_moves: u64,
    /// How many times its previous size a segment of 1,000 members and more may become in one run;
    /// 10 by default. The first run has no limit.
    pub max_growth: NonZeroU32,
    /// Share of the source's rows that may be unusable; 0.25 by default. Up to 20 unusable
    /// rows pass whatever their share, unless no row is usable. The same holds for the rows of
    /// exclusions.
    pub max_rejected_share: Share,
    /// How many hours old the segment's data may be, as its source says; no limit by default. With
    /// a limit, a source that does not say is stopped too.
    pub max_age_hours: Option<u32>,
    /// Whether members may still be added when nothing but removals is suspicious; not by default.
    pub additions_through: bool,
}

/// A share of a whole, from 0.0 to 1.0.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share(f64);

/// A share outside 0.0 to 1.0, or not a number.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a share lies between 0.0 and 1.0, and this is {0}")]
pub struct NotAShare(f64);

/// What a run is about to do, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeltaCounts {
    /// Members acknowledged by the last run.
    pub previous: u64,
    /// Usable, distinct members of the segment now, without those who are excluded.
    pub current: u64,
    /// Members to add now; held ones that are not due are left out.
    pub added: u64,
    /// Members to remove.
    pub removed: u64,
    /// Rows of the source without a usable identifier.
    pub rejected: u64,
    /// Distinct members of the segment who are excluded.
    pub excluded: u64,
    /// Rows of exclusions.
    pub exclusion_rows: u64,
    /// Rows of exclusions without a usable identifier, which exclude nobody.
    pub rejected_exclusions: u64,
    /// Members whose identifier is to be changed.
    pub moved: u64,
    /// Members whom the segment has under another warehouse key than was recorded.
    pub rekeyed: u64,
}

/// A reason to stop.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trip {
    /// The segment is empty and was not before.
    EmptySegment {
        /// Members before.
        previous: u64,
    },
    /// Too many members would be removed.
    Removals {
        /// How many.
        removed: u64,
        /// Members before.
        previous: u64,
        /// The share allowed.
        max_share: Share,
        /// The number allowed.
        max_removals: u64,
    },
    /// Too many members would get another identifier: the column of warehouse keys may be a wrong
    /// one.
    Moves {
        /// How many.
        moved: u64,
        /// Members before.
        previous: u64,
        /// The share allowed.
        max_share: Share,
        /// The number allowed.
        max_moves: u64,
    },
    /// Members would get another identifier by their warehouse keys, and the keys of so many others
    /// have changed that they are perhaps no stable keys.
    UnstableKeys {
        /// Members with another key than before.
        rekeyed: u64,
        /// Members before.
        previous: u64,
        /// The share allowed.
        max_share: Share,
    },
    /// The segment grew too fast.
    Growth {
        /// Members now.
        current: u64,
        /// Members before.
        previous: u64,
        /// How many times the previous size is allowed.
        max_growth: NonZeroU32,
    },
    /// Too many rows have no usable identifier.
    Rejected {
        /// How many.
        rejected: u64,
        /// Rows read.
        rows: u64,
        /// The share allowed.
        max_share: Share,
    },
    /// Too many rows of exclusions have no usable identifier: people would be added who must not.
    RejectedExclusions {
        /// How many.
        rejected: u64,
        /// Rows read.
        rows: u64,
        /// The share allowed.
        max_share: Share,
    },
    /// So many members are not on the list any more that it was perhaps not read rightly.
    Vanished {
        /// How many.
        vanished: u64,
        /// Members in our record.
        previous: u64,
        /// The share allowed.
        max_share: Share,
        /// The number allowed.
        max_removals: u64,
    },
    /// The segment's data is too old.
    Stale {
        /// When it was true.
        as_of: DateTime<Utc>,
        /// How many hours old it may be.
        max_age_hours: u32,
    },
    /// The source does not say how old the segment's data is, and there is a limit.
    UnknownAge {
        /// How many hours old it may be.
        max_age_hours: u32,
    },
}

/// What the guard said of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GuardReport {
    /// The verdict.
    pub outcome: GuardOutcome,
    /// Why, where it tripped.
    pub reasons: Vec<Trip>,
    /// The recorded approval that let the run go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

/// The leave for exactly one plan to go on although the guard tripped; kept in the state until it is
/// used or expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The plan's digest.
    pub digest: String,
    /// Who gave it, as they named themselves.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was given.
    pub approved_at: DateTime<Utc>,
    /// From when on it counts no more.
    pub expires_at: DateTime<Utc>,
}

/// The guard's verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GuardOutcome {
    /// The run ended before the guard was asked.
    #[default]
    NotReached,
    /// Nothing suspicious.
    Passed,
    /// Suspicious: nothing was written.
    Tripped,
    /// Suspicious, and approved for exactly this plan.
    Approved,
}

/// Below this size, growth by any factor is ordinary.
const GROWTH_FLOOR: u64 = 1_000;
/// So many unusable rows are ordinary in any source.
const REJECTED_FLOOR: u64 = 20;

/// So many members with another warehouse key are ordinary in any segment.
const REKEYED_FLOOR: u64 = 5;

/// The growth allowed by default.
const MAX_GROWTH: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

impl Share {
    /// Nothing of the whole.
    pub const NONE: Self = Self(0.0);

    /// A share.
    ///
    /// # Errors
    ///
    /// Returns [`NotAShare`] outside `0.0..=1.0`.
    pub fn new(share: f64) -> Result<Self, NotAShare> {
        if (0.0..=1.0).contains(&share) { Ok(Self(share)) } else { Err(NotAShare(share)) }
    }

    /// So much of a duration.
    pub(crate) fn of(self, whole: Duration) -> Duration {
        whole.mul_f64(self.0)
    }

    /// Whether `part` is more than this share of `whole`.
    fn is_exceeded_by(self, part: u64, whole: u64) -> bool {
        part as f64 > self.0 * whole as f64
    }
}

impl TryFrom<f64> for Share {
    type Error = NotAShare;

    fn try_from(share: f64) -> Result<Self, NotAShare> {
        Self::new(share)
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

/// In per cent, as people read it.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", (self.0 * 1000.0).round() / 10.0)
    }
}

impl Default for GuardLimits {
    fn default() -> Self {
        Self {
            max_removal_share: Share(0.3),
            max_removals: 50,
            max_move_share: Share(0.05),
            max_moves: 20,
            max_growth: MAX_GROWTH,
            max_rejected_share: Share(0.25),
            max_age_hours: None,
            additions_through: false,
        }
    }
}

impl GuardLimits {
    /// These limits, with what `settings` names replaced.
    #[must_use]
    pub fn with(self, settings: &GuardSettings) -> Self {
        Self {
            max_removal_share: settings.max_removal_share.unwrap_or(self.max_removal_share),
            max_removals: settings.max_removals.unwrap_or(self.max_removals),
            max_move_share: settings.max_move_share.unwrap_or(self.max_move_share),
            max_moves: settings.max_moves.unwrap_or(self.max_moves),
            max_growth: settings.max_growth.unwrap_or(self.max_growth),
            max_rejected_share: settings.max_rejected_share.unwrap_or(self.max_rejected_share),
            max_age_hours: settings.max_age_hours.or(self.max_age_hours),
            additions_through: settings.additions_through.unwrap_or(self.additions_through),
        }
    }

    /// Every reason to stop a run with these counts; empty when it may go on.
    pub fn check(&self, counts: &DeltaCounts) -> Vec<Trip> {
        let trips = [
            self.empty(counts),
            self.removals(counts),
            self.moves(counts),
            self.unstable_keys(counts),
            self.growth(counts),
            self.rejected(counts),
            self.rejected_exclusions(counts),
        ];
        trips.into_iter().flatten().collect()
    }

    /// The reason not to believe that `vanished` of `previous` members are not on the list, if there
    /// is one: the limits of removals.
    pub fn check_vanished(&self, vanished: u64, previous: u64) -> Option<Trip> {
        let (max_share, max_removals) = (self.max_removal_share, self.max_removals);
        let too_many = vanished > max_removals && max_share.is_exceeded_by(vanished, previous);
        too_many.then_some(Trip::Vanished { vanished, previous, max_share, max_removals })
    }

    /// The reason to stop a run at `now` on data that was true at `as_of`, if there is one.
    pub fn check_age(&self, as_of: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Trip> {
        let max_age_hours = self.max_age_hours?;
        let Some(as_of) = as_of else { return Some(Trip::UnknownAge { max_age_hours }) };
        let is_stale = now - as_of > TimeDelta::hours(max_age_hours.into());
        is_stale.then_some(Trip::Stale { as_of, max_age_hours })
    }

    fn empty(&self, counts: &DeltaCounts) -> Option<Trip> {
        (counts.current == 0 && counts.previous > 0)
            .then_some(Trip::EmptySegment { previous: counts.previous })
    }

    fn removals(&self, counts: &DeltaCounts) -> Option<Trip> {
        let DeltaCounts { removed, previous, .. } = *counts;
        let too_many = removed > self.max_removals;
        let too_large = self.max_removal_share.is_exceeded_by(removed, previous);
        (too_many && too_large).then_some(Trip::Removals {
            removed,
            previous,
            max_share: self.max_removal_share,
            max_removals: self.max_removals,
        })
    }

    fn moves(&self, counts: &DeltaCounts) -> Option<Trip> {
        let DeltaCounts { moved, previous, .. } = *counts;
        let too_many = moved > self.max_moves;
        let too_large = self.max_move_share.is_exceeded_by(moved, previous);
        (too_many && too_large).then_some(Trip::Moves {
            moved,
            previous,
            max_share: self.max_move_share,
            max_moves: self.max_moves,
        })
    }

    /// Keys that are made anew with every query bring together people who have nothing in common.
    fn unstable_keys(&self, counts: &DeltaCounts) -> Option<Trip> {
        let DeltaCounts { moved, rekeyed, previous, .. } = *counts;
        let max_share = self.max_move_share;
        let too_many = rekeyed > REKEYED_FLOOR && max_share.is_exceeded_by(rekeyed, previous);
        (moved > 0 && too_many).then_some(Trip::UnstableKeys { rekeyed, previous, max_share })
    }

    fn growth(&self, counts: &DeltaCounts) -> Option<Trip> {
        let DeltaCounts { current, previous, .. } = *counts;
        let grown = current > previous.saturating_mul(self.max_growth.get().into());
        (previous > 0 && current >= GROWTH_FLOOR && grown).then_some(Trip::Growth {
            current,
            previous,
            max_growth: self.max_growth,
        })
    }

    fn rejected(&self, counts: &DeltaCounts) -> Option<Trip> {
        let rejected = counts.rejected;
        let rows = counts.current + counts.excluded + rejected;
        let max_share = self.max_rejected_share;
        let too_many = self.are_too_many_rejected(rejected, rows);
        too_many.then_some(Trip::Rejected { rejected, rows, max_share })
    }

    fn rejected_exclusions(&self, counts: &DeltaCounts) -> Option<Trip> {
        let (rejected, rows) = (counts.rejected_exclusions, counts.exclusion_rows);
        let max_share = self.max_rejected_share;
        let too_many = self.are_too_many_rejected(rejected, rows);
        too_many.then_some(Trip::RejectedExclusions { rejected, rows, max_share })
    }

    fn are_too_many_rejected(&self, rejected: u64, rows: u64) -> bool {
        let many = rejected > REJECTED_FLOOR || (rejected == rows && rejected > 0);
        many && self.max_rejected_share.is_exceeded_by(rejected, rows)
    }
}

impl Trip {
    /// Whether members could be added in spite of it.
    pub(crate) fn concerns_removals_only(&self) -> bool {
        matches!(self, Self::EmptySegment { .. } | Self::Removals { .. })
    }
}

impl fmt::Display for Trip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::EmptySegment { previous } => {
                write!(f, "the segment is empty, and had {previous} members before")
            }
            Self::Removals { removed, previous, max_share, max_removals } => write!(
                f,
                "{removed} of {previous} members would be removed; allowed are {max_share} or {max_removals}"
            ),
            Self::Moves { moved, previous, max_share, max_moves } => write!(
                f,
                "{moved} of {previous} members would get another identifier; allowed are {max_share} or {max_moves}"
            ),
            Self::UnstableKeys { rekeyed, previous, max_share } => write!(
                f,
                "{rekeyed} of {previous} members have another warehouse key than before, so keys are no ground for changing identifiers; allowed are {max_share}"
            ),
            Self::Growth { current, previous, max_growth } => write!(
                f,
                "the segment grew from {previous} to {current} members; allowed is {max_growth} times its size"
            ),
            Self::Rejected { rejected, rows, max_share } => write!(
                f,
                "{rejected} of {rows} rows have no usable identifier; allowed are {max_share}"
            ),
            Self::RejectedExclusions { rejected, rows, max_share } => write!(
                f,
                "{rejected} of {rows} rows of exclusions have no usable identifier and exclude nobody; allowed are {max_share}"
            ),
            Self::Vanished { vanished, previous, max_share, max_removals } => write!(
                f,
                "{vanished} of {previous} members are not on the list any more; allowed are {max_share} or {max_removals}"
            ),
            Self::Stale { as_of, max_age_hours } => write!(
                f,
                "the segment's data is of {as_of}; allowed is an age of {max_age_hours} hours"
            ),
            Self::UnknownAge { max_age_hours } => write!(
                f,
                "the source does not say of when its data is; allowed is an age of {max_age_hours} hours"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(previous: u64, added: u64, removed: u64, rejected: u64) -> DeltaCounts {
        let current = previous + added - removed;
        DeltaCounts { previous, current, added, removed, rejected, ..DeltaCounts::default() }
    }

    fn trips(counts: DeltaCounts) -> Vec<Trip> {
        GuardLimits::default().check(&counts)
    }

    #[test]
    fn an_empty_segment_trips_however_small_it_was() {
        assert_eq!(trips(counts(1, 0, 1, 0)), [Trip::EmptySegment { previous: 1 }]);
    }

    #[test]
    fn a_first_run_passes_whatever_its_size() {
        assert_eq!(trips(counts(0, 5_000_000, 0, 0)), []);
        assert_eq!(trips(counts(0, 0, 0, 0)), []);
    }

    #[test]
    fn removal_share_and_count_must_both_trip() {
        assert_eq!(trips(counts(60, 0, 50, 0)), [], "a large share of few");
        assert_eq!(trips(counts(1_000, 0, 300, 0)), [], "many, but exactly the share");
        assert!(matches!(
            trips(counts(1_000, 0, 301, 0))[..],
            [Trip::Removals { removed: 301, .. }]
        ));
        assert!(matches!(trips(counts(100, 0, 51, 0))[..], [Trip::Removals { .. }]));
    }

    #[test]
    fn move_share_and_count_must_both_trip() {
        let moving = |previous, moved| trips(DeltaCounts { moved, ..counts(previous, 0, 0, 0) });
        assert_eq!(moving(20, 20), [], "a large share of few");
        assert_eq!(moving(1_000, 50), [], "many, but exactly the share");
        assert!(matches!(moving(1_000, 51)[..], [Trip::Moves { moved: 51, .. }]));
        assert!(matches!(moving(21, 21)[..], [Trip::Moves { .. }]));
    }

    #[test]
    fn keys_that_changed_for_many_are_no_ground_for_a_single_move() {
        let trips = |moved, rekeyed| trips(DeltaCounts { moved, rekeyed, ..counts(100, 0, 0, 0) });
        assert_eq!(trips(1, 5), [], "exactly the share");
        assert!(matches!(trips(1, 6)[..], [Trip::UnstableKeys { rekeyed: 6, .. }]));
        assert_eq!(trips(0, 100), [], "nobody would be moved by them");
        let few = DeltaCounts { moved: 1, rekeyed: 5, ..counts(10, 0, 0, 0) };
        assert_eq!(GuardLimits::default().check(&few), [], "a large share of few");
    }

    #[test]
    fn growth_trips_only_for_segments_of_some_size() {
        assert_eq!(trips(counts(10, 900, 0, 0)), []);
        assert_eq!(trips(counts(100, 900, 0, 0)), [], "exactly ten times");
        assert!(matches!(trips(counts(100, 901, 0, 0))[..], [Trip::Growth { current: 1_001, .. }]));
    }

    #[test]
    fn unusable_rows_trip_over_share_and_floor_or_when_nothing_is_usable() {
        assert_eq!(trips(counts(20, 0, 0, 20)), []);
        assert_eq!(trips(counts(63, 0, 0, 21)), [], "exactly a quarter");
        assert!(matches!(trips(counts(62, 0, 0, 21))[..], [Trip::Rejected { rows: 83, .. }]));
        assert!(matches!(trips(counts(0, 0, 0, 1))[..], [Trip::Rejected { rejected: 1, .. }]));
    }

    #[test]
    fn exclusions_that_cannot_be_read_trip_too() {
        let exclusions = |exclusion_rows, rejected_exclusions| {
            trips(DeltaCounts { exclusion_rows, rejected_exclusions, ..counts(10, 0, 0, 0) })
        };
        assert_eq!(exclusions(0, 0), []);
        assert_eq!(exclusions(30, 20), []);
        assert!(matches!(exclusions(30, 21)[..], [Trip::RejectedExclusions { rows: 30, .. }]));
        assert!(matches!(exclusions(1, 1)[..], [Trip::RejectedExclusions { rejected: 1, .. }]));
    }

    #[test]
    fn data_may_be_as_old_as_the_limit_says_and_no_older() {
        let limits = GuardLimits { max_age_hours: Some(2), ..GuardLimits::default() };
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(10);
        let age = |seconds| limits.check_age(Some(now - TimeDelta::seconds(seconds)), now);
        assert_eq!(age(7_200), None);
        assert!(matches!(age(7_201), Some(Trip::Stale { max_age_hours: 2, .. })));
        assert_eq!(age(-60), None, "the warehouse's clock runs ahead");
        assert_eq!(limits.check_age(None, now), Some(Trip::UnknownAge { max_age_hours: 2 }));
        assert_eq!(GuardLimits::default().check_age(None, now), None);
    }

    #[test]
    fn a_share_lies_between_nothing_and_all() {
        assert_eq!(Share::new(1.5), Err(NotAShare(1.5)));
        assert!(Share::new(f64::NAN).is_err());
        assert_eq!(Share::new(0.125).unwrap().to_string(), "12.5 %");
        assert!(serde_json::from_str::<GuardSettings>(r#"{"max_removal_share":30}"#).is_err());
    }

    #[test]
    fn absent_limits_stay_as_they_were() {
        let limits = GuardLimits::default()
            .with(&GuardSettings { max_removals: Some(5), ..GuardSettings::default() });
        assert_eq!(limits, GuardLimits { max_removals: 5, ..GuardLimits::default() });
    }
}
