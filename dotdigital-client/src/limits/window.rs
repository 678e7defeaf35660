//! One tier's window of calls: a pure state machine over instants.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Reading;
use crate::wait::{after, between};

/// Two readings of the end of one window may differ by this much, since the service rounds.
const SAME_WINDOW: TimeDelta = TimeDelta::seconds(2);

/// What is known of one tier's window.
#[derive(Debug)]
pub(super) struct Window {
    /// Calls per window, once known.
    limit: Option<u32>,
    /// Calls left by the last answers; those under way are not taken off.
    left: u32,
    under_way: u32,
    ends: Option<End>,
    /// Until when no call goes at all, since the service refused one.
    closed_until: Option<DateTime<Utc>>,
    /// Whether any answer arrived, with limits or without.
    answered: bool,
}

#[derive(Clone, Copy, Debug)]
struct End {
    at: DateTime<Utc>,
    /// Said by the service, not assumed.
    told: bool,
}

impl Window {
    pub(super) fn new(limit: Option<u32>) -> Self {
        let left = limit.unwrap_or(0);
        Self { limit, left, under_way: 0, ends: None, closed_until: None, answered: false }
    }

    /// Calls per window, once known.
    pub(super) fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Takes a place, or says how long to wait before asking again unless something changes.
    pub(super) fn admit(&mut self, now: DateTime<Utc>, length: Duration) -> Result<(), Duration> {
        self.roll(now);
        if let Some(closed) = self.closed_until {
            return Err(between(now, closed));
        }
        let free = match self.limit {
            Some(_) => self.left > self.under_way,
            // Nothing is known: the first call goes alone and finds out.
            None => self.answered || self.under_way == 0,
        };
        if !free {
            return Err(self.ends.map_or(length, |end| between(now, end.at)));
        }
        if self.limit.is_some() && self.ends.is_none() {
            self.ends = Some(End { at: after(now, length), told: false });
        }
        self.under_way += 1;
        Ok(())
    }

