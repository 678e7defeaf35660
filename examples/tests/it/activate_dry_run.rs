//! `--dry-run` changes nothing, neither at the service nor in the state directory.

use crate::support::Case;

const TWO: [&str; 2] = ["ann@example.com", "bob@example.com"];

#[test]
fn before_the_first_run_it_says_what_would_be_done_and_leaves_no_state() {
    let case = Case::of(&TWO);
    let (run, report) = case.activate_with_report(&["--dry-run"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("would add 2 and remove 0 members"), "{run:?}");
    assert_eq!(report["activations"][0]["status"], "planned");
    assert_eq!(report["activations"][0]["planned"]["list_action"], "create");
    assert!(!case.service.ledger().is_empty());
    assert_eq!(case.write_calls(), 0);
    assert!(case.service.list_named("vip").is_none());
    assert_eq!(case.state(), None);
}

#[test]
fn later_it_leaves_the_state_as_it_was_to_the_byte_and_names_the_plan_that_the_run_then_does() {
    let case = Case::of(&TWO);
    assert_eq!(case.activate(&[]).code, 0);
    case.segment("vip.csv", &[]);
    let before = case.state();
    case.service.reset_ledger();

    let (dry, report) = case.activate_with_report(&["--dry-run"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(dry.stdout.contains("would add 0 and remove 2 members"), "{dry:?}");
    assert!(dry.stdout.contains("guard: the segment is empty"), "{dry:?}");
    assert_eq!(case.write_calls(), 0);
    assert_eq!(case.members("vip"), TWO);
    assert_eq!(case.state(), before);

    // So a plan can be looked at and approved before any run was stopped.
    let digest = report["activations"][0]["plan_digest"].as_str().unwrap();
    assert_eq!(case.activate(&["--dry-run", "--approve", digest]).code, 0);
    assert_eq!(case.state(), before, "a dry run stays dry");
    assert_eq!(case.activate(&["--approve", digest]).code, 0);
    assert_eq!(case.members("vip"), [""; 0]);
}
