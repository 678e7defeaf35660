//! What a scan of the segment shows of warehouse keys. Where a key is as it was recorded, which is the
//! rule, a bit is kept of it: 8 bytes and a bit for each recorded member, 40 bytes for each exception.

use std::collections::HashSet;

use segment_diff::{Fingerprint, FingerprintKey, probe::Probe};

use super::{
    identity::{Sighting, Standing},
    warehouse_key::{KeyPrinter, WarehouseKey},
};

/// Takes down which key comes with which identifier.
#[derive(Debug)]
pub(super) struct Sightings {
    printer: KeyPrinter,
    /// The tag of each recorded member's key, by her index; 0 for none. Empty if nobody has one.
    tags: Vec<u64>,
    /// One bit for each recorded member: whether she came with the key that was recorded, or none.
    confirmed: Vec<u64>,
    noted: Vec<Sighting>,
    unusable: HashSet<WarehouseKey>,
    /// Whether the segment has keys at all.
    has_keys: bool,
}

/// What a scan showed, once it is over.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    /// Keys to be recorded, in ascending order of member, each member once.
    pub(super) keys: Vec<(Fingerprint, WarehouseKey)>,
    /// Whether a member of the record is among them.
    pub(super) changes_record: bool,
    /// Members who were recorded under another key.
    pub(super) rekeyed: u64,
}

impl Sightings {
    pub(super) fn new(key: &FingerprintKey) -> Self {
        Self {
            printer: KeyPrinter::new(key),
            tags: Vec::new(),
            confirmed: Vec::new(),
            noted: Vec::new(),
            unusable: HashSet::new(),
            has_keys: false,
        }
    }

    /// Takes in the recorded key of the next member, in the order of the probe, of so many `members`.
    pub(super) fn recorded(&mut self, key: Option<WarehouseKey>, members: usize) {
        if self.tags.is_empty() {
            self.tags.reserve_exact(members);
        }
        self.tags.push(key.map_or(0, WarehouseKey::tag));
    }

    pub(super) fn print(&mut self, key: &[u8]) -> Option<WarehouseKey> {
        self.has_keys = true;
        self.printer.print(key)
    }

    pub(super) fn has_keys(&self) -> bool {
        self.has_keys
    }

    /// A row whose identifier cannot be used.
    pub(super) fn unusable(&mut self, key: Option<WarehouseKey>) {
        self.unusable.extend(key);
    }

    /// A row with an identifier. `index` is that of a recorded member.
    pub(super) fn note(
        &mut self,
        key: Option<WarehouseKey>,
        member: Fingerprint,
        index: Option<usize>,
        standing: Standing,
    ) {
        let recorded = index.and_then(|index| self.tags.get(index).copied()).unwrap_or(0);
        match (key, index) {
            (None, None) => {}
            (None, Some(index)) => self.confirm(index),
            (Some(key), Some(index)) if recorded == key.tag() && standing == Standing::OnList => {
                self.confirm(index);
            }
            (Some(key), _) => self.noted.push(Sighting { key, member, standing }),
        }
    }

    /// The exceptions in ascending order, each once.
    pub(super) fn sort(&mut self) -> &[Sighting] {
        self.noted.sort_unstable();
        self.noted.dedup();
        &self.noted
    }

    pub(super) fn all(&self) -> &[Sighting] {
        &self.noted
    }

    pub(super) fn all_unusable(&self) -> &HashSet<WarehouseKey> {
        &self.unusable
    }

    /// Those of `keys`, and of the keys of new members, that are in the segment as they were recorded.
    pub(super) fn confirmed_among(
        &self,
        keys: impl Iterator<Item = WarehouseKey>,
    ) -> HashSet<WarehouseKey> {
        let new = self.noted.iter().filter(|one| one.standing != Standing::OnList);
        let mut keys: HashSet<_> = keys.chain(new.map(|one| one.key)).collect();
        let wanted: HashSet<u64> = keys.iter().map(|key| key.tag()).collect();
        let confirmed = self.tags.iter().enumerate();
        let confirmed = confirmed.filter(|(index, tag)| **tag != 0 && self.is_confirmed(*index));
        let found: HashSet<u64> =
            confirmed.map(|(_, tag)| *tag).filter(|tag| wanted.contains(tag)).collect();
        keys.retain(|key| found.contains(&key.tag()));
        keys
    }

    /// What is to be recorded. Of several keys of a member the smallest, so that the order of rows does
    /// not count.
    pub(super) fn learnt(&self, probe: &Probe) -> Learnt {
        let mut pairs: Vec<_> = self.noted.iter().map(|one| (one.member, one.key)).collect();
        pairs.sort_unstable();
        let mut learnt = Learnt::default();
        for keys in pairs.chunk_by(|one, next| one.0 == next.0) {
            let (member, key) = keys[0];
            if let Some(index) = probe.index_of(member) {
                let recorded = self.tags.get(index).copied().unwrap_or(0);
                let is_known = keys.iter().any(|(_, key)| key.tag() == recorded);
                if is_known || self.is_confirmed(index) && recorded != 0 {
                    continue;
                }
                learnt.changes_record = true;
                learnt.rekeyed += u64::from(recorded != 0);
            }
            learnt.keys.push((member, key));
        }
        learnt
    }

    fn confirm(&mut self, index: usize) {
        let word = index / 64;
        if self.confirmed.len() <= word {
            self.confirmed.resize(word + 1, 0);
        }
        self.confirmed[word] |= 1 << (index % 64);
    }

    fn is_confirmed(&self, index: usize) -> bool {
        self.confirmed.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }
}
