//! Calls that change whether people may be written to: unsubscribe, resubscribe, suppress.

use serde_json::{Map, Value, json};

use super::{
    Answer, Context,
    answer::{json_body, v2_error},
    email_contact_json::email_contact_json,
    lists::{list_id, writable},
    schema::LOCALES,
    suppressions::suppression,
    v2_parameters::{array, int32_value, object, pairs, timestamp},
};
use crate::{
    simulator::account::{
        Account, Channel, ChannelStatus, Contact, Identifier, MergeOption, UpsertFault,
    },
    transport::HttpResponse,
};

/// `POST /v2/address-books/{id}/contacts/unsubscribe`.
pub(super) fn unsubscribe_from_list(context: &mut Context<'_>) -> Answer {
    let list = list_id(context.arg(0))?;
    let body = context.body.take_v2()?;
    writable(context.account, list)?;
    let contact = find(context.account, object(&body)?.get("email"))?;
    writable(context.account, list)?.unsubscribe(contact, context.now);
    unsubscribed(context, contact)
}

/// `POST /v2/contacts/unsubscribe`.
pub(super) fn unsubscribe(context: &mut Context<'_>) -> Answer {
    let body = context.body.take_v2()?;
    let contact = find(context.account, object(&body)?.get("email"))?;
    context.account.set_channel(contact, Channel::Email, ChannelStatus::Unsubscribed, context.now);
    unsubscribed(context, contact)
}

/// `POST /v2/address-books/{id}/contacts/resubscribe`: who unsubscribed herself is asked first.
pub(super) fn resubscribe_to_list(context: &mut Context<'_>) -> Answer {
    let wanted = Resubscription::read(context)?;
    let list = writable(context.account, list_id(context.arg(0))?)?;
    let (id, left) = (list.id, list.unsubscribed.contains_key(&wanted.contact));
    if left || wanted.left_account(context.account) {
        context.account.challenges.entry(wanted.contact).or_default().insert(id);
        return answer(context, wanted.contact, "ContactChallenged");
    }
    back_on_list(context, &wanted)
}

/// `POST /v2/address-books/{id}/contacts/resubscribe-with-no-challenge`.
pub(super) fn resubscribe_to_list_at_once(context: &mut Context<'_>) -> Answer {
    let wanted = Resubscription::read(context)?;
    writable(context.account, list_id(context.arg(0))?)?;
    back_on_list(context, &wanted)
}

/// `POST /v2/contacts/resubscribe`: who unsubscribed herself is asked first.
pub(super) fn resubscribe(context: &mut Context<'_>) -> Answer {
    let wanted = Resubscription::read(context)?;
    if wanted.left_account(context.account) {
        context.account.challenges.entry(wanted.contact).or_default();
        return answer(context, wanted.contact, "ContactChallenged");
    }
    back(context, &wanted)
}

/// `POST /v2/contacts/resubscribe-with-no-challenge`.
pub(super) fn resubscribe_at_once(context: &mut Context<'_>) -> Answer {
    let wanted = Resubscription::read(context)?;
    back(context, &wanted)
}

/// `PUT /v2/contacts/suppress-contacts`.
pub(super) fn suppress(context: &mut Context<'_>) -> Answer {
    let body = context.body.take_v2()?;
    let entries = array(&body)?;
    if entries.is_empty() {
        return Err(v2_error(400, "ERROR_CONTACTS_ARE_NOT_SPECIFIED"));
    }
    let entries: Result<Vec<Named>, HttpResponse> = entries.iter().map(Named::read).collect();
    let (mut done, mut unknown) = (Vec::new(), Vec::new());
    for entry in entries? {
        match context.account.contacts.find_live(&entry.identifier()) {
            Some(contact) => {
                context.account.suppress(contact, context.now);
                done.push(entry.shown());
            }
            None => unknown.push(entry.shown()),
        }
    }
    Ok(json_body(200, &json!({"suppressed": done, "notFound": unknown})))
}

/// One entry of a bulk suppression; its id counts if it has both.
enum Named {
    Id(i32),
    Email(String),
}

impl Named {
    fn read(entry: &Value) -> Result<Self, HttpResponse> {
        let invalid = || v2_error(400, "ERROR_CONTACT_INVALID");
        let entry = entry.as_object().ok_or_else(invalid)?;
        let email =
            entry.get("email").map(|email| email.as_str().ok_or_else(invalid)).transpose()?;
        match entry.get("id") {
            Some(id) => int32_value(id).map(Self::Id).ok_or_else(invalid),
            None => email.map(|email| Self::Email(email.to_owned())).ok_or_else(invalid),
        }
    }

