use std::ops::Range;

use super::probe::{Found, LONGEST, Probe};
use crate::lines::{LineError, LinesError, Task};
use crate::merge::Side;

/// Splits both sides at the same keys.
///
/// Where a side is split is found by binary search, which an unsorted side may mislead. All the
/// same a side is split only between two neighbouring lines of which the first was seen to be
/// below the key and the second not to be; and these keys ascend. So if the lines of every piece
/// ascend, then those of the whole do, and no key is in two pieces.
pub(super) struct Seams<'a> {
    previous: Probe<'a>,
    current: Probe<'a>,
    /// Where the next piece starts on either side.
    start: [u64; 2],
    /// The last key that was split at.
    pivot: Vec<u8>,
    /// About how long a piece is.
    step: u64,
    done: bool,
}

/// Lines of both sides between the same two keys.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) previous: Range<u64>,
    pub(super) current: Range<u64>,
}

impl<'a> Seams<'a> {
    /// Takes the sizes of the two sides.
    pub(super) fn new(task: &Task<'a>, sizes: [u64; 2], step: u64) -> Self {
        Self {
            previous: Probe::new(task.previous, sizes[0]),
            current: Probe::new(task.current, sizes[1]),
            start: [0; 2],
            pivot: Vec::new(),
            step: step.max(1),
            done: false,
        }
    }

    /// The next piece; `None` after the last one and after a failure.
    ///
    /// # Errors
    ///
    /// Fails when reading does, and with [`SeamError::Descending`] when the keys to split at
    /// descend.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, SeamError> {
        if self.done {
            return Ok(None);
        }
        self.done = true;
        let end = self.find_end()?;
        self.done = end.is_none();
        let [previous, current] = end.unwrap_or([self.previous.size(), self.current.size()]);
        let piece = Piece { previous: self.start[0]..previous, current: self.start[1]..current };
        self.start = [previous, current];
        Ok(Some(piece))
    }

    /// Where the next piece ends, in front of the new `pivot`; `None` for the last one.
    fn find_end(&mut self) -> Result<Option<[u64; 2]>, SeamError> {
        // The larger side gives the keys, so that pieces are of a size.
        let by_previous = self.previous.size() >= self.current.size();
        let (giver, side) = if by_previous {
            (&mut self.previous, Side::Previous)
        } else {
            (&mut self.current, Side::Current)
        };
        let mut target = self.start[usize::from(!by_previous)];
        let place = loop {
            target = target.saturating_add(self.step);
            match giver.line(target).map_err(on(side))? {
                Found::Line(start, line) => {
                    if line.len() > LONGEST || line == self.pivot {
                        target = start;
                        continue;
                    }
                    if line < &self.pivot[..] {
                        return Err(SeamError::Descending(side));
                    }
                    line.clone_into(&mut self.pivot);
                    break start;
                }
                Found::End | Found::Far => return Ok(None),
            }
        };
        let moved = place - self.start[usize::from(!by_previous)];
        let mut ends = [0; 2];
        let sides = [(&mut self.previous, Side::Previous), (&mut self.current, Side::Current)];
        for (index, (probe, side)) in sides.into_iter().enumerate() {
            let low = self.start[index];
            let end = lower_bound(probe, low, low + moved, &self.pivot).map_err(on(side))?;
            let Some(end) = end else { return Ok(None) };
            ends[index] = end;
        }
        Ok(Some(ends))
    }
}

/// Why no more pieces could be found.
pub(super) enum SeamError {
    Lines(LinesError),
    /// The lines of this side do not ascend, somewhere.
    Descending(Side),
}

fn on(side: Side) -> impl Fn((u64, std::io::Error)) -> SeamError {
    move |(offset, source)| {
        SeamError::Lines(LinesError::Input { side, source: LineError::Read { offset, source } })
    }
}

/// Where the first line from `low` on starts that is not below `pivot`; the size if there is
/// none, and `None` if lines are too long to tell. Fast if that is near to `guess`.
///
/// Even if lines do not ascend the line found is not below `pivot`, and the one before it, from
/// `low` on, is.
fn lower_bound(
    probe: &mut Probe<'_>,
    mut low: u64,
    guess: u64,
    pivot: &[u8],
) -> Result<Option<u64>, (u64, std::io::Error)> {
    let mut high = probe.size();
    // The line to be found is the first that starts at a place from `low` to `high`: at first
    // look around the guess, ever farther, and then halve.
    let mut jump = NEAR;
    let mut at = guess.clamp(low, high);
    let (mut above, mut below) = (false, false);
    while low < high {
        match probe.line(at)? {
            Found::Far => return Ok(None),
            Found::Line(start, line) if line < pivot => {
                low = start + 1;
                below = true;
            }
            Found::Line(..) | Found::End => {
                high = at;
                above = true;
            }
        }
        at = match (below, above) {
            (true, false) => low.saturating_add(jump).min(low + (high - low) / 2),
            (false, true) => high.saturating_sub(jump).max(low + (high - low) / 2),
            _ => low + (high.max(low) - low) / 2,
        };
        jump *= 4;
    }
    Ok(match probe.line(low)? {
        Found::Line(start, _) => Some(start),
        Found::End => Some(probe.size()),
        Found::Far => None,
    })
}

/// Where to look first beside a guess.
const NEAR: u64 = 64;
