//! Calls that look harmless and are not, and the feature each of them needs.
//!
//! The typed calls are only compiled with the feature. This table keeps [`crate::Raw`] from being
//! the way around it.

use percent_encoding::percent_decode_str;

use crate::transport::Method;

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
pub(crate) fn refusal(method: Method, path_and_query: &str) -> Option<&'static str> {
    let danger = find(method, path_and_query)?;
    (!danger.allowed).then_some(danger.refusal)
}

/// Reads the path as loosely as a server might: slashes at the end and doubled ones do not count,
/// nor do case and percent-encoding.
fn find(method: Method, path_and_query: &str) -> Option<&'static Danger> {
    let path = path_and_query.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    DANGERS.iter().find(|danger| danger.method == method && fits(danger.path, &segments))
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
        ] {
            assert!(find(method, path).is_some(), "{method} {path}");
        }
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
