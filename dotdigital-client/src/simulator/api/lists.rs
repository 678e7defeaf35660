//! Creating, reading, changing and deleting lists: `/v2/address-books`.

use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, status, v2_error, v2_error_text},
};
use crate::{
    simulator::{
        account::{Account, List, NameFault},
        switches::{ListCreated, ListDeleted},
        views::Visibility,
    },
    transport::HttpResponse,
};

const LONGEST_NAME: usize = 128;
const LARGEST_PAGE: usize = 1_000;

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
    let invalid = || v2_error(400, "ERROR_PARAMETER_INVALID");
    let select =
        context.query.number("select", 1..=LARGEST_PAGE, LARGEST_PAGE).ok_or_else(invalid)?;
    let skip = context.query.number("skip", 0..=usize::MAX, 0).ok_or_else(invalid)?;
    let lists = context.account.lists.values().skip(skip).take(select);
    let page: Vec<Value> = lists.map(|list| shown(context.account, list)).collect();
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
    text.parse().map_err(|_| v2_error(400, "ERROR_PARAMETER_INVALID"))
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
