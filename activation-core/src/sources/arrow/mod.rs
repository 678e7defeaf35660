//! Batches of Arrow as batches of keys, for hosts that read a warehouse in their own way.

mod values;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use self::values::Values;
use super::columns;
use crate::{KeyBatch, SourceError};

/// Which columns of Arrow batches are identifiers and stable keys.
///
/// Text is an identifier, in each of Arrow's layouts and also dictionary-encoded; so are whole
/// numbers, decimals without places among them. Bytes count as text, since some warehouses have no
/// other type for it; if a value is not UTF-8, it is something else, and an error. NULL is an
/// unusable identifier, or no key. Every other type is refused, by the name of the column and of the
/// type, before a row is used.
///
/// # Examples
///
/// A source over batches that come from anywhere:
///
/// ```
/// use activation_core::{KeyBatch, SegmentScan, SourceError, sources::ArrowColumns};
/// # use std::sync::Arc;
/// # use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
///
/// struct MyScan<I> {
///     batches: I,
///     columns: ArrowColumns,
/// }
///
/// #[async_trait::async_trait]
/// impl<I, E> SegmentScan for MyScan<I>
/// where
///     I: Iterator<Item = Result<RecordBatch, E>> + Send,
///     E: std::error::Error + Send + Sync + 'static,
/// {
///     async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
///         let batch = self.batches.next().transpose();
///         let batch = batch.map_err(|error| SourceError::temporary("cut off").caused_by(error))?;
///         batch.map(|batch| self.columns.keys(&batch)).transpose()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let ids: ArrayRef = Arc::new(Int64Array::from(vec![17]));
/// # let emails: ArrayRef = Arc::new(StringArray::from(vec!["ada@example.com"]));
/// # let batch = RecordBatch::try_from_iter([("id", ids), ("email", emails)])?;
/// # let batches = [Ok::<_, std::io::Error>(batch)].into_iter();
/// let columns = ArrowColumns::new().column("email").key_column("id");
/// let mut scan = MyScan { batches, columns };
/// let keys = scan.next_batch().await?.expect("a batch");
/// let row = keys.rows().next().expect("a row");
/// assert_eq!((row.identifier, row.warehouse_key), (&b"ada@example.com"[..], &b"17"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct ArrowColumns {
    column: Option<String>,
    key_column: Option<String>,
}

impl ArrowColumns {
    /// The only column, which has the identifiers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the identifiers from the column of this name, so that there may be others.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>) -> Self {
        self.column = Some(name.into());
        self
    }

    /// Takes the stable keys of people from the column of this name, so that a changed address is
    /// known for what it is.
    #[must_use]
    pub fn key_column(mut self, name: impl Into<String>) -> Self {
        self.key_column = Some(name.into());
        self
    }

    /// Looks whether batches of this schema can be read, for a scan that wants to know before its
    /// first batch; [`keys`](Self::keys) looks by itself.
    ///
    /// # Errors
    ///
    /// Fails when a column is missing, not the only one of its name or of a type that is no
    /// identifier.
    pub fn check(&self, schema: &Schema) -> Result<(), SourceError> {
        self.positions(schema, PLACE).map(drop)
    }

    /// The keys of a batch.
    ///
    /// # Errors
    ///
    /// Fails as [`check`](Self::check) does, and when bytes are not UTF-8.
    pub fn keys(&self, batch: &RecordBatch) -> Result<KeyBatch, SourceError> {
        let positions = self.positions(batch.schema_ref(), PLACE)?;
        positions.keys(batch, PLACE)
    }

    /// The name of the column with the identifiers, if it was given.
    #[cfg(feature = "adbc")]
    pub(super) fn identifier(&self) -> Option<&str> {
        self.column.as_deref()
    }

    /// Whether there are to be stable keys.
    #[cfg(feature = "adbc")]
    pub(super) fn has_keys(&self) -> bool {
        self.key_column.is_some()
    }

    /// Where batches of this schema have what is wanted; `place` names them in errors.
    pub(super) fn positions(&self, schema: &Schema, place: &str) -> Result<Positions, SourceError> {
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let found =
            columns::positions(&names, self.column.as_deref(), self.key_column.as_deref(), place)?;
        for position in [Some(found.identifier), found.key].into_iter().flatten() {
            let field = schema.field(position);
            if !values::is_identifier(field.data_type()) {
                return Err(SourceError::permanent(format!(
                    "{place} gives {} in column {}; cast it to text if it is an identifier",
                    field.data_type(),
                    columns::show(field.name())
                )));
            }
        }
        Ok(Positions(found))
    }
}

/// Where the batches of one schema have what is wanted.
pub(super) struct Positions(columns::Positions);

impl Positions {
    /// The keys of a batch of that schema.
    pub(super) fn keys(&self, batch: &RecordBatch, place: &str) -> Result<KeyBatch, SourceError> {
        let values = |position: usize| {
            Values::of(batch.column(position)).map_err(|row| {
                let name = columns::show(batch.schema_ref().field(position).name());
                SourceError::permanent(format!(
                    "{place} gives bytes that are not UTF-8 in column {name}, row {} of a batch",
                    row + 1
                ))
            })
        };
        let identifiers = values(self.0.identifier)?;
        let keys = self.0.key.map(values).transpose()?;
        let rows = batch.num_rows();
        let mut packed = KeyBatch::with_capacity(rows, rows * LIKELY_LENGTH);
        for row in 0..rows {
            match &keys {
                None => packed.push(identifiers.get(row)),
                Some(keys) => packed.push_keyed(identifiers.get(row), keys.get(row)),
            }
        }
        Ok(packed)
    }
}

/// The first value of a column as text; `None` where it is NULL or of a type that is no identifier.
#[cfg(feature = "adbc")]
pub(super) fn text(column: &arrow_array::ArrayRef) -> Option<String> {
    if !values::is_identifier(column.data_type()) {
        return None;
    }
    let values = Values::of(column).ok()?;
    String::from_utf8(values.get(0).to_vec()).ok()
}

const PLACE: &str = "the batch";

const LIKELY_LENGTH: usize = 24;
