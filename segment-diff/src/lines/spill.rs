//! Line files compared exactly within a memory budget, beyond which temporary files are used.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{LineError, LineInput, LineReader, LinesError, Meter, Task, size_of_side};
use crate::external::{DiffSide, ExactDiff, ExternalError, Found, compare_observed};
use crate::kernel::SLACK;
use crate::merge::{Counts, DiffSink, Side};

/// What the engine may use.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    /// Bytes for all that is allocated, buffers included.
    pub(crate) memory: usize,
    /// At least 1.
    pub(crate) threads: usize,
    /// An existing directory for temporary files.
    pub(crate) directory: &'a Path,
    pub(crate) meter: &'a Meter<'a>,
}

/// Tells `sink` what was added and removed.
pub(crate) fn run<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    sink: &mut S,
) -> Result<ControlFlow<S::Break, Counts>, LinesError> {
    let Task { previous, current, memory, threads, directory, meter } = *task;
    let means = Means { memory, threads, directory, meter };
    Ok(compare(LineInput::Rereadable(previous), LineInput::Rereadable(current), means)?
        .deliver(sink)?)
}

/// Reads both sides once and finds out how they differ.
pub(crate) fn compare(
    previous: LineInput<'_>,
    current: LineInput<'_>,
    means: Means<'_>,
) -> Result<Found, LinesError> {
    let sizes = (known_size(&previous, Side::Previous)?, known_size(&current, Side::Current)?);
    let mut options = ExactDiff::new(means.directory, means.memory).threads(means.threads);
    if let (Some(previous), Some(current)) = sizes {
        options = options.expecting(previous.max(current));
    }
    means.meter.expect(sizes.0.unwrap_or_default() + sizes.1.unwrap_or_default());
    let (mut before, mut after) = options.sides()?;
    let filler = Filler {
        block: (means.memory / 256).clamp(LEAST_BLOCK, MOST_BLOCK),
        limit: options.key_limit(),
        meter: means.meter,
        failed: AtomicBool::new(false),
    };
    let fill_previous = || filler.fill(previous, sizes.0, &mut before, Side::Previous);
    let fill_current = || filler.fill(current, sizes.1, &mut after, Side::Current);
    if means.threads > 1 {
        thread::scope(|scope| {
            let previous = scope.spawn(fill_previous);
            let current = fill_current();
            let previous = previous.join();
            previous.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and(current)
        })?;
    } else {
        fill_previous()?;
        fill_current()?;
    }
    Ok(compare_observed(before, after, means.meter)?)
}

/// The number of bytes, where it is known.
fn known_size(input: &LineInput<'_>, side: Side) -> Result<Option<u64>, LinesError> {
    match input {
        LineInput::Stream(_) => Ok(None),
        LineInput::Rereadable(source) => size_of_side(*source, side).map(Some),
    }
}

/// Puts lines into sides.
struct Filler<'a> {
    block: usize,
    limit: usize,
    meter: &'a Meter<'a>,
    /// A side failed, so that the other need not go on.
    failed: AtomicBool,
}

impl Filler<'_> {
    fn fill(
        &self,
        input: LineInput<'_>,
        size: Option<u64>,
        into: &mut DiffSide,
        side: Side,
    ) -> Result<(), LinesError> {
        let result = match input {
            LineInput::Stream(stream) => {
                self.fill_from(LineReader::with_block(stream, self.block), into)
            }
            LineInput::Rereadable(source) => {
                LineReader::of_range(source, 0..size.unwrap_or_default(), self.block)
                    .map_err(Fault::Line)
                    .and_then(|reader| self.fill_from(reader, into))
            }
        };
        result.map_err(|fault| {
            self.failed.store(true, Ordering::Relaxed);
            match fault {
                Fault::Line(source) => LinesError::Input { side, source },
                Fault::External(error) => error.into(),
            }
        })
    }

    fn fill_from(&self, reader: LineReader<impl Read>, into: &mut DiffSide) -> Result<(), Fault> {
        let mut reader = reader.limit(self.limit);
        while let Some(block) = reader.next_block().map_err(Fault::Line)? {
            let length = block.bytes().len() - SLACK;
            into.push_lines(block).map_err(Fault::External)?;
            self.meter.read(length as u64);
            if self.failed.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(())
    }
}

enum Fault {
    Line(LineError),
    External(ExternalError),
}

/// Reads of less cost more than they save.
const LEAST_BLOCK: usize = 4 << 10;

