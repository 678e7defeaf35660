//! # Calls that are not what they look like
//!
//! Several calls of this API look like "take this person off that list" and do something else, which
//! cannot be undone or breaks a promise made to a person.
//!
//! | call | what it really does | method | feature |
//! |---|---|---|---|
//! | `DELETE /v2/address-books/{addressBookId}/contacts/{contactId}` | takes one contact off one list, nothing else | [`ListMembers::remove`](crate::list_members::ListMembers::remove) | none |
//! | `POST /v2/address-books/{addressBookId}/contacts/delete` | takes many contacts off one list, nothing else | [`ListMembers::remove_many`](crate::list_members::ListMembers::remove_many) | none |
//! | `DELETE /contacts/v3/{identifier}/{value}` | **deletes the person from the account**, and so from every list; bringing her back restores no list | `Contacts::delete` | `account-deletion` |
//! | `POST /contacts/v3/delete` | the same for up to 5,000 people | `Contacts::delete_many` | `account-deletion` |
//! | `PUT /contacts/v3/{identifier}/{value}` | **replaces the contact**: every field and list that is not sent is gone | `Contacts::replace` | `account-deletion` |
//! | `DELETE /v2/address-books/{id}` | deletes the list itself | `Lists::delete` | `account-deletion` |
//! | `POST /v2/address-books/{addressBookId}/contacts/delete-all` | empties the list | `ListMembers::remove_all` | `account-deletion` |
//! | `DELETE /v2/address-books/{addressBookId}/contacts` | empties the list: the address of the first call, its contact id missing | none | |
//! | `POST /v2/accounts/empty-recycle-bin/` | what was deleted can never be brought back | `Account::empty_recycle_bin` | `account-deletion` |
//! | `POST /v2/address-books/{id}/contacts/unsubscribe` | the person has left that list; later additions are refused | `ListMembers::unsubscribe` | `consent-changes` |
//! | `POST /v2/contacts/unsubscribe` | the person has left the account altogether | `Suppressions::unsubscribe` | `consent-changes` |
//! | `PUT /v2/contacts/suppress-contacts` | the account silences these people | `Suppressions::suppress` | `consent-changes` |
//! | `POST …/resubscribe`, `…/resubscribe-with-no-challenge` | writes to people again who had left; without challenge nobody asks them | `Suppressions::resubscribe` and others | `consent-changes` |
//! | an import or update that sends a channel's `status` | opts the person in or out of the whole channel | setters of [`ContactUpdate`](crate::contacts::ContactUpdate) | `consent-changes` |
//!
//! Two cargo features stand in front of them, both off by default. A crate that is built without them
//! cannot make these calls, whatever its code does:
//!
//! * `account-deletion`: deletes from the account what cannot be brought back, or replaces it;
//! * `consent-changes`: changes whether a person may be written to.
//!
//! [`Client::raw`](crate::Client::raw) is no way around: it refuses the same calls unless the feature is
//! on. And no address is ever built from an id that may be empty: ids are types that cannot be.
//!
//! What is possible without any feature is still more than reading: contacts are created and updated
//! ([`Contacts::upsert`](crate::contacts::Contacts::upsert) also brings a contact back from the
//! recycle bin), put on lists and taken off, enrolled in programs, and told what preferences they
//! have.
//!
//! Without the features this does not compile:
#![cfg_attr(not(feature = "account-deletion"), doc = "```compile_fail,E0599")]
#![cfg_attr(feature = "account-deletion", doc = "```no_run")]
//! # use dotdigital_client::{Client, Error, Identifier};
//! # async fn call(client: Client, jane: Identifier) -> Result<(), Error> {
//! client.contacts().delete(&jane).await?;
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(feature = "account-deletion"), doc = "```compile_fail,E0599")]
#![cfg_attr(feature = "account-deletion", doc = "```no_run")]
//! # use dotdigital_client::{Client, Error, ListId};
//! # async fn call(client: Client, vip: ListId) -> Result<(), Error> {
//! client.list_members(vip).remove_all().await?;
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(feature = "consent-changes"), doc = "```compile_fail,E0599")]
#![cfg_attr(feature = "consent-changes", doc = "```no_run")]
//! # use dotdigital_client::{Client, EmailAddress, Error};
//! # async fn call(client: Client, jane: EmailAddress) -> Result<(), Error> {
//! client.suppressions().unsubscribe(&jane).await?;
//! # Ok(())
//! # }
//! ```
