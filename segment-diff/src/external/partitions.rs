use std::io::IoSlice;
use std::path::PathBuf;

use super::ExternalError;
use super::extents::Extents;
use super::record::{HEADER, LONG, Record};
use super::shape::Shape;
use super::temp_file::Create;
use crate::kernel::{HashKey, KeyRange};

/// The records of one side, partitioned by the hash of their keys.
///
/// A partition is a sequence of bytes, its records one after another. It is kept in pages; when
/// these are used up, what one partition has in full pages is written to the temporary file, each
/// partition in its turn, so that a page has been filled for as long as possible by then.
pub(super) struct Partitions {
    hash_key: HashKey,
    shape: Shape,
    /// Bytes of each value.
    width: usize,
    /// Grows page by page within what was reserved, so that only what is needed is touched.
    arena: Vec<u8>,
    /// The page that follows in its partition, or among the free ones.
    next: Vec<u32>,
    free: Option<u32>,
    slots: Vec<Slot>,
    chains: Vec<Chain>,
    /// The partition whose turn it is to be written.
    victim: usize,
    extents: Extents,
    hashes: Vec<u128>,
}

/// Where a partition is being filled.
#[derive(Clone, Copy, Default)]
struct Slot {
    /// The place in the arena of its next byte.
    at: usize,
    /// The end of the page.
    end: usize,
    records: u64,
}

/// The pages of a partition that are in memory.
#[derive(Clone, Copy, Default)]
struct Chain {
    first: u32,
    last: u32,
    pages: u32,
}

impl Partitions {
    pub(super) fn new(
        hash_key: HashKey,
        shape: Shape,
        width: usize,
        directory: PathBuf,
        create: Create,
    ) -> Result<Self, ExternalError> {
        let (mut arena, mut next) = (Vec::new(), Vec::new());
        let bytes = shape.arena();
        arena
            .try_reserve_exact(bytes)
            .and_then(|()| next.try_reserve_exact(shape.pages))
            .map_err(|source| ExternalError::Memory { bytes, source })?;
        Ok(Self {
            hash_key,
            shape,
            width,
            arena,
            next,
            free: None,
            slots: vec![Slot::default(); shape.partitions],
            chains: vec![Chain::default(); shape.partitions],
            victim: 0,
            extents: Extents::new(directory, create, shape.partitions, shape.extent),
            hashes: Vec::with_capacity(BATCH),
        })
    }

