//! The warehouse keys of our record, looked up while it is written anew.

use segment_diff::Fingerprint;

use crate::{
    StoreError, StoreErrorKind,
    run::{
        Session, error::RunError, journal::Entry, membership::MembershipReader,
        warehouse_key::WarehouseKey,
    },
};

/// Reads the record beside the comparison, so that memory stays bounded.
pub(super) struct RecordedKeys {
    /// `None` when there is nothing more to read, or nothing that can be.
    reader: Option<MembershipReader>,
    is_keyed: bool,
    members: Vec<Entry>,
    next: usize,
}

impl RecordedKeys {
    /// Opens the record. Where it may be `lost`, one that cannot be read has no keys: the next run
    /// learns them again.
    pub(super) async fn open(session: &Session<'_>, lost: bool) -> Result<Self, RunError> {
        let (key, snapshot) = (session.activation.key(), session.head.snapshot.as_ref());
        let mut keys = Self { reader: None, is_keyed: false, members: Vec::new(), next: 0 };
        let opened = MembershipReader::open(session.store, &key, snapshot).await;
        match keys.begin(opened).await {
            Err(error) if error.kind == StoreErrorKind::Corrupt && lost => keys.reader = None,
            begun => begun?,
        }
        Ok(keys)
    }

    async fn begin(
        &mut self,
        opened: Result<MembershipReader, StoreError>,
    ) -> Result<(), StoreError> {
        self.reader = Some(opened?);
        self.read_on().await?;
        self.is_keyed = self.reader.as_ref().is_some_and(MembershipReader::is_keyed);
        Ok(())
    }

    pub(super) fn is_keyed(&self) -> bool {
        self.is_keyed
    }

    /// The key of a member; they are asked for in ascending order.
    pub(super) async fn of(
        &mut self,
        member: &Fingerprint,
    ) -> Result<Option<WarehouseKey>, StoreError> {
        if !self.is_keyed {
            return Ok(None);
        }
        loop {
            match self.members.get(self.next) {
                Some(entry) if entry.member < *member => self.next += 1,
                Some(entry) if entry.member == *member => {
                    return Ok(self.reader.as_ref().and_then(|reader| reader.key(self.next)));
                }
                Some(_) => return Ok(None),
                None if self.reader.is_none() => return Ok(None),
                None => self.read_on().await?,
            }
        }
    }

    async fn read_on(&mut self) -> Result<(), StoreError> {
        self.next = 0;
        self.members.clear();
        let Some(reader) = &mut self.reader else { return Ok(()) };
        if !reader.next_members(&mut self.members).await? {
            self.reader = None;
        }
        Ok(())
    }
}
