//! Where members come from: the one trait most hosts write.

use std::{error::Error as StdError, fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::Warehouse;

/// How many keys a batch should hold at least: per-row hand-overs cost ten times as much.
pub const ADVISED_BATCH: usize = 8192;

/// A segment that can be read from start to end.
///
/// # Contract
///
/// * Every [`open`](Self::open) starts a fresh scan of the whole segment as it is now.
/// * One scan is one statement on the warehouse, never pages by offset: rows that move between
///   pages would look like people who left.
#[async_trait]
pub trait SegmentSource: fmt::Debug + Send + Sync {
    /// Starts one scan.
    ///
    /// # Errors
    ///
    /// Fails when the warehouse cannot be reached or refuses the query.
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError>;

    /// The warehouse that computes the difference itself, where it is to do so. Runs then read only
    /// what changed; dry runs and reconciliations [`open`](Self::open) the segment as before.
    fn warehouse(&self) -> Option<Arc<dyn Warehouse>> {
        None
    }
}

#[async_trait]
impl<T: SegmentSource + ?Sized> SegmentSource for Arc<T> {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        (**self).open().await
    }

    fn warehouse(&self) -> Option<Arc<dyn Warehouse>> {
        (**self).warehouse()
    }
}

/// One scan of a segment, in packed batches.
///
/// # Contract
///
/// * **A scan that ends without an error is complete.** A cut connection, a timeout or a partial
///   file must be an error: a short segment looks like mass removal.
/// * After `Ok(None)` or an error the scan is over.
#[async_trait]
pub trait SegmentScan: Send {
    /// How many rows this scan will give, where the warehouse knows. The run fails when the count
    /// turns out different.
    fn expected_rows(&self) -> Option<u64> {
        None
    }

    /// When what this scan gives was true in the warehouse, where it knows. Asked at the end of the
    /// scan.
    fn as_of(&self) -> Option<DateTime<Utc>> {
        None
    }

    /// The next batch; `None` at the end. Batches of [`ADVISED_BATCH`] keys and more are best.
    ///
    /// # Errors
    ///
    /// Fails when the scan cannot be completed. Nothing of it is used then.
    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError>;
}

/// A scan of a segment that is held to the number of rows it announced.
pub(crate) struct CheckedScan {
    scan: Box<dyn SegmentScan>,
    rows: u64,
}

impl CheckedScan {
    pub(crate) fn new(scan: Box<dyn SegmentScan>) -> Self {
        Self { scan, rows: 0 }
    }

    /// The next batch; an error instead of an end that comes too early or too late.
    pub(crate) async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        let batch = self.scan.next_batch().await?;
        self.rows += batch.as_ref().map_or(0, |batch| batch.len() as u64);
        match self.scan.expected_rows() {
            Some(expected) if batch.is_none() && expected != self.rows => {
                Err(SourceError::temporary(format!(
                    "the segment announced {expected} rows and gave {}",
                    self.rows
                )))
            }
            _ => Ok(batch),
        }
    }

    /// Of when the rows are, once the end was reached.
    pub(crate) fn as_of(&self) -> Option<DateTime<Utc>> {
        self.scan.as_of()
    }
}

/// Raw identifiers of members, packed end to end in one buffer, and where the warehouse has them the
/// stable keys of the people they belong to in another.
#[derive(Clone, Default)]
pub struct KeyBatch {
    identifiers: Column,
    /// Empty as long as no row has a key; from then on as long as `identifiers`.
    warehouse_keys: Column,
}

/// A row of a [`KeyBatch`]. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyedRow<'a> {
    /// The raw identifier; empty where there is none.
    pub identifier: &'a [u8],
    /// The stable key of the person in the warehouse; empty where there is none.
    pub warehouse_key: &'a [u8],
}

/// Values packed end to end.
#[derive(Clone, Default)]
struct Column {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl KeyBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty batch with room for `keys` keys of about `bytes` bytes in all.
    pub fn with_capacity(keys: usize, bytes: usize) -> Self {
        let identifiers =
            Column { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(keys) };
        Self { identifiers, warehouse_keys: Column::default() }
    }

    /// Adds a raw identifier. A row without one (SQL NULL) is added as an empty key, so that it is
    /// counted as unusable and not lost silently.
    pub fn push(&mut self, key: &[u8]) {
        self.identifiers.push(key);
        if self.has_warehouse_keys() {
            self.warehouse_keys.push(b"");
        }
    }

