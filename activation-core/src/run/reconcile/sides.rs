//! Brings the three sides together: what we put there, the segment, and the list itself.
//!
//! They are joined twice, each time by sorting: by contact, since an address may have changed at the
//! service, then by fingerprint.

use segment_diff::Fingerprint;

use super::{
    ReconcileMode, Reconciliation,
    sorter::{Sorted, Sorter},
};
use crate::{
    ContactId, IdentifierKind, SegmentSource, StoreErrorKind,
    run::{
        Session, delta::fingerprint, error::RunError, excluded::Excluded, journal::Entry,
        membership::MembershipReader,
    },
    source::CheckedScan,
};

/// A contact, a side, and a fingerprint.
type ByContact = [u8; 25];
/// A fingerprint, a side, and a contact.
type BySide = [u8; 25];

const OURS: u8 = 0;
const LISTED: u8 = 1;
/// On the list, without an identifier of the activation's kind.
const NAMELESS: u8 = 2;

/// What stands on the sides for one fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) member: Fingerprint,
    /// In the segment, and not excluded.
    pub(super) wanted: bool,
    pub(super) ours: Option<Ours>,
    pub(super) listed: Option<Listed>,
}

/// What we put on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ours {
    pub(super) contact: Option<ContactId>,
    /// Whether that contact is on the list, under whatever identifier.
    pub(super) is_listed: bool,
}

/// What the list shows under this identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) contact: ContactId,
    /// Whether that contact is ours, under this or another identifier.
    pub(super) is_ours: bool,
}

/// The three sides, sorted.
pub(super) struct Sides {
    members: Sorted<25>,
    read: Vec<BySide>,
    next: usize,
    pub(super) on_list: u64,
    /// On the list, not ours, and without an identifier of the activation's kind.
    pub(super) nameless: u64,
    /// The snapshot could not be read.
    pub(super) snapshot_lost: bool,
}

impl Sides {
    pub(super) async fn gather(
        session: &mut Session<'_>,
        source: &dyn SegmentSource,
        list_id: u64,
        excluded: &Excluded,
        options: &Reconciliation,
    ) -> Result<Self, RunError> {
        let mut gather = match read_ours(session, options).await {
            Err(RunError::Store(error))
                if error.kind == StoreErrorKind::Corrupt
                    && options.mode == ReconcileMode::Rebuild =>
            {
                Gather { snapshot_lost: true, ..Gather::new(options)? }
            }
            gathered => gathered?,
        };
        gather.read_list(session, list_id).await?;
        gather.read_segment(session, source, excluded).await?;
        gather.join(session).await
    }

    /// The next member, in ascending order of fingerprint.
    pub(super) async fn next_member(&mut self) -> Result<Option<Member>, RunError> {
        let Some(first) = self.peek().await? else { return Ok(None) };
        let mut member =
            Member { member: fingerprint_in(&first), wanted: false, ours: None, listed: None };
        while let Some(record) = self.peek().await?.filter(|r| fingerprint_in(r) == member.member) {
            self.next += 1;
            take_in(&mut member, &record);
        }
        Ok(Some(member))
    }

    async fn peek(&mut self) -> Result<Option<BySide>, RunError> {
        if self.next == self.read.len() {
            self.next = 0;
            self.members.next_records(&mut self.read).await?;
        }
        Ok(self.read.get(self.next).copied())
    }
}

/// Collects the sides.
struct Gather {
    by_contact: Sorter<25>,
    by_member: Sorter<25>,
    on_list: u64,
    snapshot_lost: bool,
}

impl Gather {
    fn new(options: &Reconciliation) -> Result<Self, RunError> {
        let half = options.memory / 2;
        Ok(Self {
            by_contact: Sorter::new(&options.directory, half)?,
            by_member: Sorter::new(&options.directory, half)?,
            on_list: 0,
            snapshot_lost: false,
        })
    }

    async fn read_list(&mut self, session: &mut Session<'_>, list_id: u64) -> Result<(), RunError> {
        let key = session.store.fingerprint_key();
        let kind = session.activation.resolved().identifier;
        let mut scan = session.destination.members(list_id);
        while let Some(page) = scan.next_page().await? {
            session.renew_if_leased().await?;
            for listed in page {
                self.on_list += 1;
                let identifiers = listed.identifiers.iter().filter(|one| one.kind() == kind);
                let mut is_nameless = true;
                for identifier in identifiers {
                    is_nameless = false;
                    let member = fingerprint(key, identifier);
                    self.by_contact.push(by_contact(listed.contact, LISTED, member)).await?;
                }
                if is_nameless {
                    let nobody = Fingerprint::from_bytes([0; 16]);
                    self.by_contact.push(by_contact(listed.contact, NAMELESS, nobody)).await?;
                }
            }
        }
        Ok(())
    }

