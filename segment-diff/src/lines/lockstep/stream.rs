use std::cmp::Ordering;
use std::io::Read;
use std::ops::ControlFlow;

use super::window::Window;
use crate::kernel::{Feeds, STRETCH, ascending, identical};
use crate::lines::{LineError, LinesError};
use crate::merge::{Counts, DiffSink, Side};

/// Takes two windows to their ends.
pub(super) fn merge<P: Read, C: Read, S: DiffSink<[u8]> + ?Sized>(
    previous: &mut Window<P>,
    current: &mut Window<C>,
    sink: &mut S,
) -> Result<ControlFlow<S::Break, Counts>, LinesError> {
    let mut counts = Counts::default();
    let mut feeds = Feeds::new();
    loop {
        if skip_identical(previous, current, &mut feeds, &mut counts)? {
            continue;
        }
        let old = previous.find().map_err(|source| input(Side::Previous, source))?;
        let new = current.find().map_err(|source| input(Side::Current, source))?;
        let order = match (old, new) {
            (false, false) => return Ok(ControlFlow::Continue(counts)),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (true, true) => previous.ahead().cmp(current.ahead()),
        };
        // A line that repeats the one before it was told with that one.
        let left = order.is_le() && previous.take().map_err(|fault| fault.on(Side::Previous))?;
        let came = order.is_ge() && current.take().map_err(|fault| fault.on(Side::Current))?;
        let told = match (left, came) {
            (true, true) => {
                counts.unchanged += 1;
                ControlFlow::Continue(())
            }
            (true, false) => {
                counts.removed += 1;
                sink.removed(previous.last(), &())
            }
            (false, true) => {
                counts.added += 1;
                sink.added(current.last(), &())
            }
            (false, false) => ControlFlow::Continue(()),
        };
        if let ControlFlow::Break(reason) = told {
            return Ok(ControlFlow::Break(reason));
        }
    }
}

/// Takes lines that both sides have next; `false` if what follows needs to be looked at line by
/// line.
fn skip_identical<P: Read, C: Read>(
    previous: &mut Window<P>,
    current: &mut Window<C>,
    feeds: &mut Feeds,
    counts: &mut Counts,
) -> Result<bool, LinesError> {
    // Within the limit no line can be too long.
    let most = STRETCH.min(previous.limit());
    let limit = most.min(previous.rest_len()).min(current.rest_len());
    let length = identical(previous.rest(), current.rest(), limit, feeds);
    let Some(end) = feeds.places().last() else { return Ok(false) };
    let whole = usize::from(*end) + 1;
    match ascending(previous.rest(), feeds.places()) {
        Err(place) => return Err(previous.unordered(place).on(Side::Previous)),
        Ok(None) => {
            previous.skip(whole);
            current.skip(whole);
        }
        Ok(Some(lines)) => {
            // One side is enough: the last line of the other was taken when this one had the
            // same next, or a greater one that is now the first of these or was taken in between.
            let order = previous.order(lines.first).map_err(|fault| fault.on(Side::Previous))?;
            // A line that repeats the one before it was counted with that one.
            counts.unchanged += lines.distinct - u64::from(order.is_eq());
            previous.take_stretch(whole, lines.last.clone());
            current.take_stretch(whole, lines.last);
        }
    }
    Ok(length == most)
}

fn input(side: Side, source: LineError) -> LinesError {
    LinesError::Input { side, source }
}
