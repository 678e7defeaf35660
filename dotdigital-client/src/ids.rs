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
    /// A program.
    ProgramId(i32), "program id"
}
numeric_id! {
    /// A Dotdigital account.
    AccountId(i64), "account id"
}

macro_rules! job_id {
    ($(#[$meta:meta])* $name:ident, $what:literal) => {
        job_id! {
            $(#[$meta])*
            $name, $what, is_plain,
            "Fails unless it is 1 to 128 letters, digits, `-` or `_`, which can stand in a path."
        }
    };
    ($(#[$meta:meta])* $name:ident, $what:literal, $is_valid:path, $rule:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks a job's name.
            ///
            /// # Errors
            ///
            #[doc = $rule]
            pub fn new(id: impl Into<String>) -> Result<Self, InvalidId> {
                let id = id.into();
                if $is_valid(&id) { Ok(Self(id)) } else { Err(InvalidId { what: $what }) }
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

job_id! {
    /// A submitted import of Insight data, which can be asked about later.
    InsightImportId, "Insight data import id"
}
job_id! {
    /// A job that deletes or empties a collection of Insight data.
    InsightJobId, "Insight data job id"
}
job_id! {
    /// A submitted enrolment in a program, which can be asked about later.
    EnrolmentId, "enrolment id", is_guid,
    "Fails unless it is a GUID: any other word in the same place of a path is another call."
}

fn is_plain(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=128).contains(&id.len()) && id.chars().all(plain)
}

/// Whether it has 8, 4, 4, 4 and 12 hexadecimal digits.
fn is_guid(id: &str) -> bool {
    let hexadecimal = |part: &str| part.chars().all(|c| c.is_ascii_hexdigit());
    let lengths = id.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && id.split('-').all(hexadecimal)
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

    #[test]
    fn an_enrolment_is_named_by_a_guid_only() {
        assert!(EnrolmentId::new("b0ff06d6-af04-4AF8-a299-51bcbad94c1c").is_ok());
        for bad in [
            "",
            "Finished",
            "b0ff06d6-af04-4af8-a299-51bcbad94c1",
            "b0ff06d6af044af8a29951bcbad94c1c",
            "g0ff06d6-af04-4af8-a299-51bcbad94c1c",
            "b0ff06d6-af04-4af8-a299-51bcbad94c1c-0",
        ] {
            assert!(EnrolmentId::new(bad).is_err(), "{bad}");
        }
    }
}
