use std::collections::BTreeSet;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ReadAt;
use crate::lines::{LineError, Meter};
use crate::merge::Collect;
use crate::partition::Shape;

/// Four partitions, and batches of three keys.
fn tiny() -> Layout {
    let shape = Shape { bits: 2, chunk: 1, slab: 2 };
    Layout { shape, packing: Packing::new(6, 3), filed: false }
}

/// What a difference came to: the counts and the keys, or nothing for lack of memory.
type Outcome = Option<(Counts, Collect<Vec<u8>>)>;

fn difference(
    (previous, current): (&dyn ReadAt, &dyn ReadAt),
    (threads, memory): (usize, usize),
    layout: Layout,
) -> Result<Outcome, LinesError> {
    let directory = std::env::temp_dir();
    let meter = Meter::new(None);
    let task = Task { previous, current, memory, threads, directory: &directory, meter: &meter };
    let mut delta = Collect::new();
    Ok(match run_in(&task, layout, &mut delta)? {
        Some(ControlFlow::Continue(counts)) => Some((counts, delta)),
        None => {
            assert_eq!(delta, Collect::new(), "the sink is told nothing");
            None
        }
    })
}

fn keys(text: &[u8]) -> BTreeSet<Vec<u8>> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

fn check(outcome: Outcome, previous: &[u8], current: &[u8]) {
    let (before, after) = (keys(previous), keys(current));
    let (counts, delta) = outcome.expect("the memory suffices");
    let only =
        |some: &BTreeSet<Vec<u8>>, others| -> Vec<_> { some.difference(others).cloned().collect() };
    assert!(delta.added == only(&after, &before), "added");
    assert!(delta.removed == only(&before, &after), "removed");
    let same = before.intersection(&after).count() as u64;
    let lengths = (delta.added.len() as u64, delta.removed.len() as u64, same);
    assert_eq!((counts.added, counts.removed, counts.unchanged), lengths);
}

/// Lines of few kinds, some empty and some longer than what is read at once.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => vec(0..4_u8, 0..4),
        2 => vec(any::<u8>(), 0..70),
        1 => (0..4_u8, 250..600_usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    vec(line, 0..150).prop_map(|lines| lines.join(&b'\n'))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn lines_in_any_order_differ_as_their_sets_do(
        previous in text(),
        current in text(),
        threads in 1..4_usize,
        bits in 0..4_u32,
        chunk in 0..3_u32,
        distance in 1..12_u32,
        batch in 1..40_usize,
        group in 0..4_u32,
        filed: bool,
    ) {
        let shape = Shape { bits, chunk, slab: chunk + 1 };
        let packing = Packing::new(distance, batch).grouped(1 << group.min(bits));
        let layout = Layout { shape, packing, filed };
        let outcome = difference((&&*previous, &&*current), (threads, 64 << 20), layout);
        check(outcome.unwrap(), &previous, &current);
    }

    /// So few bits that many different lines have the same.
    #[test]
    fn lines_that_agree_in_all_that_is_kept_are_told_apart_or_nothing_is_told(
        previous in text(),
        current in text(),
        threads in 1..3_usize,
        bits in 0..3_u32,
        kept in 0..10_u32,
        filed: bool,
    ) {
        let packing = Packing::new(8, 7).keeping(kept);
        let layout = Layout { shape: Shape { bits, chunk: 1, slab: 2 }, packing, filed };
        let outcome = difference((&&*previous, &&*current), (threads, 64 << 20), layout).unwrap();
        if outcome.is_some() {
            check(outcome, &previous, &current);
        }
    }
}

/// No bit of a hash is kept, and there is one partition.
fn all_alike() -> Layout {
    let shape = Shape { bits: 0, chunk: 1, slab: 2 };
    Layout { shape, packing: Packing::new(8, 7).keeping(0), filed: false }
}

#[test]
fn what_is_in_doubt_is_settled_by_whole_hashes() {
    let previous = b"ada\nbo\ncy\nbo\n".as_slice();
    for current in ["bo\ncy\ndi", "ada\nada\ncy\nbo", "ada", "di", ""].map(str::as_bytes) {
        for (before, after) in [(previous, current), (current, previous)] {
            let outcome = difference((&before, &after), (2, 64 << 20), all_alike());
            check(outcome.unwrap(), before, after);
        }
    }
}

#[test]
fn different_lines_taken_for_the_same_are_found_out() {
    let outcome = |before: &[u8], after: &[u8]| {
        difference((&before, &after), (1, 64 << 20), all_alike()).unwrap()
    };
    assert!(outcome(b"ada", b"bo").is_none());
    assert!(outcome(b"ada", b"ada").is_some());
}

#[test]
fn doubts_beyond_the_memory_are_left_to_others() {
    let (previous, current) = (b"ada\n".repeat(60_000), b"bo\n".repeat(60_000));
    let layout = Layout { packing: Packing::new(20, 10_000), ..tiny() };
    let with = |memory| difference((&&*previous, &&*current), (1, memory), layout).unwrap();
    // Enough to deal a hundred and twenty thousand entries out and to find them doubtful, but not
    // for as many whole hashes.
    assert!(with(4 << 20).is_none());
    check(with(8 << 20), &previous, &current);
}

fn numbers(range: impl Iterator<Item = u32>) -> Vec<u8> {
    range.flat_map(|number| format!("member-{number}@example.com\n").into_bytes()).collect()
}

