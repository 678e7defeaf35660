use std::fmt;
use std::io::{self, Read, Write};

use super::format::BLOCK_TARGET;
use super::{Decoder, Encoder, Layout, Record, SnapshotError, Summary};

/// Writes a snapshot to a stream, in pieces of about a block: no further buffering is needed.
pub struct SnapshotWriter<W> {
    encoder: Encoder,
    block_target: usize,
    output: Output<W>,
}

impl<W: Write> SnapshotWriter<W> {
    /// Begins a snapshot whose records have the shape `layout`. Nothing is written yet.
    pub fn new(inner: W, layout: Layout) -> Self {
        Self::with_block_target(inner, layout, BLOCK_TARGET)
    }

    /// As [`new`](Self::new), with blocks of about `block_target` bytes and memory to match.
    pub(crate) fn with_block_target(inner: W, layout: Layout, block_target: usize) -> Self {
        let output = Output { inner, pending: Vec::new(), written: 0, failed: false };
        Self { encoder: Encoder::with_block_target(layout, block_target), block_target, output }
    }

    /// Adds a record.
    ///
    /// # Errors
    ///
    /// Fails as [`Encoder::push`] does, and when the stream fails. After a failure
    /// [`finish`](Self::finish) fails too.
    pub fn push(&mut self, key: &[u8], payload: &[u8]) -> Result<(), SnapshotError> {
        self.encoder.push(key, payload, &mut self.output.pending)?;
        if self.output.pending.len() >= self.block_target / 2 {
            self.output.write()
        } else {
            Ok(())
        }
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
    chunk: Box<[u8]>,
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
        let chunk = vec![0; chunk].into_boxed_slice();
        // The layout is a placeholder until the header, read next, states it.
        let layout = Layout::Bytes { payload: 0 };
        let mut reader =
            Self { inner, decoder: Decoder::new(), chunk, read: 0, layout, summary: None };
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

    /// What the snapshot held, once [`next_record`](Self::next_record) has returned `None`.
    pub fn summary(&self) -> Option<Summary> {
        self.summary
    }

    pub(crate) fn advance(&mut self) -> Result<bool, SnapshotError> {
        while self.summary.is_none() {
            if self.decoder.advance()? {
                return Ok(true);
            }
            if !self.refill()? {
                self.summary = Some(self.decoder.complete()?);
            }
        }
        Ok(false)
    }

    pub(crate) fn record(&self) -> Record<'_> {
        self.decoder.record()
    }

    /// Feeds the next piece of the stream; `false` at its end.
    fn refill(&mut self) -> Result<bool, SnapshotError> {
        let length = loop {
            match self.inner.read(&mut self.chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(|source| SnapshotError::io(self.read, source))?,
            }
        };
        self.read += length as u64;
        self.decoder.feed(&self.chunk[..length]);
        Ok(length > 0)
    }
}

/// Says how far it is, and no key.
impl<R> fmt::Debug for SnapshotReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotReader").field("decoder", &self.decoder).finish_non_exhaustive()
    }
}
