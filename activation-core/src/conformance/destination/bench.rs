//! What the clauses have in common: names nobody else uses, and a way from a batch to its outcomes.

use std::{collections::HashMap, time::Duration};

use chrono::TimeDelta;

use crate::{
    Batch, BatchMember, Clock, ContactId, Destination, Identifier, IdentifierKind, ListMember,
    ListState, ListWish, MemberOutcome, MemberRef, Operation, Receipt, Settlement, Submission,
    Visibility, conformance::check::Broken,
};

/// So few that a destination may send them one by one.
pub(super) const FEW: usize = 2;
/// So many that it will send them together.
pub(super) const MANY: usize = 40;

const PATIENCE: TimeDelta = TimeDelta::hours(1);
const FIRST_WAIT: Duration = Duration::from_secs(1);
const MOST_WAIT: Duration = Duration::from_secs(30);

pub(super) struct Bench<'a> {
    pub(super) destination: &'a dyn Destination,
    clock: &'a dyn Clock,
    name: &'a str,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        destination: &'a dyn Destination,
        clock: &'a dyn Clock,
        name: &'a str,
    ) -> Self {
        Self { destination, clock, name }
    }

    pub(super) fn wish(&self, list: &str) -> ListWish {
        ListWish { name: format!("{} {list}", self.name), visibility: Visibility::Private }
    }

    pub(super) async fn new_list(&self, list: &str) -> Result<ListState, Broken> {
        Ok(self.destination.create_list(&self.wish(list)).await?)
    }

    /// People of whom this clause alone knows.
    pub(super) fn people(&self, clause: &str, count: usize) -> Result<Vec<Identifier>, Broken> {
        let address = |number| format!("{}.{clause}.{number}@example.com", self.name);
        (0..count)
            .map(|number| {
                let raw = address(number);
                IdentifierKind::Email.normalise(raw.as_bytes()).map_err(|reject| {
                    Broken::new(format!("the suite's name makes no addresses: {}", reject.as_str()))
                })
            })
            .collect()
    }

    /// A list with so many people on it, and their contacts in order.
    pub(super) async fn list_of(
        &self,
        clause: &str,
        count: usize,
    ) -> Result<(ListState, Vec<Identifier>, Vec<ContactId>), Broken> {
        let list = self.new_list(clause).await?;
        let people = self.people(clause, count)?;
        self.do_all(list.id, Operation::Add, &additions(&people)).await?;
        let contacts = self.contacts(&people).await?;
        Ok((list, people, contacts))
    }

    /// The contacts behind people who must be known.
    pub(super) async fn contacts(&self, people: &[Identifier]) -> Result<Vec<ContactId>, Broken> {
        let contacts = self.destination.find_contacts(people).await?;
        let unknown = || Broken::new("somebody who was added is not known".to_owned());
        contacts.into_iter().map(|contact| contact.ok_or_else(unknown)).collect()
    }

    /// Sends a batch in as many submissions as it takes, of which every member must be acknowledged.
    pub(super) async fn do_all(
        &self,
        list_id: u64,
        operation: Operation,
        members: &[BatchMember],
    ) -> Result<(), Broken> {
        for outcome in self.send(list_id, operation, members).await? {
            if !matches!(outcome, MemberOutcome::Acknowledged { .. }) {
                return Err(Broken::new(format!("{operation:?}: {outcome:?}")));
            }
        }
        Ok(())
    }

    pub(super) async fn send(
        &self,
        list_id: u64,
        operation: Operation,
        members: &[BatchMember],
    ) -> Result<Vec<MemberOutcome>, Broken> {
        let mut outcomes = Vec::new();
        let mut rest = members;
        while !rest.is_empty() {
            let fit = self.destination.batch_size(list_id, operation, rest).clamp(1, rest.len());
            let (now, later) = rest.split_at(fit);
            let batch = Batch { operation, members: now.to_vec() };
            outcomes.extend(match self.destination.submit(list_id, &batch).await? {
                Submission::Settled { stopped_by: Some(error), .. } => return Err(error.into()),
                Submission::Settled { outcomes, .. } => outcomes,
                Submission::Receipt(receipt) => in_order(now, self.settled(&receipt).await?)?,
            });
            rest = later;
        }
        Ok(outcomes)
    }

    /// Asks about a job until it ends.
    pub(super) async fn settled(&self, receipt: &Receipt) -> Result<Settlement, Broken> {
        let asked_first = self.clock.now();
        let mut wait = FIRST_WAIT;
        loop {
            match self.destination.settle(receipt).await? {
                Settlement::Pending if self.clock.now() - asked_first > PATIENCE => {
                    return Err(Broken::new("a job did not end within an hour".to_owned()));
                }
                Settlement::Pending => {
                    self.clock.sleep(wait).await;
                    wait = (wait * 2).min(MOST_WAIT);
                }
                settlement => return Ok(settlement),
            }
        }
    }

    pub(super) async fn members(&self, list_id: u64) -> Result<Vec<ListMember>, Broken> {
        let mut scan = self.destination.members(list_id);
        let mut members = Vec::new();
        while let Some(page) = scan.next_page().await? {
            members.extend(page);
        }
        Ok(members)
    }

    /// Who of `people` is on the list, in their order.
    pub(super) async fn on_list(
        &self,
        list_id: u64,
        people: &[Identifier],
    ) -> Result<Vec<Identifier>, Broken> {
        let members = self.members(list_id).await?;
        let is_on =
            |person: &&Identifier| members.iter().any(|member| member.identifiers.contains(person));
        Ok(people.iter().filter(is_on).cloned().collect())
    }

    pub(super) fn calls(&self) -> u64 {
        self.destination.calls().values().sum()
    }
}

pub(super) fn additions(people: &[Identifier]) -> Vec<BatchMember> {
    let member =
        |person: &Identifier| BatchMember { identifier: Some(person.clone()), contact: None };
    people.iter().map(member).collect()
}

pub(super) fn removals(contacts: &[ContactId]) -> Vec<BatchMember> {
    contacts
        .iter()
        .map(|contact| BatchMember { identifier: None, contact: Some(*contact) })
        .collect()
}

pub(super) fn in_order(
    members: &[BatchMember],
    settlement: Settlement,
) -> Result<Vec<MemberOutcome>, Broken> {
    let each = match settlement {
        Settlement::All(outcome) => return Ok(vec![outcome; members.len()]),
        Settlement::Each(each) => each,
        Settlement::Refused { code } => {
            return Err(Broken::new(format!("a batch was refused: {code}")));
        }
        Settlement::Pending => return Err(Broken::new("a job that ended is pending".to_owned())),
    };
    let outcomes: HashMap<MemberRef, MemberOutcome> = each.into_iter().collect();
    let outcome = |member: &BatchMember| {
        let identifier = member.identifier.clone().map(MemberRef::Identifier);
        let contact = member.contact.map(MemberRef::Contact);
        let named = identifier.into_iter().chain(contact);
        named.filter_map(|name| outcomes.get(&name)).next().cloned().unwrap_or_else(|| {
            MemberOutcome::Unknown { cause: "not mentioned in the settlement".to_owned() }
        })
    };
    Ok(members.iter().map(outcome).collect())
}
