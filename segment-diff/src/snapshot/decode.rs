use alloc::vec::Vec;
use core::fmt;

use super::cursor::{Cursor, first_key};
use super::format::{
    BLOCK_HEADER, BLOCK_TAG, BlockHeader, Content, FOOTER_TAG, HEADER, Header, INDEX_TAG, MAX_BODY,
    Totals, Version, body_checksum,
};
use super::index::{IndexCheck, Place};
use super::{FixedRecords, Layout, Record, SnapshotError, SnapshotErrorKind, Summary};

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
pub struct Decoder {
    content: Content,
    buffer: Vec<u8>,
    /// Everything in `buffer` before this place was used.
    used: usize,
    /// The offset in the file of `buffer[used]`.
    offset: u64,
    started: Option<Started>,
    records: u64,
    checksum: crc32fast::Hasher,
    complete: Option<Summary>,
    failed: Option<(SnapshotErrorKind, u64)>,
}

/// What is known once the header was read.
struct Started {
    version: Version,
    layout: Layout,
    /// In the block being read, which was verified.
    cursor: Cursor,
    index: IndexCheck,
    index_offset: Option<u64>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// Begins at the start of a snapshot.
    pub fn new() -> Self {
        Self::of(Content::Membership)
    }

    pub(crate) fn of(content: Content) -> Self {
        Self {
            content,
            buffer: Vec::new(),
            used: 0,
            offset: 0,
            started: None,
            records: 0,
            checksum: crc32fast::Hasher::new(),
            complete: None,
            failed: None,
        }
    }

    /// Takes the next bytes of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.make_room();
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

