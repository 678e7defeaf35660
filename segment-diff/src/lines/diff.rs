use std::env;
use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::plan::{self, Facts};
use super::sample::Sample;
use super::spill::Means;
use super::{
    Engine, LineError, LineInput, LinesError, Meter, Progress, Task, lockstep, partition, sketch,
    spill,
};
use crate::ReadAt;
use crate::external::{Differences, ExternalError};
use crate::merge::{Counts, DiffSink, Side};
#[cfg(doc)]
use crate::snapshot::MAX_KEY;

/// Compares two line files, in any order and with repetitions or sorted, by the [`Engine`] that
/// suits what is known of them.
///
/// ```
/// use segment_diff::lines::LineDiff;
/// use segment_diff::merge::Collect;
/// use std::ops::ControlFlow;
///
/// let previous = b"bo@example.com\nada@example.com\n".as_slice();
/// let current = b"cy@example.com\nbo@example.com".as_slice();
/// let mut delta = Collect::new();
/// let ControlFlow::Continue(report) =
///     LineDiff::new().memory(64 << 20).threads(2).run(&previous, &current, &mut delta)?;
/// assert_eq!(delta.added, [b"cy@example.com".to_vec()]);
/// assert_eq!(delta.removed, [b"ada@example.com".to_vec()]);
/// assert_eq!((report.added, report.removed, report.unchanged), (1, 1, Some(1)));
/// # Ok::<(), segment_diff::lines::LinesError>(())
/// ```
#[derive(Clone)]
pub struct LineDiff<'a> {
    memory: usize,
    threads: usize,
    directory: PathBuf,
    engine: Option<Engine>,
    exact: bool,
    expected_changes: Option<u64>,
    progress: Option<&'a (dyn Fn(Progress) + Sync)>,
}

impl<'a> LineDiff<'a> {
    /// 256 MiB, one thread, temporary files where the system puts them, the engine chosen by what
    /// is known of the inputs.
    pub fn new() -> Self {
        Self {
            memory: 256 << 20,
            threads: 1,
            directory: env::temp_dir(),
            engine: None,
            exact: false,
            expected_changes: None,
            progress: None,
        }
    }

    /// The bytes of memory to use, buffers included; at least 1 MiB are used. What exceeds it goes
    /// to temporary files.
    ///
    /// Whatever the engine, lines of a hundred-and-twenty-eighth of it are not too long; nor does
    /// any take lines longer than [`MAX_KEY`], which is that part of 128 MiB.
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes.max(LEAST_MEMORY);
        self
    }

    /// Works on up to this many threads; 0 counts as 1, and more than 256 as 256. The result is
    /// the same.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.clamp(1, MOST_THREADS);
        self
    }

    /// Puts temporary files, if there have to be any, below this existing directory.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Uses this engine instead of choosing one, or [`Engine::Spill`] where the memory does not
    /// suffice for it. [`Engine::Merge`] is a claim that both sides are sorted, which is verified.
    #[must_use]
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = Some(engine);
        self
    }

    /// Chooses only among engines whose answer rests on no hash. One that was
    /// [asked for](Self::engine) is used all the same.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// Says how many lines are expected to differ, as the last difference may have taught; it
    /// decides only how the difference is found, never what is found.
    #[must_use]
    pub fn expect_changes(mut self, changes: u64) -> Self {
        self.expected_changes = Some(changes);
        self
    }

    /// Calls `observer` for every block that was read, from any of the threads.
    #[must_use]
    pub fn progress(mut self, observer: &'a (dyn Fn(Progress) + Sync)) -> Self {
        self.progress = Some(observer);
        self
    }

    /// Tells `sink` how `current` differs from `previous`, in ascending order of the lines' bytes
    /// and each line once. Unchanged lines are counted and not told.
    ///
    /// Returns the report, or what the sink broke off with.
    ///
    /// # Errors
    ///
    /// Fails when a side cannot be read, has a line that is too long, is not sorted although
    /// [`Engine::Merge`] was asked for, or was altered meanwhile, and when temporary files fail.
    pub fn run<'i, S: DiffSink<[u8]> + ?Sized>(
        &self,
        previous: impl Into<LineInput<'i>>,
        current: impl Into<LineInput<'i>>,
        sink: &mut S,
    ) -> Result<ControlFlow<S::Break, LineReport>, LinesError> {
        match (previous.into(), current.into()) {
            (LineInput::Rereadable(previous), LineInput::Rereadable(current)) => {
                self.run_rereadable(previous, current, sink)
            }
            (previous, current) => self.run_once(previous, current, sink),
        }
    }
}

