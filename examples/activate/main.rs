//! Keeps contact lists equal to segments: one pass over the activations of a TOML file, for cron,
//! Airflow, Kubernetes and anything else that starts programs.
//!
//! ```text
//! activate --config FILE [--activation NAME] [--dry-run] [--approve DIGEST] [--report FILE.json]
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

mod config;
mod report;
mod run;
mod signals;
mod terminal;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;

use crate::config::Config;

/// Keeps contact lists equal to segments.
#[derive(Debug, Parser)]
struct Options {
    /// The configuration, a TOML file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Runs only the activation of this segment.
    #[arg(long, value_name = "NAME")]
    activation: Option<String>,
    /// Shows what a run would do, and changes nothing at the service and in the state directory.
    /// Before the very first run there is no state and so no key: such a plan cannot be approved.
    #[arg(long)]
    dry_run: bool,
    /// Lets the plan with this digest pass the guard, and no other.
    #[arg(long, value_name = "DIGEST")]
    approve: Option<String>,
    /// Writes what happened as JSON, also when runs failed.
    #[arg(long, value_name = "FILE.json", value_parser = report_path)]
    report: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Wrong usage ends here with code 2.
    let options = Options::parse();
    let config = match Config::load(&options.config, options.activation.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            terminal::complain(&error.to_string());
            return ExitCode::from(report::USAGE);
        }
    };
    let mode = if options.dry_run { run::Mode::Plan } else { run::Mode::Run(options.approve) };
    let reports = Box::pin(run::all(&config, mode)).await;
    let mut code = report::exit_code(&reports);
    if let Some(path) = &options.report
        && let Err(error) = report::write(path, &reports)
    {
        terminal::complain(&format!("cannot write {}: {error}", path.display()));
        code = report::FAILED;
    }
    ExitCode::from(code)
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
