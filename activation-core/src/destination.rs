//! Where members go: the trait a destination implements.
//!
//! A destination can add members to a list and remove them from it, and perhaps change the identifier
//! of a member. It has no way to express the deletion of a person, an unsubscription or a
//! resubscription.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{ContactId, Identifier, MissingContacts, Visibility};

/// A service that keeps lists of contacts.
///
/// # Contract
///
/// * Adding a member who is on the list, and removing one who is not, succeed and change nothing.
/// * An outcome is only [`MemberOutcome::Acknowledged`] when the service said so.
/// * An error whose [`DestinationError::kind`] is not [`DestinationErrorKind::Unknown`] means that
///   the service did not act.
/// * No operation deletes a contact or changes what a person has consented to.
/// * A move is only acknowledged when the contact that was named has the new identifier. It never
///   creates a contact, and never takes an identifier from another one: that is a
///   [`MemberOutcome::Conflict`]. Repeating a move changes nothing.
#[async_trait]
pub trait Destination: fmt::Debug + Send + Sync {
    /// The account behind this destination, in a form that never changes.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot be reached or refuses the credentials.
    async fn account(&self) -> Result<String, DestinationError>;

    /// The list with this id, or `None` when it no longer exists.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot be reached or refuses.
    async fn list(&self, list_id: u64) -> Result<Option<ListState>, DestinationError>;

    /// The list with this name, whatever its case.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot be reached or refuses.
    async fn list_named(&self, name: &str) -> Result<Option<ListState>, DestinationError>;

    /// Creates a list. Never repeated blindly.
    ///
    /// # Errors
    ///
    /// Fails with [`DestinationErrorKind::NameTaken`] when the name belongs to something else, and
    /// with [`DestinationErrorKind::Unknown`] when no answer came.
    async fn create_list(&self, wanted: &ListWish) -> Result<ListState, DestinationError>;

    /// Renames a list or changes its visibility.
    ///
    /// # Errors
    ///
    /// As [`create_list`](Self::create_list); [`DestinationErrorKind::ListGone`] when it no longer
    /// exists.
    async fn update_list(
        &self,
        list_id: u64,
        wanted: &ListWish,
    ) -> Result<ListState, DestinationError>;

    /// How much may be sent, and at what cost.
    fn limits(&self) -> Limits;

    /// How many of `members`, from the front, fit into one submission; at least 1 if there is one.
    fn batch_size(&self, list_id: u64, operation: Operation, members: &[BatchMember]) -> usize;

    /// Calls needed at the least for that many changes, by the same rules as
    /// [`submit`](Self::submit). Pure; for the plan.
    fn estimate_calls(&self, operation: Operation, members: u64, policy: MissingContacts) -> u64;

    /// Whether [`Operation::Move`] can be asked for. Without it, whoever has another identifier is
    /// removed and added.
    fn can_move(&self) -> bool {
        false
    }

    /// The contact behind each identifier, in order; `None` for those the service does not know.
    /// Creates nobody.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot be reached or refuses.
    async fn find_contacts(
        &self,
        identifiers: &[Identifier],
    ) -> Result<Vec<Option<ContactId>>, DestinationError>;

    /// Hands a batch to the service.
    ///
    /// # Errors
    ///
    /// Fails with [`DestinationErrorKind::Refused`] when the service refused the batch as a whole:
    /// smaller batches may go through.
    async fn submit(&self, list_id: u64, batch: &Batch) -> Result<Submission, DestinationError>;

    /// Asks what became of a submission.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot be reached or refuses to answer. The submission is not
    /// affected.
    async fn settle(&self, receipt: &Receipt) -> Result<Settlement, DestinationError>;

    /// Starts reading who is on the list, whoever put them there.
    fn members(&self, list_id: u64) -> Box<dyn MemberScan>;

    /// Calls made by this handle so far, by endpoint.
    fn calls(&self) -> BTreeMap<String, u64>;
}

/// A list as the destination describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListState {
    /// Its id.
    pub id: u64,
    /// Its name now.
    pub name: String,
    /// Its visibility now; `None` for one we have no word for.
    pub visibility: Option<Visibility>,
}

/// What a list should be like.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ListWish {
    /// The name.
    pub name: String,
    /// The visibility.
    pub visibility: Visibility,
}

/// What a batch does to its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Puts them on the list.
    Add,
    /// Takes them off the list, and off nothing else.
    Remove,
    /// Gives contacts who are known another identifier, and puts them on the list. Asked for only
    /// where [`Destination::can_move`] says so.
    Move,
}

