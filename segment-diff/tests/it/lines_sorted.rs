use std::collections::BTreeSet;
use std::io::{self, Read};
use std::ops::ControlFlow;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use segment_diff::lines::{LineError, LinesError, SortedLines, diff_sorted};
use segment_diff::merge::{
    AtMost, Collect, CountOnly, Counts, MarkedLines, MergeError, Side, Stop, byte_keys, diff,
};
use segment_diff::snapshot::MAX_KEY;

fn compare(previous: impl Read, current: impl Read) -> (Collect<Vec<u8>>, Counts) {
    let mut delta = Collect::new();
    let ControlFlow::Continue(counts) = diff_sorted(previous, current, &mut delta).unwrap();
    (delta, counts)
}

fn refused(previous: impl Read, current: impl Read) -> LinesError {
    diff_sorted(previous, current, &mut CountOnly).unwrap_err()
}

/// A reader that gives a few bytes at a time, is interrupted, and fails where it should end.
struct Halting<'a> {
    rest: &'a [u8],
    calls: u32,
    end: Option<io::ErrorKind>,
}

impl<'a> Halting<'a> {
    fn new(rest: &'a [u8], end: Option<io::ErrorKind>) -> Self {
        Self { rest, calls: 0, end }
    }
}

impl Read for Halting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = buffer.len().min(7);
        match self.rest.read(&mut buffer[..length])? {
            0 => self.end.map_or(Ok(0), |kind| Err(kind.into())),
            length => Ok(length),
        }
    }
}

fn sorted_file(keys: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    keys.iter().flat_map(|key| [key, &b"\n"[..]].concat()).collect()
}

fn keys() -> impl Strategy<Value = BTreeSet<Vec<u8>>> {
    btree_set(vec(any::<u8>().prop_filter("ends a line", |byte| *byte != b'\n'), 1..40), 0..60)
}

proptest! {
    #[test]
    fn sorted_lines_are_compared_as_sets_are(common in keys(), old in keys(), new in keys()) {
        let (old, new) = (&old | &common, &new | &common);
        let (previous, current) = (sorted_file(&old), sorted_file(&new));
        let (delta, counts) = compare(&previous[..], Halting::new(&current, None));
        prop_assert_eq!(&delta.added, &(&new - &old).into_iter().collect::<Vec<_>>());
        prop_assert_eq!(&delta.removed, &(&old - &new).into_iter().collect::<Vec<_>>());
        prop_assert_eq!(counts.unchanged, (&old & &new).len() as u64);

        let mut merged = Collect::new();
        let (previous, current) = (SortedLines::new(&previous[..]), SortedLines::new(&current[..]));
        let ControlFlow::Continue(same) = diff(previous, current, &mut merged).unwrap();
        prop_assert!(merged == delta);
        prop_assert_eq!(same, counts);
    }
}

/// More than a block of 256 KiB.
fn numbers(keep: impl Fn(u32) -> bool) -> Vec<u8> {
    let kept = (0..30_000).filter(|number| keep(*number));
    kept.flat_map(|number| format!("{number:08}@example\n").into_bytes()).collect()
}

#[test]
fn files_of_several_blocks_stay_in_step() {
    let previous = numbers(|number| number % 1000 != 7);
    let current = numbers(|number| number % 700 != 9 && number / 5000 != 3);
    let (delta, counts) = compare(&previous[..], &current[..]);
    let in_previous = |number: &u32| number % 1000 != 7;
    let in_current = |number: &u32| number % 700 != 9 && number / 5000 != 3;
    let removed = (0..30_000).filter(|number| in_previous(number) && !in_current(number));
    let added = (0..30_000).filter(|number| in_current(number) && !in_previous(number));
    let removed: Vec<_> =
        removed.map(|number| format!("{number:08}@example").into_bytes()).collect();
    assert!(delta.removed == removed);
    assert_eq!(delta.added.len(), added.count());
    let both = (0..30_000).filter(|number| in_previous(number) && in_current(number));
    assert_eq!(counts.unchanged, both.count() as u64);
}

