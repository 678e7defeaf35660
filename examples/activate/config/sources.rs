//! Where members come from.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use activation_core::{
    SegmentSource,
    sources::{CsvSource, SqliteSource},
};
use toml::Spanned;

use super::{adbc, file::Source, problem::Problem};

/// The source that an activation names.
pub(super) fn open(
    source: Spanned<Source>,
    base: &Path,
) -> Result<Arc<dyn SegmentSource>, Problem> {
    let span = source.span();
    Ok(match source.into_inner() {
        Source::Adbc(source) => adbc::open(source, &span)?,
        Source::Csv { path, column, key_column } => {
            let source = CsvSource::new(existing(base.join(path), span)?, column);
            match key_column {
                Some(key_column) => Arc::new(source.key_column(key_column)),
                None => Arc::new(source),
            }
        }
        Source::Sqlite { path, query, column, key_column, as_of } => {
            let mut source = SqliteSource::new(existing(base.join(path), span)?, query);
            if let Some(column) = column {
                source = source.column(column);
            }
            if let Some(key_column) = key_column {
                source = source.key_column(key_column);
            }
            if let Some(as_of) = as_of {
                source = source.as_of(as_of);
            }
            Arc::new(source)
        }
    })
}

fn existing(path: PathBuf, span: Range<usize>) -> Result<PathBuf, Problem> {
    // A pipe will do, a directory will not.
    if path.exists() && !path.is_dir() {
        return Ok(path);
    }
    let message = format!("{} is no file, expected one that exists", path.display());
    Err(Problem::below(span, "path", message))
}
