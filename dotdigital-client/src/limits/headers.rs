//! What an answer's headers say about limits.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Tier;
use crate::{
    transport::HttpResponse,
    wait::{after, between},
};

/// Numbers below this are seconds from now, above it instants.
const SMALLEST_EPOCH: u64 = 1_000_000_000;
/// Numbers from here on are instants in milliseconds.
const SMALLEST_EPOCH_MILLIS: u64 = 1_000_000_000_000;

/// The limits as one answer tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Calls per window.
    pub(crate) limit: Option<u32>,
    /// Calls left.
    pub(crate) remaining: Option<u32>,
    /// When the window ends.
    pub(crate) reset: Option<DateTime<Utc>>,
    /// Which tier this is about.
    pub(crate) scope: Option<Tier>,
    /// How long to wait before the next attempt. Not documented for this service, but a proxy on
    /// the way may say so.
    pub(crate) retry_after: Option<Duration>,
}

impl Reading {
    pub(crate) fn of(answer: &HttpResponse, now: DateTime<Utc>) -> Self {
        let number = |name| answer.header(name).and_then(|text| text.trim().parse().ok());
        Self {
            limit: number("x-ratelimit-limit"),
            remaining: number("x-ratelimit-remaining"),
            reset: answer.header("x-ratelimit-reset").and_then(|text| reset(text, now)),
            scope: answer.header("x-ratelimit-scope").and_then(tier),
            retry_after: answer.header("retry-after").and_then(|text| retry_after(text, now)),
        }
    }

    /// The same with no wait longer than `longest`.
    pub(super) fn bounded(&self, now: DateTime<Utc>, longest: Duration) -> Self {
        Self {
            reset: self.reset.map(|reset| reset.min(after(now, longest))),
            retry_after: self.retry_after.map(|wait| wait.min(longest)),
            ..*self
        }
    }

    /// How long the service wants to be left alone.
    pub(crate) fn hint(&self, now: DateTime<Utc>) -> Option<Duration> {
        self.retry_after.or(self.reset.map(|reset| between(now, reset)))
    }
}

/// Reads an instant in seconds or milliseconds, or a number of seconds from now: the vendor's own
/// texts disagree. Whole seconds are rounded up, so that a call never comes a moment too early.
fn reset(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let number: u64 = text.trim().parse().ok()?;
    let second = Duration::from_secs(1);
    if number < SMALLEST_EPOCH {
        Some(after(now, Duration::from_secs(number) + second))
    } else if number < SMALLEST_EPOCH_MILLIS {
        Some(after(DateTime::UNIX_EPOCH, Duration::from_secs(number) + second))
    } else {
        Some(after(DateTime::UNIX_EPOCH, Duration::from_millis(number)))
    }
}

/// `lowCallRate` and its siblings.
fn tier(scope: &str) -> Option<Tier> {
    let scope = scope.to_ascii_lowercase();
    [Tier::Unlimited, Tier::Low, Tier::Medium, Tier::High]
        .into_iter()
        .find(|tier| scope.contains(tier.as_str()))
}

/// Reads a number of seconds or a date.
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = DateTime::parse_from_rfc2822(text).ok()?;
            Some(between(now, date.to_utc()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> Reading {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Reading::of(&HttpResponse { status: 200, headers, body: Vec::new() }, now())
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn reset_in(text: &str) -> Option<Duration> {
        read(&[("x-ratelimit-reset", text)]).reset.map(|reset| between(now(), reset))
    }

    #[test]
    fn the_end_of_a_window_is_understood_in_three_spellings() {
        assert_eq!(reset_in("30"), Some(Duration::from_secs(31)));
        assert_eq!(reset_in("1700000030"), Some(Duration::from_secs(31)));
        assert_eq!(reset_in("1700000030500"), Some(Duration::from_millis(30_500)));
        assert_eq!(reset_in("soon"), None);
        assert!(reset_in("18446744073709551615").is_some());
    }

    #[test]
    fn names_of_headers_and_tiers_are_read_whatever_their_case() {
        let reading = read(&[
            ("X-RateLimit-Limit", "150"),
            ("X-RATELIMIT-REMAINING", " 149 "),
            ("x-ratelimit-scope", "lowCallRate"),
        ]);
        assert_eq!((reading.limit, reading.remaining), (Some(150), Some(149)));
        assert_eq!(reading.scope, Some(Tier::Low));
        assert_eq!(tier("UnlimitedCallRate"), Some(Tier::Unlimited));
        assert_eq!(tier("other"), None);
    }

    #[test]
    fn a_wish_to_wait_is_read_as_seconds_or_as_a_date() {
        assert_eq!(read(&[("Retry-After", "7")]).hint(now()), Some(Duration::from_secs(7)));
        let date = read(&[("Retry-After", "Tue, 14 Nov 2023 22:13:30 GMT")]);
        assert_eq!(date.hint(now()), Some(Duration::from_secs(10)));
    }
}
