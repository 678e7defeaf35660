//! Contact lists: create, find, page, update.

mod campaign;
#[cfg(feature = "account-deletion")]
mod deletion;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::{Error, ErrorKind},
    ids::ListId,
    limits::Tier,
    paging::{self, Pages},
    service_enum::service_enum,
};

pub use campaign::{Campaign, CampaignStatus, ReplyAction, Sender};

/// The service's largest page of lists, and of campaigns.
const LARGEST_PAGE: u32 = 1000;

service_enum! {
    /// Who may see a list.
    Visibility {
        /// Only users of the account.
        Private = "Private",
        /// Also contacts, who may subscribe to it.
        Public = "Public",
    }
}

/// A contact list, which the service also calls address book.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ContactList {
    /// The list's id, for as long as it exists.
    pub id: ListId,
    /// The list's name; users of the account may change it.
    pub name: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// How many contacts the service says are on it. May lag behind running jobs.
    #[serde(default, deserialize_with = "decode::count")]
    pub contacts: u64,
}

impl ContactList {
    /// Tells lists of one page apart.
    fn key(&self) -> u64 {
        paging::key(&self.id)
    }
}

/// Why a text cannot name a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidListName {
    /// Nothing but white space.
    #[error("the list's name is empty")]
    Empty,
    /// More than 128 characters.
    #[error("the list's name is longer than {} characters", ListName::LONGEST)]
    TooLong,
    /// `Test` or `All Contacts`, which belong to the service.
    #[error("the list's name is reserved by the service")]
    Reserved,
}

/// A name that a list may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ListName(String);

impl ListName {
    /// The longest name, in characters.
    pub const LONGEST: usize = 128;

