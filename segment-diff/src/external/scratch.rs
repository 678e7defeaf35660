use std::io::{self, IoSlice};
use std::path::PathBuf;

use super::ExternalError;
use super::directory::TempDirectory;
use super::temp_file::{Create, TempFile, create_files};

/// A temporary file in a directory of its own, created with the first bytes: written by one thread,
/// then read by many.
pub(crate) struct ScratchFile {
    parent: PathBuf,
    create: Create,
    place: Option<Place>,
}

// Fields are dropped in this order: the file is closed before it is removed.
struct Place {
    file: Box<dyn TempFile>,
    path: PathBuf,
    _directory: TempDirectory,
}

impl ScratchFile {
    /// Below an existing directory.
    pub(crate) fn new(parent: PathBuf) -> Self {
        Self::created_by(create_files(), parent)
    }

    pub(super) fn created_by(create: Create, parent: PathBuf) -> Self {
        Self { parent, create, place: None }
    }

    /// Writes everything.
    pub(crate) fn write(
        &mut self,
        mut slices: &mut [IoSlice<'_>],
        mut offset: u64,
    ) -> Result<(), ExternalError> {
        let place = match &mut self.place {
            Some(place) => place,
            none => none.insert(Place::create(&self.parent, &self.create)?),
        };
        while !slices.is_empty() {
            let source = match place.file.write_at(slices, offset) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(length) => {
                    IoSlice::advance_slices(&mut slices, length);
                    offset += length as u64;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            return Err(ExternalError::File { path: place.path.clone(), source });
        }
        Ok(())
    }

    /// Fills `buffer` with what was written at `offset`.
    pub(crate) fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), ExternalError> {
        let mut filled = 0;
        while filled < buffer.len() {
            let Some(place) = &self.place else { return Err(self.altered(offset)) };
            match place.file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => return Err(self.altered(offset)),
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ExternalError::File { path: place.path.clone(), source });
                }
            }
        }
        Ok(())
    }

    /// That what was read at `offset` is not what was written.
    pub(crate) fn altered(&self, offset: u64) -> ExternalError {
        ExternalError::Altered { path: self.path(), offset }
    }

    /// Where it is, or will be.
    pub(super) fn path(&self) -> PathBuf {
        self.place.as_ref().map_or_else(|| self.parent.clone(), |place| place.path.clone())
    }
}

impl Place {
    fn create(parent: &std::path::Path, create: &Create) -> Result<Self, ExternalError> {
        let directory = TempDirectory::create(parent)?;
        let path = directory.path().join("partitions");
        match create(&path) {
            Ok(file) => Ok(Self { file, path, _directory: directory }),
            Err(source) => Err(ExternalError::File { path, source }),
        }
    }
}
