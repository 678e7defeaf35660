//! A small, mergeable summary of a set, from which the difference of two sets can be read as long
//! as that is small, however large the sets are.
//!
//! [`Sketch::subtract`] cancels whatever two sets share; what is left decodes into the members
//! that only one of them holds, or is found to be too much for the size of the sketch: a sketch
//! never gives a part of an answer. Members are told by the first 30 hexadecimal digits of their
//! [`Fingerprint`]s, so a sketch kept beside a snapshot says who was removed without reading the
//! snapshot; and a warehouse can make one in a query.
//!
//! ```
//! use segment_diff::fingerprint::FingerprintKey;
//! use segment_diff::sketch::{Shape, Sketch};
//!
//! let secret = FingerprintKey::new([7; 16]);
//! let shape = Shape::for_differences(100);
//! let (mut yesterday, mut today) = (Sketch::new(shape), Sketch::new(shape));
//! for index in 0..10_000 {
//!     yesterday.insert(secret.fingerprint(format!("{index}@example.com").as_bytes()));
//!     today.insert(secret.fingerprint(format!("{}@example.com", index + 1).as_bytes()));
//! }
//! yesterday.subtract(&today)?;
//! let decoded = yesterday.decode()?;
//! let removed: Vec<_> = decoded.only_left().collect();
//! assert!(removed.len() == 1 && removed[0].is_of(secret.fingerprint(b"0@example.com")));
//! let added: Vec<_> = decoded.only_right().collect();
//! assert!(added.len() == 1 && added[0].is_of(secret.fingerprint(b"10000@example.com")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Definition
//!
//! It is an invertible Bloom lookup table (Goodrich, Mitzenmacher: Invertible Bloom Lookup Tables,
//! 2011) of sums. Of the 32 hexadecimal digits of a fingerprint, *a* is the number made of the
//! first 15 and *b* that made of the next 15. Each falls into two windows of 30 bits: *a* =
//! 2³⁰ *a₁* + *a₀*, *b* = 2³⁰ *b₁* + *b₀*. With *p* = 2³¹ − 1,
//!
//! > *check* = (*a* mod *p*)² + (*b* mod *p*)².
//!
//! A sketch of *g* groups of three sub-arrays of *m* cells has 3 *g* *m* places. A member belongs to
//! the group *G* = ⌊*b₀* *g* / 2³⁰⌋ and there to three places:
//!
//! * (3 *G*) *m* + ⌊*a₁* *m* / 2³⁰⌋,
//! * (3 *G* + 1) *m* + ⌊*a₀* *m* / 2³⁰⌋,
//! * (3 *G* + 2) *m* + ⌊*b₁* *m* / 2³⁰⌋.
//!
//! A cell is the number of members at its place and the sums of their *a*, *b* and *check*, modulo
//! 2⁶⁴. In SQL, with `h` the fingerprint in hexadecimal digits, one group, and integers and sums of
//! a type wide enough (no product exceeds 2⁶², sums do):
//!
//! ```sql
//! WITH member AS (SELECT DISTINCT <first 15 digits of h> AS a, <next 15 digits of h> AS b FROM segment),
//!      placed AS (SELECT a, b,         a / 1073741824 * :m / 1073741824 AS place FROM member UNION ALL
//!                 SELECT a, b, :m + a % 1073741824 * :m / 1073741824 FROM member UNION ALL
//!                 SELECT a, b, 2 * :m + b / 1073741824 * :m / 1073741824 FROM member)
//! SELECT place, COUNT(*), SUM(a), SUM(b),
//!        SUM((a % 2147483647) * (a % 2147483647) + (b % 2147483647) * (b % 2147483647))
//! FROM placed GROUP BY place
//! ```
//!
//! (`/` rounds down.) [`Cell::from_sums`] and [`Sketch::add_cell`] take the rows.
//!
//! # Repetitions
//!
//! A sketch counts copies: a member inserted twice is there twice. A difference tells of how many
//! more copies one side has ([`Decoded::members`]), so with repetitions a member can differ that
//! both sides hold. Insert each once, or look how many copies there are. A surplus of copies
//! decodes unless it is a multiple of 32.
//!
//! # How large?
//!
//! About 45 bytes for each difference, and more for fewer than a thousand: [`Shape::for_differences`].
//! A difference that does not decode is still good for an estimate of its size
//! ([`Sketch::estimate`]), and so of the shape that will do. A sketch [folds](Sketch::fold) to half
//! its shape and is then the sketch that would have been made in that shape: keep a larger one than
//! needed.
//!
//! # How likely is a wrong answer?
//!
//! * Two members whose fingerprints share 120 bits are one to a sketch. Added one and removed the
//!   other, they cancel. Among *d* differences there are at most *d*² / 4 such pairs, so the chance
//!   is at most *d*² / 2¹²²: 10⁶ differences, 10¹² / 5.3 × 10³⁶ ≈ 2 × 10⁻²⁵.
//! * A cell that holds several members may look like copies of one. Of two or three that takes at
//!   least that (*u*·*v*) + (*w*·*x*) = 0, for differences *u*, *v*, *w*, *x* of remainders, each
//!   below 2³¹: a chance of about 2⁻⁵⁷ (2⁶² values of the sum, about 2⁵ times as likely to be zero
//!   as another). 2²¹ cells that change four times each make 2²³ trials and so 2⁻³⁴. What was taken
//!   for a member is then missing in its other two cells and must be made up for there as well, or
//!   the end is not empty and the answer [`NotDecodable`]. So the chance of a wrong answer is far
//!   below 2⁻³⁴ ≈ 6 × 10⁻¹¹ for 10⁶ differences. Whoever has the members checks that each is there;
//!   differences of line files do.
//!
//! Both hold as long as nobody who chooses members knows the [`FingerprintKey`].
//!
//! [`Fingerprint`]: crate::Fingerprint
//! [`FingerprintKey`]: crate::FingerprintKey

