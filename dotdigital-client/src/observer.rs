//! Watching calls as they are made.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use crate::limits::Tier;

/// One HTTP attempt. Every attempt counts against the account's limits, also a repeated one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallRecord {
    /// Method and path template, such as `PUT /contacts/v3/import`.
    pub endpoint: &'static str,
    /// The tier the call was counted in, as far as known.
    pub tier: Tier,
    /// Which attempt of its call this was, from 1.
    pub attempt: u32,
    /// The status, or `None` when no answer arrived.
    pub status: Option<u16>,
    /// Calls per window of the tier, where the answer said so.
    pub limit: Option<u32>,
    /// Calls left in the tier's window, where the answer said so.
    pub remaining: Option<u32>,
}

/// Is told of every HTTP attempt of a client.
///
/// # Contract
///
/// * `on_call` returns quickly and does not block: it runs between attempts.
pub trait CallObserver: fmt::Debug + Send + Sync {
    /// Called once an attempt is over, and also when it was dropped half way.
    fn on_call(&self, call: &CallRecord);
}

/// Counts attempts by endpoint.
#[derive(Debug, Default)]
pub struct CallCounter {
    counts: Mutex<BTreeMap<String, u64>>,
}

impl CallCounter {
    /// A counter at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// The attempts so far by endpoint.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CallObserver for CallCounter {
    fn on_call(&self, call: &CallRecord) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(call.endpoint.to_owned()).or_default() += 1;
    }
}
