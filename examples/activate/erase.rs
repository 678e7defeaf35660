//! Forgetting one person wherever the state knows her.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use activation_core::{ErasureReport, ErrorReport, Identifier, IdentifierKind};

use crate::{
    config::Config,
    open::{self, Access},
    terminal,
};

/// More than anybody has names.
const MOST_BYTES: u64 = 1 << 20;

/// Reads who is meant: one identifier a line with its kind before it, `email:`, `mobile_number:` or
/// `contact_id:`. From a file or, for `-`, from standard input, and not from the command line, which
/// others on the machine can read and shells keep.
///
/// # Errors
///
/// Says which line is wrong and never what it is.
pub(crate) fn read_person(path: &Path) -> Result<Vec<Identifier>, String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        io::stdin().take(MOST_BYTES).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text))
    };
    read.map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let person = lines
        .map(|(index, line)| {
            identifier(line.trim())
                .map_err(|problem| format!("{}: line {}: {problem}", path.display(), index + 1))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if person.is_empty() {
        return Err(format!("{}: nobody stands in it, expected `email:` …", path.display()));
    }
    Ok(person)
}

fn identifier(line: &str) -> Result<Identifier, String> {
    let kind = match line.split_once(':') {
        Some(("email", _)) => IdentifierKind::Email,
        Some(("mobile_number", _)) => IdentifierKind::MobileNumber,
        Some(("contact_id", _)) => IdentifierKind::ContactId,
        _ => return Err("expected `email:`, `mobile_number:` or `contact_id:`".to_owned()),
    };
    let (_, text) = line.split_once(':').unwrap_or_default();
    let identifier = kind.normalise(text.trim().as_bytes());
    identifier.map_err(|reason| format!("unusable: {}", reason.as_str()))
}

/// Forgets her in every activation of the state, whether the configuration names it or not. Calls
/// nothing.
///
/// # Errors
///
/// Fails when the state cannot be used. What could not be done for one activation stands in the
/// report.
pub(crate) async fn everywhere(
    config: &Config,
    person: &[Identifier],
) -> Result<ErasureReport, ErrorReport> {
    let engine = open::engine(config, Access::Write).await?;
    let report = engine.erase(person).await?;
    terminal::tell(&report.to_string());
    Ok(report)
}
