use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::ReadAt;
use crate::lines::{Meter, Progress};
use crate::merge::Collect;

fn file(lines: &[Vec<u8>]) -> Vec<u8> {
    lines.join(&b'\n')
}

fn set(lines: &[Vec<u8>]) -> BTreeSet<&Vec<u8>> {
    lines.iter().filter(|line| !line.is_empty()).collect()
}

fn numbered(range: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    range.map(|number| format!("{number}@example.com").into_bytes()).collect()
}

struct Setting<'a> {
    previous: &'a dyn ReadAt,
    current: &'a dyn ReadAt,
    threads: usize,
    directory: &'a Path,
}

impl Setting<'_> {
    fn run(
        &self,
        plan: Plan,
        delta: &mut Collect<Vec<u8>>,
    ) -> Result<Outcome<Infallible>, LinesError> {
        let meter = Meter::new(None);
        let task = Task {
            previous: self.previous,
            current: self.current,
            memory: 0,
            threads: self.threads,
            directory: self.directory,
            meter: &meter,
        };
        Search::new(&task, plan).run(delta)
    }
}

fn plan(groups: u32, cells: u32) -> Plan {
    Plan {
        shape: Shape::new(groups, cells).expect("a possible shape"),
        block: 50,
        buffer: 0,
        differences: 1 << 20,
        limit: 2000,
    }
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), Just(b'c')], 0..6)
}

proptest! {
    #[test]
    fn lines_that_differ_are_found_or_there_are_too_many(
        previous in prop::collection::vec(line(), 0..60),
        current in prop::collection::vec(line(), 0..60),
        shared in prop::collection::vec(line(), 0..60),
        groups in 1..4_u32,
        cells in 2..120_u32,
        threads in 1..4_usize,
    ) {
        let with_shared = |own: Vec<Vec<u8>>| [own, shared.clone()].concat();
        let (previous, current) = (with_shared(previous), with_shared(current));
        let (previous_file, current_file) = (file(&previous), file(&current));
        let setting = Setting {
            previous: &previous_file.as_slice(),
            current: &current_file.as_slice(),
            threads,
            directory: Path::new("not used"),
        };
        let mut delta = Collect::new();
        match setting.run(plan(groups, cells), &mut delta).unwrap() {
            Outcome::Done(flow) => {
                let (previous, current) = (set(&previous), set(&current));
                prop_assert!(delta.added.iter().eq(&current - &previous));
                prop_assert!(delta.removed.iter().eq(&previous - &current));
                let found = Found { added: delta.added.len() as u64, removed: delta.removed.len() as u64 };
                prop_assert_eq!(flow, ControlFlow::Continue(found));
            }
            Outcome::TooMany => prop_assert_eq!(delta, Collect::new()),
            Outcome::LineTooLong => prop_assert!(false, "no line is long"),
        }
    }
}

/// Differences of two readers under a plan that suffices for about a hundred.
fn run(previous: &dyn ReadAt, current: &dyn ReadAt) -> Result<Outcome<Infallible>, LinesError> {
    let setting = Setting { previous, current, threads: 2, directory: Path::new("not used") };
    let mut delta = Collect::new();
    let result = setting.run(plan(2, 100), &mut delta);
    if !matches!(result, Ok(Outcome::Done(_))) {
        assert_eq!(delta, Collect::new(), "a sink is told everything or nothing");
    }
    result
}

fn found(result: Result<Outcome<Infallible>, LinesError>) -> (u64, u64) {
    match result {
        Ok(Outcome::Done(ControlFlow::Continue(found))) => (found.added, found.removed),
        other => panic!("{other:?}"),
    }
}

#[test]
fn too_many_differences_are_noticed_before_the_sink_is_told() {
    let (previous, current) = (file(&numbered(0..5_000)), file(&numbered(4_000..9_000)));
    let result = run(&previous.as_slice(), &current.as_slice());
    assert!(matches!(result, Ok(Outcome::TooMany)), "{result:?}");
}

