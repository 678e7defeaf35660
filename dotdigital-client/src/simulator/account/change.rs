//! What a request wants to make of one contact.

use serde_json::{Map, Value};

use super::{Channel, ChannelStatus, NewConsent};

/// One contact of an import, or the body of a single update. Its shape has been checked, its values
/// have not.
#[derive(Default)]
pub(in crate::simulator) struct ContactChange {
    /// Name of the identifier to match by.
    pub(in crate::simulator) match_by: String,
    /// Only ever matched by, never set.
    pub(in crate::simulator) contact_id: Option<i64>,
    /// Name and value of the other identifiers, as sent.
    pub(in crate::simulator) identifiers: Vec<(String, String)>,
    pub(in crate::simulator) data_fields: Map<String, Value>,
    pub(in crate::simulator) channels: Vec<(Channel, ChannelStatus)>,
    pub(in crate::simulator) email_type: Option<&'static str>,
    pub(in crate::simulator) opt_in: Option<&'static str>,
    /// Whether a contact that is subscribed again must confirm it.
    pub(in crate::simulator) challenged: bool,
    pub(in crate::simulator) lists: Vec<i32>,
    pub(in crate::simulator) preferences: Vec<(i32, bool)>,
    pub(in crate::simulator) consent: Vec<NewConsent>,
}

/// What happens to data fields that are stored already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::simulator) enum MergeOption {
    /// What is sent is stored; a null clears.
    #[default]
    Overwrite,
    /// Blank input is passed over.
    OverwriteIfNotEmpty,
    /// Only blank fields are filled.
    OverwriteIfEmpty,
}

impl MergeOption {
    /// Reads the spelling of an import's body.
    pub(in crate::simulator) fn camel(name: &str) -> Option<Self> {
        Some(match name {
            "overwrite" => Self::Overwrite,
            "overwriteIfNotEmpty" => Self::OverwriteIfNotEmpty,
            "overwriteIfEmpty" => Self::OverwriteIfEmpty,
            _ => return None,
        })
    }

    /// Reads the spelling of an update's query.
    pub(in crate::simulator) fn kebab(name: &str) -> Option<Self> {
        Some(match name {
            "overwrite" => Self::Overwrite,
            "overwrite-if-not-empty" => Self::OverwriteIfNotEmpty,
            "overwrite-if-empty" => Self::OverwriteIfEmpty,
            _ => return None,
        })
    }

    /// Stores `sent` in `fields`, whose names are compared without case.
    pub(in crate::simulator) fn merge(
        self,
        fields: &mut Map<String, Value>,
        sent: &Map<String, Value>,
    ) {
        for (name, value) in sent {
            let stored = fields.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned();
            let name = stored.unwrap_or_else(|| name.clone());
            let skip = match self {
                Self::Overwrite => false,
                Self::OverwriteIfNotEmpty => is_blank(value),
                Self::OverwriteIfEmpty => fields.get(&name).is_some_and(|old| !is_blank(old)),
            };
            match value {
                _ if skip => {}
                Value::Null => drop(fields.remove(&name)),
                value => drop(fields.insert(name, value.clone())),
            }
        }
    }
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(option: MergeOption, stored: &Value, sent: &Value) -> Value {
        let mut fields = stored.as_object().cloned().unwrap_or_default();
        option.merge(&mut fields, sent.as_object().expect("an object"));
        Value::Object(fields)
    }

    #[test]
    fn merge_options_treat_blanks_as_documented() {
        let stored = json!({"FIRSTNAME": "Ann", "LASTNAME": ""});
        let sent = json!({"firstname": null, "lastname": "Lee"});
        assert_eq!(merged(MergeOption::Overwrite, &stored, &sent), json!({"LASTNAME": "Lee"}));
        let kept = json!({"FIRSTNAME": "Ann", "LASTNAME": "Lee"});
        assert_eq!(merged(MergeOption::OverwriteIfNotEmpty, &stored, &sent), kept);
        assert_eq!(merged(MergeOption::OverwriteIfEmpty, &stored, &sent), kept);
        let other = json!({"FIRSTNAME": "Bea"});
        assert_eq!(
            merged(MergeOption::OverwriteIfEmpty, &stored, &other),
            json!({"FIRSTNAME": "Ann", "LASTNAME": ""})
        );
    }
}
