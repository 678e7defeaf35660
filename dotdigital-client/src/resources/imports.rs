//! Bulk imports: submit, ask, wait.

mod body;
mod correlate;
mod merge;
mod report;
mod run;

use serde::Deserialize;

use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::Error,
    ids::ImportId,
    limits::{JobKind, Tier},
    polling,
};

pub use crate::polling::PollPolicy;
pub use body::{ImportBody, ImportContact, ImportContactError, ImportLimits, Pushed};
pub use merge::MergeOption;
pub use report::{
    FailureCode, FailureDetail, ImportFailure, ImportState, ImportStatus, ImportSummary,
    ImportedContact,
};
pub use run::{
    ContactOutcome, ContactSource, ImportOutcome, ImportRun, ImportRunError, ImportRunSettings,
    ImportedBatch,
};

/// Calls about imports. From [`Client::imports`].
#[derive(Clone, Debug)]
pub struct Imports {
    client: Client,
}

impl Imports {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Hands in contacts to create or update, and returns at once. Repeated only when it cannot
    /// have been acted on: a second job would do the same work again.
    ///
    /// An account may have 25 imports at work. When it has, this waits for a free slot as long
    /// as [`LimitSettings::slot_wait`](crate::LimitSettings) allows.
    ///
    /// `PUT /contacts/v3/import` (tier: low)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SlotsFull`](crate::ErrorKind::SlotsFull) when no slot came free, and
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before sending for an empty body.
    pub async fn submit(&self, body: &ImportBody) -> Result<ImportId, Error> {
        let call = submit_call(body)?;
        let submitted: Submitted = decode::json(&call, &self.client.send(&call).await?)?;
        Ok(submitted.import_id)
    }

    /// How far an import has come and, once it has ended, what became of each contact.
    ///
    /// `GET /contacts/v3/import/{importId}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the service does not know the
    /// import (any more).
    pub async fn status(&self, import: &ImportId) -> Result<ImportStatus, Error> {
        let call = status_call(import);
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Asks about an import until it has ended. Dropping the future leaves the import at work.
    ///
    /// `GET /contacts/v3/import/{importId}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::GaveUp`](crate::ErrorKind::GaveUp) when it takes longer than `policy` allows,
    /// and as [`status`](Self::status) does.
    pub async fn wait(
        &self,
        import: &ImportId,
        policy: &PollPolicy,
    ) -> Result<ImportStatus, Error> {
        self.wait_with(import, policy, |_| ()).await
    }

    /// The same as [`wait`](Self::wait). Every answer, the last one too, is shown to `progress`.
    ///
    /// `GET /contacts/v3/import/{importId}` (tier: unlimited)
    ///
    /// # Errors
    ///
    /// Fails as [`wait`](Self::wait) does.
    pub async fn wait_with(
        &self,
        import: &ImportId,
        policy: &PollPolicy,
        progress: impl FnMut(&ImportStatus),
    ) -> Result<ImportStatus, Error> {
        let call = status_call(import);
        let ended = |status: &ImportStatus| status.state.is_terminal();
        polling::until_ended(&self.client, &call, policy, ended, progress).await
    }

    /// Imports any number of contacts: fills bodies from `contacts`, hands them in, waits for them
    /// and says of each contact what became of it. See [`ImportRun`].
    ///
    /// `PUT /contacts/v3/import` (tier: low), `GET /contacts/v3/import/{importId}` (tier: unlimited)
    ///
    /// ```no_run
    /// # use dotdigital_client::{Client, imports::{ImportContact, ImportRunSettings}};
    /// # async fn example(client: Client, contacts: Vec<ImportContact>) {
    /// let mut run = client.imports().run(contacts, ImportRunSettings::default());
    /// while let Some(result) = run.next().await {
    ///     match result {
    ///         Ok(batch) => println!("{} contacts in {}", batch.outcomes.len(), batch.import),
    ///         Err(error) => println!("{} contacts: {error}", error.contacts().len()),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn run<I>(&self, contacts: I, settings: ImportRunSettings) -> ImportRun<I::IntoIter>
    where
        I: IntoIterator<Item = ImportContact>,
    {
        self.run_from(contacts.into_iter(), settings)
    }

    /// The same as [`run`](Self::run), for contacts that have to be waited for.
    ///
    /// `PUT /contacts/v3/import` (tier: low), `GET /contacts/v3/import/{importId}` (tier: unlimited)
    pub fn run_from<S: ContactSource>(
        &self,
        source: S,
        settings: ImportRunSettings,
    ) -> ImportRun<S> {
        ImportRun::new(self.clone(), source, settings)
    }
}

#[derive(Deserialize)]
struct Submitted {
    #[serde(rename = "importId")]
    import_id: ImportId,
}

fn submit_call(body: &ImportBody) -> Result<Call, Error> {
    const ENDPOINT: &str = "PUT /contacts/v3/import";
    if body.is_empty() {
        return Err(Error::refused(ENDPOINT, "an import needs at least one contact"));
    }
    let call = Call::new(ENDPOINT, Tier::Low, Repeat::ActsAgain);
    Ok(call.starting(JobKind::Import).bytes(body.bytes()))
}

fn status_call(import: &ImportId) -> Call {
    Call::read("GET /contacts/v3/import/{importId}", Tier::Unlimited).arg(import)
}
