//! Reading who is on a list the v2 way: `GET /v2/address-books/{id}/contacts`.

use serde_json::Value;

use super::{
    Answer, Context,
    answer::json_body,
    email_contact_json::email_contact_json,
    lists::{known, list_id},
    v2_parameters::{Slice, invalid, since},
};
use crate::simulator::account::Contact;

pub(super) fn members(context: &mut Context<'_>) -> Answer {
    page(context, |_| true)
}

/// `…/modified-since/{date}`.
pub(super) fn modified(context: &mut Context<'_>) -> Answer {
    let since = since(context.arg(1))?;
    page(context, |contact| contact.updated >= since)
}

/// Those members of the list or segment that `wanted` takes, one page of them. Members without an
/// address are left out: to these services a contact is an address.
fn page(context: &Context<'_>, wanted: impl Fn(&Contact) -> bool) -> Answer {
    let account = &*context.account;
    let id = list_id(context.arg(0))?;
    let slice = Slice::read(&context.query)?;
    let full = context.query.flag("withFullData").ok_or_else(invalid)?;
    let members: Vec<i64> = match account.segments.get(&id) {
        Some(segment) => segment.members.iter().copied().collect(),
        None => {
            let members = known(account, id)?.members.iter();
            members.filter(|(_, status)| account.shows(**status)).map(|(id, _)| *id).collect()
        }
    };
    let contacts = members.into_iter().filter_map(|id| account.contacts.get(id));
    let wanted = contacts.filter(|contact| contact.email.is_some() && wanted(contact));
    let contacts: Vec<Value> =
        slice.of(wanted).filter_map(|contact| email_contact_json(account, contact, full)).collect();
    Ok(json_body(200, &contacts))
}
