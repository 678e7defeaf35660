//! Taking contacts off a list: `/v2/address-books/{addressBookId}/contacts`.

use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, status, v2_error},
    lists::{list_id, writable},
};
use crate::simulator::{
    account::{Job, Report, Work},
    switches::{NonMemberRemoval, RemovalStatusCase},
};

pub(super) fn remove(context: &mut Context<'_>) -> Answer {
    let list = list_id(context.arg(0))?;
    let contact: i32 =
        context.arg(1).parse().map_err(|_| v2_error(400, "ERROR_PARAMETER_INVALID"))?;
    let contact = i64::from(contact);
    let account = &mut *context.account;
    let known = account.contacts.get(contact).is_some();
    let list = writable(account, list)?;
    let removed = known && list.remove(contact);
    let tolerant = account.settings.switches.non_member_removal == NonMemberRemoval::NoContent204;
    if removed || (known && tolerant) {
        Ok(status(204))
    } else {
        Err(v2_error(404, "ERROR_CONTACT_NOT_FOUND"))
    }
}

pub(super) fn remove_many(context: &mut Context<'_>) -> Answer {
    let list = list_id(context.arg(0))?;
    let body = context.body.take_v2()?;
    let ids = body.as_array().ok_or_else(|| v2_error(400, "ERROR_MALFORMED_REQUEST"))?;
    if ids.is_empty() {
        return Err(v2_error(400, "ERROR_CONTACTS_ARE_NOT_SPECIFIED"));
    }
    let contacts: Option<Vec<i64>> = ids.iter().map(contact_id).collect();
    let contacts = contacts
        .filter(|contacts| contacts.len() <= context.account.settings.max_bulk_removal)
        .ok_or_else(|| v2_error(400, "ERROR_PARAMETER_INVALID"))?;
    writable(context.account, list)?;
    let id = context.submit(Work::RemoveMembers { list, contacts });
    Ok(json_body(202, &json!({"id": id, "status": "Started"})))
}

/// `DELETE …/contacts`: what a removal becomes when its contact id is missing.
pub(super) fn empty(context: &mut Context<'_>) -> Answer {
    let list = list_id(context.arg(0))?;
    writable(context.account, list)?.clear();
    Ok(status(204))
}

/// `POST …/contacts/delete-all`.
pub(super) fn empty_by_job(context: &mut Context<'_>) -> Answer {
    let list = list_id(context.arg(0))?;
    writable(context.account, list)?;
    let id = context.submit(Work::EmptyList { list });
    Ok(json_body(202, &json!({"id": id, "status": "Started"})))
}

pub(super) fn removal_status(context: &mut Context<'_>) -> Answer {
    let id = context.arg(0);
    let state = match context.account.jobs.get(id) {
        Some(Job::Pending(Work::RemoveMembers { .. } | Work::EmptyList { .. }, _)) => "Started",
        Some(Job::Done(Report::Removal { failed: false })) => "Completed",
        Some(Job::Done(Report::Removal { failed: true })) => "Failed",
        _ => return Err(v2_error(404, "ERROR_IMPORT_NOT_FOUND")),
    };
    let body = match context.account.settings.switches.removal_status {
        RemovalStatusCase::Pascal => json!({"Id": id, "Status": state}),
        RemovalStatusCase::Camel => json!({"id": id, "status": state}),
    };
    Ok(json_body(200, &body))
}

/// The v2 services know ids of 32 bits only.
fn contact_id(value: &Value) -> Option<i64> {
    value.as_i64().filter(|id| i32::try_from(*id).is_ok())
}
