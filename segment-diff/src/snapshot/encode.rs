use alloc::vec::Vec;
use core::fmt;

use super::format::{
    BLOCK_HEADER, BLOCK_TAG, BLOCK_TARGET, BlockHeader, Content, Header, INDEX_TAG, MAX_BODY,
    MAX_KEY, Totals, Version, body_checksum, push_varint,
};
use super::index::{IndexBuilder, Place, prefix};
use super::{FixedRecords, Layout, Position, SnapshotError, SnapshotErrorKind, Summary};

/// Turns sorted records into the bytes of a snapshot, without doing I/O.
///
/// Finished bytes are appended to the caller's buffer, a block at a time. Memory is one block and
/// the index: at most 85 bytes for each block before, with blocks of 64 KiB about a thousandth of
/// the file (see [`without_index`](Self::without_index)).
pub struct Encoder {
    layout: Layout,
    content: Content,
    block_target: usize,
    body: Vec<u8>,
    records_in_block: u32,
    /// The beginning of the first key of the block.
    first_key: Vec<u8>,
    last_key: Vec<u8>,
    /// The records before, those of the block being filled included.
    records: u64,
    bytes: u64,
    checksum: crc32fast::Hasher,
    index: Option<IndexBuilder>,
    refused: Option<(SnapshotErrorKind, Position)>,
}

impl Encoder {
    /// Begins a snapshot whose records have the shape `layout`.
    pub fn new(layout: Layout) -> Self {
        Self::of(Content::Membership, layout)
    }

    pub(crate) fn of(content: Content, layout: Layout) -> Self {
        Self {
            layout,
            content,
            block_target: BLOCK_TARGET,
            body: Vec::new(),
            records_in_block: 0,
            first_key: Vec::new(),
            last_key: Vec::new(),
            records: 0,
            bytes: 0,
            checksum: crc32fast::Hasher::new(),
            index: Some(IndexBuilder::default()),
            refused: None,
        }
    }

    /// Writes version 1 of the format, which can only be read from front to back. Memory is then
    /// one block, however long the snapshot becomes.
    #[must_use]
    pub fn without_index(mut self) -> Self {
        self.index = None;
        self
    }

    /// Ends blocks before their bodies exceed `bytes` (unless a single record does); 64 KiB
    /// otherwise, and at most. Smaller blocks make looking up single keys cheaper and the index
    /// larger.
    #[must_use]
    pub fn block_bytes(mut self, bytes: usize) -> Self {
        self.block_target = bytes.min(BLOCK_TARGET);
        self
    }

    #[cfg(feature = "std")]
    pub(super) fn block_target(&self) -> usize {
        self.block_target
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
            return Err(self.refuse(kind));
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
            self.begin_block(key);
        }
        self.append(shared, key, payload);
        Ok(())
    }

    /// Adds many records of [`Layout::Fixed`]: keys and payloads in turn, with nothing between.
    /// The same bytes come out as when they are pushed one at a time.
    ///
    /// # Errors
    ///
    /// Refuses bytes that are no whole number of records and keys that do not ascend, as
    /// [`push`](Self::push) does; then none of them is written.
    pub fn push_records(&mut self, records: &[u8], out: &mut Vec<u8>) -> Result<(), SnapshotError> {
        let Some(mut records) = FixedRecords::new(self.layout, records) else {
            return Err(self.refuse(SnapshotErrorKind::WrongWidth));
        };
        let before = (self.records > 0).then_some(self.last_key.as_slice());
        if !records.ascend_from(before) {
            return Err(self.refuse(SnapshotErrorKind::NotAscending));
        }
        let Some(last) = records.last() else { return Ok(()) };
        self.begin(out);
        while records.len() > 0 {
            let fitting =
                self.block_target.saturating_sub(self.body.len()) / records.width().max(1);
            if self.records_in_block > 0 && fitting == 0 {
                self.end_block(out);
                continue;
            }
            // A record wider than a block has one of its own.
            let (now, later) = records.split_at(fitting.clamp(1, records.len()));
            if self.records_in_block == 0 {
                self.begin_block(now.get(0).key);
            }
            self.body.extend_from_slice(now.as_bytes());
            self.records_in_block += now.len() as u32;
            self.records += now.len() as u64;
            records = later;
        }
        self.last_key.clear();
        self.last_key.extend_from_slice(last.key);
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
        let index = self.index.take().map(|index| {
            let offset = self.bytes;
            for (entries, body) in index.blocks() {
                self.emit_block(INDEX_TAG, entries, body, out);
            }
            offset
        });
        let checksum = self.checksum.finalize();
        let totals = Totals { records: self.records, bytes: self.bytes, index, checksum };
        totals.write(out);
        Ok(totals.summary())
    }

    /// Remembers that a record was refused: the snapshot will not be finished.
    pub(super) fn refuse(&mut self, kind: SnapshotErrorKind) -> SnapshotError {
        let position = Position::Record(self.records);
        self.refused.get_or_insert((kind, position));
        SnapshotError::new(kind, position)
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
            let version = if self.index.is_some() { Version::Two } else { Version::One };
            let header = Header { version, content: self.content, layout: self.layout }.to_bytes();
            self.checksum.update(&header);
            self.bytes += header.len() as u64;
            out.extend_from_slice(&header);
        }
    }

    fn begin_block(&mut self, first_key: &[u8]) {
        self.first_key.clear();
        self.first_key.extend_from_slice(prefix(first_key));
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
        let offset = self.bytes;
        let body = core::mem::take(&mut self.body);
        let checksum = self.emit_block(BLOCK_TAG, self.records_in_block, &body, out);
        if let Some(index) = &mut self.index {
            let records_before = self.records - u64::from(self.records_in_block);
            index.add(Place { offset, records_before, checksum }, &self.first_key);
        }
        self.body = body;
        self.body.clear();
        self.records_in_block = 0;
    }

    /// Appends a block to `out` and returns its checksum.
    fn emit_block(&mut self, tag: u8, records: u32, body: &[u8], out: &mut Vec<u8>) -> u32 {
        let body_checksum = body_checksum(body);
        let header = BlockHeader::new(tag, records, body, &body_checksum);
        self.checksum.update(&header.to_bytes());
        self.checksum.combine(&body_checksum);
        self.bytes += (BLOCK_HEADER + body.len()) as u64;
        out.reserve(BLOCK_HEADER + body.len());
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(body);
        header.checksum
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
    // Eight bytes at a time: the first that differ have a bit in the exclusive-or.
    let (a_words, b_words) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    for (index, (a, b)) in a_words.iter().zip(b_words).enumerate() {
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differing != 0 {
            return index * 8 + differing.trailing_zeros() as usize / 8;
        }
    }
    let done = a_words.len().min(b_words.len()) * 8;
    done + a[done..].iter().zip(&b[done..]).take_while(|(a, b)| a == b).count()
}

fn varint_length(value: usize) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        _ => 3,
    }
}
