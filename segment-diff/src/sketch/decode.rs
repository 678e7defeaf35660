use std::fmt;

use super::{Cell, FingerprintPrefix, Shape, Sketch};

/// What two sets differ by, ascending by prefix.
#[derive(Clone, PartialEq, Eq)]
pub struct Decoded {
    members: Vec<(FingerprintPrefix, i64)>,
}

impl Decoded {
    /// Each member of which one side holds more copies than the other, and how many more the left
    /// side holds: below zero where the right one does. Between sets it is 1 or -1.
    pub fn members(&self) -> &[(FingerprintPrefix, i64)] {
        &self.members
    }

    /// The members of which the left side holds more copies.
    pub fn only_left(&self) -> impl Iterator<Item = FingerprintPrefix> {
        self.members.iter().filter(|(_, copies)| *copies > 0).map(|(member, _)| *member)
    }

    /// The members of which the right side holds more copies.
    pub fn only_right(&self) -> impl Iterator<Item = FingerprintPrefix> {
        self.members.iter().filter(|(_, copies)| *copies < 0).map(|(member, _)| *member)
    }
}

/// Says how many members there are, and none of them.
impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded").field("members", &self.members.len()).finish_non_exhaustive()
    }
}

/// A difference is too large for its sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sketch is too small for about {estimate} differences")]
pub struct NotDecodable {
    /// About how many members there are to tell apart. A member with several copies weighs as
    /// much as the square of their number.
    pub estimate: u64,
}

/// Takes members out of `sketch` until nothing is left.
pub(super) fn decode(mut sketch: Sketch) -> Result<Decoded, NotDecodable> {
    let estimate = sketch.estimate();
    let failure = NotDecodable { estimate };
    let most = sketch.shape.most_members();
    let mut members = Vec::new();
    // Copies count more than once in the estimate, so it proves nothing; it is a size to start with.
    let likely = estimate.min(most);
    members.reserve_exact((likely + likely / 16 + 64).min(most) as usize);
    let mut pending = Vec::new();
    for (group, cells) in sketch.cells.chunks_exact_mut(sketch.shape.group_size()).enumerate() {
        peel(sketch.shape, group, cells, &mut pending, &mut members);
        if !cells.iter().all(|cell| cell.is_zero()) {
            return Err(failure);
        }
    }
    members.sort_unstable();
    if members.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        // Something was taken for a member that is none, and put back.
        return Err(failure);
    }
    Ok(Decoded { members })
}

fn peel(
    shape: Shape,
    group: usize,
    cells: &mut [Cell],
    pending: &mut Vec<u32>,
    members: &mut Vec<(FingerprintPrefix, i64)>,
) {
    // No more members than cells can be told apart. Without a bound, something taken for a
    // member by mistake could be taken out and put back for ever.
    let most = members.len() + cells.len();
    pending.clear();
    pending.extend(0..cells.len() as u32);
    while let Some(place) = pending.pop() {
        let place = place as usize;
        let Some((member, copies)) = cells[place].only_member() else { continue };
        let places = shape.places_of(member);
        if shape.group_of(member) != group || !places.contains(&place) {
            continue;
        }
        if members.len() == most {
            return;
        }
        members.push((member, copies));
        let cell = Cell::of(member, copies);
        for place in places {
            cells[place].subtract(cell);
            if cells[place].count() != 0 {
                pending.push(place as u32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fingerprint;

    #[test]
    fn memory_follows_what_can_be_decoded_however_many_copies_there_are() {
        let shape = Shape::for_differences(10_000);
        let mut sketch = Sketch::new(shape);
        (0..5_000).for_each(|_| sketch.insert(Fingerprint::from_bytes([7; 16])));
        assert!(sketch.estimate() > shape.places());
        let decoded = decode(sketch).unwrap();
        assert_eq!(decoded.members.len(), 1);
        assert!(decoded.members.capacity() as u64 <= shape.most_members());
    }
}
