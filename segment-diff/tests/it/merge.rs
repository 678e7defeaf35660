use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, Write};
use std::ops::ControlFlow;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use segment_diff::merge::{
    AtMost, Callback, Collect, CountOnly, Counts, DiffSink, Difference, MarkedLines, Membership,
    MergeError, Side, SplitLines, Stop, byte_keys, diff, keys, records, try_keys,
};
use segment_diff::snapshot::{Layout, SnapshotReader, SnapshotWriter};

type Rows = BTreeMap<u8, u8>;

/// Writes down everything it is told.
#[derive(Debug, Default, PartialEq)]
struct Told(Vec<(char, u8, u8, u8)>);

impl DiffSink<u8, u8> for Told {
    type Break = Infallible;

    fn added(&mut self, key: &u8, version: &u8) -> ControlFlow<Infallible> {
        self.0.push(('+', *key, 0, *version));
        ControlFlow::Continue(())
    }

    fn removed(&mut self, key: &u8, version: &u8) -> ControlFlow<Infallible> {
        self.0.push(('-', *key, *version, 0));
        ControlFlow::Continue(())
    }

    fn changed(&mut self, key: &u8, previous: &u8, current: &u8) -> ControlFlow<Infallible> {
        self.0.push(('~', *key, *previous, *current));
        ControlFlow::Continue(())
    }

    fn unchanged(&mut self, key: &u8, version: &u8) -> ControlFlow<Infallible> {
        self.0.push(('=', *key, *version, *version));
        ControlFlow::Continue(())
    }
}

/// The rows with each one repeated as often as `repeats` says.
fn repeated(rows: &Rows, repeats: &[usize]) -> Vec<(u8, u8)> {
    let times = repeats.iter().copied().chain(std::iter::repeat(1));
    let rows = rows.iter().map(|(key, version)| (*key, *version));
    rows.zip(times).flat_map(|(row, times)| std::iter::repeat_n(row, times)).collect()
}

fn told(previous: &Rows, current: &Rows) -> Told {
    let mut told = Told::default();
    let ControlFlow::Continue(_) =
        diff(records(previous.clone()), records(current.clone()), &mut told).unwrap();
    told
}

fn oracle(previous: &Rows, current: &Rows) -> (Told, Counts) {
    let (mut told, mut counts) = (Told::default(), Counts::default());
    for key in 0..=u8::MAX {
        let (mark, before, after) = match (previous.get(&key), current.get(&key)) {
            (None, None) => continue,
            (None, Some(after)) => ('+', 0, *after),
            (Some(before), None) => ('-', *before, 0),
            (Some(before), Some(after)) if before == after => ('=', *before, *after),
            (Some(before), Some(after)) => ('~', *before, *after),
        };
        match mark {
            '+' => counts.added += 1,
            '-' => counts.removed += 1,
            '=' => counts.unchanged += 1,
            _ => counts.changed += 1,
        }
        told.0.push((mark, key, before, after));
    }
    (told, counts)
}

fn rows() -> impl Strategy<Value = Rows> {
    btree_map(any::<u8>(), 0..3_u8, 0..120)
}

proptest! {
    #[test]
    fn a_difference_is_what_two_maps_say_with_each_key_once(
        previous in rows(),
        current in rows(),
        repeats in vec(1..4_usize, 0..120),
    ) {
        let mut told = Told::default();
        let inputs = (repeated(&previous, &repeats), repeated(&current, &repeats));
        let ControlFlow::Continue(counts) =
            diff(records(inputs.0), records(inputs.1), &mut told).unwrap();
        prop_assert_eq!((told, counts), oracle(&previous, &current));
    }

    #[test]
    fn applying_the_difference_to_the_previous_side_gives_the_current_one(
        previous in rows(),
        current in rows(),
    ) {
        let mut applied = previous.clone();
        for (mark, key, _, after) in told(&previous, &current).0 {
            match mark {
                '-' => applied.remove(&key),
                _ => applied.insert(key, after),
            };
        }
        prop_assert_eq!(applied, current);
    }

    #[test]
    fn nothing_differs_from_itself(rows in rows()) {
        prop_assert!(told(&rows, &rows).0.iter().all(|(mark, ..)| *mark == '='));
    }

    #[test]
    fn swapping_the_sides_swaps_added_and_removed(previous in rows(), current in rows()) {
        let mut swapped = told(&current, &previous);
        for (mark, _, before, after) in &mut swapped.0 {
            std::mem::swap(before, after);
            *mark = match *mark { '+' => '-', '-' => '+', other => other };
        }
        prop_assert_eq!(told(&previous, &current), swapped);
    }
}

