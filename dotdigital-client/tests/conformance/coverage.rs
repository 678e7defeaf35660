//! Whether every operation has a method, is sent by it, and stands in the crate's table of calls.

use std::collections::BTreeSet;

use crate::{
    descriptions::{Descriptions, FILES, Operation, descriptions},
    path::Template,
    requests, say,
    sources::{self, Documented},
};

/// Operations the vendor calls deprecated that the client has all the same: nothing else tells what
/// became of a bulk removal, or reads the members of a list in the older generation.
const DEPRECATED: [&str; 3] = [
    "GET /v2/contacts/deletion/{deletionRequestId}",
    "GET /v2/address-books/{id}/contacts",
    "GET /v2/address-books/{id}/contacts/modified-since/{date}",
];

#[test]
fn every_operation_has_a_method_that_sends_it() {
    const NAME: &str = "every_operation_has_a_method_that_sends_it";
    let Some(descriptions) = descriptions(NAME) else { return };
    let (documented, table) = (sources::documented(), sources::table());
    let sent = requests::sent(descriptions);
    let mut missing = 0;
    for file in FILES {
        let wanted = descriptions.operations.iter().filter(|operation| operation.file == file);
        let wanted: Vec<&Operation> = wanted.filter(|operation| is_wanted(operation)).collect();
        let faults = wanted.iter().filter_map(|operation| {
            let methods = methods_of(descriptions, operation, &documented);
            let seen = |it: &&Documented| sent.contains(&(&*it.method, operation.endpoint()));
            let fault = if methods.is_empty() {
                "no method names it"
            } else if !methods.iter().any(seen) {
                "no method was seen sending it"
            } else if !methods.iter().all(|it| in_table(descriptions, operation, it, &table)) {
                "a method is not in the crate's table of calls"
            } else {
                return None;
            };
            Some(format!("  missing: {}: {fault}", operation.endpoint()))
        });
        let faults: Vec<String> = faults.collect();
        say(&format!("{file}: {} of {} covered", wanted.len() - faults.len(), wanted.len()));
        faults.iter().for_each(|fault| say(fault));
        missing += faults.len();
    }
    assert_eq!(missing, 0, "operations are not covered");
}

#[test]
fn what_methods_name_exists_and_each_of_them_was_seen_sending_it() {
    const NAME: &str = "what_methods_name_exists_and_each_of_them_was_seen_sending_it";
    let Some(descriptions) = descriptions(NAME) else { return };
    let sent = requests::sent(descriptions);
    let mut faults = Vec::new();
    for Documented { method, endpoint, tier } in sources::documented() {
        if !["low", "medium", "high", "unlimited"].contains(&&*tier) {
            faults.push(format!("{method}: no such tier: {tier}"));
        }
        match named(descriptions, &endpoint) {
            None => faults.push(format!("{method}: no such operation: {endpoint}")),
            Some(operation) if !sent.contains(&(&*method, operation.endpoint())) => {
                faults.push(format!("{method}: no request test sends {endpoint}"));
            }
            Some(_) => {}
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn is_wanted(operation: &Operation) -> bool {
    !operation.deprecated || DEPRECATED.contains(&&*operation.endpoint())
}

fn methods_of<'a>(
    descriptions: &Descriptions,
    operation: &Operation,
    documented: &'a [Documented],
) -> Vec<&'a Documented> {
    let is_it = |it: &&Documented| names(descriptions, &it.endpoint, operation);
    documented.iter().filter(is_it).collect()
}

fn in_table(
    descriptions: &Descriptions,
    operation: &Operation,
    method: &Documented,
    table: &[(String, String)],
) -> bool {
    let link = format!("[`{}`]", method.method);
    let is_it = |(endpoint, cell): &(String, String)| {
        cell.contains(&link) && names(descriptions, endpoint, operation)
    };
    table.iter().any(is_it)
}

fn names(descriptions: &Descriptions, endpoint: &str, operation: &Operation) -> bool {
    named(descriptions, endpoint).is_some_and(|it| it.endpoint() == operation.endpoint())
}

/// The operation of that method and path. The names of parameters do not matter, except where
/// nothing else tells two operations apart.
fn named<'a>(descriptions: &'a Descriptions, endpoint: &str) -> Option<&'a Operation> {
    let (method, path) = endpoint.split_once(' ')?;
    let path = Template::new(path);
    let of_shape = descriptions
        .operations
        .iter()
        .filter(|operation| operation.method == method && operation.path.shape() == path.shape());
    let found: Vec<&Operation> = of_shape.collect();
    let by_name = found.iter().find(|operation| operation.path.as_str() == path.as_str());
    let only = if found.len() == 1 { found.first() } else { None };
    by_name.or(only).copied()
}

/// The checker itself: it would be worth nothing if it found what is not there.
#[test]
fn names_of_parameters_matter_only_between_rivals() {
    let Some(descriptions) = descriptions("names_of_parameters_matter_only_between_rivals") else {
        return;
    };
    let shown = |endpoint| named(descriptions, endpoint).map(Operation::endpoint);
    let expected = Some("GET /v2/contacts/deletion/{deletionRequestId}".to_owned());
    assert_eq!(shown("GET /v2/contacts/deletion/{id}"), expected);
    let expected = Some("GET /v2/programs/enrolments/{status}".to_owned());
    assert_eq!(shown("GET /v2/programs/enrolments/{status}"), expected);
    assert_eq!(shown("GET /v2/programs/enrolments/{x}"), None);
    assert_eq!(shown("GET /v2/contacts/removal/{id}"), None);
    let wanted: BTreeSet<String> = descriptions
        .operations
        .iter()
        .filter(|it| is_wanted(it))
        .map(Operation::endpoint)
        .collect();
    assert_eq!(wanted.len(), 83 + DEPRECATED.len());
}
