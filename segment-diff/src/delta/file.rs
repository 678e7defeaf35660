use std::fmt;
use std::io::{Read, Write};

use super::Change;
use crate::snapshot::{
    Content, Encoder, Layout, SnapshotError, SnapshotErrorKind, SnapshotReader, SnapshotWriter,
    Summary,
};

const ADDED: u8 = 1;
const REMOVED: u8 = 2;
const CHANGED: u8 = 3;

/// Writes a delta to a stream, in pieces of about a block: no further buffering is needed.
pub struct DeltaWriter<W> {
    writer: SnapshotWriter<W>,
    payload_width: usize,
    record: Vec<u8>,
}

impl<W: Write> DeltaWriter<W> {
    /// Begins a delta between snapshots of `layout`. Nothing is written yet.
    ///
    /// # Errors
    ///
    /// Fails when the payloads of `layout` are wider than 32,767 bytes.
    pub fn new(inner: W, layout: Layout) -> Result<Self, SnapshotError> {
        let encoder = Encoder::of(Content::Delta, with_both_payloads(layout)?);
        let payload_width = layout.payload_width();
        let writer = SnapshotWriter::with_encoder(inner, encoder);
        Ok(Self { writer, payload_width, record: Vec::new() })
    }

    /// Adds a change of `key`.
    ///
    /// # Errors
    ///
    /// Fails as [`Encoder::push`] does, when the two payloads of a changed member are the same,
    /// and when the stream fails. After a failure of the stream [`finish`](Self::finish) fails
    /// too.
    pub fn push(&mut self, key: &[u8], change: Change<&[u8]>) -> Result<(), SnapshotError> {
        let (what, before, after) = match change {
            Change::Added(after) => (ADDED, None, Some(after)),
            Change::Removed(before) => (REMOVED, Some(before), None),
            Change::Changed { before, after } => (CHANGED, Some(before), Some(after)),
        };
        self.record.clear();
        self.record.push(what);
        for payload in [before, after] {
            match payload {
                Some(payload) if payload.len() == self.payload_width => {
                    self.record.extend_from_slice(payload);
                }
                // The encoder refuses a record of this width, and remembers that it did.
                Some(_) => return self.writer.push(key, &[]),
                None => self.record.resize(self.record.len() + self.payload_width, 0),
            }
        }
        if what == CHANGED && before == after {
            return self.writer.refuse(SnapshotErrorKind::Malformed);
        }
        self.writer.push(key, &self.record)
    }

    /// Makes [`finish`](Self::finish) fail, because changes are missing.
    pub(super) fn spoil(&mut self) {
        self.writer.spoil();
    }

    /// Writes what is left and the footer, flushes, and gives the stream back.
    ///
    /// # Errors
    ///
    /// Fails when an earlier [`push`](Self::push) failed and when the stream fails.
    pub fn finish(self) -> Result<(Summary, W), SnapshotError> {
        self.writer.finish()
    }
}

/// Says how far it is, and no key.
impl<W> fmt::Debug for DeltaWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeltaWriter").field("writer", &self.writer).finish_non_exhaustive()
    }
}

/// A key and what happened to it.
pub type KeyedChange<'a> = (&'a [u8], Change<&'a [u8]>);

/// Reads a delta from a stream, in pieces of 64 KiB: no further buffering is needed.
pub struct DeltaReader<R> {
    reader: SnapshotReader<R>,
    layout: Layout,
    /// The number of changes read, that moved to included.
    read: u64,
}

impl<R: Read> DeltaReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// Fails when the stream fails or does not begin like a delta.
    pub fn new(inner: R) -> Result<Self, SnapshotError> {
        let reader = SnapshotReader::of(Content::Delta, inner)?;
        let layout = without_before(reader.layout())
            .ok_or_else(|| SnapshotError::at(0, SnapshotErrorKind::Malformed))?;
        Ok(Self { reader, layout, read: 0 })
    }

    /// The layout of the snapshots between which it leads.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The next change with its key, or `None` at the end of a delta that is complete and
    /// unaltered.
    ///
    /// # Errors
    ///
    /// Fails as [`SnapshotReader::next_record`] does, and when a record is no change. What was
    /// read before is then not to be relied on.
    pub fn next_change(&mut self) -> Result<Option<KeyedChange<'_>>, SnapshotError> {
        if !self.advance()? {
            return Ok(None);
        }
        Ok(self.change().map(|change| (self.key(), change)))
    }

    /// Moves to the next change; `false` at the end.
    pub(super) fn advance(&mut self) -> Result<bool, SnapshotError> {
        if !self.reader.advance()? {
            return Ok(false);
        }
        if self.change().is_none() {
            return Err(self.reader.malformed());
        }
        self.read += 1;
        Ok(true)
    }

    pub(super) fn key(&self) -> &[u8] {
        self.reader.record().key
    }

    /// The change moved to, or `None` when the record is none.
    pub(super) fn change(&self) -> Option<Change<&[u8]>> {
        let (what, payloads) = self.reader.record().payload.split_first()?;
        let (before, after) = payloads.split_at(self.layout.payload_width());
        let empty = |payload: &[u8]| payload.iter().all(|byte| *byte == 0);
        match *what {
            ADDED if empty(before) => Some(Change::Added(after)),
            REMOVED if empty(after) => Some(Change::Removed(before)),
            CHANGED if before != after => Some(Change::Changed { before, after }),
            _ => None,
        }
    }

    /// How many changes came before the one moved to.
    pub(super) fn index(&self) -> u64 {
        self.read - 1
    }
}

/// Says how far it is, and no key.
impl<R> fmt::Debug for DeltaReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeltaReader").field("reader", &self.reader).finish_non_exhaustive()
    }
}

/// The layout of the records of a delta between snapshots of `layout`.
fn with_both_payloads(layout: Layout) -> Result<Layout, SnapshotError> {
    let payload = u16::try_from(1 + 2 * layout.payload_width())
        .map_err(|_| SnapshotError::at(0, SnapshotErrorKind::WrongWidth))?;
    Ok(with_payload(layout, payload))
}

/// The layout of the snapshots between which a delta with records of `layout` leads.
fn without_before(layout: Layout) -> Option<Layout> {
    let width = layout.payload_width() as u16;
    (width % 2 == 1).then(|| with_payload(layout, width / 2))
}

fn with_payload(layout: Layout, payload: u16) -> Layout {
    match layout {
        Layout::Fixed { key, .. } => Layout::Fixed { key, payload },
        Layout::Bytes { .. } => Layout::Bytes { payload },
    }
}