    /// Adds a record whose value has the agreed width.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), ExternalError> {
        self.put(self.hash_key.hash(key), key, value)
    }

    /// Adds keys without values, which lie in `bytes`.
    pub(super) fn push_many(
        &mut self,
        bytes: &[u8],
        keys: &[KeyRange],
    ) -> Result<(), ExternalError> {
        let mut hashes = std::mem::take(&mut self.hashes);
        for batch in keys.chunks(BATCH) {
            self.hash_key.hash_many(bytes, batch, &mut hashes);
            for (key, hash) in batch.iter().zip(&hashes) {
                if !self.put_short(*hash, bytes, *key) {
                    self.put(*hash, key.of(bytes), &[])?;
                }
            }
        }
        self.hashes = hashes;
        Ok(())
    }

    /// Adds a short key without asking where it ends, if there is room to do so.
    #[inline]
    fn put_short(&mut self, hash: u128, bytes: &[u8], key: KeyRange) -> bool {
        let slot = &mut self.slots[partition_of(hash, self.shape)];
        if key.length as usize > SHORT || slot.end - slot.at < HEADER + SHORT {
            return false;
        }
        let Some(source) = bytes[key.start as usize..].first_chunk::<SHORT>() else { return false };
        let room = self.arena[slot.at..].first_chunk_mut::<{ HEADER + SHORT }>();
        let Some(room) = room else { return false };
        room[..4].copy_from_slice(&tag_of(hash).to_le_bytes());
        room[4] = key.length as u8;
        room[HEADER..].copy_from_slice(source);
        slot.at += HEADER + key.length as usize;
        slot.records += 1;
        true
    }

    fn put(&mut self, hash: u128, key: &[u8], value: &[u8]) -> Result<(), ExternalError> {
        let partition = partition_of(hash, self.shape);
        let (header, length) = Record::header(tag_of(hash), key.len());
        self.append(partition, &header[..length])?;
        self.append(partition, key)?;
        self.append(partition, value)?;
        self.slots[partition].records += 1;
        Ok(())
    }

    fn append(&mut self, partition: usize, mut bytes: &[u8]) -> Result<(), ExternalError> {
        loop {
            let slot = &mut self.slots[partition];
            let length = bytes.len().min(slot.end - slot.at);
            self.arena[slot.at..slot.at + length].copy_from_slice(&bytes[..length]);
            slot.at += length;
            bytes = &bytes[length..];
            if bytes.is_empty() {
                return Ok(());
            }
            self.turn_page(partition)?;
        }
    }

    /// Gives an empty page to a partition whose last one is full.
    fn turn_page(&mut self, partition: usize) -> Result<(), ExternalError> {
        let page = self.take_page()?;
        let chain = &mut self.chains[partition];
        if chain.pages == 0 {
            chain.first = page;
        } else {
            self.next[chain.last as usize] = page;
        }
        chain.last = page;
        chain.pages += 1;
        let at = page as usize * self.shape.page;
        let slot = &mut self.slots[partition];
        (slot.at, slot.end) = (at, at + self.shape.page);
        Ok(())
    }

    fn take_page(&mut self) -> Result<u32, ExternalError> {
        loop {
            if let Some(page) = self.free {
                let next = self.next[page as usize];
                self.free = (next != NONE).then_some(next);
                return Ok(page);
            }
            let used = self.next.len();
            if used < self.shape.pages {
                self.arena.resize((used + 1) * self.shape.page, 0);
                self.next.push(NONE);
                return Ok(used as u32);
            }
            self.victim = (self.victim + 1) % self.shape.partitions;
            self.write_full_pages(self.victim)?;
        }
    }

    fn write_full_pages(&mut self, partition: usize) -> Result<(), ExternalError> {
        let chain = self.chains[partition];
        let slot = self.slots[partition];
        let open = u32::from(slot.at < slot.end);
        let full = chain.pages - open;
        if full == 0 {
            return Ok(());
        }
        self.write_pages(partition, full)?;
        // They become free, the last of them linked to those that were.
        let mut last = chain.first;
        for _ in 1..full {
            last = self.next[last as usize];
        }
        let after = self.next[last as usize];
        self.next[last as usize] = self.free.unwrap_or(NONE);
        self.free = Some(chain.first);
        self.chains[partition] = Chain { first: after, last: chain.last, pages: open };
        Ok(())
    }

    /// Writes the first `count` pages of a partition.
    fn write_pages(&mut self, partition: usize, count: u32) -> Result<(), ExternalError> {
        let chain = self.chains[partition];
        let (mut page, mut rest) = (chain.first, count);
        while rest > 0 {
            let mut slices = [IoSlice::new(&[]); PAGES_A_WRITE];
            let now = rest.min(PAGES_A_WRITE as u32);
            for slice in &mut slices[..now as usize] {
                let bytes = filled(&self.arena, self.shape, chain, self.slots[partition], page);
                *slice = IoSlice::new(bytes);
                page = self.next[page as usize];
            }
            // An extent never ends within a page; see `Shape`.
            self.extents.append(partition, &mut slices[..now as usize])?;
            rest -= now;
        }
        Ok(())
    }

    /// Writes all that is still in memory and gives the memory back.
    pub(super) fn write_out(&mut self) -> Result<(), ExternalError> {
        for partition in 0..self.shape.partitions {
            self.write_pages(partition, self.chains[partition].pages)?;
            self.chains[partition] = Chain::default();
            self.slots[partition] = Slot { records: self.slots[partition].records, at: 0, end: 0 };
        }
        (self.arena, self.next, self.free) = (Vec::new(), Vec::new(), None);
        Ok(())
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Bytes of all that is in memory.
    pub(super) fn held(&self) -> usize {
        self.arena.capacity()
            + self.next.capacity() * size_of::<u32>()
            + self.shape.partitions * (size_of::<Slot>() + size_of::<Chain>())
            + self.extents.held()
    }

    /// Bytes written to the temporary file.
    pub(super) fn written(&self) -> u64 {
        self.extents.written()
    }

    pub(super) fn records(&self, partition: usize) -> u64 {
        self.slots[partition].records
    }

    /// Bytes of the records of one partition.
    pub(super) fn length(&self, partition: usize) -> u64 {
        let (chain, slot) = (self.chains[partition], self.slots[partition]);
        let pages = u64::from(chain.pages) * self.shape.page as u64;
        self.extents.length(partition) + pages - (slot.end - slot.at) as u64
    }

    /// The bytes of one partition, to be read piece by piece.
    pub(super) fn pieces(&self, partition: usize) -> Pieces<'_> {
        let chain = self.chains[partition];
        Pieces { of: self, partition, extent: 0, page: chain.first, pages: chain.pages }
    }
}

/// Reads a partition in pieces, which end anywhere within records.
pub(super) struct Pieces<'a> {
    of: &'a Partitions,
    partition: usize,
    extent: usize,
    page: u32,
    pages: u32,
}

impl Pieces<'_> {
    /// The length of the next piece; `None` at the end.
    pub(super) fn length(&self) -> Option<usize> {
        let stored = self.of.extents.extent_length(self.partition, self.extent);
        stored.or_else(|| (self.pages > 0).then(|| self.page_bytes().len()))
    }

    /// Puts the next piece into `buffer`, which has its length.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<(), ExternalError> {
        if self.of.extents.extent_length(self.partition, self.extent).is_some() {
            self.of.extents.read(self.partition, self.extent, buffer)?;
            self.extent += 1;
        } else {
            buffer.copy_from_slice(self.page_bytes());
            self.page = self.of.next[self.page as usize];
            self.pages -= 1;
        }
        Ok(())
    }

    fn page_bytes(&self) -> &[u8] {
        let (chain, slot) = (self.of.chains[self.partition], self.of.slots[self.partition]);
        filled(&self.of.arena, self.of.shape, chain, slot, self.page)
    }
}

/// What is filled of a page of a partition.
fn filled(arena: &[u8], shape: Shape, chain: Chain, slot: Slot, page: u32) -> &[u8] {
    let start = page as usize * shape.page;
    let end = if page == chain.last { slot.at } else { start + shape.page };
    &arena[start..end]
}

#[inline]
fn partition_of(hash: u128, shape: Shape) -> usize {
    hash as usize & (shape.partitions - 1)
}

/// Bits of the hash that are independent of the partition.
#[inline]
fn tag_of(hash: u128) -> u32 {
    (hash >> 64) as u32
}

/// The end of a list of pages.
const NONE: u32 = u32::MAX;

/// Keys hashed at a time: enough for the kernel, and their hashes stay in the cache.
const BATCH: usize = 512;

/// Keys up to this length are copied as a whole.
const SHORT: usize = 64;

const PAGES_A_WRITE: usize = 64;

const _: () = assert!(SHORT < LONG);
