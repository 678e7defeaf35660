use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::ExternalError;
use super::buffer::Buffer;
use super::directory::TempDirectory;
use crate::snapshot::{Layout, SnapshotError, SnapshotReader, SnapshotWriter};

/// Sorted runs of keys in temporary files.
#[derive(Debug)]
pub(super) struct Runs {
    parent: PathBuf,
    directory: Option<TempDirectory>,
    /// In the order in which their records came.
    files: Vec<PathBuf>,
    created: u64,
    block: usize,
    payload: u16,
}

impl Runs {
    pub(super) fn new(parent: PathBuf, block: usize, payload: u16) -> Self {
        Self { parent, directory: None, files: Vec::new(), created: 0, block, payload }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes a run of records that are sorted by different keys.
    pub(super) fn write(&mut self, records: &Buffer) -> Result<(), ExternalError> {
        let mut run = self.create()?;
        for (key, payload) in records.iter() {
            run.push(key, payload)?;
        }
        self.files.push(run.finish()?);
        Ok(())
    }

    /// Merges runs into larger ones until one merge of at most `fan_in` is left, and begins that.
    pub(super) fn merge(&mut self, fan_in: usize) -> Result<RunMerge, ExternalError> {
        while self.files.len() > fan_in {
            let files = std::mem::take(&mut self.files);
            // Neighbours are merged, so that the runs keep their order and the first record of
            // a key stays the first.
            for some in files.chunks(fan_in) {
                let mut merge = RunMerge::open(some, self.block)?;
                let mut run = self.create()?;
                while merge.advance()? {
                    run.push(merge.key(), merge.payload())?;
                }
                self.files.push(run.finish()?);
                drop(merge);
                for path in some {
                    let path = path.clone();
                    fs::remove_file(&path)
                        .map_err(|source| ExternalError::File { path, source })?;
                }
            }
        }
        RunMerge::open(&self.files, self.block)
    }

    fn create(&mut self) -> Result<RunWriter, ExternalError> {
        let directory = match &mut self.directory {
            Some(directory) => directory,
            none => none.insert(TempDirectory::create(&self.parent)?),
        };
        self.created += 1;
        let path = directory.path().join(format!("run-{}", self.created));
        let file = match File::create_new(&path) {
            Ok(file) => file,
            Err(source) => return Err(ExternalError::File { path, source }),
        };
        let layout = Layout::Bytes { payload: self.payload };
        Ok(RunWriter { path, writer: SnapshotWriter::with_block_target(file, layout, self.block) })
    }
}

struct RunWriter {
    path: PathBuf,
    writer: SnapshotWriter<File>,
}

impl RunWriter {
    fn push(&mut self, key: &[u8], payload: &[u8]) -> Result<(), ExternalError> {
        self.writer.push(key, payload).map_err(|source| run_error(&self.path, source))
    }

    fn finish(self) -> Result<PathBuf, ExternalError> {
        match self.writer.finish() {
            Ok(_) => Ok(self.path),
            Err(source) => Err(ExternalError::Run { path: self.path, source }),
        }
    }
}

/// Several runs, read as one: ascending, and of each key the first record.
pub(super) struct RunMerge {
    runs: Vec<OpenRun>,
    /// The next key of every run that has one, with the number of the run.
    heads: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    key: Option<Vec<u8>>,
    payload: Vec<u8>,
}

struct OpenRun {
    path: PathBuf,
    reader: SnapshotReader<File>,
}

impl RunMerge {
    fn open(paths: &[PathBuf], block: usize) -> Result<Self, ExternalError> {
        let mut merge =
            Self { runs: Vec::new(), heads: BinaryHeap::new(), key: None, payload: Vec::new() };
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
            self.payload.clear();
            self.payload.extend_from_slice(self.runs[run].reader.record().payload);
            self.refill(run, spare)?;
            return Ok(true);
        }
        Ok(false)
    }

    pub(super) fn key(&self) -> &[u8] {
        self.key.as_deref().expect("a key is asked for only after `advance` was true")
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
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
