use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ExternalError;

/// A directory of one owner alone, removed with all it holds when dropped.
#[derive(Debug)]
pub(super) struct TempDirectory(PathBuf);

impl TempDirectory {
    pub(super) fn create(parent: &Path) -> Result<Self, ExternalError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("segment-diff-{}-{number}", process::id()));
            match private_directory().create(&path) {
                Ok(()) => return Ok(Self(path)),
                // Left by a killed process that had the same number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(ExternalError::File { path, source }),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDirectory {
    fn drop(&mut self) {
        // Nobody could be told of a failure here, and none changes the result.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Temporary files hold keys as they are, so nobody else may read them.
fn private_directory() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
