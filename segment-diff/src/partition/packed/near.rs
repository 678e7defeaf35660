use super::{Origin, PackedError, PackedPartitions, Packing};
use crate::partition::{Exhausted, Room};

/// Brings the entries of one side near, which lie all over the memory or in files: copying alone
/// fetches many of them at the same time, what is done with each does not.
pub(crate) struct Near<'p> {
    parts: &'p [PackedPartitions<'p>],
    packing: Packing,
    room: &'p Room,
    taken: usize,
    /// What the files hold of a group of partitions.
    read: Vec<[u8; 8]>,
    entries: Vec<[u8; 8]>,
    /// How each piece of them is to be read, and where it ends.
    pieces: Vec<(Origin, usize)>,
}

impl<'p> Near<'p> {
    pub(crate) fn new(parts: &'p [PackedPartitions<'p>], packing: Packing, room: &'p Room) -> Self {
        let (read, entries, pieces) = (Vec::new(), Vec::new(), Vec::new());
        Self { parts, packing, room, taken: 0, read, entries, pieces }
    }

    /// Reads what the files hold of a group of partitions.
    pub(crate) fn turn_to(&mut self, group: usize) -> Result<(), PackedError> {
        self.read.clear();
        let filed = self.parts.iter().map(|part| part.filed(group)).sum();
        if filed > self.read.capacity() {
            let more = 8 * (filed - self.read.capacity());
            self.room.take(more)?;
            self.taken += more;
            self.read.reserve_exact(filed);
        }
        for part in self.parts {
            part.read(group, &mut self.read)?;
        }
        Ok(())
    }

    /// The number of entries of a partition.
    pub(crate) fn len(&self, partition: usize) -> usize {
        self.parts.iter().map(|part| part.len(partition)).sum()
    }

    /// Calls `visit` with all entries of a partition of the group that was turned to, some at a
    /// time.
    #[inline(always)]
    pub(crate) fn for_each(
        &mut self,
        partition: usize,
        mut visit: impl FnMut(Origin, &[[u8; 8]]) -> Result<(), Exhausted>,
    ) -> Result<(), Exhausted> {
        let Self { entries, pieces, .. } = self;
        let mut read = &self.read[..];
        entries.clear();
        pieces.clear();
        let mut hand_over = |entries: &mut Vec<[u8; 8]>, pieces: &mut Vec<(Origin, usize)>| {
            let mut start = 0;
            for (origin, end) in pieces.drain(..) {
                visit(origin, &entries[start..end])?;
                start = end;
            }
            entries.clear();
            Ok(())
        };
        for part in self.parts {
            read = part.try_for_each(partition, read, |origin, piece| {
                if entries.len() + piece.len() > self.packing.batch {
                    hand_over(entries, pieces)?;
                }
                entries.extend_from_slice(piece);
                pieces.push((origin, entries.len()));
                Ok(())
            })?;
        }
        hand_over(entries, pieces)
    }
}

impl Drop for Near<'_> {
    fn drop(&mut self) {
        self.room.give_back(self.taken);
    }
}