    /// A call is no longer under way.
    pub(super) fn leave(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// A call was counted by the service, or may have been, without its telling what is left.
    pub(super) fn count(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// Takes in what an answer told.
    pub(super) fn learn(&mut self, now: DateTime<Utc>, reading: &Reading) {
        self.answered = true;
        if let Some(limit) = reading.limit.or(reading.remaining) {
            if self.limit.is_none() {
                self.left = limit;
            }
            if self.limit.is_none() || reading.limit.is_some() {
                self.limit = Some(limit);
            }
        }
        let Some(remaining) = reading.remaining else { return self.count() };
        match (reading.reset, self.ends) {
            // A straggler from a window that is over.
            (Some(reset), _) if reset <= now => self.count(),
            (Some(reset), Some(end)) if end.told && end.at - reset > SAME_WINDOW => {}
            (Some(reset), Some(end)) if end.told && reset - end.at <= SAME_WINDOW => {
                self.left = self.left.min(remaining);
            }
            (Some(reset), _) => {
                self.left = remaining;
                self.ends = Some(End { at: reset, told: true });
            }
            (None, _) => self.left = self.left.min(remaining),
        }
    }

    /// The service refused a call for its limit. Says when the window ends.
    pub(super) fn exhaust(
        &mut self,
        now: DateTime<Utc>,
        reading: &Reading,
        length: Duration,
    ) -> DateTime<Utc> {
        let asked = reading.retry_after.map(|wait| after(now, wait));
        let known = self.ends.map(|end| end.at);
        let end = [reading.reset, asked, known].into_iter().flatten().find(|end| *end > now);
        let end = end.unwrap_or_else(|| after(now, length));
        self.closed_until = Some(end);
        end
    }

    /// When the window ends, if known or assumed.
    pub(super) fn ends(&self) -> Option<DateTime<Utc>> {
        self.closed_until.or(self.ends.map(|end| end.at))
    }

    /// Starts a new window once the old one is over.
    fn roll(&mut self, now: DateTime<Utc>) {
        self.closed_until = self.closed_until.filter(|closed| *closed > now);
        if self.ends.is_some_and(|end| end.at <= now) {
            // At least one call: a limit of zero could never be seen to rise again.
            self.left = self.limit.unwrap_or(0).max(1);
            self.ends = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
    }

    fn told(limit: u32, remaining: u32, reset: i64) -> Reading {
        Reading {
            limit: Some(limit),
            remaining: Some(remaining),
            reset: Some(at(reset)),
            ..Reading::default()
        }
    }

    fn answer(window: &mut Window, now: i64, reading: &Reading) {
        window.leave();
        window.learn(at(now), reading);
    }

    fn admit(window: &mut Window, now: i64) -> Result<(), u64> {
        window.admit(at(now), MINUTE).map_err(|wait| wait.as_secs())
    }

    #[test]
    fn the_first_call_goes_alone_and_the_rest_follow_its_answer() {
        let mut window = Window::new(None);
        assert_eq!(admit(&mut window, 0), Ok(()));
        assert_eq!(admit(&mut window, 0), Err(60));
        answer(&mut window, 1, &told(3, 2, 30));
        assert_eq!(admit(&mut window, 1), Ok(()));
        assert_eq!(admit(&mut window, 1), Ok(()));
        assert_eq!(admit(&mut window, 1), Err(29));
        assert_eq!(admit(&mut window, 30), Ok(()), "a new window");
    }

    #[test]
    fn an_account_without_limit_headers_is_not_held_back() {
        let mut window = Window::new(None);
        assert_eq!(admit(&mut window, 0), Ok(()));
        answer(&mut window, 1, &Reading::default());
        (0..100).for_each(|_| assert_eq!(admit(&mut window, 1), Ok(())));
    }

    #[test]
    fn answers_out_of_order_never_give_more_than_is_left() {
        let mut window = Window::new(Some(10));
        (0..3).for_each(|_| admit(&mut window, 0).unwrap());
        answer(&mut window, 1, &told(10, 7, 60));
        answer(&mut window, 1, &told(10, 9, 60));
        answer(&mut window, 1, &told(10, 8, 61));
        (0..7).for_each(|_| assert_eq!(admit(&mut window, 2), Ok(())));
        assert_eq!(admit(&mut window, 2), Err(58));
    }

    #[test]
    fn calls_of_others_on_the_account_are_taken_into_account() {
        let mut window = Window::new(Some(10));
        admit(&mut window, 0).unwrap();
        answer(&mut window, 1, &told(10, 1, 60));
        assert_eq!(admit(&mut window, 2), Ok(()));
        assert_eq!(admit(&mut window, 2), Err(58));
    }

    #[test]
    fn a_straggler_of_the_last_window_does_not_shrink_the_new_one_to_its_rest() {
        let mut window = Window::new(Some(5));
        admit(&mut window, 0).unwrap();
        answer(&mut window, 1, &told(5, 0, 60));
        admit(&mut window, 61).unwrap();
        answer(&mut window, 62, &told(5, 0, 60));
        assert_eq!(admit(&mut window, 63), Ok(()));
    }

    #[test]
    fn a_refusal_closes_the_window_until_it_ends() {
        let mut window = Window::new(None);
        admit(&mut window, 0).unwrap();
        window.leave();
        let reading = Reading::default();
        assert_eq!(window.exhaust(at(5), &reading, MINUTE), at(65));
        assert_eq!(admit(&mut window, 6), Err(59));
        assert_eq!(window.exhaust(at(6), &told(5, 0, 20), MINUTE), at(20));
        assert_eq!(admit(&mut window, 7), Err(13));
        let asked = Reading { retry_after: Some(MINUTE / 6), ..Reading::default() };
        assert_eq!(window.exhaust(at(30), &asked, MINUTE), at(40));
        assert_eq!(admit(&mut window, 40), Ok(()));
    }

    #[test]
    fn a_refusal_without_headers_slows_nothing_down_once_it_is_over() {
        let mut window = Window::new(None);
        admit(&mut window, 0).unwrap();
        answer(&mut window, 1, &Reading::default());
        window.exhaust(at(1), &Reading::default(), MINUTE);
        assert_eq!(admit(&mut window, 2), Err(59));
        (0..100).for_each(|_| assert_eq!(admit(&mut window, 61), Ok(())));
    }

    #[test]
    fn a_call_without_an_answer_counts() {
        let mut window = Window::new(Some(2));
        admit(&mut window, 0).unwrap();
        window.leave();
        window.count();
        assert_eq!(admit(&mut window, 1), Ok(()));
        assert_eq!(admit(&mut window, 1), Err(59));
        window.leave();
        assert_eq!(admit(&mut window, 2), Ok(()), "one that was never sent does not");
    }

    #[test]
    fn a_limit_of_zero_is_tried_once_per_window() {
        let mut window = Window::new(None);
        admit(&mut window, 0).unwrap();
        answer(&mut window, 1, &told(0, 0, 60));
        assert_eq!(admit(&mut window, 2), Err(58));
        assert_eq!(admit(&mut window, 61), Ok(()));
        assert_eq!(admit(&mut window, 61), Err(60));
    }

    #[test]
    fn a_window_without_end_is_no_trouble() {
        let forever = Reading {
            limit: Some(5),
            remaining: Some(4),
            reset: Some(DateTime::<Utc>::MAX_UTC),
            ..Reading::default()
        };
        let mut window = Window::new(None);
        for _ in 0..3 {
            assert_eq!(admit(&mut window, 0), Ok(()));
            answer(&mut window, 0, &forever);
        }
    }
}
