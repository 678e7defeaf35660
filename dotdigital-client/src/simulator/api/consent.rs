//! Calls that change whether people may be written to: unsubscribe, resubscribe, suppress.

use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, v2_error},
    lists::{list_id, writable},
};
use crate::{
    simulator::account::{Account, Channel, ChannelStatus, Contact, Identifier, MemberStatus},
    transport::HttpResponse,
};

/// `POST /v2/address-books/{id}/contacts/unsubscribe`.
pub(super) fn unsubscribe_from_list(context: &mut Context<'_>) -> Answer {
    let list = list_id(context.arg(0))?;
    let body = context.body.take_v2()?;
    writable(context.account, list)?;
    let contact = find(context.account, body.get("email"))?;
    writable(context.account, list)?.members.insert(contact, MemberStatus::Suppressed);
    suppressed(context, contact, "Unsubscribed")
}

/// `POST /v2/contacts/unsubscribe`.
pub(super) fn unsubscribe(context: &mut Context<'_>) -> Answer {
    let body = context.body.take_v2()?;
    let contact = find(context.account, body.get("email"))?;
    context.account.set_channel(contact, Channel::Email, ChannelStatus::Unsubscribed, context.now);
    suppressed(context, contact, "Unsubscribed")
}

/// `POST /v2/address-books/{id}/contacts/resubscribe` and `…/resubscribe-with-no-challenge`.
pub(super) fn resubscribe_to_list(context: &mut Context<'_>) -> Answer {
    let list = list_id(context.arg(0))?;
    let body = context.body.take_v2()?;
    writable(context.account, list)?;
    let contact = find_unsubscribed(context.account, &body)?;
    writable(context.account, list)?.members.insert(contact, MemberStatus::Subscribed);
    resubscribed(context, contact)
}

/// `POST /v2/contacts/resubscribe` and `…/resubscribe-with-no-challenge`.
pub(super) fn resubscribe(context: &mut Context<'_>) -> Answer {
    let body = context.body.take_v2()?;
    let contact = find_unsubscribed(context.account, &body)?;
    resubscribed(context, contact)
}

/// `PUT /v2/contacts/suppress-contacts`.
pub(super) fn suppress(context: &mut Context<'_>) -> Answer {
    let body = context.body.take_v2()?;
    let entries = body.as_array().filter(|entries| !entries.is_empty());
    let entries = entries.ok_or_else(|| v2_error(400, "ERROR_CONTACTS_ARE_NOT_SPECIFIED"))?;
    let (mut done, mut unknown) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = entry.get("id").and_then(Value::as_i64).map(Identifier::ContactId);
        let by = id.or_else(|| entry.get("email")?.as_str().map(Identifier::email));
        match by.and_then(|by| context.account.contacts.find_live(&by)) {
            Some(contact) => {
                context.account.suppress(contact, context.now);
                done.push(entry.clone());
            }
            None => unknown.push(entry.clone()),
        }
    }
    Ok(json_body(200, &json!({"suppressed": done, "notFound": unknown})))
}

fn find(account: &Account, email: Option<&Value>) -> Result<i64, HttpResponse> {
    let email =
        email.and_then(Value::as_str).ok_or_else(|| v2_error(400, "ERROR_CONTACT_INVALID"))?;
    let contact = account.contacts.find_live(&Identifier::email(email));
    contact.ok_or_else(|| v2_error(404, "ERROR_CONTACT_NOT_FOUND"))
}

fn find_unsubscribed(account: &Account, body: &Value) -> Result<i64, HttpResponse> {
    let contact = body.get("unsubscribedContact");
    let contact = contact.ok_or_else(|| v2_error(400, "ERROR_CONTACT_RESUBSCRIPTION_INVALID"))?;
    find(account, contact.get("email"))
}

fn suppressed(context: &Context<'_>, contact: i64, reason: &str) -> Answer {
    let body = json!({
        "suppressedContact": shown(context.account.contacts.get(contact)),
        "dateRemoved": context.now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "reason": reason,
    });
    Ok(json_body(200, &body))
}

fn resubscribed(context: &mut Context<'_>, contact: i64) -> Answer {
    context.account.set_channel(contact, Channel::Email, ChannelStatus::Subscribed, context.now);
    let contact = shown(context.account.contacts.get(contact));
    Ok(json_body(200, &json!({"contact": contact, "status": "ContactAdded"})))
}

/// A contact as the v2 services show it.
fn shown(contact: Option<&Contact>) -> Value {
    let Some(contact) = contact else { return Value::Null };
    let status = match contact.email_status {
        ChannelStatus::NoSubscription | ChannelStatus::Subscribed => "Subscribed",
        ChannelStatus::Unsubscribed => "Unsubscribed",
        ChannelStatus::Suppressed => "Suppressed",
    };
    json!({
        "id": contact.id,
        "email": contact.email.as_deref(),
        "optInType": contact.opt_in,
        "emailType": contact.email_type,
        "dataFields": null,
        "status": status,
    })
}
