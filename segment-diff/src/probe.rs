//! The difference between a snapshot and a current side that comes in any order.
//!
//! The previous fingerprints are loaded once, sorted; every current one is then looked up as it
//! arrives. What was never seen is removed. Memory is 16 bytes and a bit for each previous member
//! (and at most one byte more for the look-up table), plus a hash set of the added ones; a
//! look-up costs O(1) expected for fingerprints, O(log n) whatever the input.
//!
//! ```
//! use segment_diff::fingerprint::FingerprintKey;
//! use segment_diff::probe::{Observation, ProbeBuilder};
//!
//! let secret = FingerprintKey::new([7; 16]);
//! let mut previous = [secret.fingerprint(b"ada@example.com"), secret.fingerprint(b"bo@example.com")];
//! previous.sort();
//!
//! let mut builder = ProbeBuilder::with_capacity(previous.len());
//! for fingerprint in previous {
//!     builder.push(fingerprint)?;
//! }
//! let mut probe = builder.build();
//! assert_eq!(probe.observe(secret.fingerprint(b"cy@example.com")), Observation::Added);
//! assert_eq!(probe.observe(secret.fingerprint(b"bo@example.com")), Observation::Unchanged);
//! assert_eq!(probe.observe(secret.fingerprint(b"bo@example.com")), Observation::Duplicate);
//! assert_eq!(probe.counts().removed, 1);
//! # Ok::<(), segment_diff::OrderError>(())
//! ```

use std::collections::HashSet;
use std::fmt;
use std::hint::black_box;
use std::ops::Range;

use crate::OrderError;
use crate::fingerprint::Fingerprint;

/// Collects the previous side of a [`Probe`], in strictly ascending order.
pub struct ProbeBuilder {
    previous: Vec<Fingerprint>,
}

impl ProbeBuilder {
    /// Makes room for `members` previous fingerprints; more may come.
    pub fn with_capacity(members: usize) -> Self {
        Self { previous: Vec::with_capacity(members) }
    }

    /// Adds the next previous fingerprint. Its index is the number of those pushed before it.
    ///
    /// # Errors
    ///
    /// Returns [`OrderError`] when `fingerprint` is not above the one before; nothing is added.
    pub fn push(&mut self, fingerprint: Fingerprint) -> Result<(), OrderError> {
        if self.previous.last().is_some_and(|last| *last >= fingerprint) {
            return Err(OrderError { index: self.previous.len() as u64 });
        }
        self.previous.push(fingerprint);
        Ok(())
    }

    /// Prepares the look-up table: one pass over what was pushed.
    pub fn build(self) -> Probe {
        let table = RadixTable::new(&self.previous);
        let seen = vec![0; self.previous.len().div_ceil(64)];
        let counts = ProbeCounts {
            previous: self.previous.len() as u64,
            removed: self.previous.len() as u64,
            ..ProbeCounts::default()
        };
        Probe { previous: self.previous, table, seen, added: HashSet::new(), counts }
    }
}

/// Tells, for each current fingerprint as it comes, whether it is new.
pub struct Probe {
    previous: Vec<Fingerprint>,
    table: RadixTable,
    seen: Vec<u64>,
    added: HashSet<Fingerprint>,
    counts: ProbeCounts,
}

impl Probe {
    /// Takes note of one current member and says how it relates to the previous side.
    pub fn observe(&mut self, fingerprint: Fingerprint) -> Observation {
        let fresh = match self.index_of(fingerprint) {
            Some(index) if self.was_seen(index) => None,
            Some(index) => {
                self.seen[index / 64] |= 1 << (index % 64);
                self.counts.removed -= 1;
                self.counts.unchanged += 1;
                Some(Observation::Unchanged)
            }
            None if self.added.insert(fingerprint) => {
                self.counts.added += 1;
                Some(Observation::Added)
            }
            None => None,
        };
        fresh.unwrap_or_else(|| {
            self.counts.duplicates += 1;
            Observation::Duplicate
        })
    }

