//! What the service's answers mean for members and runs. Pure.

use dotdigital_client::{
    Error, ErrorKind,
    imports::{FailureCode, ImportFailure, ImportState, ImportStatus, ImportedContact},
    list_members::RemovalState,
};

use super::convert::{contact_id, identifiers, texts};
use crate::{
    BatchMember, CONTACT_NOT_FOUND, ContactId, DestinationError, DestinationErrorKind, Identifier,
    MemberOutcome, MemberRef, Operation, Settlement,
};

/// The cause where the service answered, and showed the identifier that was to be changed.
const NOT_CHANGED: &str = "identifier_not_changed";

/// What a single call came to.
pub(super) enum Single {
    /// Something is known of the member.
    Outcome(MemberOutcome),
    /// The rest of the batch must not be tried now.
    Stop { outcome: MemberOutcome, error: DestinationError },
}

impl Single {
    /// The service put `found` on the list, when `wanted` was asked for if that was known.
    pub(super) fn acknowledged_as(wanted: Option<ContactId>, found: Option<ContactId>) -> Self {
        Self::Outcome(match (wanted, found) {
            (Some(wanted), Some(found)) if wanted != found => {
                MemberOutcome::Conflict { cause: "another_contact_answered".to_owned() }
            }
            _ => MemberOutcome::Acknowledged { contact: found },
        })
    }

    /// The service showed `found` with these addresses, when the contact of `member` was to get the
    /// identifier of `member`.
    pub(super) fn moved_as(
        member: &BatchMember,
        found: Option<ContactId>,
        shown: impl Iterator<Item = Identifier>,
    ) -> Self {
        let wanted = member.identifier.as_ref();
        let mut of_its_kind =
            shown.filter(|one| Some(one.kind()) == wanted.map(Identifier::kind)).peekable();
        // What is not shown is not contradicted.
        if of_its_kind.peek().is_some() && !of_its_kind.any(|one| Some(&one) == wanted) {
            return Self::Outcome(MemberOutcome::Retry { cause: NOT_CHANGED.to_owned() });
        }
        Self::acknowledged_as(member.contact, found)
    }

    /// There is no such contact.
    pub(super) fn no_contact() -> Self {
        Self::Outcome(MemberOutcome::Hold { cause: CONTACT_NOT_FOUND.to_owned() })
    }

    /// The call failed.
    pub(super) fn failed(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Conflict if !error.is_temporary() => {
                Self::Outcome(MemberOutcome::Conflict { cause: cause(&error) })
            }
            ErrorKind::Rejected | ErrorKind::NotFound
                if !error.is_temporary() && !is_list_gone(&error) =>
            {
                Self::Outcome(MemberOutcome::Hold { cause: cause(&error) })
            }
            _ => {
                let outcome = if error.may_have_acted() {
                    MemberOutcome::Unknown { cause: "no_answer".to_owned() }
                } else {
                    MemberOutcome::Retry { cause: cause(&error) }
                };
                Self::Stop { outcome, error: failed_list_call(error) }
            }
        }
    }
}

/// A failed call in the engine's words.
pub(super) fn failed_call(error: Error) -> DestinationError {
    let kind = match error.kind() {
        _ if error.may_have_acted() => DestinationErrorKind::Unknown,
        ErrorKind::Throttled { until } => DestinationErrorKind::Unavailable { until },
        _ if error.is_temporary() => DestinationErrorKind::Unavailable { until: None },
        ErrorKind::Rejected | ErrorKind::Conflict | ErrorKind::NotFound => {
            DestinationErrorKind::Refused { code: cause(&error) }
        }
        _ => DestinationErrorKind::Configuration,
    };
    let message = match error.kind() {
        ErrorKind::Unauthorised => "the service refused the credentials",
        ErrorKind::WrongRegion => "the account lives in another region, or lacks the right",
        _ => "a call to Dotdigital failed",
    };
    DestinationError::new(kind, message).caused_by(error)
}

/// As [`failed_call`], for calls whose path or body names a list.
pub(super) fn failed_list_call(error: Error) -> DestinationError {
    let (kind, message) = match error.code() {
        Some("ERROR_ADDRESSBOOK_DUPLICATE") => {
            (DestinationErrorKind::NameTaken, "the list's name is taken")
        }
        Some("ERROR_ADDRESSBOOK_LIMITEXCEEDED") => {
            (DestinationErrorKind::Configuration, "the account may have no more lists")
        }
        Some("ERROR_ADDRESSBOOK_NOTWRITABLE") => {
            (DestinationErrorKind::Configuration, "the list belongs to the system")
        }
        _ if is_list_gone(&error) => (DestinationErrorKind::ListGone, "the list no longer exists"),
        _ => return failed_call(error),
    };
    DestinationError::new(kind, message).caused_by(error)
}

