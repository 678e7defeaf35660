//! Sources behind ADBC drivers, in a build with the feature `adbc`.

use std::{ops::Range, sync::Arc};

use activation_core::SegmentSource;

use super::{file::Adbc, problem::Problem};

#[cfg(feature = "adbc")]
pub(super) fn open(adbc: Adbc, span: &Range<usize>) -> Result<Arc<dyn SegmentSource>, Problem> {
    use activation_core::sources::AdbcSource;

    use super::sources::perhaps;

    let Adbc { profile, uri_env, query, column, key_column, as_of } = adbc;
    let source = AdbcSource::new(database(profile, uri_env, span)?, query);
    let source = perhaps(source, column, |source, name| source.column(name));
    let source = perhaps(source, key_column, |source, name| source.key_column(name));
    Ok(Arc::new(perhaps(source, as_of, |source, query| source.as_of(query))))
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
