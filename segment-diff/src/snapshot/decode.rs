use std::fmt;
use std::ops::Range;

use super::format::{
    BLOCK_HEADER, BLOCK_TAG, BlockHeader, FOOTER, FOOTER_TAG, HEADER, MAX_BODY, MAX_KEY, Totals,
    take_varint,
};
use super::{Layout, SnapshotError, SnapshotErrorKind, Summary};

/// One record of a snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record<'a> {
    /// Who: strictly ascending from record to record.
    pub key: &'a [u8],
    /// What travels along, of the width that the layout states.
    pub payload: &'a [u8],
}

/// Turns the bytes of a snapshot into records, without doing I/O.
///
/// It holds one block and what was fed beyond it: feed pieces of a moderate size.
///
/// ```
/// # use segment_diff::snapshot::{Decoder, Encoder, Layout, SnapshotError};
/// # let mut file = Vec::new();
/// # Encoder::new(Layout::Bytes { payload: 0 }).finish(&mut file)?;
/// let mut decoder = Decoder::new();
/// for piece in file.chunks(4096) {
///     decoder.feed(piece);
///     while let Some(record) = decoder.next_record()? {
///         // Provisional until `finish` has succeeded.
/// #       let _ = record;
///     }
/// }
/// let summary = decoder.finish()?;
/// # assert_eq!(summary.records, 0);
/// # Ok::<(), SnapshotError>(())
/// ```
#[derive(Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Everything in `buffer` before this place was used.
    used: usize,
    /// The offset in the file of `buffer[used]`.
    offset: u64,
    layout: Option<Layout>,
    /// What is left of the block being read, which was verified.
    block: Block,
    /// The key of the current record; between records, the last one.
    key: Vec<u8>,
    payload: Range<usize>,
    records: u64,
    checksum: crc32fast::Hasher,
    complete: Option<Summary>,
    failed: Option<(SnapshotErrorKind, u64)>,
}

#[derive(Default)]
struct Block {
    records: u32,
    bytes: usize,
    first: bool,
}

impl Decoder {
    /// Begins at the start of a snapshot.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        // Moving the rest only when it is the smaller part keeps the cost linear.
        if self.used >= self.buffer.len() - self.used {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next record, or `None` when more bytes are needed or the footer was reached.
    ///
    /// # Errors
    ///
    /// Fails when the data is no snapshot, was altered, or breaks the rules of the format; the
    /// error carries the byte offset of the header, block, record or footer. Every later call
    /// fails in the same way.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, SnapshotError> {
        Ok(if self.advance()? { Some(self.record()) } else { None })
    }

    /// The shape of the records, once the header was read (by [`next_record`](Self::next_record)).
    pub fn layout(&self) -> Option<Layout> {
        self.layout
    }

    /// Confirms that the whole snapshot was fed: the footer is there and fits all that came
    /// before it. Records that were not asked for are read and checked first.
    ///
    /// # Errors
    ///
    /// Fails when the data is truncated or goes on after the footer, and for every reason that
    /// [`next_record`](Self::next_record) has.
    pub fn finish(mut self) -> Result<Summary, SnapshotError> {
        self.complete()
    }

    pub(super) fn complete(&mut self) -> Result<Summary, SnapshotError> {
        while self.advance()? {}
        let end = self.offset + self.rest().len() as u64;
        self.complete.ok_or_else(|| SnapshotError::at(end, SnapshotErrorKind::Truncated))
    }

    /// Moves to the next record; `false` when more bytes are needed or the footer was reached.
    pub(super) fn advance(&mut self) -> Result<bool, SnapshotError> {
        self.guarded(Self::step)
    }

