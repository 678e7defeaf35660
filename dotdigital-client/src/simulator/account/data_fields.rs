//! The account's data fields: their names, their types, and which values fit.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::{Map, Number, Value};

use super::UpsertFault;
use crate::simulator::{
    switches::{MistypedDataField, Switches, UnknownDataField},
    views::{DataFieldType, Visibility},
};

const LONGEST_NAME: usize = 20;
const LONGEST_TEXT: usize = 1_000;

/// Fields that every account has.
const BUILT_IN: [(&str, DataFieldType); 6] = [
    ("FIRSTNAME", DataFieldType::String),
    ("LASTNAME", DataFieldType::String),
    ("FULLNAME", DataFieldType::String),
    ("GENDER", DataFieldType::String),
    ("POSTCODE", DataFieldType::String),
    ("LASTSUBSCRIBED", DataFieldType::Date),
];

/// Names the service uses itself.
const RESERVED: [&str; 16] = [
    "account",
    "campaign",
    "campaignid",
    "contact",
    "contact_api_id",
    "contactid",
    "email",
    "hcontactid",
    "hemail",
    "hemail256",
    "id",
    "messagecontent",
    "mobilenumberid",
    "notes",
    "unsubscribed",
    "uniquecontactid",
];

/// One data field.
pub(in crate::simulator) struct DataField {
    pub(in crate::simulator) name: String,
    pub(in crate::simulator) kind: DataFieldType,
    pub(in crate::simulator) visibility: Visibility,
    /// Null when there is none.
    pub(in crate::simulator) default: Value,
    /// What keeps it from being deleted, such as `Used in program 12345`.
    pub(in crate::simulator) used_by: Vec<String>,
}

/// Why a data field was not created.
pub(in crate::simulator) enum FieldFault {
    Invalid,
    Exists,
    LimitReached,
}

/// All data fields of the account, in the order they were created. Names are compared without case.
pub(in crate::simulator) struct DataFields {
    all: Vec<DataField>,
}

impl Default for DataFields {
    fn default() -> Self {
        let built_in = BUILT_IN.map(|(name, kind)| DataField {
            visibility: Visibility::Public,
            used_by: vec!["Part of every account".to_owned()],
            ..DataField::new(name, kind)
        });
        Self { all: built_in.into() }
    }
}

impl DataField {
    pub(in crate::simulator) fn new(name: &str, kind: DataFieldType) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            visibility: Visibility::Private,
            default: Value::Null,
            used_by: Vec::new(),
        }
    }
}

impl DataFields {
    pub(in crate::simulator) fn iter(&self) -> impl Iterator<Item = &DataField> {
        self.all.iter()
    }

    pub(in crate::simulator) fn find(&self, name: &str) -> Option<&DataField> {
        self.all.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    pub(in crate::simulator) fn find_mut(&mut self, name: &str) -> Option<&mut DataField> {
        self.all.iter_mut().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// Declares a field of a new name; `most` is how many the account may have.
    pub(in crate::simulator) fn declare(
        &mut self,
        mut field: DataField,
        most: Option<usize>,
    ) -> Result<&DataField, FieldFault> {
        let taken = |reserved: &str| reserved.eq_ignore_ascii_case(&field.name);
        if !is_name(&field.name) || RESERVED.iter().any(|name| taken(name)) {
            return Err(FieldFault::Invalid);
        }
        if self.find(&field.name).is_some() {
            return Err(FieldFault::Exists);
        }
        if most.is_some_and(|most| self.all.len() >= most) {
            return Err(FieldFault::LimitReached);
        }
        field.default = stored(field.kind, &field.default).ok_or(FieldFault::Invalid)?;
        self.all.push(field);
        self.all.last().ok_or(FieldFault::Invalid)
    }

    pub(in crate::simulator) fn remove(&mut self, name: &str) {
        self.all.retain(|field| !field.name.eq_ignore_ascii_case(name));
    }

    /// The values under their fields' declared names, in the form they are stored in.
    pub(in crate::simulator) fn read(
        &self,
        sent: &Map<String, Value>,
        switches: &Switches,
    ) -> Result<Map<String, Value>, UpsertFault> {
        let mut read = Map::new();
        for (name, value) in sent {
            let Some(field) = self.find(name) else {
                match switches.unknown_data_field {
                    UnknownDataField::Fails => return Err(UpsertFault::UnknownDataField),
                    UnknownDataField::Ignored => continue,
                }
            };
            match stored(field.kind, value) {
                Some(value) => drop(read.insert(field.name.clone(), value)),
                None if switches.mistyped_data_field == MistypedDataField::Ignored => {}
                None => return Err(UpsertFault::MistypedDataField),
            }
        }
        Ok(read)
    }
}

/// The value in the form it is stored in; `None` when it does not fit the type.
fn stored(kind: DataFieldType, value: &Value) -> Option<Value> {
    match (kind, value) {
        (_, Value::Null) => Some(Value::Null),
        (DataFieldType::String, Value::String(text)) => {
            (text.chars().count() <= LONGEST_TEXT).then(|| value.clone())
        }
        (_, Value::String(text)) if text.is_empty() => Some(Value::Null),
        (DataFieldType::Numeric, Value::Number(_)) | (DataFieldType::Boolean, Value::Bool(_)) => {
            Some(value.clone())
        }
        (DataFieldType::Numeric, Value::String(text)) => number(text),
        (DataFieldType::Boolean, Value::String(text)) => {
            text.to_ascii_lowercase().parse().ok().map(Value::Bool)
        }
        (DataFieldType::Date, Value::String(text)) => is_date(text).then(|| value.clone()),
        _ => None,
    }
}

fn number(text: &str) -> Option<Value> {
    let whole = text.parse::<i64>().ok().map(Value::from);
    whole.or_else(|| Number::from_f64(text.parse().ok()?).map(Value::Number))
}

/// Whether the text is an ISO 8601 date, with or without time and zone.
fn is_date(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok()
        || text.parse::<NaiveDateTime>().is_ok()
        || text.parse::<NaiveDate>().is_ok()
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_stored_as_its_type_wants_it() {
        use DataFieldType::{Boolean, Date, Numeric, String};
        for (kind, sent, expected) in [
            (String, json!("Ann"), json!("Ann")),
            (String, json!(""), json!("")),
            (Numeric, json!(7.5), json!(7.5)),
            (Numeric, json!("7"), json!(7)),
            (Numeric, json!(""), json!(null)),
            (Boolean, json!("True"), json!(true)),
            (Date, json!("2020-02-29"), json!("2020-02-29")),
            (Date, json!("2020-02-29T10:00:00"), json!("2020-02-29T10:00:00")),
            (Date, json!(null), json!(null)),
        ] {
            assert_eq!(stored(kind, &sent), Some(expected), "{kind:?} {sent}");
        }
    }

    #[test]
    fn a_value_of_another_type_does_not_fit() {
        use DataFieldType::{Boolean, Date, Numeric, String};
        for (kind, sent) in [
            (String, json!(7)),
            (String, json!("x".repeat(1_001))),
            (String, json!(["Ann"])),
            (Numeric, json!("seven")),
            (Numeric, json!(true)),
            (Boolean, json!(1)),
            (Boolean, json!("yes")),
            (Date, json!("2020-02-30")),
            (Date, json!(20_200_229)),
        ] {
            assert_eq!(stored(kind, &sent), None, "{kind:?} {sent}");
        }
    }
}
