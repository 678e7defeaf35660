//! Deliberate breakages, of which the simulation must notice each: `mutations/*.txt`.
//!
//! A file says in its first line what is broken. Then come replacements: a path in the crate, and
//! what stands there before and after.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// The simulation's tests, in the order in which they are tried.
const TESTS: [&str; 6] = [
    "random_histories_converge_and_harm_nobody",
    "an_answer_lost_at_any_write_is_made_good_although_its_job_ends_late",
    "a_run_killed_at_any_point_is_made_good_by_the_next_ones",
    "a_power_cut_at_any_point_is_made_good_by_the_next_ones",
    "a_process_that_is_overtaken_at_any_point_writes_nothing_more",
    "a_clock_set_forward_or_back_at_any_point_does_no_harm",
];

/// The tests of a broken copy.
const ONLY_THE_SIMULATION: &str = "#![allow(clippy::unwrap_used, dead_code)]\n\
    mod ledger;\nmod postgres;\nmod simulation;\nmod world;\n";

struct Mutation {
    name: String,
    what: String,
    replacements: Vec<Replacement>,
}

struct Replacement {
    path: String,
    before: String,
    after: String,
}

impl Mutation {
    fn all() -> Vec<Self> {
        let mut paths: Vec<PathBuf> = fs::read_dir(Path::new(CRATE).join("mutations"))
            .expect("the mutations")
            .map(|entry| entry.expect("readable").path())
            .collect();
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("readable");
        let (what, mut rest) = text.split_once('\n').expect("what is broken");
        let mut replacements = Vec::new();
        while !rest.trim().is_empty() {
            let (path, after_path) = rest.split_once("\n<<<<<<<\n").expect("a replacement");
            let (before, after_before) = after_path.split_once("=======\n").expect("its middle");
            let (after, next) = after_before.split_once(">>>>>>>\n").expect("its end");
            replacements.push(Replacement {
                path: path.to_owned(),
                before: before.to_owned(),
                after: after.to_owned(),
            });
            rest = next;
        }
        assert!(!replacements.is_empty(), "{} breaks nothing", path.display());
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        Self { name, what: what.to_owned(), replacements }
    }

    /// The broken files of the crate in `directory`, or what does not fit.
    fn broken(&self, directory: &Path) -> Result<Vec<(PathBuf, String)>, String> {
        let mut files: Vec<(PathBuf, String)> = Vec::new();
        for Replacement { path, before, after } in &self.replacements {
            let path = directory.join(path);
            let earlier = files.iter().position(|(earlier, _)| *earlier == path);
            let text = match earlier {
                Some(earlier) => files.remove(earlier).1,
                None => fs::read_to_string(&path).map_err(|error| error.to_string())?,
            };
            match text.matches(before).count() {
                1 => files.push((path, text.replace(before, after))),
                count => return Err(format!("{}: found {count} times", path.display())),
            }
        }
        Ok(files)
    }
}

#[test]
fn every_mutation_fits_the_code() {
    let mutations = Mutation::all();
    let misfits: Vec<String> = (mutations.iter())
        .filter_map(|one| {
            one.broken(Path::new(CRATE)).err().map(|why| format!("{}: {why}", one.name))
        })
        .collect();
    assert!(misfits.is_empty(), "{misfits:#?}");
    assert!(mutations.len() > 12);
}

/// Prints the table of `TESTING.md`. `MUTATIONS` names some, with commas between them.
#[test]
#[ignore = "builds and runs the tests once for each mutation, which takes a minute or two each"]
fn every_mutation_makes_the_simulation_fail() {
    // Always the same place, so that what was built there is used again.
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutations");
    fs::create_dir_all(&copy).expect("a directory");
    let root = Path::new(CRATE).parent().expect("the workspace");
    copy_sources(root, &copy).expect("a copy of the workspace");
    let broken_crate = copy.join("activation-core");
    // Builds in half the time.
    fs::write(broken_crate.join("tests/it/main.rs"), ONLY_THE_SIMULATION).expect("writable");
    let chosen = std::env::var("MUTATIONS").unwrap_or_default();
    let is_chosen =
        |one: &&Mutation| chosen.is_empty() || chosen.split(',').any(|name| name == one.name);
    let all = Mutation::all();
    let mut survivors = Vec::new();
    println!("| mutation | what is broken | noticed by |\n|---|---|---|");
    for mutation in all.iter().filter(is_chosen) {
        let mut healthy = Vec::new();
        for (path, text) in mutation.broken(&broken_crate).expect("it fits") {
            healthy.push((path.clone(), fs::read_to_string(&path).expect("readable")));
            fs::write(path, text).expect("writable");
        }
        let noticed = noticed_by(&copy, root);
        let Mutation { name, what, .. } = mutation;
        println!("| `{name}` | {what} | {} |", noticed.as_deref().unwrap_or("**nothing**"));
        if noticed.is_none() {
            survivors.push(name);
        }
        for (path, text) in healthy {
            fs::write(path, text).expect("writable");
        }
    }
    assert!(survivors.is_empty(), "not noticed: {survivors:?}");
}

/// The first test that fails, and why.
fn noticed_by(copy: &Path, root: &Path) -> Option<String> {
    TESTS.iter().find_map(|test| {
        let output = Command::new(env!("CARGO"))
            .args(["test", "--all-features", "--package", "activation-core", "--test", "it"])
            .args(["--", &format!("simulation::{test}"), "--exact"])
            .current_dir(copy)
            // What the workspace has built of its dependencies is used again.
            .env("CARGO_TARGET_DIR", root.join("target"))
            .env("RUST_BACKTRACE", "0")
            .output()
            .expect("cargo runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.contains("could not compile"), "{errors}");
        (!output.status.success()).then(|| format!("`{test}`: {}", reason(&said)))
    })
}

/// What the first panic said, and the first seed, on one line.
fn reason(said: &str) -> String {
    let mut lines = said.lines().skip_while(|line| !line.contains("panicked at"));
    let place = lines.next().and_then(|line| line.split("panicked at ").nth(1)).unwrap_or_default();
    let message: String = lines.next().unwrap_or_default().chars().take(100).collect();
    let seeds = said.lines().find_map(|line| line.split("n in ").nth(1)).unwrap_or_default();
    format!("{} {message} {seeds}", place.trim_start_matches("activation-core/tests/it/"))
}

fn copy_sources(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "target" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        let to = to.join(&name);
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&to)?;
            copy_sources(&entry.path(), &to)?;
        } else if fs::read(&to).ok() != Some(fs::read(entry.path())?) {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
