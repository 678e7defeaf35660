use std::fmt;
use std::io;
use std::ops::Range;

use super::cursor::{Cursor, first_key};
use super::format::{
    BLOCK_HEADER, BLOCK_TAG, BlockHeader, Content, FOOTER, HEADER, Header, INDEX_TAG, MAX_BODY,
    Totals, Version, body_checksum,
};
use super::index::{INDEX_PREFIX, Index, Place, prefix};
use super::{FixedRecords, Layout, Record, SnapshotError, SnapshotErrorKind, Summary};
use crate::ReadAt;
use crate::merge::SortedInput;

/// A snapshot that is searched by key, or read from several places at once, through its index.
///
/// Memory: the index, 32 bytes and the beginning of a key (64 bytes at most) for each block of
/// about 64 KiB. Every block is verified against its own checksum and against the index, which
/// has a checksum too; what was read is right although the rest of the file was not.
///
/// ```
/// use segment_diff::snapshot::{Layout, SnapshotFile, SnapshotWriter};
///
/// let mut writer = SnapshotWriter::new(Vec::new(), Layout::Bytes { payload: 1 });
/// writer.push(b"ada@example.com", &[7])?;
/// writer.push(b"bo@example.com", &[9])?;
/// let (_, bytes) = writer.finish()?;
///
/// let file = SnapshotFile::open(&bytes[..])?; // or a `std::fs::File`
/// assert_eq!(file.get(b"bo@example.com")?, Some(vec![9]));
/// let mut from_b = file.records_from(b"b")?;
/// assert!(from_b.next_record()?.is_some_and(|record| record.key.starts_with(b"bo")));
/// assert!(from_b.next_record()?.is_none());
/// # Ok::<(), segment_diff::snapshot::SnapshotError>(())
/// ```
pub struct SnapshotFile<R> {
    source: R,
    layout: Layout,
    summary: Summary,
    /// Where the blocks of records end.
    blocks_end: u64,
    index: Index,
}

impl<R: ReadAt> SnapshotFile<R> {
    /// Reads the header, the footer and the index.
    ///
    /// # Errors
    ///
    /// Fails when reading fails, when this is no complete snapshot, or its header, footer or
    /// index was altered; and with [`SnapshotErrorKind::NoIndex`] for a file of version 1.
    pub fn open(source: R) -> Result<Self, SnapshotError> {
        let size = source.size().map_err(|error| SnapshotError::io(0, error))?;
        let truncated = || SnapshotError::at(size, SnapshotErrorKind::Truncated);
        let mut header = [0; HEADER];
        read_exact_at(&source, &mut header, 0)?;
        let header = Header::from_bytes(&header).map_err(|kind| SnapshotError::at(0, kind))?;
        if header.content != Content::Membership {
            return Err(SnapshotError::at(0, SnapshotErrorKind::WrongContent));
        }
        if header.version == Version::One {
            return Err(SnapshotError::at(0, SnapshotErrorKind::NoIndex));
        }
        let footer_at = size.checked_sub(FOOTER as u64).ok_or_else(truncated)?;
        let mut footer = [0; FOOTER];
        read_exact_at(&source, &mut footer, footer_at)?;
        let in_footer = |kind| SnapshotError::at(footer_at, kind);
        let totals = Totals::from_footer(&footer).map_err(in_footer)?;
        let blocks_end = match totals.index {
            Some(index) if (HEADER as u64..=footer_at).contains(&index) => index,
            _ => return Err(in_footer(SnapshotErrorKind::Malformed)),
        };
        if totals.bytes != footer_at {
            return Err(in_footer(SnapshotErrorKind::Malformed));
        }
        let index = read_index(&source, blocks_end..footer_at)?;
        let file =
            Self { source, layout: header.layout, summary: totals.summary(), blocks_end, index };
        file.check_places().map_err(|kind| SnapshotError::at(blocks_end, kind))?;
        Ok(file)
    }

