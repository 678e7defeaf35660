//! Integers in memory: `cargo bench -p segment-diff --bench integers`.
//!
//! A million on each side, 1 % of them different: ids below 2^40, ids that were counted up, and
//! multiples of 2^40, which a hash without a secret puts into few places. Beside ours: a hash
//! set, and sorting on one thread.

use divan::Bencher;
use divan::counter::ItemsCount;
use segment_diff::memory::{Options, ValueSides, diff_values};
use segment_diff::merge::CountOnly;

fn main() {
    divan::main();
}

const MEMBERS: u64 = 1_000_000;

#[derive(Clone, Copy, Debug)]
enum Shape {
    Sparse,
    Dense,
    Strided,
}

const SHAPES: [Shape; 3] = [Shape::Sparse, Shape::Dense, Shape::Strided];

/// Both sides, in an order of their own each.
fn sides(shape: Shape) -> [Vec<u64>; 2] {
    [0, MEMBERS / 100].map(|first| {
        let mut members: Vec<u64> = (first..first + MEMBERS).collect();
        fastrand::Rng::with_seed(first).shuffle(&mut members);
        let id = |member: &u64| match shape {
            // An odd factor permutes the numbers of 40 bits.
            Shape::Sparse => member.wrapping_mul(0x9e37_79b9_7f4a_7c15) & ((1 << 40) - 1),
            Shape::Dense => *member,
            Shape::Strided => member << 40,
        };
        members.iter().map(id).collect()
    })
}

fn both() -> ItemsCount {
    ItemsCount::new(2 * MEMBERS)
}

#[divan::bench(args = SHAPES)]
fn slices(bencher: Bencher<'_, '_>, shape: Shape) {
    let [previous, current] = sides(shape);
    bencher
        .counter(both())
        .bench(|| diff_values(&previous, &current, Options::new(), &mut CountOnly));
}

#[divan::bench(args = SHAPES)]
fn slices_on_two_threads(bencher: Bencher<'_, '_>, shape: Shape) {
    let [previous, current] = sides(shape);
    let options = Options::new().threads(2);
    bencher.counter(both()).bench(|| diff_values(&previous, &current, options, &mut CountOnly));
}

#[divan::bench(args = SHAPES)]
fn wide_slices(bencher: Bencher<'_, '_>, shape: Shape) {
    let [previous, current] = sides(shape).map(|side| {
        let wide: Vec<u128> = side.into_iter().map(|id| u128::from(id) << 64 | 7).collect();
        wide
    });
    bencher
        .counter(both())
        .bench(|| diff_values(&previous, &current, Options::new(), &mut CountOnly));
}

#[divan::bench(args = SHAPES)]
fn as_they_come(bencher: Bencher<'_, '_>, shape: Shape) {
    let [previous, current] = sides(shape);
    bencher.counter(both()).bench(|| {
        let mut sides = ValueSides::new(previous.len());
        let (mut old, mut new) = sides.both();
        old.extend(previous.iter().copied());
        new.extend(current.iter().copied());
        sides.diff(Options::new(), &mut CountOnly)
    });
}

#[divan::bench(args = SHAPES)]
fn sorted_and_merged(bencher: Bencher<'_, '_>, shape: Shape) {
    let [previous, current] = sides(shape);
    bencher.counter(both()).bench(|| {
        let (mut previous, mut current) = (previous.clone(), current.clone());
        previous.sort_unstable();
        current.sort_unstable();
        diff_values(&previous, &current, Options::new(), &mut CountOnly)
    });
}

#[divan::bench(args = SHAPES)]
fn hash_set(bencher: Bencher<'_, '_>, shape: Shape) {
    let [previous, current] = sides(shape);
    bencher.counter(both()).bench(|| {
        let mut seen: hashbrown::HashMap<u64, bool, foldhash::fast::RandomState> =
            previous.iter().map(|id| (*id, false)).collect();
        let mut added = 0_u64;
        for id in &current {
            match seen.get_mut(id) {
                Some(in_both) => *in_both = true,
                None => added += 1,
            }
        }
        let removed = seen.values().filter(|in_both| !**in_both).count();
        (added, removed)
    });
}
