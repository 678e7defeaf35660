//! What errors of drivers mean, told without anything that may be a secret or a person's.

use adbc_core::{
    error::{Error, Status},
    options::OptionValue,
};
use arrow_schema::ArrowError;

use super::query::Query;
use crate::SourceError;

/// Texts that no error may show: values of options, and what queries compare with. And the names in
/// queries, which it may.
#[derive(Default)]
pub(super) struct Confidential {
    texts: Vec<String>,
    names: String,
}

impl Confidential {
    pub(super) fn of<'a>(options: impl Iterator<Item = &'a OptionValue>) -> Self {
        let mut confidential = Self::default();
        for value in options {
            if let OptionValue::String(text) = value {
                confidential.add(text, SHORTEST_VALUE);
                // A password inside of a URI or of a connection string.
                text.split(URI_DELIMITERS).for_each(|part| confidential.add(part, SHORTEST_VALUE));
            }
        }
        confidential
    }

    /// Adds a query that may be at fault.
    pub(super) fn add_query(&mut self, query: &Query) {
        query.texts.iter().for_each(|text| self.add(text, SHORTEST_TEXT));
        self.names.push_str(&query.names);
    }

    fn add(&mut self, text: &str, shortest: usize) {
        let text = text.trim().to_lowercase();
        if text.chars().count() >= shortest {
            self.texts.push(text);
        }
    }

    fn is_name(&self, text: &str) -> bool {
        !text.is_empty() && self.names.contains(text)
    }

    fn is_in(&self, message: &str) -> bool {
        let message = message.to_lowercase();
        self.texts.iter().any(|text| message.contains(text))
    }
}

/// Why a call of the driver failed; `place` says what was tried.
pub(super) fn explain(place: &str, error: &Error, confidential: &Confidential) -> SourceError {
    let what = match error.status {
        _ if is_refused_login(error) => "failed: the user or the password is wrong",
        Status::Unauthorized => "is not allowed: GRANT what is missing to its user",
        Status::Timeout => "failed: it took too long",
        Status::Cancelled => "was cancelled",
        _ => "failed",
    };
    let code = sqlstate(error).map(|code| format!(" with SQLSTATE {code}")).unwrap_or_default();
    let message = format!("{place} {what}{code}{}", told_of(error, confidential));
    match is_temporary(error) {
        true => SourceError::temporary(message),
        false => SourceError::permanent(message),
    }
}

/// Why a result ended early. Drivers give a text here and no status.
pub(super) fn explain_broken(
    place: &str,
    error: &ArrowError,
    confidential: &Confidential,
) -> SourceError {
    let message = match error {
        ArrowError::CDataInterface(message) => message.as_str(),
        _ => "",
    };
    let said = message.split_once("Producer error: ").map_or("", |(_, said)| said);
    SourceError::temporary(format!(
        "{place} broke off before its end{}",
        told(&without_data(said, confidential), confidential)
    ))
}

/// What the driver says, as the end of a message.
pub(super) fn told_of(error: &Error, confidential: &Confidential) -> String {
    // Errors in names and syntax quote the statement; all others may quote data.
    if sqlstate(error).is_some_and(|code| code.starts_with(ACCESS_RULE)) {
        return told(&error.message, confidential);
    }
    told(&without_data(&error.message, confidential), confidential)
}

fn told(message: &str, confidential: &Confidential) -> String {
    // What follows the first line are excerpts of statements and files.
    let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if line.is_empty() {
        return String::new();
    }
    if line.contains('@') || has_long_number(line) || confidential.is_in(line) {
        return " (what the driver says is not shown, since it may be confidential)".to_owned();
    }
    let shown: String = line.chars().take(LONGEST_TOLD).collect();
    format!(": {shown}")
}

/// `message` with `…` in place of everything in quotes that is not a name in the query.
fn without_data(message: &str, confidential: &Confidential) -> String {
    let mut kept = String::new();
    let mut rest = message;
    while let Some(at) = rest.find(['"', '`', '\'']) {
        let (before, quoted) = rest.split_at(at);
        kept.push_str(before);
        let (quote, inside) = quoted.split_at(1);
        rest = inside;
        kept.push_str(quote);
        // Not the apostrophe of "doesn't".
        if !before.ends_with(char::is_alphanumeric) {
            let (text, after) = inside.split_once(quote).unwrap_or((inside, ""));
            kept.push_str(if confidential.is_name(text) { text } else { "…" });
            kept.push_str(quote);
            rest = after;
        }
    }
    kept + rest
}

fn has_long_number(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() >= MANY_DIGITS)
}

