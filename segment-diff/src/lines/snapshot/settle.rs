use super::fetch::fingerprints;
use super::members::{Records, fingerprint_of};
use super::{End, Pass, Work};
use crate::external::Differences;
use crate::partition::{Finding, Room};

/// What the doubtful lines and members of a pass come to.
#[derive(Default)]
pub(super) struct Settled {
    /// Lines that are new, each once.
    pub(super) added: Vec<Finding>,
    pub(super) unchanged: u64,
    /// The sum of the fingerprints of all doubtful lines but those that are new.
    pub(super) sum: u128,
}

/// Reads the doubtful lines again, which ascend by their places, and compares whole fingerprints.
/// Members that are no more are told to `differences`.
pub(super) fn settle<R: Sync>(
    work: &Work<'_, R>,
    pass: Pass,
    doubtful: (&[Finding], &[Records<'_>]),
    room: &Room,
    differences: &mut Differences,
) -> Result<Settled, End> {
    let (lines, records) = doubtful;
    let count = records.iter().map(|records| records.iter().count()).sum::<usize>();
    let bytes = lines.len() * size_of::<(u128, Finding)>() + count * size_of::<(u128, &[u8])>();
    room.take(bytes)?;
    let mut members = Vec::with_capacity(count);
    for record in records.iter().flat_map(Records::iter) {
        members.push((fingerprint_of(record), record));
    }
    members.sort_unstable_by_key(|(fingerprint, _)| *fingerprint);
    let mut lines = fingerprints(work, pass, lines)?;
    lines.sort_unstable();
    let mut settled = Settled::default();
    for same in lines.chunk_by(|one, other| one.0 == other.0) {
        let (fingerprint, first) = same[0];
        let mut copies = same.len() as u128;
        if members.binary_search_by_key(&fingerprint, |(member, _)| *member).is_ok() {
            settled.unchanged += 1;
        } else {
            settled.added.push(first);
            // It is read once more like all that are new.
            copies -= 1;
        }
        settled.sum = settled.sum.wrapping_add(fingerprint.wrapping_mul(copies));
    }
    for (fingerprint, record) in &members {
        if lines.binary_search_by_key(fingerprint, |(line, _)| *line).is_err() {
            differences.removed(record)?;
        }
    }
    room.give_back(bytes);
    Ok(settled)
}
