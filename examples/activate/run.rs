//! One pass over the activations.

use std::{error::Error, sync::Arc};

use activation_core::{
    ApproveDigest, Clock as _, DirectoryStore, Engine, ErrorReport, FingerprintKey, GuardOutcome,
    HostKey, MemoryStore, RunReport, RunStatus, StateStore, StoreError, StoreErrorKind,
    SystemClock, dotdigital::Dotdigital,
};

use crate::{
    config::{Config, Job},
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
        Ok(()) = signals::stop() => Some(ErrorReport {
            message: "interrupted; the next run goes on from there".to_owned(),
            temporary: true,
        }),
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
    let store = open_store(config, &mode).await.map_err(|error| state_error(&error))?;
    let client = config.client.clone().connect().await.map_err(|error| ErrorReport {
        message: with_causes(&error),
        temporary: error.is_temporary(),
    })?;
    let account = Dotdigital::new(&client).batch_limits(config.limits);
    let mut engine = Engine::new(store);
    if let Mode::Run(Some(digest)) = &mode {
        engine = engine.approver(Arc::new(ApproveDigest(digest.clone())));
    }
    for Job { activation, source } in &config.jobs {
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

async fn open_store(config: &Config, mode: &Mode) -> Result<Arc<dyn StateStore>, StoreError> {
    let directory = &config.state_directory;
    Ok(match (mode, &config.state_key) {
        (Mode::Run(_), None) => Arc::new(DirectoryStore::open(directory)?),
        (Mode::Run(_), Some(key)) => Arc::new(open_with_key(config, key).await?),
        (Mode::Plan, None) => or_empty(DirectoryStore::open_read_only(directory)?),
        (Mode::Plan, Some(key)) => {
            let open =
                |key: &HostKey| DirectoryStore::open_read_only_with_key(directory, key.clone());
            or_empty(match (open(key), &config.previous_state_key) {
                (Err(error), Some(previous)) if error.kind == StoreErrorKind::WrongKey => {
                    open(previous)?
                }
                (opened, _) => opened?,
            })
        }
    })
}

/// A state that still has the key from before is given the new one.
async fn open_with_key(config: &Config, key: &HostKey) -> Result<DirectoryStore, StoreError> {
    let open = |key: &HostKey| DirectoryStore::open_with_key(&config.state_directory, key.clone());
    match (open(key), &config.previous_state_key) {
        (Err(error), Some(previous)) if error.kind == StoreErrorKind::WrongKey => {
            let store = open(previous)?;
            store.change_host_key(key.clone()).await?;
            Ok(store)
        }
        (opened, _) => opened,
    }
}

/// Before the first run there is no state to plan on, and a dry run must not create it.
fn or_empty(store: Option<DirectoryStore>) -> Arc<dyn StateStore> {
    match store {
        Some(store) => Arc::new(store),
        // Nothing is kept, so any key will do.
        None => Arc::new(MemoryStore::new(FingerprintKey::new([0; 16]))),
    }
}

fn state_error(error: &StoreError) -> ErrorReport {
    ErrorReport {
        message: format!("the state directory cannot be used: {}", with_causes(error)),
        temporary: error.kind == StoreErrorKind::Unavailable,
    }
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

/// An error and its causes on one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
