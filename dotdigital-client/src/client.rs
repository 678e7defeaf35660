//! The client: what all calls go through.

use std::{fmt, sync::Arc};

use crate::{
    builder::ClientBuilder,
    call::Call,
    clock::Clock,
    error::Error,
    ids::ListId,
    limits::Tier,
    observer::CallObserver,
    pipeline::{Answer, Pipeline},
    raw::Raw,
    resources::{
        account::Account, contacts::Contacts, custom_identifiers::CustomIdentifiers,
        data_fields::DataFields, imports::Imports, insight_data::InsightData,
        list_members::ListMembers, lists::Lists, preferences::Preferences, programs::Programs,
        segments::Segments, suppressions::Suppressions,
    },
};

/// A client of one Dotdigital account. Cheap to clone; clones share connections, limits and the
/// retry budget, so use one per account and clone it.
#[derive(Clone)]
pub struct Client {
    pipeline: Arc<Pipeline>,
    observer: Option<Arc<dyn CallObserver>>,
}

impl Client {
    /// Starts setting up a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The same client, sharing everything, whose calls are reported to `observer` (and to no
    /// other).
    #[must_use]
    pub fn with_observer(&self, observer: Arc<dyn CallObserver>) -> Self {
        Self { pipeline: Arc::clone(&self.pipeline), observer: Some(observer) }
    }

    /// Scheme and host of the service, such as `https://r1-api.dotdigital.com`.
    pub fn endpoint(&self) -> &str {
        self.pipeline.endpoint.base()
    }

    /// How many calls of a tier the service allows in one window, which is a minute where it does
    /// not say otherwise: what it told last, until then what
    /// [`LimitSettings`](crate::LimitSettings) assume, if anything.
    pub fn limit(&self, tier: Tier) -> Option<u32> {
        self.pipeline.governor.limit(tier)
    }

    /// The account itself.
    pub fn account(&self) -> Account {
        Account::new(self.clone())
    }

    /// Contact lists, which the service also calls address books.
    pub fn lists(&self) -> Lists {
        Lists::new(self.clone())
    }

    /// Single contacts.
    pub fn contacts(&self) -> Contacts {
        Contacts::new(self.clone())
    }

    /// Bulk imports of contacts.
    pub fn imports(&self) -> Imports {
        Imports::new(self.clone())
    }

    /// The members of one list.
    pub fn list_members(&self, list: ListId) -> ListMembers {
        ListMembers::new(self.clone(), list)
    }

    /// Identifiers that the account added to the service's own.
    pub fn custom_identifiers(&self) -> CustomIdentifiers {
        CustomIdentifiers::new(self.clone())
    }

    /// Data fields: what the account keeps about its contacts.
    pub fn data_fields(&self) -> DataFields {
        DataFields::new(self.clone())
    }

    /// Preferences: what contacts wish to hear about.
    pub fn preferences(&self) -> Preferences {
        Preferences::new(self.clone())
    }

    /// Who left or was silenced, and must not be written to.
    pub fn suppressions(&self) -> Suppressions {
        Suppressions::new(self.clone())
    }

    /// Programs and the enrolment of contacts in them.
    pub fn programs(&self) -> Programs {
        Programs::new(self.clone())
    }

    /// Segments that the service itself computes.
    pub fn segments(&self) -> Segments {
        Segments::new(self.clone())
    }

    /// Insight data: collections of records about contacts or the account.
    pub fn insight_data(&self) -> InsightData {
        InsightData::new(self.clone())
    }

    /// Calls that this crate has no method for.
    pub fn raw(&self) -> Raw {
        Raw::new(self.clone())
    }

    pub(crate) fn from_pipeline(pipeline: Pipeline) -> Self {
        Self { pipeline: Arc::new(pipeline), observer: None }
    }

    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Error> {
        self.pipeline.send(call, self.observer.as_deref()).await
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.pipeline.clock
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.endpoint())
            .field("observer", &self.observer)
            .finish_non_exhaustive()
    }
}
