use alloc::vec::Vec;

#[cfg(feature = "std")]
use super::SnapshotErrorKind;
use super::format::BLOCK_TARGET;
#[cfg(feature = "std")]
use super::format::{u32_at, u64_at};

/// The most bytes of a key that the index keeps. It bounds the index to a small share of a file,
/// however long the keys are.
pub(super) const INDEX_PREFIX: usize = 64;

/// Offset, records before, checksum and the length of the prefix.
const ENTRY: usize = 8 + 8 + 4 + 1;

/// The beginning of a key, as the index keeps it.
pub(super) fn prefix(key: &[u8]) -> &[u8] {
    &key[..key.len().min(INDEX_PREFIX)]
}

/// What the index says about one block of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    /// The number of records in the blocks before.
    pub(super) records_before: u64,
    /// The checksum that the block's header states.
    pub(super) checksum: u32,
}

impl Place {
    fn write(self, first_key: &[u8], out: &mut Vec<u8>) {
        let prefix = prefix(first_key);
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.records_before.to_le_bytes());
        out.extend_from_slice(&self.checksum.to_le_bytes());
        out.push(prefix.len() as u8);
        out.extend_from_slice(prefix);
    }
}

/// Collects the index of a file that is being written.
#[derive(Default)]
pub(super) struct IndexBuilder {
    /// Bodies of index blocks, one after another.
    bodies: Vec<u8>,
    /// The number of entries and of bytes of each.
    blocks: Vec<(u32, usize)>,
}

impl IndexBuilder {
    pub(super) fn add(&mut self, place: Place, first_key: &[u8]) {
        let length = ENTRY + prefix(first_key).len();
        match self.blocks.last_mut() {
            Some((entries, bytes)) if *bytes + length <= BLOCK_TARGET => {
                *entries += 1;
                *bytes += length;
            }
            _ => self.blocks.push((1, length)),
        }
        place.write(first_key, &mut self.bodies);
    }

    /// The bodies of the index blocks, each with the number of its entries.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let mut rest = self.bodies.as_slice();
        self.blocks.iter().map(move |(entries, bytes)| {
            let (body, others) = rest.split_at(*bytes);
            rest = others;
            (*entries, body)
        })
    }
}

/// Compares the index of a file read from front to back with its blocks, in constant memory: of
/// what it should be and of what it is only checksums are kept.
#[derive(Default)]
pub(super) struct IndexCheck {
    expected: crc32fast::Hasher,
    found: crc32fast::Hasher,
    expected_entries: u64,
    found_entries: u64,
    scratch: Vec<u8>,
}

impl IndexCheck {
    /// Notes a block of records.
    pub(super) fn expect(&mut self, place: Place, first_key: &[u8]) {
        self.scratch.clear();
        place.write(first_key, &mut self.scratch);
        self.expected.update(&self.scratch);
        self.expected_entries += 1;
    }

    /// Notes an index block.
    pub(super) fn find(&mut self, entries: u32, body: &[u8]) {
        self.found.update(body);
        self.found_entries += u64::from(entries);
    }

    pub(super) fn began(&self) -> bool {
        self.found_entries > 0
    }

    pub(super) fn agrees(&self) -> bool {
        self.expected_entries == self.found_entries
            && self.expected.clone().finalize() == self.found.clone().finalize()
    }
}

/// The index of a file, in memory: 32 bytes and a prefix for each block.
#[cfg(feature = "std")]
#[derive(Default)]
pub(super) struct Index {
    places: Vec<Place>,
    prefixes: Vec<u8>,
    /// Where each prefix ends.
    ends: Vec<usize>,
}

#[cfg(feature = "std")]
impl Index {
    /// Adds the entries of an index block.
    pub(super) fn extend(&mut self, entries: u32, body: &[u8]) -> Result<(), SnapshotErrorKind> {
        let mut rest = body;
        for _ in 0..entries {
            let Some((entry, others)) = rest.split_first_chunk::<ENTRY>() else {
                return Err(SnapshotErrorKind::Malformed);
            };
            let length = usize::from(entry[ENTRY - 1]);
            if length > INDEX_PREFIX || length > others.len() {
                return Err(SnapshotErrorKind::Malformed);
            }
            let (prefix, others) = others.split_at(length);
            if self.places.last().is_some() && prefix < self.prefix(self.places.len() - 1) {
                return Err(SnapshotErrorKind::Malformed);
            }
            self.places.push(Place {
                offset: u64_at(entry, 0),
                records_before: u64_at(entry, 8),
                checksum: u32_at(entry, 16),
            });
            self.prefixes.extend_from_slice(prefix);
            self.ends.push(self.prefixes.len());
            rest = others;
        }
        if rest.is_empty() { Ok(()) } else { Err(SnapshotErrorKind::Malformed) }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn place(&self, block: usize) -> Place {
        self.places[block]
    }

    /// The beginning of the first key of a block.
    pub(super) fn prefix(&self, block: usize) -> &[u8] {
        let start = if block == 0 { 0 } else { self.ends[block - 1] };
        &self.prefixes[start..self.ends[block]]
    }

    /// The number of blocks, all of them at the front, for whose place and prefix `holds` is true.
    pub(super) fn count(&self, holds: impl Fn(Place, &[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(self.place(middle), self.prefix(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
