//! Sources behind ADBC drivers, in a build with the feature `adbc`.

use std::{ops::Range, sync::Arc};

#[cfg(feature = "adbc")]
use activation_core::Dialect;
use activation_core::SegmentSource;

use super::{file::Adbc, problem::Problem};
#[cfg(feature = "adbc")]
use super::{file::AdbcTables, sources::check_tables};

#[cfg(feature = "adbc")]
pub(super) fn open(adbc: Adbc, span: &Range<usize>) -> Result<Arc<dyn SegmentSource>, Problem> {
    use activation_core::sources::AdbcSource;

    use super::sources::perhaps;

    let Adbc { profile, uri_env, query, column, key_column, as_of, tables } = adbc;
    let place = tables.map(|tables| place(tables, column.as_deref(), key_column.as_deref(), span));
    let source = AdbcSource::new(database(profile, uri_env, span)?, query);
    let source = perhaps(source, column, |source, name| source.column(name));
    let source = perhaps(source, key_column, |source, name| source.key_column(name));
    let source = perhaps(source, as_of, |source, query| source.as_of(query));
    Ok(Arc::new(match place.transpose()? {
        Some((dialect, schema)) => source.push_down(dialect, schema),
        None => source,
    }))
}

/// Where the warehouse computes the difference, and how it writes.
#[cfg(feature = "adbc")]
fn place(
    tables: AdbcTables,
    column: Option<&str>,
    key_column: Option<&str>,
    span: &Range<usize>,
) -> Result<(Dialect, Vec<String>), Problem> {
    let AdbcTables { dialect: name, schema } = tables;
    let refuse = |key, message| Err(Problem::below(span.clone(), key, message));
    if schema.iter().any(String::is_empty) || schema.is_empty() {
        return refuse("tables.schema", "is empty, expected where tables can be made".to_owned());
    }
    check_tables(schema.first().map(String::as_str), key_column, span)?;
    if column.is_none() {
        return refuse("column", "is missing: `tables` needs the column by its name".to_owned());
    }
    match Dialect::named(&name) {
        Some(dialect) => Ok((dialect, schema)),
        None => {
            let names = Dialect::all().map(|dialect| dialect.name.to_lowercase()).join(", ");
            refuse("tables.dialect", format!("unknown dialect `{name}`, expected one of {names}"))
        }
    }
}

/// Credentials are in ADBC's profile or in the environment, and never in the file.
#[cfg(feature = "adbc")]
fn database(
    profile: Option<String>,
    uri_env: Option<String>,
    span: &Range<usize>,
) -> Result<activation_core::sources::AdbcDatabase, Problem> {
    use activation_core::sources::AdbcDatabase;

    use super::check;

    let refuse = |key, message| Err(Problem::below(span.clone(), key, message));
    match (profile, uri_env) {
        (Some(profile), None) if profile.contains("://") => {
            refuse("profile", "expected the name of an ADBC profile, no URI".to_owned())
        }
        (Some(profile), None) if profile.trim().is_empty() => {
            refuse("profile", "is empty, expected the name of an ADBC profile".to_owned())
        }
        (Some(profile), None) => Ok(AdbcDatabase::profile(profile)),
        (None, Some(variable)) => match check::value_of(&variable) {
            Ok(uri) => Ok(AdbcDatabase::uri(uri)),
            Err(message) => refuse("uri_env", message),
        },
        (Some(_), Some(_)) => {
            refuse("uri_env", "expected `profile` or `uri_env`, not both".to_owned())
        }
        (None, None) => refuse("profile", "is missing: expected `profile` or `uri_env`".to_owned()),
    }
}

#[cfg(not(feature = "adbc"))]
pub(super) fn open(_: Adbc, span: &Range<usize>) -> Result<Arc<dyn SegmentSource>, Problem> {
    let message = "`adbc` is not part of this build of activate: build it with --features adbc";
    Err(Problem::below(span.clone(), "kind", message))
}
