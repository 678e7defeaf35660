//! The statements of every dialect are read by a parser that knows them all. It is lenient: a pass says
//! that nothing is misspelt, and not that the warehouse would take it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::adbc::brought;

fn parse(packages: &Path, files: &[PathBuf]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines/parse.py");
    let mut python = Command::new("python3");
    python.arg(script).args(files).env("PYTHONPATH", packages.join("sqlglot"));
    python.output().unwrap()
}

#[test]
fn statements_of_every_dialect_can_be_parsed() {
    let Some(packages) = brought(&["sqlglot"], "CI") else { return };
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/warehouse/golden");
    let mut files: Vec<PathBuf> =
        fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 10, "{files:?}");
    let parsed = parse(&packages, &files);
    assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));

    // It would be told.
    let directory = tempfile::tempdir().unwrap();
    for (right, misspelt) in [("CREATE TABLE", "CREATE TABEL"), ("GROUP BY k", "GROUP k BY")] {
        let wrong: Vec<PathBuf> = files
            .iter()
            .map(|file| {
                let wrong = directory.path().join(file.file_name().unwrap());
                let script = fs::read_to_string(file).unwrap();
                fs::write(&wrong, script.replace(right, misspelt)).unwrap();
                wrong
            })
            .collect();
        let told = String::from_utf8_lossy(&parse(&packages, &wrong).stderr).into_owned();
        for file in wrong {
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(told.contains(name), "{misspelt} in {name}");
        }
    }
}
