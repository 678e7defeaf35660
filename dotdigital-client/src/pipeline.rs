//! The one way a call takes to the service.
//!
//! Outermost first: trace span, total deadline, retry, rate limit, attempt deadline,
//! authentication, transport.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::sync::RwLockWriteGuard;
use tracing::{Instrument as _, Span, debug, field, info_span};
use zeroize::Zeroizing;

use crate::{
    call::{Call, Repeat},
    clock::Clock,
    endpoint::Endpoint,
    error::{Error, ErrorKind, Failure, classify, unanswered},
    limits::{Governor, JobKind, Permit, Reading},
    observer::{CallObserver, CallRecord},
    retry::{Budget, FailedAttempt, Fault, RetryPolicy, Verdict, doubled},
    transport::{HttpRequest, HttpResponse, Transport, TransportErrorKind},
    wait::{between, within},
};

/// A success, and what it took.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) response: HttpResponse,
    pub(crate) attempts: u32,
}

/// What all clones of a client share.
pub(crate) struct Pipeline {
    pub(crate) endpoint: Endpoint,
    pub(crate) authorization: Zeroizing<String>,
    pub(crate) user_agent: String,
    pub(crate) integration_token: Option<String>,
    pub(crate) deadline: Duration,
    pub(crate) attempt_deadline: Duration,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: RetryPolicy,
    pub(crate) governor: Governor,
    pub(crate) chance: Mutex<Chance>,
}

/// What the retries of all calls have in common.
pub(crate) struct Chance {
    pub(crate) budget: Budget,
    pub(crate) random: fastrand::Rng,
}

/// What one call has been through so far.
struct Progress<'a> {
    span: &'a Span,
    started: DateTime<Utc>,
    first_attempt: Option<DateTime<Utc>>,
    attempts: u32,
    failures: u32,
    may_have_acted: bool,
    slot_rounds: u32,
    slot_since: Option<DateTime<Utc>>,
    /// Held while this call is the one that tries to get a job slot.
    slot_turn: Option<RwLockWriteGuard<'a, ()>>,
}

/// What follows a failed attempt.
enum Step {
    Stop,
    /// Try again after this time. The wait for a rate limit happens in its queue.
    Again(Duration),
    /// Line up for a job slot, and try after this time.
    AgainForSlot(Duration),
}

impl Pipeline {
    /// Sends a call, as often as policy allows, until it succeeds.
    pub(crate) async fn send(
        &self,
        call: &Call,
        observer: Option<&dyn CallObserver>,
    ) -> Result<Answer, Error> {
        let span = info_span!(
            "dotdigital_call",
            endpoint = call.endpoint,
            tier = field::Empty,
            attempt = field::Empty,
            status = field::Empty,
            remaining = field::Empty,
        );
        self.repeat(call, observer, &span).instrument(span.clone()).await
    }

    async fn repeat(
        &self,
        call: &Call,
        observer: Option<&dyn CallObserver>,
        span: &Span,
    ) -> Result<Answer, Error> {
        let mut progress = Progress::new(self.clock.now(), span);
        loop {
            let permit = match self.admit(call, &progress).await {
                Ok(permit) => permit,
                Err(error) => return Err(progress.close(error)),
            };
            progress.begin_attempt(self.clock.now());
            let failure = match self.attempt(call, permit, &progress, observer).await {
                Ok(response) => {
                    self.chance().budget.give_back();
                    return Ok(Answer { response, attempts: progress.attempts });
                }
                Err(failure) => failure,
            };
            let acted = failure.fault == Fault::MaybeActed && call.repeat != Repeat::Read;
            progress.may_have_acted |= acted;
            match self.next_step(call, &failure, &mut progress) {
                Step::Stop => return Err(progress.close(Error::failed(call, failure))),
                Step::Again(wait) => self.clock.sleep(wait).await,
                Step::AgainForSlot(wait) => {
                    if !self.line_up_for_slot(call, &mut progress).await {
                        return Err(progress.close(Error::failed(call, failure)));
                    }
                    self.clock.sleep(wait).await;
                }
            }
        }
    }

