//! Why a contact was refused, in the words of an import's report.

use crate::simulator::switches::FailureCodeCase;

/// Why a contact was not changed, or not as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum UpsertFault {
    InvalidEmail,
    InvalidDomain,
    InvalidPhoneNumber,
    UnknownIdentifierName,
    InvalidCustomValue,
    NoMatchIdentifier,
    UnknownContactId,
    NoIdentifiers,
    Conflict,
    DuplicateInImport,
    GloballySuppressed,
    SuppressedByDomain,
    Blocked,
    BadLists,
    UnknownDataField,
    MistypedDataField,
    UnknownPreference,
    ChannelNotHeld,
    ConsentNotApplied,
    TooManyContacts,
}

impl UpsertFault {
    /// The code in an import's report.
    pub(in crate::simulator) fn code(self, case: FailureCodeCase) -> String {
        let code = self.camel_code();
        match (case, self) {
            (FailureCodeCase::Camel, _) => code.to_owned(),
            (FailureCodeCase::Pascal, Self::Conflict | Self::DuplicateInImport) => {
                "Duplicate".to_owned()
            }
            (FailureCodeCase::Pascal, _) => {
                let (first, rest) = code.split_at(1);
                first.to_ascii_uppercase() + rest
            }
        }
    }

    /// The code in the spelling of the vendor's description.
    pub(in crate::simulator) fn camel_code(self) -> &'static str {
        match self {
            Self::InvalidEmail => "invalidEmail",
            Self::InvalidDomain => "invalidDomain",
            Self::InvalidPhoneNumber => "invalidPhoneNumber",
            Self::UnknownIdentifierName | Self::InvalidCustomValue => "apiSchemaViolation",
            Self::NoMatchIdentifier => "invalidMatchIdentifier",
            Self::UnknownContactId => "invalidContactId",
            Self::NoIdentifiers => "noValidIdentifiers",
            Self::Conflict | Self::DuplicateInImport => "duplicateIdentifier",
            Self::GloballySuppressed => "globallySuppressed",
            Self::SuppressedByDomain => "suppressedByDomain",
            Self::Blocked => "blocker",
            Self::BadLists => "invalidAddressBookIds",
            Self::UnknownDataField | Self::MistypedDataField | Self::UnknownPreference => {
                "invalidContact"
            }
            Self::ChannelNotHeld => "invalidContactStatus",
            Self::ConsentNotApplied => "consentRecordsNotApplied",
            Self::TooManyContacts => "exceedsAllowedContactLimit",
        }
    }

    pub(in crate::simulator) fn description(self) -> &'static str {
        match self {
            Self::InvalidEmail => "Invalid value for 'email'",
            Self::InvalidDomain => "The domain of 'email' does not exist",
            Self::InvalidPhoneNumber => "Invalid value for 'mobileNumber'",
            Self::UnknownIdentifierName => "An identifier of that name does not exist",
            Self::InvalidCustomValue => "A custom identifier is a text of 1 to 256 characters",
            Self::NoMatchIdentifier => "The match identifier is not among the identifiers",
            Self::UnknownContactId => "No contact has that contactId",
            Self::NoIdentifiers => "A contact needs an email or a mobileNumber",
            Self::Conflict => "An identifier belongs to another contact",
            Self::DuplicateInImport => "An identifier occurs more than once in the import",
            Self::GloballySuppressed => "The contact is globally suppressed",
            Self::SuppressedByDomain => "The domain of 'email' is suppressed",
            Self::Blocked => "The address is blocked",
            Self::BadLists => "A list does not exist or cannot be written to",
            Self::UnknownDataField => "A data field of that name does not exist",
            Self::MistypedDataField => "The value of a data field does not fit its type",
            Self::UnknownPreference => "A preference does not exist",
            Self::ChannelNotHeld => "The contact has no address for that channel",
            Self::ConsentNotApplied => "The consent records could not be applied",
            Self::TooManyContacts => "The account may not have that many contacts",
        }
    }

    /// Whether the value or the name of an identifier is at fault.
    pub(in crate::simulator) fn is_about_an_identifier(self) -> bool {
        matches!(
            self,
            Self::InvalidEmail
                | Self::InvalidDomain
                | Self::InvalidPhoneNumber
                | Self::UnknownIdentifierName
                | Self::InvalidCustomValue
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_spelled_as_the_description_or_as_the_reference_page_does() {
        let spell = |fault: UpsertFault| {
            (fault.code(FailureCodeCase::Camel), fault.code(FailureCodeCase::Pascal))
        };
        let pair = |camel: &str, pascal: &str| (camel.to_owned(), pascal.to_owned());
        assert_eq!(
            spell(UpsertFault::BadLists),
            pair("invalidAddressBookIds", "InvalidAddressBookIds")
        );
        assert_eq!(spell(UpsertFault::Conflict), pair("duplicateIdentifier", "Duplicate"));
    }
}