/// What an import's status says of its contacts.
pub(super) fn import_settlement(
    status: Result<ImportStatus, Error>,
    operation: Operation,
) -> Result<Settlement, DestinationError> {
    let status = match status {
        Ok(status) => status,
        // The service has forgotten the import: nothing can be learnt any more.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(unknown("import_not_found"));
        }
        Err(error) => return Err(failed_call(error)),
    };
    Ok(match status.state {
        ImportState::NotFinished => Settlement::Pending,
        ImportState::Finished => Settlement::Each(each_contact(&status, operation)),
        // A matter for the vendor's support: sending it again would be rejected again.
        ImportState::RejectedByWatchdog => {
            Settlement::All(MemberOutcome::Hold { cause: "rejected_by_watchdog".to_owned() })
        }
        ImportState::ExceedsAllowedContactLimit => unknown("exceeds_allowed_contact_limit"),
        _ => unknown("import_failed"),
    })
}

/// What a removal job's status says of its contacts.
pub(super) fn removal_settlement(
    state: Result<RemovalState, Error>,
) -> Result<Settlement, DestinationError> {
    match state {
        Ok(RemovalState::Started) => Ok(Settlement::Pending),
        Ok(RemovalState::Completed) => {
            Ok(Settlement::All(MemberOutcome::Acknowledged { contact: None }))
        }
        // One unknown contact may fail the whole job.
        Ok(_) => Ok(Settlement::Refused { code: "removal_failed".to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(unknown("removal_not_found")),
        Err(error) => Err(failed_call(error)),
    }
}

fn each_contact(status: &ImportStatus, operation: Operation) -> Vec<(MemberRef, MemberOutcome)> {
    // Failures first, since a contact that was created or updated may also be listed as failed
    // because of something beside it, and the last mention counts.
    let failed = status.failures.iter().flat_map(failure);
    let done = status.created.iter().chain(&status.updated);
    failed.chain(done.flat_map(|contact| imported(contact, operation))).collect()
}

fn imported(contact: &ImportedContact, operation: Operation) -> Vec<(MemberRef, MemberOutcome)> {
    let Some(id) = contact_id(contact.contact_id) else { return Vec::new() };
    let outcome = MemberOutcome::Acknowledged { contact: Some(id) };
    // A contact that is shown without the new address was not moved, so where any is shown, the
    // contact id alone says nothing.
    let is_enough = operation != Operation::Move || texts(&contact.identifiers).next().is_none();
    let by_identifier = identifiers(id, &contact.identifiers).into_iter();
    by_identifier
        .map(MemberRef::Identifier)
        .chain(is_enough.then_some(MemberRef::Contact(id)))
        .map(|member| (member, outcome.clone()))
        .collect()
}

fn failure(failure: &ImportFailure) -> Vec<(MemberRef, MemberOutcome)> {
    let code = failure.failures.first().map(|detail| &detail.code);
    let outcome = failed_outcome(code);
    let contact = failure.contact_id.and_then(contact_id);
    let by_identifier = identifiers_of(failure, contact).into_iter().map(MemberRef::Identifier);
    by_identifier
        .chain(contact.map(MemberRef::Contact))
        .map(|member| (member, outcome.clone()))
        .collect()
}

fn identifiers_of(failure: &ImportFailure, contact: Option<ContactId>) -> Vec<Identifier> {
    let contact = contact.or_else(|| failure.identifiers.contact_id.and_then(contact_id));
    match contact {
        Some(contact) => identifiers(contact, &failure.identifiers),
        None => texts(&failure.identifiers).collect(),
    }
}

/// Permanent faults of a contact are held; what every contact would meet stops the run; other faults
/// come back.
fn failed_outcome(code: Option<&FailureCode>) -> MemberOutcome {
    let Some(code) = code else {
        return MemberOutcome::Retry { cause: "failed_without_a_code".to_owned() };
    };
    let cause = snake_case(code.as_str());
    match code {
        FailureCode::ContactNotFound | FailureCode::InvalidContactId => {
            MemberOutcome::Hold { cause: CONTACT_NOT_FOUND.to_owned() }
        }
        FailureCode::Duplicate | FailureCode::DuplicateIdentifier => {
            MemberOutcome::Conflict { cause }
        }
        FailureCode::InvalidAddressBookIds | FailureCode::InvalidMatchIdentifier => {
            MemberOutcome::Misconfigured { cause }
        }
        FailureCode::Blocker
        | FailureCode::GloballySuppressed
        | FailureCode::InvalidDomain
        | FailureCode::InvalidEmail
        | FailureCode::InvalidPhoneNumber
        | FailureCode::NoValidIdentifiers
        | FailureCode::SuppressedByDomain => MemberOutcome::Hold { cause },
        _ => MemberOutcome::Retry { cause },
    }
}

fn unknown(cause: &str) -> Settlement {
    Settlement::All(MemberOutcome::Unknown { cause: cause.to_owned() })
}

fn is_list_gone(error: &Error) -> bool {
    error.code() == Some("ERROR_ADDRESSBOOK_NOT_FOUND")
}

/// The service's code, or else its status, in the spelling of reports.
fn cause(error: &Error) -> String {
    match (error.code(), error.status()) {
        (Some(code), _) => code.to_owned(),
        (None, Some(status)) => format!("http_{status}"),
        (None, None) => "not_sent".to_owned(),
    }
}

/// `InvalidEmail` and `invalidEmail` become `invalid_email`: the service is not of one mind.
fn snake_case(code: &str) -> String {
    let mut snake = String::with_capacity(code.len() + 4);
    for (index, character) in code.chars().enumerate() {
        if character.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_consequence() {
        let outcome = |code: &str| failed_outcome(Some(&FailureCode::from(code)));
        for (code, cause) in [
            ("InvalidEmail", "invalid_email"),
            ("invalidEmail", "invalid_email"),
            ("GloballySuppressed", "globally_suppressed"),
            ("SuppressedByDomain", "suppressed_by_domain"),
            ("contactNotFound", CONTACT_NOT_FOUND),
            ("InvalidContactId", CONTACT_NOT_FOUND),
        ] {
            assert_eq!(outcome(code), MemberOutcome::Hold { cause: cause.into() }, "{code}");
        }
        for (code, cause) in
            [("duplicateIdentifier", "duplicate_identifier"), ("Duplicate", "duplicate")]
        {
            assert_eq!(outcome(code), MemberOutcome::Conflict { cause: cause.into() }, "{code}");
        }
        for (code, cause) in [
            ("InvalidAddressBookIds", "invalid_address_book_ids"),
            ("InvalidMatchIdentifier", "invalid_match_identifier"),
        ] {
            let expected = MemberOutcome::Misconfigured { cause: cause.into() };
            assert_eq!(outcome(code), expected, "{code}");
        }
        for (code, cause) in
            [("ApiSchemaViolation", "api_schema_violation"), ("somethingNew", "something_new")]
        {
            assert_eq!(outcome(code), MemberOutcome::Retry { cause: cause.into() }, "{code}");
        }
    }

    #[test]
    fn a_contact_stored_in_part_counts_as_done() {
        let status: ImportStatus = serde_json::from_str(
            r#"{"importId":"i","status":"Finished",
                "updated":[{"contactId":7,"identifiers":{"email":"Jane@Example.com"}}],
                "failures":[{"contactId":7,"identifiers":{"email":"jane@example.com"},
                    "failures":[{"failureCode":"consentRecordsNotApplied","description":""}]}]}"#,
        )
        .unwrap();
        let outcomes: std::collections::HashMap<_, _> =
            each_contact(&status, Operation::Add).into_iter().collect();
        let jane = crate::IdentifierKind::Email.normalise(b"jane@example.com").unwrap();
        let acknowledged = MemberOutcome::Acknowledged { contact: ContactId::new(7) };
        assert_eq!(outcomes[&MemberRef::Identifier(jane)], acknowledged);
    }

    #[test]
    fn another_contact_than_asked_for_is_not_taken_for_done() {
        let Single::Outcome(outcome) =
            Single::acknowledged_as(ContactId::new(1), ContactId::new(2))
        else {
            panic!("an outcome");
        };
        assert!(matches!(outcome, MemberOutcome::Conflict { .. }));
    }
}
