//! Which warehouse, and by which driver.

use std::{fmt, path::PathBuf};

use adbc_core::{
    Database as _, Driver as _, LOAD_FLAG_SEARCH_ENV, LOAD_FLAG_SEARCH_SYSTEM,
    LOAD_FLAG_SEARCH_USER, LoadFlags,
    options::{AdbcVersion, OptionDatabase, OptionValue},
};
use adbc_driver_manager::{ManagedConnection, ManagedDriver};

use super::{
    error::{Confidential, explain, told_of},
    profile::Profile,
};
use crate::SourceError;

/// A warehouse as ADBC knows it: a profile, a URI, or a driver with options.
///
/// Drivers are found by ADBC's rules: a manifest `NAME.toml` in a directory of `ADBC_DRIVER_PATH` or
/// of the configuration of user or system, or a library of that name; or the absolute path of either.
///
/// A driver is code that runs in this process, with all its rights. Its name, and therefore that of a
/// profile and the beginning of a URI, must come from the host's configuration, and never from data.
///
/// # Examples
///
/// ```
/// use activation_core::sources::AdbcDatabase;
///
/// // warehouse.toml, in a directory of ADBC_PROFILE_PATH, has the driver and takes the password from
/// // the environment: password = "{{ env_var(WAREHOUSE_PASSWORD) }}"
/// let by_profile = AdbcDatabase::profile("warehouse");
/// let by_options = AdbcDatabase::driver("duckdb")
///     .entrypoint("duckdb_adbc_init")
///     .option("path", "/data/warehouse.duckdb");
/// # assert_eq!(by_profile.to_string(), r#"the ADBC profile "warehouse""#);
/// ```
#[derive(Clone)]
pub struct AdbcDatabase {
    named: Named,
    entrypoint: Option<String>,
    options: Vec<(String, String)>,
}

#[derive(Clone)]
enum Named {
    Profile(String),
    /// The driver, and the URI as the driver wants it.
    Uri {
        driver: String,
        uri: String,
    },
    Driver(String),
    /// A URI without a driver.
    Nothing,
}

impl AdbcDatabase {
    /// What the connection profile of this name says: `NAME.toml` in a directory of
    /// `ADBC_PROFILE_PATH` or of the user's configuration, or the absolute path of such a file.
    pub fn profile(name: impl Into<String>) -> Self {
        let name = name.into();
        let name = name.strip_prefix("profile://").unwrap_or(&name).to_owned();
        Self::new(Named::Profile(name))
    }

    /// The warehouse at this URI, by the driver that its scheme names:
    /// `postgresql://USER:PASSWORD@HOST/DATABASE` by the driver `postgresql`. `sqlite:FILE` gives the
    /// driver `sqlite` only `FILE`. `profile://NAME` is a [`profile`](Self::profile).
    ///
    /// It is not shown in errors and not by `Debug`, since it may have a password.
    pub fn uri(uri: impl AsRef<str>) -> Self {
        let uri = uri.as_ref();
        let Some((scheme, rest)) = uri.split_once(':').filter(|(scheme, _)| is_scheme(scheme))
        else {
            return Self::new(Named::Nothing);
        };
        if scheme == "profile" {
            return Self::profile(rest.strip_prefix("//").unwrap_or(rest));
        }
        let uri = if rest.starts_with('/') { uri } else { rest };
        Self::new(Named::Uri { driver: scheme.to_owned(), uri: uri.to_owned() })
    }

    /// What the driver of this name, or the absolute path of its library or manifest, finds with the
    /// [options](Self::option).
    pub fn driver(name: impl Into<String>) -> Self {
        Self::new(Named::Driver(name.into()))
    }

