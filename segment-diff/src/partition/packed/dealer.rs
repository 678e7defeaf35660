use std::io::IoSlice;
use std::mem;

use super::store::{Batch, Entries, PackedPartitions, group_range};
use super::{PackedError, Packing};
use crate::external::ScratchFile;
use crate::partition::{Room, Shape};

/// Deals entries out by their hash, in one worker, which comes upon ever higher places.
///
/// To write here and there into memory that is far away costs more than anything else that is done
/// to an entry. So a batch of them is sorted by partition where it is at hand, and put down in one
/// piece.
pub(crate) struct PackedDealer<'a> {
    packing: Packing,
    /// The place of the first key of the batch.
    first: u64,
    entries: Vec<[u8; 8]>,
    /// Of each entry, its partition.
    partitions: Vec<u16>,
    /// Of each partition, how many entries it has.
    counts: Vec<u32>,
    /// What goes to the file is sorted here.
    sorted: Vec<[u8; 8]>,
    dealt: PackedPartitions<'a>,
}

impl<'a> PackedDealer<'a> {
    /// Puts batches down in memory, or in a file.
    pub(crate) fn new(
        shape: Shape,
        packing: Packing,
        room: &'a Room,
        file: Option<ScratchFile>,
    ) -> Result<Self, PackedError> {
        let taken = Self::buffers(packing, file.is_some());
        room.take(taken)?;
        Ok(Self {
            packing,
            first: 0,
            entries: Vec::with_capacity(packing.batch),
            partitions: Vec::with_capacity(packing.batch),
            counts: vec![0; shape.partitions()],
            sorted: Vec::new(),
            dealt: PackedPartitions::new(shape, packing, room, taken, file),
        })
    }

    /// The bytes of a batch that is being filled.
    pub(crate) const fn buffers(packing: Packing, filed: bool) -> usize {
        let sorted = if filed { 8 } else { 0 };
        packing.batch * (8 + size_of::<u16>() + sorted)
    }

    /// Adds keys by their hashes and places, which ascend, and are not below those before.
    #[inline]
    pub(crate) fn extend(
        &mut self,
        hashes: &[u128],
        places: impl Iterator<Item = u64>,
    ) -> Result<(), PackedError> {
        let (shape, packing) = (self.dealt.shape(), self.packing);
        for (hash, place) in hashes.iter().zip(places) {
            let mut distance = place.wrapping_sub(self.first);
            if distance > packing.mask || self.entries.len() == packing.batch {
                self.put_down()?;
                self.first = place;
                distance = 0;
            }
            let partition = shape.partition((hash >> 64) as u64);
            self.counts[partition] += 1;
            self.partitions.push(partition as u16);
            self.entries.push(packing.pack(*hash, distance));
        }
        Ok(())
    }

    /// Puts the batch down, and begins another.
    #[cold]
    fn put_down(&mut self) -> Result<(), PackedError> {
        let count = self.entries.len();
        if count == 0 {
            return Ok(());
        }
        self.dealt.take(size_of::<u32>() * (self.counts.len() + 1))?;
        let mut starts = Vec::with_capacity(self.counts.len() + 1);
        let mut start = 0;
        for count in &mut self.counts {
            starts.push(start);
            start += mem::replace(count, start);
        }
        starts.push(start);
        let entries = if self.dealt.is_filed() {
            let mut sorted = mem::take(&mut self.sorted);
            sorted.resize(count, [0; 8]);
            self.sort_into(&mut sorted);
            let filed = self.file(&sorted, &starts)?;
            self.sorted = sorted;
            filed
        } else {
            self.dealt.take(8 * count)?;
            // Zeros, because the system hands out such memory without touching it.
            let mut sorted = vec![[0; 8]; count].into_boxed_slice();
            self.sort_into(&mut sorted);
            Entries::Held(sorted)
        };
        self.counts.fill(0);
        self.entries.clear();
        self.partitions.clear();
        let starts = starts.into_boxed_slice();
        self.dealt.push(Batch { first: self.first, starts, entries });
        Ok(())
    }

    /// Puts the entries into the order of their partitions, the starts of which the counts are.
    fn sort_into(&mut self, sorted: &mut [[u8; 8]]) {
        for (entry, partition) in self.entries.iter().zip(&self.partitions) {
            let at = &mut self.counts[usize::from(*partition)];
            sorted[*at as usize] = *entry;
            *at += 1;
        }
    }

    fn file(&mut self, sorted: &[[u8; 8]], starts: &[u32]) -> Result<Entries, PackedError> {
        let partitions = self.dealt.shape().partitions();
        let groups = partitions / self.packing.group;
        self.dealt.take(groups * size_of::<u32>())?;
        let checksums = (0..groups).map(|group| {
            let range = group_range(starts, group, self.packing.group);
            crc32fast::hash(sorted[range].as_flattened())
        });
        let checksums = checksums.collect();
        let offset = self.dealt.append(&mut [IoSlice::new(sorted.as_flattened())])?;
        Ok(Entries::Filed { offset, checksums })
    }

    /// Ends a side, and begins another in the same way.
    pub(crate) fn turn(
        &mut self,
        file: Option<ScratchFile>,
    ) -> Result<PackedPartitions<'a>, PackedError> {
        self.put_down()?;
        let next = self.dealt.another(Self::buffers(self.packing, file.is_some()), file);
        Ok(mem::replace(&mut self.dealt, next))
    }

    /// Ends dealing out.
    pub(crate) fn finish(mut self) -> Result<PackedPartitions<'a>, PackedError> {
        self.put_down()?;
        self.dealt.give_back(Self::buffers(self.packing, self.dealt.is_filed()));
        Ok(self.dealt)
    }
}