mod cell;
mod decode;
mod encode;
mod prefix;
mod shape;

use std::fmt;
use std::sync::Mutex;

pub use cell::Cell;
pub use decode::{Decoded, NotDecodable};
pub use encode::SketchError;
pub use prefix::FingerprintPrefix;
pub use shape::Shape;

use crate::Fingerprint;

/// A summary of a set of fingerprints. See the [module](self).
#[derive(Clone, PartialEq, Eq)]
pub struct Sketch {
    shape: Shape,
    cells: Vec<Cell>,
}

impl Sketch {
    /// The sketch of the empty set.
    pub fn new(shape: Shape) -> Self {
        Self { shape, cells: vec![Cell::default(); shape.places() as usize] }
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Adds a member.
    pub fn insert(&mut self, member: Fingerprint) {
        let member = FingerprintPrefix::of(member);
        let size = self.shape.group_size();
        let group = &mut self.cells[self.shape.group_of(member) * size..][..size];
        for place in self.shape.places_of(member) {
            group[place].add(Cell::of(member, 1));
        }
    }

    /// Adds a cell that was computed elsewhere to that at `place`.
    ///
    /// # Errors
    ///
    /// Refuses a place that the shape has not.
    pub fn add_cell(&mut self, place: u64, cell: Cell) -> Result<(), NoSuchPlace> {
        let places = self.shape.places();
        let mine = usize::try_from(place).ok().and_then(|place| self.cells.get_mut(place));
        mine.ok_or(NoSuchPlace { place, places })?.add(cell);
        Ok(())
    }

    /// The cells, in the order of their places.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Adds the members of `other`, another part of the same set.
    ///
    /// # Errors
    ///
    /// Refuses a sketch of another shape.
    pub fn merge(&mut self, other: &Self) -> Result<(), ShapesDiffer> {
        self.combine(other, Cell::add)
    }

    /// Takes the members of `other` away; what is left is the difference.
    ///
    /// # Errors
    ///
    /// Refuses a sketch of another shape.
    pub fn subtract(&mut self, other: &Self) -> Result<(), ShapesDiffer> {
        self.combine(other, Cell::subtract)
    }

    /// The sketch of the same set in half of the shape: with half of the groups, or else with half
    /// of the cells; `None` when both are odd.
    pub fn fold(&self) -> Option<Self> {
        let shape = self.shape.half()?;
        let mut folded = Self::new(shape);
        if shape.groups() < self.shape.groups() {
            let size = shape.group_size();
            for (group, cells) in self.cells.chunks_exact(size).enumerate() {
                let target = &mut folded.cells[group / 2 * size..][..size];
                target.iter_mut().zip(cells).for_each(|(target, cell)| target.add(*cell));
            }
        } else {
            let (pairs, _) = self.cells.as_chunks::<2>();
            for (target, [left, right]) in folded.cells.iter_mut().zip(pairs) {
                target.add(*left);
                target.add(*right);
            }
        }
        Some(folded)
    }

    /// About how many members it holds differences of, after a subtraction: the error is about
    /// one part in √(*g* *m*), at most. It needs no sketch that decodes. A member with several
    /// copies weighs as much as the square of their number.
    pub fn estimate(&self) -> u64 {
        // Members on the same side fall into one cell of a sub-array by chance, as do members of
        // opposite sides; beyond that each adds one to the sum of squares.
        let cells = self.cells.len() as f64 / 3.0;
        let (mut squares, mut net) = (0.0, 0.0);
        for cell in &self.cells {
            let count = cell.count() as f64;
            squares += count * count;
            net += count;
        }
        let (squares, net) = (squares / 3.0, net / 3.0);
        ((squares - net * net / cells) / (1.0 - 1.0 / cells)).round().max(net.abs()) as u64
    }

    /// What the two sides of a subtraction differ by. The memory of the result is 24 bytes a
    /// member.
    ///
    /// # Errors
    ///
    /// Fails when there are too many members for the shape.
    pub fn decode(self) -> Result<Decoded, NotDecodable> {
        decode::decode(self)
    }

    fn combine(&mut self, other: &Self, with: fn(&mut Cell, Cell)) -> Result<(), ShapesDiffer> {
        if self.shape != other.shape {
            return Err(ShapesDiffer { left: self.shape, right: other.shape });
        }
        self.cells.iter_mut().zip(&other.cells).for_each(|(mine, theirs)| with(mine, *theirs));
        Ok(())
    }

    /// The cells of each group, to be filled by several threads.
    pub(crate) fn groups(&mut self) -> Vec<Mutex<&mut [Cell]>> {
        self.cells.chunks_exact_mut(self.shape.group_size()).map(Mutex::new).collect()
    }
}

/// Says how large it is, and nothing of what it holds.
impl fmt::Debug for Sketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sketch").field("shape", &self.shape).finish_non_exhaustive()
    }
}

/// Shows no sums: where a single member is, they are its fingerprint.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").field("count", &self.count()).finish_non_exhaustive()
    }
}

/// Two sketches have different shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "sketches of {}×3×{} and {}×3×{} cells cannot be combined",
    left.groups(), left.cells(), right.groups(), right.cells()
)]
pub struct ShapesDiffer {
    /// The one that was to be altered.
    pub left: Shape,
    /// The other one.
    pub right: Shape,
}

/// A cell is meant for a place that the sketch has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no place {place} in a sketch of {places}")]
pub struct NoSuchPlace {
    /// The place, counted from zero.
    pub place: u64,
    /// How many there are.
    pub places: u64,
}
