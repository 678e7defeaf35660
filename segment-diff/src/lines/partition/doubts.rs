//! Lines whose few bits of hash one side has several times: repetitions, or different lines.

use std::ops::ControlFlow;

use super::fetch::{pieces, read_again};
use super::{Differing, Hashing};
use crate::lines::gather::{Sender, gather};
use crate::lines::{LinesError, Task};
use crate::merge::Side;
use crate::partition::{Finding, place_of};

/// Reads the doubtful lines again, and finds out by their whole hashes how they differ: those that
/// do join the others in `found`, which takes note of all. `false` if the memory does not suffice.
pub(super) fn settle(
    task: &Task<'_>,
    hashing: Hashing,
    doubtful: [Vec<Finding>; 2],
    found: &mut Differing,
) -> Result<bool, LinesError> {
    let count = doubtful[0].len() + doubtful[1].len();
    if count * (size_of::<Doubt>() + size_of::<Finding>()) + found.bytes() > task.memory {
        return Ok(false);
    }
    let mut doubts = Vec::with_capacity(count);
    let [previous, current] = doubtful;
    gather(
        task.threads,
        &pieces([&previous, &current]),
        |(side, entries), sender| hash_piece(task, *side, hashing, entries, sender),
        |batch: Vec<Doubt>| -> Result<(), LinesError> {
            doubts.extend_from_slice(&batch);
            Ok(())
        },
    )?;
    for doubt in &doubts {
        found.left.subtract(doubt.side, doubt.hash);
    }
    doubts.sort_unstable_by_key(|doubt| (doubt.hash, doubt.side == Side::Current, doubt.place));
    for same in doubts.chunk_by(|one, other| one.hash == other.hash) {
        let (first, last) = (same[0], same[same.len() - 1]);
        if first.side != last.side {
            found.unchanged += 1;
            continue;
        }
        // It is read once more like all that differ, and subtracted again then.
        found.left.add(first.side, first.hash);
        let finding = hashing.packing.finding(first.hash, first.place);
        found.of_mut(first.side).push(finding);
    }
    Ok(true)
}

#[derive(Clone, Copy)]
struct Doubt {
    hash: u128,
    place: u64,
    side: Side,
}

fn hash_piece(
    task: &Task<'_>,
    side: Side,
    hashing: Hashing,
    entries: &[Finding],
    sender: &Sender<Vec<Doubt>, LinesError>,
) -> Result<(), LinesError> {
    let mut batch = Vec::with_capacity(entries.len());
    let mut places = entries.iter().map(|entry| place_of(*entry));
    let _ = read_again(task.side(side), side, hashing, entries, |_, hash| {
        batch.extend(places.next().map(|place| Doubt { hash, place, side }));
        ControlFlow::Continue(())
    })?;
    // Whoever no longer listens has an error already.
    let _ = sender.send(Ok(batch));
    Ok(())
}
