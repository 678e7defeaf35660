use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ReadAt;
use crate::lines::LineError;
use crate::lines::{Meter, Progress};
use crate::merge::{Collect, CountOnly};

type Outcome = Result<(Collect<Vec<u8>>, Counts), LinesError>;

fn sizes(block: usize, limit: usize, step: u64, threads: usize) -> Sizes {
    Sizes { block, limit, step, message: 16, waiting: 1, threads }
}

fn with_task<T>(
    previous: &dyn ReadAt,
    current: &dyn ReadAt,
    then: impl FnOnce(&Task<'_>) -> T,
) -> T {
    let meter = Meter::new(None);
    let directory = Path::new("unused");
    then(&Task { previous, current, memory: 0, threads: 0, directory, meter: &meter })
}

fn in_pieces(previous: &dyn ReadAt, current: &dyn ReadAt, sizes: Sizes) -> Outcome {
    with_task(previous, current, |task| {
        let mut delta = Collect::new();
        let ControlFlow::Continue(counts) = run_in(task, sizes, &mut delta)?;
        Ok((delta, counts))
    })
}

fn streamed(previous: &[u8], current: &[u8], block: usize, limit: usize) -> Outcome {
    let mut delta = Collect::new();
    let mut previous = Window::new(previous, 0, block, limit);
    let mut current = Window::new(current, 0, block, limit);
    let ControlFlow::Continue(counts) = stream::merge(&mut previous, &mut current, &mut delta)?;
    Ok((delta, counts))
}

/// The lines that are not empty, with their offsets.
fn lines(file: &[u8]) -> Vec<(u64, &[u8])> {
    let mut offset = 0;
    let mut lines = Vec::new();
    for line in file.split(|byte| *byte == b'\n') {
        if !line.is_empty() {
            lines.push((offset, line));
        }
        offset += line.len() as u64 + 1;
    }
    lines
}

/// Where the first line out of order starts.
fn disorder(file: &[u8]) -> Option<u64> {
    lines(file).windows(2).find(|pair| pair[0].1 > pair[1].1).map(|pair| pair[1].0)
}

/// Sorted files have one right answer; of others it has to be said where they are not sorted.
fn judge(previous: &[u8], current: &[u8], outcome: Outcome) -> Result<(), TestCaseError> {
    match outcome {
        Ok((delta, counts)) => {
            prop_assert_eq!(disorder(previous), None);
            prop_assert_eq!(disorder(current), None);
            let set = |file| lines(file).into_iter().map(|(_, line)| line).collect::<BTreeSet<_>>();
            let (old, new) = (set(previous), set(current));
            prop_assert_eq!(delta.added, new.difference(&old).copied().collect::<Vec<_>>());
            prop_assert_eq!(delta.removed, old.difference(&new).copied().collect::<Vec<_>>());
            prop_assert_eq!(counts.added, new.difference(&old).count() as u64);
            prop_assert_eq!(counts.removed, old.difference(&new).count() as u64);
            prop_assert_eq!(counts.unchanged, old.intersection(&new).count() as u64);
        }
        Err(LinesError::Unordered { side: Side::Previous, offset }) => {
            prop_assert_eq!(disorder(previous), Some(offset));
        }
        Err(LinesError::Unordered { side: Side::Current, offset }) => {
            prop_assert_eq!(disorder(current), Some(offset));
        }
        Err(error) => prop_assert!(false, "{error:?}"),
    }
    Ok(())
}

/// Any bytes: mostly unsorted.
fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![3 => Just(b'\n'), 2 => Just(b'a'), 1 => Just(9), 1 => any::<u8>()];
    vec(byte, 0..60)
}

/// Two files that have much in common, sorted, with repetitions and empty lines; and sometimes a
/// line that moved, on one side or on both.
fn files() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let byte = prop_oneof![Just(0), Just(9), Just(11), Just(b'a'), Just(b'b'), Just(255)];
    let key = (prop_oneof![9 => Just(0), 1 => 30..80_usize], vec(byte, 0..5));
    let key = key.prop_map(|(shared, tail)| [vec![b'p'; shared], tail].concat());
    // How often the line is in each file.
    let times = prop_oneof![
        12 => Just((1, 1)), 1 => Just((0, 1)), 1 => Just((1, 0)), 1 => Just((3, 1)),
        1 => Just((1, 3)), 1 => Just((2, 2)), 1 => Just((0, 2)), 1 => Just((40, 40)),
    ];
    let moved = (0..4_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>());
    (vec((key, times), 0..60), prop::option::weighted(0.3, moved), any::<(bool, bool)>()).prop_map(
        |(mut rows, moved, ended)| {
            rows.sort();
            let pick = |pick: fn(&(usize, usize)) -> usize| -> Vec<Vec<u8>> {
                let repeat = |(key, times): &(Vec<u8>, _)| vec![key.clone(); pick(times)];
                rows.iter().flat_map(repeat).collect()
            };
            let mut sides = [pick(|times| times.0), pick(|times| times.1)];
            if let Some((which, from, to)) = moved {
                for (index, side) in sides.iter_mut().enumerate() {
                    if !side.is_empty() && which != index as u8 {
                        let line = side.remove(from.index(side.len()));
                        side.insert(to.index(side.len() + 1), line);
                    }
                }
            }
            let file = |side: &[Vec<u8>], ended: bool| {
                let mut file = side.join(&b'\n');
                if ended {
                    file.push(b'\n');
                }
                file
            };
            (file(&sides[0], ended.0), file(&sides[1], ended.1))
        },
    )
}

