//! The Dotdigital destination: lists of contacts, kept through bulk import and bulk removal.
//!
//! Additions send the match identifier and the list, nothing else: no channel status, so nobody is
//! resubscribed, and no second identifier, so no contact is changed. Moves send the contact id, the new
//! identifier and the list. Removals take contacts off the
//! list by contact id. The client is built without the calls that delete or unsubscribe anybody.

mod convert;
mod look_up;
mod outcome;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use dotdigital_client::{
    CallCounter, Client, ImportId, ListId, Pages, RemovalJobId,
    contacts::{Contact, ContactUpdate},
    imports::{ImportBody, ImportLimits, MergeOption, Pushed},
    list_members::{ContactIds, Removal},
};
use tokio::sync::OnceCell;

use self::{
    convert::{
        client_contact_id, client_list_id, contact_id, import_contact, list_member, list_name,
        list_state, live_contact, match_identifier, move_of, new_list,
    },
    look_up::LookUp,
    outcome::{Single, failed_call, failed_list_call, import_settlement, removal_settlement},
};
use crate::{
    Batch, BatchMember, ContactId, Destination, DestinationError, DestinationErrorKind, Identifier,
    Limits, ListMember, ListState, ListWish, MemberOutcome, MemberScan, MissingContacts, Operation,
    Receipt, Settlement, Submission,
};

/// Up to so many changes go as single calls, each answered at once.
const SINGLE_CALLS: usize = 3;

/// Members in one page when a list is read.
const PAGE: u16 = 5_000;

/// Submissions under way together: enough to hide the service's latency, few enough to leave most
/// of the account's 25 job slots to others.
const IN_FLIGHT: usize = 4;

/// Bytes between two contacts of an import's body.
const SEPARATOR: usize = 1;

/// How many changes go into one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchLimits {
    /// Contacts in one import; 100,000 by default. The body's limit of 50 MB holds in any case.
    pub import_contacts: usize,
    /// Bytes of one import's body; 50 MB by default and at most.
    pub import_bytes: usize,
    /// Contacts in one bulk removal; 1,000 by default, since the service documents no limit.
    pub removal_contacts: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            import_contacts: 100_000,
            import_bytes: ImportLimits::default().max_bytes,
            removal_contacts: ContactIds::MOST,
        }
    }
}

impl BatchLimits {
    /// Sets the contacts of one import.
    #[must_use]
    pub fn import_contacts(mut self, contacts: usize) -> Self {
        self.import_contacts = contacts.max(1);
        self
    }

    /// Sets the bytes of one import's body.
    #[must_use]
    pub fn import_bytes(mut self, bytes: usize) -> Self {
        self.import_bytes = bytes;
        self
    }

    /// Sets the contacts of one bulk removal.
    #[must_use]
    pub fn removal_contacts(mut self, contacts: usize) -> Self {
        self.removal_contacts = contacts.clamp(1, ContactIds::MOST);
        self
    }
}

/// One Dotdigital account as a [`Destination`].
#[derive(Clone, Debug)]
pub struct Dotdigital {
    client: Client,
    counter: Arc<CallCounter>,
    account: Arc<OnceCell<String>>,
    look_up: Arc<LookUp>,
    limits: BatchLimits,
}

impl Dotdigital {
    /// The account behind `client`.
    pub fn new(client: &Client) -> Self {
        let counter = Arc::new(CallCounter::new());
        Self {
            client: client.with_observer(counter.clone()),
            counter,
            account: Arc::new(OnceCell::new()),
            look_up: Arc::default(),
            limits: BatchLimits::default(),
        }
    }

