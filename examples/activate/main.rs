//! Keeps contact lists equal to segments: one pass over the activations of a TOML file, for cron,
//! Airflow, Kubernetes and anything else that starts programs.
//!
//! ```text
//! activate --config FILE [--activation NAME] [--dry-run] [--approve DIGEST] [--report FILE.json]
//! activate --config FILE [--activation NAME] --reconcile report|repair|rebuild [--report FILE.json]
//! activate --config FILE --erase FILE [--report FILE.json]
//! ```
//!
//! The exit code is that of the worst activation, from bad to good:
//!
//! | code | meaning |
//! |---|---|
//! | 2 | usage or configuration; nothing was called |
//! | 1 | failed |
//! | 3 | stopped by the guard, waiting for approval |
//! | 75 | temporary, run again later: busy, throttled, unreachable, interrupted |
//! | 4 | done, with held or failed members |
//! | 0 | done, or nothing to do |
//!
//! A reconciliation that reports ends with 0 also where it found differences: they stand in its
//! report. An erasure ends with 0 when no activation knows the person any more.

mod config;
mod erase;
mod ledger;
mod open;
mod reconcile;
mod report;
mod run;
mod signals;
mod terminal;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use activation_core::ErrorReport;
use clap::Parser;
use serde::Serialize;

use crate::{config::Config, reconcile::Reconcile};

/// Keeps contact lists equal to segments.
#[derive(Debug, Parser)]
struct Options {
    /// The configuration, a TOML file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Runs only the activation of this segment.
    #[arg(long, value_name = "NAME")]
    activation: Option<String>,
    /// Shows what a run would do, and changes nothing at the service and in the state.
    /// Before the very first run there is no state and so no key: such a plan cannot be approved.
    #[arg(long)]
    dry_run: bool,
    /// Lets the plan with this digest pass the guard, and no other.
    #[arg(long, value_name = "DIGEST")]
    approve: Option<String>,
    /// Compares lists, segments and state instead of running, and puts the state right if asked.
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["dry_run", "approve"])]
    reconcile: Option<Reconcile>,
    /// Forgets one person in the whole state instead of running. The file, or standard input for
    /// `-`, has her identifiers, one a line: `email:…`, `mobile_number:…`, `contact_id:…`. The lists
    /// are left alone.
    #[arg(long, value_name = "FILE",
        conflicts_with_all = ["dry_run", "approve", "reconcile", "activation"])]
    erase: Option<PathBuf>,
    /// Writes what happened as JSON, also when runs failed.
    #[arg(long, value_name = "FILE.json", value_parser = report_path)]
    report: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Wrong usage ends here with code 2.
    let options = Options::parse();
    let code = match Config::load(&options.config, options.activation.as_deref()) {
        Ok(config) => Box::pin(act(&options, &config)).await,
        Err(error) => usage(&error.to_string()),
    };
    ExitCode::from(code)
}

async fn act(options: &Options, config: &Config) -> u8 {
    let path = options.report.as_deref();
    if let Some(what) = options.reconcile {
        let mut reports = Vec::new();
        let stopped = reconcile::all(config, what, &mut reports).await.err();
        let code = report::exit_code(reports.iter().map(|report| report.status));
        let code = report::worse(code, stopped.as_ref().map_or(0, stop));
        return written(path, &report::Reconciliations { reconciliations: &reports }, code);
    }
    if let Some(person) = &options.erase {
        let person = match erase::read_person(person) {
            Ok(person) => person,
            Err(problem) => return usage(&problem),
        };
        return match erase::everywhere(config, &person).await {
            Ok(erased) => {
                let code = if erased.is_complete() { 0 } else { report::FAILED };
                written(path, &report::Erasure { erasure: &erased }, code)
            }
            Err(error) => stop(&error),
        };
    }
    let mode =
        if options.dry_run { run::Mode::Plan } else { run::Mode::Run(options.approve.clone()) };
    let reports = run::all(config, mode).await;
    let code = report::exit_code(reports.iter().map(|report| report.status));
    written(path, &report::Activations { activations: &reports }, code)
}

fn usage(problem: &str) -> u8 {
    terminal::complain(problem);
    report::USAGE
}

/// Says why nothing more could be begun.
fn stop(error: &ErrorReport) -> u8 {
    terminal::complain(&error.message);
    if error.temporary { report::TEMPORARY } else { report::FAILED }
}

/// The exit code, once the report is where it was asked for.
fn written(path: Option<&Path>, contents: &impl Serialize, code: u8) -> u8 {
    match path.map(|path| (path, report::write(path, contents))) {
        Some((path, Err(error))) => {
            terminal::complain(&format!("cannot write {}: {error}", path.display()));
            report::FAILED
        }
        _ => code,
    }
}

/// Refuses a report that could not be written, before anything is called.
fn report_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if path.file_name().is_none() || path.is_dir() {
        Err("not the name of a file".to_owned())
    } else if !directory.is_dir() {
        Err("there is no such directory".to_owned())
    } else {
        Ok(path)
    }
}