    /// Loads what looking these up will need, and changes nothing. Look-ups that follow each other wait
    /// for memory one after the other; here the loads do not depend on one another, so the processor
    /// waits for many at once. Worth it with some dozens of fingerprints that are looked up next.
    pub fn warm(&self, fingerprints: &[Fingerprint]) {
        for fingerprints in fingerprints.chunks(WARMED_AT_ONCE) {
            let mut buckets = [(0, 0); WARMED_AT_ONCE];
            for (bucket, fingerprint) in buckets.iter_mut().zip(fingerprints) {
                let Range { start, end } = self.table.bucket(*fingerprint);
                *bucket = (start, end);
            }
            // All members of a bucket are in two or three lines of the cache.
            let first_bytes = buckets.iter().flat_map(|(start, end)| {
                let members = &self.previous[*start..*end];
                members.iter().step_by(MEMBERS_PER_LINE).map(|member| member.as_bytes()[0])
            });
            black_box(first_bytes.fold(0, u8::wrapping_add));
        }
    }

    /// Whether the previous member pushed as number `index` (from zero) was observed. Those that
    /// were not, once the current side has ended, are the removed ones.
    ///
    /// # Panics
    ///
    /// Panics when no member has that index: a wrong index must not look like a removal.
    pub fn was_seen(&self, index: usize) -> bool {
        assert!(index < self.previous.len(), "no previous member has index {index}");
        self.seen[index / 64] >> (index % 64) & 1 == 1
    }

    /// The counts so far; final once the current side has ended.
    pub fn counts(&self) -> ProbeCounts {
        self.counts
    }

    /// The number (from zero) under which a fingerprint was pushed; `None` when it is on no previous
    /// side. The same look-up as [`observe`](Self::observe), without taking note of it.
    pub fn index_of(&self, fingerprint: Fingerprint) -> Option<usize> {
        let bucket = self.table.bucket(fingerprint);
        let start = bucket.start;
        self.previous[bucket].binary_search(&fingerprint).ok().map(|within| start + within)
    }
}

/// Says how many members there are, and none of them.
impl fmt::Debug for ProbeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.previous.len();
        f.debug_struct("ProbeBuilder").field("previous", &members).finish_non_exhaustive()
    }
}

/// Says what was counted, and shows no member.
impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// How one current member relates to the previous side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Observation {
    /// Not a previous member; seen for the first time.
    Added,
    /// A previous member; seen for the first time.
    Unchanged,
    /// Seen earlier in this scan, whether added or unchanged.
    Duplicate,
}

/// What a [`Probe`] has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProbeCounts {
    /// Members of the previous side.
    pub previous: u64,
    /// Observed members that are not on the previous side.
    pub added: u64,
    /// Observed members that are on the previous side.
    pub unchanged: u64,
    /// Previous members not observed so far.
    pub removed: u64,
    /// Observations of a member that had been observed before.
    pub duplicates: u64,
}

/// Where each range of leading bits begins in the sorted fingerprints: a handful of candidates
/// per range as long as fingerprints are uniform, which keyed ones are.
struct RadixTable {
    shift: u32,
    starts: Vec<usize>,
}

impl RadixTable {
    fn new(sorted: &[Fingerprint]) -> Self {
        let bits = (sorted.len() / MEMBERS_PER_BUCKET).max(1).ilog2();
        let shift = 64 - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        for (index, fingerprint) in sorted.iter().enumerate() {
            let bucket = bucket_number(*fingerprint, shift);
            while starts.len() <= bucket {
                starts.push(index);
            }
        }
        starts.resize((1 << bits) + 1, sorted.len());
        Self { shift, starts }
    }

    fn bucket(&self, fingerprint: Fingerprint) -> Range<usize> {
        let bucket = bucket_number(fingerprint, self.shift);
        self.starts[bucket]..self.starts[bucket + 1]
    }
}

fn bucket_number(fingerprint: Fingerprint, shift: u32) -> usize {
    let [a, b, c, d, e, f, g, h, ..] = *fingerprint.as_bytes();
    let leading = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    // A table of one bucket shifts everything out, which `>>` alone refuses.
    leading.checked_shr(shift).unwrap_or(0) as usize
}

