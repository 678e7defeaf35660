use crate::partition::{PackedDealer, Packing, Shape};

/// About how large two sides are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Of the previous side and of the current one.
    pub(crate) lines: [u64; 2],
    /// Of the longer side.
    pub(crate) bytes: u64,
}

impl Sizes {
    fn longer(self) -> u64 {
        self.lines[0].max(self.lines[1])
    }

    fn line(self) -> u64 {
        self.bytes / self.longer().max(1)
    }
}

/// How lines are dealt out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) shape: Shape,
    pub(super) packing: Packing,
    /// To temporary files.
    pub(super) filed: bool,
}

impl Layout {
    /// In memory; `None` if that probably does not suffice.
    pub(super) fn held(sizes: Sizes, memory: usize, threads: usize) -> Option<Self> {
        let shape = Shape::for_packed(sizes.longer());
        let packing = Packing::for_keys(sizes.longer().min(MOST_KEYS), sizes.line());
        let layout = Self { shape, packing, filed: false };
        let entries = sizes.lines.iter().sum::<u64>().saturating_mul(8);
        let starts = layout.starts(sizes, threads);
        let working = threads as u64 * (layout.buffers() as u64 + (4 << 20));
        (entries.saturating_add(starts + working) <= memory as u64).then_some(layout)
    }

    /// To temporary files; `None` if not even what remains in memory fits.
    pub(super) fn filed(sizes: Sizes, memory: usize, threads: usize) -> Option<Self> {
        // A batch of each thread in an eighth of the memory, and the starts and the tables in a sixth
        // each. The rest is for what is found.
        let batch = (memory / 8 / threads / BYTES_A_KEY).checked_ilog2()?;
        let keys = sizes.longer().min(MOST_FILED_KEYS).min(1 << batch);
        let packing = Packing::for_keys(keys, sizes.line());
        let mut layout = Self { shape: Shape::for_packed(sizes.longer()), packing, filed: true };
        let sixth = memory as u64 / 6;
        while layout.starts(sizes, threads) > sixth && layout.shape.bits > 0 {
            layout.shape.bits -= 1;
        }
        let partition = sizes.longer() >> layout.shape.bits;
        let fits = layout.starts(sizes, threads) <= sixth
            && partition * TABLE_BYTES_A_KEY * threads as u64 <= sixth
            && layout.buffers() * threads <= memory / 2;
        // Of both sides as many partitions as an eighteenth holds are read at once.
        let group = sixth / 3 / threads as u64 / (16 * partition.max(1));
        let most = layout.shape.partitions().min(MOST_GROUP);
        let group = 1 << (group as usize).clamp(1, most).ilog2();
        fits.then_some(Self { packing: packing.grouped(group), ..layout })
    }

    /// What a worker holds while it reads a side, beside what it has put down.
    pub(super) const fn buffers(&self) -> usize {
        super::scan::BUFFERS + PackedDealer::buffers(self.packing, self.filed)
    }

    /// The bytes that tell where the partitions of each batch start.
    fn starts(&self, sizes: Sizes, threads: usize) -> u64 {
        let batches = sizes.lines.map(|lines| lines / self.packing.batch() as u64 + threads as u64);
        (batches[0] + batches[1]) * 4 * (self.shape.partitions() as u64 + 2)
    }
}

/// With their partitions, those of other threads and what they are sorted into, so many keys of a
/// batch fit into the second-level cache.
const MOST_KEYS: u64 = 1 << 16;

/// In files longer stretches are worth more.
const MOST_FILED_KEYS: u64 = 1 << 18;

/// Of a batch that is dealt out to a file: an entry, its partition, and the entry sorted.
const BYTES_A_KEY: usize = 18;

/// Of a table: a bucket of eight, filled to more than a quarter.
const TABLE_BYTES_A_KEY: u64 = 52;

/// Partitions that are read at once at most.
const MOST_GROUP: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn emails(lines: u64) -> Sizes {
        Sizes { lines: [lines; 2], bytes: 27 * lines }
    }

    #[test]
    fn eight_bytes_a_line_and_some_working_room_suffice() {
        let held = |lines, memory: usize| Layout::held(emails(lines), memory << 20, 2).is_some();
        assert!(held(10_000_000, 180));
        assert!(!held(10_000_000, 150));
        assert!(held(1000, 13));
        assert!(!held(1000, 7));
    }

    #[test]
    fn files_make_do_with_little_memory() {
        let filed = |lines, memory: usize| Layout::filed(emails(lines), memory << 20, 2);
        let layout = filed(10_000_000, 16).unwrap();
        assert!(layout.filed && layout.starts(emails(10_000_000), 2) <= (16 << 20) / 6);
        assert!(filed(100_000_000, 64).is_some());
        assert_eq!(filed(100_000_000, 16), None);
        assert_eq!(filed(100, 0), None);
    }

    #[test]
    fn groups_divide_the_partitions() {
        for lines in [0, 1, 1000, 100_000, 10_000_000] {
            for memory in [8, 16, 64, 1024] {
                let Some(layout) = Layout::filed(emails(lines), memory << 20, 2) else { continue };
                assert_eq!(layout.shape.partitions() % layout.packing.group(), 0);
            }
        }
    }
}
