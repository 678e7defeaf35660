//! Identifiers in the form in which the server sends them.

use std::{error::Error, fmt::Write as _};

use tokio_postgres::types::{FromSql, Type};

/// A type whose values are identifiers, by how they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Text that is filled up with spaces.
    Padded,
    Number,
    Uuid,
}

/// The bytes of a value as they were sent.
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

/// Bytes that are no value of the type.
#[derive(Debug)]
pub(super) struct Malformed;

impl Kind {
    /// How values of `type_` are sent; `None` where they are no identifiers.
    pub(super) fn of(type_: &Type) -> Option<Self> {
        match *type_ {
            Type::TEXT | Type::VARCHAR | Type::NAME => Some(Self::Text),
            Type::BPCHAR => Some(Self::Padded),
            Type::INT2 | Type::INT4 | Type::INT8 => Some(Self::Number),
            Type::UUID => Some(Self::Uuid),
            // An extension, so it has no number of its own.
            _ if type_.name() == "citext" => Some(Self::Text),
            _ => None,
        }
    }

    /// The identifier as bytes; `written` is a place for one that is not sent as text.
    pub(super) fn identifier<'a>(
        self,
        raw: &'a [u8],
        written: &'a mut String,
    ) -> Result<&'a [u8], Malformed> {
        written.clear();
        match self {
            Self::Text => return Ok(raw),
            Self::Padded => return Ok(without_padding(raw)),
            Self::Number => {
                let number = number(raw)?;
                // Writing to a string cannot fail.
                let _ = write!(written, "{number}");
            }
            Self::Uuid => {
                let bytes: [u8; 16] = raw.try_into().map_err(|_| Malformed)?;
                for (index, byte) in bytes.iter().enumerate() {
                    let hyphen = if [4, 6, 8, 10].contains(&index) { "-" } else { "" };
                    let _ = write!(written, "{hyphen}{byte:02x}");
                }
            }
        }
        Ok(written.as_bytes())
    }
}

/// A whole number of 2, 4 or 8 bytes.
pub(super) fn number(raw: &[u8]) -> Result<i64, Malformed> {
    match *raw {
        [a, b] => Ok(i16::from_be_bytes([a, b]).into()),
        [a, b, c, d] => Ok(i32::from_be_bytes([a, b, c, d]).into()),
        _ => Ok(i64::from_be_bytes(raw.try_into().map_err(|_| Malformed)?)),
    }
}

fn without_padding(raw: &[u8]) -> &[u8] {
    let end = raw.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    &raw[..end]
}

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_server_would() {
        let written = |kind: Kind, raw: &[u8]| {
            let mut place = String::new();
            let bytes = kind.identifier(raw, &mut place).unwrap();
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        assert_eq!(written(Kind::Padded, b" a b  "), " a b");
        assert_eq!(written(Kind::Padded, b"   "), "");
        assert_eq!(written(Kind::Number, &(-5_i16).to_be_bytes()), "-5");
        assert_eq!(written(Kind::Number, &i32::MAX.to_be_bytes()), "2147483647");
        assert_eq!(written(Kind::Number, &i64::MIN.to_be_bytes()), "-9223372036854775808");
        let uuid = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
        assert_eq!(written(Kind::Uuid, &uuid), "00112233-4455-6677-8899-aabbccddeeff");
    }

    #[test]
    fn bytes_of_another_length_are_no_value() {
        let mut place = String::new();
        assert!(Kind::Number.identifier(&[0; 3], &mut place).is_err());
        assert!(Kind::Uuid.identifier(&[0; 15], &mut place).is_err());
    }
}
