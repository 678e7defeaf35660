//! Contacts page by page: `GET /contacts/v3`.

use std::ops::Bound;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, v3_error_about},
    contact_json::{Fields, Parts, contact_json},
    markers::{after, link, marker, since},
};
use crate::{
    simulator::account::{Account, Contact},
    transport::HttpResponse,
};

const LARGEST_PAGE: usize = 5_000;
const PATH: &str = "/contacts/v3";

pub(super) fn page(context: &mut Context<'_>) -> Answer {
    let wanted = Wanted::read(context).map_err(|parameter| invalid_filter(&parameter))?;
    let account = &*context.account;
    // One more than asked for, to know whether there is a next page.
    let mut found = wanted.contacts(account);
    let more = found.len() > wanted.limit;
    found.truncate(wanted.limit);
    let items: Vec<Value> =
        found.iter().map(|contact| contact_json(account, contact, &wanted.parts)).collect();
    let mut links = json!({
        "self": link(context, PATH, context.query.get("marker").unwrap_or("")),
        "first": link(context, PATH, ""),
        "last": link(context, PATH, &wanted.page_before(account, Bound::Unbounded)),
    });
    if let Some(last) = found.last().filter(|_| more) {
        links["next"] = link(context, PATH, &marker(last.id));
    }
    if wanted.after != i64::MIN {
        links["prev"] =
            link(context, PATH, &wanted.page_before(account, Bound::Included(wanted.after)));
    }
    Ok(json_body(200, &json!({"_items": items, "_links": links})))
}

/// What the query asks for.
struct Wanted {
    list: Option<i32>,
    segment: Option<i32>,
    created: Option<DateTime<Utc>>,
    modified: Option<DateTime<Utc>>,
    after: i64,
    limit: usize,
    parts: Parts,
}

impl Wanted {
    /// Fails with the name of the parameter that is wrong.
    fn read(context: &Context<'_>) -> Result<Self, String> {
        let mut wanted = Self {
            list: None,
            segment: None,
            created: None,
            modified: None,
            after: i64::MIN,
            limit: context.query.number("limit", 1..=LARGEST_PAGE, LARGEST_PAGE).ok_or("limit")?,
            parts: Parts::default(),
        };
        if context.query.get("~listId").is_some() && context.query.get("~segmentId").is_some() {
            return Err("~segmentId".to_owned());
        }
        for (name, value) in context.query.pairs() {
            wanted.read_parameter(context.account, name, value).ok_or_else(|| name.clone())?;
        }
        if wanted.created.is_some() && wanted.modified.is_some() {
            return Err("~modified".to_owned());
        }
        Ok(wanted)
    }

    fn read_parameter(&mut self, account: &Account, name: &str, value: &str) -> Option<()> {
        match name {
            "~listId" => {
                self.list = Some(value.parse().ok().filter(|id| account.lists.contains_key(id))?);
            }
            "~segmentId" => {
                let known = |id: &i32| account.segments.contains_key(id);
                self.segment = Some(value.parse().ok().filter(known)?);
            }
            "~created" => self.created = Some(since(value)?),
            "~modified" => self.modified = Some(since(value)?),
            "marker" => self.after = after(value)?,
            "data-fields" if value == "[[ALL]]" => self.parts.data_fields = Fields::All,
            "data-fields" => {
                self.parts.data_fields =
                    Fields::Named(value.split('|').map(str::to_owned).collect());
            }
            "include" => self.include(value)?,
            "limit" => {}
            _ => return None,
        }
        Some(())
    }

    fn include(&mut self, value: &str) -> Option<()> {
        for part in value.split('|') {
            match part {
                "channelProperties" => self.parts.channel_properties = true,
                "lists" => self.parts.lists = true,
                "preferences" => self.parts.preferences = true,
                "consentRecords" => self.parts.consent_records = true,
                _ => return None,
            }
        }
        Some(())
    }

    /// The page's contacts and one more, if there is one.
    fn contacts<'a>(&'a self, account: &'a Account) -> Vec<&'a Contact> {
        let ids = (Bound::Excluded(self.after), Bound::Unbounded);
        self.within(account, ids).take(self.limit + 1).collect()
    }

    /// The marker of the full page that ends there.
    fn page_before(&self, account: &Account, end: Bound<i64>) -> String {
        let before = self.within(account, (Bound::Unbounded, end)).rev().nth(self.limit);
        before.map(|contact| marker(contact.id)).unwrap_or_default()
    }

    fn within<'a>(
        &'a self,
        account: &'a Account,
        ids: (Bound<i64>, Bound<i64>),
    ) -> Box<dyn DoubleEndedIterator<Item = &'a Contact> + 'a> {
        let wanted = |contact: &&Contact| {
            self.created.is_none_or(|since| contact.created >= since)
                && self.modified.is_none_or(|since| contact.updated >= since)
        };
        if let Some(segment) = self.segment.and_then(|id| account.segments.get(&id)) {
            let members = segment.members.range(ids);
            return Box::new(members.filter_map(|id| account.contacts.get(*id)).filter(wanted));
        }
        match self.list.and_then(|list| account.lists.get(&list)) {
            Some(list) => {
                let members = list.members.range(ids).filter(|(_, status)| account.shows(**status));
                Box::new(members.filter_map(|(id, _)| account.contacts.get(*id)).filter(wanted))
            }
            None => Box::new(account.contacts.live_within(ids).filter(wanted)),
        }
    }
}

fn invalid_filter(parameter: &str) -> HttpResponse {
    const TEXT: &str = "The filter is not valid";
    const DETAIL: &str = "The parameter is unknown or its value is not valid";
    v3_error_about(400, "contacts:invalidFilter", TEXT, parameter, DETAIL)
}
