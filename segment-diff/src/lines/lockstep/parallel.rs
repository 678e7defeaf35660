use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::BLOCK;
use super::part::Part;
use super::relay::{Deaf, Message, Relay, deliver};
use super::seams::{Piece, SeamError, Seams};
use super::stream::merge;
use super::window::Window;
use crate::lines::{LinesError, Task};
use crate::merge::{Counts, DiffSink, Side};
use crate::snapshot::MAX_KEY;

/// What the budget is spent on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Bytes read at once.
    pub(super) block: usize,
    /// The longest line.
    pub(super) limit: usize,
    /// About how many bytes of a side are one piece of work.
    pub(super) step: u64,
    /// Bytes of differences handed over at once.
    pub(super) message: usize,
    /// How many of these may wait in each piece.
    pub(super) waiting: usize,
    pub(super) threads: usize,
}

/// Compares both sides on several threads, piece by piece; `sink` is told in order by this one.
pub(super) fn run<S: DiffSink<[u8]> + ?Sized>(
    task: &Task<'_>,
    ends: [u64; 2],
    sizes: Sizes,
    sink: &mut S,
) -> Result<ControlFlow<S::Break, Counts>, LinesError> {
    // As many pieces as there are threads may wait to be looked at, besides those in work.
    let (pieces, in_order) = sync_channel(sizes.threads);
    let work = Mutex::new(Work { seams: Seams::new(task, ends, sizes.step), pieces: Some(pieces) });
    thread::scope(|scope| {
        for _ in 0..sizes.threads {
            scope.spawn(|| Worker::new(task, ends, sizes).run(&work));
        }
        // Dropped before the workers are waited for: they stop when nobody listens.
        let in_order: Receiver<Receiver<Message>> = in_order;
        let mut counts = Counts::default();
        for messages in in_order {
            match deliver(&messages, sink)? {
                ControlFlow::Continue(piece) => {
                    counts.added += piece.added;
                    counts.removed += piece.removed;
                    counts.unchanged += piece.unchanged;
                }
                reason @ ControlFlow::Break(_) => return Ok(reason),
            }
        }
        Ok(ControlFlow::Continue(counts))
    })
}

/// What is left to be done.
struct Work<'a> {
    seams: Seams<'a>,
    /// Takes the pieces in their order; none when there are no more.
    pieces: Option<SyncSender<Receiver<Message>>>,
}

type NextPiece = (Result<Piece, SeamError>, SyncSender<Message>);

impl Work<'_> {
    /// The next piece, which is from now on waited for.
    fn next(&mut self, waiting: usize) -> Option<NextPiece> {
        let pieces = self.pieces.take()?;
        let piece = self.seams.next().transpose()?;
        let (sender, receiver) = sync_channel(waiting);
        pieces.send(receiver).ok()?;
        self.pieces = Some(pieces);
        Some((piece, sender))
    }
}

struct Worker<'a, 't> {
    task: &'t Task<'a>,
    ends: [u64; 2],
    sizes: Sizes,
    previous: Window<Part<'a>>,
    current: Window<Part<'a>>,
}

impl<'a, 't> Worker<'a, 't> {
    fn new(task: &'t Task<'a>, ends: [u64; 2], sizes: Sizes) -> Self {
        let window =
            |source| Window::new(Part::new(source, 0..0, task.meter), 0, sizes.block, sizes.limit);
        let (previous, current) = (window(task.previous), window(task.current));
        Self { task, ends, sizes, previous, current }
    }

    /// Works on pieces until there are none, one failed, or nobody listens.
    fn run(mut self, work: &Mutex<Work<'_>>) {
        loop {
            let next = {
                let mut work = work.lock().unwrap_or_else(PoisonError::into_inner);
                work.next(self.sizes.waiting)
            };
            let Some((piece, sender)) = next else { return };
            let mut relay = Relay::new(sender, self.sizes.message);
            let outcome = match piece {
                Ok(piece) => match self.compare(piece, &mut relay) {
                    Ok(ControlFlow::Break(Deaf)) => return,
                    Ok(ControlFlow::Continue(counts)) => Ok(counts),
                    Err(error) => Err(error),
                },
                Err(SeamError::Lines(error)) => Err(error),
                Err(SeamError::Descending(side)) => Err(self.disorder(side)),
            };
            if outcome.is_err() | relay.end(outcome).is_break() {
                return;
            }
        }
    }

    fn compare(
        &mut self,
        piece: Piece,
        relay: &mut Relay,
    ) -> Result<ControlFlow<Deaf, Counts>, LinesError> {
        let Task { previous, current, meter, .. } = self.task;
        let (old, new) = (piece.previous, piece.current);
        self.previous.restart(Part::new(*previous, old.clone(), meter), old.start);
        self.current.restart(Part::new(*current, new.clone(), meter), new.start);
        merge(&mut self.previous, &mut self.current, relay)
    }

    /// Finds the first line out of order on a side that is known to have one.
    fn disorder(&mut self, side: Side) -> LinesError {
        let (source, window, end) = match side {
            Side::Previous => (self.task.previous, &mut self.previous, self.ends[0]),
            Side::Current => (self.task.current, &mut self.current, self.ends[1]),
        };
        self.task.meter.expect(end);
        window.restart(Part::new(source, 0..end, self.task.meter), 0);
        match window.check() {
            Err(fault) => fault.on(side),
            // What is in order now was not before.
            Ok(()) => LinesError::Altered { side },
        }
    }
}

impl Sizes {
    /// Shares out `memory` bytes: five eighths for windows, a quarter for differences that wait,
    /// and the rest for what is small and for a long key on its way.
    pub(super) fn within(memory: usize, threads: usize) -> Self {
        let block = (memory / 64).clamp(1, BLOCK);
        let limit = (memory / 16).clamp(1, MAX_KEY);
        let windows = 2 * Window::<Part<'_>>::size(block, limit);
        let threads = threads.min(memory / 8 * 5 / windows).max(1);
        let message = (memory / 256).clamp(64, 64 << 10);
        // One piece is being told, `threads` wait, one waits to wait; and each worker fills a block.
        let waiting = (memory / 4 / message / (threads + 2)).saturating_sub(1).clamp(1, 256);
        let step = (memory as u64 / 16).clamp(1, 4 << 20);
        Self { block, limit, step, message, waiting, threads }
    }
}
