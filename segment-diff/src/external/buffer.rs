use std::cmp::Ordering;
use std::collections::TryReserveError;
use std::thread;

/// Records in memory reserved beforehand, to be sorted by key: 24 bytes for each beside its own.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Bytes that follow each key.
    payload: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    /// Eight bytes of the key, of which those before are the same in all entries it is compared
    /// with; zeros where the key is shorter.
    part: u64,
    start: usize,
    length: u32,
}

impl Buffer {
    /// Divides `memory` bytes in a way that suits records of about 36 bytes.
    pub(super) fn within(memory: usize, payload: usize) -> Result<Self, TryReserveError> {
        let mut buffer = Self { bytes: Vec::new(), entries: Vec::new(), payload };
        let for_entries = memory / 5 * 2;
        buffer.entries.try_reserve_exact(for_entries / size_of::<Entry>())?;
        buffer.bytes.try_reserve_exact(memory - for_entries)?;
        Ok(buffer)
    }

    /// Whether a record with a key of `length` bytes fits.
    pub(super) fn has_room(&self, length: usize) -> bool {
        self.entries.len() < self.entries.capacity()
            && length + self.payload <= self.bytes.capacity() - self.bytes.len()
    }

    pub(super) fn push(&mut self, key: &[u8], payload: &[u8]) {
        debug_assert!(self.has_room(key.len()) && payload.len() == self.payload);
        let start = self.bytes.len();
        self.entries.push(Entry { part: 0, start, length: key.len() as u32 });
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(payload);
    }

    /// Sorts by key, on up to `threads` threads, and keeps the first record of each key.
    pub(super) fn sort(&mut self, threads: usize) {
        let bytes = self.bytes.as_slice();
        sort(&mut self.entries, bytes, threads);
        self.entries.dedup_by(|later, earlier| later.key(bytes) == earlier.key(bytes));
    }

    pub(super) fn get(&self, index: usize) -> Option<(&[u8], &[u8])> {
        self.entries.get(index).map(|entry| {
            let end = entry.start + entry.length as usize;
            (&self.bytes[entry.start..end], &self.bytes[end..end + self.payload])
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets the records and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
}

impl Entry {
    fn key(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start..self.start + self.length as usize]
    }

    fn compare(&self, other: &Self, bytes: &[u8]) -> Ordering {
        self.key(bytes).cmp(other.key(bytes)).then_with(|| self.start.cmp(&other.start))
    }

    fn load(&mut self, bytes: &[u8], depth: usize) {
        let rest = self.key(bytes).get(depth..).unwrap_or_default();
        let known = rest.len().min(PART);
        let mut part = [0; PART];
        part[..known].copy_from_slice(&rest[..known]);
        self.part = u64::from_be_bytes(part);
    }

    /// Decides between keys that are alike before `depth`: by the part; then, because the part of
    /// a shorter key is filled up with zeros, by the length as far as the part shows it; then by
    /// the order in which the records came.
    fn rank(&self, depth: usize) -> (u64, usize, usize) {
        (self.part, self.shown(depth), self.start)
    }

    fn shown(&self, depth: usize) -> usize {
        (self.length as usize).saturating_sub(depth).min(PART + 1)
    }
}

/// Sorts entries on up to `threads` threads, stably.
fn sort(entries: &mut [Entry], bytes: &[u8], threads: usize) {
    if threads < 2 || entries.len() < WORTH_A_THREAD {
        return sort_from(entries, bytes, 0);
    }
    // Splitting around a chosen entry leaves nothing to merge, and so needs no second array.
    let middle = entries.len() * (threads / 2) / threads;
    entries.select_nth_unstable_by(middle, |a, b| a.compare(b, bytes));
    let (low, high) = entries.split_at_mut(middle);
    thread::scope(|scope| {
        scope.spawn(|| sort(low, bytes, threads / 2));
        sort(high, bytes, threads - threads / 2);
    });
}

/// Sorts entries whose keys are alike before `depth`. Comparing the part that an entry carries is
/// far cheaper than fetching two keys for each comparison.
fn sort_from(entries: &mut [Entry], bytes: &[u8], depth: usize) {
    if depth >= DEEPEST {
        return entries.sort_unstable_by(|a, b| a.compare(b, bytes));
    }
    for entry in entries.iter_mut() {
        entry.load(bytes, depth);
    }
    entries.sort_unstable_by_key(|entry| entry.rank(depth));
    let alike = |a: &Entry, b: &Entry| a.part == b.part && a.shown(depth) == b.shown(depth);
    for group in entries.chunk_by_mut(alike) {
        // Where all of the key was shown, the keys of the group are equal.
        if group.len() > 1 && group[0].shown(depth) > PART {
            sort_from(group, bytes, depth + PART);
        }
    }
}

const PART: usize = size_of::<u64>();

/// Beyond this many bytes alike whole keys are compared, which bounds the recursion.
const DEEPEST: usize = 5 * PART;

/// Sorting fewer entries than this takes about as long as starting a thread.
const WORTH_A_THREAD: usize = 4096;
