//! What a test or a demo sees when it looks into the account.

use std::fmt;

use serde::Deserialize;

/// Who can see a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Users of the account only.
    #[default]
    Private,
    /// Contacts too.
    Public,
}

impl Visibility {
    /// The service's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "Private",
            Self::Public => "Public",
        }
    }
}

/// What a data field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataFieldType {
    /// Text of up to 1,000 characters.
    String,
    /// A number.
    Numeric,
    /// A date, with or without time.
    Date,
    /// Yes or no.
    Boolean,
}

impl DataFieldType {
    /// The service's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Numeric => "Numeric",
            Self::Date => "Date",
            Self::Boolean => "Boolean",
        }
    }
}

/// One list of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListView {
    /// The list's id.
    pub id: i32,
    /// The list's name.
    pub name: String,
    /// Who can see the list.
    pub visibility: Visibility,
}

/// One contact of the account. `Debug` shows the id only.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContactView {
    /// The contact's id.
    pub id: i64,
    /// The email address as stored.
    pub email: Option<String>,
    /// The mobile number, digits only.
    pub mobile: Option<String>,
}

impl fmt::Debug for ContactView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactView").field("id", &self.id).finish_non_exhaustive()
    }
}
