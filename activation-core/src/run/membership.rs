//! The acknowledged membership as a stream: reading the snapshot, writing the next one.
//!
//! A record is a fingerprint and a contact id (8 bytes, little endian, 0 for unknown).

use std::collections::HashMap;

use segment_diff::{
    Fingerprint,
    snapshot::{Decoder, Encoder, Layout, SnapshotError},
};

use super::{error::RunError, journal::Entry};
use crate::{
    ActivationKey, ContactId, Lease, MembershipChange, SnapshotRead, SnapshotRef, SnapshotWrite,
    StateStore, StoreError, StoreErrorKind, ledger::LedgerWriter,
};

const LAYOUT: Layout = Layout::Fixed { key: 16, payload: 8 };

/// Bytes collected before they are handed to the store.
const CHUNK_BYTES: usize = 256 * 1024;

/// Reads the members of a snapshot, in ascending order of fingerprint.
pub(super) struct MembershipReader {
    chunks: Option<Box<dyn SnapshotRead>>,
    decoder: Decoder,
    /// Members that come before those of the chunks.
    ready: Vec<Entry>,
}

impl MembershipReader {
    /// Opens a snapshot; no snapshot is an empty membership.
    pub(super) async fn open(
        store: &dyn StateStore,
        activation: &ActivationKey,
        snapshot: Option<&SnapshotRef>,
    ) -> Result<Self, StoreError> {
        let chunks = match snapshot {
            Some(snapshot) => Some(store.read_snapshot(activation, snapshot).await?),
            None => None,
        };
        Ok(Self { chunks, decoder: Decoder::new(), ready: Vec::new() })
    }

    /// Reads members that are in memory, in ascending order of fingerprint.
    pub(super) fn of(members: Vec<Entry>) -> Self {
        Self { chunks: None, decoder: Decoder::new(), ready: members }
    }

    /// Puts the next members into `members`, replacing its content; `false` at the end.
    pub(super) async fn next_members(
        &mut self,
        members: &mut Vec<Entry>,
    ) -> Result<bool, StoreError> {
        *members = std::mem::take(&mut self.ready);
        while members.is_empty() {
            let Some(chunks) = &mut self.chunks else { return Ok(false) };
            match chunks.next_chunk().await? {
                Some(chunk) => self.decode(&chunk, members)?,
                None => {
                    self.chunks = None;
                    std::mem::take(&mut self.decoder).finish().map_err(unreadable)?;
                }
            }
        }
        Ok(true)
    }

    fn decode(&mut self, chunk: &[u8], members: &mut Vec<Entry>) -> Result<(), StoreError> {
        self.decoder.feed(chunk);
        while let Some(record) = self.decoder.next_record().map_err(unreadable)? {
            let member = record.key.first_chunk::<16>();
            let contact = record.payload.first_chunk::<8>();
            let (Some(member), Some(contact)) = (member, contact) else {
                return Err(wrong_layout());
            };
            members.push(Entry {
                member: Fingerprint::from_bytes(*member),
                contact: ContactId::new(u64::from_le_bytes(*contact)),
            });
        }
        match self.decoder.layout() {
            Some(layout) if layout != LAYOUT => Err(wrong_layout()),
            _ => Ok(()),
        }
    }
}

