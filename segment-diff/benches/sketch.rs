//! Making, subtracting and decoding sketches.

use divan::Bencher;
use divan::counter::ItemsCount;
use segment_diff::fingerprint::{Fingerprint, FingerprintKey};
use segment_diff::sketch::{Shape, Sketch};

fn main() {
    divan::main();
}

fn fingerprints(range: std::ops::Range<u64>) -> Vec<Fingerprint> {
    let key = FingerprintKey::new([9; 16]);
    range.map(|member| key.fingerprint(&member.to_le_bytes())).collect()
}

fn sketch(shape: Shape, members: &[Fingerprint]) -> Sketch {
    let mut sketch = Sketch::new(shape);
    members.iter().for_each(|member| sketch.insert(*member));
    sketch
}

/// By the number of differences, which decides what cache the cells are in.
const DIFFERENCES: [u64; 4] = [200, 2_000, 20_000, 200_000];

#[divan::bench(args = DIFFERENCES)]
fn insert_100_000(bencher: Bencher<'_, '_>, differences: u64) {
    let members = fingerprints(0..100_000);
    let mut sketch = Sketch::new(Shape::for_differences(differences));
    bencher.counter(ItemsCount::new(members.len())).bench_local(|| {
        members.iter().for_each(|member| sketch.insert(*member));
    });
}

#[divan::bench(args = DIFFERENCES)]
fn subtract(bencher: Bencher<'_, '_>, differences: u64) {
    let right = Sketch::new(Shape::for_differences(differences));
    let mut left = right.clone();
    bencher.bench_local(|| left.subtract(&right));
}

#[divan::bench(args = DIFFERENCES)]
fn decode(bencher: Bencher<'_, '_>, differences: u64) {
    let sketch = sketch(Shape::for_differences(differences), &fingerprints(0..differences));
    bencher
        .counter(ItemsCount::new(differences))
        .with_inputs(|| sketch.clone())
        .bench_local_values(Sketch::decode);
}

#[divan::bench(args = DIFFERENCES)]
fn read_back(bencher: Bencher<'_, '_>, differences: u64) {
    let bytes = Sketch::new(Shape::for_differences(differences)).to_bytes();
    bencher.bench_local(|| Sketch::from_bytes(&bytes));
}
