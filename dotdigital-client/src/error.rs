//! What can go wrong, in terms a caller can act on.

mod body;
mod classify;

use std::{error, fmt};

use chrono::{DateTime, Utc};

use crate::{
    call::{Call, Repeat},
    pipeline::Answer,
    transport::{HttpResponse, TransportError},
};

pub(crate) use body::ErrorBody;
pub(crate) use classify::{Failure, classify, unanswered};

/// What went wrong, and with it what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No request reached the service. Try again later.
    NotSent,
    /// The request may have been acted on: the connection broke, time ran out, or the service
    /// failed half way (408, 5xx). Look before repeating what must not happen twice.
    MaybeSent,
    /// The account's call limit is reached. The last attempt did nothing; whether an earlier one
    /// may have, [`Error::may_have_acted`] says. Try again later.
    Throttled {
        /// When calls are expected to be taken again, if known.
        until: Option<DateTime<Utc>>,
    },
    /// The account has as many jobs running as it may have. The last attempt did nothing; try again once one
    /// has ended.
    SlotsFull,
    /// Name or password is wrong, or the API user was switched off.
    Unauthorised,
    /// The account lives in another region, or the API user may not do this (403).
    WrongRegion,
    /// The service says that the thing asked about does not exist.
    NotFound,
    /// The name or the identifier belongs to something else already.
    Conflict,
    /// The service, or this client before sending, refused the request. The same request will be
    /// refused again.
    Rejected,
    /// The service did what it was asked and its answer could not be understood.
    Decode,
    /// A job was waited for as long as the caller allowed. It may still end.
    GaveUp,
    /// The client is not set up properly. Nothing was sent.
    Config,
}

/// A call that failed.
///
/// Neither `Display` nor `Debug` shows a secret, a person's address or text of the service. The
/// raw [`body`](Self::body) does not go through either.
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    endpoint: Option<&'static str>,
    status: Option<u16>,
    code: Option<String>,
    body: Option<Vec<u8>>,
    attempts: u32,
    may_have_acted: bool,
    message: String,
    source: Option<TransportError>,
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The status of the last answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The service's own code, such as `ERROR_ADDRESSBOOK_DUPLICATE` or `contacts:invalidId`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The body of the last answer as it came. It may carry addresses of people.
    pub fn body(&self) -> Option<&[u8]> {
        self.0.body.as_deref()
    }

    /// Method and path template of the call, such as `PUT /contacts/v3/import`.
    pub fn endpoint(&self) -> Option<&'static str> {
        self.0.endpoint
    }

    /// How many HTTP attempts were made.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether any attempt may have changed something at the service. Never so for reading calls.
    pub fn may_have_acted(&self) -> bool {
        self.0.may_have_acted
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        match self.0.kind {
            ErrorKind::NotSent
            | ErrorKind::MaybeSent
            | ErrorKind::Throttled { .. }
            | ErrorKind::SlotsFull
            | ErrorKind::GaveUp => true,
            ErrorKind::Rejected => matches!(
                self.code(),
                Some("ERROR_ADDRESSBOOK_IN_USE" | "ERROR_ENROLMENT_ALLOWANCE_EXCEEDED")
            ),
            _ => false,
        }
    }
}

impl Error {
    /// The client is not set up properly.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, None, message)
    }

    /// Refused by this client before anything was sent.
    pub(crate) fn refused(endpoint: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Rejected, Some(endpoint), message)
    }

    /// Waited for a job as long as was allowed.
    pub(crate) fn gave_up(endpoint: &'static str) -> Self {
        Self::new(ErrorKind::GaveUp, Some(endpoint), "the job had not ended in the time allowed")
    }

    /// The call limit is reached and waiting for it would take too long.
    pub(crate) fn throttled(call: &Call, until: DateTime<Utc>) -> Self {
        let kind = ErrorKind::Throttled { until: Some(until) };
        Self::new(kind, Some(call.endpoint), describe(kind))
    }

    /// A successful answer that cannot be understood.
    pub(crate) fn decode(call: &Call, answer: &Answer, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Decode, Some(call.endpoint), message)
            .after(answer.attempts, call.repeat != Repeat::Read)
            .with_answer(&answer.response, None)
    }

    /// What an attempt ended in.
    pub(crate) fn failed(call: &Call, failure: Failure) -> Self {
        let mut error = Self::new(failure.kind, Some(call.endpoint), describe(failure.kind));
        error.0.source = failure.source;
        match failure.answer {
            Some(answer) => error.with_answer(&answer, failure.code),
            None => error,
        }
    }

    /// The same error with what is known of all attempts together.
    pub(crate) fn after(mut self, attempts: u32, may_have_acted: bool) -> Self {
        self.0.attempts = attempts;
        self.0.may_have_acted = may_have_acted;
        if may_have_acted && self.0.kind == ErrorKind::NotSent {
            // The last attempt never left, but an earlier one may have arrived.
            self.0.kind = ErrorKind::MaybeSent;
            self.0.message = describe(ErrorKind::MaybeSent).to_owned();
        }
        self
    }

    fn new(kind: ErrorKind, endpoint: Option<&'static str>, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            endpoint,
            status: None,
            code: None,
            body: None,
            attempts: 0,
            may_have_acted: false,
            message: message.into(),
            source: None,
        }))
    }

    fn with_answer(mut self, answer: &HttpResponse, code: Option<String>) -> Self {
        self.0.status = Some(answer.status);
        self.0.body = Some(answer.body.clone());
        self.0.code = code;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        if let Some(endpoint) = details.endpoint {
            write!(f, "{endpoint}: ")?;
        }
        f.write_str(&details.message)?;
        if let Some(status) = details.status {
            write!(f, ", status {status}")?;
        }
        if let Some(code) = &details.code {
            write!(f, ", code {code}")?;
        }
        if let ErrorKind::Throttled { until: Some(until) } = details.kind {
            write!(f, ", until {}", until.format("%Y-%m-%dT%H:%M:%SZ"))?;
        }
        if details.attempts > 1 {
            write!(f, ", after {} attempts", details.attempts)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        f.debug_struct("Error")
            .field("kind", &details.kind)
            .field("endpoint", &details.endpoint)
            .field("status", &details.status)
            .field("code", &details.code)
            .field("attempts", &details.attempts)
            .field("may_have_acted", &details.may_have_acted)
            .field("message", &details.message)
            .field("source", &details.source)
            .finish_non_exhaustive()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

/// One sentence for each kind that an answer can lead to.
fn describe(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotSent => "the service could not be reached",
        ErrorKind::MaybeSent => "no proper answer arrived, the service may have acted",
        ErrorKind::Throttled { .. } => "the account's call limit is reached",
        ErrorKind::SlotsFull => "the account has as many jobs running as it may have",
        ErrorKind::Unauthorised => "the service did not accept the credentials",
        ErrorKind::WrongRegion => "access is denied, perhaps the account is in another region",
        ErrorKind::NotFound => "what was asked about does not exist",
        ErrorKind::Conflict => "the name or identifier belongs to something else",
        ErrorKind::Rejected => "the request was refused",
        ErrorKind::Decode => "the answer could not be understood",
        ErrorKind::GaveUp => "gave up waiting",
        ErrorKind::Config => "the client is not set up properly",
    }
}
