//! What a contact is recognised by, parsed at the edge and redacted in every `Debug`.

use std::{fmt, str::FromStr};

use email_address::Options;
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::ids::ContactId;

/// The longest value the service takes in a path, in characters.
const LONGEST_VALUE: usize = 256;

/// Why a value cannot identify a contact. Never carries the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidIdentifier {
    /// Nothing but white space.
    #[error("the identifier is empty")]
    Empty,
    /// More than 256 characters.
    #[error("the identifier is longer than {LONGEST_VALUE} characters")]
    TooLong,
    /// Not an address of the form `local@domain.tld`.
    #[error("not a valid email address")]
    Email,
    /// Not 8 to 15 digits with a country code.
    #[error("not a valid international mobile number")]
    MobileNumber,
    /// Not 1 to 50 letters, digits, `-` or `_`, or a word with a meaning of its own.
    #[error("not a valid name for a custom identifier")]
    CustomName,
    /// A value that a path cannot carry: `.` or `..`, alone or between slashes.
    #[error("not a valid value for a custom identifier")]
    CustomValue,
}

/// An email address, as it was written, without white space around it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Trims and checks an address. Letters keep their case.
    ///
    /// # Errors
    ///
    /// Fails for what the service would refuse: display names, domains without a dot or in
    /// brackets, more than 256 characters.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let text = bounded(text)?;
        let options =
            Options::default().without_display_text().without_domain_literal().with_required_tld();
        match email_address::EmailAddress::parse_with_options(text, options) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(InvalidIdentifier::Email),
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(<redacted>)")
    }
}

/// A mobile number: country code and number, digits only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MobileNumber(String);

impl MobileNumber {
    /// Reads a number with its country code, with or without a leading `+` or `00`, and with
    /// spaces, `-`, `.`, `(` or `)` between the digits.
    ///
    /// # Errors
    ///
    /// Fails unless 8 to 15 digits remain, the first of which is not zero.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let text = bounded(text)?;
        let number = text.strip_prefix('+').or_else(|| text.strip_prefix("00")).unwrap_or(text);
        let mut digits = String::with_capacity(number.len());
        for c in number.chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '-' | '.' | '(' | ')' => {}
                _ => return Err(InvalidIdentifier::MobileNumber),
            }
        }
        if (8..=15).contains(&digits.len()) && !digits.starts_with('0') {
            Ok(Self(digits))
        } else {
            Err(InvalidIdentifier::MobileNumber)
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MobileNumber {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Debug for MobileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MobileNumber(<redacted>)")
    }
}

/// The name of an identifier that the account added to the service's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomName(String);

impl CustomName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// Fails unless it is 1 to 50 letters, digits, `-` or `_`, and for the service's own
    /// identifiers and the words that lead to other calls in the same place of a path.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        const TAKEN: [&str; 5] = ["contactId", "email", "mobileNumber", "import", "delete"];
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let taken = TAKEN.iter().any(|word| word.eq_ignore_ascii_case(text));
        if (1..=50).contains(&text.len()) && text.chars().all(plain) && !taken {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdentifier::CustomName)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The value of a custom identifier.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomValue(String);

impl CustomValue {
    /// Trims and checks a value.
    ///
    /// # Errors
    ///
    /// Fails unless it has 1 to 256 characters, and for `.` and `..`, alone or between slashes,
    /// which a path cannot carry even when they are encoded.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let text = bounded(text)?;
        // A server that decodes before it routes sees the slashes.
        let leads_elsewhere = |part: &str| matches!(part.trim(), "." | "..");
        if text.split(['/', '\\']).any(leads_elsewhere) {
            return Err(InvalidIdentifier::CustomValue);
        }
        Ok(Self(text.to_owned()))
    }

    /// The value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CustomValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomValue(<redacted>)")
    }
}

/// What a contact is recognised by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Identifier {
    /// The service's own number.
    ContactId(ContactId),
    /// An email address.
    Email(EmailAddress),
    /// A mobile number.
    MobileNumber(MobileNumber),
    /// An identifier that the account added; it has to exist there.
    Custom {
        /// Its name.
        name: CustomName,
        /// The contact's value.
        value: CustomValue,
    },
}

impl Identifier {
    /// An email address from plain text.
    ///
    /// # Errors
    ///
    /// Fails as [`EmailAddress::parse`] does.
    pub fn email(text: &str) -> Result<Self, InvalidIdentifier> {
        EmailAddress::parse(text).map(Self::Email)
    }

    /// A mobile number from plain text.
    ///
    /// # Errors
    ///
    /// Fails as [`MobileNumber::parse`] does.
    pub fn mobile_number(text: &str) -> Result<Self, InvalidIdentifier> {
        MobileNumber::parse(text).map(Self::MobileNumber)
    }

    /// A custom identifier from plain text.
    ///
    /// # Errors
    ///
    /// Fails as [`CustomName::parse`] and [`CustomValue::parse`] do.
    pub fn custom(name: &str, value: &str) -> Result<Self, InvalidIdentifier> {
        Ok(Self::Custom { name: CustomName::parse(name)?, value: CustomValue::parse(value)? })
    }

