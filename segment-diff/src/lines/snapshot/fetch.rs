use super::{End, LineEntry, Pass, SnapshotDiffError, Work};
use crate::external::Differences;
use crate::lines::gather::{Sender, gather};
use crate::lines::partition::Window;

/// Reads the lines that are new again, and adds them to `differences`, each behind its
/// fingerprint.
pub(super) fn fetch<R>(
    work: &Work<'_, R>,
    pass: Pass,
    added: &[LineEntry],
    differences: &mut Differences,
) -> Result<(), End>
where
    R: Sync,
{
    let pieces: Vec<_> = added.chunks(PIECE).collect();
    gather(
        work.threads,
        &pieces,
        |entries, sender| fetch_piece(work, pass, entries, sender),
        |batch: Batch| {
            let mut start = 0;
            for end in batch.ends {
                differences.added(&batch.bytes[start..end])?;
                start = end;
            }
            Ok(())
        },
    )
}

/// Lines behind their fingerprints, one behind the other.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Sends the lines of `entries`, which ascend by their offsets.
fn fetch_piece<R>(
    work: &Work<'_, R>,
    pass: Pass,
    entries: &[LineEntry],
    sender: &Sender<Batch, SnapshotDiffError>,
) -> Result<(), SnapshotDiffError> {
    let mut window = Window::new(work.current);
    let mut batch = Batch::default();
    for (index, entry) in entries.iter().enumerate() {
        let line = window.line(&entries[index..], LineEntry::offset)?;
        let line = line.ok_or(SnapshotDiffError::Altered)?;
        let fingerprint = work.key.fingerprint(line);
        if pass.rest(u128::from_be_bytes(*fingerprint.as_bytes())) != entry.rest() {
            return Err(SnapshotDiffError::Altered);
        }
        let length = 16 + line.len();
        let full = batch.bytes.len() + length > BATCH && !batch.ends.is_empty();
        if full && sender.send(Ok(std::mem::take(&mut batch))).is_err() {
            return Ok(());
        }
        batch.bytes.reserve_exact(BATCH.max(length) - batch.bytes.len());
        batch.bytes.extend_from_slice(fingerprint.as_bytes());
        batch.bytes.extend_from_slice(line);
        batch.ends.push(batch.bytes.len());
    }
    // Whoever no longer listens has an error already.
    let _ = sender.send(Ok(batch));
    Ok(())
}

/// Bytes of lines that are handed on at once.
const BATCH: usize = 64 << 10;

/// Lines that a thread takes at a time.
const PIECE: usize = 8192;
