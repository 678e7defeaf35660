use std::cmp::Ordering;
use std::io::{Read, Write};

use super::{Change, DeltaReader, DeltaWriter};
use crate::snapshot::{Layout, SnapshotError, SnapshotReader, SnapshotWriter};

/// Writes `base`, changed by `deltas` one after another, to `next`: one pass over all of them,
/// in constant memory. Finishing `next` is left to the caller.
///
/// # Errors
///
/// Fails when something cannot be read or written, when the layouts differ, and when a delta does
/// not fit the base or the delta before it. `next` then holds only a part, and finishing it fails.
pub fn fold<B: Read, D: Read, W: Write>(
    base: &mut SnapshotReader<B>,
    deltas: &mut [DeltaReader<D>],
    next: &mut SnapshotWriter<W>,
) -> Result<(), FoldError> {
    fold_all(base, deltas, next).inspect_err(|_| next.spoil())
}

fn fold_all<B: Read, D: Read, W: Write>(
    base: &mut SnapshotReader<B>,
    deltas: &mut [DeltaReader<D>],
    next: &mut SnapshotWriter<W>,
) -> Result<(), FoldError> {
    let mut changes = Changes::new(base.layout(), deltas)?;
    let mut there = base.advance().map_err(FoldError::Base)?;
    let mut changing = changes.advance()?;
    loop {
        let order = match (there, changing) {
            (false, false) => return Ok(()),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (true, true) => base.record().key.cmp(&changes.key),
        };
        let member = order.is_le().then(|| base.record());
        if order.is_lt() {
            // What nothing happens to, nearly everything.
            if let Some(member) = member {
                next.push(member.key, member.payload).map_err(FoldError::Output)?;
            }
        } else {
            if member.map(|member| member.payload) != changes.before.as_deref() {
                return Err(changes.misfit());
            }
            if let Some(after) = &changes.after {
                next.push(&changes.key, after).map_err(FoldError::Output)?;
            }
            changing = changes.advance()?;
        }
        if order.is_le() {
            there = base.advance().map_err(FoldError::Base)?;
        }
    }
}

/// Writes `deltas`, one after another, as one to `whole`: one pass over all of them, in constant
/// memory. What cancels out is left out. Finishing `whole` is left to the caller.
///
/// `layout` is that of the snapshots between which the deltas lead.
///
/// # Errors
///
/// Fails as [`fold`] does, but for the base.
pub fn compose<D: Read, W: Write>(
    layout: Layout,
    deltas: &mut [DeltaReader<D>],
    whole: &mut DeltaWriter<W>,
) -> Result<(), FoldError> {
    compose_all(layout, deltas, whole).inspect_err(|_| whole.spoil())
}

fn compose_all<D: Read, W: Write>(
    layout: Layout,
    deltas: &mut [DeltaReader<D>],
    whole: &mut DeltaWriter<W>,
) -> Result<(), FoldError> {
    let mut changes = Changes::new(layout, deltas)?;
    while changes.advance()? {
        let change = Change::between(changes.before.as_deref(), changes.after.as_deref());
        if let Some(change) = change {
            whole.push(&changes.key, change).map_err(FoldError::Output)?;
        }
    }
    Ok(())
}

/// Why deltas could not be put together. Deltas and changes count from zero; no message holds a
/// key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// The base cannot be read.
    #[error("cannot read the base")]
    Base(#[source] SnapshotError),
    /// A delta cannot be read.
    #[error("cannot read delta {delta}")]
    Delta {
        /// Which one.
        delta: usize,
        /// Why.
        source: SnapshotError,
    },
    /// A delta is between snapshots of another layout.
    #[error("delta {delta} is between snapshots of another layout")]
    Layout {
        /// Which one.
        delta: usize,
    },
    /// A change does not fit what it follows: the base, or the deltas before it.
    #[error("change {change} of delta {delta} does not fit what it follows")]
    Mismatch {
        /// Which delta.
        delta: usize,
        /// Which of its changes.
        change: u64,
    },
    /// The result cannot be written.
    #[error("cannot write the result")]
    Output(#[source] SnapshotError),
}

/// The changes of several deltas, one after another, as one for each key.
struct Changes<'d, D> {
    deltas: &'d mut [DeltaReader<D>],
    /// Which deltas have not ended.
    live: Vec<bool>,
    key: Vec<u8>,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
    /// Where the first change of the key is, for the error.
    place: (usize, u64),
}

impl<'d, D: Read> Changes<'d, D> {
    fn new(layout: Layout, deltas: &'d mut [DeltaReader<D>]) -> Result<Self, FoldError> {
        if let Some(delta) = deltas.iter().position(|delta| delta.layout() != layout) {
            return Err(FoldError::Layout { delta });
        }
        let live = vec![true; deltas.len()];
        let mut changes =
            Self { deltas, live, key: Vec::new(), before: None, after: None, place: (0, 0) };
        for delta in 0..changes.deltas.len() {
            changes.step(delta)?;
        }
        Ok(changes)
    }

    /// Moves to the next key; `false` at the end of all deltas.
    fn advance(&mut self) -> Result<bool, FoldError> {
        let live = |delta: &usize| self.live[*delta];
        let first = (0..self.deltas.len())
            .filter(live)
            .min_by(|a, b| self.deltas[*a].key().cmp(self.deltas[*b].key()));
        // Of equal ones the first is found, which is the earliest.
        let Some(first) = first else { return Ok(false) };
        self.key.clear();
        self.key.extend_from_slice(self.deltas[first].key());
        for number in first..self.deltas.len() {
            let delta = &self.deltas[number];
            if !self.live[number] || delta.key() != self.key {
                continue;
            }
            let change = delta.change();
            let before = change.as_ref().and_then(|change| change.before().copied());
            if number == first {
                self.place = (number, delta.index());
                self.before = before.map(<[u8]>::to_vec);
            } else if before != self.after.as_deref() {
                return Err(FoldError::Mismatch { delta: number, change: delta.index() });
            }
            self.after = change.and_then(|change| change.after().map(|after| after.to_vec()));
            self.step(number)?;
        }
        Ok(true)
    }

    fn step(&mut self, delta: usize) -> Result<(), FoldError> {
        let more = self.deltas[delta].advance();
        self.live[delta] = more.map_err(|source| FoldError::Delta { delta, source })?;
        Ok(())
    }

    fn misfit(&self) -> FoldError {
        FoldError::Mismatch { delta: self.place.0, change: self.place.1 }
    }
}
