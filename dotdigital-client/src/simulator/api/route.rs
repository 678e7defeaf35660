//! Which endpoint a request is for.

use percent_encoding::percent_decode_str;

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

/// A literal path stands before a pattern it also fits.
static ENDPOINTS: &[Endpoint] = &[
    Endpoint::safe("GET /v2/account-info", Operation::AccountInfo, Tier::High),
    Endpoint::safe("GET /v2/server-time", Operation::ServerTime, Tier::High),
    Endpoint::danger("POST /v2/accounts/empty-recycle-bin", Operation::EmptyBin, Tier::Medium),
    Endpoint::safe(
        "GET /configuration/v3/customIdentifiers",
        Operation::CustomIdentifiers,
        Tier::High,
    ),
    Endpoint::safe(
        "POST /configuration/v3/customIdentifiers",
        Operation::CreateCustomIdentifier,
        Tier::Medium,
    ),
    Endpoint::danger(
        "DELETE /configuration/v3/customIdentifiers/{name}",
        Operation::DeleteCustomIdentifier,
        Tier::Medium,
    ),
    Endpoint::safe("GET /v2/data-fields", Operation::DataFields, Tier::High),
    Endpoint::safe("POST /v2/data-fields", Operation::CreateDataField, Tier::Medium),
    Endpoint::danger("DELETE /v2/data-fields/{name}", Operation::DeleteDataField, Tier::Medium),
    Endpoint::safe("POST /v2/address-books", Operation::CreateList, Tier::Medium),
    Endpoint::safe("GET /v2/address-books", Operation::Lists, Tier::Low),
    Endpoint::safe("GET /v2/address-books/private", Operation::PrivateLists, Tier::Low),
    Endpoint::safe("GET /v2/address-books/public", Operation::PublicLists, Tier::Low),
    Endpoint::safe("GET /v2/address-books/{id}", Operation::GetList, Tier::High),
    Endpoint::safe("PUT /v2/address-books/{id}", Operation::UpdateList, Tier::Medium),
    Endpoint::danger("DELETE /v2/address-books/{id}", Operation::DeleteList, Tier::Medium),
    Endpoint::safe("GET /v2/address-books/{id}/contacts", Operation::Members, Tier::Low),
    Endpoint::safe(
        "GET /v2/address-books/{id}/contacts/modified-since/{date}",
        Operation::ModifiedMembers,
        Tier::Low,
    ),
    Endpoint::safe(
        "DELETE /v2/address-books/{addressBookId}/contacts/{contactId}",
        Operation::RemoveMember,
        Tier::Medium,
    ),
    Endpoint::safe(
        "POST /v2/address-books/{addressBookId}/contacts/delete",
        Operation::RemoveMembers,
        Tier::Low,
    ),
    Endpoint::safe("GET /v2/address-books/{id}/campaigns", Operation::ListCampaigns, Tier::Low),
    Endpoint::safe(
        "GET /v2/address-books/{id}/contacts/unsubscribed-since/{date}",
        Operation::UnsubscribedFromList,
        Tier::Low,
    ),
    Endpoint::safe(
        "GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}",
        Operation::WithPreferenceOnList,
        Tier::Low,
    ),
    Endpoint::safe(
        "GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}/opt-ins-since/{date}",
        Operation::OptInsSinceOnList,
        Tier::Low,
    ),
    Endpoint::safe("GET /v2/contacts/deletion/{id}", Operation::RemovalStatus, Tier::Unlimited),
    Endpoint::danger(
        "DELETE /v2/address-books/{addressBookId}/contacts",
        Operation::EmptyList,
        Tier::Low,
    ),
    Endpoint::danger(
        "POST /v2/address-books/{addressBookId}/contacts/delete-all",
        Operation::EmptyListJob,
        Tier::Low,
    ),
    Endpoint::danger(
        "POST /v2/address-books/{id}/contacts/unsubscribe",
        Operation::UnsubscribeFromList,
        Tier::Medium,
    ),
    Endpoint::danger(
        "POST /v2/address-books/{id}/contacts/resubscribe",
        Operation::ResubscribeToList,
        Tier::Medium,
    ),
    Endpoint::danger(
        "POST /v2/address-books/{id}/contacts/resubscribe-with-no-challenge",
        Operation::ResubscribeToListAtOnce,
        Tier::Medium,
    ),
    Endpoint::danger("POST /v2/contacts/unsubscribe", Operation::Unsubscribe, Tier::Medium),
    Endpoint::danger("POST /v2/contacts/resubscribe", Operation::Resubscribe, Tier::Medium),
    Endpoint::danger(
        "POST /v2/contacts/resubscribe-with-no-challenge",
        Operation::ResubscribeAtOnce,
        Tier::Medium,
    ),
    Endpoint::danger("PUT /v2/contacts/suppress-contacts", Operation::Suppress, Tier::Low),
    Endpoint::safe(
        "GET /v2/contacts/suppressed-since/{date}",
        Operation::SuppressedSince,
        Tier::Low,
    ),
    Endpoint::safe(
        "GET /v2/contacts/unsubscribed-since/{date}",
        Operation::UnsubscribedSince,
        Tier::Low,
    ),
    Endpoint::safe(
        "GET /v2/contacts/with-preference/{preferenceId}",
        Operation::WithPreference,
        Tier::Low,
    ),
    Endpoint::safe(
        "GET /v2/contacts/with-preference/{preferenceId}/opt-ins-since/{date}",
        Operation::OptInsSince,
        Tier::Low,
    ),
    Endpoint::safe("GET /v2/contacts/{email}/subscriptions", Operation::Subscriptions, Tier::High),
    Endpoint::safe(
        "GET /v2/contacts/{contactIdentifier}/preferences",
        Operation::ContactPreferences,
        Tier::High,
    ),
    Endpoint::safe(
        "PUT /v2/contacts/{contactIdentifier}/preferences",
        Operation::SetContactPreferences,
        Tier::Medium,
    ),
    Endpoint::safe("GET /v2/preferences", Operation::Preferences, Tier::High),
    Endpoint::safe(
        "GET /v2/preferences/modified-since/{date}",
        Operation::PreferencesSince,
        Tier::High,
    ),
    Endpoint::safe("POST /v2/preferences", Operation::CreatePreference, Tier::Medium),
    Endpoint::safe("PUT /v2/preferences/{id}", Operation::UpdatePreference, Tier::Medium),
    Endpoint::danger("DELETE /v2/preferences/{id}", Operation::DeletePreference, Tier::Medium),
    Endpoint::safe("GET /v2/programs", Operation::Programs, Tier::Low),
    Endpoint::safe("GET /v2/programs/{id}", Operation::GetProgram, Tier::High),
    Endpoint::safe("POST /v2/programs/enrolments", Operation::Enrol, Tier::Medium),
    Endpoint::safe("GET /v2/programs/enrolments/{status}", Operation::Enrolments, Tier::Low),
    Endpoint::safe(
        "GET /v2/programs/enrolments/{enrolmentId}",
        Operation::GetEnrolment,
        Tier::Unlimited,
    ),
    Endpoint::safe(
        "GET /v2/programs/enrolments/{id}/report-faults",
        Operation::EnrolmentFaults,
        Tier::Low,
    ),
    Endpoint::safe("GET /v2/segments", Operation::Segments, Tier::Low),
    Endpoint::safe("POST /v2/segments/refresh/{id}", Operation::RefreshSegment, Tier::Medium),
    Endpoint::safe("GET /v2/segments/refresh/{id}", Operation::SegmentRefresh, Tier::Unlimited),
    Endpoint::danger("DELETE /v2/contacts/{id}", Operation::DeleteContactV2, Tier::Medium),
    Endpoint::safe("PUT /contacts/v3/import", Operation::Import, Tier::Low),
    Endpoint::safe("GET /contacts/v3/import/{importId}", Operation::ImportStatus, Tier::Unlimited),
    Endpoint::safe("GET /contacts/v3", Operation::Contacts, Tier::Low),
    Endpoint::safe("POST /contacts/v3", Operation::CreateContact, Tier::Medium),
    Endpoint::danger("POST /contacts/v3/delete", Operation::DeleteContacts, Tier::Low),
    Endpoint::safe("GET /contacts/v3/delete/{deleteId}", Operation::DeleteStatus, Tier::Unlimited),
    Endpoint::safe("GET /contacts/v3/{identifier}/{value}", Operation::GetContact, Tier::High),
    Endpoint::safe(
        "PATCH /contacts/v3/{identifier}/{value}",
        Operation::UpdateContact,
        Tier::Medium,
    ),
    Endpoint::danger(
        "PUT /contacts/v3/{identifier}/{value}",
        Operation::ReplaceContact,
        Tier::Medium,
    ),
    Endpoint::danger(
        "DELETE /contacts/v3/{identifier}/{value}",
        Operation::DeleteContact,
        Tier::Medium,
    ),
];

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
