//! A segment kept in memory.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{ADVISED_BATCH, KeyBatch, SegmentScan, SegmentSource, SourceError};

/// A segment that the program sets itself: for tests and first programs.
///
/// Share it in an [`Arc`] to change it between runs.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use activation_core::sources::MemorySource;
///
/// let source = Arc::new(MemorySource::new(["a@example.com", "b@example.com"]));
/// // … a run with a clone of the `Arc`; then one person leaves:
/// source.set(["b@example.com"]);
/// ```
pub struct MemorySource {
    keys: Mutex<Keys>,
    as_of: Mutex<Option<DateTime<Utc>>>,
}

impl MemorySource {
    /// A segment of these raw identifiers, in this order.
    pub fn new<K: AsRef<[u8]>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self { keys: Mutex::new(pack(keys)), as_of: Mutex::default() }
    }

    /// Replaces the segment. A scan that has begun goes on with the old one.
    pub fn set<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) {
        let keys = pack(keys);
        *self.lock() = keys;
    }

    /// Replaces the segment by people with a stable key each: raw identifiers with warehouse keys.
    pub fn set_keyed<I: AsRef<[u8]>, K: AsRef<[u8]>>(
        &self,
        people: impl IntoIterator<Item = (I, K)>,
    ) {
        let keys = pack_with(people, |batch, (identifier, key)| {
            batch.push_keyed(identifier.as_ref(), key.as_ref());
        });
        *self.lock() = keys;
    }

    /// Says of when the segment is; nothing is said at first.
    pub fn set_as_of(&self, as_of: DateTime<Utc>) {
        *self.as_of.lock().unwrap_or_else(PoisonError::into_inner) = Some(as_of);
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows the number of keys only: they are people's addresses.
impl fmt::Debug for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: usize = self.lock().iter().map(KeyBatch::len).sum();
        f.debug_struct("MemorySource").field("keys", &keys).finish_non_exhaustive()
    }
}

#[async_trait]
impl SegmentSource for MemorySource {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        let as_of = *self.as_of.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(MemoryScan { keys: Arc::clone(&self.lock()), as_of, next: 0 }))
    }
}

/// Full batches in order.
type Keys = Arc<Vec<KeyBatch>>;

struct MemoryScan {
    keys: Keys,
    as_of: Option<DateTime<Utc>>,
    next: usize,
}

#[async_trait]
impl SegmentScan for MemoryScan {
    fn expected_rows(&self) -> Option<u64> {
        Some(self.keys.iter().map(|batch| batch.len() as u64).sum())
    }

    fn as_of(&self) -> Option<DateTime<Utc>> {
        self.as_of
    }

    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        let batch = self.keys.get(self.next).cloned();
        self.next += 1;
        Ok(batch)
    }
}

fn pack<K: AsRef<[u8]>>(keys: impl IntoIterator<Item = K>) -> Keys {
    pack_with(keys, |batch, key| batch.push(key.as_ref()))
}

fn pack_with<R>(rows: impl IntoIterator<Item = R>, push: impl Fn(&mut KeyBatch, R)) -> Keys {
    let mut batches: Vec<KeyBatch> = Vec::new();
    for row in rows {
        if batches.last().is_none_or(|batch| batch.len() >= ADVISED_BATCH) {
            batches.push(KeyBatch::new());
        }
        if let Some(batch) = batches.last_mut() {
            push(batch, row);
        }
    }
    Arc::new(batches)
}
