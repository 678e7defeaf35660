//! Records page by page, the oldest first.

use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    super::{
        Answer, Context,
        answer::{json_body, v3_error_about},
        markers::{after, link, marker, since},
    },
    Place, collection_name, known, records,
};
use crate::{
    simulator::account::{Record, Scope},
    transport::HttpResponse,
};

/// The largest page that can be asked for.
const LARGEST_LIMIT: usize = 5_000;
/// The largest page of a whole collection; the description promises no more, whatever is asked.
const LARGEST_OF_ALL: usize = 1_000;

/// `GET /insightData/v3/account/{collectionName}`.
pub(in crate::simulator::api) fn of_account(context: &mut Context<'_>) -> Answer {
    let place = Place::read(context, Scope::Account)?;
    page(context, &place, LARGEST_OF_ALL)
}

/// `GET /insightData/v3/contacts/{collectionName}`.
pub(in crate::simulator::api) fn of_all_contacts(context: &mut Context<'_>) -> Answer {
    let collection = collection_name(context.arg(0))?.to_owned();
    known(context.account, &collection, Some(Scope::Contact))?;
    page(context, &Place { collection, owner: None }, LARGEST_OF_ALL)
}

/// `GET /insightData/v3/contacts/{identifier}/{value}/{collectionName}`.
pub(in crate::simulator::api) fn of_contact(context: &mut Context<'_>) -> Answer {
    let place = Place::read(context, Scope::Contact)?;
    page(context, &place, LARGEST_LIMIT)
}

fn page(context: &Context<'_>, place: &Place, largest: usize) -> Answer {
    let wanted = Wanted::read(context).map_err(|parameter| invalid_filter(&parameter))?;
    let size = wanted.limit.min(largest);
    let collection = known(context.account, &place.collection, None)?;
    let fitting: Vec<&Record> = collection
        .records()
        .filter(|record| place.owner.is_none() || record.owner == place.owner)
        .filter(|record| wanted.modified.is_none_or(|since| record.updated >= since))
        .collect();
    let start = fitting.partition_point(|record| record.number <= wanted.after);
    let rest = fitting.get(start..).unwrap_or_default();
    let shown = rest.get(..size).unwrap_or(rest);
    let path = path(context, collection.scope);
    // The marker of the full page that ends there.
    let before = |end: usize| {
        let last = end.checked_sub(size + 1).and_then(|position| fitting.get(position));
        link(context, &path, &last.map(|record| marker(record.number)).unwrap_or_default())
    };
    let mut links = json!({
        "self": link(context, &path, context.query.get("marker").unwrap_or("")),
        "first": link(context, &path, ""),
        "last": before(fitting.len()),
    });
    if let Some(last) = shown.last().filter(|_| rest.len() > size) {
        links["next"] = link(context, &path, &marker(last.number));
    }
    if start > 0 {
        links["prev"] = before(start);
    }
    let form = context.account.settings.switches.contact_id;
    let items: Vec<Value> = shown.iter().map(|record| records::shown(record, form)).collect();
    Ok(json_body(200, &json!({"_items": items, "_links": links})))
}

/// What the query asks for.
struct Wanted {
    modified: Option<DateTime<Utc>>,
    after: i64,
    limit: usize,
}

impl Wanted {
    /// Fails with the name of the parameter that is wrong.
    fn read(context: &Context<'_>) -> Result<Self, String> {
        let limit = context.query.number("limit", 1..=LARGEST_LIMIT, LARGEST_OF_ALL);
        let mut wanted = Self { modified: None, after: i64::MIN, limit: limit.ok_or("limit")? };
        for (name, value) in context.query.pairs() {
            wanted.read_parameter(name, value).ok_or_else(|| name.clone())?;
        }
        Ok(wanted)
    }

    fn read_parameter(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "~modified" => self.modified = Some(since(value)?),
            "marker" => self.after = after(value)?,
            "limit" => {}
            _ => return None,
        }
        Some(())
    }
}

/// The path that was called.
fn path(context: &Context<'_>, scope: Scope) -> String {
    let scope = match scope {
        Scope::Account => "account",
        Scope::Contact => "contacts",
    };
    let encode = |arg: &String| utf8_percent_encode(arg, NON_ALPHANUMERIC).to_string();
    let args: Vec<String> = context.args.iter().map(encode).collect();
    format!("/insightData/v3/{scope}/{}", args.join("/"))
}

fn invalid_filter(parameter: &str) -> HttpResponse {
    const TEXT: &str = "The filter is not valid";
    const DETAIL: &str = "The parameter is unknown or its value is not valid";
    v3_error_about(400, "insightData:invalidFilter", TEXT, parameter, DETAIL)
}
