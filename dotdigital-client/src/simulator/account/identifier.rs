//! What a contact is recognised by, and when two spellings mean the same.

use email_address::EmailAddress;

/// The longest value of an identifier, in characters.
pub(in crate::simulator) const LONGEST_VALUE: usize = 256;

/// One identifier, in the form it is compared in.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(in crate::simulator) enum Identifier {
    ContactId(i64),
    /// In lower case.
    Email(String),
    /// Digits only.
    Mobile(String),
    Custom {
        name: String,
        value: String,
    },
}

impl Identifier {
    pub(in crate::simulator) fn email(address: &str) -> Self {
        Self::Email(address.to_lowercase())
    }

    /// Reads the identifier called `name`. `None` for an id that is no number.
    pub(in crate::simulator) fn named(name: &str, value: &str) -> Option<Self> {
        Some(match name {
            "contactId" => Self::ContactId(value.parse().ok().filter(|id| *id >= 0)?),
            "email" => Self::email(value),
            "mobileNumber" => Self::Mobile(digits(value)?),
            _ => Self::Custom { name: name.to_owned(), value: value.to_owned() },
        })
    }

    pub(in crate::simulator) fn name(&self) -> &str {
        match self {
            Self::ContactId(_) => "contactId",
            Self::Email(_) => "email",
            Self::Mobile(_) => "mobileNumber",
            Self::Custom { name, .. } => name,
        }
    }
}

/// The identifiers of one contact, checked; the email in the spelling it is stored in.
#[derive(Clone, Default)]
pub(in crate::simulator) struct IdentifierSet {
    pub(in crate::simulator) email: Option<String>,
    /// Digits only.
    pub(in crate::simulator) mobile: Option<String>,
    pub(in crate::simulator) custom: Vec<(String, String)>,
}

impl IdentifierSet {
    pub(in crate::simulator) fn iter(&self) -> impl Iterator<Item = Identifier> {
        let email = self.email.as_deref().map(Identifier::email);
        let mobile = self.mobile.clone().map(Identifier::Mobile);
        let custom = self
            .custom
            .iter()
            .map(|(name, value)| Identifier::Custom { name: name.clone(), value: value.clone() });
        email.into_iter().chain(mobile).chain(custom)
    }
}

/// Whether the text is written like an email address.
pub(in crate::simulator) fn is_email(address: &str) -> bool {
    address.len() <= LONGEST_VALUE && EmailAddress::is_valid(address)
}

/// Whether an address could be delivered to: its domain has a dot and does not end in `.invalid`,
/// which never exists.
pub(in crate::simulator) fn domain_exists(address: &str) -> bool {
    let ending = address.rsplit_once('@').and_then(|(_, domain)| domain.rsplit_once('.'));
    ending.is_some_and(|(_, ending)| !ending.eq_ignore_ascii_case("invalid"))
}

/// The digits of a phone number in international form: 8 to 15, none of them a leading zero.
pub(in crate::simulator) fn digits(number: &str) -> Option<String> {
    let bare = number.trim();
    let bare = bare.strip_prefix('+').unwrap_or(bare);
    let mut digits = String::with_capacity(bare.len());
    for character in bare.chars() {
        match character {
            '0'..='9' => digits.push(character),
            ' ' | '-' | '.' | '(' | ')' => {}
            _ => return None,
        }
    }
    ((8..=15).contains(&digits.len()) && !digits.starts_with('0')).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_number_are_one() {
        for spelling in ["447123123123", "+447123123123", "+44 7123 123-123", "+44(7123)123.123"] {
            assert_eq!(digits(spelling).as_deref(), Some("447123123123"), "{spelling}");
        }
    }

    #[test]
    fn what_is_no_international_number_is_refused() {
        for wrong in
            ["", "07123123123", "1234567", "1234567890123456", "44712312312x", "44+7123123123"]
        {
            assert_eq!(digits(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_needs_one_at() {
        for right in ["a@example.com", "o'hara+x@mail.example.com", "a@localhost"] {
            assert!(is_email(right), "{right}");
        }
        for wrong in ["", "a", "a@b@example.com", "a b@example.com", "@example.com"] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_domain_needs_a_dot_and_an_ending_that_can_exist() {
        assert!(domain_exists("a@example.com"));
        for wrong in ["a@localhost", "a@example.invalid", "a@mail.example.INVALID"] {
            assert!(!domain_exists(wrong), "{wrong}");
        }
    }
}
