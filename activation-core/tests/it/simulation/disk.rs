//! What is left of the store's directory when the power goes.
//!
//! The store announces each step that changes what survives, so the disk knows which bytes and
//! names were made durable. All others may be there, be gone or be cut short, each for itself:
//!
//! * a snapshot's bytes until they were synced, its name and its removal until the directory was;
//! * a directory until the one above was synced; a lock file always;
//! * of the database, when the power goes amid a transaction: the old file, the new one, the old one
//!   beside a rollback journal that was cut short, or any mixture of both beside a whole one.
//!
//! That a transaction is durable when SQLite says so is taken from SQLite.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::PathBuf,
    sync::Mutex,
};

use activation_core::Step;
use fastrand::Rng;

use super::torn_database::{JOURNAL_SUFFIX, torn_database};

const DATABASE: &str = "state.db";
const SNAPSHOTS: &str = "snapshots";
const LOCKS: &str = "locks";

/// The disk beneath one store.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The last two steps that were begun, the newer one first.
    steps: [Option<Step>; 2],
    /// Directories whose names are durable.
    directories: BTreeSet<&'static str>,
    /// Snapshot files whose names are durable.
    names: BTreeSet<String>,
    /// Contents of snapshot files that are durable.
    contents: HashSet<Vec<u8>>,
    /// Whatever was among the snapshot files since their names were last made durable.
    seen: BTreeMap<String, Vec<u8>>,
    /// The database before the transaction in which the power goes.
    before: Option<Vec<u8>>,
    /// Whether it goes in the middle of the last step.
    amid_step: bool,
}

impl Disk {
    pub(super) fn beneath(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), known: Mutex::default() }
    }

    /// A step is about to happen, and all before it are over. `is_torn` says that the power goes in
    /// the middle of it.
    pub(super) fn begin(&self, step: Step, is_torn: bool) {
        let known = &mut *self.known.lock().expect("no poison");
        self.settle(known);
        if !matches!(step, Step::Transaction(_) | Step::RemoveLock | Step::RewriteDatabase) {
            self.look(known);
        }
        known.steps = [Some(step), known.steps[0]];
        known.amid_step = is_torn;
        if is_torn && matches!(step, Step::Transaction(_) | Step::RewriteDatabase) {
            known.before = fs::read(self.root.join(DATABASE)).ok();
        }
    }

    /// The power went. No process is left that uses the directory.
    pub(super) fn cut(&self, dice: &mut Rng) {
        let known = &mut *self.known.lock().expect("no poison");
        if !known.amid_step {
            self.settle(known);
        }
        self.look(known);
        self.cut_directories(known, dice);
        self.cut_snapshots(known, dice);
        for lock in self.files_in(LOCKS) {
            if dice.bool() {
                fs::remove_file(self.root.join(LOCKS).join(lock)).expect("a lock file");
            }
        }
        if let Some(before) = known.before.take() {
            let path = self.root.join(DATABASE);
            let after = fs::read(&path).expect("the database");
            let (database, journal) = torn_database(&before, &after, dice);
            fs::write(&path, database).expect("the database");
            if let Some(journal) = journal {
                let path = self.root.join(format!("{DATABASE}{JOURNAL_SUFFIX}"));
                fs::write(path, journal).expect("the rollback journal");
            }
        }
        // What is there now has survived.
        *known = Known::default();
        let there = [SNAPSHOTS, LOCKS].into_iter().filter(|name| self.root.join(name).is_dir());
        known.directories = there.collect();
        for (name, bytes) in self.snapshots() {
            known.names.insert(name);
            known.contents.insert(bytes);
        }
    }

    /// The last step is over: what has it made durable?
    fn settle(&self, known: &mut Known) {
        match known.steps {
            [Some(Step::SyncSnapshot), _] => {
                let drafts =
                    self.snapshots().into_iter().filter(|(name, _)| name.ends_with(".tmp"));
                known.contents.extend(drafts.map(|(_, bytes)| bytes));
            }
            // SQLite syncs the directory of its database when a transaction ends.
            [Some(Step::SyncDirectory), Some(Step::CreateDirectory)]
            | [Some(Step::Transaction(_)), _]
                if known.directories.len() < 2 =>
            {
                let there = [SNAPSHOTS, LOCKS].into_iter();
                known.directories.extend(there.filter(|name| self.root.join(name).is_dir()));
            }
            [Some(Step::SyncDirectory), _] => {
                known.names = self.snapshots().into_keys().collect();
                known.seen.clear();
            }
            _ => {}
        }
        known.steps[0] = match known.steps[0] {
            // Is looked at once more, as the one before.
            Some(Step::CreateDirectory) => Some(Step::CreateDirectory),
            _ => None,
        };
    }

    fn look(&self, known: &mut Known) {
        known.seen.extend(self.snapshots());
    }

    fn cut_directories(&self, known: &mut Known, dice: &mut Rng) {
        for name in [SNAPSHOTS, LOCKS] {
            let path = self.root.join(name);
            if path.is_dir() && !known.directories.contains(name) && dice.bool() {
                fs::remove_dir_all(path).expect("a directory");
            }
        }
    }

    fn cut_snapshots(&self, known: &Known, dice: &mut Rng) {
        let directory = self.root.join(SNAPSHOTS);
        if !directory.is_dir() {
            return;
        }
        for (name, bytes) in &known.seen {
            let path = directory.join(name);
            let is_certain = known.names.contains(name) && path.exists();
            if !is_certain && dice.bool() {
                // Either it never got its name, or its removal counts.
                let _ = fs::remove_file(path);
            } else if known.contents.contains(bytes) {
                fs::write(path, bytes).expect("a snapshot");
            } else {
                fs::write(path, cut_short(bytes, dice)).expect("a snapshot");
            }
        }
    }

    fn snapshots(&self) -> BTreeMap<String, Vec<u8>> {
        let read = |name: String| {
            let bytes = fs::read(self.root.join(SNAPSHOTS).join(&name)).expect("a snapshot");
            (name, bytes)
        };
        self.files_in(SNAPSHOTS).map(read).collect()
    }

    fn files_in(&self, directory: &str) -> impl Iterator<Item = String> + use<> {
        let entries = fs::read_dir(self.root.join(directory)).into_iter().flatten();
        entries.map(|entry| entry.expect("readable").file_name().into_string().expect("a name"))
    }
}

/// All of it, a beginning, a beginning and nothing but zeros, or nothing.
fn cut_short(bytes: &[u8], dice: &mut Rng) -> Vec<u8> {
    let kept = dice.usize(0..=bytes.len());
    let mut rest = bytes[..kept].to_vec();
    match dice.u8(0..4) {
        0 => bytes.to_vec(),
        1 => Vec::new(),
        2 => rest,
        _ => {
            rest.resize(bytes.len(), 0);
            rest
        }
    }
}
