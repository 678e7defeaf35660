//! From an answer, or from none, to what it means for the caller and for the retry.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{ErrorBody, ErrorKind};
use crate::{
    retry::Fault,
    transport::{HttpResponse, TransportError, TransportErrorKind},
    wait::after,
};

/// An attempt that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) fault: Fault,
    pub(crate) code: Option<String>,
    /// How long the service asked to wait.
    pub(crate) hint: Option<Duration>,
    /// Whether the older, hourly limit is what was hit.
    pub(crate) hourly: bool,
    pub(crate) answer: Option<HttpResponse>,
    pub(crate) source: Option<TransportError>,
}

/// What an attempt without an answer means.
pub(crate) fn unanswered(error: TransportError) -> Failure {
    let (kind, fault) = match error.kind {
        TransportErrorKind::NotSent => (ErrorKind::NotSent, Fault::NotSent),
        TransportErrorKind::MaybeSent | TransportErrorKind::TimedOut => {
            (ErrorKind::MaybeSent, Fault::MaybeActed)
        }
    };
    Failure {
        kind,
        fault,
        code: None,
        hint: None,
        hourly: false,
        answer: None,
        source: Some(error),
    }
}

/// What an answer that is no success means.
pub(crate) fn classify(answer: HttpResponse) -> Failure {
    let body = ErrorBody::parse(&answer.body);
    let hourly = is_hourly_limit(answer.status, &body);
    let kind = if hourly {
        ErrorKind::Throttled { until: None }
    } else {
        match by_code(body.code.as_deref().unwrap_or_default()) {
            Some(kind) => kind,
            None => by_status(answer.status, &body),
        }
    };
    let fault = match kind {
        ErrorKind::Throttled { .. } => Fault::Throttled,
        ErrorKind::MaybeSent => Fault::MaybeActed,
        _ => Fault::Permanent,
    };
    let code = body.code;
    Failure { kind, fault, code, hint: None, hourly, answer: Some(answer), source: None }
}

impl Failure {
    /// The same with what is known of the time to wait.
    pub(crate) fn asking_for(mut self, hint: Option<Duration>, now: DateTime<Utc>) -> Self {
        self.hint = hint;
        if let ErrorKind::Throttled { .. } = self.kind {
            self.kind = ErrorKind::Throttled { until: hint.map(|hint| after(now, hint)) };
        }
        self
    }
}

fn is_hourly_limit(status: u16, body: &ErrorBody) -> bool {
    let coded = body.code.as_deref() == Some("ERROR_APIUSAGE_EXCEEDED");
    coded || (status == 400 && body.says_excess)
}

/// The status of most codes is not documented, so a code that is known decides.
fn by_code(code: &str) -> Option<ErrorKind> {
    match code {
        "ERROR_IMPORT_TOOMANYACTIVEIMPORTS" => Some(ErrorKind::SlotsFull),
        // The services of contacts and of Insight data each have slots of their own.
        _ if code.ends_with(":tooManyActiveImports")
            || code.ends_with(":tooManyBulkDeleteJobs") =>
        {
            Some(ErrorKind::SlotsFull)
        }
        "ERROR_INVALID_LOGIN" | "ERROR_APIUSER_INVALID" | "ERROR_ACCOUNT_INVALID" => {
            Some(ErrorKind::Unauthorised)
        }
        "ERROR_SYSTEM_SERVICETEMPORARILYUNAVAILABLE" | "ERROR_UNKNOWN" => {
            Some(ErrorKind::MaybeSent)
        }
        "ERROR_ADDRESSBOOK_DUPLICATE"
        | "contacts:identifierConflict"
        | "contacts:idAlreadyExists" => Some(ErrorKind::Conflict),
        _ if code.starts_with("ERROR_NON_UNIQUE_") => Some(ErrorKind::Conflict),
        _ if code.starts_with("ERROR_")
            && (code.ends_with("_NOT_FOUND") || code.ends_with("_NOTFOUND")) =>
        {
            Some(ErrorKind::NotFound)
        }
        _ => None,
    }
}

fn by_status(status: u16, body: &ErrorBody) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthorised,
        // With a code it is the service refusing this one thing, not the account's region.
        403 if body.code.is_none() => ErrorKind::WrongRegion,
        // A proxy that does not know the path must not look like a list that is gone.
        404 if body.from_service => ErrorKind::NotFound,
        408 | 500..=599 => ErrorKind::MaybeSent,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled { until: None },
        _ => ErrorKind::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> ErrorKind {
        let answer = HttpResponse { status, headers: Vec::new(), body: body.into() };
        classify(answer).kind
    }

    fn v2(code: &str) -> String {
        format!(r#"{{"message":"Error: {code}"}}"#)
    }

    #[test]
    fn statuses_lead_to_kinds() {
        for (status, expected) in [
            (302, ErrorKind::Rejected),
            (400, ErrorKind::Rejected),
            (401, ErrorKind::Unauthorised),
            (403, ErrorKind::WrongRegion),
            (404, ErrorKind::NotFound),
            (408, ErrorKind::MaybeSent),
            (409, ErrorKind::Conflict),
            (413, ErrorKind::Rejected),
            (429, ErrorKind::Throttled { until: None }),
            (500, ErrorKind::MaybeSent),
            (503, ErrorKind::MaybeSent),
        ] {
            assert_eq!(kind(status, ""), expected, "{status}");
        }
    }

    #[test]
    fn a_known_code_outranks_the_status() {
        for (code, expected) in [
            ("ERROR_ADDRESSBOOK_NOT_FOUND", ErrorKind::NotFound),
            ("ERROR_DATAFIELD_NOTFOUND", ErrorKind::NotFound),
            ("ERROR_ADDRESSBOOK_DUPLICATE", ErrorKind::Conflict),
            ("ERROR_NON_UNIQUE_EMAIL", ErrorKind::Conflict),
            ("ERROR_INVALID_LOGIN", ErrorKind::Unauthorised),
            ("ERROR_APIUSAGE_EXCEEDED", ErrorKind::Throttled { until: None }),
            ("ERROR_SYSTEM_SERVICETEMPORARILYUNAVAILABLE", ErrorKind::MaybeSent),
            ("ERROR_ADDRESSBOOK_NOTWRITABLE", ErrorKind::Rejected),
        ] {
            assert_eq!(kind(400, &v2(code)), expected, "{code}");
        }
        assert_eq!(kind(403, &v2("ERROR_FEATURENOTACTIVE")), ErrorKind::Rejected);
    }

    #[test]
    fn a_429_about_jobs_is_a_slot_and_not_a_rate() {
        for code in ["contacts:tooManyActiveImports", "insightData:tooManyActiveImports"] {
            let body = format!(r#"{{"errorCode":"{code}","description":""}}"#);
            assert_eq!(kind(429, &body), ErrorKind::SlotsFull);
        }
    }

    #[test]
    fn a_page_of_a_proxy_does_not_make_a_thing_vanish() {
        assert_eq!(kind(404, "<html>not here</html>"), ErrorKind::Rejected);
        assert_eq!(kind(503, "<html>down</html>"), ErrorKind::MaybeSent);
    }
}
