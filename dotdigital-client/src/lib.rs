//! A typed client for the Dotdigital REST API, v2 and v3.
//!
//! It knows lists, contacts and bulk imports, keeps to the account's call limits, tries again
//! where that is safe, and says of every failure what may have happened. It knows nothing of
//! segments, schedules or synchronisation.
//!
//! ```no_run
//! use dotdigital_client::{
//!     Client, Credentials, EmailAddress, Identifier,
//!     imports::{ImportBody, ImportContact, ImportLimits, MergeOption, PollPolicy},
//!     lists::{ListName, NewList, Visibility},
//! };
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! // Without region or endpoint, `connect` asks the service where the account lives.
//! let client = Client::builder().credentials(Credentials::new("user", "password")).connect().await?;
//!
//! let name = ListName::parse("VIP customers")?;
//! let list = client.lists().create(&NewList { name, visibility: Visibility::Private }).await?;
//!
//! let jane = Identifier::Email(EmailAddress::parse("jane@example.com")?);
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
//! | `POST /v2/address-books` | [`lists::Lists::create`] | acts again: never blindly repeated |
//! | `GET /v2/address-books` | [`lists::Lists::pages`], [`lists::Lists::find_by_name`] | reads |
//! | `GET /v2/address-books/{id}` | [`lists::Lists::find`] | reads |
//! | `PUT /v2/address-books/{id}` | [`lists::Lists::update`] | harmless |
//! | `PUT /contacts/v3/import` | [`imports::Imports::submit`] | acts again: never blindly repeated |
//! | `GET /contacts/v3/import/{importId}` | [`imports::Imports::status`], [`imports::Imports::wait`] | reads |
//! | `GET /contacts/v3/{identifier}/{value}` | [`contacts::Contacts::find`] | reads |
//! | `PATCH /contacts/v3/{identifier}/{value}` | [`contacts::Contacts::upsert`] | harmless |
//! | `GET /contacts/v3` | [`list_members::ListMembers::pages`] | reads |
//! | `DELETE /v2/address-books/{addressBookId}/contacts/{contactId}` | [`list_members::ListMembers::remove`] | harmless |
//! | `POST /v2/address-books/{addressBookId}/contacts/delete` | [`list_members::ListMembers::remove_many`] | acts again: never blindly repeated |
//! | `GET /v2/contacts/deletion/{id}` | [`list_members::ListMembers::removal_status`] | reads |
//!
//! No call here deletes a contact from the account, empties a list, or changes anybody's
//! subscription, and none can be built: ids are types that are never empty or zero.
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
mod pipeline;
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
pub use ids::{AccountId, ContactId, ImportId, InvalidId, ListId, RemovalJobId};
pub use limits::{LimitSettings, Tier};
pub use observer::{CallCounter, CallObserver, CallRecord};
pub use paging::Pages;
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