    /// Waits until the call may go: the account is not paused, nobody else is ahead in the line
    /// for a job slot, and the tier's window has a place.
    async fn admit(&self, call: &Call, progress: &Progress<'_>) -> Result<Permit<'_>, Error> {
        if let Some(until) = self.governor.paused_until() {
            let wait = between(self.clock.now(), until);
            if wait > self.policy.max_hint.min(self.remaining(progress)) {
                return Err(Error::throttled(call, until));
            }
            self.clock.sleep(wait).await;
        }
        let queue = async {
            if let (Some(job), None) = (call.job, &progress.slot_turn) {
                drop(self.governor.slot_gate(job).await);
            }
            self.governor.admit(call.endpoint, call.tier).await
        };
        let admitted = within(&*self.clock, self.remaining(progress), queue).await;
        admitted.ok_or_else(|| {
            let tier = self.governor.tier_of(call.endpoint, call.tier);
            Error::throttled(call, self.governor.earliest(tier))
        })
    }

    /// Sends the request once and learns from the answer.
    async fn attempt(
        &self,
        call: &Call,
        permit: Permit<'_>,
        progress: &Progress<'_>,
        observer: Option<&dyn CallObserver>,
    ) -> Result<HttpResponse, Failure> {
        let mut record = Record::new(observer, call, &permit, progress);
        let request = self.request(call, self.remaining(progress).min(self.attempt_deadline));
        let answer = match self.transport.send(&request).await {
            Ok(answer) => answer,
            Err(error) => {
                match error.kind {
                    TransportErrorKind::NotSent => permit.not_sent(),
                    TransportErrorKind::MaybeSent | TransportErrorKind::TimedOut => drop(permit),
                }
                return Err(unanswered(error));
            }
        };
        let now = self.clock.now();
        let reading = Reading::of(&answer, now);
        record.answered(answer.status, &reading);
        if (200..300).contains(&answer.status) {
            permit.answered(&reading, false);
            return Ok(answer);
        }
        let failure = classify(answer);
        let refused = failure.fault == Fault::Throttled && !failure.hourly;
        let hint = match permit.answered(&reading, refused) {
            _ if failure.hourly => Some(between(now, self.governor.pause())),
            Some(wait) => Some(reading.hint(now).unwrap_or_default().max(wait)),
            None => reading.retry_after,
        };
        Err(failure.asking_for(hint, now))
    }

    /// Decides what to do about a failed attempt.
    fn next_step(&self, call: &Call, failure: &Failure, progress: &mut Progress<'_>) -> Step {
        if failure.kind == ErrorKind::SlotsFull {
            return self.slot_step(progress);
        }
        progress.failures += 1;
        let throttled = failure.fault == Fault::Throttled;
        let mut chance = self.chance();
        let verdict = self.policy.verdict(&FailedAttempt {
            failures: progress.failures,
            elapsed: progress.since_first_attempt(self.clock.now()),
            fault: failure.fault,
            idempotent: call.repeat != Repeat::ActsAgain,
            hint: failure.hint,
            budget_left: throttled || chance.budget.has_one(),
            jitter: chance.random.f64(),
        });
        match verdict {
            Verdict::Stop => Step::Stop,
            // The queue for the window keeps the call waiting, and its place.
            Verdict::RetryAfter(_) if throttled => Step::Again(Duration::ZERO),
            Verdict::RetryAfter(wait) if wait > self.remaining(progress) => Step::Stop,
            Verdict::RetryAfter(wait) => {
                chance.budget.take_one();
                debug!(
                    endpoint = call.endpoint,
                    attempt = progress.attempts,
                    ?wait,
                    "trying again"
                );
                Step::Again(wait)
            }
        }
    }

    fn slot_step(&self, progress: &mut Progress<'_>) -> Step {
        let settings = self.governor.settings();
        let now = self.clock.now();
        let waited = between(*progress.slot_since.get_or_insert(now), now);
        progress.slot_rounds += 1;
        let wait = doubled(settings.slot_base, progress.slot_rounds, settings.slot_cap);
        if waited + wait > settings.slot_wait || wait > self.remaining(progress) {
            Step::Stop
        } else {
            Step::AgainForSlot(wait)
        }
    }

    /// Becomes the one call that tries to get a job slot. False when that takes too long.
    async fn line_up_for_slot<'a>(&'a self, call: &Call, progress: &mut Progress<'a>) -> bool {
        if progress.slot_turn.is_none() {
            let limit = self.governor.settings().slot_wait.min(self.remaining(progress));
            let turn = self.governor.slot_turn(call.job.unwrap_or(JobKind::Other));
            progress.slot_turn = within(&*self.clock, limit, turn).await;
        }
        progress.slot_turn.is_some()
    }