#[test]
fn lines_repeated_on_either_side_are_no_difference() {
    let repeat = |line: &str, times: usize| vec![line.as_bytes().to_vec(); times];
    let previous = file(&[repeat("a", 5_000), repeat("b", 7), repeat("c", 3)].concat());
    let current = file(&[repeat("a", 1), repeat("b", 40), repeat("d", 9)].concat());
    assert_eq!(found(run(&previous.as_slice(), &current.as_slice())), (1, 1));
}

#[test]
fn short_reads_and_interruptions_change_nothing() {
    let (previous, current) = (file(&numbered(0..300)), file(&numbered(20..310)));
    let halting = Halting { bytes: &previous, reads: AtomicU64::new(0) };
    assert_eq!(found(run(&halting, &current.as_slice())), (10, 20));
}

#[test]
fn a_read_that_fails_in_either_pass_is_an_error_with_its_side() {
    let (previous, current) = (file(&numbered(0..300)), file(&numbered(20..310)));
    let counting = Failing { bytes: &current, left: AtomicI64::new(i64::MAX) };
    assert_eq!(found(run(&previous.as_slice(), &counting)), (10, 20));
    let reads = i64::MAX - counting.left.into_inner();
    for left in [0, 1, reads / 4, reads / 2, reads * 3 / 4, reads - 1] {
        let failing = Failing { bytes: &current, left: AtomicI64::new(left) };
        let error = run(&previous.as_slice(), &failing).expect_err("a read failed");
        assert!(matches!(error, LinesError::Input { side: Side::Current, .. }), "{error:?}");
    }
}

#[test]
fn an_input_altered_between_the_passes_is_an_error() {
    let (previous, current) = (file(&numbered(0..300)), file(&numbered(20..310)));
    // What differs is another line in the second pass; each pass begins with the first byte.
    let altered = String::from_utf8(previous.clone()).expect("text").replacen("3@", "4@", 1);
    let altering = Altering { passes: [&previous, altered.as_bytes()], begun: AtomicUsize::new(0) };
    let error = run(&altering, &current.as_slice()).expect_err("it was altered");
    assert!(matches!(error, LinesError::Altered { .. }), "{error:?}");
}

#[test]
fn a_line_too_long_for_the_memory_is_left_to_other_engines() {
    let long = [numbered(0..10), vec![vec![b'x'; 3_000]]].concat();
    let result = run(&file(&numbered(0..10)).as_slice(), &file(&long).as_slice());
    assert!(matches!(result, Ok(Outcome::LineTooLong)), "{result:?}");

    let longest = [numbered(0..10), vec![vec![b'x'; 2_000]]].concat();
    assert_eq!(found(run(&file(&numbered(0..10)).as_slice(), &file(&longest).as_slice())), (1, 0));
}

#[test]
fn a_missing_directory_is_an_error_once_it_is_needed() {
    let (previous, current) = (file(&numbered(0..300)), file(&numbered(300..600)));
    let missing = Path::new(env!("CARGO_MANIFEST_DIR")).join("no such directory");
    let setting = Setting {
        previous: &previous.as_slice(),
        current: &current.as_slice(),
        threads: 1,
        directory: &missing,
    };
    // So many cells that no two of the lines share all theirs, whatever the random secret is.
    let scarce = Plan { differences: 4 << 10, ..plan(2, 20_000) };
    let mut delta = Collect::new();
    let error = setting.run(scarce, &mut delta).expect_err("lines must go to the disk");
    assert!(matches!(error, LinesError::External(_)), "{error:?}");
    assert_eq!(delta, Collect::new());
}

