//! The shape of a contact in a v3 request, as strict as the vendor's description.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::answer::v3_error_about;
use crate::{
    simulator::account::{Channel, ChannelStatus, ContactChange},
    transport::HttpResponse,
};

const MOST_LISTS: usize = 100;
const MOST_CONSENT_RECORDS: usize = 5;

/// Which request the contact stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A row of an import: names its match identifier and may carry a contact id.
    Import,
    /// The body of an update.
    Update,
    /// The body of a replacement: identifiers are required, consent records not allowed.
    Replace,
}

/// What is wrong with a request, and where.
#[derive(Debug)]
pub(super) struct ShapeFault {
    item: String,
    detail: String,
}

impl ShapeFault {
    pub(super) fn new(item: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { item: item.into(), detail: detail.into() }
    }

    /// The same fault in the row of that number.
    pub(super) fn in_row(self, number: usize) -> Self {
        Self { item: format!("contacts[{number}].{}", self.item), ..self }
    }

    pub(super) fn answer(&self) -> HttpResponse {
        const TEXT: &str = "The request is not valid";
        v3_error_about(400, "contacts:badRequest", TEXT, &self.item, &self.detail)
    }
}

type Checked<T> = Result<T, ShapeFault>;

/// Reads one contact. Unknown keys are passed over where the description allows them.
pub(super) fn contact_change(contact: &Value, place: Place) -> Checked<ContactChange> {
    let contact = object(contact, "contact")?;
    let mut change = ContactChange::default();
    if place == Place::Import {
        let name = contact.get("matchIdentifier");
        let name =
            name.ok_or_else(|| ShapeFault::new("matchIdentifier", "The field is required"))?;
        change.match_by = text(name, "matchIdentifier")?.to_owned();
    }
    match contact.get("identifiers") {
        Some(identifiers) => read_identifiers(identifiers, place, &mut change)?,
        None if place == Place::Update => {}
        None => return Err(ShapeFault::new("identifiers", "The Identifiers field is required.")),
    }
    if let Some(fields) = contact.get("dataFields") {
        change.data_fields = object(fields, "dataFields")?.clone();
    }
    if let Some(lists) = contact.get("lists") {
        change.lists = read_lists(lists)?;
    }
    if let Some(channels) = contact.get("channelProperties") {
        read_channels(channels, &mut change)?;
    }
    if let Some(preferences) = contact.get("preferences") {
        check_preferences(preferences)?;
    }
    match contact.get("consentRecords") {
        Some(_) if place == Place::Replace => {
            return Err(ShapeFault::new("consentRecords", "The field is not allowed here"));
        }
        Some(records) => check_consent_records(records)?,
        None => {}
    }
    Ok(change)
}

/// Whether `name` could be an identifier's name.
pub(super) fn is_identifier_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=50).contains(&name.len()) && name.bytes().all(allowed)
}

fn read_identifiers(value: &Value, place: Place, change: &mut ContactChange) -> Checked<()> {
    for (name, value) in object(value, "identifiers")? {
        let item = || format!("identifiers.{name}");
        if name == "contactId" {
            let id = value.as_i64().filter(|id| *id >= 0 && place == Place::Import);
            change.contact_id =
                Some(id.ok_or_else(|| ShapeFault::new(item(), "Not allowed here"))?);
        } else {
            let value = value.as_str().filter(|value| value.chars().count() <= 256);
            let value =
                value.ok_or_else(|| ShapeFault::new(item(), "A text of up to 256 is expected"))?;
            change.identifiers.push((name.clone(), value.to_owned()));
        }
    }
    Ok(())
}

fn read_lists(value: &Value) -> Checked<Vec<i32>> {
    let ids = array(value, "lists", MOST_LISTS)?.iter();
    ids.map(|id| id.as_i64().and_then(|id| i32::try_from(id).ok()))
        .collect::<Option<Vec<i32>>>()
        .ok_or_else(|| ShapeFault::new("lists", "Whole numbers are expected"))
}

