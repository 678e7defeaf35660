//! Why a record was refused, in the words of an import's report.

/// Why a record was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum RefusalReason {
    InvalidKey,
    InvalidContactIdentifier,
    UnknownContactId,
    UnknownEmail,
    DuplicateKey,
    NestedArray,
    FieldNameTooLong,
    FieldNameInvalid,
    TextTooLong,
    NumberTooLarge,
    Incompatible,
}

impl RefusalReason {
    pub(in crate::simulator) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidKey => "InvalidClientKey",
            Self::InvalidContactIdentifier => "InvalidContactIdentifier",
            Self::UnknownContactId => "ContactIdDoesNotExist",
            Self::UnknownEmail => "ContactEmailDoesNotExist",
            Self::DuplicateKey => "DuplicateKey",
            Self::NestedArray => "JsonContainsNestedArray",
            Self::FieldNameTooLong => "JsonKeyTooLong",
            Self::FieldNameInvalid => "JsonKeyInvalidCharacters",
            Self::TextTooLong => "JsonValueTooLong",
            Self::NumberTooLarge => "JsonNumberValueTooLarge",
            Self::Incompatible => "JsonValueIncompatibleWithSchema",
        }
    }
}

/// What is wrong with a record.
#[derive(Debug)]
pub(in crate::simulator) struct RecordFault {
    pub(in crate::simulator) reason: RefusalReason,
    pub(in crate::simulator) detail: String,
}

impl RecordFault {
    pub(super) fn new(reason: RefusalReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}
