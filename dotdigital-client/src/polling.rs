//! Asking about a job until it has ended.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{call::Call, client::Client, decode, error::Error, retry::doubled, wait::between};

/// The shortest wait between two questions, whatever the policy says: without any, asking would be
/// a storm, and would never end on a clock that only moves while everybody waits.
const SHORTEST: Duration = Duration::from_millis(10);

/// How often to ask about a job, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollPolicy {
    /// The wait before the first question and after it, at least 10 ms; it doubles from then on.
    pub base: Duration,
    /// The longest wait between two questions.
    pub cap: Duration,
    /// How long to go on. The vendor states no bound for a job's length.
    pub give_up_after: Duration,
}

impl Default for PollPolicy {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(30),
            give_up_after: Duration::from_secs(2 * 3600),
        }
    }
}

/// Sends a call that asks about a job until `has_ended` says so of its answer. Every answer, the
/// last one too, is shown to `progress`.
pub(crate) async fn until_ended<T: DeserializeOwned>(
    client: &Client,
    call: &Call,
    policy: &PollPolicy,
    has_ended: fn(&T) -> bool,
    mut progress: impl FnMut(&T),
) -> Result<T, Error> {
    let clock = client.clock();
    let started = clock.now();
    let mut round = 1;
    loop {
        let left = policy.give_up_after.saturating_sub(between(started, clock.now()));
        if left.is_zero() {
            return Err(Error::gave_up(call.endpoint));
        }
        let wait = doubled(policy.base, round, policy.cap).max(SHORTEST);
        clock.sleep(wait.min(left)).await;
        let state: T = decode::json(call, &client.send(call).await?)?;
        progress(&state);
        if has_ended(&state) {
            return Ok(state);
        }
        round += 1;
    }
}
