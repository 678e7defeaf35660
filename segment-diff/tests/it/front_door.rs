//! What the front door promises whatever engine it takes: which lines are not too long, how far it
//! says to be, and that absurd settings do no harm.

use std::io;
use std::ops::ControlFlow;
use std::sync::Mutex;

use segment_diff::ReadAt;
use segment_diff::lines::{
    Engine, LineDiff, LineError, LineInput, LineReader, LinesError, Progress,
};
use segment_diff::merge::{Collect, CountOnly, Side};

const ENGINES: [Option<Engine>; 5] =
    [None, Some(Engine::Merge), Some(Engine::Partition), Some(Engine::Sketch), Some(Engine::Spill)];

fn diff<'a>(engine: Option<Engine>) -> LineDiff<'a> {
    match engine {
        Some(engine) => LineDiff::new().engine(engine),
        None => LineDiff::new(),
    }
}

/// A line of `length` bytes among others, on the current side alone.
fn with_long_line(length: usize, sorted: bool) -> (Vec<u8>, Vec<u8>) {
    let previous = if sorted { b"a\nz\n" } else { b"z\na\n" };
    (previous.to_vec(), [&previous[..2], &b"m".repeat(length), b"\n", &previous[2..]].concat())
}

#[test]
fn every_engine_takes_the_lines_that_the_memory_allows() {
    for (memory, threads) in [(1 << 20, 1), (1 << 20, 7), (32 << 20, 7)] {
        let length = memory / 128;
        for engine in ENGINES {
            let (previous, current) = with_long_line(length, true);
            let mut told = Collect::<Vec<u8>>::new();
            let diff = diff(engine).memory(memory).threads(threads);
            let flow = diff.run(&previous.as_slice(), &current.as_slice(), &mut told);
            assert!(flow.unwrap().is_continue());
            assert_eq!(told.added, [b"m".repeat(length)], "{diff:?}");
            assert!(told.removed.is_empty());
        }
    }
}

#[test]
fn a_line_too_long_for_the_memory_is_found_or_told_of_with_its_side_and_place() {
    const LENGTH: usize = 240 << 10;
    let asked_for = ENGINES.map(|engine| (engine, 8 << 20));
    for (engine, memory) in asked_for.into_iter().chain([(None, 8 << 20)]) {
        for sorted in [true, false] {
            if engine == Some(Engine::Merge) && !sorted {
                continue;
            }
            let (previous, current) = with_long_line(LENGTH, sorted);
            let mut told = Collect::<Vec<u8>>::new();
            let diff = diff(engine).memory(memory).threads(2);
            match diff.run(&previous.as_slice(), &current.as_slice(), &mut told) {
                Ok(_) => assert_eq!(told.added, [b"m".repeat(LENGTH)], "{diff:?}"),
                Err(LinesError::Input {
                    side: Side::Current,
                    source: LineError::TooLong { offset: 2, limit },
                }) => {
                    assert!((memory / 128..LENGTH).contains(&limit), "{limit} {diff:?}");
                    assert!(told.added.is_empty(), "told before all was known: {diff:?}");
                }
                Err(error) => panic!("{error:?} {diff:?}"),
            }
        }
    }
}

#[test]
fn a_merge_of_streams_keeps_to_the_memory_as_one_of_files_does() {
    let (previous, current) = with_long_line((64 << 10) + 1, true);
    let diff = LineDiff::new().engine(Engine::Merge).memory(1 << 20);
    let streams =
        diff.run(LineInput::stream(&*previous), LineInput::stream(&*current), &mut CountOnly);
    let files = diff.run(&previous.as_slice(), &current.as_slice(), &mut CountOnly);
    for found in [streams, files] {
        let Err(LinesError::Input { source: LineError::TooLong { offset, limit }, .. }) = found
        else {
            panic!("it was taken")
        };
        assert_eq!((offset, limit), (2, 64 << 10));
    }
}

/// What the observer was told last.
fn last_progress(diff: &LineDiff<'_>, previous: LineInput<'_>, current: LineInput<'_>) -> Progress {
    let last = Mutex::new(None::<Progress>);
    let observer = |progress: Progress| {
        let mut last = last.lock().unwrap();
        if last.is_none_or(|last| last.done < progress.done) {
            *last = Some(progress);
        }
    };
    let flow = diff.clone().progress(&observer).run(previous, current, &mut CountOnly).unwrap();
    assert!(flow.is_continue());
    last.into_inner().unwrap().expect("somebody is told how far it is")
}

