use super::prefix::FingerprintPrefix;

/// The number of places of a sketch. Only sketches of the same shape can be added or subtracted.
///
/// A sketch has `groups` independent groups of three sub-arrays of `cells` cells. Several groups
/// are for the processor's caches, and for threads; a few thousand cells in each suit both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    groups: u32,
    cells: u32,
}

impl Shape {
    /// A shape of `groups` groups and `cells` cells in each of the three sub-arrays of a group;
    /// `None` unless there is a group at least, two cells at least and
    /// [`MAX_PLACES`](Self::MAX_PLACES) places at most.
    pub fn new(groups: u32, cells: u32) -> Option<Self> {
        let fits = (u64::from(groups) * u64::from(cells)) <= Self::MAX_PLACES / 3;
        (groups > 0 && cells > 1 && fits).then_some(Self { groups, cells })
    }

    /// The most places that a sketch may have, 2³⁰.
    pub const MAX_PLACES: u64 = 1 << 30;

    /// The shape that decodes `differences` with a chance of more than 99 %; up to 100,000, more
    /// than 99.5 %. Its size is about 45 bytes for each of many differences.
    pub fn for_differences(differences: u64) -> Self {
        let differences = differences.min(MOST_DIFFERENCES);
        let mut groups = 1;
        while cells_for(differences, groups) > CELLS_OF_A_GROUP {
            groups *= 2;
        }
        // Even, so that it can be folded once more.
        Self {
            groups: groups as u32,
            cells: cells_for(differences, groups).next_multiple_of(2) as u32,
        }
    }

    /// The largest shape of at most `bytes` bytes that is worth having, or `None`.
    pub(crate) fn within(bytes: usize) -> Option<Self> {
        let cells = (bytes / 3 / size_of::<super::Cell>()) as u64;
        let cells = cells.min(Self::MAX_PLACES / 3);
        let groups = (cells / CELLS_OF_A_GROUP + 1).next_power_of_two();
        Self::new(groups as u32, (cells / groups) as u32)
    }

    /// How many differences a sketch of this shape decodes with a chance of more than 99 %.
    pub fn capacity(self) -> u64 {
        let groups = u64::from(self.groups);
        let (mut low, mut high) = (0, self.places() + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if cells_for(middle, groups) <= u64::from(self.cells) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// How many members a sketch of this shape can be decoded into, unless it is tiny: no more
    /// than 0.818 for each cell in the limit.
    pub(crate) fn most_members(self) -> u64 {
        self.places() * 5 / 6
    }

    /// The number of groups.
    pub fn groups(self) -> u32 {
        self.groups
    }

    /// The number of cells in each of the three sub-arrays of a group.
    pub fn cells(self) -> u32 {
        self.cells
    }

    /// The number of places: three times groups times cells.
    pub fn places(self) -> u64 {
        u64::from(self.groups) * u64::from(self.cells) * 3
    }

    /// Memory of a sketch in bytes.
    pub fn bytes(self) -> u64 {
        self.places() * size_of::<super::Cell>() as u64
    }

    /// Half of the shape, if it can be halved.
    pub(super) fn half(self) -> Option<Self> {
        if self.groups.is_multiple_of(2) {
            Self::new(self.groups / 2, self.cells)
        } else if self.cells.is_multiple_of(2) {
            Self::new(self.groups, self.cells / 2)
        } else {
            None
        }
    }

    pub(crate) fn group_of(self, member: FingerprintPrefix) -> usize {
        scale(member.b(), self.groups)
    }

    /// The places of a member within its group.
    pub(crate) fn places_of(self, member: FingerprintPrefix) -> [usize; 3] {
        let cells = self.cells as usize;
        [
            scale(member.a() >> 30, self.cells),
            cells + scale(member.a(), self.cells),
            2 * cells + scale(member.b() >> 30, self.cells),
        ]
    }

    pub(super) fn group_size(self) -> usize {
        3 * self.cells as usize
    }
}

/// The lowest 30 bits of `window`, as a share of 2³⁰, of `count`.
fn scale(window: u64, count: u32) -> usize {
    (((window & ((1 << 30) - 1)) * u64::from(count)) >> 30) as usize
}

/// How many cells a sub-array needs, when `differences` fall into `groups` groups at random.
fn cells_for(differences: u64, groups: u64) -> u64 {
    let each = differences as f64 / groups as f64;
    if groups == 1 {
        // Three sub-arrays are decoded up to 0.818 differences a cell in the limit, with a spread
        // of about the root. Among few differences it is likelier that two share all three cells:
        // among so many cells in one of 1000 sketches.
        return (0.43 * each + 3.0 * each.sqrt()).max(8.0 * each.cbrt().powi(2)).ceil() as u64 + 24;
    }
    // The fullest group has to be decoded too.
    (0.43 * (each + 5.0 * each.sqrt()) + 3.0 * each.sqrt()).ceil() as u64 + 24
}

/// A sub-array of so many cells takes 512 KiB and fits into most second-level caches. With smaller
/// groups two members share all three cells too often: among *d* that is a chance of about
/// 4 *g*² / *d*.
const CELLS_OF_A_GROUP: u64 = 16384;

/// As many as the largest shape decodes.
const MOST_DIFFERENCES: u64 = 600_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_shape_for_a_number_of_differences_has_that_capacity(differences in 0..=MOST_DIFFERENCES) {
            let shape = Shape::for_differences(differences);
            prop_assert!(shape.capacity() >= differences);
            prop_assert!(shape.places() <= Shape::MAX_PLACES);
            prop_assert!(u64::from(shape.cells()) <= CELLS_OF_A_GROUP);
        }

        #[test]
        fn what_is_to_fit_fits(bytes in 192..1_usize << 40) {
            let shape = Shape::within(bytes).expect("two cells");
            prop_assert!(shape.bytes() <= bytes as u64);
            prop_assert!(shape.bytes() >= bytes as u64 * 99 / 100 - 192 || shape.places() > Shape::MAX_PLACES / 2 );
        }
    }
}
