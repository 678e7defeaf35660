//! Insight data: `/insightData/v3`.

pub(super) mod collections;
pub(super) mod import;
pub(super) mod jobs;
pub(super) mod pages;
pub(super) mod records;
mod schema_json;

use super::{
    Context,
    answer::{v3_error, v3_error_about},
    contacts::find_of,
};
use crate::{
    simulator::account::{Account, Collection, Scope},
    transport::HttpResponse,
};

const SERVICE: &str = "insightData";

/// Where records are, as a path names it: a collection and, in one of contacts, whose they are.
struct Place {
    collection: String,
    owner: Option<i64>,
}

impl Place {
    /// Reads the path and makes sure that the contact and the collection exist.
    fn read(context: &Context<'_>, scope: Scope) -> Result<Self, HttpResponse> {
        let collection = collection_name(context.arg(arguments_before(scope)))?.to_owned();
        let owner = match scope {
            Scope::Account => None,
            Scope::Contact => Some(find_of(context, SERVICE)?),
        };
        known(context.account, &collection, Some(scope))?;
        Ok(Self { collection, owner })
    }
}

/// How many parameters stand in a path before the collection's name.
fn arguments_before(scope: Scope) -> usize {
    match scope {
        Scope::Account => 0,
        Scope::Contact => 2,
    }
}

/// The name, if it can be one.
fn collection_name(name: &str) -> Result<&str, HttpResponse> {
    if is_collection_name(name) {
        return Ok(name);
    }
    let text = format!("The collectionName value '{name}' is invalid");
    Err(v3_error(400, "insightData:invalidId", &text))
}

fn is_collection_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (2..=255).contains(&name.len())
        && name.bytes().all(plain)
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// The collection of that name. One of another scope is as good as none.
fn known<'a>(
    account: &'a Account,
    name: &str,
    scope: Option<Scope>,
) -> Result<&'a Collection, HttpResponse> {
    let collection = account.insight_data.get(name);
    let fits = |it: &&Collection| scope.is_none_or(|scope| it.scope == scope);
    collection.filter(fits).ok_or_else(|| {
        const TEXT: &str = "The collection could not be found";
        v3_error_about(404, "insightData:collectionNotFound", TEXT, name, "Not found")
    })
}

/// What is asked cannot be done.
fn bad_request(item: &str, detail: &str) -> HttpResponse {
    const TEXT: &str = "The request is not valid";
    v3_error_about(400, "insightData:badRequest", TEXT, item, detail)
}

/// The body does not have the shape that is described.
fn bad_json(item: &str, detail: &str) -> HttpResponse {
    const TEXT: &str = "The JSON of the request is not as expected";
    v3_error_about(400, "insightData:badJson", TEXT, item, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_collections_are_as_described() {
        for name in ["Orders", "catalog_myStore", "-a", "__", &"a".repeat(255)] {
            assert!(is_collection_name(name), "{name}");
        }
        for name in ["", "a", "1a", "my orders", "a/b", "éa", &"a".repeat(256)] {
            assert!(!is_collection_name(name), "{name}");
        }
    }
}
