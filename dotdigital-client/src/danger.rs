//! Calls that look harmless and are not, and the feature each of them needs.
//!
//! The typed calls are only compiled with the feature. This table keeps [`crate::Raw`] from being
//! the way around it.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{call::Call, transport::Method};

/// A call that takes something from people or gives them what they declined.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Danger {
    method: Method,
    /// A parameter in braces stands for any segment.
    path: &'static str,
    /// Why it is refused.
    refusal: &'static str,
    /// Whether this build has the feature.
    allowed: bool,
}

const DELETION: &str = "this call deletes from the account: the feature account-deletion allows it";
const CONSENT: &str =
    "this call changes who may be written to: the feature consent-changes allows it";

const fn deletes(method: Method, path: &'static str) -> Danger {
    Danger { method, path, refusal: DELETION, allowed: cfg!(feature = "account-deletion") }
}

const fn consents(method: Method, path: &'static str) -> Danger {
    Danger { method, path, refusal: CONSENT, allowed: cfg!(feature = "consent-changes") }
}

static DANGERS: [Danger; 25] = [
    deletes(Method::Delete, "contacts/v3/{identifier}/{value}"),
    deletes(Method::Put, "contacts/v3/{identifier}/{value}"),
    deletes(Method::Post, "contacts/v3/delete"),
    deletes(Method::Delete, "v2/contacts/{id}"),
    deletes(Method::Post, "v2/accounts/empty-recycle-bin"),
    deletes(Method::Delete, "v2/address-books/{id}"),
    deletes(Method::Delete, "v2/address-books/{id}/contacts"),
    deletes(Method::Post, "v2/address-books/{id}/contacts/delete-all"),
    deletes(Method::Delete, "v2/data-fields/{name}"),
    deletes(Method::Delete, "v2/preferences/{id}"),
    deletes(Method::Delete, "configuration/v3/customIdentifiers/{name}"),
    deletes(Method::Delete, "insightData/v3/collections/{name}"),
    deletes(Method::Delete, "insightData/v3/collections/{name}/empty"),
    deletes(Method::Delete, "insightData/v3/contacts/{identifier}/{value}/{name}/empty"),
    deletes(Method::Delete, "v2/contacts/{id}/transactional-data/{name}"),
    deletes(Method::Put, "v2/contacts/transactional-data/{name}/empty"),
    deletes(Method::Delete, "v2/campaigns/{id}"),
    deletes(Method::Delete, "v2/sms/campaigns/{id}"),
    consents(Method::Post, "v2/contacts/unsubscribe"),
    consents(Method::Post, "v2/contacts/resubscribe"),
    consents(Method::Post, "v2/contacts/resubscribe-with-no-challenge"),
    consents(Method::Put, "v2/contacts/suppress-contacts"),
    consents(Method::Post, "v2/address-books/{id}/contacts/unsubscribe"),
    consents(Method::Post, "v2/address-books/{id}/contacts/resubscribe"),
    consents(Method::Post, "v2/address-books/{id}/contacts/resubscribe-with-no-challenge"),
];

/// What keeps this build from making a call, if anything does.
pub(crate) fn refusal(call: &Call) -> Option<&'static str> {
    if let Some(danger) = find(call.method, &call.path_and_query) {
        return (!danger.allowed).then_some(danger.refusal);
    }
    let body = call.body.as_deref()?;
    let changes = call.method != Method::Get
        && is_about_contacts(&call.path_and_query)
        && writes_channels(body);
    (changes && !cfg!(feature = "consent-changes")).then_some(CONSENT)
}

/// Reads the path as loosely as a server might: slashes at the end and doubled ones do not count,
/// nor do case and percent-encoding, which a server may undo before it splits or after.
fn find(method: Method, path_and_query: &str) -> Option<&'static Danger> {
    let readings = readings(path_and_query);
    let fits = |danger: &&Danger| readings.iter().any(|segments| fits(danger.path, segments));
    DANGERS.iter().filter(|danger| danger.method == method).find(fits)
}

fn readings(path_and_query: &str) -> [Vec<String>; 2] {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let split = |path: &str| -> Vec<String> {
        path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
    };
    let path = path_and_query.split(['?', '#']).next().unwrap_or_default();
    [split(path).iter().map(|segment| decode(segment)).collect(), split(&decode(path))]
}

/// Whether it is one of the calls whose body can say how a contact may be written to.
fn is_about_contacts(path_and_query: &str) -> bool {
    let about =
        |segments: &Vec<String>| segments.get(..2).is_some_and(|start| fits("contacts/v3", start));
    readings(path_and_query).iter().any(about)
}

