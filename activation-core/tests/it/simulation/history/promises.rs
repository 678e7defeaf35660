//! What a run promises about its guard and about approvals.

use activation_core::{Engine, GuardOutcome, Plan, RunReport, RunStatus};

use super::Stage;

impl Stage {
    /// No removal beyond the limits without somebody's approval.
    pub(super) fn check_guard(&self, report: &RunReport, plan: &Plan) {
        let removed = plan.counts.removed;
        // The limits of a terrain that records approvals: two people, and a tenth.
        let is_suspicious =
            self.terrain.records_approvals && removed > 2 && removed * 10 > plan.counts.previous;
        let is_passed = report.guard.outcome == GuardOutcome::Passed;
        assert!(!(is_suspicious && is_passed), "{report}");
    }

    /// A plan that was carried out needs a new approval next time.
    pub(super) async fn check_approval(&self, engine: &Engine, digest: &str, report: &RunReport) {
        let is_done = matches!(
            report.status,
            RunStatus::Done | RunStatus::NothingToDo | RunStatus::Incomplete
        );
        if is_done {
            let left = engine.approvals(&self.activation()).await.expect("readable");
            assert!(left.iter().all(|approval| approval.digest != digest), "{report}{left:?}");
        }
    }
}
