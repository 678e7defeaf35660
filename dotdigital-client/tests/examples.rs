//! Every example runs to its end and tells something.
#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Examples of calls that need a feature which is off.
const NOT_BUILT: &[&str] =
    if cfg!(feature = "consent-changes") { &[] } else { &["consent_changes"] };

/// The names of the files in `examples/` that this build includes.
fn names() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = directory.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let names = sources.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| !NOT_BUILT.contains(&name.as_str())).collect()
}

/// Where cargo puts the examples: beside the directory of the test binaries.
fn built(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    profile.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION)
}

#[test]
fn every_example_runs_to_its_end() {
    let names = names();
    assert!(!names.is_empty(), "{names:?}");
    for name in names {
        let program = built(&name);
        assert!(program.is_file(), "{name} is not built: cargo test builds it");
        let output = Command::new(program).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let failed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {told}{failed}");
        assert!(!told.trim().is_empty(), "{name} tells nothing");
    }
}