    async fn read_segment(
        &mut self,
        session: &mut Session<'_>,
        source: &dyn SegmentSource,
        excluded: &Excluded,
    ) -> Result<(), RunError> {
        let key = session.store.fingerprint_key();
        let kind: IdentifierKind = session.activation.resolved().identifier;
        let mut scan = CheckedScan::new(source.open().await?);
        while let Some(batch) = scan.next_batch().await? {
            session.renew_if_leased().await?;
            for identifier in batch.iter().filter_map(|raw| kind.normalise(raw).ok()) {
                let member = fingerprint(key, &identifier);
                if excluded.reason(&member).is_none() {
                    self.by_member.push(by_side(member, Side::Wanted, None)).await?;
                }
            }
        }
        Ok(())
    }

    /// The first join, by contact.
    async fn join(mut self, session: &mut Session<'_>) -> Result<Sides, RunError> {
        let mut contacts = self.by_contact.finish().await?;
        let mut records = Vec::new();
        let mut group: Vec<ByContact> = Vec::new();
        let mut nameless = 0;
        while contacts.next_records(&mut records).await? {
            session.renew_if_leased().await?;
            for record in &records {
                if group.last().is_some_and(|last| last[..8] != record[..8]) {
                    nameless += pass_on(&group, &mut self.by_member).await?;
                    group.clear();
                }
                group.push(*record);
            }
        }
        nameless += pass_on(&group, &mut self.by_member).await?;
        Ok(Sides {
            members: self.by_member.finish().await?,
            read: Vec::new(),
            next: 0,
            on_list: self.on_list,
            nameless,
            snapshot_lost: self.snapshot_lost,
        })
    }
}

async fn read_ours(
    session: &mut Session<'_>,
    options: &Reconciliation,
) -> Result<Gather, RunError> {
    let mut gather = Gather::new(options)?;
    let key = session.activation.key();
    let snapshot = session.head.snapshot.as_ref();
    let mut reader = MembershipReader::open(session.store, &key, snapshot).await?;
    let mut members = Vec::new();
    while reader.next_members(&mut members).await? {
        session.renew_if_leased().await?;
        for Entry { member, contact } in &members {
            match contact {
                Some(contact) => {
                    gather.by_contact.push(by_contact(*contact, OURS, *member)).await?
                }
                None => gather.by_member.push(by_side(*member, Side::OursOff, None)).await?,
            }
        }
    }
    Ok(gather)
}

/// Passes on all that is known of one contact; 1 if it is on the list, not ours and nameless.
async fn pass_on(group: &[ByContact], by_member: &mut Sorter<25>) -> Result<u64, RunError> {
    let has = |side: u8| group.iter().any(|record| record[8] == side);
    let (is_ours, is_listed) = (has(OURS), has(LISTED) || has(NAMELESS));
    for record in group {
        let (contact, member) = (contact_at(record, 0), fingerprint_at(record, 9));
        let side = match (record[8], is_ours, is_listed) {
            (OURS, _, true) => Side::OursOn,
            (OURS, _, false) => Side::OursOff,
            (LISTED, true, _) => Side::ListedOurs,
            (LISTED, false, _) => Side::ListedForeign,
            _ => continue,
        };
        by_member.push(by_side(member, side, contact)).await?;
    }
    Ok(u64::from(has(NAMELESS) && !is_ours))
}

/// Where a member was found.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Side {
    Wanted = 0,
    OursOff = 1,
    OursOn = 2,
    ListedOurs = 3,
    ListedForeign = 4,
}

fn take_in(member: &mut Member, record: &BySide) {
    let contact = contact_at(record, 17);
    let (on, off) = (Side::OursOn as u8, Side::OursOff as u8);
    let mine = Side::ListedOurs as u8;
    match (record[16], contact) {
        (side, contact) if side == on || side == off => {
            member.ours = Some(Ours { contact, is_listed: side == on });
        }
        (side, Some(contact)) if side >= mine => {
            member.listed = Some(Listed { contact, is_ours: side == mine });
        }
        _ => member.wanted = true,
    }
}

fn by_contact(contact: ContactId, side: u8, member: Fingerprint) -> ByContact {
    let mut record = [side; 25];
    record[..8].copy_from_slice(&contact.get().to_be_bytes());
    record[9..].copy_from_slice(member.as_bytes());
    record
}

fn by_side(member: Fingerprint, side: Side, contact: Option<ContactId>) -> BySide {
    let mut record = [side as u8; 25];
    record[..16].copy_from_slice(member.as_bytes());
    record[17..].copy_from_slice(&contact.map_or(0, ContactId::get).to_be_bytes());
    record
}

fn fingerprint_in(record: &BySide) -> Fingerprint {
    fingerprint_at(record, 0)
}

fn fingerprint_at(record: &[u8; 25], start: usize) -> Fingerprint {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&record[start..start + 16]);
    Fingerprint::from_bytes(bytes)
}

fn contact_at(record: &[u8; 25], start: usize) -> Option<ContactId> {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&record[start..start + 8]);
    ContactId::new(u64::from_be_bytes(bytes))
}
