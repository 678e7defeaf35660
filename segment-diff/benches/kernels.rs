//! The inner loops, and differences in memory: `cargo bench -p segment-diff --bench kernels`.

use divan::Bencher;
use divan::counter::ItemsCount;
use segment_diff::lines::{Engine, LineDiff, LineReader};
use segment_diff::memory::{Matching, Options, PackedKeys, diff_keys, diff_packed, diff_slices};
use segment_diff::merge::CountOnly;
use segment_diff::{Fingerprint, FingerprintKey};

fn main() {
    divan::main();
}

const FEW: usize = 4_000;
const MANY: usize = 200_000;

/// Addresses in an order of no use, of which one of a hundred is of this side alone.
fn members(count: usize, side: &str) -> Vec<String> {
    let mut order: Vec<usize> = (0..count).collect();
    fastrand::Rng::with_seed(side.len() as u64).shuffle(&mut order);
    let member = |index: usize| {
        let of = if index.is_multiple_of(100) { side } else { "all" };
        let number = index * 7_919 % 10_007;
        format!("{of}.{:x}.{index}@{}.example", number, &"domain-name"[..4 + number % 8])
    };
    order.into_iter().map(member).collect()
}

fn packed(keys: &[String]) -> (Vec<u8>, Vec<usize>) {
    let ends = keys.iter().scan(0, |end, key| {
        *end += key.len();
        Some(*end)
    });
    (keys.concat().into_bytes(), ends.collect())
}

const KEY: FingerprintKey = FingerprintKey::new([7; 16]);

#[divan::bench]
fn fingerprint_of_each(bencher: Bencher<'_, '_>) {
    let (bytes, ends) = packed(&members(FEW, "one"));
    bencher.counter(ItemsCount::new(FEW)).bench(|| {
        let mut start = 0;
        let each = ends.iter().map(|end| {
            let key = &bytes[start..*end];
            start = *end;
            KEY.fingerprint(key)
        });
        each.collect::<Vec<Fingerprint>>()
    });
}

#[divan::bench]
fn fingerprints_of_many(bencher: Bencher<'_, '_>) {
    let (bytes, ends) = packed(&members(FEW, "one"));
    bencher.counter(ItemsCount::new(FEW)).bench(|| {
        let mut fingerprints = Vec::new();
        KEY.fingerprints(&bytes, &ends, &mut fingerprints);
        fingerprints
    });
}

#[divan::bench]
fn blocks_of_lines(bencher: Bencher<'_, '_>) {
    let text = members(FEW, "one").join("\n");
    bencher.counter(ItemsCount::new(FEW)).bench(|| {
        let mut reader = LineReader::new(text.as_bytes());
        while reader.next_block().expect("a slice can be read").is_some() {}
    });
}

#[divan::bench(args = [Matching::Bytes, Matching::Fingerprints], consts = [1, 2])]
fn slices<const THREADS: usize>(bencher: Bencher<'_, '_>, matching: &Matching) {
    let (previous, current) = (members(MANY, "one"), members(MANY, "other"));
    let options = Options::new().threads(THREADS).matching(*matching);
    bencher
        .counter(ItemsCount::new(2 * MANY))
        .bench(|| diff_slices(&previous, &current, options, &mut CountOnly));
}

fn pack(keys: &[String]) -> PackedKeys {
    let mut packed = PackedKeys::new();
    for key in keys {
        packed.push(key.as_bytes()).expect("the key is short");
    }
    packed
}

#[divan::bench(args = [Matching::Bytes, Matching::Fingerprints], consts = [1, 2])]
fn packed_keys<const THREADS: usize>(bencher: Bencher<'_, '_>, matching: &Matching) {
    let (previous, current) = (pack(&members(MANY, "one")), pack(&members(MANY, "other")));
    let options = Options::new().threads(THREADS).matching(*matching);
    bencher
        .counter(ItemsCount::new(2 * MANY))
        .bench(|| diff_packed(&previous, &current, options, &mut CountOnly));
}

#[divan::bench(consts = [1, 2])]
fn packed_keys_by_sorting<const THREADS: usize>(bencher: Bencher<'_, '_>) {
    let (previous, current) = (pack(&members(MANY, "one")), pack(&members(MANY, "other")));
    bencher
        .counter(ItemsCount::new(2 * MANY))
        .with_inputs(|| (previous.clone(), current.clone()))
        .bench_values(|(mut previous, mut current)| {
            diff_keys(&mut previous, &mut current, Options::new().threads(THREADS), &mut CountOnly)
        });
}

#[divan::bench(consts = [1, 2])]
fn lines<const THREADS: usize>(bencher: Bencher<'_, '_>) {
    let (previous, current) = (members(MANY, "one").join("\n"), members(MANY, "other").join("\n"));
    let diff = LineDiff::new().engine(Engine::Partition).memory(1 << 30).threads(THREADS);
    bencher.counter(ItemsCount::new(2 * MANY)).bench(|| {
        diff.run(&previous.as_bytes(), &current.as_bytes(), &mut CountOnly)
            .expect("slices can be read")
    });
}
