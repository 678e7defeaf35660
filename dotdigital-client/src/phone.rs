//! Mobile numbers as people write them in their own country.

use phonenumber::country;

use crate::identifier::MobileNumber;

/// Why a text is no mobile number of a country. Never carries the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(docsrs, doc(cfg(feature = "phone")))]
pub enum InvalidNationalNumber {
    /// Not the two letters of a country, such as `GB`.
    #[error("not the two letters of a country")]
    Country,
    /// Not a number that the country's numbering plan knows.
    #[error("not a valid phone number of that country")]
    Number,
}

#[cfg_attr(docsrs, doc(cfg(feature = "phone")))]
impl MobileNumber {
    /// Reads a number as people write it in a country, such as `07400 123456` in `GB`, and checks it
    /// against that country's numbering plan. A number with a country code of its own, such as
    /// `+49 …`, is checked against the plan of that country instead.
    ///
    /// Whether it is a mobile or a fixed line is not checked: some plans do not tell.
    ///
    /// # Errors
    ///
    /// Fails for a country that does not exist, and for numbers that its plan does not know.
    pub fn parse_in(text: &str, country: &str) -> Result<Self, InvalidNationalNumber> {
        let country: country::Id = country
            .trim()
            .to_ascii_uppercase()
            .parse()
            .map_err(|_| InvalidNationalNumber::Country)?;
        let number = phonenumber::parse(Some(country), text.trim())
            .ok()
            .filter(phonenumber::is_valid)
            .ok_or(InvalidNationalNumber::Number)?;
        let written = number.format().mode(phonenumber::Mode::E164).to_string();
        Self::parse(&written).map_err(|_| InvalidNationalNumber::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_their_country_writes_them() {
        for (text, country, expected) in [
            ("07400 123456", "GB", "447400123456"),
            ("(07400) 123-456", "gb", "447400123456"),
            ("0151 23456789", "DE", "4915123456789"),
            ("+49 151 23456789", "GB", "4915123456789"),
            ("0044 7400 123456", "DE", "447400123456"),
        ] {
            let number = MobileNumber::parse_in(text, country);
            assert_eq!(number.map(|n| n.as_str().to_owned()), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_no_numbering_plan_knows_is_refused() {
        for text in ["", "12", "07400 12345", "0000000000", "jane", "+44 7400 123456 78901"] {
            let refused = Err(InvalidNationalNumber::Number);
            assert_eq!(MobileNumber::parse_in(text, "GB"), refused, "{text}");
        }
        for country in ["", "XX", "Britain"] {
            let refused = Err(InvalidNationalNumber::Country);
            assert_eq!(MobileNumber::parse_in("07400 123456", country), refused, "{country}");
        }
    }
}
