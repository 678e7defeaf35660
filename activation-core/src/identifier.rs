//! What a contact is recognised by, in its one normal form.
//!
//! Normalisation belongs to the engine alone: whatever a warehouse returns is brought into this
//! form before it is compared, sent or fingerprinted, so that two spellings of one address are
//! one member.

use std::{fmt, num::NonZeroU64};

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

/// The longest identifier the service takes, in bytes.
const MAX_BYTES: usize = 256;

/// Which identifier a segment's rows carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    /// The destination's own number for a contact.
    ContactId,
    /// An email address.
    #[default]
    Email,
    /// A mobile number with its country code.
    MobileNumber,
}

/// A normalised identifier. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier(Repr);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    ContactId(ContactId),
    Email(Box<str>),
    MobileNumber(Box<str>),
}

/// The destination's number for a contact, 1 or greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ContactId(NonZeroU64);

/// Why a row has no usable identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reject {
    /// Nothing there: NULL, an empty field or spaces.
    Empty,
    /// Not valid UTF-8.
    NotText,
    /// Over 256 bytes.
    TooLong,
    /// Not an email address with a domain.
    InvalidEmail,
    /// Not 8 to 15 digits with a country code.
    InvalidMobileNumber,
    /// Not a whole number from 1.
    InvalidContactId,
}

impl IdentifierKind {
    /// Brings a raw value into normal form.
    ///
    /// * Email: spaces around it removed, ASCII letters in lower case. Letters outside ASCII stay
    ///   as they are, since whether the service folds them is not known and folding could merge
    ///   two people.
    /// * Mobile number: digits only. A leading `+` or `00` and the separators space, `-`, `.`,
    ///   `(`, `)` and `/` are dropped; there must be a country code, so no leading 0.
    /// * Contact id: decimal digits without leading zeros.
    ///
    /// # Errors
    ///
    /// Returns why the row cannot be used.
    pub fn normalise(self, raw: &[u8]) -> Result<Identifier, Reject> {
        let text = std::str::from_utf8(raw).map_err(|_| Reject::NotText)?.trim();
        if text.is_empty() {
            return Err(Reject::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(Reject::TooLong);
        }
        let repr = match self {
            Self::ContactId => Repr::ContactId(contact_id(text)?),
            Self::Email => Repr::Email(email(text)?),
            Self::MobileNumber => Repr::MobileNumber(mobile_number(text)?),
        };
        Ok(Identifier(repr))
    }
}

impl Identifier {
    /// Which identifier this is.
    pub fn kind(&self) -> IdentifierKind {
        match self.0 {
            Repr::ContactId(_) => IdentifierKind::ContactId,
            Repr::Email(_) => IdentifierKind::Email,
            Repr::MobileNumber(_) => IdentifierKind::MobileNumber,
        }
    }

    /// The contact id, where this is one.
    pub fn contact_id(&self) -> Option<ContactId> {
        match self.0 {
            Repr::ContactId(id) => Some(id),
            Repr::Email(_) | Repr::MobileNumber(_) => None,
        }
    }

    /// The normal form as text. This is a person's address: do not log it.
    pub fn to_text(&self) -> String {
        self.with_text(str::to_owned)
    }

