//! Any number of contacts, in as many imports as they need.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    slice,
    task::{Context, Poll, ready},
};

use super::{
    FailureDetail, ImportBody, ImportContact, ImportContactError, ImportLimits, ImportState,
    ImportSummary, Imports, MergeOption, PollPolicy, Pushed, correlate::HandedIn,
};
use crate::{
    error::Error,
    identifier::Identifier,
    ids::{ContactId, ImportId},
};

/// How to import any number of contacts. Start from [`Default`] and change single fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportRunSettings {
    /// What wins where an import and the stored contact differ.
    pub merge: MergeOption,
    /// How large each import may get. At least one contact goes into each.
    pub limits: ImportLimits,
    /// The most imports at work at once, at least one. The account allows 25, which all its users
    /// share.
    pub in_flight: usize,
    /// How often to ask about each import, and for how long.
    pub poll: PollPolicy,
}

impl Default for ImportRunSettings {
    /// Overwrites, with four imports of the usual size at once.
    fn default() -> Self {
        Self {
            merge: MergeOption::default(),
            limits: ImportLimits::default(),
            in_flight: 4,
            poll: PollPolicy::default(),
        }
    }
}

/// An import that has ended, and what became of each of its contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportedBatch {
    /// The import.
    pub import: ImportId,
    /// How it ended. One that did not end as [`Finished`](ImportState::Finished) may report none
    /// of its contacts.
    pub state: ImportState,
    /// The service's own counts.
    pub summary: Option<ImportSummary>,
    /// What became of each contact, in the order in which they were handed in.
    pub outcomes: Vec<ImportOutcome>,
    /// Rows of the report that could not be told to be about any of the contacts.
    pub unmatched_rows: usize,
}

/// What became of one contact.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportOutcome {
    /// What the contact was to be found by, as it was handed in.
    pub contact: Identifier,
    /// What became of it.
    pub outcome: ContactOutcome,
}

/// What an import's report says of one contact. There is nothing else it can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactOutcome {
    /// It is stored.
    Stored {
        /// Its id. Keep it: taking the contact off a list needs it.
        contact_id: ContactId,
        /// Whether the account did not have it before.
        is_new: bool,
        /// The parts of it that were refused, such as its consent records.
        refused: Vec<FailureDetail>,
    },
    /// It was refused.
    Failed {
        /// Its id, if it exists.
        contact_id: Option<ContactId>,
        /// Why.
        failures: Vec<FailureDetail>,
    },
    /// The report says nothing about it. It may be stored or not.
    NotReported,
}

/// Contacts of which it is not known that they are stored. Never carries more of them than their
/// identifiers in `Display` or `Debug`, and those redacted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportRunError {
    /// The service did not take these contacts. Nothing happened to them.
    #[error("an import was not taken")]
    NotSubmitted {
        /// The contacts, in the order in which they were to be handed in.
        contacts: Vec<Identifier>,
        /// What went wrong.
        source: Error,
    },
    /// The answer to handing these contacts in was lost: they may be stored, now or soon, and no
    /// import can be asked about them. Handing them in again is safe while nothing newer is stored.
    #[error("it is not known whether an import was taken")]
    SubmissionLost {
        /// The contacts, in the order in which they were handed in.
        contacts: Vec<Identifier>,
        /// What went wrong.
        source: Error,
    },
    /// The service took these contacts, and what became of them could not be learnt. Ask about the
    /// import later.
    #[error("what became of an import could not be learnt")]
    NoReport {
        /// The import.
        import: ImportId,
        /// The contacts, in the order in which they were handed in.
        contacts: Vec<Identifier>,
        /// What went wrong.
        source: Error,
    },
    /// This contact fits into no import. Nothing happened to it.
    #[error("a contact fits into no import: {reason}")]
    Refused {
        /// The contact.
        contact: Box<ImportContact>,
        /// Why.
        reason: ImportContactError,
    },
}

impl ImportRunError {
    /// What the contacts were to be found by.
    pub fn contacts(&self) -> &[Identifier] {
        match self {
            Self::NotSubmitted { contacts, .. }
            | Self::SubmissionLost { contacts, .. }
            | Self::NoReport { contacts, .. } => contacts,
            Self::Refused { contact, .. } => slice::from_ref(&contact.match_on),
        }
    }
}

/// Where the contacts of an import run come from: any iterator, or something that waits for them,
/// such as a channel or a database cursor.
///
/// The shape is that of the stream types of other crates, so that wrapping one is one line.
///
/// # Contract
///
/// * Ready with a contact, or with `None` at the end; it is not asked again after that.
/// * Pending only once the context's waker will be woken.
/// * One that fails ends, and keeps its error where the caller finds it.
pub trait ContactSource {
    /// The next contact, as far as there is one by now.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<ImportContact>>;
}

impl<I: Iterator<Item = ImportContact>> ContactSource for I {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<ImportContact>> {
        Poll::Ready(self.next())
    }
}

/// The import of any number of contacts. From [`Imports::run`].
///
/// Every contact comes back exactly once: in a batch whose import has ended, or in an error. An
/// error is about its contacts only; the run goes on when [`next`](Self::next) is called again.
///
/// Memory is that of the bodies being handed in, at most as many as imports may be at work, of the
/// identifiers in those at work, and of one report. Contacts are pulled as they are needed, those
/// of an iterator on the caller's task. Two with the same identifier in one import are refused; the
/// same identifier in several imports is the caller's to avoid, since imports at work together
/// have no order.
///
/// Work is done within [`next`](Self::next) alone. Dropping its future loses nothing. Dropping the
/// run leaves submitted imports at work and submits no more.
pub struct ImportRun<S> {
    imports: Imports,
    settings: ImportRunSettings,
    /// `None` once it has ended.
    source: Option<S>,
    /// Did not fit into the last batch.
    left_over: Option<ImportContact>,
    filling: Batch,
    jobs: Vec<Job>,
}

