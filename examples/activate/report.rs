//! What a pass over the activations amounts to: an exit code and a file.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use activation_core::{RunReport, RunStatus};
use serde::Serialize;

/// The exit code of a failed run.
pub(crate) const FAILED: u8 = 1;
/// The exit code of wrong usage and wrong configuration.
pub(crate) const USAGE: u8 = 2;

/// Statuses from bad to good, with their exit codes: what needs a person first, then what passes by
/// itself, then what went well.
const BY_SEVERITY: [(RunStatus, u8); 7] = [
    (RunStatus::Failed, FAILED),
    (RunStatus::Blocked, 3),
    (RunStatus::Busy, 75),
    (RunStatus::Incomplete, 4),
    (RunStatus::Done, 0),
    (RunStatus::NothingToDo, 0),
    (RunStatus::Planned, 0),
];

/// The exit code of the worst report.
pub(crate) fn exit_code(reports: &[RunReport]) -> u8 {
    let severity = |status: RunStatus| {
        // A status that is newer than this table counts as failed.
        BY_SEVERITY.iter().position(|(known, _)| *known == status).unwrap_or(0)
    };
    let worst = reports.iter().map(|report| severity(report.status)).min();
    worst.map_or(0, |worst| BY_SEVERITY[worst].1)
}

/// Writes `{"activations":[…]}` to `path`: the whole of it or nothing, so that whoever watches the
/// file never reads half a report.
///
/// # Errors
///
/// Fails when the file cannot be written. One that was there before is then untouched.
pub(crate) fn write(path: &Path, reports: &[RunReport]) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let result = fill(&temporary, reports).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // What matters is the first error.
        let _ = fs::remove_file(&temporary);
    }
    result
}

#[derive(Serialize)]
struct Contents<'a> {
    activations: &'a [RunReport],
}

fn fill(path: &Path, reports: &[RunReport]) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer_pretty(&mut file, &Contents { activations: reports })?;
    file.write_all(b"\n")?;
    file.into_inner()?.sync_all()
}
