//! The shape of the file.

use std::num::NonZeroUsize;

use activation_core::SettingsPatch;
use serde::{Deserialize, de::DeserializeOwned};
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue, Deserializer, Error as TomlError},
};

use super::problem::{Problem, WHOLE_FILE};

/// Everything in the file.
pub(super) struct File {
    pub(super) state: Spanned<State>,
    pub(super) destination: Spanned<Destination>,
    pub(super) activations: Vec<Entry>,
}

/// `[state]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct State {
    pub(super) directory: Option<Spanned<String>>,
    /// The environment variable with the URL of a database that keeps the state, which holds a
    /// password.
    pub(super) postgres_env: Option<Spanned<String>>,
    /// The schema in that database.
    pub(super) postgres_schema: Option<Spanned<String>>,
    /// Whom to trust instead of those whom the platform trusts.
    pub(super) postgres_ca_file: Option<Spanned<String>>,
    /// The environment variable with the key of the state.
    pub(super) key_env: Option<Spanned<String>>,
    /// The environment variable with the key it had before.
    pub(super) previous_key_env: Option<Spanned<String>>,
    /// The file that every change of a membership is appended to.
    pub(super) ledger: Option<Spanned<String>>,
}

/// `[destination]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Destination {
    pub(super) endpoint: Option<Spanned<String>>,
    pub(super) region: Option<Spanned<Region>>,
    /// Names of environment variables, never the values themselves.
    pub(super) user_env: Spanned<String>,
    pub(super) password_env: Spanned<String>,
    #[serde(default)]
    pub(super) defaults: SettingsPatch,
    pub(super) max_import_contacts: Option<NonZeroUsize>,
    pub(super) max_import_bytes: Option<Spanned<usize>>,
    pub(super) max_removals_per_call: Option<Spanned<usize>>,
}

/// `region`
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Region {
    R1,
    R2,
    R3,
}

/// `[[activation]]`
pub(super) struct Entry {
    pub(super) segment: Spanned<String>,
    pub(super) name: Option<Spanned<String>>,
    pub(super) source: Spanned<Source>,
    pub(super) exclude: Vec<Exclusion>,
    pub(super) overrides: SettingsPatch,
}

/// One of `exclude`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Exclusion {
    /// Why, as reports say it.
    pub(super) reason: Spanned<String>,
    pub(super) source: Spanned<Source>,
}

/// `source`
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields, expecting = "a table")]
pub(super) enum Source {
    Adbc(Adbc),
    Csv {
        path: String,
        column: String,
        key_column: Option<String>,
    },
    Postgres {
        /// The environment variable with the URL, which holds a password.
        url_env: String,
        /// Whom to trust instead of those whom the platform trusts.
        ca_file: Option<String>,
        query: String,
        column: Option<String>,
        key_column: Option<String>,
        as_of: Option<String>,
        /// The schema for tables with which the server computes the difference.
        tables: Option<String>,
    },
    Sqlite {
        path: String,
        query: String,
        column: Option<String>,
        key_column: Option<String>,
        as_of: Option<String>,
        /// The file for tables with which SQLite computes the difference.
        tables: Option<String>,
    },
}

/// `source` with `kind = "adbc"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(feature = "adbc"), expect(dead_code, reason = "read, so that mistakes are told"))]
pub(super) struct Adbc {
    pub(super) profile: Option<String>,
    /// The environment variable with the URI, which may hold a password.
    pub(super) uri_env: Option<String>,
    pub(super) query: String,
    pub(super) column: Option<String>,
    pub(super) key_column: Option<String>,
    pub(super) as_of: Option<String>,
    /// Where the warehouse computes the difference.
    pub(super) tables: Option<AdbcTables>,
}

/// `tables` of a source with `kind = "adbc"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with `dialect` and `schema`")]
#[cfg_attr(not(feature = "adbc"), expect(dead_code, reason = "read, so that mistakes are told"))]
pub(super) struct AdbcTables {
    pub(super) dialect: String,
    /// From the outermost name in.
    pub(super) schema: Vec<String>,
}

/// Reads the syntax.
///
/// # Errors
///
/// Fails when `text` is not TOML.
pub(super) fn parse(text: &str) -> Result<DeTable<'_>, TomlError> {
    Ok(DeTable::parse(text)?.into_inner())
}

impl File {
    /// Reads the keys.
    ///
    /// # Errors
    ///
    /// Fails at the first key that is unknown, missing or of the wrong type.
    pub(super) fn read(mut table: DeTable<'_>) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Rest {
            state: Spanned<State>,
            destination: Spanned<Destination>,
        }

        let activations = table.remove("activation");
        let rest: Rest = deserialize(Spanned::new(WHOLE_FILE, table))
            .map_err(|problem| problem.also_expecting("`activation`"))?;
        Ok(Self {
            state: rest.state,
            destination: rest.destination,
            activations: activations.map(entries).transpose()?.unwrap_or_default(),
        })
    }
}

fn entries(value: Spanned<DeValue<'_>>) -> Result<Vec<Entry>, Problem> {
    const EXPECTED: &str = "expected [[activation]], once for each activation";

    let span = value.span();
    let DeValue::Array(values) = value.into_inner() else {
        return Err(Problem::new(span, EXPECTED));
    };
    let tables = values.into_iter().map(|value| {
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => entry(Spanned::new(span, table)),
            _ => Err(Problem::new(span, EXPECTED)),
        }
    });
    tables.collect()
}

/// An activation has four keys of its own; all others override defaults.
fn entry(table: Spanned<DeTable<'_>>) -> Result<Entry, Problem> {
    const OWN: [&str; 4] = ["segment", "name", "source", "exclude"];

    #[derive(Deserialize)]
    struct Own {
        segment: Spanned<String>,
        name: Option<Spanned<String>>,
        source: Spanned<Source>,
        #[serde(default)]
        exclude: Vec<Exclusion>,
    }

    let span = table.span();
    let is_own = |key: &Spanned<DeString<'_>>| OWN.contains(&key.get_ref().as_ref());
    let (own, overrides): (DeTable<'_>, DeTable<'_>) =
        table.into_inner().into_iter().partition(|(key, _)| is_own(key));
    let overrides = deserialize(Spanned::new(span.clone(), overrides))
        .map_err(|problem| problem.also_expecting("`segment`, `name`, `source`, `exclude`"))?;
    let own: Own = deserialize(Spanned::new(span, own))?;
    let Own { segment, name, source, exclude } = own;
    Ok(Entry { segment, name, source, exclude, overrides })
}

fn deserialize<T: DeserializeOwned>(table: Spanned<DeTable<'_>>) -> Result<T, Problem> {
    T::deserialize(Deserializer::from(table)).map_err(Problem::from)
}