    /// The name that the service gives this kind of identifier.
    pub fn name(&self) -> &str {
        match self {
            Self::ContactId(_) => "contactId",
            Self::Email(_) => "email",
            Self::MobileNumber(_) => "mobileNumber",
            Self::Custom { name, .. } => name.as_str(),
        }
    }

    /// The value as it stands in a path before encoding.
    pub(crate) fn path_value(&self) -> String {
        match self {
            Self::ContactId(id) => id.to_string(),
            Self::Email(email) => email.as_str().to_owned(),
            Self::MobileNumber(number) => number.as_str().to_owned(),
            Self::Custom { value, .. } => value.as_str().to_owned(),
        }
    }
}

impl From<ContactId> for Identifier {
    fn from(id: ContactId) -> Self {
        Self::ContactId(id)
    }
}

impl From<EmailAddress> for Identifier {
    fn from(email: EmailAddress) -> Self {
        Self::Email(email)
    }
}

impl From<MobileNumber> for Identifier {
    fn from(number: MobileNumber) -> Self {
        Self::MobileNumber(number)
    }
}

/// The object that names a contact in a body: `{"email":"…"}`.
impl Serialize for Identifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::ContactId(id) => map.serialize_entry(self.name(), id)?,
            Self::Email(email) => map.serialize_entry(self.name(), email.as_str())?,
            Self::MobileNumber(number) => map.serialize_entry(self.name(), number.as_str())?,
            Self::Custom { value, .. } => map.serialize_entry(self.name(), value.as_str())?,
        }
        map.end()
    }
}

fn bounded(text: &str) -> Result<&str, InvalidIdentifier> {
    let text = text.trim();
    match text.chars().take(LONGEST_VALUE + 1).count() {
        0 => Err(InvalidIdentifier::Empty),
        1..=LONGEST_VALUE => Ok(text),
        _ => Err(InvalidIdentifier::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_keep_their_case() {
        let email = EmailAddress::parse("  Jane.Doe+news@Example.com ").unwrap();
        assert_eq!(email.as_str(), "Jane.Doe+news@Example.com");
        assert!(EmailAddress::parse("jörg@exämple.com").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in ["jane", "jane@", "@example.com", "jane@localhost", "jane@[127.0.0.1]"] {
            assert_eq!(EmailAddress::parse(bad), Err(InvalidIdentifier::Email), "{bad}");
        }
        assert!(EmailAddress::parse("Jane <jane@example.com>").is_err());
        assert!(EmailAddress::parse("a@b@example.com").is_err());
        assert_eq!(EmailAddress::parse(" \t"), Err(InvalidIdentifier::Empty));
        let long = format!("{}@example.com", "a".repeat(260));
        assert_eq!(EmailAddress::parse(&long), Err(InvalidIdentifier::TooLong));
    }

    #[test]
    fn numbers_are_reduced_to_their_digits() {
        for text in ["447700900123", "+44 7700 900123", "0044-7700-900123", "44 (7700) 900.123"] {
            assert_eq!(MobileNumber::parse(text).unwrap().as_str(), "447700900123", "{text}");
        }
    }

    #[test]
    fn what_is_no_international_number_is_refused() {
        for bad in ["1234567", "1234567890123456", "07700900123", "+0447700900", "44x7700900123"] {
            assert_eq!(MobileNumber::parse(bad), Err(InvalidIdentifier::MobileNumber), "{bad}");
        }
    }

    #[test]
    fn custom_identifiers_cannot_reach_another_call() {
        assert!(Identifier::custom("crm-id", "a/b").is_ok());
        for name in ["", "import", "Delete", "EMAIL", "a/b", "a b"] {
            assert!(Identifier::custom(name, "1").is_err(), "{name}");
        }
        for value in ["", ".", "..", " .. ", "a/../b", "..\\b", "a/."] {
            assert!(Identifier::custom("crm-id", value).is_err(), "{value}");
        }
    }

    #[test]
    fn debug_shows_the_kind_and_not_the_person() {
        let shown = format!(
            "{:?} {:?} {:?}",
            Identifier::Email(EmailAddress::parse("jane@example.com").unwrap()),
            Identifier::MobileNumber(MobileNumber::parse("447700900123").unwrap()),
            Identifier::custom("crm-id", "secret-17").unwrap(),
        );
        assert!(shown.contains("Email") && shown.contains("crm-id"));
        for hidden in ["jane", "example", "7700", "secret-17"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_parsed_once_is_parsed_to_the_same_again(text in ".{0,40}|[+0-9 ().-]{0,20}") {
            if let Ok(number) = MobileNumber::parse(&text) {
                proptest::prop_assert_eq!(MobileNumber::parse(number.as_str()), Ok(number.clone()));
            }
            if let Ok(email) = EmailAddress::parse(&text) {
                proptest::prop_assert_eq!(EmailAddress::parse(email.as_str()), Ok(email.clone()));
            }
        }
    }
}