/// Writes `previous` without `removed` and with `added` as a new snapshot: one streaming merge.
/// Both changes are in ascending order. Returns `None` when nobody is left. Who really enters or
/// leaves stands in the ledger.
pub(super) async fn write_membership(
    store: &dyn StateStore,
    lease: &Lease,
    previous: Option<&SnapshotRef>,
    changes: &Changes<'_>,
    ledger: &mut LedgerWriter<'_>,
) -> Result<Option<SnapshotRef>, RunError> {
    let Changes { added, removed, .. } = changes;
    let mut reader = MembershipReader::open(store, &lease.activation, previous).await?;
    let mut writer = MembershipWriter::begin(store, lease).await?;
    let mut added = added.iter().copied().peekable();
    let mut removed = removed.iter().copied().peekable();
    let mut members = Vec::new();
    while reader.next_members(&mut members).await? {
        for &kept in &members {
            while let Some(new) = added.next_if(|new| new.member < kept.member) {
                changes.enter(new, ledger).await?;
                writer.push(new).await?;
            }
            while removed.next_if(|gone| *gone < kept.member).is_some() {}
            // Acknowledged again: what was learnt last counts.
            if let Some(new) = added.next_if(|new| new.member == kept.member) {
                writer.push(new).await?;
            } else if removed.peek() != Some(&kept.member) {
                writer.push(kept).await?;
            } else {
                changes.exit(kept, ledger).await?;
            }
        }
    }
    for new in added {
        changes.enter(new, ledger).await?;
        writer.push(new).await?;
    }
    Ok(writer.finish().await?)
}

/// Changes of a membership, and why they are made.
pub(super) struct Changes<'a> {
    pub(super) added: &'a [Entry],
    pub(super) removed: &'a [Fingerprint],
    pub(super) why_added: &'a str,
    pub(super) why_removed: &'a str,
    /// Why those are removed who are excluded.
    pub(super) excluded: &'a HashMap<Fingerprint, String>,
}

impl Changes<'_> {
    async fn enter(&self, new: Entry, ledger: &mut LedgerWriter<'_>) -> Result<(), RunError> {
        let Entry { member, contact } = new;
        Ok(ledger.push(MembershipChange::Enter, member, contact, self.why_added).await?)
    }

    async fn exit(&self, gone: Entry, ledger: &mut LedgerWriter<'_>) -> Result<(), RunError> {
        let Entry { member, contact } = gone;
        let cause = self.excluded.get(&member).map_or(self.why_removed, String::as_str);
        Ok(ledger.push(MembershipChange::Exit, member, contact, cause).await?)
    }
}

/// Writes members, in ascending order of fingerprint.
pub(super) struct MembershipWriter {
    chunks: Box<dyn SnapshotWrite>,
    encoder: Encoder,
    pending: Vec<u8>,
    members: u64,
}

impl MembershipWriter {
    pub(super) async fn begin(store: &dyn StateStore, lease: &Lease) -> Result<Self, StoreError> {
        let chunks = store.write_snapshot(lease).await?;
        Ok(Self { chunks, encoder: Encoder::new(LAYOUT), pending: Vec::new(), members: 0 })
    }

    pub(super) async fn push(&mut self, entry: Entry) -> Result<(), StoreError> {
        let contact = entry.contact.map_or(0, ContactId::get).to_le_bytes();
        self.encoder
            .push(entry.member.as_bytes(), &contact, &mut self.pending)
            .map_err(unwritable)?;
        self.members += 1;
        if self.pending.len() >= CHUNK_BYTES {
            self.chunks.write_chunk(&self.pending).await?;
            self.pending.clear();
        }
        Ok(())
    }

    /// Makes them durable; `None` when there are none.
    pub(super) async fn finish(mut self) -> Result<Option<SnapshotRef>, StoreError> {
        if self.members == 0 {
            return Ok(None);
        }
        let summary = self.encoder.finish(&mut self.pending).map_err(unwritable)?;
        self.chunks.write_chunk(&self.pending).await?;
        let name = self.chunks.finish().await?;
        Ok(Some(SnapshotRef { name, members: self.members, bytes: summary.bytes }))
    }
}

fn unreadable(error: SnapshotError) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "the snapshot of the last run cannot be read")
        .caused_by(error)
}

fn unwritable(error: SnapshotError) -> StoreError {
    StoreError::new(StoreErrorKind::Failed, "the new snapshot cannot be written").caused_by(error)
}

fn wrong_layout() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "the snapshot of the last run has another layout")
}
