//! A contact as the v3 services show it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use crate::simulator::{
    account::{Account, ChannelStatus, ConsentRecord, Contact, MemberStatus},
    switches::ContactIdForm,
};

/// Which parts of a contact are shown besides the basic ones.
#[derive(Clone, Default)]
pub(super) struct Parts {
    pub(super) channel_properties: bool,
    pub(super) lists: bool,
    pub(super) preferences: bool,
    pub(super) consent_records: bool,
    pub(super) data_fields: Fields,
}

/// Which data fields are shown.
#[derive(Clone, Default)]
pub(super) enum Fields {
    #[default]
    None,
    All,
    Named(Vec<String>),
}

impl Parts {
    pub(super) fn all() -> Self {
        Self {
            channel_properties: true,
            lists: true,
            preferences: true,
            consent_records: true,
            data_fields: Fields::All,
        }
    }
}

/// A contact id in the form the account is set to.
pub(super) fn id_value(id: i64, form: ContactIdForm) -> Value {
    match form {
        ContactIdForm::Number => id.into(),
        ContactIdForm::Text => id.to_string().into(),
    }
}

pub(super) fn contact_json(account: &Account, contact: &Contact, parts: &Parts) -> Value {
    let mut shown = json!({
        "contactId": id_value(contact.id, account.settings.switches.contact_id),
        "status": contact.status().as_str(),
        "created": timestamp(contact.created),
        "updated": timestamp(contact.updated),
        "identifiers": identifiers(contact),
    });
    if let Some(fields) = data_fields(contact, &parts.data_fields) {
        shown["dataFields"] = Value::Object(fields);
    }
    if parts.channel_properties {
        shown["channelProperties"] = channel_properties(contact);
    }
    if parts.lists {
        shown["lists"] = lists(account, contact);
    }
    // The description allows no empty array here.
    if let Some(preferences) = preferences(account, contact).filter(|_| parts.preferences) {
        shown["preferences"] = preferences;
    }
    if parts.consent_records {
        shown["consentRecords"] = contact.consent_records.iter().map(consent_record).collect();
    }
    shown
}

fn lists(account: &Account, contact: &Contact) -> Value {
    let pending = contact.status() == ChannelStatus::PendingOptIn;
    let lists = account.lists_of(contact.id).map(|(list, status)| {
        let status = match status {
            MemberStatus::Subscribed if pending => "pending",
            status => status.as_str(),
        };
        json!({"id": list.id, "name": list.name, "status": status})
    });
    lists.collect()
}

/// Preferences with each of the names the description speaks of: it requires `name` and describes
/// the two others.
fn preferences(account: &Account, contact: &Contact) -> Option<Value> {
    let shown = contact.preferences.iter().filter_map(|(id, opted_in)| {
        let preference = account.preferences.get(*id)?;
        Some(json!({
            "id": id,
            "isOptedIn": opted_in,
            "name": preference.public_name,
            "publicName": preference.public_name,
            "privateName": preference.private_name,
        }))
    });
    let shown: Vec<Value> = shown.collect();
    (!shown.is_empty()).then(|| shown.into())
}

fn consent_record(record: &ConsentRecord) -> Value {
    json!({
        "text": record.text,
        "dateTimeConsented": timestamp(record.consented),
        "url": record.url,
        "ipAddress": record.ip_address,
        "userAgent": record.user_agent,
        "dateTimeCreated": timestamp(record.created),
    })
}

fn identifiers(contact: &Contact) -> Map<String, Value> {
    let email = contact.email.as_deref().map(|email| ("email".to_owned(), email.into()));
    let mobile = contact.mobile.as_deref().map(|mobile| ("mobileNumber".to_owned(), mobile.into()));
    let custom = contact.custom.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
    email.into_iter().chain(mobile).chain(custom).collect()
}

fn channel_properties(contact: &Contact) -> Value {
    let mut channels = Map::new();
    if contact.email.is_some() {
        let email = json!({
            "status": contact.email_status.as_str(),
            "emailType": contact.email_type,
            "optInType": contact.opt_in,
        });
        channels.insert("email".to_owned(), email);
    }
    if contact.mobile.is_some() {
        let sms = json!({"status": contact.sms_status.as_str(), "countryCode": "GB"});
        channels.insert("sms".to_owned(), sms);
        let whatsapp = json!({"status": contact.whatsapp_status.as_str()});
        channels.insert("whatsApp".to_owned(), whatsapp);
    }
    Value::Object(channels)
}

fn data_fields(contact: &Contact, fields: &Fields) -> Option<Map<String, Value>> {
    match fields {
        Fields::None => None,
        Fields::All => Some(contact.data_fields.clone()),
        Fields::Named(names) => {
            let asked = |key: &str| names.iter().any(|name| name.eq_ignore_ascii_case(key));
            let shown = contact.data_fields.iter().filter(|(key, _)| asked(key));
            Some(shown.map(|(key, value)| (key.clone(), value.clone())).collect())
        }
    }
}

pub(super) fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
