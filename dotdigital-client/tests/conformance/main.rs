//! The client and the simulator against the vendor's own descriptions.
//!
//! The descriptions are not part of the project. They are read from the directory that the
//! environment variable `DOTDIGITAL_OPENAPI_DIR` names; without it every test here says on standard
//! error that it was skipped.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod coverage;
mod descriptions;
mod path;
mod quirks;
mod requests;
mod responses;
mod schema;
mod sources;
#[path = "../traffic/mod.rs"]
mod traffic;

use std::io::{self, Write as _};

/// Tells whoever runs the tests, past the harness, which hides what a passing test prints.
fn say(text: &str) {
    io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}