fn read_channels(value: &Value, change: &mut ContactChange) -> Checked<()> {
    for (name, channel) in object(value, "channelProperties")? {
        let channel_name = match name.as_str() {
            "email" => Channel::Email,
            "sms" => Channel::Sms,
            "whatsApp" => Channel::WhatsApp,
            _ => return Err(unexpected("channelProperties", name)),
        };
        for (key, value) in object(channel, name)? {
            match key.as_str() {
                "status" => {
                    let status = read_status(channel_name, text(value, "status")?);
                    let status = status.ok_or_else(|| unexpected(name, "status"))?;
                    change.channels.push((channel_name, status));
                }
                "emailType" if channel_name == Channel::Email => {
                    change.email_type = Some(one_of(value, key, &["PlainText", "Html"])?);
                }
                "optInType" if channel_name == Channel::Email => {
                    let types = ["Unknown", "Single", "Double", "VerifiedDouble"];
                    change.opt_in = Some(one_of(value, key, &types)?);
                }
                "resubscribeOptions" if channel_name == Channel::Email => {
                    object(value, "resubscribeOptions")?;
                }
                _ => return Err(unexpected(name, key)),
            }
        }
    }
    Ok(())
}

fn read_status(channel: Channel, status: &str) -> Option<ChannelStatus> {
    Some(match status {
        "subscribed" => ChannelStatus::Subscribed,
        "unsubscribed" => ChannelStatus::Unsubscribed,
        "suppressed" => ChannelStatus::Suppressed,
        "noSubscription" if channel != Channel::Email => ChannelStatus::NoSubscription,
        _ => return None,
    })
}

/// Preferences are checked and then forgotten: the simulated account has none.
fn check_preferences(value: &Value) -> Checked<()> {
    for preference in array(value, "preferences", usize::MAX)? {
        let whole = preference.get("id").and_then(Value::as_i64).is_some();
        if !whole || preference.get("isOptedIn").and_then(Value::as_bool).is_none() {
            return Err(ShapeFault::new("preferences", "Each needs id and isOptedIn"));
        }
    }
    Ok(())
}

/// Consent records are checked and then forgotten.
fn check_consent_records(value: &Value) -> Checked<()> {
    const KEYS: [&str; 5] = ["text", "dateTimeConsented", "url", "ipAddress", "userAgent"];
    for record in array(value, "consentRecords", MOST_CONSENT_RECORDS)? {
        let record = object(record, "consentRecords")?;
        if let Some(other) = record.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(unexpected("consentRecords", other));
        }
        for key in KEYS {
            let value = record.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
            let address =
                key != "ipAddress" || value.is_some_and(|ip| ip.parse::<IpAddr>().is_ok());
            if value.is_none() || !address {
                return Err(ShapeFault::new(
                    format!("consentRecords.{key}"),
                    "Missing or not valid",
                ));
            }
        }
    }
    Ok(())
}

/// The documents write these values in lower camel case and in their own examples otherwise, so
/// case does not count.
fn one_of(value: &Value, item: &str, allowed: &[&'static str]) -> Checked<&'static str> {
    let value = text(value, item)?;
    allowed
        .iter()
        .find(|one| one.eq_ignore_ascii_case(value))
        .copied()
        .ok_or_else(|| ShapeFault::new(item, "The value is not one of those allowed"))
}

fn object<'a>(value: &'a Value, item: &str) -> Checked<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| ShapeFault::new(item, "An object is expected"))
}

fn text<'a>(value: &'a Value, item: &str) -> Checked<&'a str> {
    value.as_str().ok_or_else(|| ShapeFault::new(item, "A text is expected"))
}

fn array<'a>(value: &'a Value, item: &str, most: usize) -> Checked<&'a Vec<Value>> {
    value.as_array().filter(|array| !array.is_empty() && array.len() <= most).ok_or_else(|| {
        ShapeFault::new(item, "An array that is neither empty nor too long is expected")
    })
}

fn unexpected(item: &str, key: &str) -> ShapeFault {
    ShapeFault::new(format!("{item}.{key}"), "Not expected")
}