#[test]
fn many_lines_are_shared_out_in_pieces() {
    // More than two pieces a side, and differences in every one.
    let previous = numbers((0..40_000).filter(|number| number % 1000 != 1));
    let current = numbers((0..40_000).rev().filter(|number| number % 900 != 5));
    for threads in [1, 3] {
        let sizes = Sizes { lines: [200_000; 2], bytes: 5_600_000 };
        let layout = Layout::held(sizes, 64 << 20, threads).unwrap();
        let outcome = difference((&&*previous, &&*current), (threads, 64 << 20), layout);
        check(outcome.unwrap(), &previous, &current);
    }
}

#[test]
fn more_differences_than_one_batch_are_read_again() {
    let (previous, current) = (numbers(0..9000), numbers(9000..18_000));
    let outcome = difference((&&*previous, &&*current), (2, 64 << 20), tiny());
    check(outcome.unwrap(), &previous, &current);
}

#[test]
fn repetitions_count_once_however_many_there_are() {
    let previous = [b"ada\n".repeat(3000), b"bo\n".repeat(10)].concat();
    let current = [b"cy\n".repeat(3000), b"bo\n".repeat(10)].concat();
    let outcome = difference((&&*previous, &&*current), (2, 64 << 20), tiny());
    check(outcome.unwrap(), &previous, &current);
}

#[test]
fn too_little_memory_is_said_before_the_sink_is_told_anything() {
    let (previous, current) = (numbers(0..1500), numbers(1500..3000));
    let shape = Shape { bits: 3, chunk: 4, slab: 8 };
    let layout = Layout { shape, packing: Packing::new(12, 100), filed: false };
    let with = |memory| difference((&&*previous, &&*current), (1, memory), layout).unwrap();
    let buffers = layout.buffers();
    assert!(with(1000).is_none(), "not even the buffers");
    let mut enough = 0;
    for memory in (buffers..buffers + (512 << 10)).step_by(32 << 10) {
        match with(memory) {
            // What was enough once stays enough.
            None => assert_eq!(enough, 0),
            outcome => {
                enough += 1;
                check(outcome, &previous, &current);
            }
        }
    }
    assert!((1..16).contains(&enough), "{enough}");
}

/// A slice that is read in small pieces and with interruptions, and can fail or change.
struct Flaky {
    bytes: Mutex<Vec<u8>>,
    piece: usize,
    reads: AtomicUsize,
    /// From this offset on nothing can be read.
    broken: u64,
    /// The read before which the content is replaced, and by what.
    replaced: Option<(usize, Vec<u8>)>,
}

impl Flaky {
    fn new(bytes: Vec<u8>) -> Self {
        let (reads, broken) = (AtomicUsize::new(0), u64::MAX);
        Self { bytes: Mutex::new(bytes), piece: usize::MAX, reads, broken, replaced: None }
    }
}

impl ReadAt for Flaky {
    fn size(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let number = self.reads.fetch_add(1, Ordering::Relaxed);
        if number % 3 == 1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if offset >= self.broken {
            return Err(io::Error::other("gone"));
        }
        let mut bytes = self.bytes.lock().unwrap();
        if let Some((at, other)) = &self.replaced
            && number >= *at
        {
            bytes.clone_from(other);
        }
        let length = buffer.len().min(self.piece);
        bytes.read_at(&mut buffer[..length], offset)
    }
}

#[test]
fn short_and_interrupted_reads_change_nothing() {
    let (previous, current) = (numbers(0..300), numbers(10..305));
    for piece in [1, 7, 100] {
        let flaky = |text: &[u8]| Flaky { piece, ..Flaky::new(text.to_vec()) };
        let sides = (flaky(&previous), flaky(&current));
        let outcome = difference((&sides.0, &sides.1), (2, 64 << 20), tiny());
        check(outcome.unwrap(), &previous, &current);
    }
}

#[test]
fn a_side_that_cannot_be_read_is_named() {
    let text = numbers(0..300);
    let broken = Flaky { piece: 500, broken: 1000, ..Flaky::new(text.clone()) };
    let error = difference((&&*text, &broken), (2, 64 << 20), tiny()).unwrap_err();
    let LinesError::Input { side: Side::Current, source: LineError::Read { offset: 1000.., .. } } =
        error
    else {
        panic!("{error:?}");
    };
}

#[test]
fn a_line_that_is_too_long_is_named() {
    let long = [b"ada\n".to_vec(), vec![b'a'; crate::snapshot::MAX_KEY + 1]].concat();
    let error = difference((&&*long, &&b"ada\n"[..]), (2, 64 << 20), tiny()).unwrap_err();
    let LinesError::Input { side: Side::Previous, source: LineError::TooLong { offset: 4, .. } } =
        error
    else {
        panic!("{error:?}");
    };
}

#[test]
fn a_side_altered_between_the_readings_is_an_error() {
    let (previous, current) = (numbers(0..300), numbers(10..310));
    // Where nothing differs, nothing is read again.
    let once = Flaky::new(current.clone());
    difference((&&*current, &once), (1, 64 << 20), tiny()).unwrap();
    let reads = once.reads.into_inner();
    let mut shifted = current.clone();
    shifted.remove(0);
    for other in [shifted, b"elsewhere".to_vec(), Vec::new()] {
        let altered = Flaky { replaced: Some((reads, other)), ..Flaky::new(current.clone()) };
        let error = difference((&&*previous, &altered), (1, 64 << 20), tiny()).unwrap_err();
        assert!(matches!(error, LinesError::Altered { side: Side::Current }), "{error:?}");
    }
}
