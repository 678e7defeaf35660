use std::fmt;
use std::io::{self, Read, Write};

use super::format::{BLOCK_TARGET, Content};
use super::{
    Decoder, Encoder, FixedRecords, Layout, Record, SnapshotError, SnapshotErrorKind, Summary,
};
use crate::merge::SortedInput;

/// Writes a snapshot to a stream, in pieces of about a block: no further buffering is needed.
pub struct SnapshotWriter<W> {
    encoder: Encoder,
    /// How many bytes wait before they are written.
    flush_at: usize,
    output: Output<W>,
}

impl<W: Write> SnapshotWriter<W> {
    /// Begins a snapshot whose records have the shape `layout`. Nothing is written yet.
    pub fn new(inner: W, layout: Layout) -> Self {
        Self::with_encoder(inner, Encoder::new(layout))
    }

    /// Writes what `encoder` makes, which may have been given a block size and no index.
    pub fn with_encoder(inner: W, encoder: Encoder) -> Self {
        let output = Output { inner, pending: Vec::new(), written: 0, failed: false };
        Self { flush_at: encoder.block_target() / 2, encoder, output }
    }

    /// As [`new`](Self::new), with blocks of about `block_target` bytes, memory to match, and
    /// without an index, for a file that is read once from front to back.
    pub(crate) fn with_block_target(inner: W, layout: Layout, block_target: usize) -> Self {
        Self::with_encoder(inner, Encoder::new(layout).without_index().block_bytes(block_target))
    }

    /// Adds a record.
    ///
    /// # Errors
    ///
    /// Fails as [`Encoder::push`] does, and when the stream fails. After a failure
    /// [`finish`](Self::finish) fails too.
    pub fn push(&mut self, key: &[u8], payload: &[u8]) -> Result<(), SnapshotError> {
        self.encoder.push(key, payload, &mut self.output.pending)?;
        self.write_if_full()
    }

    /// Adds many records of [`Layout::Fixed`], keys and payloads in turn, as
    /// [`Encoder::push_records`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`push`](Self::push) does.
    pub fn push_records(&mut self, records: &[u8]) -> Result<(), SnapshotError> {
        self.encoder.push_records(records, &mut self.output.pending)?;
        self.write_if_full()
    }

    /// Fails, now and when it is finished, because of a record that may not be written.
    pub(crate) fn refuse(&mut self, kind: SnapshotErrorKind) -> Result<(), SnapshotError> {
        Err(self.encoder.refuse(kind))
    }

    /// Makes [`finish`](Self::finish) fail, because records are missing.
    pub(crate) fn spoil(&mut self) {
        self.encoder.refuse(SnapshotErrorKind::Incomplete);
    }

    fn write_if_full(&mut self) -> Result<(), SnapshotError> {
        if self.output.pending.len() >= self.flush_at { self.output.write() } else { Ok(()) }
    }

    /// Writes what is left and the footer, flushes, and gives the stream back.
    ///
    /// A file is on its medium only after the caller has synchronised it as well.
    ///
    /// # Errors
    ///
    /// Fails when an earlier [`push`](Self::push) failed and when the stream fails.
    pub fn finish(mut self) -> Result<(Summary, W), SnapshotError> {
        let summary = self.encoder.finish(&mut self.output.pending)?;
        self.output.write()?;
        self.output.flush()?;
        Ok((summary, self.output.inner))
    }
}

/// Says how far it is, and no key.
impl<W> fmt::Debug for SnapshotWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotWriter").field("encoder", &self.encoder).finish_non_exhaustive()
    }
}

/// The stream and what waits to be written to it.
struct Output<W> {
    inner: W,
    pending: Vec<u8>,
    written: u64,
    failed: bool,
}

impl<W: Write> Output<W> {
    fn write(&mut self) -> Result<(), SnapshotError> {
        // How much of a failed write arrived is unknown, so nothing may follow it.
        let result = if self.failed {
            Err(io::Error::other("an earlier write failed"))
        } else {
            self.inner.write_all(&self.pending)
        };
        self.failed = result.is_err();
        result.map_err(|source| SnapshotError::io(self.written, source))?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SnapshotError> {
        self.inner.flush().map_err(|source| SnapshotError::io(self.written, source))
    }
}

/// Reads a snapshot from a stream, in pieces of 64 KiB: no further buffering is needed.
pub struct SnapshotReader<R> {
    inner: R,
    decoder: Decoder,
    chunk: usize,
    read: u64,
    layout: Layout,
    summary: Option<Summary>,
}

impl<R: Read> SnapshotReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// Fails when the stream fails or does not begin like a snapshot.
    pub fn new(inner: R) -> Result<Self, SnapshotError> {
        Self::with_chunk(inner, BLOCK_TARGET)
    }

