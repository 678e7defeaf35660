//! The acknowledged membership as a stream: reading the snapshot, writing the next one.
//!
//! A record is a fingerprint and a contact id (8 bytes, little endian, 0 for unknown), and in a keyed
//! membership the fingerprint of the person's warehouse key (16 bytes, zeros for unknown). Which of
//! the two a snapshot is stands in its header; one without keys is what it was before there were any.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    iter::Peekable,
    sync::Arc,
};

use segment_diff::{
    Fingerprint,
    snapshot::{Decoder, Encoder, Layout, SnapshotError},
};

use super::{error::RunError, journal::Entry, tally::Moved, warehouse_key::WarehouseKey};
use crate::{
    ActivationKey, ContactId, Lease, MembershipChange, SnapshotRead, SnapshotRef, SnapshotWrite,
    StateStore, StoreError, StoreErrorKind, ledger::LedgerWriter,
};

/// Members without warehouse keys.
const PLAIN: Layout = Layout::Fixed { key: 16, payload: 8 };
/// Members with warehouse keys.
const KEYED: Layout = Layout::Fixed { key: 16, payload: 24 };

/// Bytes of a warehouse key's fingerprint.
pub(super) const KEY_BYTES: usize = 16;

/// Bytes collected before they are handed to the store.
const CHUNK_BYTES: usize = 256 * 1024;

/// Reads the members of a snapshot, in ascending order of fingerprint.
pub(super) struct MembershipReader {
    chunks: Option<Box<dyn SnapshotRead>>,
    decoder: Decoder,
    /// Members that come before those of the chunks.
    ready: Vec<Entry>,
    /// The warehouse keys of the members that were read last; empty where the record has none.
    keys: Vec<Option<WarehouseKey>>,
    is_keyed: bool,
    /// If there, all others are left out.
    only: Option<Arc<HashSet<Fingerprint>>>,
    left_out: u64,
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
        Ok(Self { chunks, ..Self::of(Vec::new()) })
    }

    /// Reads members that are in memory, in ascending order of fingerprint.
    pub(super) fn of(members: Vec<Entry>) -> Self {
        let (decoder, keys) = (Decoder::new(), Vec::new());
        let (is_keyed, only, left_out) = (false, None, 0);
        Self { chunks: None, decoder, ready: members, keys, is_keyed, only, left_out }
    }

    /// Leaves out the members of a snapshot that are not among these.
    pub(super) fn only(mut self, members: Arc<HashSet<Fingerprint>>) -> Self {
        self.only = Some(members);
        self
    }

    /// How many members were left out so far.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether the membership holds warehouse keys. Known once members were asked for.
    pub(super) fn is_keyed(&self) -> bool {
        self.is_keyed
    }

    /// The warehouse key of the member at `position` among those that were read last.
    pub(super) fn key(&self, position: usize) -> Option<WarehouseKey> {
        self.keys.get(position).copied().flatten()
    }

    /// Puts the next members into `members`, replacing its content; `false` at the end.
    pub(super) async fn next_members(
        &mut self,
        members: &mut Vec<Entry>,
    ) -> Result<bool, StoreError> {
        *members = std::mem::take(&mut self.ready);
        self.keys.clear();
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
            let payload = record.payload.split_first_chunk::<8>();
            let (Some(member), Some((contact, key))) = (member, payload) else {
                return Err(wrong_layout());
            };
            let member = Fingerprint::from_bytes(*member);
            if self.only.as_ref().is_some_and(|only| !only.contains(&member)) {
                self.left_out += 1;
                continue;
            }
            if let Some(key) = key.first_chunk::<KEY_BYTES>() {
                self.keys.push(WarehouseKey::from_record(key));
            }
            members.push(Entry { member, contact: ContactId::new(u64::from_le_bytes(*contact)) });
        }
        match self.decoder.layout() {
            Some(PLAIN) | None => {}
            Some(KEYED) => self.is_keyed = true,
            Some(_) => return Err(wrong_layout()),
        }
        Ok(())
    }
}