    fn identifier(&self) -> Identifier {
        match self {
            Self::Id(id) => Identifier::ContactId(i64::from(*id)),
            Self::Email(email) => Identifier::email(email),
        }
    }

    /// As the service does: 0 and null stand for what was not named.
    fn shown(&self) -> Value {
        match self {
            Self::Id(id) => json!({"id": id, "email": null}),
            Self::Email(email) => json!({"id": 0, "email": email}),
        }
    }
}

/// Who is to be written to again, and with which data.
struct Resubscription {
    contact: i64,
    data_fields: Map<String, Value>,
}

impl Resubscription {
    fn read(context: &mut Context<'_>) -> Result<Self, HttpResponse> {
        let invalid = || v2_error(400, "ERROR_CONTACT_RESUBSCRIPTION_INVALID");
        let body = context.body.take_v2()?;
        let body = object(&body)?;
        let contact = body.get("unsubscribedContact").and_then(Value::as_object);
        let contact = contact.ok_or_else(invalid)?;
        let email = contact.get("email").and_then(Value::as_str).ok_or_else(invalid)?;
        let data_fields = match contact.get("dataFields") {
            None => Map::new(),
            Some(fields) => pairs(fields).ok_or_else(invalid)?,
        };
        let locale = body.get("preferredLocale");
        let known_locale = |name: &Value| name.as_str().is_some_and(|name| LOCALES.contains(&name));
        let url = body.get("returnUrlToUseIfChallenged");
        if !locale.is_none_or(known_locale) || !url.is_none_or(Value::is_string) {
            return Err(invalid());
        }
        let contact = find(context.account, Some(&email.into()))?;
        let account = &*context.account;
        let data_fields = account.data_fields.read(&data_fields, &account.settings.switches);
        let data_fields = data_fields.map_err(|fault| v2_error(400, data_field_code(fault)))?;
        Ok(Self { contact, data_fields })
    }

    fn left_account(&self, account: &Account) -> bool {
        let contact = account.contacts.get(self.contact);
        contact.is_some_and(|contact| contact.email_status == ChannelStatus::Unsubscribed)
    }
}

fn data_field_code(fault: UpsertFault) -> &'static str {
    match fault {
        UpsertFault::UnknownDataField => "ERROR_DATAFIELD_NOTFOUND",
        _ => "ERROR_DATAFIELD_INVALID",
    }
}

fn find(account: &Account, email: Option<&Value>) -> Result<i64, HttpResponse> {
    let email =
        email.and_then(Value::as_str).ok_or_else(|| v2_error(400, "ERROR_CONTACT_INVALID"))?;
    let contact = account.contacts.find_live(&Identifier::email(email));
    contact.ok_or_else(|| v2_error(404, "ERROR_CONTACT_NOT_FOUND"))
}

fn unsubscribed(context: &Context<'_>, contact: i64) -> Answer {
    let stored = context.account.contacts.get(contact);
    Ok(json_body(
        200,
        &suppression(context.account, stored, &timestamp(context.now), "Unsubscribed"),
    ))
}

fn back_on_list(context: &mut Context<'_>, wanted: &Resubscription) -> Answer {
    let list = list_id(context.arg(0))?;
    if is_globally_suppressed(context.account, wanted.contact) {
        return back(context, wanted);
    }
    writable(context.account, list)?.resubscribe(wanted.contact);
    back(context, wanted)
}

fn back(context: &mut Context<'_>, wanted: &Resubscription) -> Answer {
    let (id, now) = (wanted.contact, context.now);
    if is_globally_suppressed(context.account, id) {
        return answer(context, id, "ContactCannotBeUnsuppressed");
    }
    context.account.set_channel(id, Channel::Email, ChannelStatus::Subscribed, now);
    if let Some(contact) = context.account.contacts.get_mut(id) {
        MergeOption::Overwrite.merge(&mut contact.data_fields, &wanted.data_fields);
    }
    answer(context, id, "ContactAdded")
}

fn is_globally_suppressed(account: &Account, contact: i64) -> bool {
    let email = account.contacts.get(contact).and_then(|contact| contact.email.as_deref());
    let fault = email.and_then(|email| account.blocklist.fault(email));
    fault == Some(UpsertFault::GloballySuppressed)
}

fn answer(context: &Context<'_>, contact: i64, status: &str) -> Answer {
    let contact = shown(context.account, context.account.contacts.get(contact));
    Ok(json_body(200, &json!({"contact": contact, "status": status})))
}

/// The contact as the v2 services show it; one that has no address is shown as none.
pub(super) fn shown(account: &Account, contact: Option<&Contact>) -> Value {
    contact.and_then(|contact| email_contact_json(account, contact, false)).unwrap_or_default()
}
