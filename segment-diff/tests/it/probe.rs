use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use segment_diff::fingerprint::Fingerprint;
use segment_diff::probe::{Observation, Probe, ProbeBuilder};

/// Uniform ones, as keyed fingerprints are, among crowded ones, as an adversary might like them.
fn fingerprints() -> impl Strategy<Value = Fingerprint> {
    prop_oneof![
        any::<[u8; 16]>(),
        (0..4_u8, 0..8_u8).prop_map(|(first, last)| {
            let mut bytes = [0; 16];
            (bytes[0], bytes[15]) = (first, last);
            bytes
        }),
    ]
    .prop_map(Fingerprint::from_bytes)
}

fn probe_of(previous: &BTreeSet<Fingerprint>) -> Probe {
    let mut builder = ProbeBuilder::with_capacity(previous.len());
    for fingerprint in previous {
        builder.push(*fingerprint).unwrap();
    }
    builder.build()
}

proptest! {
    #[test]
    fn a_probe_answers_as_a_set_would(
        previous in btree_set(fingerprints(), 0..400),
        others in vec(fingerprints(), 0..400),
        picks in vec(any::<prop::sample::Index>(), 0..400),
    ) {
        let known: Vec<_> = previous.iter().copied().collect();
        let picked = picks.iter().filter(|_| !known.is_empty()).map(|pick| *pick.get(&known));
        let current: Vec<_> = others.into_iter().chain(picked).collect();

        let mut probe = probe_of(&previous);
        // Whatever it is warmed for, it answers the same.
        probe.warm(&current);
        let mut seen = BTreeSet::new();
        for fingerprint in &current {
            let expected = match (seen.insert(*fingerprint), previous.contains(fingerprint)) {
                (false, _) => Observation::Duplicate,
                (true, true) => Observation::Unchanged,
                (true, false) => Observation::Added,
            };
            prop_assert_eq!(probe.observe(*fingerprint), expected);
        }

        let counts = probe.counts();
        prop_assert_eq!(counts.previous, previous.len() as u64);
        prop_assert_eq!(counts.added, seen.difference(&previous).count() as u64);
        prop_assert_eq!(counts.unchanged, seen.intersection(&previous).count() as u64);
        prop_assert_eq!(counts.removed, previous.difference(&seen).count() as u64);
        prop_assert_eq!(counts.duplicates, (current.len() - seen.len()) as u64);
        for (index, fingerprint) in known.iter().enumerate() {
            prop_assert_eq!(probe.was_seen(index), seen.contains(fingerprint));
        }
    }
}
