//! Lines against a snapshot of fingerprints.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use segment_diff::ReadAt;
use segment_diff::delta::{Change, DeltaReader, DeltaWriter, fold};
use segment_diff::fingerprint::{Fingerprint, FingerprintKey};
use segment_diff::lines::{LineError, SnapshotDiff, SnapshotDiffError};
use segment_diff::merge::{Collect, CountOnly, DiffSink};
use segment_diff::snapshot::{
    Layout, SnapshotErrorKind as Kind, SnapshotFile, SnapshotReader, SnapshotWriter,
};

const KEY: FingerprintKey = FingerprintKey::new([5; 16]);
const LAYOUT: Layout = Layout::Fixed { key: 16, payload: 4 };

fn member(number: u32) -> String {
    format!("member-{number}@example.com")
}

/// The numbers of members as payloads.
fn snapshot(members: impl Iterator<Item = u32>) -> Vec<u8> {
    let sorted: BTreeMap<_, _> =
        members.map(|number| (KEY.fingerprint(member(number).as_bytes()), number)).collect();
    let mut writer = SnapshotWriter::new(Vec::new(), LAYOUT);
    for (fingerprint, number) in sorted {
        writer.push(fingerprint.as_bytes(), &number.to_le_bytes()).unwrap();
    }
    writer.finish().unwrap().1
}

fn lines(members: impl Iterator<Item = u32>) -> Vec<u8> {
    members.flat_map(|number| (member(number) + "\n").into_bytes()).collect()
}

/// What is found, as a file.
struct ToFile(DeltaWriter<Vec<u8>>, BTreeSet<u32>);

impl DiffSink<Fingerprint, [u8]> for ToFile {
    type Break = Infallible;

    fn added(&mut self, key: &Fingerprint, line: &[u8]) -> ControlFlow<Infallible> {
        let number = std::str::from_utf8(line).unwrap();
        let number = number.strip_prefix("member-").unwrap().strip_suffix("@example.com").unwrap();
        let number: u32 = number.parse().unwrap();
        self.0.push(key.as_bytes(), Change::Added(&number.to_le_bytes())).unwrap();
        self.1.insert(number);
        ControlFlow::Continue(())
    }

    fn removed(&mut self, key: &Fingerprint, payload: &[u8]) -> ControlFlow<Infallible> {
        self.0.push(key.as_bytes(), Change::Removed(payload)).unwrap();
        ControlFlow::Continue(())
    }
}

#[test]
fn the_difference_folded_into_the_snapshot_is_the_next_snapshot() {
    let base = snapshot(0..5000);
    // Backwards, and some of them twice.
    let current = lines((100..5200).rev().chain(4000..4100).chain(5100..5150));
    let previous = SnapshotFile::open(&base[..]).unwrap();
    let mut results = Vec::new();
    for (threads, memory) in [(1, 1 << 30), (3, 64 << 20), (2, 24 << 20)] {
        let mut found = ToFile(DeltaWriter::new(Vec::new(), LAYOUT).unwrap(), BTreeSet::new());
        let diff = SnapshotDiff::new(&previous, &KEY).threads(threads).memory(memory);
        let ControlFlow::Continue(counts) = diff.diff(&current[..], &mut found).unwrap();
        assert_eq!((counts.added, counts.removed, counts.unchanged), (200, 100, 4900));
        assert_eq!(found.1, (5000..5200).collect());
        results.push(found.0.finish().unwrap().1);
    }
    assert!(results.iter().all(|result| *result == results[0]));

    let mut next = SnapshotWriter::new(Vec::new(), LAYOUT);
    let mut deltas = [DeltaReader::new(results[0].as_slice()).unwrap()];
    fold(&mut SnapshotReader::new(base.as_slice()).unwrap(), &mut deltas, &mut next).unwrap();
    assert_eq!(next.finish().unwrap().1, snapshot(100..5200));
}

#[test]
fn nobody_before_and_nobody_after() {
    let counts = |base: &[u8], current: &[u8]| {
        let previous = SnapshotFile::open(base).unwrap();
        let diff = SnapshotDiff::new(&previous, &KEY).threads(2);
        let ControlFlow::Continue(counts) = diff.diff(current, &mut CountOnly).unwrap();
        (counts.added, counts.removed, counts.unchanged)
    };
    assert_eq!(counts(&snapshot(0..0), b""), (0, 0, 0));
    assert_eq!(counts(&snapshot(0..0), b"\n\na\n"), (1, 0, 0));
    assert_eq!(counts(&snapshot(0..3), b""), (0, 3, 0));
    assert_eq!(counts(&snapshot(0..3), &lines(0..3)[..]), (0, 0, 3));
}

#[test]
fn a_snapshot_of_something_else_is_refused() {
    for layout in [Layout::Bytes { payload: 0 }, Layout::Fixed { key: 8, payload: 8 }] {
        let (_, file) = SnapshotWriter::new(Vec::new(), layout).finish().unwrap();
        let previous = SnapshotFile::open(&file[..]).unwrap();
        let error = SnapshotDiff::new(&previous, &KEY).diff(&b"a"[..], &mut CountOnly).unwrap_err();
        let SnapshotDiffError::Snapshot(error) = error else { panic!("{error}") };
        assert_eq!(error.kind(), Kind::WrongLayout);
    }
}

