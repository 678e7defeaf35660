//! What was called, so that tests can count calls and prove which ones were never made.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::transport::Method;

/// The group of calls that share one rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SimulatedTier {
    /// Imports and calls that return much data.
    Low,
    /// Updates of one record.
    Medium,
    /// Light reads of one record.
    High,
    /// Asking what became of a job.
    Unlimited,
}

/// One request that reached the simulated service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerEntry {
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// Its method.
    pub method: Method,
    /// Method and path with the names of its parameters, such as `PUT /contacts/v3/import`;
    /// `unknown` where the service has no such endpoint.
    pub endpoint: &'static str,
    /// The tier it counts in.
    pub tier: SimulatedTier,
    /// The status answered; `None` when the connection broke before the service acted.
    pub status: Option<u16>,
    /// Whether the caller never received the answer.
    pub lost: bool,
    /// Whether the body carried a channel's status, and so could opt somebody in or out.
    pub carried_status: bool,
    /// Whether a list sync must never make this call: it deletes people, empties or deletes lists or
    /// collections, replaces contacts, or changes consent.
    pub is_forbidden_for_sync: bool,
}

/// Every request, in order.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) entries: Vec<LedgerEntry>,
}

impl Ledger {
    pub(super) fn calls(&self) -> BTreeMap<String, u64> {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        for entry in &self.entries {
            *counts.entry(entry.endpoint).or_default() += 1;
        }
        counts.into_iter().map(|(endpoint, count)| (endpoint.to_owned(), count)).collect()
    }

    pub(super) fn forbidden(&self) -> Vec<LedgerEntry> {
        self.entries.iter().filter(|entry| entry.is_forbidden_for_sync).cloned().collect()
    }

    pub(super) fn status_writes(&self) -> u64 {
        self.entries.iter().map(|entry| u64::from(entry.carried_status)).sum()
    }
}
