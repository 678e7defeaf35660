//! The shapes that every answer has, whatever was asked.

use dotdigital_client::HttpResponse;
use serde_json::Value;

/// Fails unless the answer to a call of that path has a shape the documentation knows.
#[track_caller]
pub(crate) fn assert_documented(path: &str, response: &HttpResponse) {
    let status = response.status;
    let body = String::from_utf8(response.body.clone()).expect("an answer is text");
    if body.is_empty() {
        assert!(matches!(status, 200 | 201 | 202 | 204), "an empty {status} for {path}");
        return;
    }
    let kind = response.header("content-type").and_then(|kind| kind.split(';').next());
    if kind != Some("application/json") {
        let plain = matches!(kind, Some("text/plain" | "text/csv"));
        assert!(plain && status == 200, "{status} as {kind:?} for {path}: {body}");
        return;
    }
    let body: Value = serde_json::from_str(&body).expect("JSON");
    match status {
        200..=299 => assert!(body.is_object() || body.is_array() || body.is_string(), "{body}"),
        400..=499 if is_v3(path) => assert_v3_error(path, &body),
        400..=499 => assert!(body["message"].is_string(), "{status} for {path}: {body}"),
        _ => panic!("{status} for {path}: {body}"),
    }
}

fn assert_v3_error(path: &str, body: &Value) {
    // The examples of the configuration service show one error in an array, and another with an
    // object for its details.
    let as_in_examples = path.starts_with("/configuration/");
    let body = body.get(0).filter(|_| as_in_examples).unwrap_or(body);
    assert!(body["errorCode"].is_string() && body["description"].is_string(), "{path}: {body}");
    let Some(details) = body.get("details").filter(|details| !details.is_null()) else { return };
    let whole = |detail: &Value| detail["item"].is_string() && detail["description"].is_string();
    let listed = details.as_array().is_some_and(|details| details.iter().all(whole));
    assert!(listed || (as_in_examples && details.is_object()), "{path}: {body}");
}

fn is_v3(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    path.split('/').filter(|segment| !segment.is_empty()).nth(1) == Some("v3")
}
