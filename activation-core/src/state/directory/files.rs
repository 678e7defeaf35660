//! Small helpers around the file system, and how its errors are told.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
};

use super::steps::{Step, Steps};
use crate::state::{StoreError, StoreErrorKind};

/// Creates the directory and those above it where missing. On Unix nobody but the owner may enter.
pub(super) fn create_private_directory(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| failed("cannot create the directory", path, error))
}

/// Creates `path` inside the store, durably, unless it is there.
pub(super) fn create_subdirectory(path: &Path, steps: &Steps) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    steps.before(Step::CreateDirectory)?;
    create_private_directory(path)?;
    steps.before(Step::SyncDirectory)?;
    sync_parent(path)
}

/// How to create files that nobody but the owner may read or write, on Unix.
pub(super) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the name `path` durable in its directory.
pub(super) fn sync_parent(path: &Path) -> Result<(), StoreError> {
    // A relative path of one name lies in the current directory, which is spelled out as ".".
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    sync_directory(parent)
}

/// Makes the names in a directory durable. Systems other than Unix do so by themselves.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        File::open(path)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| failed("cannot sync the directory", path, error))?;
    }
    Ok(())
}

/// The names in a directory that start with `prefix`; none when it is missing or unreadable.
pub(super) fn names_with_prefix(directory: &Path, prefix: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with(prefix)).collect()
}

/// A failure of the file system at `path`.
pub(super) fn failed(what: &str, path: &Path, error: io::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Failed, format!("{what} {}", path.display())).caused_by(error)
}
