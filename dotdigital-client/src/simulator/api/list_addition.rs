//! Putting an address on a list: `POST /v2/address-books/{id}/contacts`.

use serde_json::{Map, Value};

use super::{
    Answer, Context,
    answer::{json_body, v2_error},
    email_contact_json::with_values,
    lists::{known, list_id, writable},
    v2_parameters::{object, pairs},
};
use crate::{
    simulator::account::{Account, ContactChange, Identifier, MergeOption, UpsertFault},
    transport::HttpResponse,
};

const EMAIL_TYPES: [&str; 2] = ["PlainText", "Html"];
const OPT_IN_TYPES: [&str; 4] = ["Unknown", "Single", "Double", "VerifiedDouble"];

/// Refused for who left the account or the list, unlike the v3 calls.
pub(super) fn add(context: &mut Context<'_>) -> Answer {
    let list = list_id(context.arg(0))?;
    let (email, change) = read(&context.body.take_v2()?, list)?;
    writable(context.account, list)?;
    let by = Identifier::email(&email);
    let account = &mut *context.account;
    refuse_who_left(account, list, &by)?;
    let identifiers = account.read_identifiers(&change).map_err(refused)?;
    let done = account.upsert(&by, identifiers, &change, MergeOption::Overwrite, context.now);
    let id = done.map_err(refused)?.id;
    let contact = context.account.contacts.get(id);
    Ok(json_body(200, &contact.and_then(with_values)))
}

fn read(body: &Value, list: i32) -> Result<(String, ContactChange), HttpResponse> {
    let body = object(body)?;
    let text = |key: &str| body.get(key).map(|value| value.as_str().ok_or_else(invalid));
    let email = text("email").transpose()?.ok_or_else(invalid)?.to_owned();
    let email_type = text("emailType").map(|name| one_of(name?, &EMAIL_TYPES)).transpose()?;
    let opt_in = text("optInType").map(|name| one_of(name?, &OPT_IN_TYPES)).transpose()?;
    let data_fields = body.get("dataFields").map(|fields| pairs(fields).ok_or_else(invalid));
    let change = ContactChange {
        match_by: "email".to_owned(),
        identifiers: vec![("email".to_owned(), email.clone())],
        data_fields: data_fields.unwrap_or_else(|| Ok(Map::new()))?,
        email_type,
        opt_in,
        lists: vec![list],
        ..ContactChange::default()
    };
    Ok((email, change))
}

fn one_of(name: &str, allowed: &[&'static str]) -> Result<&'static str, HttpResponse> {
    allowed.iter().find(|one| **one == name).copied().ok_or_else(invalid)
}

fn refuse_who_left(account: &Account, list: i32, by: &Identifier) -> Result<(), HttpResponse> {
    let Some(id) = account.contacts.find_live(by) else { return Ok(()) };
    if account.contacts.get(id).is_some_and(|contact| contact.email_status.is_closed()) {
        return Err(refused(UpsertFault::GloballySuppressed));
    }
    if known(account, list)?.unsubscribed.contains_key(&id) {
        return Err(v2_error(400, "ERROR_CONTACT_SUPPRESSEDFORADDRESSBOOK"));
    }
    Ok(())
}

fn refused(fault: UpsertFault) -> HttpResponse {
    let code = match fault {
        UpsertFault::InvalidEmail | UpsertFault::InvalidDomain => "ERROR_INVALID_EMAIL",
        UpsertFault::GloballySuppressed => "ERROR_CONTACT_SUPPRESSED",
        UpsertFault::SuppressedByDomain | UpsertFault::Blocked => "ERROR_EMAIL_BANNED",
        UpsertFault::UnknownDataField => "ERROR_DATAFIELD_NOTFOUND",
        UpsertFault::MistypedDataField => "ERROR_DATAFIELD_INVALID",
        UpsertFault::TooManyContacts => "ERROR_CONTACT_TOOMANY",
        _ => "ERROR_CONTACT_INVALID",
    };
    v2_error(400, code)
}

fn invalid() -> HttpResponse {
    v2_error(400, "ERROR_CONTACT_INVALID")
}
