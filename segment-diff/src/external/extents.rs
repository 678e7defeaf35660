use std::io::{self, IoSlice};
use std::path::PathBuf;

use crc32fast::Hasher;

use super::ExternalError;
use super::scratch::ScratchFile;
use super::temp_file::Create;

/// The bytes of many partitions in one temporary file, which is created with the first of them.
///
/// The file consists of extents of one size, each of which belongs to one partition. So writing
/// little by little still leaves long stretches to read, and the list of extents stays short:
/// eight bytes for each, which are a number and the checksum.
pub(super) struct Extents {
    file: ScratchFile,
    partitions: Vec<Stored>,
    /// Bytes of an extent.
    size: usize,
    count: u32,
    written: u64,
}

#[derive(Clone, Default)]
struct Stored {
    extents: Vec<Extent>,
    /// Bytes in the last extent; the others are full.
    last: usize,
}

#[derive(Clone, Copy)]
struct Extent {
    number: u32,
    checksum: u32,
}

impl Extents {
    pub(super) fn new(parent: PathBuf, create: Create, partitions: usize, size: usize) -> Self {
        let partitions = vec![Stored::default(); partitions];
        let file = ScratchFile::created_by(create, parent);
        Self { file, partitions, size, count: 0, written: 0 }
    }

    /// Bytes written to the file.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Bytes of the lists in memory.
    pub(super) fn held(&self) -> usize {
        let lists = self.partitions.iter().map(|stored| stored.extents.capacity());
        lists.sum::<usize>() * size_of::<Extent>()
            + self.partitions.capacity() * size_of::<Stored>()
    }

    /// Bytes written for one partition.
    pub(super) fn length(&self, partition: usize) -> u64 {
        let stored = &self.partitions[partition];
        let full = stored.extents.len().saturating_sub(1);
        full as u64 * self.size as u64 + stored.last as u64
    }

    /// Appends to a partition. No slice may go across the end of an extent.
    pub(super) fn append(
        &mut self,
        partition: usize,
        mut slices: &mut [IoSlice<'_>],
    ) -> Result<(), ExternalError> {
        while !slices.is_empty() {
            let stored = &self.partitions[partition];
            if stored.extents.is_empty() || stored.last == self.size {
                self.begin_extent(partition)?;
            }
            let room = self.size - self.partitions[partition].last;
            let mut length = 0;
            let fitting = slices.iter().take_while(|slice| {
                length += slice.len();
                length <= room
            });
            let fitting = fitting.count();
            debug_assert!(fitting > 0, "pages divide extents");
            let (now, later) = slices.split_at_mut(fitting);
            self.write(partition, now)?;
            slices = later;
        }
        Ok(())
    }

    fn begin_extent(&mut self, partition: usize) -> Result<(), ExternalError> {
        let number = self.count;
        self.count = number.checked_add(1).ok_or_else(|| ExternalError::File {
            path: self.file.path(),
            source: io::ErrorKind::FileTooLarge.into(),
        })?;
        let stored = &mut self.partitions[partition];
        stored.extents.push(Extent { number, checksum: 0 });
        stored.last = 0;
        Ok(())
    }

    /// Writes into the last extent of a partition, which has room for it.
    fn write(&mut self, partition: usize, slices: &mut [IoSlice<'_>]) -> Result<(), ExternalError> {
        let stored = &mut self.partitions[partition];
        let Some(extent) = stored.extents.last_mut() else { return Ok(()) };
        let mut checksum = Hasher::new_with_initial(extent.checksum);
        slices.iter().for_each(|slice| checksum.update(slice));
        extent.checksum = checksum.finalize();
        let offset = u64::from(extent.number) * self.size as u64 + stored.last as u64;
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        self.file.write(slices, offset)?;
        stored.last += length;
        self.written += length as u64;
        Ok(())
    }

    /// The length of an extent of a partition, counted from zero; `None` after the last.
    pub(super) fn extent_length(&self, partition: usize, index: usize) -> Option<usize> {
        let stored = &self.partitions[partition];
        let rest = stored.extents.len().checked_sub(index + 1)?;
        Some(if rest == 0 { stored.last } else { self.size })
    }

    /// Reads an extent into `buffer`, which has its length, and verifies it.
    pub(super) fn read(
        &self,
        partition: usize,
        index: usize,
        buffer: &mut [u8],
    ) -> Result<(), ExternalError> {
        let extent = self.partitions[partition].extents[index];
        let offset = u64::from(extent.number) * self.size as u64;
        self.file.read(buffer, offset)?;
        if crc32fast::hash(buffer) == extent.checksum {
            Ok(())
        } else {
            Err(self.file.altered(offset))
        }
    }
}
