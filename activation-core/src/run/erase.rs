//! Erasure: forgetting one person wherever the state knows her.

use std::{collections::HashSet, fmt};

use segment_diff::{Fingerprint, FingerprintKey};
use serde::Serialize;

use super::{
    Engine,
    delta::fingerprint,
    error::RunError,
    held::report,
    journal::{Entry, Journal},
    membership::{Changes, MembershipReader, write_membership},
};
use crate::{
    ActivationKey, Commit, ContactId, ErrorReport, Head, Identifier, Lease, MembershipChange,
    State, ledger::LedgerWriter,
};

/// The ledger's cause of what was erased.
const ERASED: &str = "erased";

/// What an erasure found and forgot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ErasureReport {
    /// Each activation that was searched.
    pub activations: Vec<ActivationErasure>,
}

/// What an erasure found and forgot in one activation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ActivationErasure {
    /// The segment's name.
    pub segment: String,
    /// Members of the record who are this person: more than one, if she came in under two
    /// identifiers. She may be on the list still, as somebody whom this activation does not know.
    pub records: u64,
    /// Held members.
    pub held: u64,
    /// Members who dwelt.
    pub absent: u64,
    /// Batches that had not come to an end. What the service does of them it goes on doing.
    pub batches: u64,
    /// Why this activation may still know her.
    pub error: Option<ErrorReport>,
}

impl ErasureReport {
    /// Whether no searched activation knows her any more.
    pub fn is_complete(&self) -> bool {
        self.activations.iter().all(|activation| activation.error.is_none())
    }

    /// Whether any activation knew her.
    pub fn found_her(&self) -> bool {
        self.activations.iter().any(ActivationErasure::found_her)
    }
}

impl ActivationErasure {
    fn new(key: &ActivationKey) -> Self {
        let segment = key.as_str().to_owned();
        Self { segment, records: 0, held: 0, absent: 0, batches: 0, error: None }
    }

    fn found_her(&self) -> bool {
        self.records + self.held + self.absent + self.batches > 0
    }
}

impl Engine {
    /// Forgets one person in every activation of the store, also in those that no configuration
    /// names any more. `person` are the identifiers she is known by, of whatever kinds: by each of
    /// them, and by every contact that the state knows her as.
    ///
    /// Afterwards neither her fingerprint nor her contact id nor her warehouse key is in the store.
    /// The list is left alone and no contact is touched: **if she is on a list, she stays there as a
    /// foreign member**, whom nobody removes when she leaves the segment. To have her removed,
    /// exclude her ([`exclusions`](Self::exclusions)) and [`run`](Self::run) first. If the segment
    /// still has her and nothing excludes her, the next run adds her like anybody new.
    ///
    /// What the service is still doing for her it goes on doing, and doubts about it are forgotten with
    /// her; should she come back to the segment within hours, a [`reconcile`](Self::reconcile) finds
    /// out whether she is on the list.
    ///
    /// The ledger is told with the cause `erased`; what it has of her is the host's to erase, as are
    /// copies of the store.
    ///
    /// An activation that is running or unreadable stands in the report with its error, and the
    /// others are erased all the same. Erasing again is harmless, and completes what was cut off.
    ///
    /// # Errors
    ///
    /// Fails, changing nothing, when the store cannot say what activations there are.
    #[tracing::instrument(skip_all)]
    pub async fn erase(&self, person: &[Identifier]) -> Result<ErasureReport, ErrorReport> {
        let activations = self.store.activations().await.map_err(report)?;
        Ok(self.erase_from_all(&activations, person).await)
    }

    /// As [`erase`](Self::erase), in one activation only.
    #[tracing::instrument(skip_all, fields(segment = activation.as_str()))]
    pub async fn erase_from(
        &self,
        activation: &ActivationKey,
        person: &[Identifier],
    ) -> ErasureReport {
        self.erase_from_all(std::slice::from_ref(activation), person).await
    }

    async fn erase_from_all(
        &self,
        activations: &[ActivationKey],
        person: &[Identifier],
    ) -> ErasureReport {
        let mut person = Person::new(self.store.fingerprint_key(), person);
        // Each name may lead to a contact, and each contact to another name.
        loop {
            let known = person.names();
            for activation in activations {
                // What cannot be read now cannot be read below, where it is reported.
                let _ = self.learn(activation, &mut person).await;
            }
            if person.names() == known {
                break;
            }
        }
        let mut report = ErasureReport::default();
        for activation in activations {
            let mut erasure = ActivationErasure::new(activation);
            erasure.error = self.erase_alone(activation, &person, &mut erasure).await.err();
            report.activations.push(erasure);
        }
        report
    }