#[test]
fn lines_out_of_order_are_refused_with_side_and_offset() {
    let sorted = numbers(|_| true);
    let mut swapped = sorted.clone();
    // Far into the second block; lines have 17 bytes.
    swapped[17 * 20_000..17 * 20_002].rotate_left(17);
    let place = 17 * 20_001;
    for (previous, current, wrong) in [
        (&sorted, &swapped, Some(Side::Current)),
        (&swapped, &sorted, Some(Side::Previous)),
        // Identical all along: either may be named.
        (&swapped, &swapped, None),
    ] {
        let LinesError::Unordered { side, offset } = refused(&previous[..], &current[..]) else {
            panic!("it was not noticed");
        };
        assert!(offset == place && wrong.is_none_or(|wrong| wrong == side), "{side} {offset}");
    }
}

#[test]
fn a_feed_is_below_no_byte() {
    // Compared as they are in the file, with their feeds, the shorter line would be the greater.
    for low in [0, 1, 9] {
        let previous = [b"a\na", &[low][..], b"\nb\n"].concat();
        let (delta, counts) = compare(&previous[..], &b"a\nb\n"[..]);
        assert_eq!((delta.removed, counts.unchanged), (vec![vec![b'a', low]], 2));
        let (_, counts) = compare(&previous[..], &previous[..]);
        assert_eq!(counts.unchanged, 3);
        let wrong = [b"a", &[low][..], b"\na\nb\n"].concat();
        let error = refused(&wrong[..], &wrong[..]);
        assert!(matches!(error, LinesError::Unordered { offset: 3, .. }), "{error:?}");
    }
}

#[test]
fn empty_lines_repetitions_and_a_missing_last_feed_are_nothing() {
    let (delta, counts) = compare(&b"\n\nada\nada\n\nbo\n"[..], &b"ada\n\n\nada\nada\nbo\nbo"[..]);
    assert_eq!((delta.added.len(), delta.removed.len(), counts.unchanged), (0, 0, 2));
    let (_, counts) = compare(&b""[..], &b"\n\n"[..]);
    assert_eq!(counts, Counts::default());
}

#[test]
fn a_reader_that_fails_is_an_error_and_not_the_end() {
    let file = b"ada\nbo\n";
    let failing = || Halting::new(file, Some(io::ErrorKind::TimedOut));
    for (error, wrong) in [
        (refused(failing(), &file[..]), Side::Previous),
        (refused(&file[..], failing()), Side::Current),
    ] {
        let LinesError::Input { side, source: LineError::Read { offset: 7, source } } = error
        else {
            panic!("{error:?}");
        };
        assert_eq!((side, source.kind()), (wrong, io::ErrorKind::TimedOut));
    }
    let error = diff(SortedLines::new(failing()), byte_keys(["ada"]), &mut CountOnly).unwrap_err();
    assert!(
        matches!(error, MergeError::Previous { source: LineError::Read { .. }, .. }),
        "{error:?}"
    );
}

#[test]
fn the_longest_line_passes_and_a_longer_one_is_refused() {
    let longest = vec![b'k'; MAX_KEY];
    let (delta, _) = compare(&b""[..], &longest[..]);
    assert!(delta.added == [longest.clone()]);
    let longer = [b"a\n", &longest[..], b"k\n"].concat();
    let LinesError::Input { side: Side::Current, source: LineError::TooLong { offset: 2, .. } } =
        refused(&longest[..], &longer[..])
    else {
        panic!("it was taken");
    };
}

#[test]
fn a_sink_that_has_seen_enough_stops_the_reading() {
    let unread = Halting::new(b"bo\n", Some(io::ErrorKind::TimedOut));
    let current = b"ada\n".chain(io::repeat(b'\n').take(1 << 20)).chain(unread);
    let flow = diff_sorted(&b""[..], current, &mut AtMost::new(CountOnly, 0)).unwrap();
    assert_eq!(flow, ControlFlow::Break(Stop::More));
}

#[test]
fn differences_are_told_in_order() {
    let mut lines = MarkedLines::new(Vec::new());
    let (previous, current) = (&b"ada\nbo\nzoe\n"[..], &b"aaron\nbo\ncy\n"[..]);
    assert!(diff_sorted(previous, current, &mut lines).unwrap().is_continue());
    assert_eq!(lines.into_inner(), b"+aaron\n-ada\n+cy\n-zoe\n");
}

#[test]
fn neither_errors_nor_debug_output_show_a_line() {
    let error = refused(&b"secret\nother\n"[..], &b""[..]);
    assert_eq!(
        error.to_string(),
        "the line of the previous side that starts at byte 7 is below the one before it"
    );
    let shown = format!("{error:?} {:?}", SortedLines::new(&b"secret\n"[..]));
    assert!(!shown.contains("secret") && !shown.contains("other"), "{shown}");
}
