//! Cron patterns on the clocks of a time zone.
//!
//! The cron crate finds the times at which a clock on the wall matches; which instants those are,
//! and what becomes of times that are left out or come twice, is decided here.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};

use super::ScheduleError;

/// Clocks have never been put back by more since there are cron jobs.
const LONGEST_REPEAT: TimeDelta = TimeDelta::hours(3);
/// A day was left out where the date line moved.
const LONGEST_GAP: TimeDelta = TimeDelta::hours(24);

#[derive(Clone, Debug)]
pub(super) struct Cron {
    text: String,
    pattern: croner::Cron,
    time_zone: Tz,
    /// Whether it goes by the time that passes, not by what clocks show.
    every_hour: bool,
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.time_zone == other.time_zone
    }
}

impl Eq for Cron {}

impl Cron {
    pub(super) fn new(text: &str, time_zone: &str) -> Result<Self, ScheduleError> {
        let not_a_pattern =
            |reason: String| ScheduleError::NotAPattern { pattern: text.to_owned(), reason };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [_, hour, _, _, _] = fields[..] else {
            return Err(not_a_pattern(format!("it has {}", fields.len())));
        };
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let pattern = parser.parse(text).map_err(|error| not_a_pattern(error.to_string()))?;
        let time_zone =
            time_zone.parse().map_err(|_| ScheduleError::UnknownTimeZone(time_zone.to_owned()))?;
        let every_hour = hour.starts_with('*');
        let cron = Self { text: text.to_owned(), pattern, time_zone, every_hour };
        match cron.next_shown(DateTime::UNIX_EPOCH.naive_utc()) {
            Some(_) => Ok(cron),
            None => Err(ScheduleError::NeverDue(text.to_owned())),
        }
    }

    pub(super) fn pattern(&self) -> &str {
        &self.text
    }

    pub(super) fn time_zone(&self) -> &str {
        self.time_zone.name()
    }

    /// The first matching instant after `instant`.
    pub(super) fn first_after(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // What clocks showed before `instant` they may show again after it.
        let shown_now = instant.with_timezone(&self.time_zone).naive_local();
        let mut shown = shown_now.checked_sub_signed(LONGEST_REPEAT)?;
        let mut first: Option<DateTime<Utc>> = None;
        while let Some(next) = self.next_shown(shown) {
            shown = next;
            let (early, late) = self.instants(shown);
            if let (Some(first), Some(early)) = (first, early)
                && early >= first
            {
                break;
            }
            let after = [early, late].into_iter().flatten().filter(|due| *due > instant);
            first = first.into_iter().chain(after).min();
        }
        first
    }

    /// The next matching time that a clock which is never put forward or back would show.
    fn next_shown(&self, shown: NaiveDateTime) -> Option<NaiveDateTime> {
        let next = self.pattern.find_next_occurrence(&shown.and_utc(), false);
        next.ok().map(|next| next.naive_utc())
    }

