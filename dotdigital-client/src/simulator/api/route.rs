//! Which endpoint a request is for.

mod endpoints;

use percent_encoding::percent_decode_str;

use self::endpoints::ENDPOINTS;
use super::enrolments;
use crate::{simulator::ledger::SimulatedTier as Tier, transport::Method};

/// What the service is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Operation {
    AccountInfo,
    ServerTime,
    CustomIdentifiers,
    CreateCustomIdentifier,
    DeleteCustomIdentifier,
    DataFields,
    CreateDataField,
    DeleteDataField,
    CreateList,
    Lists,
    GetList,
    UpdateList,
    DeleteList,
    Members,
    ModifiedMembers,
    AddMember,
    RemoveMember,
    RemoveMembers,
    RemovalStatus,
    EmptyList,
    EmptyListJob,
    Import,
    ImportStatus,
    Contacts,
    CreateContact,
    GetContact,
    UpdateContact,
    ReplaceContact,
    DeleteContact,
    DeleteContacts,
    DeleteStatus,
    DeleteContactV2,
    EmptyBin,
    UnsubscribeFromList,
    Unsubscribe,
    ResubscribeToList,
    ResubscribeToListAtOnce,
    Resubscribe,
    ResubscribeAtOnce,
    Suppress,
    PrivateLists,
    PublicLists,
    ListCampaigns,
    UnsubscribedFromList,
    SuppressedSince,
    UnsubscribedSince,
    Subscriptions,
    Preferences,
    PreferencesSince,
    CreatePreference,
    UpdatePreference,
    DeletePreference,
    ContactPreferences,
    SetContactPreferences,
    WithPreference,
    OptInsSince,
    WithPreferenceOnList,
    OptInsSinceOnList,
    Programs,
    GetProgram,
    Enrol,
    Enrolments,
    GetEnrolment,
    EnrolmentFaults,
    Segments,
    RefreshSegment,
    SegmentRefresh,
    InsightImport,
    InsightImportStatus,
    InsightJob,
    Collections,
    CreateCollection,
    DeleteCollection,
    EmptyCollection,
    CollectionSchema,
    AccountCollections,
    ContactCollections,
    AccountRecords,
    RecordsOfAllContacts,
    ContactRecords,
    GetAccountRecord,
    PutAccountRecord,
    DeleteAccountRecord,
    DeleteAccountRecords,
    DeleteContactRecords,
    EmptyContactCollection,
    GetContactRecord,
    PutContactRecord,
    DeleteContactRecord,
    Unknown,
    UnknownV3,
}

/// One endpoint of the service.
#[derive(Debug)]
pub(in crate::simulator) struct Endpoint {
    /// Method and path, a parameter in braces.
    pub(in crate::simulator) template: &'static str,
    pub(in crate::simulator) operation: Operation,
    pub(in crate::simulator) tier: Tier,
    /// Whether a list sync must never call it.
    pub(in crate::simulator) forbidden: bool,
}

/// An endpoint and the values of its path's parameters.
#[derive(Debug)]
pub(in crate::simulator) struct Matched {
    pub(in crate::simulator) endpoint: &'static Endpoint,
    pub(in crate::simulator) args: Vec<String>,
}

/// Finds the endpoint. Slashes at the end and doubled ones do not count, as at the service: a
/// removal without its contact id is therefore the call that empties the list.
pub(in crate::simulator) fn route(method: Method, path: &str) -> Matched {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    ENDPOINTS
        .iter()
        .find_map(|endpoint| Some(Matched { endpoint, args: endpoint.args(method, &segments)? }))
        .unwrap_or_else(|| {
            let v3 = segments.get(1) == Some(&"v3");
            Matched { endpoint: if v3 { &UNKNOWN_V3 } else { &UNKNOWN }, args: Vec::new() }
        })
}

/// Method and path of every endpoint there is.
pub(in crate::simulator) fn endpoints() -> Vec<&'static str> {
    ENDPOINTS.iter().map(|endpoint| endpoint.template).collect()
}

impl Endpoint {
    const fn safe(template: &'static str, operation: Operation, tier: Tier) -> Self {
        Self { template, operation, tier, forbidden: false }
    }

    const fn danger(template: &'static str, operation: Operation, tier: Tier) -> Self {
        Self { template, operation, tier, forbidden: true }
    }

    /// Whether errors come in the shape of the v3 services.
    pub(in crate::simulator) fn is_v3(&self) -> bool {
        self.operation == Operation::UnknownV3
            || self.template.contains(" /contacts/v3")
            || self.template.contains(" /configuration/v3")
            || self.template.contains(" /insightData/v3")
    }

    /// The service that takes imports of this kind, as its error codes begin.
    pub(in crate::simulator) fn service(&self) -> &'static str {
        if self.template.contains(" /insightData/") { "insightData" } else { "contacts" }
    }

    /// Whether every region's host answers for every account.
    pub(in crate::simulator) fn answers_in_any_region(&self) -> bool {
        self.operation == Operation::AccountInfo
    }

    fn args(&self, method: Method, segments: &[&str]) -> Option<Vec<String>> {
        let path = self.template.strip_prefix(method.as_str())?.strip_prefix(" /")?;
        let pattern: Vec<&str> = path.split('/').collect();
        if pattern.len() != segments.len() {
            return None;
        }
        let mut args = Vec::new();
        for (expected, segment) in pattern.iter().zip(segments) {
            if *expected == "{status}" && !enrolments::is_status(segment) {
                return None;
            } else if expected.starts_with('{') {
                args.push(percent_decode_str(segment).decode_utf8_lossy().into_owned());
            } else if expected != segment {
                return None;
            }
        }
        Some(args)
    }
}

static UNKNOWN: Endpoint = Endpoint::safe("unknown", Operation::Unknown, Tier::High);
static UNKNOWN_V3: Endpoint = Endpoint::safe("unknown", Operation::UnknownV3, Tier::High);

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: Method, path: &str) -> Operation {
        route(method, path).endpoint.operation
    }

    #[test]
    fn a_literal_path_wins_over_a_pattern() {
        assert_eq!(operation(Method::Get, "/contacts/v3/import/1"), Operation::ImportStatus);
        assert_eq!(operation(Method::Get, "/contacts/v3/email/1"), Operation::GetContact);
    }

    #[test]
    fn a_removal_without_its_contact_id_empties_the_list() {
        let path = "/v2/address-books/5/contacts/";
        assert_eq!(operation(Method::Delete, path), Operation::EmptyList);
    }

    #[test]
    fn a_record_called_empty_is_the_call_that_deletes_all() {
        let path = "/insightData/v3/contacts/email/a@example.com/Orders/";
        let operation = |key: &str| operation(Method::Delete, &format!("{path}{key}"));
        assert_eq!(operation("empty"), Operation::EmptyContactCollection);
        assert_eq!(operation("deleteRecords"), Operation::DeleteContactRecords);
        assert_eq!(operation("24938"), Operation::DeleteContactRecord);
    }

    #[test]
    fn encoded_values_are_decoded_after_the_path_was_split() {
        let matched = route(Method::Get, "/contacts/v3/email/a%2Fb%2Bc%25@example.com");
        assert_eq!(matched.args, ["email", "a/b+c%@example.com"]);
    }

    #[test]
    fn what_the_service_does_not_have_is_unknown() {
        assert_eq!(operation(Method::Post, "/v2/nothing"), Operation::Unknown);
        assert_eq!(operation(Method::Patch, "/contacts/v3"), Operation::UnknownV3);
        assert_eq!(operation(Method::Get, ""), Operation::Unknown);
    }
}
