//! What a pass over the activations amounts to: an exit code and a file.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use activation_core::{ErasureReport, ReconcileReport, RunReport, RunStatus};
use serde::Serialize;

/// The exit code of a failed run.
pub(crate) const FAILED: u8 = 1;
/// The exit code of wrong usage and wrong configuration.
pub(crate) const USAGE: u8 = 2;
/// The exit code of what passes by itself.
pub(crate) const TEMPORARY: u8 = 75;

/// Statuses from bad to good, with their exit codes: what needs a person first, then what passes by
/// itself, then what went well.
const BY_SEVERITY: [(RunStatus, u8); 7] = [
    (RunStatus::Failed, FAILED),
    (RunStatus::Blocked, 3),
    (RunStatus::Busy, TEMPORARY),
    (RunStatus::Incomplete, 4),
    (RunStatus::Done, 0),
    (RunStatus::NothingToDo, 0),
    (RunStatus::Planned, 0),
];

/// The exit code of the worst of them.
pub(crate) fn exit_code(statuses: impl Iterator<Item = RunStatus>) -> u8 {
    let severity = |status: RunStatus| {
        // A status that is newer than this table counts as failed.
        BY_SEVERITY.iter().position(|(known, _)| *known == status).unwrap_or(0)
    };
    statuses.map(severity).min().map_or(0, |worst| BY_SEVERITY[worst].1)
}

/// The worse of two exit codes.
pub(crate) fn worse(one: u8, other: u8) -> u8 {
    let severity = |code: u8| BY_SEVERITY.iter().position(|(_, known)| *known == code);
    if severity(one) <= severity(other) { one } else { other }
}

/// What a pass of runs writes.
#[derive(Serialize)]
pub(crate) struct Activations<'a> {
    pub(crate) activations: &'a [RunReport],
}

/// What a pass of reconciliations writes.
#[derive(Serialize)]
pub(crate) struct Reconciliations<'a> {
    pub(crate) reconciliations: &'a [ReconcileReport],
}

/// What an erasure writes.
#[derive(Serialize)]
pub(crate) struct Erasure<'a> {
    pub(crate) erasure: &'a ErasureReport,
}

/// Writes the report to `path`: the whole of it or nothing, so that whoever watches the
/// file never reads half a report.
///
/// # Errors
///
/// Fails when the file cannot be written. One that was there before is then untouched.
pub(crate) fn write(path: &Path, contents: &impl Serialize) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let result = fill(&temporary, contents).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // What matters is the first error.
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn fill(path: &Path, contents: &impl Serialize) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer_pretty(&mut file, contents)?;
    file.write_all(b"\n")?;
    file.into_inner()?.sync_all()
}