    /// Another handle on the same account, for another activation: it counts its own calls, and
    /// shares the limits and what is known of the account.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self {
            account: Arc::clone(&self.account),
            look_up: Arc::clone(&self.look_up),
            limits: self.limits,
            ..Self::new(&self.client)
        }
    }

    /// Replaces the sizes of batches.
    #[must_use]
    pub fn batch_limits(mut self, limits: BatchLimits) -> Self {
        self.limits = limits;
        self
    }

    async fn submit_singly(
        &self,
        list: ListId,
        batch: &Batch,
    ) -> Result<Submission, DestinationError> {
        let mut outcomes: Vec<MemberOutcome> = Vec::with_capacity(batch.members.len());
        let mut stopped_by = None;
        for member in &batch.members {
            let single = match batch.operation {
                Operation::Add => self.add_one(list, member).await?,
                Operation::Remove => self.remove_one(list, member).await?,
                Operation::Move => self.move_one(list, member).await?,
            };
            match single {
                Single::Outcome(outcome) => outcomes.push(outcome),
                // Nothing has happened yet, so the batch as a whole can say so.
                Single::Stop { error, .. } if outcomes.is_empty() => return Err(error),
                Single::Stop { outcome, error } => {
                    outcomes.push(outcome);
                    stopped_by = Some(error);
                    let cause = "not_attempted".to_owned();
                    outcomes.resize(batch.members.len(), MemberOutcome::Retry { cause });
                    break;
                }
            }
        }
        Ok(Submission::Settled { outcomes, stopped_by })
    }

    async fn add_one(
        &self,
        list: ListId,
        member: &BatchMember,
    ) -> Result<Single, DestinationError> {
        let identifier = match_identifier(member)?;
        let update = ContactUpdate::new().list(list);
        // A segment of contact ids may name contacts that are gone, and what the service does with
        // an upsert of one is not documented.
        let unchecked = member.identifier.as_ref().is_some_and(|id| id.contact_id().is_some());
        if unchecked {
            match self.client.contacts().find(&identifier).await {
                Ok(Some(contact)) if live_contact(&contact).is_some() => {}
                Ok(_) => return Ok(Single::no_contact()),
                Err(error) => return Ok(Single::failed(error)),
            }
        }
        Ok(match self.client.contacts().upsert(&identifier, &update).await {
            Ok(upserted) => {
                let found = contact_id(upserted.contact.contact_id);
                Single::acknowledged_as(member.contact, found)
            }
            Err(error) => Single::failed(error),
        })
    }

    async fn move_one(
        &self,
        list: ListId,
        member: &BatchMember,
    ) -> Result<Single, DestinationError> {
        let (contact, update) = move_of(list, member)?;
        // An upsert of a contact who is gone may create one, or bring her back from the recycle bin.
        match self.client.contacts().find(&contact).await {
            Ok(Some(found)) if live_contact(&found).is_some() => {}
            Ok(_) => return Ok(Single::no_contact()),
            Err(error) => return Ok(Single::failed(error)),
        }
        Ok(match self.client.contacts().upsert(&contact, &update).await {
            Ok(upserted) => {
                let found = contact_id(upserted.contact.contact_id);
                let shown = convert::texts(&upserted.contact.identifiers);
                Single::moved_as(member, found, shown)
            }
            Err(error) => Single::failed(error),
        })
    }

    async fn remove_one(
        &self,
        list: ListId,
        member: &BatchMember,
    ) -> Result<Single, DestinationError> {
        let contact = client_contact_id(member)?;
        Ok(match self.client.list_members(list).remove(contact).await {
            // Somebody who is no contact any more is on no list.
            Ok(Removal::Removed | Removal::ContactUnknown) => {
                Single::Outcome(MemberOutcome::Acknowledged { contact: None })
            }
            Ok(_) => Single::Outcome(MemberOutcome::Unknown { cause: "new_answer".to_owned() }),
            Err(error) => Single::failed(error),
        })
    }

    async fn import(&self, list: ListId, batch: &Batch) -> Result<Receipt, DestinationError> {
        let operation = batch.operation;
        let mut body = ImportBody::new(MergeOption::Overwrite, self.import_limits());
        for member in &batch.members {
            let contact = import_contact(operation, list, member)?;
            match body.push(&contact).map_err(|error| too_large().caused_by(error))? {
                Pushed::Added => {}
                Pushed::Full => return Err(too_large()),
            }
        }
        let id = self.client.imports().submit(&body).await.map_err(failed_call)?;
        Ok(receipt(operation, list, id.as_str()))
    }

    async fn remove_many(&self, list: ListId, batch: &Batch) -> Result<Receipt, DestinationError> {
        // Two members may be one contact; the service is asked about each contact once.
        let contacts: BTreeSet<_> =
            batch.members.iter().map(client_contact_id).collect::<Result<_, _>>()?;
        let contacts = contacts.into_iter().collect();
        let contacts = ContactIds::new(contacts).map_err(|error| {
            DestinationError::new(DestinationErrorKind::Configuration, error.to_string())
        })?;
        let job = (self.client.list_members(list).remove_many(&contacts).await)
            .map_err(failed_list_call)?;
        Ok(receipt(Operation::Remove, list, job.id.as_str()))
    }

    fn import_limits(&self) -> ImportLimits {
        let mut limits = ImportLimits::default();
        limits.max_bytes = self.limits.import_bytes;
        limits.max_contacts = self.limits.import_contacts;
        limits
    }
}

#[async_trait]
impl Destination for Dotdigital {
    async fn account(&self) -> Result<String, DestinationError> {
        let account = self.account.get_or_try_init(|| async {
            let info = self.client.account().info().await.map_err(failed_call)?;
            Ok::<_, DestinationError>(info.id.to_string())
        });
        account.await.cloned()
    }

    async fn list(&self, list_id: u64) -> Result<Option<ListState>, DestinationError> {
        let list = self.client.lists().find(client_list_id(list_id)?).await;
        Ok(list.map_err(failed_call)?.map(list_state))
    }

    async fn list_named(&self, name: &str) -> Result<Option<ListState>, DestinationError> {
        // The system's own lists can be found by name, and must never be kept equal to anything.
        let name = list_name(name)?;
        let list = self.client.lists().find_by_name(name.as_str()).await;
        Ok(list.map_err(failed_call)?.map(list_state))
    }

    async fn create_list(&self, wanted: &ListWish) -> Result<ListState, DestinationError> {
        let list = self.client.lists().create(&new_list(wanted)?).await;
        list.map(list_state).map_err(failed_list_call)
    }

