//! What the feature `serde` adds.

use segment_diff::Fingerprint;
use segment_diff::delta::{Change, Delta};
use segment_diff::merge::{CountOnly, Counts, Side, diff, keys};
use std::ops::ControlFlow;

#[test]
fn values_are_written_plainly_and_read_back() {
    let ControlFlow::Continue(counts) = diff(keys([1, 2]), keys([2, 3]), &mut CountOnly).unwrap();
    let json = serde_json::to_string(&counts).unwrap();
    assert_eq!(json, r#"{"added":1,"removed":1,"changed":0,"unchanged":1}"#);
    assert_eq!(serde_json::from_str::<Counts>(&json).unwrap(), counts);
    assert_eq!(serde_json::to_string(&Side::Previous).unwrap(), r#""previous""#);
}

#[test]
fn a_fingerprint_is_its_hexadecimal_digits() {
    let fingerprint = Fingerprint::from_bytes([0xab; 16]);
    let json = serde_json::to_string(&fingerprint).unwrap();
    assert_eq!(json, format!("\"{}\"", "ab".repeat(16)));
    assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), fingerprint);
    assert!(serde_json::from_str::<Fingerprint>("\"ab\"").is_err());
}

#[test]
fn a_delta_is_a_list_that_ascends() {
    let mut delta = Delta::new();
    delta.push(b"a".to_vec(), Change::Added(vec![1])).unwrap();
    delta.push(b"b".to_vec(), Change::Changed { before: vec![1], after: vec![] }).unwrap();
    let json = serde_json::to_string(&delta).unwrap();
    assert_eq!(json, r#"[[[97],{"added":[1]}],[[98],{"changed":{"before":[1],"after":[]}}]]"#);
    assert_eq!(serde_json::from_str::<Delta>(&json).unwrap(), delta);
    let unordered = r#"[[[98],{"added":[]}],[[97],{"added":[]}]]"#;
    assert!(serde_json::from_str::<Delta>(unordered).is_err());
}
