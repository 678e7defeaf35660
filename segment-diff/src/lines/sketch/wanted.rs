use std::sync::atomic::{AtomicI64, Ordering};

use crate::sketch::{Decoded, FingerprintPrefix};

/// The members that a difference decoded into, found fast among many others.
pub(super) struct Wanted<'a> {
    members: &'a [(FingerprintPrefix, i64)],
    /// How many more copies were found on the left side.
    found: Vec<AtomicI64>,
    /// For each range of members, which have the same leading bits, bits that are set for those
    /// in it: most others are found missing here.
    filters: Vec<u64>,
    /// Where each range begins, and where the last one ends.
    starts: Vec<u32>,
    shift: u32,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(decoded: &'a Decoded) -> Self {
        let members = decoded.members();
        let bits = (members.len() / MEMBERS_PER_RANGE).max(1).ilog2() + 1;
        let shift = 60 - bits;
        let mut filters = vec![0; 1 << bits];
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        for (index, (member, _)) in members.iter().enumerate() {
            let range = (member.a() >> shift) as usize;
            filters[range] |= filter(*member);
            // Those between the range of the member before and this one are empty.
            starts.resize(starts.len().max(range + 1), index as u32);
        }
        starts.resize((1 << bits) + 1, members.len() as u32);
        let found = members.iter().map(|_| AtomicI64::new(0)).collect();
        Self { members, found, filters, starts, shift }
    }

    /// Memory for each member in bytes, at most; that of what was decoded comes on top.
    pub(super) const MEMBER: usize =
        size_of::<AtomicI64>() + 2 * (size_of::<u64>() + size_of::<u32>()) / MEMBERS_PER_RANGE;

    /// Whether `member` is one of them, and if so notes `copies` more of it.
    pub(super) fn find(&self, member: FingerprintPrefix, copies: i64) -> bool {
        let index = self.index(member);
        if let Some(index) = index {
            self.found[index].fetch_add(copies, Ordering::Relaxed);
        }
        index.is_some()
    }

    /// The surplus of copies of `member` that was decoded, and the one that was found.
    pub(super) fn surplus_and_found(&self, member: FingerprintPrefix) -> Option<(i64, i64)> {
        let index = self.index(member)?;
        Some((self.members[index].1, self.found[index].load(Ordering::Relaxed)))
    }

    /// The members with the surplus of copies that was decoded and the one that was found.
    pub(super) fn surpluses(&self) -> impl Iterator<Item = (FingerprintPrefix, i64, i64)> {
        let found = self.found.iter().map(|found| found.load(Ordering::Relaxed));
        self.members.iter().zip(found).map(|((member, copies), found)| (*member, *copies, found))
    }

    fn index(&self, member: FingerprintPrefix) -> Option<usize> {
        let range = (member.a() >> self.shift) as usize;
        let bits = filter(member);
        if self.filters[range] & bits != bits {
            return None;
        }
        let (start, end) = (self.starts[range] as usize, self.starts[range + 1] as usize);
        let mut members = self.members[start..end].iter();
        members.position(|(other, _)| *other == member).map(|within| start + within)
    }
}

/// Three bits of 64, of which a range with a few members has a few set.
fn filter(member: FingerprintPrefix) -> u64 {
    let b = member.b();
    1 << (b & 63) | 1 << (b >> 6 & 63) | 1 << (b >> 12 & 63)
}

/// How many members a range has on average, at most; at least half of it.
const MEMBERS_PER_RANGE: usize = 8;
