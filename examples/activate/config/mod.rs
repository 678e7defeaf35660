//! The configuration file, read and checked before anything is called.

mod adbc;
mod check;
mod file;
mod problem;
mod sources;
mod state;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use activation_core::{Activation, SegmentSource, dotdigital::BatchLimits};
use dotdigital_client::ClientBuilder;

use self::{file::File, problem::Locator};
pub(crate) use self::{
    problem::ConfigError,
    state::{StateKeys, StatePlace},
};

/// A configuration with which runs may begin.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where the state is kept.
    pub(crate) state: StatePlace,
    /// The file that every change of a membership is appended to.
    pub(crate) ledger: Option<PathBuf>,
    /// Where the account is and who calls.
    pub(crate) client: ClientBuilder,
    /// How many changes go into one call.
    pub(crate) limits: BatchLimits,
    /// What to do, in order.
    pub(crate) jobs: Vec<Job>,
}

/// One activation, where its members come from, and who must not be among them.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) activation: Activation,
    pub(crate) source: Arc<dyn SegmentSource>,
    /// Each with its reason.
    pub(crate) exclusions: Vec<(String, Arc<dyn SegmentSource>)>,
}

impl Config {
    /// Reads the file `path` and keeps all activations, or the one of segment `only`.
    ///
    /// # Errors
    ///
    /// Says which key of which file is wrong and what was expected. Never shows the value of an
    /// environment variable, nor a line of the file.
    pub(crate) fn load(path: &Path, only: Option<&str>) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|error| ConfigError::of_file(path, format!("cannot be read: {error}")))?;
        let table = file::parse(&text).map_err(|error| {
            ConfigError::at(path, error.span().map(|span| problem::line(&text, span.start)), &error)
        })?;
        let locator = Locator::new(&text, &table);
        // Relative paths are relative to the file.
        let base = path.parent().unwrap_or(Path::new(""));
        File::read(table)
            .and_then(|file| check::check(file, base, only))
            .map_err(|problem| locator.locate(path, problem))
    }
}
