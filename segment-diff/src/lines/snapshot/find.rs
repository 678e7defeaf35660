use super::members::{Members, Ranges, Records, fingerprint_of};
use super::scan::in_parallel;
use super::{End, Pass, Work};
use crate::ReadAt;
use crate::kernel::{EightMatcher, match_eight};
use crate::partition::{
    Exhausted, Finding, Located, Near, PackedPartitions, PackedTable, Partitions, Room, Seen,
    Shape, finding,
};

/// What one thread found.
pub(super) struct Found<'r> {
    /// The lines that are new, each once.
    pub(super) added: Partitions<'r, Finding>,
    /// The members that are no more.
    pub(super) removed: Records<'r>,
    /// Lines and members with bits that several lines, or several members, have.
    pub(super) doubtful_lines: Partitions<'r, Finding>,
    pub(super) doubtful_members: Records<'r>,
    /// Members with bits that exactly one line has, and how many they are.
    pub(super) unchanged: u64,
    /// The sum of their fingerprints.
    pub(super) sum: u128,
}

/// Compares the lines that were dealt out with the snapshot: each thread takes as many
/// partitions, which follow each other, as the others.
pub(super) fn find<'r, R: ReadAt + Sync>(
    work: &Work<'_, R>,
    pass: Pass,
    lines: &[PackedPartitions<'_>],
    room: &'r Room,
) -> Result<Vec<Found<'r>>, End> {
    let partitions = pass.shape.partitions();
    let width = 16 + work.previous.layout().payload_width();
    in_parallel(work.threads, |number| {
        let first_of = |number: usize| partitions * number / work.threads;
        let mut snapshot = Ranges::new(work, pass, first_of(number), width)?;
        let list = || Partitions::new(Shape { bits: 0, ..pass.shape }, room);
        let mut finder = Finder {
            pass,
            members: Members::new(width, room),
            lines: Near::new(lines, pass.packing, room),
            table: PackedTable::new(room),
            doubts: Vec::new(),
            added: Vec::new(),
            found: Found {
                added: list(),
                removed: Records::new(width, room),
                doubtful_lines: list(),
                doubtful_members: Records::new(width, room),
                unchanged: 0,
                sum: 0,
            },
        };
        for partition in first_of(number)..first_of(number + 1) {
            finder.members.clear();
            snapshot.read(pass.start(partition + 1), &mut finder.members)?;
            finder.find(partition)?;
        }
        Ok(finder.found)
    })
}

struct Finder<'r, 'p> {
    pass: Pass,
    members: Members<'r>,
    lines: Near<'p>,
    table: PackedTable<'r>,
    found: Found<'r>,
    /// Of one partition: the bits that several members or several lines have.
    doubts: Vec<u64>,
    /// Of one partition: what is perhaps added.
    added: Vec<Located>,
}

impl Finder<'_, '_> {
    fn find(&mut self, partition: usize) -> Result<(), Exhausted> {
        self.doubts.clear();
        self.added.clear();
        self.table.reset(self.members.len())?;
        let mut pairs = match_eight(LookUp { finder: self, partition })?;
        let Self { members, table, found, doubts, added, .. } = self;
        doubts.sort_unstable();
        doubts.dedup();
        let doubtful = |bits: u64| doubts.binary_search(&bits).is_ok();
        for entry in added.iter().filter(|entry| !doubtful(entry[0])) {
            found.added.push(0, finding(*entry))?;
        }
        for [bits, index] in table.missing() {
            if !doubtful(bits) {
                let record = members.get(index as usize);
                found.sum = found.sum.wrapping_sub(fingerprint_of(record));
                found.removed.push(record)?;
            }
        }
        if !doubts.is_empty() {
            pairs -= self.set_aside(partition)?;
        }
        self.found.unchanged += pairs;
        Ok(())
    }

    /// Notes all lines and members with bits that are in doubt. Returns how many of these both
    /// sides have.
    fn set_aside(&mut self, partition: usize) -> Result<u64, Exhausted> {
        let Self { pass, members, lines, found, doubts, .. } = self;
        let mut seen = vec![[false; 2]; doubts.len()];
        for record in members.iter() {
            let fingerprint = fingerprint_of(record);
            if let Ok(index) = doubts.binary_search(&pass.bits(fingerprint)) {
                seen[index][0] = true;
                found.sum = found.sum.wrapping_sub(fingerprint);
                found.doubtful_members.push(record)?;
            }
        }
        lines.for_each(partition, |origin, entries| {
            for entry in entries {
                let entry = origin.unpack(*entry);
                if let Ok(index) = doubts.binary_search(&entry[0]) {
                    seen[index][1] = true;
                    found.doubtful_lines.push(0, finding(entry))?;
                }
            }
            Ok(())
        })?;
        Ok(seen.iter().filter(|seen| **seen == [true; 2]).count() as u64)
    }
}

/// Looks the lines of one partition up among its members.
struct LookUp<'f, 'r, 'p> {
    finder: &'f mut Finder<'r, 'p>,
    partition: usize,
}

impl EightMatcher for LookUp<'_, '_, '_> {
    type Output = Result<u64, Exhausted>;

    /// Returns how many bits both sides have, those in doubt as well.
    #[inline(always)]
    fn run(self, eight: impl Fn(&[u64; 8], u64) -> u8) -> Result<u64, Exhausted> {
        let Finder { pass, members, lines, table, doubts, added, found } = self.finder;
        let mut open = table.reserve(members.len())?;
        for (index, record) in members.iter().enumerate() {
            let fingerprint = fingerprint_of(record);
            found.sum = found.sum.wrapping_add(fingerprint);
            let bits = pass.bits(fingerprint);
            if !open.insert([bits, index as u64], &eight) {
                doubts.push(bits);
            }
        }
        let mut pairs = 0;
        lines.for_each(self.partition, |origin, entries| {
            let mut open = table.reserve(entries.len())?;
            for entry in entries {
                let entry = origin.unpack(*entry);
                match open.note(entry[0], &eight) {
                    Seen::Added => added.push(entry),
                    Seen::Kept => pairs += 1,
                    Seen::Again => doubts.push(entry[0]),
                }
            }
            Ok(())
        })?;
        Ok(pairs)
    }
}
