//! What the errors of server and driver mean, told without anything that may be a secret or a
//! person's.

use std::{error::Error, io};

use tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};

use super::PostgresServer;

/// Why the server could not do its part.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What happened and what to do.
    pub(crate) message: String,
    /// Whether the same may succeed later without a change.
    pub(crate) temporary: bool,
}

impl Failure {
    /// Something that somebody has to change.
    pub(crate) fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), temporary: false }
    }

    /// Something that may pass by itself.
    pub(crate) fn temporary(message: impl Into<String>) -> Self {
        Self { message: message.into(), temporary: true }
    }

    /// Why `server` cannot be connected to.
    pub(super) fn of_connecting(server: &PostgresServer, error: &tokio_postgres::Error) -> Self {
        if let Some(refusal) = error.as_db_error() {
            return Self::of_log_in(server, refusal);
        }
        let cause = last_cause(error);
        match io_error(error) {
            Some(broken) if is_about_certificates(broken) => {
                Self::permanent(format!("{server} is not trusted: {cause}; {TRUST}"))
            }
            Some(_) => Self::temporary(format!("{server} cannot be reached: {cause}")),
            None if error.is_closed() => {
                Self::temporary(format!("{server} closed the connection before the log-in"))
            }
            None => Self::permanent(format!("cannot connect to {server}: {cause}")),
        }
    }

    /// `server` does not answer.
    pub(super) fn of_silence(server: &PostgresServer) -> Self {
        let seconds = server.connect_timeout().as_secs();
        Self::temporary(format!("{server} cannot be reached: no answer within {seconds} seconds"))
    }

    /// TLS cannot be used at all.
    pub(super) fn of_tls(server: &PostgresServer, error: &rustls::Error) -> Self {
        Self::permanent(format!("cannot connect to {server}: TLS cannot be set up: {error}"))
    }

    fn of_log_in(server: &PostgresServer, refusal: &DbError) -> Self {
        let (user, database) = (server.user(), server.database());
        let code = refusal.code();
        let what = match code {
            &SqlState::INVALID_PASSWORD => {
                format!("the password of user {user:?} is wrong, or has expired")
            }
            &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => format!(
                "user {user:?} may not log in from here or is unknown: look at its name, at sslmode, \
                 and at pg_hba.conf of the server"
            ),
            &SqlState::UNDEFINED_DATABASE => format!("there is no database {database:?}"),
            &SqlState::INSUFFICIENT_PRIVILEGE => format!(
                "user {user:?} may not use database {database:?}: GRANT CONNECT ON DATABASE is missing"
            ),
            &SqlState::TOO_MANY_CONNECTIONS => "it has too many connections by now".to_owned(),
            &SqlState::CANNOT_CONNECT_NOW => "it is starting or stopping".to_owned(),
            code => format!("it refuses with SQLSTATE {}", code.code()),
        };
        let message = format!("cannot connect to {server}: {what}");
        Self { message, temporary: is_temporary(code) }
    }

    /// Why a statement failed; `place` names it.
    pub(crate) fn of_statement(place: &str, error: &tokio_postgres::Error) -> Self {
        let Some(refusal) = error.as_db_error() else {
            return Self::temporary(format!(
                "{place} failed: the connection was cut: {}",
                last_cause(error)
            ));
        };
        let code = refusal.code();
        let message = format!("{place} {}", what_failed(refusal));
        Self { message, temporary: is_temporary(code) }
    }
}

/// Whether the connection is gone, so that nobody knows what became of the statement under way.
pub(crate) fn is_cut(error: &tokio_postgres::Error) -> bool {
    let severity = error.as_db_error().and_then(DbError::parsed_severity);
    error.is_closed()
        || io_error(error).is_some()
        || matches!(severity, Some(Severity::Fatal | Severity::Panic))
}

fn what_failed(refusal: &DbError) -> String {
    let code = refusal.code();
    match code {
        &SqlState::READ_ONLY_SQL_TRANSACTION => "writes; it must only read".to_owned(),
        &SqlState::SYNTAX_ERROR if refusal.message().contains("multiple commands") => {
            "has several statements; it must be one".to_owned()
        }
        &SqlState::INSUFFICIENT_PRIVILEGE => {
            format!("is not allowed{}: GRANT what is missing to its user", told(refusal))
        }
        // Of statements that were stopped, this is what time limits and people do alike.
        &SqlState::QUERY_CANCELED => "was cancelled, by statement_timeout of its user or by \
            somebody: raise the limit, or make it faster"
            .to_owned(),
        &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN => {
            "failed: the connection was ended by the server or its administrator".to_owned()
        }
        code if code.code().starts_with(ACCESS_RULE) => {
            let place = match refusal.position() {
                Some(ErrorPosition::Original(character)) => format!(" at character {character}"),
                _ => String::new(),
            };
            format!("is not valid{place}{}", told(refusal))
        }
        code => format!("failed with SQLSTATE {}{}", code.code(), told(refusal)),
    }
}

/// What the server says, where that cannot show data: it quotes names out of the statement, and else
/// values out of tables.
fn told(refusal: &DbError) -> String {
    let message = match refusal.code().code() {
        code if code.starts_with(ACCESS_RULE) => refusal.message().to_owned(),
        code if STANDARD.iter().any(|class| code.starts_with(class)) => {
            without_quoted(refusal.message())
        }
        // Of functions of the host's own, which may say anything.
        _ => return String::new(),
    };
    let digits = message.bytes().filter(u8::is_ascii_digit).count();
    match message.contains('@') || digits >= MANY_DIGITS {
        true => String::new(),
        false => format!(": {message}"),
    }
}

/// `text` with nothing between its quotes.
fn without_quoted(text: &str) -> String {
    let parts = text.split('"').enumerate();
    let kept = parts.map(|(index, part)| if index % 2 == 0 { part } else { "…" });
    kept.collect::<Vec<_>>().join("\"")
}

fn is_temporary(code: &SqlState) -> bool {
    const CLASSES: [&str; 4] = ["08", "40", "53", "57"];
    const OTHERS: [SqlState; 3] = [
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::OBJECT_IN_USE,
    ];
    CLASSES.iter().any(|class| code.code().starts_with(class)) || OTHERS.contains(code)
}

/// The error of the socket, or of TLS on it.
fn io_error(error: &tokio_postgres::Error) -> Option<&io::Error> {
    error.source().and_then(|cause| cause.downcast_ref())
}

fn is_about_certificates(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

fn last_cause(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// The class of errors in names, rights and syntax.
const ACCESS_RULE: &str = "42";

/// Classes of errors that PostgreSQL itself raises, whose texts have values in quotes only: data,
/// transactions, resources, operators.
const STANDARD: [&str; 9] = ["08", "0A", "22", "25", "40", "53", "54", "55", "57"];

const TRUST: &str = "its certificate must be issued for this host name by an authority of this \
    machine, or by one of the CA certificates that are given for it";

/// Fewer than the digits of any phone number in international form.
const MANY_DIGITS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_between_quotes_are_left_out() {
        let text = r#"invalid input syntax for type integer: "ann@example.com""#;
        assert_eq!(without_quoted(text), r#"invalid input syntax for type integer: "…""#);
        assert_eq!(without_quoted("division by zero"), "division by zero");
    }
}
