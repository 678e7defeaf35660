//! Where the state is kept, and under which keys.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use activation_core::{HostKey, PostgresServer, PostgresStateStore};
use toml::Spanned;

use super::{check, file::State, problem::Problem, sources};

/// A state that can be opened.
#[derive(Debug)]
pub(crate) enum StatePlace {
    /// In a directory, with its own key or with one of the host.
    Directory { path: PathBuf, keys: Option<StateKeys> },
    /// In a schema of a PostgreSQL database, which always takes a key of the host.
    Postgres { server: Box<PostgresServer>, schema: String, keys: StateKeys },
}

/// Keys that the host keeps.
#[derive(Debug)]
pub(crate) struct StateKeys {
    pub(crate) key: HostKey,
    /// The one before, while it is being changed.
    pub(crate) previous: Option<HostKey>,
}

/// What `[state]` means.
pub(super) fn place(state: &Spanned<State>, base: &Path) -> Result<StatePlace, Problem> {
    let (span, state) = (state.span(), state.get_ref());
    let keys = keys(state)?;
    match (&state.directory, &state.postgres_env) {
        (Some(_), Some(url)) => {
            Err(Problem::new(url.span(), "expected `directory` or `postgres_env`, not both"))
        }
        (Some(path), None) => {
            refuse_without_url(state)?;
            let path = base.join(check::text(path, "the name of a directory")?);
            Ok(StatePlace::Directory { path, keys })
        }
        (None, Some(url)) => in_postgres(state, url, keys, base),
        (None, None) => Err(missing_place(span)),
    }
}

fn in_postgres(
    state: &State,
    url: &Spanned<String>,
    keys: Option<StateKeys>,
    base: &Path,
) -> Result<StatePlace, Problem> {
    let keys = keys.ok_or_else(|| {
        let message = "expected `key_env` too: others can read a database, so it does not keep its \
            own key";
        Problem::new(url.span(), message)
    })?;
    let mut server =
        sources::server(url.get_ref()).map_err(|message| Problem::new(url.span(), message))?;
    if let Some(file) = &state.postgres_ca_file {
        let path = base.join(check::text(file, "the name of a file")?);
        server = sources::trusting(server, &path)
            .map_err(|message| Problem::new(file.span(), message))?;
    }
    let schema = match &state.postgres_schema {
        None => PostgresStateStore::DEFAULT_SCHEMA.to_owned(),
        Some(name) => {
            let is_name = PostgresStateStore::tables(name.get_ref());
            is_name.map_err(|error| Problem::new(name.span(), error.to_string()))?;
            name.get_ref().clone()
        }
    };
    Ok(StatePlace::Postgres { server: Box::new(server), schema, keys })
}

fn refuse_without_url(state: &State) -> Result<(), Problem> {
    let keys = [&state.postgres_schema, &state.postgres_ca_file];
    match keys.into_iter().flatten().next() {
        Some(key) => Err(Problem::new(key.span(), "expected with `postgres_env` only")),
        None => Ok(()),
    }
}

fn missing_place(span: Range<usize>) -> Problem {
    let message = "is missing: expected the name of a directory, or `postgres_env` in its place";
    Problem::below(span, "directory", message)
}

fn keys(state: &State) -> Result<Option<StateKeys>, Problem> {
    match (&state.key_env, &state.previous_key_env) {
        (None, None) => Ok(None),
        (None, Some(previous)) => {
            let message = "expected `key_env` too, with the key that takes its place";
            Err(Problem::new(previous.span(), message))
        }
        (Some(key), previous) => Ok(Some(StateKeys {
            key: host_key(key)?,
            previous: previous.as_ref().map(host_key).transpose()?,
        })),
    }
}

fn host_key(name: &Spanned<String>) -> Result<HostKey, Problem> {
    check::variable(name)?.parse().map_err(|_| {
        Problem::new(
            name.span(),
            format!("expected 32 hexadecimal digits in environment variable {}", name.get_ref()),
        )
    })
}