    /// The record that the last successful [`advance`](Self::advance) moved to.
    pub(super) fn record(&self) -> Record<'_> {
        Record { key: &self.key, payload: &self.buffer[self.payload.clone()] }
    }

    /// Reads the header if it is there, and nothing else.
    pub(super) fn read_layout(&mut self) -> Result<Option<Layout>, SnapshotError> {
        if self.layout.is_none() {
            self.guarded(Self::read_header)?;
        }
        Ok(self.layout)
    }

    /// Gives errors their offset and remembers the first one.
    fn guarded(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<bool, SnapshotErrorKind>,
    ) -> Result<bool, SnapshotError> {
        let failed = match self.failed {
            Some(failed) => failed,
            None => match step(self) {
                Ok(progress) => return Ok(progress),
                Err(kind) => *self.failed.insert((kind, self.offset)),
            },
        };
        Err(SnapshotError::at(failed.1, failed.0))
    }

    fn step(&mut self) -> Result<bool, SnapshotErrorKind> {
        loop {
            if self.block.records > 0 {
                return self.read_record().map(|()| true);
            }
            let progress = match (self.layout, self.complete, self.rest().first()) {
                (_, _, None) => false,
                (None, _, _) => self.read_header()?,
                (_, Some(_), _) => return Err(SnapshotErrorKind::Trailing),
                (_, _, Some(&BLOCK_TAG)) => self.read_block()?,
                (_, _, Some(&FOOTER_TAG)) => self.read_footer()?,
                _ => return Err(SnapshotErrorKind::Malformed),
            };
            if !progress {
                return Ok(false);
            }
        }
    }

    fn read_header(&mut self) -> Result<bool, SnapshotErrorKind> {
        let Some(header) = self.rest().first_chunk::<HEADER>() else { return Ok(false) };
        self.layout = Some(Layout::from_header(header)?);
        self.checksum.update(&self.buffer[self.used..][..HEADER]);
        self.skip(HEADER);
        Ok(true)
    }

    /// Verifies a block as a whole; nothing in its header is trusted before.
    fn read_block(&mut self) -> Result<bool, SnapshotErrorKind> {
        let Some(header) = self.rest().first_chunk::<BLOCK_HEADER>() else { return Ok(false) };
        let header = BlockHeader::from_bytes(header);
        let length = header.length as usize;
        if length > MAX_BODY {
            return Err(SnapshotErrorKind::Malformed);
        }
        let Some(body) = self.rest().get(BLOCK_HEADER..BLOCK_HEADER + length) else {
            return Ok(false);
        };
        if header.checksum_over(body) != header.checksum {
            return Err(SnapshotErrorKind::Corrupt);
        }
        let wrong_length = match self.layout {
            Some(Layout::Fixed { key, payload }) => {
                let width = u64::from(key) + u64::from(payload);
                u64::from(header.records) * width != u64::from(header.length)
            }
            _ => false,
        };
        if header.records == 0 || wrong_length {
            return Err(SnapshotErrorKind::Malformed);
        }
        self.checksum.update(&self.buffer[self.used..][..BLOCK_HEADER + length]);
        self.skip(BLOCK_HEADER);
        self.block = Block { records: header.records, bytes: length, first: true };
        Ok(true)
    }

    fn read_record(&mut self) -> Result<(), SnapshotErrorKind> {
        let body = &self.buffer[self.used..self.used + self.block.bytes];
        let mut rest = body;
        let layout = self.layout.ok_or(SnapshotErrorKind::Malformed)?;
        let (shared, added) = match layout {
            Layout::Fixed { key, .. } => (0, usize::from(key)),
            Layout::Bytes { .. } => front_coding(&mut rest).ok_or(SnapshotErrorKind::Malformed)?,
        };
        let known = if self.block.first { 0 } else { self.key.len() };
        let payload_width = layout.payload_width();
        if shared > known || shared + added > MAX_KEY || added + payload_width > rest.len() {
            return Err(SnapshotErrorKind::Malformed);
        }
        let (suffix, rest) = rest.split_at(added);
        // Up to `shared` both keys are the same, so the rest decides.
        if self.records > 0 && *suffix <= self.key[shared..] {
            return Err(SnapshotErrorKind::NotAscending);
        }
        let length = body.len() - rest.len() + payload_width;
        if self.block.records == 1 && length != body.len() {
            return Err(SnapshotErrorKind::Malformed);
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(suffix);
        self.skip(length);
        self.payload = self.used - payload_width..self.used;
        self.records += 1;
        self.block.records -= 1;
        self.block.bytes -= length;
        self.block.first = false;
        Ok(())
    }

    fn read_footer(&mut self) -> Result<bool, SnapshotErrorKind> {
        let Some(footer) = self.rest().first_chunk::<FOOTER>() else { return Ok(false) };
        let checksum = self.checksum.clone().finalize();
        let totals = Totals { records: self.records, bytes: self.offset, checksum };
        if *footer != totals.to_footer() {
            return Err(SnapshotErrorKind::Corrupt);
        }
        self.skip(FOOTER);
        self.complete = Some(totals.summary());
        Ok(true)
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.used..]
    }

    fn skip(&mut self, bytes: usize) {
        self.used += bytes;
        self.offset += bytes as u64;
    }
}

/// Says how far it is, and no key.
impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("layout", &self.layout)
            .field("records", &self.records)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

/// Says how wide it is, and not what it holds.
impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("key_bytes", &self.key.len())
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// Takes the two numbers in front of a front-coded key.
fn front_coding(bytes: &mut &[u8]) -> Option<(usize, usize)> {
    Some((take_varint(bytes)?, take_varint(bytes)?))
}
