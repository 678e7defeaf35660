//! What became of an import.

use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::{contacts::Identifiers, decode, ids::ContactId, service_enum::service_enum};

service_enum! {
    /// How far an import has come.
    ImportState {
        /// At work.
        NotFinished = "NotFinished",
        /// Done. Single contacts may still have failed.
        Finished = "Finished",
        /// Refused as a whole for the quality of its data. Only the vendor can help; never hand
        /// the same contacts in again.
        RejectedByWatchdog = "RejectedByWatchdog",
        /// Failed as a whole.
        Failed = "Failed",
        /// The account may not have that many contacts.
        ExceedsAllowedContactLimit = "ExceedsAllowedContactLimit",
        /// The service could not read what was handed in. Documented for v2 only.
        InvalidFileFormat = "InvalidFileFormat",
        /// The service cannot tell. Documented for v2 only.
        Unknown = "Unknown",
        /// The service cannot tell in this version. Documented for v2 only.
        NotAvailableInThisVersion = "NotAvailableInThisVersion",
    }
}

impl ImportState {
    /// Whether the import has ended. A state that this crate does not know counts as ended, as
    /// all those seen so far were.
    pub fn is_terminal(&self) -> bool {
        *self != Self::NotFinished
    }
}

service_enum! {
    /// Why a contact, or a part of what was to be stored with it, was refused.
    FailureCode {
        /// The request did not have the documented form.
        ApiSchemaViolation = "ApiSchemaViolation",
        /// The contact is blocked.
        Blocker = "Blocker",
        /// An identifier belongs to another contact, or stands twice in the import.
        Duplicate = "Duplicate",
        /// The same in the words of the vendor's description.
        DuplicateIdentifier = "duplicateIdentifier",
        /// On the vendor's own list of people who must not be written to.
        GloballySuppressed = "GloballySuppressed",
        /// Not an address.
        InvalidEmail = "InvalidEmail",
        /// Not a contact id of the account.
        InvalidContactId = "InvalidContactId",
        /// Not a phone number.
        InvalidPhoneNumber = "InvalidPhoneNumber",
        /// The address's domain is not acceptable.
        InvalidDomain = "InvalidDomain",
        /// Something about the contact is wrong.
        InvalidContact = "InvalidContact",
        /// A list does not exist or cannot be written to.
        InvalidAddressBookIds = "InvalidAddressBookIds",
        /// The identifier to match on is unknown or missing.
        InvalidMatchIdentifier = "InvalidMatchIdentifier",
        /// A channel status is wrong.
        InvalidContactStatus = "InvalidContactStatus",
        /// None of the identifiers can be used.
        NoValidIdentifiers = "NoValidIdentifiers",
        /// The address's domain is suppressed.
        SuppressedByDomain = "SuppressedByDomain",
        /// The contact was stored, its consent records were not.
        ConsentRecordsNotApplied = "consentRecordsNotApplied",
        /// The account has no such contact.
        ContactNotFound = "contactNotFound",
    }
}

impl FailureCode {
    /// Whether the person or her domain must not be written to, by the decision of the vendor or of
    /// the account. Trying again changes nothing.
    pub fn is_suppression(&self) -> bool {
        matches!(self, Self::Blocker | Self::GloballySuppressed | Self::SuppressedByDomain)
    }

    /// Whether an identifier belongs to another contact, or stands twice in the import. The service
    /// has two words for it.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate | Self::DuplicateIdentifier)
    }
}

/// What the service tells about an import.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ImportStatus {
    /// How far it has come.
    #[serde(alias = "Status", rename = "status")]
    pub state: ImportState,
    /// Counts, once it has ended.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub summary: Option<ImportSummary>,
    /// Contacts that are new.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub created: Vec<ImportedContact>,
    /// Contacts that the account had already.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub updated: Vec<ImportedContact>,
    /// Contacts with which something went wrong. One of them may be among the others too, when
    /// it was stored and only a part of it was refused.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub failures: Vec<ImportFailure>,
}

/// Counts of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ImportSummary {
    /// Contacts that are new.
    #[serde(deserialize_with = "decode::count")]
    pub new_contacts: u64,
    /// Contacts that the account had already.
    #[serde(deserialize_with = "decode::count")]
    pub updated_contacts: u64,
    /// Contacts on the vendor's own list of people who must not be written to.
    #[serde(deserialize_with = "decode::count")]
    pub globally_suppressed: u64,
    /// Contacts that were not valid.
    #[serde(deserialize_with = "decode::count")]
    pub invalid_entries: u64,
    /// Contacts whose identifier belongs to another one.
    #[serde(deserialize_with = "decode::count")]
    pub duplicate_identifiers: u64,
}

/// A contact that an import stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImportedContact {
    /// Its id. Keep it: taking the contact off a list needs it.
    pub contact_id: ContactId,
    /// What it is recognised by, perhaps in another spelling than was handed in.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub identifiers: Identifiers,
}

/// A contact with which something went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImportFailure {
    /// Its id, if it exists.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub contact_id: Option<ContactId>,
    /// The name of the identifier that the contact was found by.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub match_identifier: String,
    /// What was handed in.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub identifiers: Identifiers,
    /// What went wrong.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub failures: Vec<FailureDetail>,
}

/// One thing that went wrong with a contact.
///
/// `Debug` leaves out the description, which may repeat the address.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct FailureDetail {
    /// What it was. An empty word when the service does not tell.
    #[serde(default = "no_code", rename = "failureCode", deserialize_with = "code")]
    pub code: FailureCode,
    /// The service's own words.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub description: String,
}

/// One row without a code must not make the whole report unreadable.
fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FailureCode, D::Error> {
    Ok(decode::lenient(deserializer)?.unwrap_or_else(no_code))
}

fn no_code() -> FailureCode {
    FailureCode::Other(String::new())
}

impl fmt::Debug for FailureDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailureDetail").field("code", &self.code).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_whatever_their_case_and_unknown_ones_are_kept() {
        assert_eq!(FailureCode::from("invalidEmail"), FailureCode::InvalidEmail);
        assert_eq!(FailureCode::from("DUPLICATE"), FailureCode::Duplicate);
        assert_eq!(FailureCode::from("brandNew"), FailureCode::Other("brandNew".into()));
    }

    #[test]
    fn only_an_import_at_work_is_not_terminal() {
        assert!(!ImportState::from("notfinished").is_terminal());
        for ended in ["Finished", "RejectedByWatchdog", "Failed", "InvalidFileFormat"] {
            assert!(ImportState::from(ended).is_terminal(), "{ended}");
        }
    }

    #[test]
    fn a_young_import_has_a_state_only() {
        let status: ImportStatus =
            serde_json::from_str(r#"{"importId":"x","status":"NotFinished","created":null}"#)
                .unwrap();
        assert_eq!(status.state, ImportState::NotFinished);
        assert!(status.summary.is_none() && status.created.is_empty());
    }

    #[test]
    fn a_failure_shows_its_code_and_nobody_s_address() {
        let failure: ImportFailure = serde_json::from_str(
            r#"{"contactId":"5","matchIdentifier":"email","identifiers":{"email":"bob@a@example.com"},
                "failures":[{"failureCode":"invalidEmail","description":"bob@a@example.com is bad"}]}"#,
        )
        .unwrap();
        let shown = format!("{failure:?}");
        assert!(shown.contains("InvalidEmail") && !shown.contains("bob"), "{shown}");
        assert_eq!(failure.contact_id.map(ContactId::get), Some(5));
    }
}