    /// The next records of a snapshot of [`Layout::Fixed`], a block at a time, or what is left of
    /// a block after [`next_record`](Self::next_record); `None` when more bytes are needed or the
    /// footer was reached.
    ///
    /// # Errors
    ///
    /// Fails as [`next_record`](Self::next_record) does, and when the layout is another one.
    pub fn next_records(&mut self) -> Result<Option<FixedRecords<'_>>, SnapshotError> {
        if !self.guarded(Self::find_block)? {
            return Ok(None);
        }
        let Some(started) = &mut self.started else { return Ok(None) };
        let bytes = started.cursor.bytes();
        match started.cursor.read_block(&self.buffer[self.used..]) {
            Ok(records) => {
                self.used += bytes;
                self.offset += bytes as u64;
                self.records += records.len() as u64;
                Ok(Some(records))
            }
            Err(kind) => {
                self.failed = Some((kind, self.offset));
                Err(SnapshotError::at(self.offset, kind))
            }
        }
    }

    /// The shape of the records, once the header was read (by [`next_record`](Self::next_record)).
    pub fn layout(&self) -> Option<Layout> {
        self.started.as_ref().map(|started| started.layout)
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
        match &self.started {
            Some(started) => {
                let payload = started.layout.payload_width();
                let payload = &self.buffer[self.used - payload..self.used];
                Record { key: started.cursor.key(), payload }
            }
            None => Record { key: &[], payload: &[] },
        }
    }

    /// Reads the header if it is there, and nothing else.
    #[cfg(feature = "std")]
    pub(super) fn read_layout(&mut self) -> Result<Option<Layout>, SnapshotError> {
        if self.started.is_none() {
            self.guarded(Self::read_header)?;
        }
        Ok(self.layout())
    }

    /// The error for a record read last that is not what it has to be, now and at every later
    /// call; the offset is that of its end.
    #[cfg(feature = "std")]
    pub(super) fn malformed(&mut self) -> SnapshotError {
        self.failed = Some((SnapshotErrorKind::Malformed, self.offset));
        SnapshotError::at(self.offset, SnapshotErrorKind::Malformed)
    }

    /// Whether [`next_records`](Self::next_records) has some without being fed.
    #[cfg(feature = "std")]
    pub(super) fn find_records(&mut self) -> Result<bool, SnapshotError> {
        self.guarded(Self::find_block)
    }

    /// Lets `read` append up to `bytes` bytes of the file, and says how many it did.
    #[cfg(feature = "std")]
    pub(super) fn feed_with<E>(
        &mut self,
        bytes: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        self.make_room();
        let filled = self.buffer.len();
        self.buffer.resize(filled + bytes, 0);
        let read = read(&mut self.buffer[filled..]);
        self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
        read
    }

    fn make_room(&mut self) {
        // Moving the rest only when it is the smaller part keeps the cost linear.
        if self.used >= self.buffer.len() - self.used {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
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
        if !self.find_block()? {
            return Ok(false);
        }
        let Some(started) = &mut self.started else { return Ok(false) };
        let length = started.cursor.read(&self.buffer[self.used..])?;
        self.skip(length);
        self.records += 1;
        Ok(true)
    }

    /// Goes on until a record follows; `false` when more bytes are needed or the footer was
    /// reached.
    fn find_block(&mut self) -> Result<bool, SnapshotErrorKind> {
        loop {
            if self.started.as_ref().is_some_and(|started| started.cursor.records() > 0) {
                return Ok(true);
            }
            let progress = match (&self.started, self.complete, self.rest().first()) {
                (_, _, None) => false,
                (None, _, _) => self.read_header()?,
                (_, Some(_), _) => return Err(SnapshotErrorKind::Trailing),
                (_, _, Some(&BLOCK_TAG | &INDEX_TAG)) => self.read_block()?,
                (_, _, Some(&FOOTER_TAG)) => self.read_footer()?,
                _ => return Err(SnapshotErrorKind::Malformed),
            };
            if !progress {
                return Ok(false);
            }
        }
    }

    fn read_header(&mut self) -> Result<bool, SnapshotErrorKind> {
        let Some(bytes) = self.rest().first_chunk::<HEADER>() else { return Ok(false) };
        let Header { version, content, layout } = Header::from_bytes(bytes)?;
        if content != self.content {
            return Err(SnapshotErrorKind::WrongContent);
        }
        self.checksum.update(&self.buffer[self.used..][..HEADER]);
        let (cursor, index) = (Cursor::new(layout), IndexCheck::default());
        self.started = Some(Started { version, layout, cursor, index, index_offset: None });
        self.skip(HEADER);
        Ok(true)
    }

    /// Verifies a block as a whole; nothing in its header is trusted before.
    fn read_block(&mut self) -> Result<bool, SnapshotErrorKind> {
        let Some(started) = &mut self.started else { return Ok(false) };
        let rest = &self.buffer[self.used..];
        let Some((bytes, rest)) = rest.split_first_chunk::<BLOCK_HEADER>() else {
            return Ok(false);
        };
        let header = BlockHeader::from_bytes(bytes);
        if header.length as usize > MAX_BODY {
            return Err(SnapshotErrorKind::Malformed);
        }
        let Some(body) = rest.get(..header.length as usize) else { return Ok(false) };
        let body_checksum = body_checksum(body);
        if header.checksum_with(&body_checksum) != header.checksum {
            return Err(SnapshotErrorKind::Corrupt);
        }
        let indexed = started.version == Version::Two;
        if header.tag == BLOCK_TAG {
            if !header.fits(started.layout) || started.index.began() {
                return Err(SnapshotErrorKind::Malformed);
            }
            if indexed {
                let place = Place {
                    offset: self.offset,
                    records_before: self.records,
                    checksum: header.checksum,
                };
                // A block that lies about its first key fails when that is read, at its place.
                let key = first_key(started.layout, body).unwrap_or_default();
                started.index.expect(place, key);
            }
            started.cursor.begin(header);
            self.skip(BLOCK_HEADER);
        } else {
            if !indexed || header.records == 0 {
                return Err(SnapshotErrorKind::Malformed);
            }
            started.index_offset.get_or_insert(self.offset);
            started.index.find(header.records, body);
            self.skip(BLOCK_HEADER + header.length as usize);
        }
        self.checksum.update(&header.to_bytes());
        self.checksum.combine(&body_checksum);
        Ok(true)
    }

    fn read_footer(&mut self) -> Result<bool, SnapshotErrorKind> {
        let Some(started) = &self.started else { return Ok(false) };
        let length = started.version.footer();
        let Some(footer) = self.rest().get(..length) else { return Ok(false) };
        let index = match started.version {
            Version::One => None,
            Version::Two => Some(started.index_offset.unwrap_or(self.offset)),
        };
        let checksum = self.checksum.clone().finalize();
        let totals = Totals { records: self.records, bytes: self.offset, index, checksum };
        let mut expected = Vec::new();
        totals.write(&mut expected);
        if footer != expected || !started.index.agrees() && index.is_some() {
            return Err(SnapshotErrorKind::Corrupt);
        }
        self.skip(length);
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
            .field("layout", &self.layout())
            .field("records", &self.records)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}