    fn request(&self, call: &Call, timeout: Duration) -> HttpRequest {
        let mut headers = vec![
            ("authorization".to_owned(), (*self.authorization).clone()),
            ("accept".to_owned(), "application/json".to_owned()),
            ("user-agent".to_owned(), self.user_agent.clone()),
        ];
        if let Some(token) = &self.integration_token {
            headers.push(("x-ddg-integration-token".to_owned(), token.clone()));
        }
        if call.body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        HttpRequest {
            method: call.method,
            base: self.endpoint.base().to_owned(),
            path_and_query: call.path_and_query.clone(),
            headers,
            body: call.body.clone(),
            timeout,
        }
    }

    /// What is left of the call's total deadline.
    fn remaining(&self, progress: &Progress<'_>) -> Duration {
        self.deadline.saturating_sub(between(progress.started, self.clock.now()))
    }

    fn chance(&self) -> MutexGuard<'_, Chance> {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Progress<'a> {
    fn new(started: DateTime<Utc>, span: &'a Span) -> Self {
        Self {
            span,
            started,
            first_attempt: None,
            attempts: 0,
            failures: 0,
            may_have_acted: false,
            slot_rounds: 0,
            slot_since: None,
            slot_turn: None,
        }
    }

    fn begin_attempt(&mut self, now: DateTime<Utc>) {
        self.first_attempt.get_or_insert(now);
        self.attempts += 1;
    }

    fn since_first_attempt(&self, now: DateTime<Utc>) -> Duration {
        between(self.first_attempt.unwrap_or(now), now)
    }

    fn close(&self, error: Error) -> Error {
        error.after(self.attempts, self.may_have_acted)
    }
}

/// Tells the span and the observer of one attempt, also when its future is dropped half way.
struct Record<'a> {
    span: &'a Span,
    observer: Option<&'a dyn CallObserver>,
    record: CallRecord,
}

impl<'a> Record<'a> {
    fn new(
        observer: Option<&'a dyn CallObserver>,
        call: &Call,
        permit: &Permit<'_>,
        progress: &Progress<'a>,
    ) -> Self {
        let (tier, attempt, span) = (permit.tier(), progress.attempts, progress.span);
        span.record("tier", tier.as_str()).record("attempt", attempt);
        let record = CallRecord {
            endpoint: call.endpoint,
            tier,
            attempt,
            status: None,
            limit: None,
            remaining: None,
        };
        Self { span, observer, record }
    }

    fn answered(&mut self, status: u16, reading: &Reading) {
        self.span.record("status", status);
        if let Some(remaining) = reading.remaining {
            self.span.record("remaining", remaining);
        }
        self.record.status = Some(status);
        self.record.limit = reading.limit;
        self.record.remaining = reading.remaining;
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if let Some(observer) = self.observer {
            observer.on_call(&self.record);
        }
    }
}
