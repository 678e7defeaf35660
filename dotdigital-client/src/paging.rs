//! Reading a collection page by page, without being led in circles.

use std::{
    collections::HashSet,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::{Deserialize, de::DeserializeOwned};

use crate::{call::Call, client::Client, decode, error::Error, ids::ContactId};

/// Pages without items in a row after which paging is taken for a loop.
const MOST_EMPTY_PAGES: u32 = 10;

/// The pages of a collection, read one after the other.
///
/// Memory is that of one page. What changes at the service between two pages may be missed or seen
/// twice where the service counts positions (most v2 calls); the v3 calls go on from a marker, and
/// those about preferences from a contact id.
pub struct Pages<T> {
    client: Client,
    /// The call of the first page, with everything but the place to go on from.
    call: Call,
    way: Way<T>,
    done: bool,
}

/// How the next page is found.
enum Way<T> {
    /// By position. The end is an empty page.
    Skip { size: u32, next: u32, key: fn(&T) -> u64, last_page: HashSet<u64> },
    /// By a marker that the last page gave. The end is a page without one.
    Marker { marker: Option<String>, seen: HashSet<u64>, empty_pages: u32 },
    /// By the lowest contact id that a page may have. The end is a page without a higher one.
    LowestId { lowest: i64, id: fn(&T) -> Option<ContactId> },
}

impl<T> Pages<T> {
    /// Pages by `select` and `skip`. `key` tells the items of a page apart.
    pub(crate) fn by_position(client: Client, call: Call, size: u32, key: fn(&T) -> u64) -> Self {
        let way = Way::Skip { size, next: 0, key, last_page: HashSet::new() };
        Self { client, call: call.query("select", size), way, done: false }
    }

    /// Pages by `marker`, in the shape `{"_items":[…],"_links":{…}}`.
    pub(crate) fn by_marker(client: Client, call: Call, size: u32) -> Self {
        let way = Way::Marker { marker: None, seen: HashSet::new(), empty_pages: 0 };
        Self { client, call: call.query("limit", size), way, done: false }
    }

    /// Pages by `minContactID`, each in the order of contact ids. The service decides their size.
    pub(crate) fn by_lowest_id(
        client: Client,
        call: Call,
        id: fn(&T) -> Option<ContactId>,
    ) -> Self {
        Self { client, call, way: Way::LowestId { lowest: 0, id }, done: false }
    }
}

impl<T: DeserializeOwned> Pages<T> {
    /// The next page, never empty, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// Fails as any call does, and with [`ErrorKind::Decode`](crate::ErrorKind::Decode) when paging
    /// runs in a circle: a collection that was read in part must not look complete. After an error
    /// the same page is asked for again, so that one in a circle stays an error.
    pub async fn next_page(&mut self) -> Result<Option<Vec<T>>, Error> {
        while !self.done {
            let items = match self.way {
                Way::Skip { .. } => self.next_by_position().await?,
                Way::Marker { .. } => self.next_by_marker().await?,
                Way::LowestId { .. } => self.next_by_lowest_id().await?,
            };
            if !items.is_empty() {
                return Ok(Some(items));
            }
        }
        Ok(None)
    }

    /// All items of all pages that are left. Memory is that of the whole collection.
    ///
    /// # Errors
    ///
    /// Fails as [`next_page`](Self::next_page) does; the items read until then are lost.
    pub async fn all(mut self) -> Result<Vec<T>, Error> {
        let mut items = Vec::new();
        while let Some(page) = self.next_page().await? {
            items.extend(page);
        }
        Ok(items)
    }

    async fn next_by_position(&mut self) -> Result<Vec<T>, Error> {
        let Way::Skip { size, next, key, last_page } = &mut self.way else { return Ok(Vec::new()) };
        let call = self.call.clone().query("skip", *next);
        let answer = self.client.send(&call).await?;
        let page: Vec<T> = decode::json(&call, &answer)?;
        let keys: HashSet<u64> = page.iter().map(*key).collect();
        if !page.is_empty() && keys.is_subset(last_page) {
            return Err(Error::decode(&call, &answer, "the pages repeat themselves"));
        }
        self.done = page.is_empty();
        *last_page = keys;
        *next = next.saturating_add(*size);
        Ok(page)
    }

    async fn next_by_marker(&mut self) -> Result<Vec<T>, Error> {
        let Way::Marker { marker, seen, empty_pages } = &mut self.way else {
            return Ok(Vec::new());
        };
        let call = match marker {
            Some(marker) => self.call.clone().query("marker", marker),
            None => self.call.clone(),
        };
        let answer = self.client.send(&call).await?;
        let page: MarkedPage<T> = decode::json(&call, &answer)?;
        *empty_pages = if page.items.is_empty() { *empty_pages + 1 } else { 0 };
        let Some(next) = page.links.next.and_then(|next| next.marker) else {
            self.done = true;
            return Ok(page.items);
        };
        // The first page is the one of the empty marker.
        let leads_back = next.is_empty() || seen.contains(&key(&next));
        if leads_back && page.items.is_empty() {
            // The end, told by a marker that leads nowhere new.
            self.done = true;
            return Ok(page.items);
        }
        if leads_back || *empty_pages >= MOST_EMPTY_PAGES {
            return Err(Error::decode(&call, &answer, "paging does not come to an end"));
        }
        seen.insert(key(&next));
        *marker = Some(next);
        Ok(page.items)
    }

    /// Asks again for the highest id seen, and drops what it had already: whether the bound itself
    /// belongs to the page is not documented.
    async fn next_by_lowest_id(&mut self) -> Result<Vec<T>, Error> {
        let Way::LowestId { lowest, id } = &mut self.way else { return Ok(Vec::new()) };
        let call = self.call.clone().query("minContactID", *lowest);
        let answer = self.client.send(&call).await?;
        let mut page: Vec<T> = decode::json(&call, &answer)?;
        let place = |item: &T| id(item).map(ContactId::get);
        let bounds = [Some(*lowest)].into_iter().chain(page.iter().map(place));
        if !bounds.is_sorted() {
            // A missing id sorts below all others, so that it ends up here too.
            return Err(Error::decode(
                &call,
                &answer,
                "the pages are not in the order of contact ids",
            ));
        }
        page.retain(|item| place(item) > Some(*lowest));
        match page.last().and_then(place) {
            Some(highest) => *lowest = highest,
            None => self.done = true,
        }
        Ok(page)
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("endpoint", &self.call.endpoint)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

/// Tells items apart by whatever names them.
pub(crate) fn key(name: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

#[derive(Deserialize)]
struct MarkedPage<T> {
    #[serde(rename = "_items")]
    items: Vec<T>,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    next: Option<Link>,
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    marker: Option<String>,
}
