use std::mem;
use std::ops::ControlFlow;

use super::{Pass, SnapshotDiffError, Work};
use crate::external::Differences;
use crate::lines::gather::{Sender, gather};
use crate::lines::partition::Window;
use crate::partition::{Finding, place_of};

/// Reads the lines that are new again, and adds them to `differences`, each behind its
/// fingerprint. Returns the sum of these.
pub(super) fn fetch<R: Sync>(
    work: &Work<'_, R>,
    pass: Pass,
    added: &[Finding],
    differences: &mut Differences,
) -> Result<u128, SnapshotDiffError> {
    let pieces: Vec<_> = added.chunks(PIECE).collect();
    let mut sum = 0_u128;
    gather(
        work.threads,
        &pieces,
        |entries, sender| fetch_piece(work, pass, entries, sender),
        |batch: Batch| -> Result<(), SnapshotDiffError> {
            sum = sum.wrapping_add(batch.sum);
            let mut start = 0;
            for end in batch.ends {
                differences.added(&batch.bytes[start..end])?;
                start = end;
            }
            Ok(())
        },
    )?;
    Ok(sum)
}

/// Lines behind their fingerprints, one behind the other, and the sum of these.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    sum: u128,
}

/// Sends the lines of `entries`, which ascend by their places.
fn fetch_piece<R>(
    work: &Work<'_, R>,
    pass: Pass,
    entries: &[Finding],
    sender: &Sender<Batch, SnapshotDiffError>,
) -> Result<(), SnapshotDiffError> {
    let mut batch = Batch::default();
    let listening = read_again(work, pass, entries, |line, fingerprint, _| {
        let length = 16 + line.len();
        let full = batch.bytes.len() + length > BATCH && !batch.ends.is_empty();
        if full && sender.send(Ok(mem::take(&mut batch))).is_err() {
            return ControlFlow::Break(());
        }
        batch.bytes.reserve_exact(BATCH.max(length) - batch.bytes.len());
        batch.bytes.extend_from_slice(&fingerprint.to_be_bytes());
        batch.bytes.extend_from_slice(line);
        batch.ends.push(batch.bytes.len());
        batch.sum = batch.sum.wrapping_add(fingerprint);
        ControlFlow::Continue(())
    })?;
    if listening.is_continue() {
        // Whoever no longer listens has an error already.
        let _ = sender.send(Ok(batch));
    }
    Ok(())
}

/// Reads the fingerprints of lines again, each with what was found of it.
pub(super) fn fingerprints<R: Sync>(
    work: &Work<'_, R>,
    pass: Pass,
    lines: &[Finding],
) -> Result<Vec<(u128, Finding)>, SnapshotDiffError> {
    let pieces: Vec<_> = lines.chunks(PIECE).collect();
    let mut all = Vec::with_capacity(lines.len());
    let piece = |entries: &&[Finding], sender: &Sender<Vec<_>, SnapshotDiffError>| {
        let mut batch = Vec::with_capacity(entries.len());
        let _ = read_again(work, pass, entries, |_, fingerprint, finding| {
            batch.push((fingerprint, finding));
            ControlFlow::Continue(())
        })?;
        // Whoever no longer listens has an error already.
        let _ = sender.send(Ok(batch));
        Ok(())
    };
    gather(work.threads, &pieces, piece, |batch| -> Result<(), SnapshotDiffError> {
        all.extend_from_slice(&batch);
        Ok(())
    })?;
    Ok(all)
}

/// Reads the lines of `entries`, which ascend by their places, and calls `visit` with each, its
/// fingerprint and what was found of it, until it breaks off.
fn read_again<R>(
    work: &Work<'_, R>,
    pass: Pass,
    entries: &[Finding],
    mut visit: impl FnMut(&[u8], u128, Finding) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, SnapshotDiffError> {
    let mut window = Window::new(work.current);
    for (index, entry) in entries.iter().enumerate() {
        let line = window.line(&entries[index..], place_of)?;
        let line = line.ok_or(SnapshotDiffError::Altered)?;
        let fingerprint = u128::from_be_bytes(*work.key.fingerprint(line).as_bytes());
        if pass.finding(fingerprint, place_of(*entry)) != *entry {
            return Err(SnapshotDiffError::Altered);
        }
        if visit(line, fingerprint, *entry).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Bytes of lines that are handed on at once.
const BATCH: usize = 64 << 10;

/// Lines that a thread takes at a time.
const PIECE: usize = 8192;