    async fn update_list(
        &self,
        list_id: u64,
        wanted: &ListWish,
    ) -> Result<ListState, DestinationError> {
        let list = self.client.lists().update(client_list_id(list_id)?, &new_list(wanted)?).await;
        list.map(list_state).map_err(failed_list_call)
    }

    fn limits(&self) -> Limits {
        Limits {
            in_flight: IN_FLIGHT,
            additions: self.limits.import_contacts,
            removals: self.limits.removal_contacts,
            page: PAGE as usize,
            look_ups: self.look_up.at_once(&self.client, self.limits.import_contacts),
        }
    }

    fn batch_size(&self, list_id: u64, operation: Operation, members: &[BatchMember]) -> usize {
        if operation == Operation::Remove {
            return members.len().min(self.limits.removal_contacts);
        }
        let Ok(list) = client_list_id(list_id) else { return members.len() };
        let mut bytes = ImportBody::new(MergeOption::Overwrite, self.import_limits()).byte_len();
        let fits = |member: &&BatchMember| {
            // What cannot be converted is refused when it is sent, with a reason.
            bytes += import_contact(operation, list, member)
                .map_or(0, |contact| contact.encoded_len() + SEPARATOR);
            bytes <= self.limits.import_bytes
        };
        let most = members.len().min(self.limits.import_contacts);
        members[..most].iter().take_while(fits).count().max(1)
    }

    fn estimate_calls(&self, operation: Operation, members: u64, policy: MissingContacts) -> u64 {
        let (batch, look_ups) = match (operation, policy) {
            (Operation::Remove, _) => (self.limits.removal_contacts, 0),
            (Operation::Move, _) | (Operation::Add, MissingContacts::Create) => {
                (self.limits.import_contacts, 0)
            }
            (Operation::Add, MissingContacts::ExistingOnly) => {
                (self.limits.import_contacts, self.look_up.estimate_calls(members))
            }
        };
        if members <= SINGLE_CALLS as u64 {
            // A single move looks first whether the contact is there.
            let each = if operation == Operation::Move { 2 } else { 1 };
            return look_ups + members * each;
        }
        // Each job is submitted and asked about once at the least.
        look_ups + members.div_ceil(batch.max(1) as u64) * 2
    }

    fn can_move(&self) -> bool {
        true
    }

    async fn find_contacts(
        &self,
        identifiers: &[Identifier],
    ) -> Result<Vec<Option<ContactId>>, DestinationError> {
        self.look_up.find(&self.client, identifiers).await
    }

    async fn submit(&self, list_id: u64, batch: &Batch) -> Result<Submission, DestinationError> {
        let list = client_list_id(list_id)?;
        if batch.members.len() <= SINGLE_CALLS {
            return self.submit_singly(list, batch).await;
        }
        Ok(Submission::Receipt(match batch.operation {
            Operation::Add | Operation::Move => self.import(list, batch).await?,
            Operation::Remove => self.remove_many(list, batch).await?,
        }))
    }

    async fn settle(&self, receipt: &Receipt) -> Result<Settlement, DestinationError> {
        match receipt.operation {
            Operation::Add | Operation::Move => {
                let id = ImportId::new(&receipt.id).map_err(|_| bad_receipt())?;
                let status = self.client.imports().status(&id).await;
                import_settlement(status, receipt.operation)
            }
            Operation::Remove => {
                let id = RemovalJobId::new(&receipt.id).map_err(|_| bad_receipt())?;
                removal_settlement(
                    self.client
                        .list_members(client_list_id(receipt.list_id)?)
                        .removal_status(&id)
                        .await,
                )
            }
        }
    }

    fn members(&self, list_id: u64) -> Box<dyn MemberScan> {
        let pages = client_list_id(list_id).map(|list| self.client.list_members(list).pages(PAGE));
        Box::new(Members { pages })
    }

    fn calls(&self) -> BTreeMap<String, u64> {
        self.counter.counts()
    }
}

struct Members {
    pages: Result<Pages<Contact>, DestinationError>,
}

#[async_trait]
impl MemberScan for Members {
    async fn next_page(&mut self) -> Result<Option<Vec<ListMember>>, DestinationError> {
        let Ok(pages) = &mut self.pages else {
            return Err(convert::unknown_list());
        };
        let page = pages.next_page().await.map_err(failed_list_call)?;
        Ok(page.map(|contacts| contacts.into_iter().filter_map(list_member).collect()))
    }
}

fn receipt(operation: Operation, list: ListId, id: &str) -> Receipt {
    Receipt { operation, list_id: convert::list_id(list), id: id.to_owned() }
}

fn too_large() -> DestinationError {
    let code = "body_too_large".to_owned();
    DestinationError::new(
        DestinationErrorKind::Refused { code },
        "the batch does not fit into one import",
    )
}

fn bad_receipt() -> DestinationError {
    DestinationError::new(
        DestinationErrorKind::Configuration,
        "the journal holds a receipt that this service cannot have given",
    )
}
