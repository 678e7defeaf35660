//! Sorted lines in memory: `cargo bench -p segment-diff --bench sorted`.
//!
//! A million lines on each side; one of a hundred, every other one, or none is on one side only.
//! Beside the lockstep merge: the merge that looks at every line.

use divan::Bencher;
use divan::counter::BytesCount;
use segment_diff::lines::{Engine, LineDiff, SortedLines, diff_sorted};
use segment_diff::merge::{CountOnly, diff};

fn main() {
    divan::main();
}

const MEMBERS: u64 = 1_000_000;

/// One of so many lines differs; 0 for none.
const ONE_OF: [u64; 3] = [0, 100, 2];

fn sides(one_of: u64) -> [Vec<u8>; 2] {
    [0, one_of].map(|left_out| {
        let kept = (0..MEMBERS).filter(|member| one_of == 0 || member % (2 * one_of) != left_out);
        kept.flat_map(|member| format!("member{member:09}@example.com\n").into_bytes()).collect()
    })
}

fn bench<T>(bencher: Bencher<'_, '_>, one_of: u64, compare: impl Fn(&[u8], &[u8]) -> T + Sync) {
    let [previous, current] = sides(one_of);
    bencher
        .counter(BytesCount::new(previous.len() + current.len()))
        .bench(|| compare(&previous, &current));
}

#[divan::bench(args = ONE_OF)]
fn lockstep(bencher: Bencher<'_, '_>, one_of: u64) {
    bench(bencher, one_of, |previous, current| {
        diff_sorted(previous, current, &mut CountOnly).expect("both sides are sorted")
    });
}

#[divan::bench(args = ONE_OF)]
fn lockstep_on_two_threads(bencher: Bencher<'_, '_>, one_of: u64) {
    let by_merge = LineDiff::new().engine(Engine::Merge).threads(2);
    bench(bencher, one_of, |previous, current| {
        by_merge.run(&previous, &current, &mut CountOnly).expect("both sides are sorted")
    });
}

#[divan::bench(args = ONE_OF)]
fn line_by_line(bencher: Bencher<'_, '_>, one_of: u64) {
    bench(bencher, one_of, |previous, current| {
        let (previous, current) = (SortedLines::new(previous), SortedLines::new(current));
        diff(previous, current, &mut CountOnly).expect("both sides are sorted")
    });
}
