//! A typed client for the Dotdigital REST API, v2 and v3.

mod account;
mod builder;
mod call;
mod client;
pub mod clock;
mod contacts;
mod credentials;
mod decode;
mod endpoint;
mod error;
mod identifier;
mod ids;
mod imports;
mod limits;
mod list_members;
mod lists;
mod observer;
mod pipeline;
mod reqwest_transport;
mod retry;
mod service_enum;
pub mod transport;
mod wait;

pub use account::{Account, AccountInfo, AccountProperty};
pub use builder::ClientBuilder;
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use contacts::{
    Channel, Contact, ContactStatus, ContactUpdate, Contacts, Identifiers, ListMembership,
    ListStatus, Upserted,
};
pub use credentials::Credentials;
pub use endpoint::Region;
pub use error::{Error, ErrorKind};
pub use identifier::{
    CustomName, CustomValue, EmailAddress, Identifier, InvalidIdentifier, MobileNumber,
};
pub use ids::{AccountId, ContactId, ImportId, InvalidId, ListId, RemovalJobId};
pub use imports::{
    FailureCode, FailureDetail, ImportBody, ImportContact, ImportContactError, ImportFailure,
    ImportLimits, ImportState, ImportStatus, ImportSummary, ImportedContact, Imports, MergeOption,
    PollPolicy, Pushed,
};
pub use limits::{LimitSettings, Tier};
pub use list_members::{
    ContactIds, InvalidContactIds, ListMembers, MemberPages, Removal, RemovalJob, RemovalState,
};
pub use lists::{ContactList, InvalidListName, ListName, ListPages, Lists, NewList, Visibility};
pub use observer::{CallCounter, CallObserver, CallRecord};
pub use reqwest_transport::ReqwestTransport;
pub use retry::{FailedAttempt, Fault, RetryPolicy, Verdict};
pub use transport::{
    HttpRequest, HttpResponse, Method, Transport, TransportError, TransportErrorKind,
};
#[cfg(feature = "simulator")]
pub mod simulator;