/// How much a destination takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Submissions of one activation that may be under way together.
    pub in_flight: usize,
    /// Members to add or move in one submission.
    pub additions: usize,
    /// Members to remove in one submission.
    pub removals: usize,
    /// Members that a page of [`Destination::members`] gives, for estimates.
    pub page: usize,
    /// Members to look up together, under "existing contacts only". What is found is lost when the
    /// run stops among them.
    pub look_ups: usize,
}

/// Members to add, remove or move together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What to do.
    pub operation: Operation,
    /// With whom.
    pub members: Vec<BatchMember>,
}

/// One member of a batch. A removal always has the contact id; an addition has the identifier,
/// and also the contact id when the contact must exist already; a move has both, the identifier
/// being the new one.
#[derive(Clone, Debug)]
pub struct BatchMember {
    /// The normalised identifier, for additions and moves.
    pub identifier: Option<Identifier>,
    /// The contact, where known.
    pub contact: Option<ContactId>,
}

/// What a destination gives back for a batch.
#[derive(Debug)]
pub enum Submission {
    /// It is being worked on; ask [`Destination::settle`].
    Receipt(Receipt),
    /// It is over.
    Settled {
        /// One outcome for each member, in order.
        outcomes: Vec<MemberOutcome>,
        /// What kept the rest of the batch from being tried, and would do so with the next one.
        stopped_by: Option<DestinationError>,
    },
}

/// Names a submission, also after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What was asked for.
    pub operation: Operation,
    /// Of which list.
    pub list_id: u64,
    /// The service's name for the job.
    pub id: String,
}

/// What became of a submission.
#[derive(Clone, Debug)]
pub enum Settlement {
    /// Not finished.
    Pending,
    /// Finished with the same outcome for every member.
    All(MemberOutcome),
    /// Finished. What became of members not mentioned is unknown; where a member is mentioned
    /// twice, the last mention counts.
    Each(Vec<(MemberRef, MemberOutcome)>),
    /// Failed as a whole, perhaps after acting on some; smaller batches may go through.
    Refused {
        /// The service's code.
        code: String,
    },
}

/// How a destination names a member in its answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MemberRef {
    /// By identifier.
    Identifier(Identifier),
    /// By contact id.
    Contact(ContactId),
}

/// The cause to give with [`MemberOutcome::Hold`] when there is no such contact. Under "existing
/// contacts only" the engine counts such a member as skipped.
pub const CONTACT_NOT_FOUND: &str = "contact_not_found";

/// What became of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberOutcome {
    /// Done, as the service said.
    Acknowledged {
        /// The contact, where the service named it.
        contact: Option<ContactId>,
    },
    /// Not done; worth trying in the next run.
    Retry {
        /// Why, in the service's words.
        cause: String,
    },
    /// Not done, and not worth trying until something changes.
    Hold {
        /// Why, in the service's words.
        cause: String,
    },
    /// Not done, since another contact has the identifier or it was sent twice: a person has to
    /// say which contact is right. Held like [`Hold`](Self::Hold), and counted apart.
    Conflict {
        /// Why, in the service's words.
        cause: String,
    },
    /// Not done because of something that every member would meet: a wrong list or a wrong kind of
    /// identifier. The run stops; the member comes back once the configuration is right.
    Misconfigured {
        /// Why, in the service's words.
        cause: String,
    },
    /// It may or may not have been done.
    Unknown {
        /// Why it is not known.
        cause: String,
    },
}

/// The members of a list, page by page.
#[async_trait]
pub trait MemberScan: Send {
    /// The next page; `None` at the end. A member who stays on the list meanwhile is not missed.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot be reached or refuses.
    async fn next_page(&mut self) -> Result<Option<Vec<ListMember>>, DestinationError>;
}

/// A contact on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListMember {
    /// The contact.
    pub contact: ContactId,
    /// What it is recognised by.
    pub identifiers: Vec<Identifier>,
}

/// Why a destination did not do something.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct DestinationError {
    /// What it means for the run.
    pub kind: DestinationErrorKind,
    /// What happened, without addresses and credentials.
    pub message: String,
    /// What caused it.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What a destination failure means for the run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DestinationErrorKind {
    /// Not reached, or busy; the service did not act. Run again later.
    Unavailable {
        /// When it may work, where the service said so.
        until: Option<DateTime<Utc>>,
    },
    /// The service may have acted; no answer came.
    Unknown,
    /// The service refused what was sent, as a whole.
    Refused {
        /// The service's code.
        code: String,
    },
    /// The list no longer exists.
    ListGone,
    /// The name belongs to another list, a segment or the system.
    NameTaken,
    /// Credentials, region, rights or configuration; nothing will work until they change.
    Configuration,
}

impl DestinationError {
    /// An error of `kind`.
    pub fn new(kind: DestinationErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the same may work later without a change.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self.kind,
            DestinationErrorKind::Unavailable { .. } | DestinationErrorKind::Unknown
        )
    }
}
