//! A typed client for the Dotdigital REST API, v2 and v3.
//!
//! It has a method for every current operation on accounts, contacts, lists, data fields, preferences,
//! programs, segments and Insight data, keeps to the account's call limits, tries again where that
//! is safe, and says of every failure what may have happened. It knows nothing of warehouses,
//! schedules or synchronisation.
//!
//! The [guide] has chapters on [errors](guide::errors), [dangerous calls](guide::dangerous_calls) and
//! [testing](guide::testing) against the simulator that comes with the crate.
//!
//! ```no_run
//! use dotdigital_client::{
//!     Client, Credentials, Identifier,
//!     imports::{ImportBody, ImportContact, ImportLimits, MergeOption, PollPolicy},
//!     lists::{ListName, NewList, Visibility},
//! };
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! // Without region or endpoint, `connect` asks the service where the account lives.
//! let client = Client::builder().credentials(Credentials::new("user", "password")).connect().await?;
//!
//! let name = ListName::parse("VIP customers")?;
//! let list = client.lists().find_or_create(&NewList { name, visibility: Visibility::Private }).await?;
//!
//! let jane = Identifier::email("jane@example.com")?;
//! let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
//! let _ = body.push(&ImportContact::new(jane).list(list.id))?;
//!
//! let import = client.imports().submit(&body).await?;
//! let report = client.imports().wait(&import, &PollPolicy::default()).await?;
//! assert_eq!(report.created.len() + report.updated.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Calls
//!
//! | operation | method | when repeated |
//! |---|---|---|
//! | `GET /v2/account-info` | [`account::Account::info`] | reads |
//! | `GET /v2/server-time` | [`account::Account::server_time`] | reads |
//! | `POST /v2/accounts/empty-recycle-bin` | [`account::Account::empty_recycle_bin`] (1) | acts again: never blindly repeated |
//! | `GET /v2/data-fields` | [`data_fields::DataFields::list`] | reads |
//! | `POST /v2/data-fields` | [`data_fields::DataFields::create`] | acts again: never blindly repeated |
//! | `DELETE /v2/data-fields/{name}` | [`data_fields::DataFields::delete`] (1) | harmless |
//! | `GET /configuration/v3/customIdentifiers` | [`custom_identifiers::CustomIdentifiers::list`] | reads |
//! | `POST /configuration/v3/customIdentifiers` | [`custom_identifiers::CustomIdentifiers::create`] | acts again: never blindly repeated |
//! | `DELETE /configuration/v3/customIdentifiers/{name}` | [`custom_identifiers::CustomIdentifiers::delete`] (1) | harmless |
//! | `POST /v2/address-books` | [`lists::Lists::create`], [`lists::Lists::find_or_create`] | acts again: never blindly repeated |
//! | `GET /v2/address-books` | [`lists::Lists::pages`], [`lists::Lists::find_by_name`], [`lists::Lists::find_or_create`] | reads |
//! | `GET /v2/address-books/private` | [`lists::Lists::private_pages`] | reads |
//! | `GET /v2/address-books/public` | [`lists::Lists::public_pages`] | reads |
//! | `GET /v2/address-books/{id}` | [`lists::Lists::find`] | reads |
//! | `PUT /v2/address-books/{id}` | [`lists::Lists::update`] | harmless |
//! | `DELETE /v2/address-books/{id}` | [`lists::Lists::delete`] (1) | harmless |
//! | `GET /v2/address-books/{id}/campaigns` | [`lists::Lists::campaigns`] | reads |
//! | `PUT /contacts/v3/import` | [`imports::Imports::submit`], [`imports::Imports::run`], [`imports::Imports::run_from`] | acts again: never blindly repeated |
//! | `GET /contacts/v3/import/{importId}` | [`imports::Imports::status`], [`imports::Imports::wait`], [`imports::Imports::wait_with`], [`imports::Imports::run`], [`imports::Imports::run_from`] | reads |
//! | `GET /contacts/v3/{identifier}/{value}` | [`contacts::Contacts::find`] | reads |
//! | `PATCH /contacts/v3/{identifier}/{value}` | [`contacts::Contacts::upsert`], [`contacts::Contacts::upsert_merging`] | harmless, unless it adds consent records or subscribes |
//! | `PUT /contacts/v3/{identifier}/{value}` | [`contacts::Contacts::replace`] (1) | harmless, unless it subscribes |
//! | `DELETE /contacts/v3/{identifier}/{value}` | [`contacts::Contacts::delete`] (1) | harmless |
//! | `POST /contacts/v3/delete` | [`contacts::Contacts::delete_many`] (1) | acts again: never blindly repeated |
//! | `GET /contacts/v3/delete/{deleteId}` | [`contacts::Contacts::deletion_status`] (1), [`contacts::Contacts::wait_for_deletion`] (1) | reads |
//! | `POST /contacts/v3` | [`contacts::Contacts::create`] | acts again: never blindly repeated |
//! | `GET /contacts/v3` | [`contacts::Contacts::pages`], [`list_members::ListMembers::pages`] | reads |
//! | `DELETE /v2/address-books/{addressBookId}/contacts/{contactId}` | [`list_members::ListMembers::remove`] | harmless |
//! | `POST /v2/address-books/{addressBookId}/contacts/delete` | [`list_members::ListMembers::remove_many`], [`list_members::ListMembers::remove_in_batches`] | acts again: never blindly repeated |
//! | `GET /v2/contacts/deletion/{id}` | [`list_members::ListMembers::removal_status`], [`list_members::ListMembers::wait`], [`list_members::ListMembers::wait_with`], [`list_members::ListMembers::remove_in_batches`] | reads |
//! | `POST /v2/address-books/{addressBookId}/contacts/delete-all` | [`list_members::ListMembers::remove_all`] (1) | acts again: never blindly repeated |
//! | `GET /v2/address-books/{id}/contacts/unsubscribed-since/{date}` | [`list_members::ListMembers::unsubscribed_since`] | reads |
//! | `GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}` | [`list_members::ListMembers::opted_into`] | reads |
//! | `GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}/opt-ins-since/{date}` | [`list_members::ListMembers::choices_since`] | reads |
//! | `GET /v2/address-books/{id}/contacts` | [`list_members::ListMembers::v2_pages`] | reads |
//! | `GET /v2/address-books/{id}/contacts/modified-since/{date}` | [`list_members::ListMembers::v2_modified_since`] | reads |
//! | `POST /v2/address-books/{id}/contacts` | [`list_members::ListMembers::add_by_email`] | harmless |
//! | `POST /v2/address-books/{id}/contacts/unsubscribe` | [`list_members::ListMembers::unsubscribe`] (2) | harmless |
//! | `POST /v2/address-books/{id}/contacts/resubscribe` | [`list_members::ListMembers::resubscribe`] (2) | acts again: never blindly repeated |
//! | `POST /v2/address-books/{id}/contacts/resubscribe-with-no-challenge` | [`list_members::ListMembers::resubscribe_with_no_challenge`] (2) | acts again: never blindly repeated |
//! | `GET /v2/preferences` | [`preferences::Preferences::list`] | reads |
//! | `GET /v2/preferences/modified-since/{date}` | [`preferences::Preferences::modified_since`] | reads |
//! | `POST /v2/preferences` | [`preferences::Preferences::create`] | acts again: never blindly repeated |
//! | `PUT /v2/preferences/{id}` | [`preferences::Preferences::update`] | harmless |
//! | `DELETE /v2/preferences/{id}` | [`preferences::Preferences::delete`] (1) | harmless |
//! | `GET /v2/contacts/{contactIdentifier}/preferences` | [`preferences::Preferences::of_contact`] | reads |
//! | `PUT /v2/contacts/{contactIdentifier}/preferences` | [`preferences::Preferences::set_for_contact`] | harmless |
//! | `GET /v2/contacts/with-preference/{preferenceId}` | [`preferences::Preferences::opted_into`] | reads |
//! | `GET /v2/contacts/with-preference/{preferenceId}/opt-ins-since/{date}` | [`preferences::Preferences::choices_since`] | reads |
//! | `GET /v2/contacts/suppressed-since/{date}` | [`suppressions::Suppressions::suppressed_since`] | reads |
//! | `GET /v2/contacts/unsubscribed-since/{date}` | [`suppressions::Suppressions::unsubscribed_since`] | reads |
//! | `GET /v2/contacts/{email}/subscriptions` | [`suppressions::Suppressions::subscriptions_of`] | reads |
//! | `POST /v2/contacts/unsubscribe` | [`suppressions::Suppressions::unsubscribe`] (2) | harmless |
//! | `POST /v2/contacts/resubscribe` | [`suppressions::Suppressions::resubscribe`] (2) | acts again: never blindly repeated |
//! | `POST /v2/contacts/resubscribe-with-no-challenge` | [`suppressions::Suppressions::resubscribe_with_no_challenge`] (2) | acts again: never blindly repeated |
//! | `PUT /v2/contacts/suppress-contacts` | [`suppressions::Suppressions::suppress`] (2) | harmless |
//! | `GET /v2/programs` | [`programs::Programs::pages`] | reads |
//! | `GET /v2/programs/{id}` | [`programs::Programs::find`] | reads |
//! | `POST /v2/programs/enrolments` | [`programs::Programs::enrol`] | acts again: never blindly repeated |
//! | `GET /v2/programs/enrolments/{enrolmentId}` | [`programs::Programs::enrolment`], [`programs::Programs::wait`] | reads |
//! | `GET /v2/programs/enrolments/{status}` | [`programs::Programs::enrolments`] | reads |
//! | `GET /v2/programs/enrolments/{id}/report-faults` | [`programs::Programs::enrolment_faults`] | reads |
//! | `GET /v2/segments` | [`segments::Segments::list`] | reads |
//! | `POST /v2/segments/refresh/{id}` | [`segments::Segments::refresh`] | harmless |
//! | `GET /v2/segments/refresh/{id}` | [`segments::Segments::refresh_progress`], [`segments::Segments::wait`] | reads |
//! | `GET /insightData/v3/collections` | [`insight_data::InsightData::collections`] | reads |
//! | `GET /insightData/v3/account` | [`insight_data::InsightData::account_collections`] | reads |
//! | `GET /insightData/v3/contacts/{identifier}/{value}` | [`insight_data::InsightData::contact_collections`] | reads |
//! | `POST /insightData/v3/collections/{collectionName}` | [`insight_data::InsightData::create_collection`] | harmless |
//! | `GET /insightData/v3/collections/{collectionName}/schema` | [`insight_data::InsightData::schema`] | reads |
//! | `DELETE /insightData/v3/collections/{collectionName}` | [`insight_data::InsightData::delete_collection`] (1) | acts again: never blindly repeated |
//! | `DELETE /insightData/v3/collections/{collectionName}/empty` | [`insight_data::InsightData::empty_collection`] (1) | acts again: never blindly repeated |
//! | `GET /insightData/v3/async/{jobId}` | [`insight_data::InsightData::job`], [`insight_data::InsightData::wait_for_job`] | reads |
//! | `PUT /insightData/v3/import` | [`insight_data::InsightData::submit`] | acts again: never blindly repeated |
//! | `GET /insightData/v3/import/{importId}` | [`insight_data::InsightData::status`], [`insight_data::InsightData::wait`] | reads |
//! | `GET /insightData/v3/account/{collectionName}` | [`insight_data::AccountRecords::pages`] | reads |
//! | `GET /insightData/v3/account/{collectionName}/{recordId}` | [`insight_data::AccountRecords::find`] | reads |
//! | `PUT /insightData/v3/account/{collectionName}/{recordId}` | [`insight_data::AccountRecords::put`] | harmless |
//! | `DELETE /insightData/v3/account/{collectionName}/{recordId}` | [`insight_data::AccountRecords::delete`] | harmless |
//! | `DELETE /insightData/v3/accounts/{collectionName}/deleteRecords` | [`insight_data::AccountRecords::delete_many`] | harmless |
//! | `GET /insightData/v3/contacts/{collectionName}` | [`insight_data::InsightData::records_of_all_contacts`] | reads |
//! | `GET /insightData/v3/contacts/{identifier}/{value}/{collectionName}` | [`insight_data::ContactRecords::pages`] | reads |
//! | `GET /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}` | [`insight_data::ContactRecords::find`] | reads |
//! | `PUT /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}` | [`insight_data::ContactRecords::put`] | harmless |
//! | `DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}` | [`insight_data::ContactRecords::delete`] | harmless |
//! | `DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/deleteRecords` | [`insight_data::ContactRecords::delete_many`] | harmless |
//! | `DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/empty` | [`insight_data::ContactRecords::empty`] (1) | acts again: never blindly repeated |
//!
//! (1) only with feature `account-deletion`, (2) only with feature `consent-changes`. Without
//! them, no call here deletes a contact from the account, empties a list, or changes anybody's
//! subscription to a channel or a list, and none can be built: ids are types that are never empty or
//! zero.
//!
//! # Errors
//!
//! There is one [`Error`]. Its [`kind`](Error::kind) says what to do next,
//! [`may_have_acted`](Error::may_have_acted) whether anything may have changed,
//! [`is_temporary`](Error::is_temporary) whether trying later may help. Status, the service's
//! code and the raw body are kept. Neither `Display` nor `Debug` shows a secret or an address.
//!
//! # Limits and retries
//!
//! Windows of calls are learnt from the service's `X-RateLimit-*` headers and shared by all clones
//! of a client; callers wait in turn and a dropped future gives its place back. A `429` about
//! running imports waits for a free slot instead. A call is tried again after a passing fault when
//! it was never sent or is harmless to repeat, within [`RetryPolicy`].
//!
//! The client needs a tokio runtime with its I/O and time drivers. With another
//! [`Transport`] and [`Clock`], those decide.

