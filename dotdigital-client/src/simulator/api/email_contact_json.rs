//! A contact as the v2 services show it.

use serde_json::{Value, json};

use crate::simulator::account::{Account, ChannelStatus, Contact};

/// The contact, or `None` for one without an address: to these services a contact is an address.
pub(super) fn email_contact_json(
    account: &Account,
    contact: &Contact,
    with_data_fields: bool,
) -> Option<Value> {
    let fields = with_data_fields.then(|| data_fields(account, contact));
    Some(shown(contact, contact.email.as_deref()?, &fields.into()))
}

fn shown(contact: &Contact, email: &str, data_fields: &Value) -> Value {
    json!({
        "id": contact.id,
        "email": email,
        "optInType": contact.opt_in,
        "emailType": contact.email_type,
        "dataFields": data_fields,
        "status": status(contact.email_status),
    })
}

/// The contact with the data fields it has values for, all of them as text; `None` for one without
/// an address.
pub(super) fn with_values(contact: &Contact) -> Option<Value> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = contact.data_fields.iter();
    let fields = fields.map(|(key, value)| json!({"key": key, "value": text(value)}));
    let fields: Vec<Value> = fields.collect();
    Some(shown(contact, contact.email.as_deref()?, &fields.into()))
}

/// Every field of the account by name, also those the contact has no value for.
fn data_fields(account: &Account, contact: &Contact) -> Vec<Value> {
    let mut names: Vec<&str> = account.data_fields.iter().map(|field| &*field.name).collect();
    names.sort_unstable();
    let shown = |name| json!({"key": name, "value": contact.data_fields.get(name)});
    names.into_iter().map(shown).collect()
}

fn status(status: ChannelStatus) -> &'static str {
    match status {
        ChannelStatus::NoSubscription | ChannelStatus::Subscribed => "Subscribed",
        ChannelStatus::PendingOptIn => "PendingOptIn",
        ChannelStatus::Unsubscribed => "Unsubscribed",
        ChannelStatus::Suppressed => "Suppressed",
    }
}