/// Writes `previous` with the changes as a new snapshot: one streaming merge. Returns `None` when
/// nobody is left. Who really enters, leaves or moves stands in the ledger.
pub(super) async fn write_membership(
    store: &dyn StateStore,
    lease: &Lease,
    previous: Option<&SnapshotRef>,
    changes: &Changes<'_>,
    ledger: &mut LedgerWriter<'_>,
) -> Result<Option<SnapshotRef>, RunError> {
    let merged = Merged::of(changes);
    let learnt = with_inherited(store, lease, previous, changes).await?;
    let mut reader = MembershipReader::open(store, &lease.activation, previous).await?;
    let mut members = Vec::new();
    let mut is_more = reader.next_members(&mut members).await?;
    let is_keyed = reader.is_keyed() || !learnt.is_empty();
    let mut writer = MembershipWriter::begin(store, lease, is_keyed).await?;
    let mut added = merged.added.iter().copied().peekable();
    let mut removed = merged.removed.iter().copied().peekable();
    let mut keys = LearntKeys::new(&learnt);
    while is_more {
        for (position, &kept) in members.iter().enumerate() {
            while let Some(new) = added.next_if(|new| new.member < kept.member) {
                merged.enter(new, ledger).await?;
                writer.push(new, keys.of(&new.member)).await?;
            }
            while removed.next_if(|gone| *gone < kept.member).is_some() {}
            let key = keys.of(&kept.member).or(reader.key(position));
            // Acknowledged again: what was learnt last counts.
            if let Some(new) = added.next_if(|new| new.member == kept.member) {
                writer.push(new, key).await?;
            } else if removed.peek() != Some(&kept.member) {
                writer.push(merged.as_known(kept), key).await?;
            } else {
                merged.exit(kept, ledger).await?;
            }
        }
        is_more = reader.next_members(&mut members).await?;
    }
    for new in added {
        merged.enter(new, ledger).await?;
        writer.push(new, keys.of(&new.member)).await?;
    }
    for moved in changes.moved.iter().filter(|moved| moved.changes_member()) {
        ledger.push_move(moved.before, moved.entry.member, moved.entry.contact, MOVED).await?;
    }
    Ok(writer.finish().await?)
}

/// The ledger's cause of a move.
const MOVED: &str = "identifier_changed";

/// Changes of a membership, and why they are made. All in ascending order of fingerprint but the
/// moves.
#[derive(Default)]
pub(super) struct Changes<'a> {
    pub(super) added: &'a [Entry],
    pub(super) removed: &'a [Fingerprint],
    pub(super) moved: &'a [Moved],
    /// Members whose contact is no more.
    pub(super) lost_contacts: &'a [Fingerprint],
    /// Warehouse keys that were learnt.
    pub(super) keys: &'a [(Fingerprint, WarehouseKey)],
    pub(super) why_added: &'a str,
    pub(super) why_removed: &'a str,
    /// Why those are removed who are excluded.
    pub(super) excluded: Option<&'a HashMap<Fingerprint, String>>,
}

/// The changes, with each move taken apart into the one who comes and the one who goes.
struct Merged<'a> {
    changes: &'a Changes<'a>,
    added: Cow<'a, [Entry]>,
    removed: Cow<'a, [Fingerprint]>,
    /// Both sides of moves, which neither enter nor leave.
    moved: HashSet<Fingerprint>,
}

impl<'a> Merged<'a> {
    fn of(changes: &'a Changes<'a>) -> Self {
        let (mut added, mut removed) = (Cow::from(changes.added), Cow::from(changes.removed));
        let mut moved = HashSet::new();
        if !changes.moved.is_empty() {
            let (added, removed) = (added.to_mut(), removed.to_mut());
            for one in changes.moved {
                added.push(one.entry);
                if one.changes_member() {
                    removed.push(one.before);
                    moved.extend([one.before, one.entry.member]);
                }
            }
            added.sort_unstable_by_key(|entry| entry.member);
            added.dedup_by_key(|entry| entry.member);
            removed.sort_unstable();
            removed.dedup();
        }
        Self { changes, added, removed, moved }
    }

    async fn enter(&self, new: Entry, ledger: &mut LedgerWriter<'_>) -> Result<(), RunError> {
        let Entry { member, contact } = new;
        if self.moved.contains(&member) {
            return Ok(());
        }
        let cause = self.changes.why_added;
        Ok(ledger.push(MembershipChange::Enter, member, contact, cause).await?)
    }

