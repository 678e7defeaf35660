//! The merge of two sorted inputs, record by record: `cargo bench -p segment-diff --bench merge`.
//!
//! A million keys on each side; one of a hundred, or every other one, is on one side only.

use divan::Bencher;
use divan::counter::ItemsCount;
use segment_diff::merge::{Collect, CountOnly, byte_keys, diff, keys, records};

fn main() {
    divan::main();
}

const MEMBERS: u64 = 1_000_000;

/// One of so many keys differs.
const ONE_OF: [u64; 2] = [100, 2];

/// The numbers of the members of both sides, ascending.
fn sides(one_of: u64) -> [Vec<u64>; 2] {
    let side = |left_out: u64| -> Vec<u64> {
        (0..MEMBERS).filter(|member| member % (2 * one_of) != left_out).collect()
    };
    [side(0), side(one_of)]
}

fn emails(side: &[u64]) -> Vec<String> {
    side.iter().map(|member| format!("member{member:09}@example.com")).collect()
}

fn both() -> ItemsCount {
    ItemsCount::new(2 * MEMBERS)
}

#[divan::bench(args = ONE_OF)]
fn integers(bencher: Bencher<'_, '_>, one_of: u64) {
    let [previous, current] = sides(one_of);
    bencher.counter(both()).bench(|| {
        diff(keys(previous.iter().copied()), keys(current.iter().copied()), &mut CountOnly)
    });
}

#[divan::bench(args = ONE_OF)]
fn bytes(bencher: Bencher<'_, '_>, one_of: u64) {
    let [previous, current] = sides(one_of).map(|side| emails(&side));
    bencher
        .counter(both())
        .bench(|| diff(byte_keys(&previous), byte_keys(&current), &mut CountOnly));
}

#[divan::bench(args = ONE_OF)]
fn bytes_collected(bencher: Bencher<'_, '_>, one_of: u64) {
    let [previous, current] = sides(one_of).map(|side| emails(&side));
    bencher.counter(both()).bench(|| {
        let mut delta = Collect::new();
        let flow = diff(byte_keys(&previous), byte_keys(&current), &mut delta);
        (delta, flow)
    });
}

#[divan::bench(args = ONE_OF)]
fn records_with_versions(bencher: Bencher<'_, '_>, one_of: u64) {
    let [previous, current] = sides(one_of);
    let version = |members: &[u64], step: u64| -> Vec<(u64, u64)> {
        members.iter().map(|member| (*member, member / step)).collect()
    };
    let (previous, current) = (version(&previous, 7), version(&current, 7));
    bencher.counter(both()).bench(|| {
        diff(records(previous.iter().copied()), records(current.iter().copied()), &mut CountOnly)
    });
}