/// The five characters, where the driver gives them.
fn sqlstate(error: &Error) -> Option<String> {
    let code: String = error.sqlstate.iter().map(|c| char::from(c.cast_unsigned())).collect();
    let given = code.bytes().all(|byte| byte.is_ascii_alphanumeric()) && code != "00000";
    given.then_some(code)
}

/// Some drivers have no other way to say so than a text.
fn is_refused_login(error: &Error) -> bool {
    let said = error.message.to_lowercase();
    error.status == Status::Unauthenticated || REFUSED_LOGIN.iter().any(|text| said.contains(text))
}

fn is_temporary(error: &Error) -> bool {
    match sqlstate(error) {
        _ if is_refused_login(error) => false,
        Some(code) => TEMPORARY.iter().any(|class| code.starts_with(class)),
        None => matches!(error.status, Status::IO | Status::Timeout | Status::Cancelled),
    }
}

/// Connections, rollbacks, resources, objects in use, operators' interventions, the system.
const TEMPORARY: [&str; 6] = ["08", "40", "53", "55", "57", "58"];

const ACCESS_RULE: &str = "42";

/// In the words of PostgreSQL, Snowflake, MySQL and most others.
const REFUSED_LOGIN: [&str; 4] = [
    "authentication failed",
    "incorrect username or password",
    "access denied for user",
    "invalid credentials",
];

const URI_DELIMITERS: [char; 9] = [':', '/', '@', '?', '&', '=', ';', ' ', ','];

/// Shorter ones are ports, flags and words that every message has.
const SHORTEST_VALUE: usize = 5;
const SHORTEST_TEXT: usize = 3;
/// Fewer than the digits of any phone number in international form.
const MANY_DIGITS: usize = 6;
const LONGEST_TOLD: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: Status, sqlstate: &str, message: &str) -> Error {
        let mut error = Error::with_message_and_status(message, status);
        for (place, byte) in error.sqlstate.iter_mut().zip(sqlstate.bytes()) {
            *place = byte.cast_signed();
        }
        error
    }

    #[test]
    fn a_state_of_sql_decides_before_the_status() {
        for (status, sqlstate, temporary) in [
            (Status::IO, "", true),
            (Status::IO, "42703", false),
            (Status::Internal, "57P01", true),
            (Status::Internal, "00000", false),
            (Status::Timeout, "", true),
            (Status::Unauthenticated, "", false),
            (Status::InvalidArguments, "08006", true),
            (Status::Unauthenticated, "08006", false),
        ] {
            let told = explain("it", &error(status, sqlstate, ""), &Confidential::default());
            assert_eq!(told.is_temporary(), temporary, "{status:?} {sqlstate}");
        }
    }

    #[test]
    fn names_are_shown_and_data_are_not() {
        let told = |sqlstate, message| {
            let error = error(Status::Internal, sqlstate, message);
            explain("it", &error, &Confidential::default()).to_string()
        };
        let wrong_name = told("42703", "column \"emial\" does not exist\nLINE 1: SELECT emial");
        assert_eq!(wrong_name, r#"it failed with SQLSTATE 42703: column "emial" does not exist"#);
        let wrong_value = told("", "can't read 'Ann Smith' as a number");
        assert_eq!(wrong_value, "it failed: can't read '…' as a number");
        assert!(!told("42000", "near ann@example.com").contains("ann"));
        assert!(!told("", "no +491701234567 there").contains("4917"));
    }

    #[test]
    fn options_and_texts_of_the_query_are_not_shown() {
        let uri = OptionValue::String("postgresql://bob:s3cret@host:5432/db".to_owned());
        let mut confidential = Confidential::of([&uri].into_iter());
        let query = "SELECT email FROM people WHERE town = 'Ghent' AND x = 'y'";
        confidential.add_query(&Query::parse(query));
        for message in ["no s3cret", "no S3CRET there", "near Ghent", "of postgresql"] {
            let told = explain("it", &error(Status::IO, "", message), &confidential).to_string();
            assert!(told.ends_with("may be confidential)"), "{told}");
        }
        let told = explain("it", &error(Status::IO, "", "no route"), &confidential).to_string();
        assert_eq!(told, "it failed: no route");
        let message = "no \"emails\" like \"email\"";
        let told = explain("it", &error(Status::IO, "", message), &confidential).to_string();
        assert_eq!(told, "it failed: no \"…\" like \"email\"");
    }

    #[test]
    fn a_result_that_breaks_off_is_told_without_data() {
        let error = ArrowError::CDataInterface(
            "Cannot get next batch from input stream. Error code: 5. Producer error: no \"Ann\""
                .into(),
        );
        let told = explain_broken("it", &error, &Confidential::default());
        assert_eq!(told.to_string(), "it broke off before its end: no \"…\"");
        assert!(told.is_temporary());
    }
}