    /// Adds a raw identifier with the stable key of the person it belongs to: what stays when her
    /// address changes, such as a customer id. Spaces around the key do not count. A row without one
    /// (SQL NULL) is added with an empty key.
    pub fn push_keyed(&mut self, identifier: &[u8], warehouse_key: &[u8]) {
        self.warehouse_keys.fill_up_to(self.len());
        self.identifiers.push(identifier);
        self.warehouse_keys.push(warehouse_key.trim_ascii());
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.identifiers.ends.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.identifiers.ends.is_empty()
    }

    /// The keys in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.identifiers.iter()
    }

    /// Whether a row was added with a warehouse key.
    pub fn has_warehouse_keys(&self) -> bool {
        !self.warehouse_keys.ends.is_empty()
    }

    /// The rows in order, with their warehouse keys.
    pub fn rows(&self) -> impl Iterator<Item = KeyedRow<'_>> {
        let keys = self.warehouse_keys.iter().chain(std::iter::repeat(&b""[..]));
        let rows = self.identifiers.iter().zip(keys);
        rows.map(|(identifier, warehouse_key)| KeyedRow { identifier, warehouse_key })
    }
}

impl Column {
    fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
    }

    fn fill_up_to(&mut self, rows: usize) {
        self.ends.resize(rows, self.bytes.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.ends.iter().scan(0, |start, &end| {
            let value = &self.bytes[*start..end];
            *start = end;
            Some(value)
        })
    }
}

impl fmt::Debug for KeyedRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedRow(<redacted>)")
    }
}

impl<K: AsRef<[u8]>> FromIterator<K> for KeyBatch {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut batch = Self::new();
        keys.into_iter().for_each(|key| batch.push(key.as_ref()));
        batch
    }
}

/// Shows the number of keys only: they are people's addresses.
impl fmt::Debug for KeyBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBatch").field("keys", &self.len()).finish_non_exhaustive()
    }
}

/// Why a segment could not be read. The list is untouched.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    message: String,
    temporary: bool,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl SourceError {
    /// A failure that will stay until somebody changes something: a wrong query, a missing file.
    /// The message must not contain rows or credentials.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), temporary: false, source: None }
    }

    /// A failure that may pass by itself: a busy or unreachable warehouse.
    pub fn temporary(message: impl Into<String>) -> Self {
        Self { message: message.into(), temporary: true, source: None }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the same scan may succeed later without a change.
    pub fn is_temporary(&self) -> bool {
        self.temporary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_gives_back_its_keys_including_empty_ones() {
        let batch: KeyBatch = ["a@example.com", "", "b@example.com"].iter().collect();
        let keys: Vec<&[u8]> = batch.iter().collect();
        assert_eq!(keys, [b"a@example.com".as_slice(), b"", b"b@example.com"]);
        assert_eq!(batch.len(), 3);
    }

    #[test]
    fn a_row_without_a_warehouse_key_has_an_empty_one_wherever_it_stands() {
        let mut batch = KeyBatch::new();
        batch.push(b"a@example.com");
        assert!(!batch.has_warehouse_keys());
        assert_eq!(batch.rows().next().unwrap().warehouse_key, b"");
        batch.push_keyed(b"b@example.com", b" 17 ");
        batch.push(b"c@example.com");
        batch.push_keyed(b"", b"18");
        assert!(batch.has_warehouse_keys());
        let rows: Vec<_> = batch.rows().map(|row| (row.identifier, row.warehouse_key)).collect();
        let expected: [(&[u8], &[u8]); 4] = [
            (b"a@example.com", b""),
            (b"b@example.com", b"17"),
            (b"c@example.com", b""),
            (b"", b"18"),
        ];
        assert_eq!(rows, expected);
        assert_eq!((batch.len(), batch.iter().count()), (4, 4));
    }

    #[test]
    fn a_batch_does_not_print_its_keys() {
        let mut batch: KeyBatch = ["secret@example.com"].iter().collect();
        assert_eq!(format!("{batch:?}"), "KeyBatch { keys: 1, .. }");
        batch.push_keyed(b"secret@example.com", b"secret");
        let row = batch.rows().last().unwrap();
        assert!(!format!("{batch:?} {row:?}").contains("secret"));
    }
}
