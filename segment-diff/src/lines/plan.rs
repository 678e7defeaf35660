use std::fmt;

use super::partition;

/// How two line files are compared. Every engine finds the same differences and tells them in the
/// same order; they differ in what they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// Both sides are sorted: one pass side by side, in constant memory.
    Merge,
    /// Some bits of a hash of each line, about 8 bytes, are held in memory, or in temporary files
    /// where they exceed it; the lines that differ are read once more, and the outcome is verified.
    /// See [the bound](crate::lines#how-likely-is-a-wrong-answer) on its error.
    Partition,
    /// A summary whose size follows the number of differences, and two passes over both sides.
    /// It is given up for [`Spill`](Self::Spill) when there are more differences than fit.
    Sketch,
    /// The lines themselves, in memory as far as they fit and in temporary files beyond. Exact.
    Spill,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Merge => "merge",
            Self::Partition => "partition",
            Self::Sketch => "sketch",
            Self::Spill => "spill",
        })
    }
}

/// What is known of two sides that can be read more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// Both look sorted.
    pub(super) sorted: bool,
    /// Only engines whose answer does not rest on a hash will do.
    pub(super) exact: bool,
    /// How many lines there are on both, about.
    pub(super) lines: u64,
    /// The bytes of the longer one.
    pub(super) longest: u64,
    /// How many differences the caller expects, if it said so.
    pub(super) expected_changes: Option<u64>,
    /// How many a sketch within the memory can hold.
    pub(super) sketch_changes: u64,
    /// The memory suffices for the partition engine.
    pub(super) partitions: bool,
}

/// The engines to try, one after the other: all but the last may find that they do not suit.
pub(super) fn engines(facts: &Facts) -> Vec<Engine> {
    let mut engines = Vec::new();
    if facts.sorted {
        engines.push(Engine::Merge);
    }
    if !facts.exact {
        if facts.partitions && facts.longest < partition::MAX_BYTES {
            engines.push(Engine::Partition);
        } else if sketch_pays(facts) {
            engines.push(Engine::Sketch);
        }
    }
    engines.push(Engine::Spill);
    engines
}

fn sketch_pays(facts: &Facts) -> bool {
    facts.expected_changes.is_some_and(|changes| {
        changes <= facts.sketch_changes && changes <= facts.lines / SKETCH_PAYS_BELOW
    })
}

/// Measured: even with temporary files at one difference in a hundred lines, if the sketch is not too
/// small; half of that leaves room for the case in which it is.
const SKETCH_PAYS_BELOW: u64 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Facts = Facts {
        sorted: false,
        exact: false,
        lines: 2_000_000,
        longest: 30 << 20,
        expected_changes: None,
        sketch_changes: 100_000,
        partitions: true,
    };
    const SHORT: Facts = Facts { partitions: false, ..PLAIN };

    #[test]
    fn hashes_are_partitioned_where_memory_allows() {
        assert_eq!(engines(&PLAIN), [Engine::Partition, Engine::Spill]);
        assert_eq!(engines(&SHORT), [Engine::Spill]);
    }

    #[test]
    fn what_looks_sorted_is_merged_and_may_turn_out_not_to_be() {
        let sorted = |facts| engines(&Facts { sorted: true, ..facts });
        assert_eq!(sorted(PLAIN), [Engine::Merge, Engine::Partition, Engine::Spill]);
        assert_eq!(sorted(SHORT), [Engine::Merge, Engine::Spill]);
    }

    #[test]
    fn few_expected_changes_make_a_sketch_pay_where_memory_is_short() {
        let expecting =
            |facts, changes| engines(&Facts { expected_changes: Some(changes), ..facts });
        assert_eq!(expecting(SHORT, 1_000), [Engine::Sketch, Engine::Spill]);
        assert_eq!(expecting(PLAIN, 1_000), [Engine::Partition, Engine::Spill]);
        let too_many = SHORT.lines / SKETCH_PAYS_BELOW + 1;
        assert_eq!(expecting(SHORT, too_many), [Engine::Spill]);
        let too_small = Facts { sketch_changes: 999, ..SHORT };
        assert_eq!(expecting(too_small, 1_000), [Engine::Spill]);
    }

    #[test]
    fn exact_answers_rest_on_no_hash() {
        let exact = Facts { exact: true, expected_changes: Some(1), ..PLAIN };
        assert_eq!(engines(&exact), [Engine::Spill]);
        let sorted = Facts { sorted: true, ..exact };
        assert_eq!(engines(&sorted), [Engine::Merge, Engine::Spill]);
    }

    #[test]
    fn places_that_an_entry_cannot_hold_are_not_partitioned() {
        let vast = Facts { longest: partition::MAX_BYTES, ..PLAIN };
        assert_eq!(engines(&vast), [Engine::Spill]);
    }
}
