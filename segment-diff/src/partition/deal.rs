use super::{Entry, Exhausted, Room};

/// Into how many partitions entries are dealt, and how their memory is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The binary logarithm of the number of partitions.
    pub(crate) bits: u32,
    /// The binary logarithm of the entries of a chunk, which is what a partition takes at a time.
    pub(crate) chunk: u32,
    /// The binary logarithm of the entries of a slab, which is what is allocated at a time.
    pub(crate) slab: u32,
}

impl Shape {
    /// Suits `entries` entries a side: partitions that fit into the second-level cache together
    /// with their table, and not so many that dealing to them would not.
    pub(crate) fn for_entries(entries: u64) -> Self {
        let bits = (entries / PER_PARTITION).max(1).next_power_of_two().trailing_zeros();
        Self { bits: bits.min(MAX_BITS), chunk: 9, slab: 16 }
    }

    /// As [`for_entries`](Self::for_entries), for entries of eight bytes that are not dealt out one
    /// by one: more partitions cost little then, and smaller tables are quicker.
    pub(crate) fn for_packed(entries: u64) -> Self {
        Self::for_entries(2 * entries)
    }

    /// The number of partitions.
    pub(crate) const fn partitions(self) -> usize {
        1 << self.bits
    }

    /// The partition of what has this hash, from its highest bits.
    pub(crate) const fn partition(self, hash: u64) -> usize {
        (hash >> 1 >> (63 - self.bits)) as usize
    }

    fn slab_bytes<E>(self) -> usize {
        size_of::<E>() << self.slab
    }
}

const PER_PARTITION: u64 = 30_000;
const MAX_BITS: u32 = 12;

/// Entries dealt out by their hash, by one worker.
///
/// The order of the entries of a partition is the one in which they came.
pub(crate) struct Partitions<'a, E> {
    room: &'a Room,
    shape: Shape,
    /// The bits of a place within its chunk, and within its slab.
    chunk_mask: usize,
    slab_mask: usize,
    slabs: Vec<Box<[E]>>,
    /// Where the next chunk starts, counted in entries over all slabs.
    next_chunk: usize,
    /// Where the next entry of each partition goes; at the start of a chunk if that is yet to be
    /// taken.
    places: Vec<usize>,
    /// The starts of the chunks of each partition.
    chunks: Vec<Vec<usize>>,
}

impl<'a, E: Entry> Partitions<'a, E> {
    pub(crate) fn new(shape: Shape, room: &'a Room) -> Self {
        let partitions = shape.partitions();
        Self {
            room,
            shape,
            chunk_mask: (1 << shape.chunk) - 1,
            slab_mask: (1 << shape.slab) - 1,
            slabs: Vec::new(),
            next_chunk: 0,
            places: vec![0; partitions],
            chunks: vec![Vec::new(); partitions],
        }
    }

    /// Adds an entry to a partition.
    #[inline]
    pub(crate) fn push(&mut self, partition: usize, entry: E) -> Result<(), Exhausted> {
        let mut place = self.places[partition];
        if place & self.chunk_mask == 0 {
            place = self.begin_chunk(partition)?;
        }
        let slab = &mut self.slabs[place >> self.shape.slab];
        slab[place & self.slab_mask] = entry;
        self.places[partition] = place + 1;
        Ok(())
    }

    #[cold]
    fn begin_chunk(&mut self, partition: usize) -> Result<usize, Exhausted> {
        if self.next_chunk == self.slabs.len() << self.shape.slab {
            self.room.take(self.shape.slab_bytes::<E>())?;
            // Zeros, because the system hands out such memory without touching it.
            self.slabs.push(vec![E::ZERO; 1 << self.shape.slab].into_boxed_slice());
        }
        let start = self.next_chunk;
        self.next_chunk += 1 << self.shape.chunk;
        self.chunks[partition].push(start);
        Ok(start)
    }

    /// The entries of a partition, some at a time.
    pub(crate) fn entries(&self, partition: usize) -> impl Iterator<Item = &[E]> {
        let chunk = 1 << self.shape.chunk;
        let place = self.places[partition];
        let (last, full) = match self.chunks[partition].split_last() {
            Some((last, full)) => (Some((*last, place - last)), full),
            None => (None, &[][..]),
        };
        full.iter().map(move |start| (*start, chunk)).chain(last).map(|(start, length)| {
            let slab = &self.slabs[start >> self.shape.slab];
            &slab[start & self.slab_mask..][..length]
        })
    }

    /// The number of entries of a partition.
    pub(crate) fn len(&self, partition: usize) -> usize {
        let chunks = &self.chunks[partition];
        chunks.last().map_or(0, |last| {
            ((chunks.len() - 1) << self.shape.chunk) + self.places[partition] - last
        })
    }
}

impl<E> Drop for Partitions<'_, E> {
    fn drop(&mut self) {
        self.room.give_back(self.slabs.len() * self.shape.slab_bytes::<E>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_in_order_partition_by_partition() {
        let room = Room::new(1 << 20);
        let shape = Shape { bits: 2, chunk: 1, slab: 3 };
        let mut partitions = Partitions::new(shape, &room);
        for value in 0..100_u64 {
            partitions.push((value % 3) as usize, value).unwrap();
        }
        for partition in 0..4 {
            let back: Vec<u64> = partitions.entries(partition).flatten().copied().collect();
            let expected: Vec<u64> =
                (0..100).filter(|value| (value % 3) as usize == partition).collect();
            assert_eq!(partitions.len(partition), expected.len());
            assert_eq!(back, expected);
        }
    }

    #[test]
    fn what_exceeds_the_budget_is_refused() {
        let shape = Shape { bits: 0, chunk: 1, slab: 3 };
        let room = Room::new(150);
        let mut partitions = Partitions::new(shape, &room);
        let pushed = (0..100_u64).take_while(|value| partitions.push(0, *value).is_ok()).count();
        assert_eq!(pushed, 16);
    }

    #[test]
    fn the_highest_bits_choose_the_partition() {
        let shape = |bits| Shape { bits, chunk: 1, slab: 1 };
        assert_eq!(shape(0).partition(u64::MAX), 0);
        assert_eq!(shape(3).partition(5 << 61 | 7), 5);
        assert_eq!(shape(12).partition(u64::MAX), 4095);
    }
}