/// Larger blocks would leave the second-level cache.
const MOST_BLOCK: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io;
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;
    use crate::lines::Progress;
    use crate::merge::Collect;

    fn means<'a>(memory: usize, threads: usize, meter: &'a Meter<'a>) -> Means<'a> {
        static DIRECTORY: std::sync::LazyLock<std::path::PathBuf> =
            std::sync::LazyLock::new(std::env::temp_dir);
        Means { memory, threads, directory: &DIRECTORY, meter }
    }

    fn delta(found: Found) -> (Collect<Vec<u8>>, Counts) {
        let mut delta = Collect::new();
        let ControlFlow::Continue(counts) = found.deliver(&mut delta).unwrap();
        (delta, counts)
    }

    /// Reads one byte to a few at a time.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = (self.0.len() % 7 + 1).min(self.0.len()).min(buffer.len());
            self.0.read(&mut buffer[..length])
        }
    }

    /// Fails after some bytes.
    struct Fails<'a>(&'a [u8]);

    impl Read for Fails<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::ErrorKind::ConnectionReset.into()),
                length => Ok(length),
            }
        }
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![2 => Just(b'\n'), 3 => b'a'..b'e', 3 => any::<u8>()];
        prop::collection::vec(byte, 0..6000)
    }

    fn only_in(some: &[u8], others: &[u8]) -> Vec<Vec<u8>> {
        let lines = |text: &[u8]| -> BTreeSet<Vec<u8>> {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            lines.map(<[u8]>::to_vec).collect()
        };
        lines(some).difference(&lines(others)).cloned().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn files_and_streams_differ_as_their_lines_do(
            previous in text(),
            current in text(),
            memory in 32_000..100_000_usize,
            threads in 1..4_usize,
        ) {
            let meter = Meter::new(None);
            let of_files = compare(LineInput::Rereadable(&&previous[..]), LineInput::Rereadable(&&current[..]), means(memory, threads, &meter));
            let of_streams = compare(
                LineInput::Stream(Box::new(Trickle(&previous))),
                LineInput::Stream(Box::new(Trickle(&current))),
                means(memory, threads, &meter),
            );
            let (files, counts) = delta(of_files.unwrap());
            prop_assert_eq!(&files.added, &only_in(&current, &previous));
            prop_assert_eq!(&files.removed, &only_in(&previous, &current));
            let all = only_in(&current, &[]).len();
            prop_assert_eq!(counts.unchanged as usize + files.added.len(), all);
            prop_assert_eq!(delta(of_streams.unwrap()), (files, counts));
        }
    }

    #[test]
    fn a_task_is_run_and_its_progress_reaches_the_announced_total() {
        let text: Vec<u8> =
            (0..3000).flat_map(|id| format!("{id}@example.com\n").into_bytes()).collect();
        let last = Mutex::new(None);
        let observer = |progress: Progress| *last.lock().unwrap() = Some(progress);
        let meter = Meter::new(Some(&observer));
        let directory = std::env::temp_dir();
        let task = Task {
            previous: &&text[..],
            current: &&text[14..],
            memory: 128 << 10,
            threads: 1,
            directory: &directory,
            meter: &meter,
        };
        let mut delta = Collect::new();
        let ControlFlow::Continue(counts) = run(&task, &mut delta).unwrap();
        assert_eq!((delta.removed, counts.unchanged), (vec![b"0@example.com".to_vec()], 2999));
        let progress = last.into_inner().unwrap().unwrap();
        assert!(progress.total > 4 * text.len() as u64, "what was partitioned is read as well");
        assert_eq!(progress.done, progress.total);
    }

    #[test]
    fn a_source_that_fails_is_an_error_with_its_side_and_place() {
        let meter = Meter::new(None);
        for threads in [1, 2] {
            let text = b"ada\nbo\n";
            let found = compare(
                LineInput::Rereadable(&&text[..]),
                LineInput::Stream(Box::new(Fails(text))),
                means(32 << 10, threads, &meter),
            );
            let Err(LinesError::Input { side: Side::Current, source }) = found else { panic!() };
            assert!(matches!(source, LineError::Read { offset: 7, .. }), "{source}");
        }
    }

    #[test]
    fn a_line_beyond_the_limit_of_the_budget_is_an_error_with_its_place() {
        let meter = Meter::new(None);
        let mut text = b"ada\n".to_vec();
        text.resize(1000, b'x');
        let found = compare(
            LineInput::Rereadable(&&text[..]),
            LineInput::Rereadable(&&[0; 0][..]),
            means(32 << 10, 2, &meter),
        );
        let Err(LinesError::Input { side: Side::Previous, source }) = found else { panic!() };
        assert!(matches!(source, LineError::TooLong { offset: 4, limit: 256 }), "{source}");
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let text: Vec<u8> = (0..3000).flat_map(|id| format!("{id}\n").into_bytes()).collect();
        let meter = Meter::new(None);
        let means =
            Means { directory: Path::new("no such directory"), ..means(32 << 10, 2, &meter) };
        let found =
            compare(LineInput::Rereadable(&&text[..]), LineInput::Rereadable(&&text[..]), means);
        let Err(LinesError::External(ExternalError::File { .. })) = found else { panic!() };
    }
}
