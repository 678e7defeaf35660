use std::io::IoSlice;
use std::ops::Range;

use super::{Origin, Packing};
use crate::external::{ExternalError, ScratchFile};
use crate::partition::{Exhausted, Room, Shape};

/// Entries dealt out by their hash, by one worker.
pub(crate) struct PackedPartitions<'a> {
    room: &'a Room,
    taken: usize,
    shape: Shape,
    packing: Packing,
    batches: Vec<Batch>,
    file: Option<ScratchFile>,
    /// Bytes of the file.
    written: u64,
}

/// Entries in the order of their partitions.
pub(super) struct Batch {
    /// The place of the first key.
    pub(super) first: u64,
    /// Where each partition starts, and the end of the last.
    pub(super) starts: Box<[u32]>,
    pub(super) entries: Entries,
}

pub(super) enum Entries {
    Held(Box<[[u8; 8]]>),
    /// From `offset` of the file on, with a checksum for each group of partitions.
    Filed {
        offset: u64,
        checksums: Box<[u32]>,
    },
}

/// The entries of a group of partitions.
pub(super) fn group_range(starts: &[u32], group: usize, size: usize) -> Range<usize> {
    starts[group * size] as usize..starts[(group + 1) * size] as usize
}

impl<'a> PackedPartitions<'a> {
    /// Nothing yet, and so many bytes taken of the room by whoever fills it.
    pub(super) fn new(
        shape: Shape,
        packing: Packing,
        room: &'a Room,
        taken: usize,
        file: Option<ScratchFile>,
    ) -> Self {
        Self { room, taken, shape, packing, batches: Vec::new(), file, written: 0 }
    }

    /// Another, which takes over as many bytes.
    pub(super) fn another(&mut self, taken: usize, file: Option<ScratchFile>) -> Self {
        self.taken -= taken;
        Self::new(self.shape, self.packing, self.room, taken, file)
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn is_filed(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.room.take(bytes)?;
        self.taken += bytes;
        Ok(())
    }

    pub(super) fn give_back(&mut self, bytes: usize) {
        self.room.give_back(bytes);
        self.taken -= bytes;
    }

    pub(super) fn push(&mut self, batch: Batch) {
        self.batches.push(batch);
    }

    /// Appends to the file; returns where.
    pub(super) fn append(&mut self, slices: &mut [IoSlice<'_>]) -> Result<u64, ExternalError> {
        let offset = self.written;
        self.written += slices.iter().map(|slice| slice.len() as u64).sum::<u64>();
        if let Some(file) = &mut self.file {
            file.write(slices, offset)?;
        }
        Ok(offset)
    }

    /// The number of entries that the file holds of a group of partitions.
    pub(super) fn filed(&self, group: usize) -> usize {
        let filed =
            self.batches.iter().filter(|batch| matches!(batch.entries, Entries::Filed { .. }));
        filed.map(|batch| group_range(&batch.starts, group, self.packing.group).len()).sum()
    }

    /// Appends what the file holds of a group of partitions to `entries`, batch by batch.
    pub(super) fn read(
        &self,
        group: usize,
        entries: &mut Vec<[u8; 8]>,
    ) -> Result<(), ExternalError> {
        let Some(file) = &self.file else { return Ok(()) };
        for batch in &self.batches {
            let Entries::Filed { offset, checksums } = &batch.entries else { continue };
            let range = group_range(&batch.starts, group, self.packing.group);
            let start = entries.len();
            entries.resize(start + range.len(), [0; 8]);
            let bytes = entries[start..].as_flattened_mut();
            let offset = offset + 8 * range.start as u64;
            file.read(bytes, offset)?;
            if crc32fast::hash(bytes) != checksums[group] {
                return Err(file.altered(offset));
            }
        }
        Ok(())
    }

    /// Calls `visit` with the entries of a partition, some at a time, each with what it is to be
    /// read with. `read` is what the file holds of its group, and perhaps more behind it; returns
    /// that.
    #[inline(always)]
    pub(super) fn try_for_each<'e>(
        &'e self,
        partition: usize,
        mut read: &'e [[u8; 8]],
        mut visit: impl FnMut(Origin, &'e [[u8; 8]]) -> Result<(), Exhausted>,
    ) -> Result<&'e [[u8; 8]], Exhausted> {
        let group = partition / self.packing.group;
        for batch in &self.batches {
            let range = batch.starts[partition] as usize..batch.starts[partition + 1] as usize;
            let entries = match &batch.entries {
                Entries::Held(entries) => &entries[range],
                Entries::Filed { .. } => {
                    let of_group = group_range(&batch.starts, group, self.packing.group);
                    let (now, rest) = read.split_at(of_group.len());
                    read = rest;
                    &now[range.start - of_group.start..][..range.len()]
                }
            };
            visit(Origin { mask: self.packing.mask, first: batch.first }, entries)?;
        }
        Ok(read)
    }

    /// The number of entries of a partition.
    pub(super) fn len(&self, partition: usize) -> usize {
        let length = |batch: &Batch| batch.starts[partition + 1] - batch.starts[partition];
        self.batches.iter().map(|batch| length(batch) as usize).sum()
    }
}

impl Drop for PackedPartitions<'_> {
    fn drop(&mut self) {
        self.room.give_back(self.taken);
    }
}