/// Eight to sixteen fingerprints a bucket: at most four cache lines to search, one byte a member.
const MEMBERS_PER_BUCKET: usize = 8;

/// Fingerprints in one line of the cache.
const MEMBERS_PER_LINE: usize = 4;

/// As many loads as a processor waits for at once.
const WARMED_AT_ONCE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(first: u8, last: u8) -> Fingerprint {
        let mut bytes = [0; 16];
        (bytes[0], bytes[15]) = (first, last);
        Fingerprint::from_bytes(bytes)
    }

    fn probe(previous: impl IntoIterator<Item = Fingerprint>) -> Probe {
        let mut builder = ProbeBuilder::with_capacity(0);
        previous.into_iter().for_each(|fingerprint| builder.push(fingerprint).unwrap());
        builder.build()
    }

    #[test]
    fn a_key_seen_before_in_this_scan_is_a_duplicate() {
        let (known, new) = (fingerprint(1, 0), fingerprint(2, 0));
        let mut probe = probe([known]);
        assert_eq!(probe.observe(known), Observation::Unchanged);
        assert_eq!(probe.observe(known), Observation::Duplicate);
        assert_eq!(probe.observe(new), Observation::Added);
        assert_eq!(probe.observe(new), Observation::Duplicate);
        let expected =
            ProbeCounts { previous: 1, added: 1, unchanged: 1, removed: 0, duplicates: 2 };
        assert_eq!(probe.counts(), expected);
    }

    #[test]
    fn members_never_observed_are_removed_and_found_by_their_index() {
        let mut probe = probe([fingerprint(1, 0), fingerprint(2, 0), fingerprint(255, 255)]);
        probe.observe(fingerprint(2, 0));
        assert_eq!([0, 1, 2].map(|index| probe.was_seen(index)), [false, true, false]);
        assert_eq!(probe.counts().removed, 2);
    }

    #[test]
    fn an_empty_previous_side_makes_everything_added() {
        let mut probe = probe([]);
        assert_eq!(probe.observe(fingerprint(0, 0)), Observation::Added);
        assert_eq!(probe.observe(fingerprint(255, 255)), Observation::Added);
    }

    #[test]
    fn fingerprints_that_do_not_ascend_are_refused_with_their_index() {
        let mut builder = ProbeBuilder::with_capacity(3);
        builder.push(fingerprint(1, 0)).unwrap();
        builder.push(fingerprint(3, 0)).unwrap();
        assert_eq!(builder.push(fingerprint(3, 0)), Err(OrderError { index: 2 }));
        assert_eq!(builder.push(fingerprint(2, 0)), Err(OrderError { index: 2 }));
        assert_eq!(builder.build().counts().previous, 2);
    }

    #[test]
    fn crowded_buckets_give_the_same_answers() {
        let crowded = |last| fingerprint(9, last);
        let mut probe = probe((0..=254).step_by(2).map(crowded));
        for last in 0..=255 {
            let expected = if last % 2 == 0 { Observation::Unchanged } else { Observation::Added };
            assert_eq!(probe.observe(crowded(last)), expected, "{last}");
        }
    }

    #[test]
    fn debug_output_shows_counts_and_no_member() {
        let mut builder = ProbeBuilder::with_capacity(1);
        builder.push(fingerprint(0xab, 0xcd)).unwrap();
        let shown = format!("{builder:?}");
        let mut probe = builder.build();
        probe.observe(fingerprint(0xef, 0xcd));
        let shown = format!("{shown} {probe:?}");
        assert!(shown.contains("previous: 1") && shown.contains("added: 1"), "{shown}");
        assert!(!shown.contains("ab00") && !shown.contains("ef00"), "{shown}");
    }

    #[test]
    #[should_panic(expected = "no previous member has index 1")]
    fn an_index_beyond_the_previous_side_panics_rather_than_reporting_a_removal() {
        probe([fingerprint(1, 0)]).was_seen(1);
    }
}
