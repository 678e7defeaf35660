//! Looking up a current side that comes in any order, against a hash set of the previous one.

use std::collections::HashSet;

use divan::Bencher;
use divan::counter::ItemsCount;
use segment_diff::fingerprint::{Fingerprint, FingerprintKey};
use segment_diff::probe::{Observation, Probe, ProbeBuilder};

fn main() {
    divan::main();
}

/// From what fits into the caches to what does not.
const MEMBERS: [u64; 3] = [10_000, 1_000_000, 10_000_000];

/// How many are looked up in a round.
const LOOKED_UP: usize = 1_000_000;

/// Rows that are normalised before the first of them is looked up.
const AT_ONCE: usize = 64;

fn fingerprints(members: u64) -> Vec<Fingerprint> {
    let key = FingerprintKey::new([9; 16]);
    (0..members).map(|member| key.fingerprint(&member.to_le_bytes())).collect()
}

fn probe(mut previous: Vec<Fingerprint>) -> Probe {
    previous.sort_unstable();
    let mut builder = ProbeBuilder::with_capacity(previous.len());
    for fingerprint in previous {
        builder.push(fingerprint).expect("in ascending order");
    }
    builder.build()
}

/// Those that are looked up, in an order that is not that of the probe.
fn looked_up(members: u64) -> Vec<Fingerprint> {
    fingerprints(members).into_iter().cycle().take(LOOKED_UP).collect()
}

fn known(observation: Observation) -> u64 {
    u64::from(observation != Observation::Added)
}

#[divan::bench(args = MEMBERS)]
fn hash_set(bencher: Bencher<'_, '_>, members: u64) {
    let (previous, current) = (fingerprints(members), looked_up(members));
    let previous: HashSet<Fingerprint> = previous.into_iter().collect();
    bencher
        .counter(ItemsCount::new(LOOKED_UP))
        .bench_local(|| current.iter().map(|one| u64::from(previous.contains(one))).sum::<u64>());
}

#[divan::bench(args = MEMBERS)]
fn one_by_one(bencher: Bencher<'_, '_>, members: u64) {
    let (mut probe, current) = (probe(fingerprints(members)), looked_up(members));
    bencher
        .counter(ItemsCount::new(LOOKED_UP))
        .bench_local(|| current.iter().map(|one| known(probe.observe(*one))).sum::<u64>());
}

#[divan::bench(args = MEMBERS)]
fn warmed(bencher: Bencher<'_, '_>, members: u64) {
    let (mut probe, current) = (probe(fingerprints(members)), looked_up(members));
    bencher.counter(ItemsCount::new(LOOKED_UP)).bench_local(|| {
        let mut sum = 0;
        for some in current.chunks(AT_ONCE) {
            probe.warm(some);
            sum += some.iter().map(|one| known(probe.observe(*one))).sum::<u64>();
        }
        sum
    });
}
