//! Differences of integers, against sets.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use proptest::collection::vec;
use proptest::prelude::*;
use segment_diff::memory::{Options, Value, ValueSides, diff_values};
use segment_diff::merge::{Collect, CountOnly, Counts, DiffSink};

/// Added, removed and the number of those on both sides.
type Found<T> = (Vec<T>, Vec<T>, u64);

fn expected<T: Ord + Copy>(previous: &[T], current: &[T]) -> Found<T> {
    let set = |values: &[T]| values.iter().copied().collect::<BTreeSet<T>>();
    let (previous, current) = (set(previous), set(current));
    let only = |some: &BTreeSet<T>, others| some.difference(others).copied().collect();
    let both = previous.intersection(&current).count() as u64;
    (only(&current, &previous), only(&previous, &current), both)
}

fn of_slices<T: Value>(previous: &[T], current: &[T], threads: usize) -> Found<T> {
    let mut delta = Collect::new();
    let options = Options::new().threads(threads);
    let ControlFlow::Continue(counts) = diff_values(previous, current, options, &mut delta);
    found(delta, counts)
}

/// As they come, a few at a time, with a guess of their number.
fn of_sides<T: Value>(previous: &[T], current: &[T], guess: usize, threads: usize) -> Found<T> {
    let mut sides = ValueSides::new(guess);
    let (mut old, mut new) = sides.both();
    previous.chunks(7).for_each(|values| old.extend(values.iter().copied()));
    current.chunks(5).for_each(|values| new.extend(values.iter().copied()));
    let mut delta = Collect::new();
    let options = Options::new().threads(threads);
    let ControlFlow::Continue(counts) = sides.diff(options, &mut delta);
    found(delta, counts)
}

fn found<T>(delta: Collect<T>, counts: Counts) -> Found<T> {
    assert_eq!((counts.added as usize, counts.changed), (delta.added.len(), 0));
    assert_eq!(counts.removed as usize, delta.removed.len());
    (delta.added, delta.removed, counts.unchanged)
}

/// Close together, at equal distances, anything, and the ends of the range.
fn values() -> impl Strategy<Value = Vec<u64>> {
    let one = prop_oneof![
        0..50_u64,
        (0..50_u64).prop_map(|number| number << 58 | number),
        any::<u64>(),
        Just(u64::MAX),
    ];
    prop_oneof![vec(one, 0..300), vec(u64::MAX - 900.., 0..300), vec(5..900_u64, 0..300)]
}

proptest! {
    #[test]
    fn values_in_any_order_differ_as_their_sets_do(
        previous in values(),
        current in values(),
        threads in 0..4_usize,
        guess in prop_oneof![Just(0), Just(1 << 17), Just(1 << 20)],
    ) {
        let expected = expected(&previous, &current);
        prop_assert_eq!(&of_slices(&previous, &current, threads), &expected);
        prop_assert_eq!(of_sides(&previous, &current, guess, threads), expected);
    }

    #[test]
    fn wide_values_are_values_too(
        previous in vec(prop_oneof![0..50_u128, any::<u128>(), Just(u128::MAX)], 0..200),
        current in vec(prop_oneof![0..50_u128, any::<u128>(), Just(u128::MAX)], 0..200),
        threads in 1..3_usize,
    ) {
        let expected = expected(&previous, &current);
        prop_assert_eq!(&of_slices(&previous, &current, threads), &expected);
        prop_assert_eq!(of_sides(&previous, &current, 1 << 16, threads), expected);
    }

    #[test]
    fn sorted_values_differ_as_their_sets_do(mut previous in values(), mut current in values()) {
        previous.sort_unstable();
        current.sort_unstable();
        let expected = expected(&previous, &current);
        prop_assert_eq!(of_slices(&previous, &current, 1), expected);
    }
}

fn scrambled(index: u64) -> u64 {
    index.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[test]
fn many_values_in_many_chunks_do_not_depend_on_the_threads() {
    let previous: Vec<_> = (0..150_000).map(scrambled).collect();
    let current: Vec<_> = (700..150_300).rev().map(scrambled).collect();
    let expected = expected(&previous, &current);
    assert_eq!((expected.0.len(), expected.1.len()), (300, 700));
    for threads in [1, 2, 3, 8] {
        assert_eq!(of_slices(&previous, &current, threads), expected, "{threads} threads");
        assert_eq!(of_sides(&previous, &current, 1_000, threads), expected, "{threads} threads");
    }
}

#[test]
fn one_value_repeated_makes_no_partition_too_large() {
    let mut previous: Vec<_> = (0..2_000).map(scrambled).collect();
    let mut current = previous[1..].to_vec();
    previous.extend(vec![7; 50_000]);
    current.extend(vec![9; 50_000]);
    let (added, removed, both) = of_sides(&previous, &current, 1 << 18, 2);
    assert_eq!((added, removed, both), (vec![9], vec![0, 7], 1_999));
}

#[test]
fn nothing_differs_from_nothing() {
    assert_eq!(of_slices::<u64>(&[], &[], 2), (vec![], vec![], 0));
    assert_eq!(of_slices(&[], &[3_u64, 3, 1], 2), (vec![1, 3], vec![], 0));
    assert_eq!(of_sides::<u128>(&[], &[], 0, 1), (vec![], vec![], 0));
    assert_eq!(of_sides(&[5_u128, 4], &[], 0, 1), (vec![], vec![4, 5], 0));
}

/// Breaks off at the second difference.
struct Second(Option<u64>);

impl DiffSink<u64> for Second {
    type Break = (u64, u64);

    fn added(&mut self, value: &u64, (): &()) -> ControlFlow<(u64, u64)> {
        match self.0.replace(*value) {
            None => ControlFlow::Continue(()),
            Some(first) => ControlFlow::Break((first, *value)),
        }
    }
}

#[test]
fn a_sink_may_have_seen_enough() {
    let sparse = [3 << 40, 1 << 40, 2 << 40];
    for current in [sparse, [3, 1, 2]] {
        let mut ascending = current;
        ascending.sort_unstable();
        for values in [current, ascending] {
            let flow = diff_values(&[], &values, Options::new(), &mut Second(None));
            assert_eq!(flow, ControlFlow::Break((ascending[0], ascending[1])));
        }
    }
}

#[test]
fn values_are_not_shown() {
    let mut sides = ValueSides::<u64>::new(1);
    sides.both().0.extend([4711]);
    assert_eq!(
        format!("{:?} {:?}", sides, sides_of(&mut ValueSides::new(1))),
        "ValueSides { .. } ValueSide { .. }"
    );
    let ControlFlow::Continue(counts) = sides.diff(Options::new(), &mut CountOnly);
    assert_eq!(counts.removed, 1);
}

fn sides_of(sides: &mut ValueSides<u64>) -> impl std::fmt::Debug {
    sides.both().0
}
