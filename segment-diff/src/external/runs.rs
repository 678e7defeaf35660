use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ExternalError;
use crate::memory::PackedKeys;
use crate::snapshot::{Layout, SnapshotError, SnapshotReader, SnapshotWriter};

/// Sorted runs of keys in temporary files.
#[derive(Debug)]
pub(super) struct Runs {
    parent: PathBuf,
    directory: Option<RunDirectory>,
    files: VecDeque<PathBuf>,
    created: u64,
    block: usize,
}

impl Runs {
    pub(super) fn new(parent: PathBuf, block: usize) -> Self {
        Self { parent, directory: None, files: VecDeque::new(), created: 0, block }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes a run of keys that are sorted and different.
    pub(super) fn write(&mut self, keys: &PackedKeys) -> Result<(), ExternalError> {
        let mut run = self.create()?;
        for key in keys.iter() {
            run.push(key)?;
        }
        self.files.push_back(run.finish()?);
        Ok(())
    }

    /// Merges runs into larger ones until one merge of at most `fan_in` is left, and begins that.
    pub(super) fn merge(&mut self, fan_in: usize) -> Result<RunMerge, ExternalError> {
        while self.files.len() > fan_in {
            let some: Vec<_> = self.files.drain(..fan_in).collect();
            let mut merge = RunMerge::open(&some, self.block)?;
            let mut run = self.create()?;
            while merge.advance()? {
                run.push(merge.key())?;
            }
            self.files.push_back(run.finish()?);
            drop(merge);
            for path in some {
                fs::remove_file(&path).map_err(|source| ExternalError::File { path, source })?;
            }
        }
        RunMerge::open(self.files.make_contiguous(), self.block)
    }

    fn create(&mut self) -> Result<RunWriter, ExternalError> {
        let directory = match &mut self.directory {
            Some(directory) => directory,
            none => none.insert(RunDirectory::create(&self.parent)?),
        };
        self.created += 1;
        let path = directory.0.join(format!("run-{}", self.created));
        let file = match File::create_new(&path) {
            Ok(file) => file,
            Err(source) => return Err(ExternalError::File { path, source }),
        };
        let layout = Layout::Bytes { payload: 0 };
        Ok(RunWriter { path, writer: SnapshotWriter::with_block_target(file, layout, self.block) })
    }
}

struct RunWriter {
    path: PathBuf,
    writer: SnapshotWriter<File>,
}

impl RunWriter {
    fn push(&mut self, key: &[u8]) -> Result<(), ExternalError> {
        self.writer.push(key, &[]).map_err(|source| run_error(&self.path, source))
    }

    fn finish(self) -> Result<PathBuf, ExternalError> {
        match self.writer.finish() {
            Ok(_) => Ok(self.path),
            Err(source) => Err(ExternalError::Run { path: self.path, source }),
        }
    }
}

/// Several runs, read as one: ascending and each key once.
pub(super) struct RunMerge {
    runs: Vec<OpenRun>,
    /// The next key of every run that has one, with the number of the run.
    heads: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    key: Option<Vec<u8>>,
}

struct OpenRun {
    path: PathBuf,
    reader: SnapshotReader<File>,
}

impl RunMerge {
    fn open(paths: &[PathBuf], block: usize) -> Result<Self, ExternalError> {
        let mut merge = Self { runs: Vec::new(), heads: BinaryHeap::new(), key: None };
        for (number, path) in paths.iter().enumerate() {
            merge.runs.push(OpenRun::open(path, block)?);
            merge.refill(number, Vec::new())?;
        }
        Ok(merge)
    }

    pub(super) fn advance(&mut self) -> Result<bool, ExternalError> {
        while let Some(Reverse((key, run))) = self.heads.pop() {
            if self.key.as_ref() == Some(&key) {
                self.refill(run, key)?;
                continue;
            }
            let spare = self.key.replace(key).unwrap_or_default();
            self.refill(run, spare)?;
            return Ok(true);
        }
        Ok(false)
    }

    pub(super) fn key(&self) -> &[u8] {
        self.key.as_deref().expect("a key is asked for only after `advance` was true")
    }

    /// Puts the next key of a run, if there is one, into `spare` and onto the heap.
    fn refill(&mut self, number: usize, mut spare: Vec<u8>) -> Result<(), ExternalError> {
        let run = &mut self.runs[number];
        let next = run.reader.next_record().map_err(|source| run_error(&run.path, source))?;
        if let Some(record) = next {
            spare.clear();
            spare.extend_from_slice(record.key);
            self.heads.push(Reverse((spare, number)));
        }
        Ok(())
    }
}

/// Says how many runs there are, and no key.
impl fmt::Debug for RunMerge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunMerge").field("runs", &self.runs.len()).finish_non_exhaustive()
    }
}

impl OpenRun {
    fn open(path: &Path, block: usize) -> Result<Self, ExternalError> {
        let path = path.to_path_buf();
        match File::open(&path).map(|file| SnapshotReader::with_chunk(file, block)) {
            Ok(Ok(reader)) => Ok(Self { path, reader }),
            Ok(Err(source)) => Err(ExternalError::Run { path, source }),
            Err(source) => Err(ExternalError::File { path, source }),
        }
    }
}

fn run_error(path: &Path, source: SnapshotError) -> ExternalError {
    ExternalError::Run { path: path.to_path_buf(), source }
}

/// A directory of this sorter alone, removed with all it holds when dropped.
#[derive(Debug)]
struct RunDirectory(PathBuf);

impl RunDirectory {
    fn create(parent: &Path) -> Result<Self, ExternalError> {
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
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        // Nobody could be told of a failure here, and none changes the result.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs hold keys as they are, so nobody else may read them.
fn private_directory() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
