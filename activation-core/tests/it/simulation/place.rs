//! Where the state of a history is kept.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use activation_core::{
    Acquired, ActivationKey, DirectoryStore, HostKey, MemoryStore, StateStore, Step,
};
use chrono::TimeDelta;

#[cfg(all(feature = "postgres", unix))]
use super::tables::Tables;
use super::{fate::Reaper, history::LEASE};
use crate::world::{key, monday};

#[derive(Clone)]
pub(super) enum Place {
    /// In a directory, of which a power cut leaves only what was made durable.
    Directory(PathBuf),
    /// In memory that outlives its processes. It costs a third, and all that happens is between the
    /// operations of the store and not inside them; a power cut is no more than a death.
    Memory(Arc<MemoryStore>),
    /// In tables of a server, which goes on when a process dies.
    #[cfg(all(feature = "postgres", unix))]
    Tables(Arc<Tables>),
}

impl Place {
    pub(super) fn new_memory() -> Self {
        Self::Memory(Arc::new(MemoryStore::new(key())))
    }

    /// The store as those see it to whom nothing happens.
    pub(super) fn open(&self) -> Arc<dyn StateStore> {
        match self {
            Self::Directory(path) => Arc::new(open_directory(path)),
            Self::Memory(memory) => memory.clone(),
            #[cfg(all(feature = "postgres", unix))]
            Self::Tables(tables) => Arc::new(tables.open()),
        }
    }

    /// The store of a process whose fate may come true at each step inside it.
    pub(super) fn open_for(&self, reaper: &Arc<Reaper>) -> Arc<dyn StateStore> {
        match self {
            Self::Directory(path) => {
                let (store, reaper) = (open_directory(path), Arc::clone(reaper));
                store.before_each_step(Arc::new(move |next: Step| reaper.step(next)));
                Arc::new(store)
            }
            Self::Memory(memory) => memory.clone(),
            #[cfg(all(feature = "postgres", unix))]
            Self::Tables(tables) => Arc::new(tables.open_for(reaper)),
        }
    }

    /// No process is left that has a lease. Whoever knows that may say so.
    pub(super) async fn free_leases(&self) {
        match self {
            // The store sees it by itself.
            Self::Directory(_) => {}
            Self::Memory(memory) => free_lease(memory).await,
            #[cfg(all(feature = "postgres", unix))]
            Self::Tables(tables) => tables.free_leases(),
        }
    }

    /// Whether it is found out by itself that the holder of a lease is dead.
    pub(super) fn knows_the_dead(&self) -> bool {
        matches!(self, Self::Directory(_))
    }

    pub(super) fn check_no_trace_of(&self, traces: &[&[u8]]) {
        match self {
            Self::Directory(path) => check_no_trace_in_files(path, traces),
            // Whoever can look into a process knows everything.
            Self::Memory(_) => {}
            #[cfg(all(feature = "postgres", unix))]
            Self::Tables(tables) => tables.check_no_trace_of(traces),
        }
    }
}

/// Takes the lease when any other is over by time, and gives it back.
async fn free_lease(memory: &MemoryStore) {
    let (activation, far_ahead) = (ActivationKey::new("vip"), monday() + TimeDelta::days(36_500));
    let taken = memory.acquire(&activation, "whoever cares for the dead", far_ahead, LEASE).await;
    match taken.expect("memory") {
        Acquired::Lease(lease) => memory.release(&lease).await.expect("memory"),
        Acquired::Busy { until, .. } => panic!("a lease until {until}"),
    }
}

fn open_directory(path: &Path) -> DirectoryStore {
    let key = HostKey::new([7; 16]);
    DirectoryStore::open_with_key(path, key).expect("the state is readable")
}

fn check_no_trace_in_files(directory: &Path, traces: &[&[u8]]) {
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let bytes = fs::read(&path).expect("readable");
                for trace in traces {
                    let is_there = contains(&bytes, trace);
                    assert!(!is_there, "{trace:?} in {}", path.display());
                }
            }
        }
    }
}

/// Faster, in a build that is not optimised, than a look at every window.
fn contains(mut bytes: &[u8], part: &[u8]) -> bool {
    while let Some(at) = bytes.iter().position(|byte| *byte == part[0]) {
        bytes = &bytes[at..];
        if bytes.starts_with(part) {
            return true;
        }
        bytes = &bytes[1..];
    }
    false
}
