//! Who is a contact already: asked one by one, or found by reading the whole account.
//!
//! A page has 5,000 contacts, a look-up one; but pages may have a much smaller limit a minute. How
//! many contacts an account has is told by no call, so it is found out by reading, and at most for as
//! long as the look-ups would have taken.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use dotdigital_client::{
    Client, Tier,
    contacts::{Contact, ContactQuery},
};

use super::{
    convert::{client_identifier, identifiers, live_contact},
    outcome::failed_call,
};
use crate::{ContactId, DestinationError, Identifier};

/// Contacts in one page, the most that the service gives.
const PAGE: u16 = 5_000;

/// Look-ups whose results may be lost together when a run stops among them.
const SINGLE_LOOK_UPS: usize = 5_000;

/// A page is not counted as less than so many look-ups: it brings thousands of times the bytes, and
/// before limits are known it is likely to have the lowest one.
const LOOK_UPS_IN_A_PAGE: usize = 10;

/// How many contacts the account has, in pages, as far as reading has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// All of them were read.
    Pages(usize),
    /// Reading was given up after so many.
    MoreThan(usize),
}

/// What is allowed a minute, once the service has said it.
#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    pages: Option<u32>,
    look_ups: Option<u32>,
}

/// How many pages are worth as much as so many look-ups.
fn pages_worth(look_ups: usize, rates: Rates) -> usize {
    let by_bytes = look_ups / LOOK_UPS_IN_A_PAGE;
    match (rates.pages, rates.look_ups) {
        (Some(pages), Some(single)) if single > 0 => {
            let by_minutes = look_ups as u128 * u128::from(pages) / u128::from(single);
            by_bytes.min(usize::try_from(by_minutes).unwrap_or(usize::MAX))
        }
        _ => by_bytes,
    }
}

/// Up to how many pages to read before asking about each who was not found by then.
fn pages_to_read(look_ups: usize, size: Option<Size>, rates: Rates) -> usize {
    let worth = pages_worth(look_ups, rates);
    match size {
        Some(Size::Pages(pages)) if pages > worth => 0,
        Some(Size::MoreThan(pages)) if pages >= worth => 0,
        // One more than is known of, since the account may have grown.
        Some(Size::Pages(pages)) => worth.min(pages + 1),
        Some(Size::MoreThan(_)) | None => worth,
    }
}

/// Finds contacts of one account, and remembers how large it is.
#[derive(Debug, Default)]
pub(super) struct LookUp {
    size: Mutex<Option<Size>>,
}

impl LookUp {
    /// How many look-ups should be asked for at once.
    pub(super) fn at_once(&self, client: &Client, most: usize) -> usize {
        match self.size() {
            Some(Size::Pages(pages)) if pages <= pages_worth(SINGLE_LOOK_UPS, rates(client)) => {
                most
            }
            _ => SINGLE_LOOK_UPS.min(most),
        }
    }

    /// How many calls finding that many will take, as far as is known.
    pub(super) fn estimate_calls(&self, look_ups: u64) -> u64 {
        match self.size() {
            Some(Size::Pages(pages)) => look_ups.min(pages as u64),
            _ => look_ups,
        }
    }

    /// The contact of each identifier, `None` where there is none or it is in the recycle bin.
    pub(super) async fn find(
        &self,
        client: &Client,
        wanted: &[Identifier],
    ) -> Result<Vec<Option<ContactId>>, DestinationError> {
        let pages = pages_to_read(wanted.len(), self.size(), rates(client));
        let mut found = Found::new(wanted);
        if pages > 0 {
            self.read(client, pages, &mut found).await?;
        }
        let mut contacts = Vec::with_capacity(wanted.len());
        for identifier in wanted {
            contacts.push(match found.contacts.get(identifier) {
                Some(contact) => Some(*contact),
                None if found.is_complete => None,
                None => look_up(client, identifier).await?,
            });
        }
        Ok(contacts)
    }

    async fn read(
        &self,
        client: &Client,
        pages: usize,
        found: &mut Found<'_>,
    ) -> Result<(), DestinationError> {
        let mut reading = client.contacts().pages(&ContactQuery::new().page_size(PAGE));
        for read in 0..pages {
            let Some(page) = reading.next_page().await.map_err(failed_call)? else {
                self.learn(Size::Pages(read));
                found.is_complete = true;
                return Ok(());
            };
            page.iter().for_each(|contact| found.take(contact));
            if found.missing.is_empty() {
                return Ok(());
            }
        }
        self.learn(Size::MoreThan(pages));
        Ok(())
    }

    fn size(&self) -> Option<Size> {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, size: Size) {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = Some(size);
    }
}

/// What came of reading.
struct Found<'a> {
    missing: HashSet<&'a Identifier>,
    contacts: HashMap<&'a Identifier, ContactId>,
    /// Who is missing still is no contact.
    is_complete: bool,
}

impl<'a> Found<'a> {
    fn new(wanted: &'a [Identifier]) -> Self {
        Self { missing: wanted.iter().collect(), contacts: HashMap::new(), is_complete: false }
    }

    fn take(&mut self, contact: &Contact) {
        let Some(id) = live_contact(contact) else { return };
        for identifier in identifiers(id, &contact.identifiers) {
            if let Some(wanted) = self.missing.take(&identifier) {
                self.contacts.insert(wanted, id);
            }
        }
    }
}

async fn look_up(
    client: &Client,
    identifier: &Identifier,
) -> Result<Option<ContactId>, DestinationError> {
    let contact = client.contacts().find(&client_identifier(identifier)?).await;
    Ok(contact.map_err(failed_call)?.as_ref().and_then(live_contact))
}

fn rates(client: &Client) -> Rates {
    Rates { pages: client.limit(Tier::Low), look_ups: client.limit(Tier::High) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EQUAL: Rates = Rates { pages: None, look_ups: None };

    #[test]
    fn a_handful_is_looked_up() {
        for look_ups in 0..LOOK_UPS_IN_A_PAGE {
            assert_eq!(pages_to_read(look_ups, None, EQUAL), 0);
            assert_eq!(pages_to_read(look_ups, Some(Size::Pages(1)), EQUAL), 0);
        }
    }

    #[test]
    fn an_account_of_unknown_size_is_read_for_as_long_as_looking_up_would_take() {
        assert_eq!(pages_to_read(1_000, None, EQUAL), 100);
        let rates = Rates { pages: Some(35), look_ups: Some(1_000) };
        assert_eq!(pages_to_read(1_000, None, rates), 35, "both take a minute");
        let rates = Rates { pages: Some(1_000), look_ups: Some(35) };
        assert_eq!(pages_to_read(1_000, None, rates), 100, "bytes count too");
        let odd = Rates { pages: Some(35), look_ups: Some(0) };
        assert_eq!(pages_to_read(1_000, None, odd), 100);
    }

    #[test]
    fn what_is_known_to_be_too_much_is_not_begun() {
        assert_eq!(pages_to_read(1_000, Some(Size::Pages(101)), EQUAL), 0);
        assert_eq!(pages_to_read(1_000, Some(Size::MoreThan(100)), EQUAL), 0);
        assert_eq!(pages_to_read(1_000, Some(Size::MoreThan(99)), EQUAL), 100);
        assert_eq!(pages_to_read(1_000, Some(Size::Pages(100)), EQUAL), 100);
        assert_eq!(pages_to_read(1_000, Some(Size::Pages(2)), EQUAL), 3, "it may have grown");
    }
}
