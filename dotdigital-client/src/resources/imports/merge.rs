//! What wins where new and stored values differ.

/// What wins where what is handed in and what is stored of a contact differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MergeOption {
    /// What is handed in, also where it is empty.
    #[default]
    Overwrite,
    /// What is handed in, except where it is empty.
    OverwriteIfNotEmpty,
    /// The stored value, except where that is empty.
    OverwriteIfEmpty,
}

impl MergeOption {
    /// The option as it stands in an import.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overwrite => "overwrite",
            Self::OverwriteIfNotEmpty => "overwriteIfNotEmpty",
            Self::OverwriteIfEmpty => "overwriteIfEmpty",
        }
    }

    /// The option as it stands in the query of a call about a single contact.
    pub(crate) fn in_query(self) -> &'static str {
        match self {
            Self::Overwrite => "overwrite",
            Self::OverwriteIfNotEmpty => "overwrite-if-not-empty",
            Self::OverwriteIfEmpty => "overwrite-if-empty",
        }
    }
}
