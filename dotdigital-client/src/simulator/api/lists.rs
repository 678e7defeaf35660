//! Creating, reading, changing and deleting lists: `/v2/address-books`.

use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, status, v2_error, v2_error_text},
    suppressions::suppression,
    v2_parameters::{Slice, int32, since, timestamp},
};
use crate::{
    simulator::{
        account::{Account, Campaign, List, NameFault},
        switches::{ListCreated, ListDeleted},
        views::Visibility,
    },
    transport::HttpResponse,
};

const LONGEST_NAME: usize = 128;

pub(super) fn create(context: &mut Context<'_>) -> Answer {
    let wanted = Wanted::read(&context.body.take_v2()?)?;
    let id =
        context.account.create_list(&wanted.name, wanted.visibility).map_err(
            |fault| match fault {
                NameFault::Duplicate => duplicate(),
                NameFault::TooManyLists => v2_error(400, "ERROR_ADDRESSBOOK_LIMITEXCEEDED"),
            },
        )?;
    let status = match context.account.settings.switches.list_created {
        ListCreated::Ok200 => 200,
        ListCreated::Created201 => 201,
    };
    Ok(json_body(status, &shown(context.account, known(context.account, id)?)))
}

pub(super) fn page(context: &mut Context<'_>) -> Answer {
    page_of(context, &Slice::read(&context.query)?, |_| true)
}

/// `GET /v2/address-books/private`. The description calls the size of a page `limit` here, and
/// `select` everywhere else, so either is taken.
pub(super) fn private_page(context: &mut Context<'_>) -> Answer {
    let selected = Slice::read(&context.query)?;
    let limited = context.query.get("limit").map(|_| Slice::named(&context.query, "limit"));
    let slice = limited.unwrap_or(Ok(selected))?;
    page_of(context, &slice, |list| list.visibility == Visibility::Private)
}

/// `GET /v2/address-books/public`.
pub(super) fn public_page(context: &mut Context<'_>) -> Answer {
    let slice = Slice::read(&context.query)?;
    page_of(context, &slice, |list| list.visibility == Visibility::Public)
}

/// `GET /v2/address-books/{id}/campaigns`. A segment's id is taken too; campaigns are kept for
/// lists only.
pub(super) fn campaigns(context: &mut Context<'_>) -> Answer {
    let id = list_id(context.arg(0))?;
    let slice = Slice::read(&context.query)?;
    let sent: &[Campaign] = if context.account.segments.contains_key(&id) {
        &[]
    } else {
        &known(context.account, id)?.campaigns
    };
    let page: Vec<Value> = slice.of(sent).map(campaign).collect();
    Ok(json_body(200, &page))
}

/// `GET /v2/address-books/{id}/contacts/unsubscribed-since/{date}`: who unsubscribed from the list;
/// who did so from the account is not shown.
pub(super) fn unsubscribed_since(context: &mut Context<'_>) -> Answer {
    let list = known(context.account, list_id(context.arg(0))?)?;
    let since = since(context.arg(1))?;
    let slice = Slice::read(&context.query)?;
    let gone = list.unsubscribed.iter().filter(|(_, at)| **at >= since);
    let mut gone: Vec<_> =
        gone.filter_map(|(id, at)| Some((*at, context.account.contacts.get(*id)?))).collect();
    gone.sort_by_key(|(at, contact)| (*at, contact.id));
    let page: Vec<Value> = slice
        .of(gone)
        .map(|(at, contact)| {
            suppression(context.account, Some(contact), &timestamp(at), "Unsubscribed")
        })
        .collect();
    Ok(json_body(200, &page))
}

pub(super) fn get(context: &mut Context<'_>) -> Answer {
    let list = known(context.account, list_id(context.arg(0))?)?;
    Ok(json_body(200, &shown(context.account, list)))
}

pub(super) fn update(context: &mut Context<'_>) -> Answer {
    let id = list_id(context.arg(0))?;
    let wanted = Wanted::read(&context.body.take_v2()?)?;
    let renamed = context.account.name_is_taken(&wanted.name, Some(id));
    let list = writable(context.account, id)?;
    if renamed {
        return Err(duplicate());
    }
    list.name = wanted.name;
    list.visibility = wanted.visibility;
    Ok(json_body(200, &shown(context.account, known(context.account, id)?)))
}

pub(super) fn delete(context: &mut Context<'_>) -> Answer {
    let id = list_id(context.arg(0))?;
    writable(context.account, id)?;
    context.account.lists.remove(&id);
    Ok(status(match context.account.settings.switches.list_deleted {
        ListDeleted::NoContent204 => 204,
        ListDeleted::Ok200 => 200,
    }))
}

/// Reads a list's id.
pub(super) fn list_id(text: &str) -> Result<i32, HttpResponse> {
    int32(text)
}

/// The list of that id.
pub(super) fn known(account: &Account, id: i32) -> Result<&List, HttpResponse> {
    account.lists.get(&id).ok_or_else(not_found)
}

/// The list of that id, if the API may change it.
pub(super) fn writable(account: &mut Account, id: i32) -> Result<&mut List, HttpResponse> {
    if Account::is_system_list(id) {
        const TEXT: &str =
            "Address book cannot be written to via the API. ERROR_ADDRESSBOOK_NOTWRITABLE";
        return Err(v2_error_text(400, TEXT));
    }
    account.writable_list(id).ok_or_else(not_found)
}

fn not_found() -> HttpResponse {
    v2_error(404, "ERROR_ADDRESSBOOK_NOT_FOUND")
}

fn duplicate() -> HttpResponse {
    const TEXT: &str =
        "That name is in use already, please choose another. ERROR_ADDRESSBOOK_DUPLICATE";
    v2_error_text(400, TEXT)
}

fn shown(account: &Account, list: &List) -> Value {
    json!({
        "id": list.id,
        "name": list.name,
        "visibility": list.visibility.as_str(),
        "contacts": account.shown_members(list),
    })
}

fn page_of(context: &Context<'_>, slice: &Slice, wanted: impl Fn(&List) -> bool) -> Answer {
    let lists = context.account.lists.values().filter(|list| wanted(list));
    let page: Vec<Value> = slice.of(lists).map(|list| shown(context.account, list)).collect();
    Ok(json_body(200, &page))
}

fn campaign(campaign: &Campaign) -> Value {
    json!({
        "id": campaign.id,
        "name": campaign.name,
        "subject": campaign.subject,
        "fromName": "Simulator",
        "fromAddress": {"id": 1, "email": "owner@example.com"},
        "htmlContent": null,
        "plainTextContent": null,
        "replyAction": "Unset",
        "replyToAddress": null,
        "isSplitTest": false,
        "status": "Sent",
    })
}

/// The body that creates or changes a list.
struct Wanted {
    name: String,
    visibility: Visibility,
}

impl Wanted {
    fn read(body: &Value) -> Result<Self, HttpResponse> {
        let invalid = || v2_error(400, "ERROR_ADDRESSBOOK_INVALID");
        let name = body.get("name").and_then(Value::as_str).ok_or_else(invalid)?;
        if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(invalid());
        }
        let visibility = match body.get("visibility") {
            None => Visibility::Private,
            Some(value) if value == "Private" => Visibility::Private,
            Some(value) if value == "Public" => Visibility::Public,
            Some(_) => return Err(invalid()),
        };
        Ok(Self { name: name.to_owned(), visibility })
    }
}
