use std::sync::Mutex;

use super::scan::{BATCH, Batch, LineHash, NEVER_POISONED, Scan};
use crate::lines::LineError;
use crate::sketch::{Cell, FingerprintPrefix, Shape, Sketch};

/// Adds `copies` of every line that `scan` reads to `sketch`. Each thread holds back up to
/// `buffer` bytes.
pub(super) fn add_lines<H: LineHash>(
    scan: &Scan<'_, H>,
    sketch: &mut Sketch,
    copies: i64,
    buffer: usize,
) -> Result<(), LineError> {
    let shape = sketch.shape();
    let groups = sketch.groups();
    let room = (buffer / groups.len() / size_of::<FingerprintPrefix>()).max(BATCH);
    scan.run(
        || Filler {
            shape,
            groups: &groups,
            copies,
            held: (0..groups.len()).map(|_| Vec::with_capacity(room)).collect(),
        },
        |filler, batch| filler.add(batch),
        Filler::finish,
    )
}

/// Holds members back, so that those of one group come together: the cells of that group are then
/// in the cache, and are locked once for many members.
struct Filler<'a> {
    shape: Shape,
    groups: &'a [Mutex<&'a mut [Cell]>],
    copies: i64,
    held: Vec<Vec<FingerprintPrefix>>,
}

impl Filler<'_> {
    fn add(&mut self, batch: Batch<'_>) {
        for hash in batch.hashes {
            let member = FingerprintPrefix::of_hash(*hash);
            let group = self.shape.group_of(member);
            let held = &mut self.held[group];
            held.push(member);
            if held.len() == held.capacity() {
                self.flush(group);
            }
        }
    }

    fn flush(&mut self, group: usize) {
        let mut guard = self.groups[group].lock().expect(NEVER_POISONED);
        let places: &mut [Cell] = &mut guard;
        let mut cells = [Cell::default(); CHUNK];
        for members in self.held[group].chunks(CHUNK) {
            // Apart from the additions: a sum made just before it is added is not yet in the cache.
            for (cell, member) in cells.iter_mut().zip(members) {
                *cell = Cell::of(*member, self.copies);
            }
            for (cell, member) in cells.iter().zip(members) {
                for place in self.shape.places_of(*member) {
                    places[place].add(*cell);
                }
            }
        }
        drop(guard);
        self.held[group].clear();
    }

    fn finish(mut self) {
        (0..self.held.len()).for_each(|group| self.flush(group));
    }
}

/// Members whose sums stay in the first-level cache until they are added.
const CHUNK: usize = 64;
