/// How a memory budget is spent on partitioning two sides and on comparing them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// A power of two.
    pub(super) partitions: usize,
    /// Bytes of a page, a power of two. A partition is filled page by page.
    pub(super) page: usize,
    /// Pages of one side.
    pub(super) pages: usize,
    /// Bytes that lie together in the temporary file; a multiple of the page.
    pub(super) extent: usize,
}

impl Shape {
    /// For `memory` bytes and sides of about `expected` bytes, if that is known.
    ///
    /// Five eighths of the memory go to the pages of both sides. What is left is for whatever
    /// feeds them, and for lists.
    pub(super) fn new(memory: usize, expected: Option<u64>) -> Self {
        let arena = memory / 16 * 5;
        let most = power_below(arena / PAGES_TOGETHER).clamp(2, MOST_PARTITIONS);
        let wanted = expected.map_or(most, |bytes| {
            let partitions = (bytes / PARTITION).next_power_of_two();
            usize::try_from(partitions).unwrap_or(most).max(LEAST_PARTITIONS)
        });
        let partitions = wanted.min(most);
        let page = power_below(arena / partitions / 4).clamp(64, 4 << 10);
        let extent = power_below(memory / 128).clamp(page, 256 << 10);
        Self { partitions, page, pages: (arena / page).max(2 * partitions), extent }
    }

    /// Bytes for the pages of one side.
    pub(super) fn arena(self) -> usize {
        self.pages * self.page
    }
}

fn power_below(value: usize) -> usize {
    if value < 2 { 1 } else { 1 << value.ilog2() }
}

/// A partition of this size and its table are about as much as the second-level cache holds.
const PARTITION: u64 = 1536 << 10;

/// Memory below which a partition would be written in pieces too small to be read back quickly.
const PAGES_TOGETHER: usize = 8 << 10;

/// Enough that several threads have something to do.
const LEAST_PARTITIONS: usize = 16;

/// More partitions would be filled from one cache line each that is no longer in the cache.
const MOST_PARTITIONS: usize = 2048;