#[test]
fn a_sink_that_has_seen_enough_breaks_off() {
    struct First;
    impl DiffSink<[u8]> for First {
        type Break = Vec<u8>;
        fn added(&mut self, key: &[u8], (): &()) -> ControlFlow<Vec<u8>> {
            ControlFlow::Break(key.to_vec())
        }
    }
    let (previous, current) = (file(&numbered(0..300)), file(&numbered(20..310)));
    let meter = Meter::new(None);
    let task = Task {
        previous: &previous.as_slice(),
        current: &current.as_slice(),
        memory: 1 << 20,
        threads: 1,
        directory: Path::new("not used"),
        meter: &meter,
    };
    match super::run(&task, Some(20), &mut First) {
        Ok(Outcome::Done(ControlFlow::Break(first))) => assert_eq!(first, b"300@example.com"),
        other => panic!("{:?}", other.is_ok()),
    }
}

#[test]
fn each_side_is_read_twice_and_that_is_told() {
    let (previous, current) = (file(&numbered(0..300)), file(&numbered(20..310)));
    let last = Mutex::new(None);
    let observer = |progress: Progress| *last.lock().expect("no panic") = Some(progress);
    let meter = Meter::new(Some(&observer));
    let task = Task {
        previous: &previous.as_slice(),
        current: &current.as_slice(),
        memory: 1 << 20,
        threads: 1,
        directory: Path::new("not used"),
        meter: &meter,
    };
    super::run(&task, None, &mut Collect::new()).expect("both are there");
    let read = 2 * (previous.len() + current.len()) as u64;
    let progress = last.into_inner().expect("no panic").expect("something was told");
    assert_eq!((progress.done, progress.total), (read, read));
}

proptest! {
    #[test]
    fn a_plan_keeps_within_its_memory(
        memory in 0..1_usize << 32,
        threads in 1..5_usize,
        bytes in 0..1_u64 << 40,
        expected in prop::option::of(0..100_000_000_u64),
    ) {
        if let Some(plan) = Plan::new(memory, threads, bytes, expected) {
            let sketch = plan.shape.bytes() as usize;
            let reading = threads * 2 * plan.block;
            let most = plan.shape.most_members() as usize;
            let decoded = most * DECODED;
            prop_assert!(reading + sketch + threads * plan.buffer <= memory);
            prop_assert!(reading + sketch + decoded <= memory);
            let collecting = decoded + most * Wanted::MEMBER + plan.differences;
            prop_assert!(reading + collecting <= memory);
            prop_assert!(plan.differences >= plan.shape.capacity() as usize * 8);
        } else {
            prop_assert!(memory < 1 << 20);
        }
    }
}

#[test]
fn a_plan_for_expected_differences_has_room_for_half_as_many_more() {
    for expected in [0, 1_000, 20_000, 200_000] {
        let plan = Plan::new(1 << 30, 2, 1 << 40, Some(expected)).expect("there is memory");
        let capacity = plan.shape.capacity();
        assert!((expected * 3 / 2..expected * 2 + 200).contains(&capacity), "{capacity}");
    }
}

/// Gives a few bytes at a time, and is interrupted every other time.
struct Halting<'a> {
    bytes: &'a [u8],
    reads: AtomicU64,
}

impl ReadAt for Halting<'_> {
    fn size(&self) -> io::Result<u64> {
        self.bytes.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if self.reads.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = buffer.len().min(7);
        self.bytes.read_at(&mut buffer[..length], offset)
    }
}

/// Fails for good after a number of reads.
struct Failing<'a> {
    bytes: &'a [u8],
    left: AtomicI64,
}

impl ReadAt for Failing<'_> {
    fn size(&self) -> io::Result<u64> {
        self.bytes.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if self.left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            return Err(io::ErrorKind::Other.into());
        }
        self.bytes.read_at(buffer, offset)
    }
}

/// Has another content whenever it is read from the start.
struct Altering<'a> {
    passes: [&'a [u8]; 2],
    begun: AtomicUsize,
}

impl ReadAt for Altering<'_> {
    fn size(&self) -> io::Result<u64> {
        self.passes[0].size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset == 0 {
            self.begun.fetch_add(1, Ordering::Relaxed);
        }
        self.passes[self.begun.load(Ordering::Relaxed).clamp(1, 2) - 1].read_at(buffer, offset)
    }
}