/// Whether a body sets anything of a contact's channels, at whatever depth.
fn writes_channels(body: &[u8]) -> bool {
    fn names_channels(value: &Value) -> bool {
        match value {
            Value::Array(items) => items.iter().any(names_channels),
            Value::Object(members) => members.iter().any(|(key, value)| {
                key.eq_ignore_ascii_case("channelProperties") || names_channels(value)
            }),
            _ => false,
        }
    }
    // What cannot be read here might still be read there.
    serde_json::from_slice(body).map_or(true, |value| names_channels(&value))
}

fn fits(pattern: &str, segments: &[String]) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let same = |(expected, segment): (&&str, &String)| {
        expected.starts_with('{') || expected.eq_ignore_ascii_case(segment)
    };
    pattern.len() == segments.len() && pattern.iter().zip(segments).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_calls_are_known_however_they_are_spelled() {
        for (method, path) in [
            (Method::Delete, "/contacts/v3/email/jane%40example.com"),
            (Method::Post, "//Contacts/V3/%64elete/?x=1"),
            (Method::Delete, "/v2/address-books/7/contacts/"),
            (Method::Post, "/v2/address-books/7/contacts/delete-all"),
            (Method::Put, "/v2/contacts/suppress-contacts#x"),
            (Method::Post, "/v2/address-books/7/contacts%2Fdelete-all"),
            (Method::Delete, "/contacts/v3/crm-id/a%2Fb"),
        ] {
            assert!(find(method, path).is_some(), "{method} {path}");
        }
    }

    #[test]
    fn all_calls_behind_a_feature_are_known_and_what_each_of_them_needs() {
        let deletes = [
            "DELETE /contacts/v3/email/a",
            "PUT /contacts/v3/email/a",
            "POST /contacts/v3/delete",
            "DELETE /v2/contacts/5",
            "POST /v2/accounts/empty-recycle-bin/",
            "DELETE /v2/address-books/7",
            "DELETE /v2/address-books/7/contacts",
            "POST /v2/address-books/7/contacts/delete-all",
            "DELETE /v2/data-fields/AGE",
            "DELETE /v2/preferences/3",
            "DELETE /configuration/v3/customIdentifiers/crm-id",
            "DELETE /insightData/v3/collections/Orders",
            "DELETE /insightData/v3/collections/Orders/empty",
            "DELETE /insightData/v3/contacts/email/a/Orders/empty",
            "DELETE /v2/contacts/5/transactional-data/Orders",
            "PUT /v2/contacts/transactional-data/Orders/empty",
            "DELETE /v2/campaigns/5",
            "DELETE /v2/sms/campaigns/5",
        ];
        let consents = [
            "POST /v2/contacts/unsubscribe",
            "POST /v2/contacts/resubscribe",
            "POST /v2/contacts/resubscribe-with-no-challenge",
            "PUT /v2/contacts/suppress-contacts",
            "POST /v2/address-books/7/contacts/unsubscribe",
            "POST /v2/address-books/7/contacts/resubscribe",
            "POST /v2/address-books/7/contacts/resubscribe-with-no-challenge",
        ];
        let allowed = [cfg!(feature = "account-deletion"), cfg!(feature = "consent-changes")];
        for (calls, refusal, allowed) in
            [(&deletes[..], DELETION, allowed[0]), (&consents, CONSENT, allowed[1])]
        {
            for call in calls {
                let (method, path) = call.split_once(' ').unwrap();
                let danger = find(Method::from_name(method).unwrap(), path);
                let known = danger.map(|danger| (danger.refusal, danger.allowed));
                assert_eq!(known, Some((refusal, allowed)), "{call}");
            }
        }
        assert_eq!(deletes.len() + consents.len(), DANGERS.len());
    }

    #[test]
    fn a_body_that_sets_channels_is_known_at_any_depth() {
        for body in [
            r#"{"channelProperties":{"email":{"status":"subscribed"}}}"#,
            r#"{"contacts":[{},{"ChannelProperties":{}}]}"#,
            "not JSON",
        ] {
            assert!(writes_channels(body.as_bytes()), "{body}");
        }
        assert!(!writes_channels(br#"{"identifiers":{"email":"channelProperties"}}"#));
        assert!(is_about_contacts("//Contacts/v3?x=1") && is_about_contacts("/contacts%2Fv3/a/b"));
        assert!(!is_about_contacts("/v2/contacts") && !is_about_contacts("/contacts"));
    }

    #[test]
    fn their_harmless_neighbours_are_not_refused() {
        for (method, path) in [
            (Method::Get, "/contacts/v3/email/jane%40example.com"),
            (Method::Patch, "/contacts/v3/email/jane%40example.com"),
            (Method::Put, "/contacts/v3/import"),
            (Method::Delete, "/v2/address-books/7/contacts/9"),
            (Method::Post, "/v2/address-books/7/contacts/delete"),
        ] {
            assert_eq!(find(method, path), None, "{method} {path}");
        }
    }
}
