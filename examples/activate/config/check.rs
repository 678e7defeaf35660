//! What the file means, and whether that can be done.

use std::{
    collections::{HashMap, HashSet},
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use activation_core::{
    Activation, SegmentSource, Settings, SettingsPatch, dotdigital::BatchLimits,
};
use dotdigital_client::{
    Client, ClientBuilder, Credentials, imports::ImportLimits, list_members::ContactIds,
    lists::ListName,
};
use toml::Spanned;

use super::{
    Config, Job,
    file::{Destination, Entry, Exclusion, File, Region},
    problem::{Problem, WHOLE_FILE},
    sources, state,
};

/// The smallest body of an import with room for any identifier.
const LEAST_IMPORT_BYTES: usize = 1_000;

/// Checks everything that can be checked without a call, and keeps what is to be run.
pub(super) fn check(file: File, base: &Path, only: Option<&str>) -> Result<Config, Problem> {
    let File { state, destination, activations } = file;
    check_names(&activations)?;
    let limits = batch_limits(destination.get_ref())?;
    let client = client(&destination)?;
    let defaults = &destination.get_ref().defaults;
    let jobs = selected(activations, only)?
        .into_iter()
        .map(|entry| job(entry, defaults, base))
        .collect::<Result<_, _>>()?;
    Ok(Config {
        state: state::place(&state, base)?,
        ledger: state.get_ref().ledger.as_ref().map(|path| ledger(path, base)).transpose()?,
        client,
        limits,
        jobs,
    })
}

/// Two activations of one segment would share their state, and two of one list would each undo what
/// the other did.
fn check_names(activations: &[Entry]) -> Result<(), Problem> {
    let mut segments = HashSet::new();
    let mut lists = HashMap::new();
    for entry in activations {
        let segment = text(&entry.segment, "the name of a segment")?;
        if !segments.insert(segment) {
            return Err(Problem::new(
                entry.segment.span(),
                format!("segment \"{segment}\" has an activation already; expected another name"),
            ));
        }
        let given = entry.name.as_ref().unwrap_or(&entry.segment);
        let list = ListName::parse(given.get_ref()).map_err(|error| list_name(entry, &error))?;
        if let Some(other) = lists.insert(list.as_str().to_lowercase(), segment) {
            return Err(Problem::new(
                given.span(),
                format!(
                    "the activation of segment \"{other}\" keeps a list of this name; expected \
                     another name"
                ),
            ));
        }
    }
    Ok(())
}

fn list_name(entry: &Entry, error: &dyn std::error::Error) -> Problem {
    let expected = format!("expected up to {} characters, not `Test`", ListName::LONGEST);
    match &entry.name {
        Some(name) => Problem::new(name.span(), format!("{error}; {expected}")),
        None => Problem::new(
            entry.segment.span(),
            format!("{error}; {expected}; give the list a `name` of its own"),
        ),
    }
}

fn selected(activations: Vec<Entry>, only: Option<&str>) -> Result<Vec<Entry>, Problem> {
    if activations.is_empty() {
        let message = "is missing: expected [[activation]] with `segment` and `source`";
        return Err(Problem::below(WHOLE_FILE, "activation", message));
    }
    let Some(only) = only else { return Ok(activations) };
    let names = activations.iter().map(|entry| format!("\"{}\"", entry.segment.get_ref()));
    let names = names.collect::<Vec<_>>().join(", ");
    match activations.into_iter().find(|entry| entry.segment.get_ref() == only) {
        Some(entry) => Ok(vec![entry]),
        None => Err(Problem::below(
            WHOLE_FILE,
            "activation",
            format!("none has segment \"{only}\", as --activation wants; expected one of {names}"),
        )),
    }
}

fn job(entry: Entry, defaults: &SettingsPatch, base: &Path) -> Result<Job, Problem> {
    let mut activation = Activation::new(entry.segment.into_inner());
    if let Some(name) = entry.name {
        activation = activation.named(name.into_inner());
    }
    let settings = Settings::resolve(defaults, &entry.overrides);
    Ok(Job {
        activation: activation.settings(settings),
        source: sources::open(entry.source, base)?,
        exclusions: entry
            .exclude
            .into_iter()
            .map(|excluded| exclusion(excluded, base))
            .collect::<Result<_, _>>()?,
    })
}

fn exclusion(
    excluded: Exclusion,
    base: &Path,
) -> Result<(String, Arc<dyn SegmentSource>), Problem> {
    let reason = text(&excluded.reason, "a word or two")?.to_owned();
    Ok((reason, sources::open(excluded.source, base)?))
}

fn ledger(path: &Spanned<String>, base: &Path) -> Result<PathBuf, Problem> {
    let file = base.join(text(path, "the name of a file")?);
    if file.is_dir() {
        let message = format!("{} is a directory, expected a file", file.display());
        return Err(Problem::new(path.span(), message));
    }
    Ok(file)
}

fn batch_limits(destination: &Destination) -> Result<BatchLimits, Problem> {
    let mut limits = BatchLimits::default();
    if let Some(contacts) = destination.max_import_contacts {
        limits = limits.import_contacts(contacts.get());
    }
    if let Some(bytes) = &destination.max_import_bytes {
        let most = ImportLimits::default().max_bytes;
        limits = limits.import_bytes(within(bytes, LEAST_IMPORT_BYTES, most)?);
    }
    if let Some(removals) = &destination.max_removals_per_call {
        limits = limits.removal_contacts(within(removals, 1, ContactIds::MOST)?);
    }
    Ok(limits)
}

fn within(value: &Spanned<usize>, least: usize, most: usize) -> Result<usize, Problem> {
    let number = *value.get_ref();
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(Problem::new(value.span(), format!("is {number}, expected {least} to {most}")))
}

/// Region or endpoint; with neither, the service is asked when the run begins.
fn client(destination: &Spanned<Destination>) -> Result<ClientBuilder, Problem> {
    let builder = Client::builder().credentials(credentials(destination.get_ref())?);
    match (&destination.get_ref().endpoint, &destination.get_ref().region) {
        (Some(_), Some(region)) => {
            let message = "expected `region` or `endpoint`, not both";
            Err(Problem::new(region.span(), message))
        }
        (Some(endpoint), None) => {
            let builder = builder.endpoint(endpoint.get_ref());
            match builder.clone().build() {
                Ok(_) => Ok(builder),
                Err(error) => Err(Problem::new(endpoint.span(), error.to_string())),
            }
        }
        (None, Some(region)) => Ok(builder.region(match region.get_ref() {
            Region::R1 => dotdigital_client::Region::R1,
            Region::R2 => dotdigital_client::Region::R2,
            Region::R3 => dotdigital_client::Region::R3,
        })),
        (None, None) => Ok(builder),
    }
}

fn credentials(destination: &Destination) -> Result<Credentials, Problem> {
    let user = variable(&destination.user_env)?;
    if user.contains(':') {
        let message = "the API user's name has a colon, expected one without";
        return Err(Problem::new(destination.user_env.span(), message));
    }
    Ok(Credentials::new(user, variable(&destination.password_env)?))
}

/// The value of the environment variable that a key names.
pub(super) fn variable(name: &Spanned<String>) -> Result<String, Problem> {
    value_of(name.get_ref()).map_err(|message| Problem::new(name.span(), message))
}

/// The value of an environment variable, which never becomes part of an error.
pub(super) fn value_of(name: &str) -> Result<String, String> {
    if !is_variable(name) {
        // It may be the secret itself.
        return Err("expected the name of an environment variable".to_owned());
    }
    match env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        Ok(_) => Err(format!("environment variable {name} is empty, expected a value")),
        Err(env::VarError::NotPresent) => {
            Err(format!("environment variable {name} is not set, expected a value"))
        }
        Err(env::VarError::NotUnicode(_)) => {
            Err(format!("environment variable {name} is not valid UTF-8"))
        }
    }
}

fn is_variable(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(super) fn text<'a>(value: &'a Spanned<String>, expected: &str) -> Result<&'a str, Problem> {
    if value.get_ref().trim().is_empty() {
        return Err(Problem::new(value.span(), format!("is empty, expected {expected}")));
    }
    Ok(value.get_ref())
}
