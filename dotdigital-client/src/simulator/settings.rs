//! What one simulated account looks like before the first call, and how it behaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::{insight_data::InsightLimits, ledger::SimulatedTier, switches::Switches};

/// Everything a simulated account is told when it is opened.
///
/// Take [`Default`] and change what the test is about:
///
/// ```
/// use dotdigital_client::simulator::{RateLimits, SimulatorSettings, TierLimits};
///
/// let settings = SimulatorSettings {
///     limits: RateLimits::Tiered(TierLimits { low: 35, medium: 150, high: 600 }),
///     ..SimulatorSettings::default()
/// };
/// assert_eq!(settings.max_active_imports, 25);
/// ```
#[derive(Clone)]
pub struct SimulatorSettings {
    /// The API user that is let in.
    pub user: String,
    /// The API user's password.
    pub password: String,
    /// Seeds the GUIDs of jobs, so that two accounts can be told apart.
    pub seed: u64,
    /// What `GET /v2/account-info` names as `ApiEndpoint`; by default the address that was called,
    /// with a trailing slash as the service sends it.
    pub api_endpoint: Option<String>,
    /// Answers 403 to everything but `GET /v2/account-info`, like a host of another region.
    pub wrong_region: bool,
    /// How many calls are let through.
    pub limits: RateLimits,
    /// The tier of single endpoints, by method and path such as `GET /contacts/v3`, where it is to
    /// be another than the one assumed. Which endpoint is in which tier is not known.
    pub tiers: BTreeMap<String, SimulatedTier>,
    /// How long jobs take.
    pub latency: JobLatency,
    /// Imports that may be under way at once; the service allows 25.
    pub max_active_imports: usize,
    /// Bulk deletions of contacts that may be under way at once. The service's own number is not
    /// known.
    pub max_active_deletions: usize,
    /// The largest body of an import, in bytes; the service allows 50 MB.
    pub max_import_bytes: usize,
    /// The most contact ids one bulk removal may name. The service's own number is not known.
    pub max_bulk_removal: usize,
    /// The most lists the account may hold, the system's own included; unlimited when `None`.
    pub max_lists: Option<usize>,
    /// The most enrolments in programs the account may ask for; unlimited when `None`.
    pub max_enrolments: Option<usize>,
    /// The most contacts the account may hold; unlimited when `None`.
    pub max_contacts: Option<usize>,
    /// The most data fields the account may hold, the built-in ones included; unlimited when
    /// `None`.
    pub max_data_fields: Option<usize>,
    /// The most custom identifiers the account may hold; unlimited when `None`. The service's own
    /// number is not known.
    pub max_custom_identifiers: Option<usize>,
    /// How much Insight data the account takes.
    pub insight_data: InsightLimits,
    /// Names of the account's custom identifiers.
    pub custom_identifiers: BTreeSet<String>,
    /// When the account was opened: the date of what is set up before the first call.
    pub opened: DateTime<Utc>,
    /// The answers to what is not known about the real service.
    pub switches: Switches,
}

impl Default for SimulatorSettings {
    fn default() -> Self {
        Self {
            user: "apiuser-simulator@example.com".to_owned(),
            password: "simulator".to_owned(),
            seed: 0,
            api_endpoint: None,
            wrong_region: false,
            limits: RateLimits::Off,
            tiers: BTreeMap::new(),
            latency: JobLatency::default(),
            max_active_imports: 25,
            max_active_deletions: 25,
            max_import_bytes: 50_000_000,
            max_bulk_removal: 1_000,
            max_lists: None,
            max_enrolments: None,
            max_contacts: None,
            max_data_fields: None,
            max_custom_identifiers: None,
            insight_data: InsightLimits::default(),
            custom_identifiers: BTreeSet::new(),
            opened: DateTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800),
            switches: Switches::default(),
        }
    }
}

impl fmt::Debug for SimulatorSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatorSettings")
            .field("password", &"***")
            .field("seed", &self.seed)
            .field("wrong_region", &self.wrong_region)
            .field("limits", &self.limits)
            .field("latency", &self.latency)
            .field("switches", &self.switches)
            .finish_non_exhaustive()
    }
}

/// Which of the service's two limit schemes applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RateLimits {
    /// No limit, and no rate headers.
    #[default]
    Off,
    /// Calls per minute and tier; beyond them 429. Every answer carries `X-RateLimit-*`.
    Tiered(TierLimits),
    /// Calls per rolling hour over all tiers; beyond them 400 with `ERROR_APIUSAGE_EXCEEDED`.
    Flat {
        /// Calls let through in any 60 minutes; 2,000 at the service.
        per_hour: u32,
    },
}

/// Calls per minute, by tier. The tier called `Unlimited` has no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierLimits {
    /// Calls that import or return much data.
    pub low: u32,
    /// Updates of one record.
    pub medium: u32,
    /// Light reads of one record.
    pub high: u32,
}

/// How long an import or a bulk removal takes before its effects show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLatency {
    /// Time any job takes.
    pub base: Duration,
    /// Time added for each contact in it.
    pub per_member: Duration,
}

impl JobLatency {
    /// Jobs that are finished when they are first asked about.
    pub const NONE: Self = Self { base: Duration::ZERO, per_member: Duration::ZERO };

    /// How long a job over `members` contacts takes.
    pub fn of(&self, members: usize) -> Duration {
        let members = u32::try_from(members).unwrap_or(u32::MAX);
        self.base.saturating_add(self.per_member.saturating_mul(members))
    }
}

impl Default for JobLatency {
    /// Two seconds, and a tenth of a millisecond for each contact.
    fn default() -> Self {
        Self { base: Duration::from_secs(2), per_member: Duration::from_micros(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_printed() {
        let settings = SimulatorSettings {
            password: "open sesame".to_owned(),
            ..SimulatorSettings::default()
        };
        assert!(!format!("{settings:?}").contains("sesame"));
    }

    #[test]
    fn a_larger_job_takes_longer() {
        let latency = JobLatency::default();
        assert_eq!(latency.of(0), Duration::from_secs(2));
        assert_eq!(latency.of(100_000), Duration::from_secs(12));
    }

    #[test]
    fn the_account_was_opened_in_2020() {
        assert_eq!(SimulatorSettings::default().opened.to_rfc3339(), "2020-01-01T00:00:00+00:00");
    }
}
