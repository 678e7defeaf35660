//! Every answer of the simulator against the description of its operation.

use std::collections::BTreeSet;

use dotdigital_client::{HttpRequest, HttpResponse};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use crate::{
    descriptions::{Descriptions, Operation, descriptions, split},
    quirks::{CONTRADICTIONS, UNDESCRIBED, contradiction},
    traffic::{Caller, any_switches, assert_documented, calls, each_switch, tour},
};

fn operation<'a>(descriptions: &'a Descriptions, request: &HttpRequest) -> Option<&'a Operation> {
    descriptions.operation_of(request.method.as_str(), split(&request.path_and_query).0)
}

#[test]
fn every_answer_of_a_tour_is_as_described() {
    let Some(descriptions) = descriptions("every_answer_of_a_tour_is_as_described") else { return };
    let (mut wrong, mut contradictions) = (BTreeSet::new(), BTreeSet::new());
    for (switch, switches) in each_switch() {
        tour(switches, &mut |request: &HttpRequest, response: &HttpResponse| {
            let Some(operation) = operation(descriptions, request) else {
                let path = format!("{} {}", request.method, request.path_and_query);
                assert!(response.status == 404 || UNDESCRIBED == path, "{path} is not described");
                return;
            };
            let endpoint = operation.endpoint();
            for fault in operation.answer_faults(response.status, &response.body) {
                match contradiction(&switches, &endpoint, &fault) {
                    Some(known) => drop(contradictions.insert(known.reason)),
                    None => {
                        wrong.insert(format!("{switch}: {endpoint} {}: {fault}", response.status));
                    }
                }
            }
        });
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let known: BTreeSet<&str> = CONTRADICTIONS.iter().map(|one| one.reason).collect();
    assert_eq!(contradictions, known, "each contradiction shows");
}

/// Whether an answer says that the request could not even be read: by its code or, in v3, by naming
/// the place in the body that is wrong.
fn calls_it_malformed(response: &HttpResponse) -> bool {
    const CODES: [&str; 4] =
        ["ERROR_MALFORMED_REQUEST", "ERROR_PARAMETER_INVALID", "ERROR_BODY_DOES_NOT", "badJson"];
    const PLACES: [&str; 13] = [
        "contacts",
        "matchIdentifier",
        "identifiers",
        "dataFields",
        "channelProperties",
        "lists",
        "preferences",
        "mergeOption",
        "collectionName",
        "collectionScope",
        "collectionType",
        "records",
        "keys",
    ];
    let text = String::from_utf8_lossy(&response.body);
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let item = body["details"][0]["item"].as_str().unwrap_or_default();
    let place = item.split(['.', '[']).next().unwrap_or_default();
    response.status >= 400
        && (CODES.iter().any(|code| text.contains(code)) || PLACES.contains(&place))
}

#[test]
fn what_is_described_is_taken_and_what_is_forbidden_is_refused() {
    let Some(descriptions) =
        descriptions("what_is_described_is_taken_and_what_is_forbidden_is_refused")
    else {
        return;
    };
    let config = ProptestConfig::with_cases(1_024);
    proptest!(config, |(switches in any_switches(), calls in vec(calls(), 1..12))| {
        let caller = Caller::new(switches);
        for call in calls {
            caller.wait(call.wait);
            let request = call.request();
            let response = caller.send(&request);
            assert_documented(&call.path_and_query, &response);
            let Some(operation) = operation(descriptions, &request) else { continue };
            let forbidden = operation.forbids(&request);
            let refused = (400..500).contains(&response.status);
            prop_assert!(forbidden.is_empty() || refused, "taken: {call:?}: {forbidden:?}");
            let malformed = calls_it_malformed(&response);
            let described = operation.request_faults(&request).is_empty();
            prop_assert!(!described || !malformed, "refused: {call:?}");
            let mut faults = operation.answer_faults(response.status, &response.body);
            let endpoint = operation.endpoint();
            faults.retain(|fault| contradiction(&switches, &endpoint, fault).is_none());
            prop_assert!(faults.is_empty(), "answer to {call:?}: {faults:?}");
        }
    });
}

/// The checker itself: it would be worth nothing if it let faults pass.
#[test]
fn answers_that_are_wrong_are_told() {
    let Some(descriptions) = descriptions("answers_that_are_wrong_are_told") else { return };
    let operation = descriptions.operation_of("GET", "/contacts/v3/import/d7-e").unwrap();
    let right = br#"{"importId":"d7-e","status":"Finished"}"#;
    assert_eq!(operation.answer_faults(200, right), [""; 0]);
    for (status, wrong) in [
        (200, r#"{"importId":"d7-e"}"#),
        (200, r#"{"importId":"d7-e","status":"finished"}"#),
        (200, r#"{"importId":7,"status":"Finished"}"#),
        (200, "Finished"),
        (404, r#"{"message":"none"}"#),
        (204, ""),
    ] {
        assert!(!operation.answer_faults(status, wrong.as_bytes()).is_empty(), "{status} {wrong}");
    }
    assert_eq!(operation.answer_faults(503, b"<html>"), [""; 0]);
}
