//! What people see. A reader that went away (`activate … | head`) does not stop a run, so nothing
//! here can fail.

use std::io::{self, Write};

/// Writes to standard output as it is.
pub(crate) fn tell(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes a line to standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "activate: {text}");
}