    pub(crate) fn with_chunk(inner: R, chunk: usize) -> Result<Self, SnapshotError> {
        Self::with_decoder(inner, chunk, Decoder::new())
    }

    pub(crate) fn of(content: Content, inner: R) -> Result<Self, SnapshotError> {
        Self::with_decoder(inner, BLOCK_TARGET, Decoder::of(content))
    }

    fn with_decoder(inner: R, chunk: usize, decoder: Decoder) -> Result<Self, SnapshotError> {
        // The layout is a placeholder until the header, read next, states it.
        let layout = Layout::Bytes { payload: 0 };
        let mut reader = Self { inner, decoder, chunk, read: 0, layout, summary: None };
        reader.layout = loop {
            if let Some(layout) = reader.decoder.read_layout()? {
                break layout;
            }
            if !reader.refill()? {
                reader.decoder.complete()?;
            }
        };
        Ok(reader)
    }

    /// The shape of the records.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The next record, or `None` at the end of a snapshot that is complete and unaltered.
    ///
    /// # Errors
    ///
    /// Fails when the stream fails, and when the data is truncated, altered, malformed or goes on
    /// after the footer. What was read before is then not to be relied on.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, SnapshotError> {
        Ok(if self.advance()? { Some(self.record()) } else { None })
    }

    /// The next records of a snapshot of [`Layout::Fixed`], a block at a time; `None` at the end
    /// of a snapshot that is complete and unaltered.
    ///
    /// # Errors
    ///
    /// Fails as [`next_record`](Self::next_record) does, and when the layout is another one.
    pub fn next_records(&mut self) -> Result<Option<FixedRecords<'_>>, SnapshotError> {
        while self.summary.is_none() {
            if self.decoder.find_records()? {
                return self.decoder.next_records();
            }
            self.refill_or_complete()?;
        }
        Ok(None)
    }

    /// What the snapshot held, once [`next_record`](Self::next_record) has returned `None`.
    pub fn summary(&self) -> Option<Summary> {
        self.summary
    }

    pub(crate) fn advance(&mut self) -> Result<bool, SnapshotError> {
        while self.summary.is_none() {
            if self.decoder.advance()? {
                return Ok(true);
            }
            self.refill_or_complete()?;
        }
        Ok(false)
    }

    pub(crate) fn record(&self) -> Record<'_> {
        self.decoder.record()
    }

    /// Says that the record moved to is not what it has to be.
    pub(crate) fn malformed(&mut self) -> SnapshotError {
        self.decoder.malformed()
    }

    fn refill_or_complete(&mut self) -> Result<(), SnapshotError> {
        if !self.refill()? {
            self.summary = Some(self.decoder.complete()?);
        }
        Ok(())
    }

    /// Feeds the next piece of the stream; `false` at its end.
    fn refill(&mut self) -> Result<bool, SnapshotError> {
        let inner = &mut self.inner;
        let length = loop {
            match self.decoder.feed_with(self.chunk, |buffer| inner.read(buffer)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(|source| SnapshotError::io(self.read, source))?,
            }
        };
        self.read += length as u64;
        Ok(length > 0)
    }
}

/// A snapshot is an input whose versions are its payloads.
impl<R: Read> SortedInput for SnapshotReader<R> {
    type Key = [u8];
    type Version = [u8];
    type Error = SnapshotError;

    fn advance(&mut self) -> Result<bool, SnapshotError> {
        SnapshotReader::advance(self)
    }

    fn key(&self) -> &[u8] {
        self.record().key
    }

    fn version(&self) -> &[u8] {
        self.record().payload
    }
}

/// Says how far it is, and no key.
impl<R> fmt::Debug for SnapshotReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotReader").field("decoder", &self.decoder).finish_non_exhaustive()
    }
}