    /// Gives the driver an option, instead of one of the same name from the profile. Values are not
    /// shown in errors and not by `Debug`.
    #[must_use]
    pub fn option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.push((name.into(), value.into()));
        self
    }

    /// The function that the driver's library begins with, where neither its manifest nor ADBC's
    /// conventions name it.
    #[must_use]
    pub fn entrypoint(mut self, name: impl Into<String>) -> Self {
        self.entrypoint = Some(name.into());
        self
    }

    fn new(named: Named) -> Self {
        Self { named, entrypoint: None, options: Vec::new() }
    }

    /// Loads the driver and connects. Gives what errors must not show, too.
    pub(super) fn connect(&self) -> Result<(ManagedConnection, Confidential), SourceError> {
        let (driver, mut options) = self.resolve()?;
        let own = self.options.iter().map(|(name, value)| {
            (OptionDatabase::from(name.as_str()), OptionValue::String(value.clone()))
        });
        options.extend(own);
        let confidential = Confidential::of(options.iter().map(|(_, value)| value));
        let mut driver = self.load(&driver)?;
        let connected =
            driver.new_database_with_opts(options).and_then(|database| database.new_connection());
        let connection = connected
            .map_err(|error| explain(&format!("connecting to {self}"), &error, &confidential))?;
        Ok((connection, confidential))
    }

    /// The driver and its options, but for those given one by one.
    fn resolve(&self) -> Result<(String, Vec<(OptionDatabase, OptionValue)>), SourceError> {
        Ok(match &self.named {
            Named::Profile(name) => {
                let Profile { driver, options } = Profile::read(name, &self.to_string())?;
                (driver, options)
            }
            Named::Uri { driver, uri } => {
                let uri = OptionValue::String(uri.clone());
                (driver.clone(), vec![(OptionDatabase::Uri, uri)])
            }
            Named::Driver(name) => (name.clone(), Vec::new()),
            Named::Nothing => {
                return Err(SourceError::permanent(
                    "the URI of the warehouse names no ADBC driver; it must begin with one, such as \
                     postgresql:// or profile://",
                ));
            }
        })
    }

    fn load(&self, driver: &str) -> Result<ManagedDriver, SourceError> {
        let entrypoint = self.entrypoint.as_deref().map(str::as_bytes);
        let no_paths: Option<Vec<PathBuf>> = None;
        ManagedDriver::load_from_name(driver, entrypoint, AdbcVersion::V110, SEARCH, no_paths)
            .map_err(|error| {
                let whose = match &self.named {
                    Named::Driver(_) => String::new(),
                    _ => format!(" of {self}"),
                };
                SourceError::permanent(format!(
                    "the ADBC driver {}{whose} cannot be loaded{}; put its manifest into a directory \
                     of ADBC_DRIVER_PATH, or name its file by an absolute path and, where it is not \
                     the usual one, its entrypoint",
                    shown(driver),
                    told_of(&error, &Confidential::default()),
                ))
            })
    }
}

/// Not by a relative path: what is there depends on where the process was started.
const SEARCH: LoadFlags = LOAD_FLAG_SEARCH_ENV | LOAD_FLAG_SEARCH_USER | LOAD_FLAG_SEARCH_SYSTEM;

/// What an error may call it.
impl fmt::Display for AdbcDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.named {
            Named::Profile(name) => write!(f, "the ADBC profile {}", shown(name)),
            Named::Uri { driver, .. } => write!(f, "the URI of {driver}"),
            Named::Driver(name) => write!(f, "the ADBC driver {}", shown(name)),
            Named::Nothing => f.write_str("the URI"),
        }
    }
}

/// Leaves out URI and values of options.
impl fmt::Debug for AdbcDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.options.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("AdbcDatabase")
            .field("named", &format_args!("{self}"))
            .field("entrypoint", &self.entrypoint)
            .field("options", &names)
            .finish_non_exhaustive()
    }
}

fn is_scheme(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
    starts && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
}

/// A name as an error may show it: somebody may have put a URI with a password in its place.
fn shown(name: &str) -> String {
    if name.contains(['@', '=', ';', '?']) || name.contains("://") {
        return "(a name not shown, since it looks like a URI)".to_owned();
    }
    format!("{name:?}")
}