proptest! {
    #[test]
    fn sorted_files_are_compared_and_others_refused(files in files(), block in 1..80_usize) {
        judge(&files.0, &files.1, streamed(&files.0, &files.1, block, 1000))?;
    }

    #[test]
    fn any_bytes_are_compared_or_refused(old in any_file(), new in any_file(), block in 1..80_usize) {
        judge(&old, &new, streamed(&old, &new, block, 1000))?;
    }

    #[test]
    fn any_split_gives_the_same(
        files in files(),
        block in 1..80_usize,
        step in 1..200_u64,
        threads in 1..6_usize,
    ) {
        let outcome = in_pieces(&&files.0[..], &&files.1[..], sizes(block, 1000, step, threads));
        judge(&files.0, &files.1, outcome)?;
    }

    #[test]
    fn any_split_of_any_bytes_is_compared_or_refused(
        old in any_file(),
        new in any_file(),
        step in 1..30_u64,
        threads in 2..4_usize,
    ) {
        judge(&old, &new, in_pieces(&&old[..], &&new[..], sizes(16, 1000, step, threads)))?;
    }
}

#[test]
fn an_unsorted_stretch_is_refused_even_where_both_sides_are_identical() {
    // Whoever looks at the order of differing lines only finds `b` removed; it is on both sides.
    let (previous, current) = (b"b\nx\nb\ny\n", b"x\nb\ny\n");
    let error = streamed(previous, current, 100, 100).unwrap_err();
    assert!(
        matches!(error, LinesError::Unordered { side: Side::Previous, offset: 4 }),
        "{error:?}"
    );
}

/// Lines of four bytes each, the numbers of which pass `keep`.
fn numbers(keep: impl Fn(&u16) -> bool) -> Vec<u8> {
    (0..2000).filter(keep).flat_map(|number| format!("{number:03x}\n").into_bytes()).collect()
}

#[test]
fn a_swap_is_found_wherever_it_is() {
    let current = numbers(|number| number % 100 != 50);
    for line in (0..1990).step_by(37) {
        let mut previous = numbers(|_| true);
        previous[4 * line..4 * line + 8].rotate_left(4);
        let outcome = in_pieces(&&previous[..], &&current[..], sizes(64, 100, 256, 3));
        let expected = 4 * line as u64 + 4;
        assert!(
            matches!(outcome, Err(LinesError::Unordered { side: Side::Previous, offset }) if offset == expected),
            "{line}: {outcome:?}"
        );
    }
}

#[test]
fn files_without_anything_in_common_need_no_more_memory() {
    // Each piece has far more to tell than may wait.
    let (odd, even) = (numbers(|number| number % 2 == 1), numbers(|number| number % 2 == 0));
    judge(&odd, &even, in_pieces(&&odd[..], &&even[..], sizes(64, 100, 512, 3))).unwrap();
    judge(&odd, b"", in_pieces(&&odd[..], &&b""[..], sizes(64, 100, 512, 3))).unwrap();
    judge(b"", &odd, in_pieces(&&b""[..], &&odd[..], sizes(64, 100, 512, 3))).unwrap();
}

#[test]
fn a_line_may_be_as_long_as_the_limit() {
    for threads in [1, 3] {
        let old = [&[b'a'; 50][..], b"\n", &[b'b'; 50], b"\n", &[b'd'; 50]].concat();
        let new = [&[b'a'; 50][..], b"\n", &[b'c'; 50], b"\n", &[b'd'; 50]].concat();
        judge(&old, &new, in_pieces(&&old[..], &&new[..], sizes(7, 50, 60, threads))).unwrap();
        for file in [&old, &new] {
            let outcome = in_pieces(&&old[..], &&file[..], sizes(7, 49, 60, threads));
            let Err(LinesError::Input {
                source: LineError::TooLong { offset: 0, limit: 49 }, ..
            }) = outcome
            else {
                panic!("{outcome:?}");
            };
        }
    }
}