    /// Learns by what other names an activation knows her.
    async fn learn(
        &self,
        activation: &ActivationKey,
        person: &mut Person<'_>,
    ) -> Result<(), RunError> {
        let state = self.store.load(activation).await?;
        for batch in &Journal::replay(&state.journal)?.batches {
            batch.entries().for_each(|entry| person.learn(&entry));
        }
        let snapshot = state.head.snapshot.as_ref();
        let mut reader = MembershipReader::open(&*self.store, activation, snapshot).await?;
        let mut members = Vec::new();
        while reader.next_members(&mut members).await? {
            members.iter().for_each(|entry| person.learn(entry));
        }
        Ok(())
    }

    async fn erase_alone(
        &self,
        activation: &ActivationKey,
        person: &Person<'_>,
        erasure: &mut ActivationErasure,
    ) -> Result<(), ErrorReport> {
        let lease = self.lease_of(activation).await?;
        let result = self.erase_under(&lease, person, erasure).await;
        let released = self.store.release(&lease).await.map_err(report);
        result.map_err(|error| error.to_report()).and(released)
    }

    async fn erase_under(
        &self,
        lease: &Lease,
        person: &Person<'_>,
        erasure: &mut ActivationErasure,
    ) -> Result<(), RunError> {
        let state = self.store.load(&lease.activation).await?;
        let removed = self.hers_in_record(&state, lease, person).await?;
        let retired_batches = self.rewrite_batches(&state, lease, person).await?;
        let held = state.held.iter().map(|held| held.member);
        let unhold: Vec<Fingerprint> = held.filter(|member| person.is_called(member)).collect();
        let mut absent = state.absent;
        let absent_before = absent.len();
        absent.retain(|absent| !person.is_called(&absent.member));
        let found = ActivationErasure {
            records: removed.len() as u64,
            held: unhold.len() as u64,
            absent: (absent_before - absent.len()) as u64,
            batches: retired_batches.len() as u64,
            ..erasure.clone()
        };
        if found.found_her() {
            let generation = state.head.generation;
            let ledger = self.ledger.as_deref();
            let (segment, now) = (lease.activation.as_str(), self.clock.now());
            let mut ledger = LedgerWriter::new(ledger, segment, lease.token, generation + 1, now);
            // Her address is in the table, which the next run removes.
            let mut head = Head { generation: generation + 1, table: None, ..state.head };
            if !removed.is_empty() {
                let changes =
                    Changes { removed: &removed, why_removed: ERASED, ..Changes::default() };
                let previous = head.snapshot.take();
                let store = &*self.store;
                let written =
                    write_membership(store, lease, previous.as_ref(), &changes, &mut ledger);
                head.snapshot = written.await?;
            }
            for member in &unhold {
                ledger.push(MembershipChange::Release, *member, None, ERASED).await?;
            }
            ledger.finish().await?;
            let absent = (absent.len() < absent_before).then_some(absent);
            let commit = Commit {
                expected_generation: generation,
                head,
                retired_batches,
                unhold,
                absent,
                ..Commit::default()
            };
            self.store.commit(lease, commit).await?;
            *erasure = found;
        }
        // Also where nothing was found: an erasure may have been cut off here, and members who left
        // long ago may have left traces.
        Ok(self.store.scrub(lease).await?)
    }

    /// Her members of the record, in ascending order.
    async fn hers_in_record(
        &self,
        state: &State,
        lease: &Lease,
        person: &Person<'_>,
    ) -> Result<Vec<Fingerprint>, RunError> {
        let snapshot = state.head.snapshot.as_ref();
        let mut reader = MembershipReader::open(&*self.store, &lease.activation, snapshot).await?;
        let (mut members, mut hers) = (Vec::new(), Vec::new());
        while reader.next_members(&mut members).await? {
            let found = members.iter().filter(|entry| person.is(entry));
            hers.extend(found.map(|entry| entry.member));
        }
        Ok(hers)
    }

    /// Writes the batches that she is in again without her, and gives the numbers of those to retire.
    /// Cut off before the commit that retires them, a batch stands there twice, which repeats what
    /// is harmless.
    async fn rewrite_batches(
        &self,
        state: &State,
        lease: &Lease,
        person: &Person<'_>,
    ) -> Result<Vec<u64>, RunError> {
        let journal = Journal::replay(&state.journal)?;
        let mut next = journal.next_batch();
        let mut retired = Vec::new();
        for batch in journal.batches {
            if !batch.entries().any(|entry| person.is(&entry)) {
                continue;
            }
            retired.push(batch.id);
            if let Some(rest) = batch.without(|entry| person.is(entry), next) {
                for record in rest.to_records() {
                    self.store.append(lease, record.to_entry(rest.id)?).await?;
                }
                next += 1;
            }
        }
        Ok(retired)
    }
}