    /// Trims and checks a name.
    ///
    /// # Errors
    ///
    /// Fails for names that are empty, longer than 128 characters, or reserved.
    pub fn parse(text: &str) -> Result<Self, InvalidListName> {
        let text = text.trim();
        if text.is_empty() {
            Err(InvalidListName::Empty)
        } else if text.chars().count() > Self::LONGEST {
            Err(InvalidListName::TooLong)
        } else if ["test", "all contacts"].contains(&text.to_lowercase().as_str()) {
            Err(InvalidListName::Reserved)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a list is to be like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewList {
    /// Its name. Must differ from every list and every segment of the account.
    pub name: ListName,
    /// Who may see it.
    pub visibility: Visibility,
}

/// Calls about lists. From [`Client::lists`].
#[derive(Clone, Debug)]
pub struct Lists {
    client: Client,
}

impl Lists {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Creates a list. Never repeated once it may have been acted on: when
    /// [`Error::may_have_acted`] says so, look for the name before trying again.
    ///
    /// `POST /v2/address-books` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when a list or segment has that name.
    pub async fn create(&self, list: &NewList) -> Result<ContactList, Error> {
        let call = create_call(list)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// The list of that id, or `None` when there is none.
    ///
    /// `GET /v2/address-books/{id}` (tier: low)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn find(&self, id: ListId) -> Result<Option<ContactList>, Error> {
        let call = find_call(id);
        match self.client.send(&call).await {
            Ok(answer) => decode::json(&call, &answer).map(Some),
            Err(error) if is_missing_list(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All lists of the account, page by page, the service's own among them.
    ///
    /// `GET /v2/address-books` (tier: low)
    pub fn pages(&self) -> Pages<ContactList> {
        let call = Call::read("GET /v2/address-books", Tier::Low);
        Pages::by_position(self.client.clone(), call, LARGEST_PAGE, ContactList::key)
    }

    /// The lists that only users of the account see, page by page.
    ///
    /// `GET /v2/address-books/private` (tier: low)
    pub fn private_pages(&self) -> Pages<ContactList> {
        let call = Call::read("GET /v2/address-books/private", Tier::Low);
        // The description calls the size `limit` here and nowhere else. The service's own document
        // says `select`, and without either it gives as many as are asked for here.
        Pages::by_position(self.client.clone(), call, LARGEST_PAGE, ContactList::key)
    }

    /// The lists that contacts see too, page by page.
    ///
    /// `GET /v2/address-books/public` (tier: low)
    pub fn public_pages(&self) -> Pages<ContactList> {
        let call = Call::read("GET /v2/address-books/public", Tier::Low);
        Pages::by_position(self.client.clone(), call, LARGEST_PAGE, ContactList::key)
    }

    /// The campaigns that were sent to a list. The service takes a segment's id in its place.
    ///
    /// `GET /v2/address-books/{id}/campaigns` (tier: low)
    pub fn campaigns(&self, list: ListId) -> Pages<Campaign> {
        let call = Call::read("GET /v2/address-books/{id}/campaigns", Tier::Low).arg(list);
        Pages::by_position(self.client.clone(), call, LARGEST_PAGE, |campaign| {
            paging::key(&campaign.id)
        })
    }

    /// The list of that name, whatever its case, or `None`. Reads pages until it is found.
    ///
    /// `GET /v2/address-books` (tier: low)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn find_by_name(&self, name: &str) -> Result<Option<ContactList>, Error> {
        let wanted = name.trim().to_lowercase();
        let mut pages = self.pages();
        while let Some(page) = pages.next_page().await? {
            let found = page.into_iter().find(|list| list.name.trim().to_lowercase() == wanted);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The list of that name, created if there is none: one list, also when an answer is lost and
    /// when several callers ask at once. Its visibility is only that of `list` if it is new.
    ///
    /// `GET /v2/address-books` (tier: low), `POST /v2/address-books` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when a segment has that name, and as [`create`](Self::create) and
    /// [`find_by_name`](Self::find_by_name) do. When [`Error::may_have_acted`] says so, the list may
    /// appear later; asking again finds it.
    pub async fn find_or_create(&self, list: &NewList) -> Result<ContactList, Error> {
        if let Some(found) = self.find_by_name(list.name.as_str()).await? {
            return Ok(found);
        }
        match self.create(list).await {
            // Somebody was faster, or our own first attempt arrived after all.
            Err(error) if error.kind() == ErrorKind::Conflict || error.may_have_acted() => {
                let found = self.find_by_name(list.name.as_str()).await;
                found.ok().flatten().ok_or(error)
            }
            created => created,
        }
    }

    /// Gives a list another name or visibility. Repeating it does no harm.
    ///
    /// `PUT /v2/address-books/{id}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the list is gone, [`ErrorKind::Conflict`] when the name is
    /// taken.
    pub async fn update(&self, id: ListId, list: &NewList) -> Result<ContactList, Error> {
        let call = update_call(id, list)?;
        decode::json(&call, &self.client.send(&call).await?)
    }
}

/// Whether an error says that the list does not exist, and not that something else does not.
fn is_missing_list(error: &Error) -> bool {
    let code_fits = error.code().is_none_or(|code| code == "ERROR_ADDRESSBOOK_NOT_FOUND");
    error.kind() == ErrorKind::NotFound && code_fits
}

fn create_call(list: &NewList) -> Result<Call, Error> {
    Call::new("POST /v2/address-books", Tier::Medium, Repeat::ActsAgain).json(list)
}

fn find_call(id: ListId) -> Call {
    Call::read("GET /v2/address-books/{id}", Tier::Low).arg(id)
}

fn update_call(id: ListId, list: &NewList) -> Result<Call, Error> {
    Call::new("PUT /v2/address-books/{id}", Tier::Medium, Repeat::Harmless).arg(id).json(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_checked() {
        assert_eq!(ListName::parse("  VIP customers ").unwrap().as_str(), "VIP customers");
        assert!(ListName::parse(&"é".repeat(128)).is_ok());
        assert_eq!(ListName::parse(&"é".repeat(129)), Err(InvalidListName::TooLong));
        assert_eq!(ListName::parse(" "), Err(InvalidListName::Empty));
        for reserved in ["Test", "TEST", " all contacts "] {
            assert_eq!(ListName::parse(reserved), Err(InvalidListName::Reserved), "{reserved}");
        }
    }

    #[test]
    fn visibility_is_read_whatever_its_case_and_unknown_ones_are_kept() {
        assert_eq!(Visibility::from("PRIVATE"), Visibility::Private);
        let other: Visibility = serde_json::from_str("\"NotAvailableInThisVersion\"").unwrap();
        assert_eq!(other, Visibility::Other("NotAvailableInThisVersion".into()));
    }

    #[test]
    fn creating_is_never_marked_as_repeatable() {
        let name = ListName::parse("VIP").unwrap();
        let list = NewList { name, visibility: Visibility::Public };
        assert_eq!(create_call(&list).unwrap().repeat, Repeat::ActsAgain);
        assert_eq!(update_call(ListId::new(1).unwrap(), &list).unwrap().repeat, Repeat::Harmless);
    }
}
