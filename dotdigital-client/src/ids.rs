//! Numbers and words by which the service names things, each a type of its own.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a value cannot be an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}")]
pub struct InvalidId {
    what: &'static str,
}

macro_rules! numeric_id {
    ($(#[$meta:meta])* $name:ident($number:ty), $what:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($number);

        impl $name {
            /// Checks a number.
            ///
            /// # Errors
            ///
            /// Fails for zero and negative numbers: no address is ever built from those.
            pub fn new(number: $number) -> Result<Self, InvalidId> {
                if number > 0 { Ok(Self(number)) } else { Err(InvalidId { what: $what }) }
            }

            /// The number.
            pub fn get(self) -> $number {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = deserializer.deserialize_any(WholeNumber)?;
                let number = <$number>::try_from(number).map_err(de::Error::custom)?;
                Self::new(number).map_err(de::Error::custom)
            }
        }
    };
}

numeric_id! {
    /// A contact, for as long as it exists; assigned by the service and never changed.
    ContactId(i64), "contact id"
}
numeric_id! {
    /// A contact list (the service also says address book).
    ListId(i32), "list id"
}
numeric_id! {
    /// A segment that the service computes.
    SegmentId(i32), "segment id"
}
numeric_id! {
    /// A preference, or a category of them.
    PreferenceId(i32), "preference id"
}
numeric_id! {
    /// A campaign.
    CampaignId(i32), "campaign id"
}
numeric_id! {
    /// A Dotdigital account.
    AccountId(i64), "account id"
}

macro_rules! job_id {
    ($(#[$meta:meta])* $name:ident, $what:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks a job's name.
            ///
            /// # Errors
            ///
            /// Fails unless it is 1 to 128 letters, digits, `-` or `_`, which can stand in a path.
            pub fn new(id: impl Into<String>) -> Result<Self, InvalidId> {
                let id = id.into();
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                if (1..=128).contains(&id.len()) && id.chars().all(plain) {
                    Ok(Self(id))
                } else {
                    Err(InvalidId { what: $what })
                }
            }

            /// The job's name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }
    };
}

job_id! {
    /// A submitted import, which can be asked about later.
    ImportId, "import id"
}
job_id! {
    /// A submitted bulk deletion of contacts, which can be asked about later.
    DeletionJobId, "deletion job id"
}
job_id! {
    /// A submitted bulk removal from a list, which can be asked about later.
    RemovalJobId, "removal job id"
}

/// Reads a whole number that the service spells as a number or as a string.
struct WholeNumber;

impl de::Visitor<'_> for WholeNumber {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number or a string of one")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
        text.trim().parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_from_numbers_and_from_strings_of_numbers() {
        assert_eq!(serde_json::from_str::<ContactId>("42").unwrap().get(), 42);
        assert_eq!(serde_json::from_str::<ContactId>("\"42\"").unwrap().get(), 42);
        assert_eq!(serde_json::to_string(&ListId::new(7).unwrap()).unwrap(), "7");
    }

    #[test]
    fn ids_that_would_shorten_an_address_are_refused() {
        assert!(ContactId::new(0).is_err());
        assert!(ListId::new(-1).is_err());
        assert!(serde_json::from_str::<ListId>("2147483648").is_err());
        assert!(serde_json::from_str::<ContactId>("\"\"").is_err());
        for bad in ["", "..", "a/b", "a b", "a%2fb"] {
            assert!(ImportId::new(bad).is_err(), "{bad}");
        }
        assert!(RemovalJobId::new("13e7b388-2060-4f58-b3dc-2885badf80ee").is_ok());
    }
}
