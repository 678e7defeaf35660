//! The values of one column, whatever its layout.

use std::io::Write as _;

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, BinaryViewArray, LargeBinaryArray,
    cast::AsArray,
    types::{
        Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
        UInt32Type, UInt64Type,
    },
};
use arrow_schema::DataType;

/// Identifiers as bytes.
///
/// Text is read as bytes too: what a driver hands over as text is checked by nobody, and the engine
/// looks at every identifier anyway.
pub(super) enum Values {
    /// NULL in every row.
    Nothing,
    Bytes(BinaryArray),
    LargeBytes(LargeBinaryArray),
    View(BinaryViewArray),
    /// Numbers, written end to end.
    Written {
        digits: Vec<u8>,
        ends: Vec<usize>,
    },
    Dictionary {
        rows: Vec<Option<usize>>,
        values: Box<Values>,
    },
}

/// Whether values of this type are identifiers.
pub(super) fn is_identifier(type_: &DataType) -> bool {
    match type_ {
        DataType::Dictionary(_, values) => {
            !matches!(**values, DataType::Dictionary(..)) && is_identifier(values)
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => true,
        DataType::Decimal128(_, scale) => *scale == 0,
        DataType::Null => true,
        other => other.is_integer(),
    }
}

impl Values {
    /// The values of a column whose type [is one of identifiers](is_identifier).
    ///
    /// # Errors
    ///
    /// Gives the first row whose bytes are not UTF-8.
    pub(super) fn of(array: &ArrayRef) -> Result<Self, usize> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Bytes(array.as_string::<i32>().clone().into()),
            DataType::LargeUtf8 => Self::LargeBytes(array.as_string::<i64>().clone().into()),
            DataType::Utf8View => Self::View(array.as_string_view().clone().to_binary_view()),
            DataType::Binary => utf8(Self::Bytes(array.as_binary().clone()), array.len())?,
            DataType::LargeBinary => {
                utf8(Self::LargeBytes(array.as_binary().clone()), array.len())?
            }
            DataType::BinaryView => utf8(Self::View(array.as_binary_view().clone()), array.len())?,
            DataType::Dictionary(..) => Self::dictionary(array)?,
            DataType::Int8 => written::<Int8Type>(array),
            DataType::Int16 => written::<Int16Type>(array),
            DataType::Int32 => written::<Int32Type>(array),
            DataType::Int64 => written::<Int64Type>(array),
            DataType::UInt8 => written::<UInt8Type>(array),
            DataType::UInt16 => written::<UInt16Type>(array),
            DataType::UInt32 => written::<UInt32Type>(array),
            DataType::UInt64 => written::<UInt64Type>(array),
            DataType::Decimal128(..) => written::<Decimal128Type>(array),
            _ => Self::Nothing,
        })
    }

    fn dictionary(array: &ArrayRef) -> Result<Self, usize> {
        let dictionary = array.as_any_dictionary();
        if dictionary.values().is_empty() {
            return Ok(Self::Nothing);
        }
        let values = Self::of(dictionary.values())?;
        let keys = dictionary.keys();
        let positions = dictionary.normalized_keys().into_iter().enumerate();
        let rows = positions.map(|(row, position)| keys.is_valid(row).then_some(position));
        Ok(Self::Dictionary { rows: rows.collect(), values: Box::new(values) })
    }

    /// The identifier in a row, empty for NULL.
    pub(super) fn get(&self, row: usize) -> &[u8] {
        match self {
            Self::Nothing => b"",
            Self::Bytes(array) if array.is_valid(row) => array.value(row),
            Self::LargeBytes(array) if array.is_valid(row) => array.value(row),
            Self::View(array) if array.is_valid(row) => array.value(row),
            Self::Bytes(_) | Self::LargeBytes(_) | Self::View(_) => b"",
            Self::Written { digits, ends } => {
                let start = row.checked_sub(1).map_or(0, |before| ends[before]);
                &digits[start..ends[row]]
            }
            Self::Dictionary { rows, values } => rows[row].map_or(b"", |row| values.get(row)),
        }
    }
}

fn utf8(values: Values, rows: usize) -> Result<Values, usize> {
    match (0..rows).find(|row| std::str::from_utf8(values.get(*row)).is_err()) {
        Some(row) => Err(row),
        None => Ok(values),
    }
}

fn written<T>(array: &ArrayRef) -> Values
where
    T: ArrowPrimitiveType<Native: std::fmt::Display>,
{
    let (mut digits, mut ends) = (Vec::new(), Vec::with_capacity(array.len()));
    for number in array.as_primitive::<T>() {
        if let Some(number) = number {
            // Writing to memory cannot fail.
            let _ = write!(digits, "{number}");
        }
        ends.push(digits.len());
    }
    Values::Written { digits, ends }
}