fn numbers() -> Vec<String> {
    (0..60_000).map(|number| format!("{number:08}")).collect()
}

#[test]
fn progress_reaches_the_announced_total_whatever_the_engine() {
    let previous = numbers().join("\n");
    let current = &previous[9..];
    for (engine, threads) in ENGINES.into_iter().flat_map(|one| [(one, 1), (one, 3)]) {
        let diff = diff(engine).threads(threads).memory(8 << 20);
        let (before, after) = (previous.as_bytes(), current.as_bytes());
        let Progress { done, total, .. } = last_progress(&diff, (&before).into(), (&after).into());
        assert_eq!(done, total, "{diff:?}");
    }
}

#[test]
fn progress_reaches_the_announced_total_when_an_engine_gives_up() {
    let mut lines = numbers();
    let current = lines.join("\n");
    // What looks sorted is not, soon after the first place that is looked into.
    lines.swap(1_000, 1_001);
    let previous = lines.join("\n");
    let (before, after) = (previous.as_bytes(), current.as_bytes());
    for threads in [1, 3] {
        for diff in [LineDiff::new(), LineDiff::new().exact(), LineDiff::new().memory(1 << 20)] {
            let diff = diff.threads(threads);
            let progress = last_progress(&diff, (&before).into(), (&after).into());
            assert_eq!(progress.done, progress.total, "{diff:?}");
        }
    }
}

#[test]
fn a_merge_of_streams_tells_how_far_it_is() {
    let text = numbers().join("\n");
    let diff = LineDiff::new().engine(Engine::Merge);
    let bytes = text.as_bytes();
    let progress = last_progress(&diff, LineInput::stream(bytes), (&bytes).into());
    assert_eq!((progress.done, progress.total), (2 * text.len() as u64, text.len() as u64));
}

#[test]
fn absurd_settings_do_no_harm() {
    let (previous, current) = (b"bo\nada\n".as_slice(), b"cy\nbo\n".as_slice());
    for (engine, threads) in ENGINES.into_iter().flat_map(|one| [(one, 0), (one, usize::MAX)]) {
        if engine != Some(Engine::Merge) {
            let diff = diff(engine).memory(0).threads(threads).expect_changes(u64::MAX);
            let mut told = Collect::<Vec<u8>>::new();
            assert!(diff.run(&previous, &current, &mut told).unwrap().is_continue());
            let (added, removed) = (vec![b"cy".to_vec()], vec![b"ada".to_vec()]);
            assert_eq!((told.added, told.removed), (added, removed), "{diff:?}");
        }
    }
    let mut reader = LineReader::with_block(current, usize::MAX);
    assert_eq!(reader.next_block().unwrap().unwrap().keys().count(), 2);
}

/// One line without end, after a short one.
struct Endless {
    read: Mutex<u64>,
}

impl ReadAt for Endless {
    fn size(&self) -> io::Result<u64> {
        Ok(1 << 39)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut read = self.read.lock().unwrap();
        *read += buffer.len() as u64;
        if *read > 64 << 20 {
            return Err(io::Error::other("that was enough to see that it is no file of lines"));
        }
        buffer.fill(b'x');
        if let (1, Some(feed)) = (offset.min(1) ^ 1, buffer.get_mut(2)) {
            *feed = b'\n';
        }
        Ok(buffer.len())
    }
}

#[test]
fn a_file_without_lines_is_noticed_before_all_of_it_is_read() {
    for (engine, threads) in ENGINES.into_iter().flat_map(|one| [(one, 1), (one, 2)]) {
        let endless = Endless { read: Mutex::new(0) };
        let diff = diff(engine).threads(threads);
        let flow: Result<ControlFlow<_, _>, _> =
            diff.run(&b"a\n".as_slice(), &endless, &mut CountOnly);
        match flow {
            Err(LinesError::Input {
                side: Side::Current,
                source: LineError::TooLong { offset: 3, .. },
            }) => {}
            other => panic!("{other:?} {diff:?}"),
        }
    }
}

#[test]
fn a_line_that_spans_what_several_reads_share_out_is_too_long_all_the_same() {
    let current = [b"a\n".to_vec(), b"m".repeat(2 << 20)].concat();
    let diff = LineDiff::new().engine(Engine::Partition).threads(2);
    let found = diff.run(&b"a\n".as_slice(), &current.as_slice(), &mut CountOnly);
    let Err(LinesError::Input { source: LineError::TooLong { offset, .. }, .. }) = found else {
        panic!("it was taken")
    };
    assert_eq!(offset, 2);
}
