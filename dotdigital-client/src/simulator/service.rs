//! The way of a request: fault script, credentials, region, limits, the call itself, ledger.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};

use super::{
    SimulatorSettings,
    account::{Account, JobFault},
    api::{self, Body, Context, Endpoint, Matched, Query},
    faults::{Fault, FaultScript},
    ledger::{Ledger, LedgerEntry, SimulatedTier},
    limits::{Admission, Limiter, rate_headers},
};
use crate::transport::{HttpRequest, HttpResponse};

/// Everything behind one account's address.
pub(super) struct Service {
    pub(super) account: Account,
    pub(super) faults: FaultScript,
    pub(super) ledger: Ledger,
    limiter: Limiter,
}

/// What the caller sees of a request.
pub(super) enum Delivery {
    Answered(HttpResponse),
    /// No connection was made.
    Refused,
    /// The connection broke.
    Reset {
        acted: bool,
    },
    /// The service acted; no answer arrives.
    TimedOut,
}

impl Service {
    pub(super) fn new(settings: SimulatorSettings) -> Self {
        Self {
            account: Account::open(settings),
            faults: FaultScript::default(),
            ledger: Ledger::default(),
            limiter: Limiter::default(),
        }
    }

    pub(super) fn deliver(&mut self, request: &HttpRequest, now: DateTime<Utc>) -> Delivery {
        self.account.advance(now);
        let (path, _) = split(&request.path_and_query);
        let matched = api::route(request.method, path);
        let fault = self.faults.next(matched.endpoint.template);
        if fault == Some(Fault::ConnectionRefused) {
            return Delivery::Refused;
        }
        let body = Body::read(request);
        let carried_status = body.carries_status();
        let response = match &fault {
            Some(Fault::ResetBeforeActing) => None,
            Some(Fault::Status(status)) => Some(api::status(*status)),
            Some(Fault::Refused { status, code }) => {
                Some(api::refused(matched.endpoint.is_v3(), *status, code))
            }
            Some(Fault::Html(status)) => Some(api::html(*status)),
            Some(Fault::TooManyActiveImports) => {
                Some(api::too_many_imports(matched.endpoint.service()))
            }
            Some(Fault::RateLimited) => Some(self.throttled(&matched, now)),
            _ => Some(self.answer(request, &matched, body, fault.as_ref(), now)),
        };
        let delivery = delivery(fault.as_ref(), response);
        self.ledger.entries.push(LedgerEntry {
            at: now,
            method: request.method,
            endpoint: matched.endpoint.template,
            tier: tier(&self.account.settings, matched.endpoint),
            status: delivery.status,
            lost: !matches!(delivery.outcome, Delivery::Answered(_)),
            carried_status,
            is_forbidden_for_sync: matched.endpoint.forbidden,
        });
        delivery.outcome
    }

    fn answer(
        &mut self,
        request: &HttpRequest,
        matched: &Matched,
        body: Body,
        fault: Option<&Fault>,
        now: DateTime<Utc>,
    ) -> HttpResponse {
        let v3 = matched.endpoint.is_v3();
        let settings = &self.account.settings;
        if !is_authorised(settings, request) {
            return api::unauthorised(v3);
        }
        if settings.wrong_region && !matched.endpoint.answers_in_any_region() {
            return api::forbidden_region(v3);
        }
        let tier = tier(settings, matched.endpoint);
        let reset = settings.switches.rate_reset;
        let mut headers = Vec::new();
        match self.limiter.admit(settings.limits, tier, now) {
            Admission::Free => {}
            Admission::Capped => return api::usage_exceeded(v3),
            Admission::Tiered { admitted, limit, remaining } => {
                headers = rate_headers(tier, Some(limit), remaining, reset, now);
                if !admitted {
                    let mut response = api::throttled(settings.switches.throttle_body);
                    response.headers.extend(headers);
                    return response;
                }
            }
        }
        let context = Context {
            account: &mut self.account,
            base: &request.base,
            args: &matched.args,
            query: Query::parse(split(&request.path_and_query).1),
            body,
            body_bytes: request.body.as_ref().map_or(0, |body| body.len()),
            calls_in_last_hour: self.limiter.calls_in_last_hour(),
            job_fault: job_fault(fault),
            now,
        };
        let mut response = api::respond(matched.endpoint.operation, context);
        response.headers.extend(headers);
        response
    }

    /// A 429 that a script asks for; without a limit in force it names none.
    fn throttled(&self, matched: &Matched, now: DateTime<Utc>) -> HttpResponse {
        let switches = &self.account.settings.switches;
        let mut response = api::throttled(switches.throttle_body);
        let tier = tier(&self.account.settings, matched.endpoint);
        response.headers.extend(rate_headers(tier, None, 0, switches.rate_reset, now));
        response
    }
}

/// What the caller sees, and the status the ledger shows.
struct Delivered {
    outcome: Delivery,
    status: Option<u16>,
}

fn delivery(fault: Option<&Fault>, response: Option<HttpResponse>) -> Delivered {
    let Some(response) = response else {
        return Delivered { outcome: Delivery::Reset { acted: false }, status: None };
    };
    let status = Some(response.status);
    match fault {
        Some(Fault::ResetAfterActing) => {
            Delivered { outcome: Delivery::Reset { acted: true }, status }
        }
        Some(Fault::TimeoutAfterActing) => Delivered { outcome: Delivery::TimedOut, status },
        Some(Fault::StatusAfterActing(instead)) => {
            let outcome = Delivery::Answered(api::status(*instead));
            Delivered { outcome, status: Some(*instead) }
        }
        _ => Delivered { outcome: Delivery::Answered(response), status },
    }
}

fn job_fault(fault: Option<&Fault>) -> Option<JobFault> {
    Some(match fault? {
        Fault::StuckJob => JobFault::Stuck,
        Fault::SlowJob(more) => JobFault::Slow(*more),
        Fault::FailedJob => JobFault::Fail,
        Fault::RejectedByWatchdog => JobFault::RejectedByWatchdog,
        Fault::FailRows { code, every } => JobFault::FailRows { code: code.clone(), every: *every },
        _ => return None,
    })
}

fn tier(settings: &SimulatorSettings, endpoint: &Endpoint) -> SimulatedTier {
    settings.tiers.get(endpoint.template).copied().unwrap_or(endpoint.tier)
}

fn is_authorised(settings: &SimulatorSettings, request: &HttpRequest) -> bool {
    let sent = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let Some(token) = sent.and_then(|(_, value)| value.strip_prefix("Basic ")) else {
        return false;
    };
    let expected = format!("{}:{}", settings.user, settings.password);
    STANDARD.decode(token).is_ok_and(|sent| sent == expected.as_bytes())
}

/// Path and query.
fn split(path_and_query: &str) -> (&str, &str) {
    path_and_query.split_once('?').unwrap_or((path_and_query, ""))
}