    async fn exit(&self, gone: Entry, ledger: &mut LedgerWriter<'_>) -> Result<(), RunError> {
        let Entry { member, contact } = gone;
        if self.moved.contains(&member) {
            return Ok(());
        }
        let excluded = self.changes.excluded.and_then(|excluded| excluded.get(&member));
        let cause = excluded.map_or(self.changes.why_removed, String::as_str);
        Ok(ledger.push(MembershipChange::Exit, member, contact, cause).await?)
    }

    fn as_known(&self, kept: Entry) -> Entry {
        match self.changes.lost_contacts.binary_search(&kept.member) {
            Ok(_) => Entry { contact: None, ..kept },
            Err(_) => kept,
        }
    }
}

/// The warehouse keys that were learnt, with those that members who moved had before: a run that
/// learns of a move begun earlier may not meet them any more. Reads the record, if there are any.
async fn with_inherited<'a>(
    store: &dyn StateStore,
    lease: &Lease,
    previous: Option<&SnapshotRef>,
    changes: &Changes<'a>,
) -> Result<Cow<'a, [(Fingerprint, WarehouseKey)]>, StoreError> {
    let is_learnt =
        |member| changes.keys.binary_search_by_key(&member, |(other, _)| *other).is_ok();
    let heirs: HashMap<Fingerprint, Fingerprint> = (changes.moved.iter())
        .map(|moved| (moved.before, moved.entry.member))
        .filter(|(_, member)| !is_learnt(*member))
        .collect();
    let mut learnt = Cow::from(changes.keys);
    if heirs.is_empty() {
        return Ok(learnt);
    }
    let mut reader = MembershipReader::open(store, &lease.activation, previous).await?;
    let mut members = Vec::new();
    while reader.next_members(&mut members).await? {
        for (position, entry) in members.iter().enumerate() {
            if let (Some(heir), Some(key)) = (heirs.get(&entry.member), reader.key(position)) {
                learnt.to_mut().push((*heir, key));
            }
        }
    }
    if let Cow::Owned(learnt) = &mut learnt {
        learnt.sort_unstable();
    }
    Ok(learnt)
}

/// Looks up warehouse keys for members who come in ascending order.
struct LearntKeys<'a>(Peekable<std::slice::Iter<'a, (Fingerprint, WarehouseKey)>>);

impl<'a> LearntKeys<'a> {
    fn new(keys: &'a [(Fingerprint, WarehouseKey)]) -> Self {
        Self(keys.iter().peekable())
    }

    fn of(&mut self, member: &Fingerprint) -> Option<WarehouseKey> {
        while self.0.next_if(|(other, _)| other < member).is_some() {}
        self.0.peek().filter(|(other, _)| other == member).map(|(_, key)| *key)
    }
}

/// Writes members, in ascending order of fingerprint.
pub(super) struct MembershipWriter {
    chunks: Box<dyn SnapshotWrite>,
    encoder: Encoder,
    is_keyed: bool,
    pending: Vec<u8>,
    members: u64,
}

impl MembershipWriter {
    pub(super) async fn begin(
        store: &dyn StateStore,
        lease: &Lease,
        is_keyed: bool,
    ) -> Result<Self, StoreError> {
        let chunks = store.write_snapshot(lease).await?;
        let encoder = Encoder::new(if is_keyed { KEYED } else { PLAIN });
        Ok(Self { chunks, encoder, is_keyed, pending: Vec::new(), members: 0 })
    }

    /// Appends a member. The key counts only in a keyed membership.
    pub(super) async fn push(
        &mut self,
        entry: Entry,
        key: Option<WarehouseKey>,
    ) -> Result<(), StoreError> {
        let mut payload = [0; 8 + KEY_BYTES];
        let contact = entry.contact.map_or(0, ContactId::get);
        payload[..8].copy_from_slice(&contact.to_le_bytes());
        payload[8..].copy_from_slice(&WarehouseKey::to_record(key));
        let payload = if self.is_keyed { &payload[..] } else { &payload[..8] };
        self.encoder
            .push(entry.member.as_bytes(), payload, &mut self.pending)
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