/// The names by which the state knows one person.
struct Person<'a> {
    key: &'a FingerprintKey,
    contacts: HashSet<ContactId>,
    /// Fingerprints of her addresses.
    addresses: HashSet<Fingerprint>,
    /// Fingerprints of her contact ids. A contact's number may read like somebody else's mobile
    /// number.
    numbers: HashSet<Fingerprint>,
}

impl<'a> Person<'a> {
    fn new(key: &'a FingerprintKey, identifiers: &[Identifier]) -> Self {
        let mut person = Self {
            key,
            contacts: HashSet::new(),
            addresses: HashSet::new(),
            numbers: HashSet::new(),
        };
        for identifier in identifiers {
            match identifier.contact_id() {
                Some(contact) => person.add_contact(contact),
                None => _ = person.addresses.insert(fingerprint(key, identifier)),
            }
        }
        person
    }

    fn add_contact(&mut self, contact: ContactId) {
        if self.contacts.insert(contact) {
            self.numbers.insert(self.number(contact));
        }
    }

    fn learn(&mut self, entry: &Entry) {
        if !self.is(entry) {
            return;
        }
        if let Some(contact) = entry.contact {
            self.add_contact(contact);
        }
        if !self.numbers.contains(&entry.member) {
            self.addresses.insert(entry.member);
        }
    }

    /// Whether a member of the record or of a batch is her.
    fn is(&self, entry: &Entry) -> bool {
        match entry.contact {
            Some(contact) if self.contacts.contains(&contact) => true,
            // Somebody else, who goes by a number that reads like her mobile number.
            Some(contact) => {
                self.addresses.contains(&entry.member) && self.number(contact) != entry.member
            }
            None => self.is_called(&entry.member),
        }
    }

    /// Whether a member of whom no contact is known is her.
    fn is_called(&self, member: &Fingerprint) -> bool {
        self.addresses.contains(member) || self.numbers.contains(member)
    }

    fn number(&self, contact: ContactId) -> Fingerprint {
        fingerprint(self.key, &Identifier::from(contact))
    }

    /// How many names are known.
    fn names(&self) -> usize {
        self.contacts.len() + self.addresses.len()
    }
}

/// A line for each activation that knew her or may know her.
impl fmt::Display for ErasureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ActivationErasure { segment, records, held, absent, batches, error } in
            self.activations.iter().filter(|one| one.found_her() || one.error.is_some())
        {
            write!(f, "{segment}: forgotten {records} in the record, {held} held, ")?;
            write!(f, "{absent} absent, {batches} in open batches")?;
            match error {
                Some(error) => writeln!(f, "; error: {error}")?,
                None => writeln!(f)?,
            }
        }
        let searched = self.activations.len();
        writeln!(f, "{searched} activations searched")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdentifierKind;

    #[test]
    fn a_contact_whose_number_reads_like_a_mobile_number_is_somebody_else() {
        let key = FingerprintKey::new([7; 16]);
        let number = ContactId::new(447_123_123_123);
        let mobile = IdentifierKind::MobileNumber.normalise(b"+44 7123 123123").unwrap();
        let member = fingerprint(&key, &mobile);
        let entry = |contact| Entry { member, contact };

        let by_mobile = Person::new(&key, std::slice::from_ref(&mobile));
        assert!(by_mobile.is(&entry(ContactId::new(5))) && by_mobile.is(&entry(None)));
        assert!(!by_mobile.is(&entry(number)), "goes by the number of another contact");

        let by_number = Person::new(&key, &[Identifier::from(number.unwrap())]);
        assert!(by_number.is(&entry(number)) && by_number.is(&entry(None)));
        assert!(!by_number.is(&entry(ContactId::new(5))), "has the mobile number");
    }

    #[test]
    fn one_name_leads_to_the_next() {
        let key = FingerprintKey::new([7; 16]);
        let address =
            |text: &[u8]| fingerprint(&key, &IdentifierKind::Email.normalise(text).unwrap());
        let (old, new) = (address(b"old@example.com"), address(b"new@example.com"));
        let asked = IdentifierKind::Email.normalise(b"new@example.com").unwrap();
        let mut person = Person::new(&key, &[asked]);
        let entry = |member, contact| Entry { member, contact: ContactId::new(contact) };
        person.learn(&entry(old, 9));
        assert!(!person.is_called(&old), "nothing connects them yet");
        person.learn(&entry(new, 9));
        person.learn(&entry(old, 9));
        assert!(person.is_called(&old) && person.is(&entry(old, 0)));
        assert!(
            person.is_called(&fingerprint(&key, &Identifier::from(ContactId::new(9).unwrap())))
        );
    }
}
