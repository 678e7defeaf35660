//! One pass over the activations.

use std::sync::Arc;

use activation_core::{
    ApproveDigest, Clock as _, ErrorReport, GuardOutcome, RunReport, RunStatus, SystemClock,
};

use crate::{
    config::{Config, Job},
    open::{self, Access},
    signals, terminal,
};

/// What is to be done with every activation.
#[derive(Debug)]
pub(crate) enum Mode {
    /// Say what a run would do.
    Plan,
    /// Run, with at most one plan approved.
    Run(Option<String>),
}

/// Runs the activations one after the other and prints each report. One that fails does not stop
/// those after it; a signal does. There is one report for each activation in any case.
pub(crate) async fn all(config: &Config, mode: Mode) -> Vec<RunReport> {
    let mut reports = Vec::with_capacity(config.jobs.len());
    let stopped = tokio::select! {
        result = run(config, mode, &mut reports) => result.err(),
        // Dropping a run half-way is as safe as being killed, which every run is made for.
        Ok(()) = signals::stop() => Some(signals::interrupted()),
    };
    if let Some(error) = stopped {
        for job in &config.jobs[reports.len()..] {
            let report = RunReport::stopped(&job.activation, error.clone(), SystemClock.now());
            publish(&report);
            reports.push(report);
        }
    }
    reports
}

async fn run(config: &Config, mode: Mode, reports: &mut Vec<RunReport>) -> Result<(), ErrorReport> {
    let access = match mode {
        Mode::Plan => Access::Read,
        Mode::Run(_) => Access::Write,
    };
    let mut engine = open::engine(config, access).await?;
    let account = open::account(config).await?;
    if let Mode::Run(Some(digest)) = &mode {
        engine = engine.approver(Arc::new(ApproveDigest(digest.clone())));
    }
    for job in &config.jobs {
        let Job { activation, source, .. } = job;
        let engine = open::for_job(&engine, job);
        // Its calls are counted apart; limits and the look-up of the account are shared.
        let destination = account.sibling();
        let report = match mode {
            Mode::Plan => engine.plan(activation, &**source, &destination).await,
            Mode::Run(_) => engine.run(activation, &**source, &destination).await,
        };
        publish(&report);
        reports.push(report);
    }
    Ok(())
}

fn publish(report: &RunReport) {
    terminal::tell(&report.to_string());
    if let (GuardOutcome::Tripped, Some(digest)) = (report.guard.outcome, &report.plan_digest) {
        terminal::tell(&format!("  to let exactly this plan pass: --approve {digest}\n"));
    }
    if let (RunStatus::Failed | RunStatus::Busy, Some(error)) = (report.status, &report.error) {
        terminal::complain(&format!("{}: {}", report.segment, error.message));
    }
}
