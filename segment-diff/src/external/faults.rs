//! Temporary files that fail, and what becomes of a comparison then.

use std::io::{self, ErrorKind, IoSlice};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::temp_file::{Create, TempFile};
use super::{ExactDiff, ExternalError, ScratchFile, compare};
use crate::merge::{Collect, Counts};

/// What a temporary file does wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Every other call is interrupted; the rest moves at most so many bytes.
    Dawdles(usize),
    /// Takes so many bytes and no more.
    Full(usize),
    /// Takes nothing, without a word.
    TakesNothing,
    /// Cannot be read.
    Unreadable,
    /// Ends early when read.
    Ends,
    /// Gives back one bit in so many bytes wrong.
    Flips(usize),
}

/// A file in memory.
struct FaultyFile {
    fault: Fault,
    bytes: Mutex<Vec<u8>>,
    calls: AtomicUsize,
}

impl FaultyFile {
    /// How many bytes a call may move.
    fn portion(&self) -> io::Result<usize> {
        match self.fault {
            Fault::Dawdles(_) if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) => {
                Err(ErrorKind::Interrupted.into())
            }
            Fault::Dawdles(portion) => Ok(portion),
            _ => Ok(usize::MAX),
        }
    }
}

impl TempFile for FaultyFile {
    fn write_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        let mut portion = self.portion()?;
        let mut bytes = self.bytes.lock().unwrap();
        match self.fault {
            Fault::TakesNothing => return Ok(0),
            Fault::Full(limit) if bytes.len() >= limit => return Err(ErrorKind::StorageFull.into()),
            _ => {}
        }
        let mut at = offset as usize;
        for slice in slices {
            let now = slice.len().min(portion);
            if bytes.len() < at + now {
                bytes.resize(at + now, 0);
            }
            bytes[at..at + now].copy_from_slice(&slice[..now]);
            (at, portion) = (at + now, portion - now);
        }
        Ok(at - offset as usize)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let portion = self.portion()?;
        let bytes = self.bytes.lock().unwrap();
        let rest = &bytes[offset as usize..];
        let length = match self.fault {
            Fault::Unreadable => return Err(ErrorKind::PermissionDenied.into()),
            Fault::Ends => 0,
            _ => portion.min(rest.len()).min(buffer.len()),
        };
        buffer[..length].copy_from_slice(&rest[..length]);
        if let Fault::Flips(distance) = self.fault {
            buffer[..length].iter_mut().step_by(distance).for_each(|byte| *byte ^= 4);
        }
        Ok(length)
    }
}

fn create_faulty(fault: Fault) -> Create {
    Arc::new(move |_: &Path| {
        let (bytes, calls) = (Mutex::default(), AtomicUsize::new(0));
        Ok(Box::new(FaultyFile { fault, bytes, calls }))
    })
}

/// A temporary file with a fault, for others.
pub(crate) fn faulty_scratch(fault: Fault) -> ScratchFile {
    ScratchFile::created_by(create_faulty(fault), std::env::temp_dir())
}

fn with_faults(fault: Fault) -> ExactDiff {
    let mut options = ExactDiff::new(std::env::temp_dir(), 32 << 10).threads(2);
    options.create = create_faulty(fault);
    options
}

/// 3000 keys a side, of which 30 were removed and 30 added: enough for several partitions, some
/// of them too large.
fn compare_with(fault: Fault) -> Result<(Collect<Vec<u8>>, Counts), ExternalError> {
    let (mut previous, mut current) = with_faults(fault).sides()?;
    for index in 0..3000 {
        previous.push(format!("{index}@example.com").as_bytes(), &[])?;
        current.push(format!("{}@example.com", index + 30).as_bytes(), &[])?;
    }
    let found = compare(previous, current)?;
    assert!(found.report().spilled > 100_000 && found.report().divided > 0);
    let mut delta = Collect::new();
    let ControlFlow::Continue(counts) = found.deliver(&mut delta)?;
    Ok((delta, counts))
}

#[test]
fn short_and_interrupted_reads_and_writes_change_nothing() {
    for portion in [100, 333, usize::MAX] {
        let (delta, counts) = compare_with(Fault::Dawdles(portion)).unwrap();
        assert_eq!((delta.added.len(), delta.removed.len(), counts.unchanged), (30, 30, 2970));
        assert!(delta.added.contains(&b"3029@example.com".to_vec()));
        assert!(delta.removed.contains(&b"29@example.com".to_vec()));
    }
}

#[test]
fn a_full_disk_is_an_error_that_says_so() {
    for limit in [0, 1, 40_000] {
        let error = compare_with(Fault::Full(limit)).unwrap_err();
        let ExternalError::File { path, source } = error else { panic!("{error:?}") };
        assert_eq!(source.kind(), ErrorKind::StorageFull);
        assert!(path.ends_with("partitions"));
    }
}

#[test]
fn a_file_that_takes_nothing_is_an_error_and_no_endless_loop() {
    let error = compare_with(Fault::TakesNothing).unwrap_err();
    let ExternalError::File { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.kind(), ErrorKind::WriteZero);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let error = compare_with(Fault::Unreadable).unwrap_err();
    let ExternalError::File { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.kind(), ErrorKind::PermissionDenied);
}

#[test]
fn other_bytes_than_were_written_are_an_error() {
    for fault in [Fault::Ends, Fault::Flips(1), Fault::Flips(500)] {
        let error = compare_with(fault).unwrap_err();
        assert!(matches!(error, ExternalError::Altered { .. }), "{error:?}");
    }
}