    /// Where the snapshot is read from.
    pub fn source(&self) -> &R {
        &self.source
    }

    /// The shape of the records.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// What the snapshot holds, as its footer states.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// The payload of the record whose key is `key`, from one block, or `None` when there is no
    /// such record.
    ///
    /// # Errors
    ///
    /// Fails when the block cannot be read or was altered.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, SnapshotError> {
        let mut records = self.records_from(key)?;
        let found = records.next_record()?.filter(|record| record.key == key);
        Ok(found.map(|record| record.payload.to_vec()))
    }

    /// All records, ascending.
    pub fn records(&self) -> SnapshotRecords<'_, R> {
        SnapshotRecords::new(self, 0..self.index.len())
    }

    /// The records whose keys are `key` or above, ascending.
    ///
    /// # Errors
    ///
    /// Fails when the block of the first one cannot be read or was altered.
    pub fn records_from(&self, key: &[u8]) -> Result<SnapshotRecords<'_, R>, SnapshotError> {
        let mut records = self.records();
        records.seek(key)?;
        Ok(records)
    }

    /// Part number `part` (from zero) of `parts`, each about as many records as the others: for
    /// as many threads. The parts follow each other, and together they are all records.
    ///
    /// # Panics
    ///
    /// Panics when there is no such part.
    pub fn share(&self, part: usize, parts: usize) -> SnapshotRecords<'_, R> {
        assert!(part < parts, "there is no part {part} of {parts}");
        let first_of = |part: usize| {
            let records = u128::from(self.summary.records) * part as u128 / parts as u128;
            self.index.count(|place, _| u128::from(place.records_before) < records)
        };
        let end = if part + 1 == parts { self.index.len() } else { first_of(part + 1) };
        SnapshotRecords::new(self, first_of(part)..end)
    }

    /// Whether the places that the index states can be: one block after another, nothing between.
    fn check_places(&self) -> Result<(), SnapshotErrorKind> {
        let mut expected = Place { offset: HEADER as u64, records_before: 0, checksum: 0 };
        for block in 0..self.index.len() {
            let place = self.index.place(block);
            let end = self.place_after(block);
            let length = end.offset.checked_sub(place.offset);
            let records = end.records_before.saturating_sub(place.records_before);
            let possible = (BLOCK_HEADER as u64)..=(BLOCK_HEADER + MAX_BODY) as u64;
            if place.offset != expected.offset
                || place.records_before != expected.records_before
                || !(1..=u64::from(u32::MAX)).contains(&records)
                || !length.is_some_and(|length| possible.contains(&length))
            {
                return Err(SnapshotErrorKind::Malformed);
            }
            expected = end;
        }
        let whole = (self.blocks_end, self.summary.records);
        if (expected.offset, expected.records_before) != whole {
            return Err(SnapshotErrorKind::Malformed);
        }
        Ok(())
    }

    /// Where the block after `block` begins, or the index.
    fn place_after(&self, block: usize) -> Place {
        if block + 1 < self.index.len() {
            self.index.place(block + 1)
        } else {
            let records_before = self.summary.records;
            Place { offset: self.blocks_end, records_before, checksum: 0 }
        }
    }
}

/// Reads and verifies the index blocks in `range`.
fn read_index(source: &impl ReadAt, range: Range<u64>) -> Result<Index, SnapshotError> {
    let (mut index, mut body) = (Index::default(), Vec::new());
    let mut offset = range.start;
    while offset < range.end {
        let malformed = SnapshotError::at(offset, SnapshotErrorKind::Malformed);
        if range.end - offset < BLOCK_HEADER as u64 {
            return Err(malformed);
        }
        let mut header = [0; BLOCK_HEADER];
        read_exact_at(source, &mut header, offset)?;
        let header = BlockHeader::from_bytes(&header);
        let after = offset + BLOCK_HEADER as u64 + u64::from(header.length);
        if header.tag != INDEX_TAG || header.length as usize > MAX_BODY || after > range.end {
            return Err(malformed);
        }
        body.resize(header.length as usize, 0);
        read_exact_at(source, &mut body, offset + BLOCK_HEADER as u64)?;
        if header.checksum_with(&body_checksum(&body)) != header.checksum {
            return Err(SnapshotError::at(offset, SnapshotErrorKind::Corrupt));
        }
        index.extend(header.records, &body).map_err(|kind| SnapshotError::at(offset, kind))?;
        offset = after;
    }
    Ok(index)
}