    /// Lends the normal form, without a copy where there is text.
    pub(crate) fn with_text<T>(&self, use_text: impl FnOnce(&str) -> T) -> T {
        match &self.0 {
            Repr::ContactId(id) => use_text(&id.to_string()),
            Repr::Email(text) | Repr::MobileNumber(text) => use_text(text),
        }
    }
}

impl From<ContactId> for Identifier {
    fn from(id: ContactId) -> Self {
        Self(Repr::ContactId(id))
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({:?}, <redacted>)", self.kind())
    }
}

impl ContactId {
    /// A contact id; `None` for 0, which no contact has.
    pub fn new(id: u64) -> Option<Self> {
        NonZeroU64::new(id).map(Self)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Reject {
    /// The reason as it stands in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotText => "not_text",
            Self::TooLong => "too_long",
            Self::InvalidEmail => "invalid_email",
            Self::InvalidMobileNumber => "invalid_mobile_number",
            Self::InvalidContactId => "invalid_contact_id",
        }
    }
}

fn email(text: &str) -> Result<Box<str>, Reject> {
    let lower = text.to_ascii_lowercase();
    let options =
        Options::default().with_required_tld().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(&lower, options).map_err(|_| Reject::InvalidEmail)?;
    Ok(lower.into())
}

fn mobile_number(text: &str) -> Result<Box<str>, Reject> {
    let significant = text.strip_prefix('+').or_else(|| text.strip_prefix("00")).unwrap_or(text);
    let mut digits = String::with_capacity(significant.len());
    for character in significant.chars() {
        match character {
            '0'..='9' => digits.push(character),
            ' ' | '-' | '.' | '(' | ')' | '/' => {}
            _ => return Err(Reject::InvalidMobileNumber),
        }
    }
    let plausible = (8..=15).contains(&digits.len()) && !digits.starts_with('0');
    if plausible { Ok(digits.into()) } else { Err(Reject::InvalidMobileNumber) }
}

fn contact_id(text: &str) -> Result<ContactId, Reject> {
    // `parse` alone would take a leading plus.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reject::InvalidContactId);
    }
    text.parse().ok().and_then(ContactId::new).ok_or(Reject::InvalidContactId)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(kind: IdentifierKind, raw: &str) -> Result<String, Reject> {
        kind.normalise(raw.as_bytes()).map(|identifier| identifier.to_text())
    }

    #[test]
    fn an_email_is_trimmed_and_its_ascii_letters_lowered() {
        let email = |raw| normal(IdentifierKind::Email, raw);
        assert_eq!(email(" Jane.Doe+VIP@Example.COM\t"), Ok("jane.doe+vip@example.com".into()));
        assert_eq!(email("J\u{c4}NE@example.com"), Ok("j\u{c4}ne@example.com".into()));
        assert_eq!(email("  "), Err(Reject::Empty));
        for bad in [
            "jane",
            "jane@",
            "@example.com",
            "jane@localhost",
            "Jane <j@example.com>",
            "a b@example.com",
        ] {
            assert_eq!(email(bad), Err(Reject::InvalidEmail), "{bad}");
        }
        assert_eq!(email(&format!("{}@example.com", "a".repeat(250))), Err(Reject::TooLong));
        assert_eq!(IdentifierKind::Email.normalise(b"\xff@example.com"), Err(Reject::NotText));
    }

    #[test]
    fn a_mobile_number_is_its_digits_with_country_code() {
        let mobile = |raw| normal(IdentifierKind::MobileNumber, raw);
        for spelling in ["447123123123", "+44 7123 123-123", "0044 (7123) 123.123"] {
            assert_eq!(mobile(spelling), Ok("447123123123".into()), "{spelling}");
        }
        for bad in ["07123123123", "1234567", "1234567890123456", "44712312312x", "++447123123123"]
        {
            assert_eq!(mobile(bad), Err(Reject::InvalidMobileNumber), "{bad}");
        }
    }

    #[test]
    fn a_contact_id_is_a_whole_number_from_one() {
        let id = |raw| normal(IdentifierKind::ContactId, raw);
        assert_eq!(id(" 0042 "), Ok("42".into()));
        for bad in ["0", "-1", "+1", "1.5", "99999999999999999999999", "x"] {
            assert_eq!(id(bad), Err(Reject::InvalidContactId), "{bad}");
        }
    }

    #[test]
    fn debug_does_not_show_the_address() {
        let identifier = IdentifierKind::Email.normalise(b"jane@example.com").unwrap();
        assert!(!format!("{identifier:?}").contains("jane"));
    }

    proptest! {
        #[test]
        fn the_normal_form_is_its_own_normal_form(raw in "\\PC{0,40}|[ +0-9()-]{0,20}|[A-Za-z.]{1,8}@[A-Za-z]{1,8}\\.com") {
            for kind in [IdentifierKind::ContactId, IdentifierKind::Email, IdentifierKind::MobileNumber] {
                if let Ok(identifier) = kind.normalise(raw.as_bytes()) {
                    let again = kind.normalise(identifier.to_text().as_bytes());
                    prop_assert_eq!(again, Ok(identifier));
                }
            }
        }
    }
}
