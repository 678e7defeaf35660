//! Names of data fields.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// Names that the service keeps for itself.
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
    "uniquecontactid",
    "unsubscribed",
];

/// Why a text cannot name a data field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFieldName {
    /// Not 1 to 20 letters, digits, `-` or `_`.
    #[error("a data field's name is 1 to 20 letters, digits, - or _")]
    Form,
    /// A name that the service keeps for itself.
    #[error("the data field's name is reserved by the service")]
    Reserved,
}

/// The name of a data field that the account made or is to make.
///
/// Fields that exist already may have other names, such as those of the service's own in the
/// account's language: reading takes any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldName(String);

impl FieldName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// Fails unless it is 1 to 20 letters, digits, `-` or `_`, and for reserved names.
    pub fn parse(text: &str) -> Result<Self, InvalidFieldName> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=20).contains(&text.len()) || !text.chars().all(plain) {
            return Err(InvalidFieldName::Form);
        }
        if RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text)) {
            return Err(InvalidFieldName::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FieldName {
    type Err = InvalidFieldName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<FieldName> for String {
    fn from(name: FieldName) -> Self {
        name.0
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for FieldName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_service_s_form() {
        assert_eq!(FieldName::parse("LAST_ORDER-2").unwrap().as_str(), "LAST_ORDER-2");
        assert!(FieldName::parse(&"x".repeat(20)).is_ok());
        for bad in ["", "a b", "prénom", "a.b", ".", &"x".repeat(21)] {
            assert_eq!(FieldName::parse(bad), Err(InvalidFieldName::Form), "{bad}");
        }
        for bad in ["email", "ContactID", "UNSUBSCRIBED"] {
            assert_eq!(FieldName::parse(bad), Err(InvalidFieldName::Reserved), "{bad}");
        }
    }
}