fn read_exact_at(
    source: &impl ReadAt,
    mut buffer: &mut [u8],
    mut offset: u64,
) -> Result<(), SnapshotError> {
    while !buffer.is_empty() {
        match source.read_at(buffer, offset) {
            Ok(0) => return Err(SnapshotError::at(offset, SnapshotErrorKind::Truncated)),
            Ok(length) => {
                buffer = &mut buffer[length..];
                offset += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SnapshotError::io(offset, error)),
        }
    }
    Ok(())
}

/// Says what it is, and no key.
impl<R> fmt::Debug for SnapshotFile<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotFile")
            .field("layout", &self.layout)
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

/// Records of a [`SnapshotFile`] that follow each other. It holds one block.
pub struct SnapshotRecords<'a, R> {
    file: &'a SnapshotFile<R>,
    /// The blocks that are still to be read.
    blocks: Range<usize>,
    /// The block being read, which was verified.
    buffer: Vec<u8>,
    used: usize,
    cursor: Cursor,
    /// Whether the record to be handed out next was read already.
    found: bool,
    failed: Option<(SnapshotErrorKind, u64)>,
}

impl<'a, R: ReadAt> SnapshotRecords<'a, R> {
    fn new(file: &'a SnapshotFile<R>, blocks: Range<usize>) -> Self {
        Self {
            file,
            blocks,
            buffer: Vec::new(),
            used: 0,
            cursor: Cursor::new(file.layout),
            found: false,
            failed: None,
        }
    }

