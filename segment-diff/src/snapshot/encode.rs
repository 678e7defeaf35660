use std::fmt;

use super::format::{
    BLOCK_HEADER, BLOCK_TARGET, BlockHeader, MAX_BODY, MAX_KEY, Totals, push_varint,
};
use super::{Layout, Position, SnapshotError, SnapshotErrorKind, Summary};

/// Turns sorted records into the bytes of a snapshot, without doing I/O.
///
/// Finished bytes are appended to the caller's buffer, a block at a time.
pub struct Encoder {
    layout: Layout,
    block_target: usize,
    body: Vec<u8>,
    records_in_block: u32,
    last_key: Vec<u8>,
    records: u64,
    bytes: u64,
    checksum: crc32fast::Hasher,
    refused: Option<(SnapshotErrorKind, Position)>,
}

impl Encoder {
    /// Begins a snapshot whose records have the shape `layout`.
    pub fn new(layout: Layout) -> Self {
        Self::with_block_target(layout, BLOCK_TARGET)
    }

    /// As [`new`](Self::new), ending blocks at about `block_target` bytes.
    pub(crate) fn with_block_target(layout: Layout, block_target: usize) -> Self {
        Self {
            layout,
            block_target,
            body: Vec::new(),
            records_in_block: 0,
            last_key: Vec::new(),
            records: 0,
            bytes: 0,
            checksum: crc32fast::Hasher::new(),
            refused: None,
        }
    }

    /// Adds a record; appends to `out` what is finished.
    ///
    /// # Errors
    ///
    /// Refuses a key that is not above the one before it, is too long, or has the wrong width,
    /// and a payload of the wrong width. The refused record is not written, and
    /// [`finish`](Self::finish) fails: a snapshot with a member missing must not look complete.
    pub fn push(
        &mut self,
        key: &[u8],
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SnapshotError> {
        if let Err(kind) = self.check(key, payload) {
            let position = Position::Record(self.records);
            self.refused.get_or_insert((kind, position));
            return Err(SnapshotError::new(kind, position));
        }
        self.begin(out);
        let mut shared = match self.layout {
            Layout::Fixed { .. } => 0,
            Layout::Bytes { .. } => shared_prefix(&self.last_key, key),
        };
        let length = self.body.len() + self.encoded_length(shared, key.len());
        if self.records_in_block > 0 && length > self.block_target {
            self.end_block(out);
        }
        if self.records_in_block == 0 {
            shared = 0;
        }
        self.append(shared, key, payload);
        Ok(())
    }

    /// Appends to `out` the last block and the footer, and says what the snapshot holds.
    ///
    /// # Errors
    ///
    /// Fails as the first refused [`push`](Self::push) did, if there was one.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Summary, SnapshotError> {
        if let Some((kind, position)) = self.refused {
            return Err(SnapshotError::new(kind, position));
        }
        self.begin(out);
        if self.records_in_block > 0 {
            self.end_block(out);
        }
        let totals =
            Totals { records: self.records, bytes: self.bytes, checksum: self.checksum.finalize() };
        out.extend_from_slice(&totals.to_footer());
        Ok(totals.summary())
    }

    fn check(&self, key: &[u8], payload: &[u8]) -> Result<(), SnapshotErrorKind> {
        match self.layout {
            Layout::Fixed { key: width, .. } if key.len() != usize::from(width) => {
                return Err(SnapshotErrorKind::WrongWidth);
            }
            Layout::Bytes { .. } if key.len() > MAX_KEY => {
                return Err(SnapshotErrorKind::KeyTooLong);
            }
            _ => {}
        }
        if payload.len() != self.layout.payload_width() {
            return Err(SnapshotErrorKind::WrongWidth);
        }
        if self.records > 0 && key <= self.last_key.as_slice() {
            return Err(SnapshotErrorKind::NotAscending);
        }
        Ok(())
    }

    /// Writes the header, once.
    fn begin(&mut self, out: &mut Vec<u8>) {
        if self.bytes == 0 {
            self.emit(&self.layout.to_header(), out);
        }
    }

    fn encoded_length(&self, shared: usize, key: usize) -> usize {
        let numbers = match self.layout {
            Layout::Fixed { .. } => 0,
            Layout::Bytes { .. } => varint_length(shared) + varint_length(key - shared),
        };
        numbers + key - shared + self.layout.payload_width()
    }

    fn append(&mut self, shared: usize, key: &[u8], payload: &[u8]) {
        match self.layout {
            Layout::Fixed { .. } => self.body.extend_from_slice(key),
            Layout::Bytes { .. } => {
                push_varint(shared, &mut self.body);
                push_varint(key.len() - shared, &mut self.body);
                self.body.extend_from_slice(&key[shared..]);
            }
        }
        self.body.extend_from_slice(payload);
        debug_assert!(self.body.len() <= MAX_BODY);
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        self.records_in_block += 1;
        self.records += 1;
    }

    fn end_block(&mut self, out: &mut Vec<u8>) {
        let header = BlockHeader::new(self.records_in_block, &self.body).to_bytes();
        out.reserve(BLOCK_HEADER + self.body.len());
        self.emit(&header, out);
        let body = std::mem::take(&mut self.body);
        self.emit(&body, out);
        self.body = body;
        self.body.clear();
        self.records_in_block = 0;
    }

    fn emit(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.checksum.update(bytes);
        self.bytes += bytes.len() as u64;
        out.extend_from_slice(bytes);
    }
}

/// Says how far it is, and no key.
impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("layout", &self.layout)
            .field("records", &self.records)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn varint_length(value: usize) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        _ => 3,
    }
}
