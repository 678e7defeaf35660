//! Looking whether the list still is what the state says.

use dotdigital_client::simulator::{Fault, FaultRule};

use crate::support::{Case, Run, VIP};

const FOUR: [&str; 4] =
    ["ann@example.com", "bob@example.com", "cid@example.com", "dee@example.com"];

impl Case {
    /// Reconciles, and gives the one report beside how it ended.
    fn reconcile(&self, what: &str) -> (Run, serde_json::Value) {
        let (run, mut report) = self.activate_with_report(&["--reconcile", what]);
        let reports = report["reconciliations"].as_array_mut().unwrap();
        assert_eq!(reports.len(), 1, "{reports:?}");
        (run, reports.remove(0))
    }

    fn take_off(&self, list: &str, address: &str) {
        let list = self.service.list_named(list).unwrap();
        self.service.remove_member(list.id, self.contact(address));
    }
}

#[test]
fn a_report_says_who_vanished_and_changes_nothing() {
    let case = Case::of(&FOUR);
    assert_eq!(case.activate(&[]).code, 0);
    let (right, report) = case.reconcile("report");
    assert_eq!((right.code, report["status"].as_str()), (0, Some("nothing_to_do")), "{right:?}");
    assert_eq!(report["agreeing"], 4);

    case.take_off("vip", "bob@example.com");
    let before = case.state();
    let (off, report) = case.reconcile("report");
    assert_eq!((off.code, report["status"].as_str()), (0, Some("planned")), "{off:?}");
    assert_eq!(report["drift"]["vanished"], 1, "{report}");
    assert!(off.stdout.contains("vanished 1"), "{off:?}");
    assert_eq!(case.state(), before);
    assert_eq!(case.members("vip").len(), 3);
}

#[test]
fn a_repair_makes_the_next_run_add_who_vanished() {
    let case = Case::of(&FOUR);
    assert_eq!(case.activate(&[]).code, 0);
    case.take_off("vip", "bob@example.com");
    assert_eq!(case.activate(&[]).code, 0, "a run does not read the list");
    assert_eq!(case.members("vip").len(), 3);
    let (repaired, report) = case.reconcile("repair");
    assert_eq!((repaired.code, report["status"].as_str()), (0, Some("done")), "{repaired:?}");
    assert_eq!(case.members("vip").len(), 3, "the next run changes the list, not the repair");
    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.members("vip"), FOUR);
}

#[test]
fn a_lost_state_is_made_anew_and_removes_nobody() {
    let case = Case::of(&FOUR);
    assert_eq!(case.activate(&[]).code, 0);
    std::fs::remove_dir_all(case.path("state")).unwrap();
    case.segment("vip.csv", &FOUR[1..]);
    let (rebuilt, report) = case.reconcile("rebuild");
    assert_eq!((rebuilt.code, report["status"].as_str()), (0, Some("done")), "{rebuilt:?}");
    assert_eq!(case.members("vip"), FOUR);
    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.members("vip"), FOUR, "nobody knows any more who put her there");
    case.segment("vip.csv", &FOUR[2..]);
    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.members("vip"), ["ann@example.com", "cid@example.com", "dee@example.com"]);
}

#[test]
fn a_service_out_of_reach_ends_a_reconciliation_with_75() {
    let case = Case::of(&FOUR);
    case.configure(&format!("{VIP}\n"));
    assert_eq!(case.activate(&[]).code, 0);
    case.service.inject(FaultRule::new(Fault::ConnectionRefused).times(u64::MAX));
    let (busy, _) = case.activate_with_report(&["--reconcile", "report"]);
    assert_eq!(busy.code, 75, "{busy:?}");
}

#[test]
fn a_reconciliation_is_no_dry_run_and_approves_nothing() {
    let case = Case::of(&FOUR);
    for other in [&["--dry-run"][..], &["--approve", "0"], &["--erase", "-"]] {
        let refused = case.activate(&[&["--reconcile", "report"], other].concat());
        assert_eq!(refused.code, 2, "{refused:?}");
    }
    assert_eq!(case.activate(&["--reconcile", "everything"]).code, 2);
    assert_eq!(case.state(), None, "nothing was begun");
}
