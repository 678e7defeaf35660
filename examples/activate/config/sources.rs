//! Where members come from.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use activation_core::{
    PostgresServer, SegmentSource,
    sources::{CsvSource, PostgresSource, SqliteSource},
};
use toml::Spanned;

use super::{adbc, check, file::Source, problem::Problem};

/// The source that an activation names.
pub(super) fn open(
    source: Spanned<Source>,
    base: &Path,
) -> Result<Arc<dyn SegmentSource>, Problem> {
    let span = source.span();
    Ok(match source.into_inner() {
        Source::Adbc(source) => adbc::open(source, &span)?,
        Source::Csv { path, column, key_column } => {
            let source = CsvSource::new(existing(base.join(path), "path", &span)?, column);
            Arc::new(perhaps(source, key_column, |source, name| source.key_column(name)))
        }
        Source::Postgres { url_env, ca_file, query, column, key_column, as_of, tables } => {
            check_tables(tables.as_deref(), key_column.as_deref(), &span)?;
            let refuse = |key: &str, message| Problem::below(span.clone(), key, message);
            let mut server = server(&url_env).map_err(|why| refuse("url_env", why))?;
            if let Some(file) = ca_file {
                server =
                    trusting(server, &base.join(file)).map_err(|why| refuse("ca_file", why))?;
            }
            let source = PostgresSource::new(server, query);
            let source = perhaps(source, column, |source, name| source.column(name));
            let source = perhaps(source, key_column, |source, name| source.key_column(name));
            let source = perhaps(source, as_of, |source, query| source.as_of(query));
            Arc::new(perhaps(source, tables, |source, schema| source.push_down(schema)))
        }
        Source::Sqlite { path, query, column, key_column, as_of, tables } => {
            check_tables(tables.as_deref(), key_column.as_deref(), &span)?;
            let source = SqliteSource::new(existing(base.join(path), "path", &span)?, query);
            let source = perhaps(source, column, |source, name| source.column(name));
            let source = perhaps(source, key_column, |source, name| source.key_column(name));
            let source = perhaps(source, as_of, |source, query| source.as_of(query));
            Arc::new(perhaps(source, tables, |source, file| source.push_down(base.join(file))))
        }
    })
}

/// Keys of people need every row, so that no warehouse computes the difference.
pub(super) fn check_tables(
    tables: Option<&str>,
    key_column: Option<&str>,
    span: &Range<usize>,
) -> Result<(), Problem> {
    let message = match (tables, key_column) {
        (Some(_), Some(_)) => "cannot stand beside `key_column`, which needs every row",
        (Some(""), None) => "is empty, expected where tables can be made",
        _ => return Ok(()),
    };
    Err(Problem::below(span.clone(), "tables", message))
}

/// `source` with what the file says, if it says it.
pub(super) fn perhaps<S>(source: S, said: Option<String>, set: impl FnOnce(S, String) -> S) -> S {
    match said {
        Some(said) => set(source, said),
        None => source,
    }
}

/// The server whose URL is in an environment variable: it holds a password, which belongs in no file.
pub(super) fn server(url_env: &str) -> Result<PostgresServer, String> {
    let url = check::value_of(url_env)?;
    url.parse().map_err(|error| format!("environment variable {url_env}: {error}"))
}

/// `server`, vouched for by the authorities in `file`.
pub(super) fn trusting(server: PostgresServer, file: &Path) -> Result<PostgresServer, String> {
    let refuse = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
    let pem = fs::read(file).map_err(|error| refuse(&error))?;
    server.ca_certificates(pem).map_err(|error| refuse(&error))
}

fn existing(path: PathBuf, key: &str, span: &Range<usize>) -> Result<PathBuf, Problem> {
    // A pipe will do, a directory will not.
    if path.exists() && !path.is_dir() {
        return Ok(path);
    }
    let message = format!("{} is no file, expected one that exists", path.display());
    Err(Problem::below(span.clone(), key, message))
}