#![cfg_attr(docsrs, feature(doc_cfg))]
// The table of calls links to those too that need a feature.
#![cfg_attr(
    not(all(feature = "account-deletion", feature = "consent-changes")),
    allow(rustdoc::broken_intra_doc_links)
)]

mod builder;
mod call;
mod client;
pub mod clock;
mod credentials;
mod danger;
mod decode;
mod endpoint;
mod error;
pub mod guide;
mod identifier;
mod ids;
mod limits;
mod observer;
mod paging;
#[cfg(feature = "phone")]
mod phone;
mod pipeline;
mod polling;
mod raw;
mod reqwest_transport;
mod resources;
mod retry;
mod service_enum;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod transport;
mod wait;

pub use builder::ClientBuilder;
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use credentials::Credentials;
pub use endpoint::{InvalidRegion, Region};
pub use error::{Error, ErrorKind};
pub use identifier::{
    CustomName, CustomValue, EmailAddress, Identifier, InvalidIdentifier, MobileNumber,
};
pub use ids::{
    AccountId, CampaignId, ContactId, DeletionJobId, EnrolmentId, ImportId, InsightImportId,
    InsightJobId, InvalidId, ListId, PreferenceId, ProgramId, RemovalJobId, SegmentId,
};
pub use limits::{LimitSettings, Tier};
pub use observer::{CallCounter, CallObserver, CallRecord};
pub use paging::Pages;
#[cfg(feature = "phone")]
pub use phone::InvalidNationalNumber;
pub use polling::PollPolicy;
pub use raw::{Raw, RawCall};
pub use reqwest_transport::ReqwestTransport;
pub use resources::{
    account, contacts, custom_identifiers, data_fields, imports, insight_data, list_members, lists,
    preferences, programs, segments, suppressions,
};
pub use retry::{FailedAttempt, Fault, RetryPolicy, Verdict};
pub use transport::{
    HttpRequest, HttpResponse, Method, Transport, TransportError, TransportErrorKind,
};

/// Compiles what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
