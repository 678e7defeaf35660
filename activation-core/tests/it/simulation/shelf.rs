//! Where a history keeps its state, and what is left of it when processes die and the power goes.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use activation_core::{DirectoryStore, HostKey, Lease, MemoryStore, StateStore, Step};
use tempfile::TempDir;

use super::{disk::Disk, fate::Reaper};
use crate::world::key;

/// What a history's store is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    /// Files, on a disk of which a power cut leaves what was made durable.
    Disk,
    /// Memory that outlives its processes. It costs half as much, and all that happens is between the
    /// operations of the store and not inside them; a power cut is no more than a death.
    Memory,
}

/// The state of one history.
pub(super) struct Shelf {
    directory: TempDir,
    pub(super) disk: Arc<Disk>,
    memory: Option<Arc<MemoryStore>>,
    /// The store as those see it who only read.
    reader: Mutex<Option<Arc<dyn StateStore>>>,
}

impl Shelf {
    pub(super) fn new(medium: Medium) -> Self {
        let directory = state_directory();
        Self {
            disk: Arc::new(Disk::beneath(directory.path())),
            directory,
            memory: (medium == Medium::Memory).then(|| Arc::new(MemoryStore::new(key()))),
            reader: Mutex::default(),
        }
    }

    /// A directory that the history has for itself.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The store as a process opens it, whose fate may come true inside it.
    pub(super) fn open(&self, reaper: &Arc<Reaper>) -> Arc<dyn StateStore> {
        match &self.memory {
            Some(memory) => memory.clone(),
            None => {
                let (store, reaper) = (self.open_directory(), reaper.clone());
                store.before_each_step(Arc::new(move |next: Step| reaper.step(next)));
                Arc::new(store)
            }
        }
    }

    /// The store as it is now, with nothing remembered from before.
    pub(super) fn open_anew(&self) -> Arc<dyn StateStore> {
        match &self.memory {
            Some(memory) => memory.clone(),
            None => Arc::new(self.open_directory()),
        }
    }

    /// The store for whoever only reads it.
    pub(super) fn reader(&self) -> Arc<dyn StateStore> {
        let mut reader = self.reader.lock().expect("no poison");
        reader.get_or_insert_with(|| self.open_anew()).clone()
    }

    /// A process is gone. Memory does not notice that by itself, so whoever does says so.
    pub(super) async fn bury(&self, lease: Option<Lease>) {
        if let (Some(memory), Some(lease)) = (&self.memory, lease) {
            memory.release(&lease).await.expect("memory");
        }
    }

    /// The power goes, and the seed decides what is lost of what a disk kept. Gives whether there is
    /// a disk.
    pub(super) fn cut_power(&self, seed: u64) -> bool {
        // Nothing that is open survives.
        *self.reader.lock().expect("no poison") = None;
        if self.memory.is_none() {
            self.disk.cut(&mut fastrand::Rng::with_seed(seed));
        }
        self.memory.is_none()
    }

    fn open_directory(&self) -> DirectoryStore {
        let key = HostKey::new([7; 16]);
        DirectoryStore::open_with_key(self.directory.path(), key).expect("the state is readable")
    }
}

/// In memory where the system has such a place: thousands of runs would wear out a disk, and what
/// is tested is the order of operations.
fn state_directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}
