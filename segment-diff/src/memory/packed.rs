use std::cmp::Ordering;
use std::fmt;

use super::threads;
use crate::KeyTooLong;
use crate::snapshot::MAX_KEY;

/// Byte keys packed into one buffer: 16 bytes for each beside its own.
#[derive(Clone, Default)]
pub struct PackedKeys {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// Where a key is, and its first four bytes, which save most comparisons the way there.
#[derive(Clone, Copy)]
struct Entry {
    start: usize,
    length: u32,
    prefix: u32,
}

impl PackedKeys {
    /// Starts without any key.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), entries: Vec::new() }
    }

    /// Makes room for `keys` keys of `bytes` bytes together; more may come.
    pub fn with_capacity(keys: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), entries: Vec::with_capacity(keys) }
    }

    /// Adds a key.
    ///
    /// # Errors
    ///
    /// Refuses a key longer than [`MAX_KEY`].
    pub fn push(&mut self, key: &[u8]) -> Result<(), KeyTooLong> {
        KeyTooLong::check(key, MAX_KEY)?;
        let mut prefix = [0; 4];
        let known = key.len().min(4);
        prefix[..known].copy_from_slice(&key[..known]);
        self.entries.push(Entry {
            start: self.bytes.len(),
            length: key.len() as u32,
            prefix: u32::from_be_bytes(prefix),
        });
        self.bytes.extend_from_slice(key);
        Ok(())
    }

    /// Sorts the keys by their bytes, on up to `threads` threads, and drops repetitions.
    pub fn sort(&mut self, threads: usize) {
        let bytes = self.bytes.as_slice();
        let compare = |a: &Entry, b: &Entry| a.compare(*b, bytes);
        threads::sort(&mut self.entries, threads, &compare);
        self.entries.dedup_by(|a, b| a.compare(*b, bytes).is_eq());
    }

    /// The keys, in ascending order after [`sort`](Self::sort) and as they came before it.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(|entry| entry.key(&self.bytes))
    }

    /// The key with the number `index`, in the order of [`iter`](Self::iter).
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.entries.get(index).map(|entry| entry.key(&self.bytes))
    }

    /// The number of keys; after [`sort`](Self::sort), of different keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets the keys and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
}

/// Says how many keys there are, and none of them.
impl fmt::Debug for PackedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackedKeys").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Entry {
    fn key(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start..self.start + self.length as usize]
    }

    fn compare(self, other: Self, bytes: &[u8]) -> Ordering {
        // A key shorter than its prefix is filled up with zeros, which sorts it before all keys
        // that it begins, or leaves the decision to the bytes.
        self.prefix.cmp(&other.prefix).then_with(|| self.key(bytes).cmp(other.key(bytes)))
    }
}
