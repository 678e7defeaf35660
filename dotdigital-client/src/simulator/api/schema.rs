//! The shape of a contact in a v3 request, as strict as the vendor's description.

mod channels;
mod check;
mod consent;

use serde_json::Value;

pub(super) use self::channels::LOCALES;
use self::check::{Checked, array, flag, int32, object, text};
pub(super) use self::check::{ShapeFault, whole};
use crate::simulator::account::ContactChange;

const MOST_LISTS: usize = 100;

/// Which request the contact stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The body that creates a contact: identifiers are required.
    Create,
    /// A row of an import: names its match identifier and may carry a contact id.
    Import,
    /// The body of an update.
    Update,
    /// The body of a replacement: identifiers are required, consent records not allowed.
    Replace,
}

/// Reads one contact. Unknown keys are passed over where the description allows them.
pub(super) fn contact_change(contact: &Value, place: Place) -> Checked<ContactChange> {
    let contact = object(contact, "contact")?;
    let mut change = ContactChange::default();
    if place == Place::Import {
        change.match_by = match_identifier(contact.get("matchIdentifier"))?;
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
        let lists = array(lists, "lists", MOST_LISTS)?.iter();
        change.lists = lists.map(|id| int32(id, "lists")).collect::<Checked<_>>()?;
    }
    if let Some(properties) = contact.get("channelProperties") {
        channels::read(properties, place, &mut change)?;
    }
    if let Some(preferences) = contact.get("preferences") {
        let preferences = array(preferences, "preferences", usize::MAX)?.iter();
        change.preferences = preferences.map(preference).collect::<Checked<_>>()?;
    }
    match contact.get("consentRecords") {
        Some(_) if place == Place::Replace => {
            return Err(ShapeFault::new("consentRecords", "The field is not allowed here"));
        }
        Some(records) => change.consent = consent::read(records)?,
        None => {}
    }
    Ok(change)
}

/// Whether `name` could be an identifier's name.
pub(super) fn is_identifier_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=50).contains(&name.len()) && name.bytes().all(allowed)
}

/// A report repeats the name, and cannot repeat what could not be one.
fn match_identifier(name: Option<&Value>) -> Checked<String> {
    const ITEM: &str = "matchIdentifier";
    let name = text(name.ok_or_else(|| ShapeFault::new(ITEM, "The field is required"))?, ITEM)?;
    if is_identifier_name(name) {
        Ok(name.to_owned())
    } else {
        Err(ShapeFault::invalid_id(name, "The name of an identifier is expected"))
    }
}

/// The description gives `email` and `mobileNumber` no type, so whatever stands there is a value
/// that is not valid, and not a fault of the request.
fn read_identifiers(value: &Value, place: Place, change: &mut ContactChange) -> Checked<()> {
    for (name, value) in object(value, "identifiers")? {
        let item = || format!("identifiers.{name}");
        let value = match (name.as_str(), value) {
            ("contactId", _) if place != Place::Import => {
                return Err(ShapeFault::invalid_id(item(), "A contact's id cannot be chosen"));
            }
            ("contactId", _) => {
                let id = whole(value).filter(|id| *id >= 0);
                let wrong = || ShapeFault::new(item(), "A whole number from 0 on is expected");
                change.contact_id = Some(id.ok_or_else(wrong)?);
                continue;
            }
            (_, Value::String(value)) => value.clone(),
            ("email" | "mobileNumber", value) => value.to_string(),
            _ => return Err(ShapeFault::new(item(), "A text is expected")),
        };
        change.identifiers.push((name.clone(), value));
    }
    Ok(())
}

fn preference(value: &Value) -> Checked<(i32, bool)> {
    let preference = object(value, "preferences")?;
    let field = |key: &str| {
        let missing = || ShapeFault::new(format!("preferences.{key}"), "The field is required");
        preference.get(key).ok_or_else(missing)
    };
    Ok((
        int32(field("id")?, "preferences.id")?,
        flag(field("isOptedIn")?, "preferences.isOptedIn")?,
    ))
}
