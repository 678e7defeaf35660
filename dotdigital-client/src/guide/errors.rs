//! # What to do about an error
//!
//! Every call fails with the one [`Error`](crate::Error). Three questions about it decide what a
//! program does next, and none of them needs the error's text.
//!
//! **May something have happened?** [`may_have_acted`](crate::Error::may_have_acted) is true when any
//! attempt may have reached the service and changed something. Only then is it worth looking before
//! trying again. It is never true of a call that reads.
//!
//! **Is it worth trying later?** [`is_temporary`](crate::Error::is_temporary) is true when the same
//! call may succeed without anybody changing anything. The client has then already tried as often as
//! [`RetryPolicy`](crate::RetryPolicy) allows.
//!
//! **What is it?** [`kind`](crate::Error::kind), a value to match on:
//!
//! | kind | what happened | what to do |
//! |---|---|---|
//! | `NotSent` | the service was never reached | try later; check network and proxy |
//! | `MaybeSent` | no proper answer, the service may have acted (408 and 5xx too) | for a call that changes something, look first; then try later |
//! | `Throttled { until }` | the account's call limit is used up | try at `until` |
//! | `SlotsFull` | as many jobs are running as the account may have | try when one has ended |
//! | `Unauthorised` | name or password is wrong, or the API user was switched off | a person has to act |
//! | `WrongRegion` | 403: the account is elsewhere, or the API user may not do this | use [`connect`](crate::ClientBuilder::connect); check the API user's rights |
//! | `NotFound` | the thing asked about is gone | forget it, or create it |
//! | `Conflict` | the name or identifier belongs to something else | choose another, or use what is there |
//! | `Rejected` | the service, or this client before sending, refused the request | correct the request; [`code`](crate::Error::code) says what is wrong with it |
//! | `Decode` | the service did what it was asked, its answer could not be read | do not repeat what must not happen twice; report it |
//! | `GaveUp` | a job had not ended in the time allowed | ask again later: it goes on |
//! | `Config` | the client is not set up properly | correct the program |
//!
//! ```no_run
//! use dotdigital_client::{Client, Error, ErrorKind, ListId, list_members::ContactIds};
//!
//! /// Takes contacts off a list, and says what to do next.
//! async fn remove(client: &Client, list: ListId, contacts: &ContactIds) -> Result<String, Error> {
//!     match client.list_members(list).remove_many(contacts).await {
//!         Ok(job) => Ok(format!("ask later about job {}", job.id)),
//!         Err(error) if error.kind() == ErrorKind::NotFound => Ok("the list is gone".to_owned()),
//!         Err(error) if error.may_have_acted() => Ok("read the list first".to_owned()),
//!         Err(error) if error.is_temporary() => Ok("nothing happened, try later".to_owned()),
//!         Err(error) => Err(error),
//!     }
//! }
//! ```
//!
//! For the commonest case there is a method:
//! [`Lists::find_or_create`](crate::lists::Lists::find_or_create) gives one list of a name, also when
//! the answer to its creation is lost.
//!
//! # Codes
//!
//! [`code`](crate::Error::code) is the service's own word, such as `ERROR_ADDRESSBOOK_DUPLICATE` (v2)
//! or `contacts:identifierConflict` (v3). The status of most codes is not documented, so a code that
//! is known outranks the status: a list that does not exist is `NotFound` whether the service says so
//! with 404 or with 400. [`status`](crate::Error::status) and the raw [`body`](crate::Error::body)
//! are kept, also when the body is a proxy's HTML.
//!
//! # Logging
//!
//! `Display` and `Debug` of an error show endpoint, kind, status and code, and never a secret, a
//! person's address or text of the service: they can be logged as they are. The raw body can not.
//!
//! # Jobs
//!
//! A job that ended is not one that worked. An import can be `Finished` with failures, each with its
//! contact and reason ([`ImportStatus::failures`](crate::imports::ImportStatus)); one that was
//! `RejectedByWatchdog` needs the vendor's support and is never worth repeating. A bulk removal says
//! only that it completed, not what became of each contact.
