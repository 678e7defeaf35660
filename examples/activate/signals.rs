//! Being asked to stop.

use std::io;

use activation_core::ErrorReport;

/// What stands in the reports of those that were not begun or not finished.
pub(crate) fn interrupted() -> ErrorReport {
    ErrorReport {
        message: "interrupted; the next run goes on from there".to_owned(),
        temporary: true,
    }
}

/// Waits until the program is asked to stop: Ctrl-C, or on Unix the signal that schedulers send.
///
/// # Errors
///
/// Fails when signals cannot be listened for.
#[cfg(unix)]
pub(crate) async fn stop() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt,
        _ = terminate.recv() => Ok(()),
    }
}

/// Waits until the program is asked to stop with Ctrl-C.
///
/// # Errors
///
/// Fails when signals cannot be listened for.
#[cfg(not(unix))]
pub(crate) async fn stop() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
