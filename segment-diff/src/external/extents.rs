use std::io::{self, IoSlice};
use std::path::PathBuf;

use crc32fast::Hasher;

use super::ExternalError;
use super::directory::TempDirectory;
use super::temp_file::{Create, TempFile};

/// The bytes of many partitions in one temporary file, which is created with the first of them.
///
/// The file consists of extents of one size, each of which belongs to one partition. So writing
/// little by little still leaves long stretches to read, and the list of extents stays short:
/// eight bytes for each, which are a number and the checksum.
pub(super) struct Extents {
    parent: PathBuf,
    create: Create,
    file: Option<Place>,
    partitions: Vec<Stored>,
    /// Bytes of an extent.
    size: usize,
    count: u32,
    written: u64,
}

// Fields are dropped in this order: the file is closed before it is removed.
struct Place {
    file: Box<dyn TempFile>,
    path: PathBuf,
    _directory: TempDirectory,
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
        Self { parent, create, file: None, partitions, size, count: 0, written: 0 }
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
        if self.file.is_none() {
            let directory = TempDirectory::create(&self.parent)?;
            let path = directory.path().join("partitions");
            let file = match (self.create)(&path) {
                Ok(file) => file,
                Err(source) => return Err(ExternalError::File { path, source }),
            };
            self.file = Some(Place { file, path, _directory: directory });
        }
        let number = self.count;
        self.count = number.checked_add(1).ok_or_else(|| {
            let path = self.file.as_ref().map(|place| place.path.clone()).unwrap_or_default();
            ExternalError::File { path, source: io::ErrorKind::FileTooLarge.into() }
        })?;
        let stored = &mut self.partitions[partition];
        stored.extents.push(Extent { number, checksum: 0 });
        stored.last = 0;
        Ok(())
    }

    /// Writes into the last extent of a partition, which has room for it.
    fn write(
        &mut self,
        partition: usize,
        mut slices: &mut [IoSlice<'_>],
    ) -> Result<(), ExternalError> {
        let Some(place) = &self.file else { return Ok(()) };
        let stored = &mut self.partitions[partition];
        let Some(extent) = stored.extents.last_mut() else { return Ok(()) };
        let mut checksum = Hasher::new_with_initial(extent.checksum);
        slices.iter().for_each(|slice| checksum.update(slice));
        extent.checksum = checksum.finalize();
        while !slices.is_empty() {
            let offset = u64::from(extent.number) * self.size as u64 + stored.last as u64;
            let source = match place.file.write_at(slices, offset) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(length) => {
                    IoSlice::advance_slices(&mut slices, length);
                    stored.last += length;
                    self.written += length as u64;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            return Err(ExternalError::File { path: place.path.clone(), source });
        }
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
        let Some(place) = &self.file else { return Ok(()) };
        let extent = self.partitions[partition].extents[index];
        let offset = u64::from(extent.number) * self.size as u64;
        let altered = || ExternalError::Altered { path: place.path.clone(), offset };
        let mut filled = 0;
        while filled < buffer.len() {
            match place.file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => return Err(altered()),
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ExternalError::File { path: place.path.clone(), source });
                }
            }
        }
        if crc32fast::hash(buffer) == extent.checksum { Ok(()) } else { Err(altered()) }
    }
}