    /// The next record, or `None` at the end.
    ///
    /// # Errors
    ///
    /// Fails when a block cannot be read or was altered; the error carries the offset of the
    /// block.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, SnapshotError> {
        Ok(if self.advance()? { Some(self.record()) } else { None })
    }

    /// The next records of a snapshot of [`Layout::Fixed`], a block at a time; `None` at the end.
    ///
    /// # Errors
    ///
    /// Fails as [`next_record`](Self::next_record) does, and when the layout is another one.
    pub fn next_records(&mut self) -> Result<Option<FixedRecords<'_>>, SnapshotError> {
        if !self.find_block()? {
            return Ok(None);
        }
        let start = self.used;
        self.used += self.cursor.bytes();
        match self.cursor.read_block(&self.buffer[start..]) {
            Ok(records) => Ok(Some(records)),
            Err(kind) => {
                let offset = self.offset_of_block();
                self.failed = Some((kind, offset));
                Err(SnapshotError::at(offset, kind))
            }
        }
    }

    fn advance(&mut self) -> Result<bool, SnapshotError> {
        if core::mem::take(&mut self.found) {
            return Ok(true);
        }
        if !self.find_block()? {
            return Ok(false);
        }
        let read = self.cursor.read(&self.buffer[self.used..]);
        self.used += self.noted(read)?;
        Ok(true)
    }

    fn record(&self) -> Record<'_> {
        let payload = self.file.layout.payload_width();
        Record { key: self.cursor.key(), payload: &self.buffer[self.used - payload..self.used] }
    }

    /// Goes to the first record whose key is `key` or above.
    fn seek(&mut self, key: &[u8]) -> Result<(), SnapshotError> {
        let index = &self.file.index;
        let all = index.len();
        // The first key of a block before `certain` is not above `key`. Where the index has only
        // the beginning of long keys, those of the blocks up to `possible` have to be asked.
        let mut certain = index
            .count(|_, first| first < prefix(key) || first == key && first.len() < INDEX_PREFIX);
        let mut possible = index.count(|_, first| first <= key);
        while certain < possible {
            let middle = certain + (possible - certain) / 2;
            self.blocks = middle..all;
            self.load_block()?;
            let first = first_key(self.file.layout, &self.buffer);
            if self.noted(first.map(|first| first <= key))? {
                certain = middle + 1;
            } else {
                possible = middle;
            }
        }
        self.cursor = Cursor::new(self.file.layout);
        self.blocks = certain.saturating_sub(1)..all;
        if !self.find_block()? {
            return Ok(());
        }
        if let Layout::Fixed { .. } = self.file.layout {
            let skipped = self.cursor.skip_below(key, &self.buffer);
            self.used = self.noted(skipped)?;
            return Ok(());
        }
        while self.advance()? {
            if self.cursor.key() >= key {
                self.found = true;
                break;
            }
        }
        Ok(())
    }

    /// Goes on until a record follows; `false` at the end.
    fn find_block(&mut self) -> Result<bool, SnapshotError> {
        if let Some((kind, offset)) = self.failed {
            return Err(SnapshotError::at(offset, kind));
        }
        while self.cursor.records() == 0 {
            if self.blocks.is_empty() {
                return Ok(false);
            }
            self.load_block()?;
        }
        Ok(true)
    }

    /// Reads and verifies the next block.
    fn load_block(&mut self) -> Result<(), SnapshotError> {
        let block = self.blocks.start;
        let (place, after) = (self.file.index.place(block), self.file.place_after(block));
        let in_block = |kind| SnapshotError::at(place.offset, kind);
        let length = (after.offset - place.offset) as usize;
        let mut header = [0; BLOCK_HEADER];
        self.buffer.resize(length - BLOCK_HEADER, 0);
        read_exact_at(&self.file.source, &mut header, place.offset)?;
        let body_at = place.offset + BLOCK_HEADER as u64;
        read_exact_at(&self.file.source, &mut self.buffer, body_at)?;

        let header = BlockHeader::from_bytes(&header);
        let expected = BlockHeader {
            tag: BLOCK_TAG,
            records: (after.records_before - place.records_before) as u32,
            length: self.buffer.len() as u32,
            checksum: place.checksum,
        };
        if header != expected
            || header.checksum_with(&body_checksum(&self.buffer)) != place.checksum
        {
            return Err(in_block(SnapshotErrorKind::Corrupt));
        }
        let first = first_key(self.file.layout, &self.buffer).map_err(in_block)?;
        if !header.fits(self.file.layout) || prefix(first) != self.file.index.prefix(block) {
            return Err(in_block(SnapshotErrorKind::Malformed));
        }
        self.blocks.start = block + 1;
        self.cursor.begin(header);
        self.used = 0;
        Ok(())
    }

    /// Remembers a failure in the block being read.
    fn noted<T>(&mut self, result: Result<T, SnapshotErrorKind>) -> Result<T, SnapshotError> {
        result.map_err(|kind| {
            let offset = self.offset_of_block();
            self.failed = Some((kind, offset));
            SnapshotError::at(offset, kind)
        })
    }

    fn offset_of_block(&self) -> u64 {
        self.file.index.place(self.blocks.start.saturating_sub(1)).offset
    }
}

/// Records are an input whose versions are their payloads.
impl<R: ReadAt> SortedInput for SnapshotRecords<'_, R> {
    type Key = [u8];
    type Version = [u8];
    type Error = SnapshotError;

    fn advance(&mut self) -> Result<bool, SnapshotError> {
        SnapshotRecords::advance(self)
    }

    fn key(&self) -> &[u8] {
        self.record().key
    }

    fn version(&self) -> &[u8] {
        self.record().payload
    }
}

/// Says how much is left, and no key.
impl<R> fmt::Debug for SnapshotRecords<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotRecords")
            .field("blocks", &self.blocks.len())
            .field("records_in_block", &self.cursor.records())
            .finish_non_exhaustive()
    }
}