#[test]
fn unsorted_input_is_an_error_with_side_and_position() {
    let previous = diff(keys([1, 2, 2, 1]), keys([1, 5]), &mut CountOnly).unwrap_err();
    assert_eq!(previous, MergeError::Unordered { side: Side::Previous, index: 3 });
    let current = diff(keys([1]), keys([5, 4]), &mut CountOnly).unwrap_err();
    assert_eq!(current, MergeError::Unordered { side: Side::Current, index: 1 });
    assert_eq!(current.to_string(), "record 1 of the current side is below the one before it");
}

#[test]
fn a_failing_input_is_an_error_and_not_the_end() {
    let failing = || try_keys([Ok(1), Ok(2), Err(io::ErrorKind::TimedOut)]);
    let error = diff(failing(), keys([1, 2]), &mut CountOnly).unwrap_err();
    assert!(matches!(error, MergeError::Previous { index: 2, source: io::ErrorKind::TimedOut }));
    let error = diff(keys([1, 2]), failing(), &mut CountOnly).unwrap_err();
    assert!(matches!(error, MergeError::Current { index: 2, source: io::ErrorKind::TimedOut }));
}

#[test]
fn a_sink_can_break_off_at_the_first_difference() {
    struct First;
    impl DiffSink<i32> for First {
        type Break = i32;
        fn added(&mut self, key: &i32, _: &()) -> ControlFlow<i32> {
            ControlFlow::Break(*key)
        }
    }
    // What follows the first difference is not even read.
    let current = try_keys([Ok(1), Ok(3), Err("read too far")]);
    assert_eq!(diff(keys([1, 2, 4]), current, &mut First), Ok(ControlFlow::Break(3)));
}

#[test]
fn of_a_repeated_key_the_first_record_counts() {
    let mut told = Told::default();
    let flow = diff(records([(1, 7), (1, 8)]), records([(1, 7)]), &mut told);
    assert!(flow.is_ok());
    assert_eq!(told.0, [('=', 1, 7, 7)]);
}

#[test]
fn marked_lines_are_in_the_order_of_keys() {
    let mut lines = MarkedLines::new(Vec::new());
    let (previous, current) = (byte_keys(["ada", "bo"]), byte_keys(["aaron", "bo", "cy"]));
    assert!(diff(previous, current, &mut lines).unwrap().is_continue());
    assert_eq!(lines.into_inner(), b"+aaron\n-ada\n+cy\n");
}

#[test]
fn a_changed_record_is_marked_as_well() {
    let mut lines = MarkedLines::new(Vec::new());
    let (previous, current) = (records([("ada", 1), ("bo", 1)]), records([("ada", 1), ("bo", 2)]));
    assert!(diff(previous, current, &mut lines).unwrap().is_continue());
    assert_eq!(lines.into_inner(), b"~bo\n");
}

#[test]
fn split_lines_go_to_two_writers() {
    let mut lines = SplitLines::new(Vec::new(), Vec::new());
    let (previous, current) = (byte_keys(["ada", "bo"]), byte_keys(["bo", "cy"]));
    assert!(diff(previous, current, &mut lines).unwrap().is_continue());
    assert_eq!(lines.into_inner(), (b"cy\n".to_vec(), b"ada\n".to_vec()));
}

