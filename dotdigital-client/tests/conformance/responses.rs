//! Every answer of the simulator against the description of its operation.

use std::collections::BTreeSet;

use dotdigital_client::{HttpRequest, HttpResponse, simulator::Switches};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use crate::{
    descriptions::{Descriptions, Operation, descriptions, split},
    quirks::{CONTRADICTIONS, NEVER_FILLED, SURPLUS, UNDESCRIBED, contradiction},
    schema::places_in,
    traffic::{
        Caller, any_switches, assert_documented, calls, each_switch, requests_with_samples, tour,
    },
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

#[test]
fn an_answer_holds_what_is_described_and_nothing_else() {
    let Some(descriptions) = descriptions("an_answer_holds_what_is_described_and_nothing_else")
    else {
        return;
    };
    let (mut seen, mut possible) = (BTreeSet::new(), BTreeSet::new());
    let (mut surplus, mut excused) = (BTreeSet::new(), BTreeSet::new());
    tour(Switches::default(), &mut |request: &HttpRequest, response: &HttpResponse| {
        let Some(operation) = operation(descriptions, request) else { return };
        let endpoint = operation.endpoint();
        let kind = response.header("content-type");
        for fault in operation.surplus(response.status, &response.body, kind) {
            let known =
                |(place, words): &&(&str, &str)| endpoint.contains(place) && fault.contains(words);
            if let Some(excuse) = SURPLUS.iter().find(known) {
                excused.insert(*excuse);
            } else if contradiction(&Switches::default(), &endpoint, &fault).is_none() {
                surplus.insert(format!("{endpoint} {}: {fault}", response.status));
            }
        }
        if response.status < 300 {
            let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            let places = places_in(&body).into_iter();
            seen.extend(places.map(|place| format!("{endpoint} {place}")));
            possible.extend(operation.places());
        }
    });
    let missing: Vec<&String> = possible.difference(&seen).collect();
    assert!(surplus.is_empty(), "{surplus:#?}");
    assert_eq!(missing, NEVER_FILLED);
    assert_eq!(excused.len(), SURPLUS.len(), "each excuse is needed");
}

/// Whether an answer says that the request could not even be read.
pub(crate) fn calls_it_malformed(response: &HttpResponse) -> bool {
    const WORDS: [&str; 8] = [
        "ERROR_MALFORMED_REQUEST",
        "ERROR_PARAMETER_INVALID",
        "ERROR_BODY_DOES_NOT",
        "badJson",
        r#""item":"data-fields""#,
        r#""item":"include""#,
        r#""item":"limit""#,
        "The request is not valid",
    ];
    // What a collection's records must look like is learnt from the first ones, so only the places
    // that are the same for all collections count.
    const INSIGHT_PLACES: [&str; 5] =
        ["collectionName", "collectionScope", "collectionType", "records", "keys"];
    let text = String::from_utf8_lossy(&response.body);
    if text.contains(r#""errorCode":"insightData:badRequest""#) {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let item = body["details"][0]["item"].as_str().unwrap_or_default();
        return item.split(['.', '[']).next().is_some_and(|place| INSIGHT_PLACES.contains(&place));
    }
    // An identifier that cannot be one is a value like others, which a schema may let pass.
    response.status >= 400
        && WORDS.iter().any(|word| text.contains(word))
        && !text.contains("contacts:invalidId")
}

#[test]
fn a_body_as_it_should_be_is_described_and_taken() {
    let Some(descriptions) = descriptions("a_body_as_it_should_be_is_described_and_taken") else {
        return;
    };
    for request in requests_with_samples() {
        let shown = format!("{} {}", request.method, request.path_and_query);
        let operation = operation(descriptions, &request).expect("an operation");
        assert_eq!(operation.forbids(&request), [""; 0], "{shown}");
        let status = Caller::new(Switches::default()).send(&request).status;
        // One of the samples creates a contact that exists.
        assert!(status < 300 || status == 409, "{shown}: {status}");
    }
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
        (422, "{}"),
    ] {
        assert!(!operation.answer_faults(status, wrong.as_bytes()).is_empty(), "{status} {wrong}");
    }
    assert_eq!(operation.answer_faults(503, b"<html>"), [""; 0]);
}
