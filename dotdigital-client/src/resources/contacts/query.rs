//! Which contacts to read, and how much of each.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::{
    call::Call,
    ids::{ListId, SegmentId},
    limits::Tier,
};

/// The service's largest page of contacts.
const LARGEST_PAGE: u16 = 5000;

/// A part of a contact that the service shows when asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContactPart {
    /// Its standing on each channel.
    Channels,
    /// The lists it is on.
    Lists,
    /// Its preferences.
    Preferences,
    /// What it consented to.
    ConsentRecords,
}

impl ContactPart {
    fn as_str(self) -> &'static str {
        match self {
            Self::Channels => "channelProperties",
            Self::Lists => "lists",
            Self::Preferences => "preferences",
            Self::ConsentRecords => "consentRecords",
        }
    }
}

/// Which contacts to read, and how much of each: all of them by default, with their id, standing
/// and identifiers alone.
///
/// The service takes one filter by date and one by group. Setting another one of a kind replaces
/// the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactQuery {
    fields: Fields,
    parts: Vec<ContactPart>,
    since: Option<(Change, DateTime<Utc>)>,
    group: Option<Group>,
    page_size: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fields {
    Named(Vec<String>),
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Created,
    Modified,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    List(ListId),
    Segment(SegmentId),
}

impl Default for ContactQuery {
    fn default() -> Self {
        Self {
            fields: Fields::Named(Vec::new()),
            parts: Vec::new(),
            since: None,
            group: None,
            page_size: LARGEST_PAGE,
        }
    }
}

impl ContactQuery {
    /// All contacts of the account.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also reads this data field.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        if let Fields::Named(names) = &mut self.fields {
            names.push(name.into());
        }
        self
    }

    /// Also reads every data field.
    #[must_use]
    pub fn all_fields(mut self) -> Self {
        self.fields = Fields::All;
        self
    }

    /// Also reads this part.
    #[must_use]
    pub fn include(mut self, part: ContactPart) -> Self {
        if !self.parts.contains(&part) {
            self.parts.push(part);
        }
        self
    }

    /// Only contacts that were created then or later, to the millisecond.
    #[must_use]
    pub fn created_since(mut self, time: DateTime<Utc>) -> Self {
        self.since = Some((Change::Created, time));
        self
    }

    /// Only contacts that were changed then or later, to the millisecond.
    #[must_use]
    pub fn modified_since(mut self, time: DateTime<Utc>) -> Self {
        self.since = Some((Change::Modified, time));
        self
    }

    /// Only contacts on this list.
    #[must_use]
    pub fn on_list(mut self, list: ListId) -> Self {
        self.group = Some(Group::List(list));
        self
    }

    /// Only contacts in this segment.
    #[must_use]
    pub fn in_segment(mut self, segment: SegmentId) -> Self {
        self.group = Some(Group::Segment(segment));
        self
    }

    /// How many contacts a page may have, brought into 1 to 5000.
    #[must_use]
    pub fn page_size(mut self, contacts: u16) -> Self {
        self.page_size = contacts.clamp(1, LARGEST_PAGE);
        self
    }

    pub(super) fn size(&self) -> u32 {
        self.page_size.into()
    }

    pub(super) fn call(&self) -> Call {
        let mut call = Call::read("GET /contacts/v3", Tier::Low);
        match &self.fields {
            Fields::Named(names) if names.is_empty() => {}
            Fields::Named(names) => call = call.query("data-fields", names.join("|")),
            Fields::All => call = call.query("data-fields", "[[ALL]]"),
        }
        if !self.parts.is_empty() {
            let names: Vec<&str> = self.parts.iter().map(|part| part.as_str()).collect();
            call = call.query("include", names.join("|"));
        }
        if let Some((change, time)) = self.since {
            let name = match change {
                Change::Created => "~created",
                Change::Modified => "~modified",
            };
            let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
            call = call.query(name, format_args!("gte::{time}"));
        }
        match self.group {
            None => call,
            Some(Group::List(id)) => call.query("~listId", id),
            Some(Group::Segment(id)) => call.query("~segmentId", id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_is_asked_for_unless_said_so() {
        assert_eq!(ContactQuery::new().call().path_and_query, "/contacts/v3");
        assert_eq!(ContactQuery::new().size(), 5000);
        assert_eq!(ContactQuery::new().page_size(0).size(), 1);
        assert_eq!(ContactQuery::new().page_size(u16::MAX).size(), 5000);
    }

    #[test]
    fn every_filter_is_encoded() {
        let query = ContactQuery::new()
            .field("FIRSTNAME")
            .field("A B")
            .include(ContactPart::Lists)
            .include(ContactPart::Channels)
            .include(ContactPart::Lists)
            .created_since(time("2021-12-17T00:00:00.1234Z"))
            .on_list(ListId::new(7).unwrap());
        assert_eq!(
            query.call().path_and_query,
            "/contacts/v3?data-fields=FIRSTNAME%7CA%20B&include=lists%7CchannelProperties\
             &~created=gte%3A%3A2021-12-17T00%3A00%3A00.123Z&~listId=7"
        );
    }

    #[test]
    fn filters_that_exclude_each_other_replace_each_other() {
        let query = ContactQuery::new()
            .field("FIRSTNAME")
            .all_fields()
            .field("LASTNAME")
            .created_since(time("2020-01-01T00:00:00Z"))
            .modified_since(time("2021-12-17T00:00:00Z"))
            .on_list(ListId::new(7).unwrap())
            .in_segment(SegmentId::new(8).unwrap());
        assert_eq!(
            query.call().path_and_query,
            "/contacts/v3?data-fields=%5B%5BALL%5D%5D\
             &~modified=gte%3A%3A2021-12-17T00%3A00%3A00.000Z&~segmentId=8"
        );
    }
}