#[test]
fn a_closure_is_told_all_that_differs_and_may_break_off() {
    let run = |most: usize| {
        let mut told = Vec::new();
        let mut sink = Callback::new(|difference: Difference<'_, u8, u8>| {
            told.push(match difference {
                Difference::Added { key, version } => ('+', *key, 0, *version),
                Difference::Removed { key, version } => ('-', *key, *version, 0),
                Difference::Changed { key, previous, current } => ('~', *key, *previous, *current),
            });
            if told.len() == most {
                ControlFlow::Break("enough")
            } else {
                ControlFlow::Continue(())
            }
        });
        let previous = records([(1, 1), (2, 1), (3, 1)]);
        let flow = diff(previous, records([(2, 2), (3, 1), (4, 1)]), &mut sink).unwrap();
        (told, flow.is_break())
    };
    assert_eq!(run(9), (vec![('-', 1, 1, 0), ('~', 2, 1, 2), ('+', 4, 0, 1)], false));
    assert_eq!(run(1), (vec![('-', 1, 1, 0)], true));
}

#[test]
fn at_most_so_many_differences_are_passed_on() {
    let run = |most: u64| {
        let mut sink = AtMost::new(MarkedLines::new(Vec::new()), most);
        let previous = records([("a", 1), ("b", 1)]);
        let flow = diff(previous, records([("b", 2), ("c", 1)]), &mut sink).unwrap();
        let stopped = match flow {
            ControlFlow::Continue(_) => false,
            ControlFlow::Break(Stop::More) => true,
            ControlFlow::Break(Stop::Sink(error)) => panic!("{error}"),
        };
        (sink.into_inner().into_inner(), stopped)
    };
    assert_eq!(run(0), (b"".to_vec(), true));
    assert_eq!(run(2), (b"-a\n~b\n".to_vec(), true));
    assert_eq!(run(3), (b"-a\n~b\n+c\n".to_vec(), false));
}

#[test]
fn a_writer_that_fails_breaks_off() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let flow = diff(byte_keys(["ada"]), byte_keys(["bo"]), &mut MarkedLines::new(Full)).unwrap();
    let ControlFlow::Break(error) = flow else { panic!("the failure was ignored") };
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

fn snapshot(records: &[(&str, u8)]) -> Vec<u8> {
    let mut writer = SnapshotWriter::new(Vec::new(), Layout::Bytes { payload: 1 });
    for (key, version) in records {
        writer.push(key.as_bytes(), &[*version]).unwrap();
    }
    writer.finish().unwrap().1
}

#[test]
fn snapshots_are_compared_with_their_payload_as_version_or_by_membership() {
    let previous = snapshot(&[("ada", 1), ("bo", 1)]);
    let current = snapshot(&[("ada", 1), ("bo", 2), ("cy", 1)]);
    let open = |file| SnapshotReader::new(file).unwrap();

    let mut delta = Collect::new();
    assert!(diff(open(&previous[..]), open(&current[..]), &mut delta).unwrap().is_continue());
    assert_eq!((delta.added, delta.changed), (vec![b"cy".to_vec()], vec![b"bo".to_vec()]));

    let members = Membership::new(open(&previous[..]));
    let ControlFlow::Continue(counts) =
        diff(members, byte_keys(["ada", "bo"]), &mut CountOnly).unwrap();
    assert_eq!((counts.unchanged, counts.changed), (2, 0));
}

#[test]
fn a_truncated_snapshot_is_an_error_and_not_mass_removal() {
    let current = snapshot(&[("ada", 1), ("bo", 2)]);
    let cut = SnapshotReader::new(&current[..current.len() - 1]).unwrap();
    let whole = SnapshotReader::new(&current[..]).unwrap();
    let error = diff(whole, cut, &mut CountOnly).unwrap_err();
    assert!(matches!(error, MergeError::Current { index: 2, .. }), "{error:?}");
}