#[test]
fn a_damaged_snapshot_is_an_error() {
    let mut file = snapshot(0..100);
    file[1000] ^= 1;
    let previous = SnapshotFile::open(&file[..]).unwrap();
    let diff = SnapshotDiff::new(&previous, &KEY);
    let error = diff.diff(&b"a\n"[..], &mut CountOnly).unwrap_err();
    let SnapshotDiffError::Snapshot(error) = error else { panic!("{error}") };
    assert_eq!(error.kind(), Kind::Corrupt);
}

#[test]
fn lines_that_cannot_be_read_are_an_error_and_not_removals() {
    /// Fails, or reports a wrong size, or changes, from some read on.
    struct Unreliable(Vec<u8>, AtomicUsize, Misbehave);
    type Misbehave = fn(usize, u64, &mut [u8]) -> io::Result<usize>;
    impl ReadAt for Unreliable {
        fn size(&self) -> io::Result<u64> {
            self.0.size()
        }
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let length = self.0.read_at(buffer, offset)?;
            self.2(self.1.fetch_add(1, Ordering::Relaxed), offset, &mut buffer[..length])
        }
    }
    let file = snapshot(0..100);
    let previous = SnapshotFile::open(&file[..]).unwrap();
    let diff = |misbehave: Misbehave| {
        let current = Unreliable(lines(50..1000), AtomicUsize::new(0), misbehave);
        SnapshotDiff::new(&previous, &KEY).diff(&current, &mut CountOnly)
    };
    let failing =
        diff(
            |call, _, bytes| {
                if call < 2 { Ok(bytes.len()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
            },
        );
    let reading = |error| matches!(error, SnapshotDiffError::Lines(LineError::Read { .. }));
    assert!(reading(failing.unwrap_err()));
    let shorter = diff(|call, _, bytes| Ok(if call < 1 { bytes.len() } else { 0 }));
    assert!(reading(shorter.unwrap_err()));
    // All is read at once, from the beginning; then the new lines are read again.
    let altered = diff(|_, offset, bytes| {
        if offset > 0 {
            bytes.make_ascii_uppercase();
        }
        Ok(bytes.len())
    });
    assert!(matches!(altered.unwrap_err(), SnapshotDiffError::Altered));
    let interrupted = diff(|call, _, bytes| {
        if call.is_multiple_of(2) {
            Err(io::ErrorKind::Interrupted.into())
        } else {
            Ok(bytes.len())
        }
    });
    let ControlFlow::Continue(counts) = interrupted.unwrap();
    assert_eq!((counts.added, counts.removed), (900, 50));
}

#[test]
fn a_line_that_is_too_long_is_an_error() {
    let file = snapshot(0..1);
    let previous = SnapshotFile::open(&file[..]).unwrap();
    let long = vec![b'x'; (1 << 20) + 1];
    let error = SnapshotDiff::new(&previous, &KEY).diff(&long[..], &mut CountOnly).unwrap_err();
    assert!(matches!(error, SnapshotDiffError::Lines(LineError::TooLong { offset: 0, .. })));
}

#[test]
fn memory_that_does_not_suffice_is_an_error() {
    let file = snapshot(0..10);
    let previous = SnapshotFile::open(&file[..]).unwrap();
    let diff = SnapshotDiff::new(&previous, &KEY).memory(1 << 20);
    let error = diff.diff(&lines(0..10)[..], &mut CountOnly).unwrap_err();
    assert!(matches!(error, SnapshotDiffError::Memory), "{error}");
    let diff = SnapshotDiff::new(&previous, &KEY).threads(usize::MAX);
    let error = diff.diff(&lines(0..10)[..], &mut CountOnly).unwrap_err();
    assert!(matches!(error, SnapshotDiffError::Memory), "{error}");
}

#[test]
fn a_sink_may_have_seen_enough() {
    struct First;
    impl DiffSink<Fingerprint, [u8]> for First {
        type Break = Fingerprint;
        fn added(&mut self, key: &Fingerprint, _: &[u8]) -> ControlFlow<Fingerprint> {
            ControlFlow::Break(*key)
        }
    }
    let (file, current) = (snapshot(0..10), lines(0..40));
    let previous = SnapshotFile::open(&file[..]).unwrap();
    let mut all = Collect::new();
    let diff = SnapshotDiff::new(&previous, &KEY);
    assert!(diff.diff(&current[..], &mut all).unwrap().is_continue());
    assert!(all.added.is_sorted());
    let first = diff.diff(&current[..], &mut First).unwrap();
    assert_eq!(first, ControlFlow::Break(all.added[0]));
}

#[test]
fn progress_reaches_what_was_announced() {
    let (file, current) = (snapshot(0..10), lines(0..40_000));
    let previous = SnapshotFile::open(&file[..]).unwrap();
    let done = AtomicUsize::new(0);
    let observer = |progress: segment_diff::lines::Progress| {
        assert!(progress.done <= progress.total);
        done.fetch_max(progress.done as usize, Ordering::Relaxed);
    };
    let diff = SnapshotDiff::new(&previous, &KEY).threads(2).progress(&observer);
    assert!(diff.diff(&current[..], &mut CountOnly).unwrap().is_continue());
    assert_eq!(done.into_inner(), current.len());
}
