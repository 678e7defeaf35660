//! Every answer of the simulator against the description of its operation.

use crate::descriptions::descriptions;

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