type Ended = Result<ImportedBatch, ImportRunError>;
type Job = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// The contacts of one import, and its body until that is handed in.
struct Batch {
    body: ImportBody,
    handed_in: HandedIn,
}

enum Filled {
    Batch(Batch),
    Refused(ImportRunError),
    NoneLeft,
}

impl<S: ContactSource> ImportRun<S> {
    pub(super) fn new(imports: Imports, source: S, mut settings: ImportRunSettings) -> Self {
        settings.in_flight = settings.in_flight.max(1);
        settings.limits.max_contacts = settings.limits.max_contacts.max(1);
        let filling = Batch::new(&settings);
        let (source, jobs) = (Some(source), Vec::new());
        Self { imports, settings, source, left_over: None, filling, jobs }
    }

    /// The next import that has ended, in the order in which they end, or the next contacts that
    /// went wrong; `None` once every contact came back.
    ///
    /// # Errors
    ///
    /// See [`ImportRunError`]. The run is not over: call again.
    pub async fn next(&mut self) -> Option<Result<ImportedBatch, ImportRunError>> {
        poll_fn(|context| self.poll_ended(context)).await
    }

    fn poll_ended(&mut self, context: &mut Context<'_>) -> Poll<Option<Ended>> {
        loop {
            if let Poll::Ready(ended) = self.poll_jobs(context) {
                return Poll::Ready(Some(ended));
            }
            if self.jobs.len() >= self.settings.in_flight {
                return Poll::Pending;
            }
            match ready!(self.poll_fill(context)) {
                // The next round of the loop hands it in before another one is filled.
                Filled::Batch(batch) => {
                    let job = import(self.imports.clone(), batch, self.settings.poll);
                    self.jobs.push(Box::pin(job));
                }
                Filled::Refused(error) => return Poll::Ready(Some(Err(error))),
                Filled::NoneLeft if self.jobs.is_empty() => return Poll::Ready(None),
                Filled::NoneLeft => return Poll::Pending,
            }
        }
    }

    /// Drives all jobs until one of them ends.
    fn poll_jobs(&mut self, context: &mut Context<'_>) -> Poll<Ended> {
        for place in 0..self.jobs.len() {
            let polled = self.jobs.get_mut(place).map(|job| job.as_mut().poll(context));
            if let Some(Poll::Ready(ended)) = polled {
                drop(self.jobs.swap_remove(place));
                return Poll::Ready(ended);
            }
        }
        Poll::Pending
    }

    /// Fills a batch from the source. What it holds survives a refused contact and a wait.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<Filled> {
        loop {
            let Some(contact) = ready!(self.poll_contact(context)) else {
                return Poll::Ready(match self.filling.body.is_empty() {
                    true => Filled::NoneLeft,
                    false => Filled::Batch(self.take_batch()),
                });
            };
            let pushed = match self.filling.handed_in.has(&contact.match_on) {
                true => Err(ImportContactError::Duplicate),
                false => self.filling.body.push(&contact),
            };
            match pushed {
                Ok(Pushed::Added) => self.filling.handed_in.add(contact.match_on),
                Ok(Pushed::Full) => {
                    self.left_over = Some(contact);
                    return Poll::Ready(Filled::Batch(self.take_batch()));
                }
                Err(reason) => {
                    let contact = Box::new(contact);
                    let error = ImportRunError::Refused { contact, reason };
                    return Poll::Ready(Filled::Refused(error));
                }
            }
        }
    }

    fn poll_contact(&mut self, context: &mut Context<'_>) -> Poll<Option<ImportContact>> {
        if let Some(contact) = self.left_over.take() {
            return Poll::Ready(Some(contact));
        }
        let Some(source) = &mut self.source else { return Poll::Ready(None) };
        let contact = ready!(source.poll_next(context));
        if contact.is_none() {
            self.source = None;
        }
        Poll::Ready(contact)
    }

    fn take_batch(&mut self) -> Batch {
        std::mem::replace(&mut self.filling, Batch::new(&self.settings))
    }
}

impl Batch {
    fn new(settings: &ImportRunSettings) -> Self {
        let body = ImportBody::new(settings.merge, settings.limits);
        Self { body, handed_in: HandedIn::default() }
    }
}

/// Hands in one batch and waits for its end.
async fn import(imports: Imports, batch: Batch, poll: PollPolicy) -> Ended {
    let Batch { body, handed_in } = batch;
    let submitted = imports.submit(&body).await;
    // The body may be large, and the import may take hours.
    drop(body);
    let import = match submitted {
        Ok(import) => import,
        Err(source) => {
            let contacts = handed_in.into_contacts();
            return Err(match source.may_have_acted() {
                true => ImportRunError::SubmissionLost { contacts, source },
                false => ImportRunError::NotSubmitted { contacts, source },
            });
        }
    };
    match imports.wait(&import, &poll).await {
        Ok(mut status) => {
            let (state, summary) = (status.state.clone(), status.summary.take());
            let (outcomes, unmatched_rows) = handed_in.outcomes(status);
            Ok(ImportedBatch { import, state, summary, outcomes, unmatched_rows })
        }
        Err(source) => {
            Err(ImportRunError::NoReport { import, contacts: handed_in.into_contacts(), source })
        }
    }
}

impl<S> fmt::Debug for ImportRun<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportRun")
            .field("settings", &self.settings)
            .field("at_work", &self.jobs.len())
            .finish_non_exhaustive()
    }
}