    /// When clocks show a matching time and it counts.
    fn instants(&self, shown: NaiveDateTime) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        match self.time_zone.from_local_datetime(&shown) {
            MappedLocalTime::Single(instant) => (Some(instant.to_utc()), None),
            MappedLocalTime::Ambiguous(first, second) if self.every_hour => {
                (Some(first.to_utc()), Some(second.to_utc()))
            }
            MappedLocalTime::Ambiguous(first, _) => (Some(first.to_utc()), None),
            MappedLocalTime::None if self.every_hour => (None, None),
            MappedLocalTime::None => (self.end_of_gap(shown), None),
        }
    }

    /// The first moment after the gap that leaves out `shown`.
    fn end_of_gap(&self, shown: NaiveDateTime) -> Option<DateTime<Utc>> {
        let minutes = 1..=LONGEST_GAP.num_minutes();
        let mut later = minutes.map(|minutes| shown + TimeDelta::minutes(minutes));
        later
            .find_map(|shown| self.time_zone.from_local_datetime(&shown).earliest())
            .map(|instant| instant.to_utc())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{Datelike, Timelike};
    use proptest::{prelude::*, sample::select};

    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The first instants after one, as the zone's clocks and their distance to UTC show them.
    fn due(pattern: &str, time_zone: &str, after: &str, count: usize) -> Vec<String> {
        let cron = Cron::new(pattern, time_zone).unwrap();
        let mut last = instant(after);
        let mut due = Vec::new();
        for _ in 0..count {
            last = cron.first_after(last).unwrap();
            due.push(last.with_timezone(&cron.time_zone).format("%d %H:%M %:z").to_string());
        }
        due
    }

    #[test]
    fn a_time_that_is_left_out_is_made_up_for_at_the_moment_after() {
        let spring = "2027-03-27T12:00:00Z";
        let daily = due("30 2 * * *", "Europe/Berlin", spring, 2);
        assert_eq!(daily, ["28 03:00 +02:00", "29 02:30 +02:00"]);
        let several = due("*/20 2 * * *", "Europe/Berlin", spring, 2);
        assert_eq!(several, ["28 03:00 +02:00", "29 02:00 +02:00"]);
        let at_the_end = due("30 2,3 * * *", "Europe/Berlin", spring, 3);
        assert_eq!(at_the_end, ["28 03:00 +02:00", "28 03:30 +02:00", "29 02:30 +02:00"]);
        let new_york = due("15 2 * * 0", "America/New_York", "2027-03-13T12:00:00Z", 1);
        assert_eq!(new_york, ["14 03:00 -04:00"]);
    }

    #[test]
    fn a_time_that_comes_twice_counts_the_first_time() {
        let autumn = "2027-10-30T12:00:00Z";
        let daily = due("30 2 * * *", "Europe/Berlin", autumn, 2);
        assert_eq!(daily, ["31 02:30 +02:00", "01 02:30 +01:00"]);
        // Asked between the two, it is over.
        let between = due("30 2 * * *", "Europe/Berlin", "2027-10-31T01:10:00Z", 1);
        assert_eq!(between, ["01 02:30 +01:00"]);
    }

    #[test]
    fn a_pattern_for_every_hour_goes_by_the_time_that_passes() {
        let autumn = due("*/30 * * * *", "Europe/Berlin", "2027-10-31T00:10:00Z", 4);
        let both = ["31 02:30 +02:00", "31 02:00 +01:00", "31 02:30 +01:00", "31 03:00 +01:00"];
        assert_eq!(autumn, both);
        let spring = due("30 * * * *", "Europe/Berlin", "2027-03-28T00:10:00Z", 2);
        assert_eq!(spring, ["28 01:30 +01:00", "28 03:30 +02:00"]);
        let half_an_hour = due("0 * * * *", "Australia/Lord_Howe", "2027-04-03T13:30:00Z", 3);
        assert_eq!(half_an_hour, ["04 01:00 +11:00", "04 02:00 +10:30", "04 03:00 +10:30"]);
    }

    #[test]
    fn midnight_is_made_up_for_where_it_is_left_out() {
        let beirut = due("0 0 * * *", "Asia/Beirut", "2027-03-27T12:00:00Z", 2);
        assert_eq!(beirut, ["28 01:00 +03:00", "29 00:00 +03:00"]);
        let a_day = due("0 12 30 12 *", "Pacific/Apia", "2011-12-29T12:00:00Z", 1);
        assert_eq!(a_day, ["31 00:00 +14:00"]);
    }

    #[test]
    fn a_pattern_that_is_none_or_never_comes_is_refused() {
        for pattern in ["", "* * * *", "* * * * * *", "61 * * * *", "@daily", "* * * * NODAY"] {
            let error = Cron::new(pattern, "UTC").unwrap_err();
            assert!(matches!(error, ScheduleError::NotAPattern { .. }), "{pattern}: {error}");
        }
        let never = Cron::new("0 0 30 2 *", "UTC").unwrap_err();
        assert_eq!(never, ScheduleError::NeverDue("0 0 30 2 *".to_owned()));
        let nowhere = Cron::new("0 0 * * *", "Europe/Atlantis").unwrap_err();
        assert_eq!(nowhere, ScheduleError::UnknownTimeZone("Europe/Atlantis".to_owned()));
    }

    /// A field of a pattern, as text and as what it matches.
    #[derive(Clone, Debug)]
    struct Field {
        text: String,
        values: BTreeSet<u32>,
    }

    fn field(range: std::ops::Range<u32>) -> impl Strategy<Value = Field> {
        let (first, end) = (range.start, range.end);
        let all: BTreeSet<u32> = range.collect();
        let every = all.clone();
        prop_oneof![
            Just(Field { text: "*".to_owned(), values: all }),
            (2_u32..30).prop_map(move |step| Field {
                text: format!("*/{step}"),
                values: every.iter().copied().filter(|value| (value - first) % step == 0).collect(),
            }),
            proptest::collection::btree_set(first..end, 1..4).prop_map(|values| Field {
                text: values.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
                values,
            }),
        ]
    }

    /// Clocks changed within a day of these instants.
    const CHANGES: [(&str, &str); 16] = [
        ("Europe/Berlin", "2027-03-28T01:00:00Z"),
        ("Europe/Berlin", "2027-10-31T01:00:00Z"),
        ("Europe/Dublin", "2027-10-31T01:00:00Z"),
        ("America/New_York", "2027-03-14T07:00:00Z"),
        ("America/New_York", "2027-11-07T06:00:00Z"),
        ("America/St_Johns", "2006-10-29T02:31:00Z"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
        ("Asia/Beirut", "2027-03-27T22:00:00Z"),
        ("Australia/Lord_Howe", "2027-04-03T15:00:00Z"),
        ("Australia/Lord_Howe", "2027-10-02T15:30:00Z"),
        ("Antarctica/Troll", "2027-03-28T01:00:00Z"),
        ("Antarctica/Troll", "2027-10-31T01:00:00Z"),
        ("Antarctica/Casey", "2010-03-04T15:00:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z"),
        ("UTC", "2027-02-28T00:00:00Z"),
    ];

    /// Walks minute by minute and looks at a clock on the wall.
    fn walk(
        fields: &[Field; 3],
        every_hour: bool,
        zone: Tz,
        after: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let [minute, hour, weekday] = fields;
        let matches = |shown: NaiveDateTime| {
            minute.values.contains(&shown.minute())
                && hour.values.contains(&shown.hour())
                && weekday.values.contains(&shown.weekday().num_days_from_sunday())
        };
        let minute_long = TimeDelta::minutes(1);
        let mut now = (after - TimeDelta::days(2)).with_second(0)?;
        let shows = |now: DateTime<Utc>| now.with_timezone(&zone).naive_local();
        let mut latest_shown = shows(now);
        while now + minute_long <= end {
            now += minute_long;
            let shown = shows(now);
            let due = if every_hour {
                matches(shown)
            } else {
                // Everything that clocks reach or leap over for the first time.
                let mut reached = false;
                let mut passed = latest_shown + minute_long;
                while passed <= shown {
                    reached |= matches(passed);
                    passed += minute_long;
                }
                reached
            };
            latest_shown = latest_shown.max(shown);
            if due && now > after {
                return Some(now);
            }
        }
        None
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

        #[test]
        fn a_walk_minute_by_minute_finds_the_same(
            minute in field(0..60),
            hour in field(0..24),
            weekday in field(0..7),
            (zone, change) in select(&CHANGES[..]),
            // Most often where clocks show a time for the first or the second time.
            seconds in prop_oneof![1 => -100_000_i64..40_000, 3 => -9_000_i64..9_000],
        ) {
            let pattern = format!("{} {} * * {}", minute.text, hour.text, weekday.text);
            let cron = Cron::new(&pattern, zone).unwrap();
            let after = instant(change) + TimeDelta::seconds(seconds);
            let end = after + TimeDelta::days(3);
            let every_hour = hour.text.starts_with('*');
            let walked = walk(&[minute, hour, weekday], every_hour, cron.time_zone, after, end);
            let found = cron.first_after(after).filter(|found| *found <= end);
            prop_assert_eq!(found, walked, "{} in {} after {}", pattern, zone, after);
        }
    }
}
