//! Looking whether the lists still are what the state says, and putting the state right.

use activation_core::{ErrorReport, ReconcileReport, Reconciliation, RunStatus};

use crate::{
    config::{Config, Job},
    open::{self, Access},
    signals, terminal,
};

/// What `--reconcile` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Reconcile {
    /// Says how list, segment and state differ; changes nothing.
    Report,
    /// Puts the state right; the next run changes the list accordingly.
    Repair,
    /// Makes a lost state anew from list and segment; removes nobody.
    Rebuild,
}

impl Reconcile {
    fn access(self) -> Access {
        match self {
            Self::Report => Access::Read,
            Self::Repair | Self::Rebuild => Access::Write,
        }
    }

    fn how(self) -> Reconciliation {
        match self {
            Self::Report => Reconciliation::report(),
            Self::Repair => Reconciliation::repair(),
            Self::Rebuild => Reconciliation::rebuild(),
        }
    }
}

/// Reconciles one activation after the other and prints each report.
///
/// # Errors
///
/// Fails when nothing more could be begun: without state or account, or after a signal. The reports
/// of those that ended stand in `reports`.
pub(crate) async fn all(
    config: &Config,
    what: Reconcile,
    reports: &mut Vec<ReconcileReport>,
) -> Result<(), ErrorReport> {
    tokio::select! {
        result = reconcile(config, what, reports) => result,
        // A repair is one commit, made or not made.
        Ok(()) = signals::stop() => Err(signals::interrupted()),
    }
}

async fn reconcile(
    config: &Config,
    what: Reconcile,
    reports: &mut Vec<ReconcileReport>,
) -> Result<(), ErrorReport> {
    let engine = open::engine(config, what.access()).await?;
    let account = open::account(config).await?;
    for job in &config.jobs {
        let Job { activation, source, .. } = job;
        let engine = open::for_job(&engine, job);
        let destination = account.sibling();
        let how = what.how();
        let report = Box::pin(engine.reconcile(activation, &**source, &destination, &how)).await;
        terminal::tell(&report.to_string());
        if let (RunStatus::Failed | RunStatus::Busy, Some(error)) = (report.status, &report.error) {
            terminal::complain(&format!("{}: {}", report.segment, error.message));
        }
        reports.push(report);
    }
    Ok(())
}
