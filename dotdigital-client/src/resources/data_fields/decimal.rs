//! Numbers that keep every digit they were written with.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::InvalidFieldValue;

/// The most digits the service keeps before and after the decimal point.
const MOST_WHOLE: usize = 18;
const MOST_FRACTION: usize = 9;

/// A decimal number, held as its digits: no rounding on the way to the service or back.
///
/// One that was parsed fits the service's limits. One that the service sent is kept as it came.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// Reads a number such as `-12.50`, with at most 18 digits before the point and 9 after it.
    /// A leading `+` and needless zeros in front go.
    ///
    /// # Errors
    ///
    /// Fails for anything else, exponents and thousands separators among it.
    pub fn parse(text: &str) -> Result<Self, InvalidFieldValue> {
        let text = text.trim();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let only_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !only_digits(whole) || !fraction.is_none_or(only_digits) {
            return Err(InvalidFieldValue::Number);
        }
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            whole => whole,
        };
        if whole.len() > MOST_WHOLE || fraction.is_some_and(|digits| digits.len() > MOST_FRACTION) {
            return Err(InvalidFieldValue::TooManyDigits);
        }
        let point = if fraction.is_some() { "." } else { "" };
        Ok(Self(format!("{sign}{whole}{point}{}", fraction.unwrap_or_default())))
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A number of the service, of whatever size.
    pub(super) fn from_json(number: &str) -> Self {
        Self(number.to_owned())
    }
}

impl From<i32> for Decimal {
    fn from(number: i32) -> Self {
        Self(number.to_string())
    }
}

impl From<u32> for Decimal {
    fn from(number: u32) -> Self {
        Self(number.to_string())
    }
}

impl FromStr for Decimal {
    type Err = InvalidFieldValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// What a field holds may be personal.
impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decimal(<redacted>)")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        if value.get().starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            Ok(Self::from_json(value.get()))
        } else {
            Err(serde::de::Error::custom("a number is expected"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_kept() {
        let longest = "-123456789012345678.123456789";
        let number = Decimal::parse(longest).unwrap();
        assert_eq!(serde_json::to_string(&number).unwrap(), longest);
        assert_eq!(serde_json::from_str::<Decimal>(longest).unwrap(), number);
        let larger = "1e400";
        assert_eq!(serde_json::from_str::<Decimal>(larger).unwrap().as_str(), larger);
        assert!(serde_json::from_str::<Decimal>("\"1\"").is_err());
    }

    #[test]
    fn numbers_are_brought_into_the_form_json_knows() {
        for (text, expected) in [(" +007.50 ", "7.50"), ("0", "0"), ("-0.5", "-0.5"), ("00", "0")] {
            assert_eq!(Decimal::parse(text).unwrap().as_str(), expected, "{text}");
        }
        for text in ["", "-", ".5", "5.", "1e3", "1,000", "0x1f", "NaN", "١", "1.2.3", "--1"] {
            assert_eq!(Decimal::parse(text), Err(InvalidFieldValue::Number), "{text}");
        }
        for text in ["1234567890123456789", "1.1234567890"] {
            assert_eq!(Decimal::parse(text), Err(InvalidFieldValue::TooManyDigits), "{text}");
        }
    }
}