#[test]
fn lines_too_long_to_split_at_are_compared_all_the_same() {
    let line = |last: u8| [&vec![b'a'; 5000][..], &[last], b"\n"].concat();
    let old: Vec<u8> = [b'b', b'c', b'd', b'f'].into_iter().flat_map(line).collect();
    let new: Vec<u8> = [b'b', b'c', b'e', b'f'].into_iter().flat_map(line).collect();
    judge(&old, &new, in_pieces(&&old[..], &&new[..], sizes(64, 6000, 100, 2))).unwrap();
}

#[test]
fn a_sink_can_break_off_while_others_work() {
    struct First;
    impl DiffSink<[u8]> for First {
        type Break = Vec<u8>;
        fn added(&mut self, key: &[u8], (): &()) -> ControlFlow<Vec<u8>> {
            ControlFlow::Break(key.to_vec())
        }
    }
    let (odd, even) = (numbers(|number| number % 2 == 1), numbers(|number| number % 2 == 0));
    let flow = with_task(&&odd[..], &&even[..], |task| {
        run_in(task, sizes(64, 100, 256, 3), &mut First).unwrap()
    });
    assert_eq!(flow, ControlFlow::Break(b"000".to_vec()));
}

/// Fails from an offset on, and is interrupted again and again before.
struct Failing<'a> {
    bytes: &'a [u8],
    from: u64,
    calls: AtomicU64,
}

impl ReadAt for Failing<'_> {
    fn size(&self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if offset >= self.from {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let length = buffer.len().min(5).min((self.from - offset) as usize);
        self.bytes.read_at(&mut buffer[..length], offset)
    }
}

#[test]
fn short_reads_and_interruptions_are_nothing_and_failures_are_errors() {
    let file = numbers(|_| true);
    let size = file.len() as u64;
    for threads in [1, 3] {
        for from in [0, 1, 3000, size - 1, size] {
            let source = Failing { bytes: &file, from, calls: AtomicU64::new(0) };
            let outcome = in_pieces(&&file[..], &source, sizes(64, 100, 512, threads));
            match outcome {
                Ok((_, counts)) => assert_eq!((from, counts.unchanged), (size, 2000)),
                Err(LinesError::Input { side, source: LineError::Read { offset, source } }) => {
                    assert_eq!((side, source.kind()), (Side::Current, io::ErrorKind::TimedOut));
                    assert!(offset >= from && from < size, "{offset}");
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

/// Claims to be longer than it is.
struct Shrunk<'a>(&'a [u8]);

impl ReadAt for Shrunk<'_> {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64 + 100)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
}

#[test]
fn a_file_that_is_cut_off_meanwhile_is_an_error_and_not_mass_removal() {
    let file = numbers(|_| true);
    for threads in [1, 3] {
        let outcome = in_pieces(&&file[..], &Shrunk(&file), sizes(64, 100, 512, threads));
        let Err(LinesError::Input { side: Side::Current, source: LineError::Read { source, .. } }) =
            outcome
        else {
            panic!("{outcome:?}");
        };
        assert_eq!(source.kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn all_that_is_announced_is_read() {
    let file = numbers(|_| true);
    let size = 2 * file.len() as u64;
    for threads in [1, 3] {
        let most = AtomicU64::new(0);
        let observer = |progress: Progress| {
            assert_eq!(progress.total, size);
            most.fetch_max(progress.done, Ordering::Relaxed);
        };
        let meter = Meter::new(Some(&observer));
        let (previous, current) = (&&file[..], &&file[..]);
        let directory = Path::new("unused");
        let task = Task { previous, current, memory: 0, threads: 0, directory, meter: &meter };
        let ControlFlow::Continue(_) =
            run_in(&task, sizes(64, 100, 512, threads), &mut CountOnly).unwrap();
        assert_eq!(most.load(Ordering::Relaxed), size);
    }
}

#[test]
fn every_budget_is_kept_and_serves() {
    let (odd, even) = (numbers(|number| number % 2 == 1), numbers(|number| number % 2 == 0));
    for memory in [4 << 10, 100_000, 16 << 20, 64 << 20, 1 << 30] {
        for threads in [1, 2, 16] {
            let sizes = Sizes::within(memory, threads);
            let windows = sizes.threads * 2 * Window::<Part<'_>>::size(sizes.block, sizes.limit);
            let blocks = (sizes.threads + 2) * (sizes.waiting + 1) * sizes.message;
            assert!(windows + blocks + sizes.limit <= memory, "{memory} {sizes:?}");
            judge(&odd, &even, in_pieces(&&odd[..], &&even[..], sizes)).unwrap();
        }
    }
}

#[test]
fn two_threads_have_room_in_sixteen_mebibytes() {
    assert_eq!(Sizes::within(16 << 20, 2).threads, 2);
}