impl LineDiff<'_> {
    fn run_rereadable<S: DiffSink<[u8]> + ?Sized>(
        &self,
        previous: &dyn ReadAt,
        current: &dyn ReadAt,
        sink: &mut S,
    ) -> Result<ControlFlow<S::Break, LineReport>, LinesError> {
        let meter = Meter::new(self.progress);
        let task = Task {
            previous,
            current,
            memory: self.memory,
            threads: self.threads,
            directory: &self.directory,
            meter: &meter,
        };
        if self.engine == Some(Engine::Merge) {
            return Ok(lockstep::run(&task, sink)?.map_continue(LineReport::by(Engine::Merge)));
        }
        let sample =
            |side, source| Sample::of(source).map_err(|source| LinesError::Input { side, source });
        let samples = [sample(Side::Previous, previous)?, sample(Side::Current, current)?];
        for engine in self.engines(samples) {
            let told = match engine {
                Engine::Merge => merge_if_sorted(&task, sink)?,
                Engine::Partition => unless_too_long(partition::run(&task, sizes(samples), sink))?
                    .map(|flow| flow.map_continue(LineReport::by(engine))),
                Engine::Sketch => match sketch::run(&task, self.expected_changes, sink)? {
                    sketch::Outcome::Done(flow) => Some(flow.map_continue(|found| LineReport {
                        added: found.added,
                        removed: found.removed,
                        unchanged: None,
                        engine,
                    })),
                    _ => None,
                },
                Engine::Spill => break,
            };
            if let Some(told) = told {
                return Ok(told);
            }
            meter.give_up();
        }
        Ok(spill::run(&task, sink)?.map_continue(LineReport::by(Engine::Spill)))
    }

    fn run_once<S: DiffSink<[u8]> + ?Sized>(
        &self,
        previous: LineInput<'_>,
        current: LineInput<'_>,
        sink: &mut S,
    ) -> Result<ControlFlow<S::Break, LineReport>, LinesError> {
        let meter = Meter::new(self.progress);
        if self.engine == Some(Engine::Merge) {
            let previous = previous.reader(Side::Previous, &meter)?;
            let current = current.reader(Side::Current, &meter)?;
            let flow = lockstep::run_once(previous, current, self.memory, sink)?;
            return Ok(flow.map_continue(LineReport::by(Engine::Merge)));
        }
        let means = Means {
            memory: self.memory,
            threads: self.threads,
            directory: &self.directory,
            meter: &meter,
        };
        let flow = spill::compare(previous, current, means)?.deliver(sink)?;
        Ok(flow.map_continue(LineReport::by(Engine::Spill)))
    }

    fn engines(&self, samples: [Sample; 2]) -> Vec<Engine> {
        let [previous, current] = samples;
        match self.engine {
            Some(engine) => vec![engine],
            None => plan::engines(&Facts {
                sorted: previous.sorted && current.sorted,
                exact: self.exact,
                partitions: partition::fits(sizes(samples), self.memory, self.threads),
                longest: previous.bytes.max(current.bytes),
                expected_changes: self.expected_changes,
                sketch_changes: sketch::capacity(
                    self.memory,
                    self.threads,
                    previous.bytes.saturating_add(current.bytes),
                ),
                lines: previous.lines.saturating_add(current.lines),
            }),
        }
    }
}

fn sizes([previous, current]: [Sample; 2]) -> partition::Sizes {
    let bytes = previous.bytes.max(current.bytes);
    partition::Sizes { lines: [previous.lines, current.lines], bytes }
}

/// `None` when the sides are not sorted after all, or have lines too long to be merged in this
/// memory; `sink` was then told nothing.
fn merge_if_sorted<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    sink: &mut S,
) -> Result<Option<ControlFlow<S::Break, LineReport>>, LinesError> {
    let task = Task { memory: task.memory / 2, ..*task };
    let mut differences = Differences::new(task.directory, task.memory)?;
    let counts = match lockstep::run(&task, &mut Gather(&mut differences)) {
        Ok(ControlFlow::Continue(counts)) => counts,
        Ok(ControlFlow::Break(error)) => return unless_too_long(Err(error.into())),
        // Others take longer lines with the same memory.
        Err(
            LinesError::Unordered { .. }
            | LinesError::Input { source: LineError::TooLong { .. }, .. },
        ) => return Ok(None),
        Err(error) => return Err(error),
    };
    let flow = differences.deliver(task.threads, sink)?;
    Ok(Some(flow.map_continue(|_| LineReport::by(Engine::Merge)(counts))))
}

/// `None` when the lines that differ have one too long for what is left of the memory: others take
/// it, or say which it is. The sink was told nothing by then.
fn unless_too_long<T>(found: Result<Option<T>, LinesError>) -> Result<Option<T>, LinesError> {
    match found {
        Err(LinesError::External(ExternalError::KeyTooLong(_))) => Ok(None),
        found => found,
    }
}

/// Keeps what it is told, since it may turn out not to be so.
struct Gather<'a>(&'a mut Differences);

impl DiffSink<[u8]> for Gather<'_> {
    type Break = ExternalError;

    fn added(&mut self, key: &[u8], (): &()) -> ControlFlow<ExternalError> {
        self.0.added(key).map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    fn removed(&mut self, key: &[u8], (): &()) -> ControlFlow<ExternalError> {
        self.0.removed(key).map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }
}

/// What became of a difference of line files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineReport {
    /// Lines only on the current side.
    pub added: u64,
    /// Lines only on the previous side.
    pub removed: u64,
    /// Lines on both sides, each counted once. [`Engine::Sketch`] cannot tell: it sees how often a
    /// line occurs on one side more than on the other, and nothing of what is on both.
    pub unchanged: Option<u64>,
    /// How the difference was found.
    pub engine: Engine,
}

impl LineReport {
    fn by(engine: Engine) -> impl FnOnce(Counts) -> Self {
        move |Counts { added, removed, unchanged, .. }| Self {
            added,
            removed,
            unchanged: Some(unchanged),
            engine,
        }
    }
}

impl Default for LineDiff<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LineDiff<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineDiff")
            .field("memory", &self.memory)
            .field("threads", &self.threads)
            .field("directory", &self.directory)
            .field("engine", &self.engine)
            .field("exact", &self.exact)
            .field("expected_changes", &self.expected_changes)
            .finish_non_exhaustive()
    }
}

/// With less there is no room for the buffers.
const LEAST_MEMORY: usize = 1 << 20;

/// More would take memory and gain nothing: reading is what takes long.
const MOST_THREADS: usize = 256;
