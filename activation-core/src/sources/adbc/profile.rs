//! Connection profiles.

use std::env;

use adbc_core::{
    error::Status,
    options::{OptionDatabase, OptionValue},
};
use adbc_driver_manager::profile::{
    ConnectionProfile, ConnectionProfileProvider, FilesystemProfileProvider, process_profile_value,
};

use super::error::{Confidential, told_of};
use crate::SourceError;

/// What a profile says, with the variables it names filled in.
pub(super) struct Profile {
    pub(super) driver: String,
    pub(super) options: Vec<(OptionDatabase, OptionValue)>,
}

impl Profile {
    /// Reads the profile `name`, which errors call `place`.
    pub(super) fn read(name: &str, place: &str) -> Result<Self, SourceError> {
        let found = FilesystemProfileProvider::default().get_profile(name);
        let profile = found.map_err(|error| refuse(place, &error))?;
        let (driver, _) = profile.get_driver_name().map_err(|error| refuse(place, &error))?;
        let options = profile.get_options().map_err(|error| refuse(place, &error))?;
        let options = options
            .into_iter()
            .map(|(name, value)| Ok((name, fill_in(value, place)?)))
            .collect::<Result<_, SourceError>>()?;
        Ok(Self { driver: driver.to_owned(), options })
    }
}

fn fill_in(value: OptionValue, place: &str) -> Result<OptionValue, SourceError> {
    let OptionValue::String(text) = value else { return Ok(value) };
    // ADBC takes a variable that is not set for an empty one, which would be an empty password.
    if let Some(missing) = variables(&text).find(|name| env::var_os(name).is_none()) {
        return Err(SourceError::permanent(format!(
            "{place} takes a value from environment variable {missing}, which is not set"
        )));
    }
    process_profile_value(&text).map_err(|error| refuse(place, &error))
}

/// The variables in `{{ env_var(NAME) }}`.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let expressions = text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
    expressions.filter_map(|(inside, _)| {
        let name = inside.trim().strip_prefix("env_var(")?.strip_suffix(')')?.trim();
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (plain && !name.is_empty()).then_some(name)
    })
}

fn refuse(place: &str, error: &adbc_core::error::Error) -> SourceError {
    if error.status == Status::NotFound {
        return SourceError::permanent(format!(
            "{place} is not there: put NAME.toml into a directory of ADBC_PROFILE_PATH, or name the \
             file by its absolute path"
        ));
    }
    let told = told_of(error, &Confidential::default());
    SourceError::permanent(format!("{place} cannot be used{told}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_as_adbc_finds_them() {
        let found = |text| variables(text).collect::<Vec<_>>();
        assert_eq!(found("{{ env_var(A) }}:{{env_var( B_1 )}}"), ["A", "B_1"]);
        assert!(found("env_var(A) {{ A }} {{ env_var() }} {{ env_var(A").is_empty());
    }
}
