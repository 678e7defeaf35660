//! Differences of integers.

mod bijection;
mod bits;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Options, threads};
use crate::merge::{Counts, DiffSink, diff, keys};
use crate::partition::{Partitions, Room, Shape, compare};
use bijection::Bijection;
use bits::Window;

pub use bijection::Value;

/// Tells `sink` how `current` differs from `previous`, in ascending order of the values, which
/// may come in any order and repeat. Exact.
///
/// What the values are like decides how. Two sorted slices are merged. Values that lie close
/// together, as ids that a database counts up, are marked in two bit sets. Others are scattered
/// over small hash tables by a secret permutation, so that nobody can choose values that crowd
/// one of them; see [`ValueSides`]. Memory beside the slices: nothing, or half of what they have,
/// or a little more than they have; and the differences.
pub fn diff_values<T: Value, S: DiffSink<T> + ?Sized>(
    previous: &[T],
    current: &[T],
    options: Options,
    sink: &mut S,
) -> ControlFlow<S::Break, Counts> {
    if previous.is_sorted() && current.is_sorted() {
        return diff(keys(previous.iter().copied()), keys(current.iter().copied()), sink)
            .expect(SORTED);
    }
    if let Some(window) = Window::around(previous, current) {
        return window.diff(previous, current, options.threads, sink);
    }
    let mut sides = ValueSides::new(previous.len().max(current.len()));
    sides.scatter(previous, current, options.threads);
    sides.diff(options, sink)
}

/// Both sides of a difference of integers, taken in as they come: from a file, a socket, an
/// iterator that may fail. Memory: a value for each that was taken in, also where it came before,
/// and a chunk of 8 KiB (16 KiB for `u128`) for each 40,000 of them; the tables of one partition;
/// the differences.
///
/// ```
/// use segment_diff::memory::{Options, ValueSides};
/// use segment_diff::merge::Collect;
/// use std::ops::ControlFlow;
///
/// let mut sides = ValueSides::<u64>::new(3);
/// let (mut previous, mut current) = sides.both();
/// previous.extend([3, 1, 2]);
/// for line in ["2", "9", "3"] {
///     current.extend([line.parse()?]);
/// }
/// let mut delta = Collect::new();
/// let ControlFlow::Continue(_) = sides.diff(Options::new().threads(2), &mut delta);
/// assert_eq!((delta.added, delta.removed), (vec![9], vec![1]));
/// # Ok::<(), std::num::ParseIntError>(())
/// ```
pub struct ValueSides<T> {
    bijection: Bijection<T>,
    shape: Shape,
    previous: Vec<Partitions<'static, T>>,
    current: Vec<Partitions<'static, T>>,
}

/// Takes in the values of one side of [`ValueSides`]. Two threads may fill the two sides.
pub struct ValueSide<'a, T> {
    bijection: Bijection<T>,
    shape: Shape,
    partitions: &'a mut Partitions<'static, T>,
}

impl<T: Value> ValueSide<'_, T> {
    /// Takes in more values, in any order.
    pub fn extend(&mut self, values: impl IntoIterator<Item = T>) {
        for value in values {
            let mixed = self.bijection.apply(value);
            // The uppermost bits are what tells the entries of a table apart.
            let partition = self.shape.partition(mixed.bits().rotate_left(TAG_BITS));
            self.partitions.push(partition, mixed).expect(UNBOUNDED);
        }
    }
}

impl<T: Value> ValueSides<T> {
    /// Expects about `values` values on each side. A wrong guess costs time, not correctness.
    pub fn new(values: usize) -> Self {
        let shape = Shape::for_entries(values as u64);
        let side = || vec![Partitions::new(shape, &ROOM)];
        Self { bijection: Bijection::random(), shape, previous: side(), current: side() }
    }

    /// The previous and the current side.
    pub fn both(&mut self) -> (ValueSide<'_, T>, ValueSide<'_, T>) {
        let Self { bijection, shape, previous, current } = self;
        let (bijection, shape) = (*bijection, *shape);
        let side = |partitions| ValueSide { bijection, shape, partitions };
        (side(&mut previous[0]), side(&mut current[0]))
    }

    /// Tells `sink` how the current side differs from the previous one, in ascending order of the
    /// values. Exact, and the same whatever the number of threads.
    pub fn diff<S: DiffSink<T> + ?Sized>(
        self,
        options: Options,
        sink: &mut S,
    ) -> ControlFlow<S::Break, Counts> {
        let Self { bijection, shape, previous, current } = self;
        let found = compare(shape, &previous, &current, options.threads, &ROOM).expect(UNBOUNDED);
        drop((previous, current));
        let (mut added, mut removed, mut unchanged) = (Vec::new(), Vec::new(), 0);
        for found in found {
            let undone = |values: &[T]| {
                values.iter().map(|mixed| bijection.undo(*mixed)).collect::<Vec<_>>()
            };
            added.extend(found.added.entries(0).flat_map(undone));
            removed.extend(found.removed.entries(0).flat_map(undone));
            unchanged += found.unchanged;
        }
        threads::join(
            options.threads,
            |threads| threads::sort(&mut removed, threads, &T::cmp),
            |threads| threads::sort(&mut added, threads, &T::cmp),
        );
        let flow = diff(keys(removed), keys(added), sink).expect(SORTED);
        flow.map_continue(|counts| Counts { unchanged, ..counts })
    }

    /// Takes in both slices, on several threads.
    fn scatter(&mut self, previous: &[T], current: &[T], threads: usize) {
        let pieces: Vec<_> =
            previous.chunks(PIECE).map(Err).chain(current.chunks(PIECE).map(Ok)).collect();
        let next = AtomicUsize::new(0);
        let (shape, bijection) = (self.shape, self.bijection);
        let parts = threads::each(threads, || {
            let mut sides = [Partitions::new(shape, &ROOM), Partitions::new(shape, &ROOM)];
            while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                let (partitions, values) = match piece {
                    Err(previous) => (&mut sides[0], previous),
                    Ok(current) => (&mut sides[1], current),
                };
                ValueSide { bijection, shape, partitions }.extend(values.iter().copied());
            }
            sides
        });
        (self.previous, self.current) = parts.into_iter().map(<(_, _)>::from).unzip();
    }
}

/// Says nothing about the values.
impl<T> fmt::Debug for ValueSides<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueSides").finish_non_exhaustive()
    }
}

/// Says nothing about the values.
impl<T> fmt::Debug for ValueSide<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueSide").finish_non_exhaustive()
    }
}

/// No budget holds here.
static ROOM: Room = Room::new(usize::MAX);

const UNBOUNDED: &str = "no budget holds for integers";

/// The bits of an entry by which a table tells its entries apart before it looks at them.
const TAG_BITS: u32 = 6;

/// Values that a thread takes at a time.
const PIECE: usize = 64 << 10;

const SORTED: &str = "both sides are sorted and cannot fail to be read";
