use std::collections::BTreeSet;
use std::ops::ControlFlow;

use proptest::collection::vec;
use proptest::prelude::*;
use segment_diff::KeyTooLong;
use segment_diff::memory::{Matching, Options, PackedKeys, diff_keys, diff_packed, diff_slices};
use segment_diff::merge::Collect;
use segment_diff::snapshot::MAX_KEY;

fn packed(keys: &[Vec<u8>]) -> PackedKeys {
    let mut packed = PackedKeys::new();
    for key in keys {
        packed.push(key).unwrap();
    }
    packed
}

fn only_in<T: Ord + Clone>(some: &[T], others: &[T]) -> Vec<T> {
    let set = |items: &[T]| items.iter().cloned().collect::<BTreeSet<T>>();
    set(some).difference(&set(others)).cloned().collect()
}

/// Short and alike, with zeros: what prefixes and lengths get wrong if anything does.
fn byte_keys() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(prop_oneof![0..3_u8, any::<u8>()], 0..8), 0..200)
}

/// Also longer than what is hashed at a time, in lanes and at all.
fn long_keys() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let long = (0..3_u8, prop_oneof![60..70_usize, 30_000..40_000_usize]);
    let key = prop_oneof![
        8 => vec(0..3_u8, 0..6),
        1 => long.prop_map(|(byte, length)| vec![byte; length]),
    ];
    vec(key, 0..40)
}

proptest! {
    #[test]
    fn keys_that_stay_where_they_are_differ_as_their_sets_do(
        (previous, current) in prop_oneof![
            4 => (byte_keys(), byte_keys()),
            1 => (long_keys(), long_keys()),
        ],
        threads in 0..4_usize,
        exact: bool,
    ) {
        let matching = if exact { Matching::Bytes } else { Matching::Fingerprints };
        let options = Options::new().threads(threads).matching(matching);
        let expected = (only_in(&current, &previous), only_in(&previous, &current));
        let distinct = current.iter().collect::<BTreeSet<_>>().len();
        let mut delta = Collect::new();
        let ControlFlow::Continue(counts) = diff_slices(&previous, &current, options, &mut delta);
        prop_assert_eq!(counts.unchanged as usize, distinct - delta.added.len());
        prop_assert!((delta.added, delta.removed) == expected);

        let mut delta = Collect::new();
        let (before, after) = (packed(&previous), packed(&current));
        let ControlFlow::Continue(again) = diff_packed(&before, &after, options, &mut delta);
        prop_assert_eq!(again, counts);
        prop_assert!((delta.added, delta.removed) == expected);
    }

    #[test]
    fn byte_keys_in_any_order_differ_as_their_sets_do(
        previous in byte_keys(),
        current in byte_keys(),
        threads in 0..4_usize,
    ) {
        let mut delta = Collect::new();
        let (mut before, mut after) = (packed(&previous), packed(&current));
        let options = Options::new().threads(threads);
        let ControlFlow::Continue(counts) = diff_keys(&mut before, &mut after, options, &mut delta);
        prop_assert_eq!(counts.unchanged as usize + delta.added.len(), after.len());
        prop_assert_eq!(delta.added, only_in(&current, &previous));
        prop_assert_eq!(delta.removed, only_in(&previous, &current));
    }
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let key = |index: u32| index.wrapping_mul(2_654_435_761).to_le_bytes().to_vec();
    let previous: Vec<_> = (0..20_000).map(key).collect();
    let current: Vec<_> = (100..20_100).chain(500..600).map(key).collect();
    let delta = |threads| {
        let mut delta = Collect::new();
        let options = Options::new().threads(threads);
        let ControlFlow::Continue(counts) =
            diff_keys(&mut packed(&previous), &mut packed(&current), options, &mut delta);
        (delta, counts)
    };
    let in_place = |threads| {
        let mut delta = Collect::new();
        let options = Options::new().threads(threads).matching(Matching::Fingerprints);
        let ControlFlow::Continue(counts) = diff_slices(&previous, &current, options, &mut delta);
        (delta, counts)
    };
    let alone = delta(1);
    assert_eq!(in_place(1), alone);
    assert_eq!((alone.1.added, alone.1.removed, alone.1.unchanged), (100, 100, 19_900));
    for threads in [2, 3, 8] {
        assert_eq!(delta(threads), alone);
        assert_eq!(in_place(threads), alone);
    }
}

#[test]
fn a_key_beyond_the_limit_is_refused() {
    let mut packed = PackedKeys::new();
    let refused = packed.push(&vec![0; MAX_KEY + 1]);
    assert_eq!(refused, Err(KeyTooLong { length: MAX_KEY + 1, limit: MAX_KEY }));
    assert!(packed.is_empty());
    assert_eq!(packed.push(&vec![0; MAX_KEY]), Ok(()));
}

#[test]
fn packed_keys_do_not_print_what_they_hold() {
    assert_eq!(
        format!("{:?}", packed(&[b"ada@example.com".to_vec()])),
        "PackedKeys { len: 1, .. }"
    );
}
