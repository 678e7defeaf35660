//! Comparing and sorting within a memory budget, beyond it in temporary files.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up may panic")]

use divan::Bencher;
use divan::counter::ItemsCount;
use segment_diff::external::{ExactDiff, ExternalSorter, compare};
use segment_diff::lines::LineReader;
use segment_diff::merge::{CountOnly, SortedInput};

fn main() {
    divan::main();
}

const MEMBERS: u64 = 300_000;

/// Different lines in no order.
fn lines(from: u64) -> Vec<u8> {
    let id = |index: u64| index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let line = |index| format!("{:016x}@example.com\n", id(index)).into_bytes();
    (from..from + MEMBERS).flat_map(line).collect()
}

/// One line in a hundred was removed, and as many added. With 64 MiB nothing is spilled.
#[divan::bench(args = [1, 4, 16, 64])]
fn compare_within_mebibytes(bencher: Bencher<'_, '_>, memory: usize) {
    let (previous, current) = (lines(0), lines(MEMBERS / 100));
    bencher.counter(ItemsCount::new(2 * MEMBERS)).bench(|| {
        let options = ExactDiff::new(std::env::temp_dir(), memory << 20).threads(2);
        let (mut before, mut after) = options.sides().unwrap();
        for (side, lines) in [(&mut before, &previous), (&mut after, &current)] {
            let mut reader = LineReader::new(&lines[..]);
            while let Some(block) = reader.next_block().unwrap() {
                side.push_lines(block).unwrap();
            }
        }
        compare(before, after).unwrap().deliver(&mut CountOnly).unwrap()
    });
}

/// Every line of one side, in order. With 64 MiB nothing is spilled.
#[divan::bench(args = [1, 4, 16, 64])]
fn sort_within_mebibytes(bencher: Bencher<'_, '_>, memory: usize) {
    let lines = lines(0);
    bencher.counter(ItemsCount::new(MEMBERS)).bench(|| {
        let mut sorter = ExternalSorter::new(std::env::temp_dir(), memory << 20).unwrap();
        let mut reader = LineReader::new(&lines[..]);
        while let Some(block) = reader.next_block().unwrap() {
            block.keys().for_each(|key| sorter.push(key).unwrap());
        }
        let mut sorted = sorter.finish().unwrap();
        while sorted.advance().unwrap() {
            divan::black_box(sorted.key());
        }
    });
}
