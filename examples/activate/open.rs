//! Opening what every pass needs: the state, the account, and an engine for each activation.

use std::{error::Error, sync::Arc};

use activation_core::{
    DirectoryStore, Engine, ErrorReport, ExcludedSegments, FingerprintKey, HostKey, MemoryStore,
    PostgresStateStore, StateStore, StoreError, StoreErrorKind, dotdigital::Dotdigital,
};

use crate::{
    config::{Config, Job, StateKeys, StatePlace},
    ledger::JsonLines,
};

/// Whether the state may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It is left as it is, to the byte.
    Read,
    /// It is made where there is none.
    Write,
}

/// An engine on the state, which takes down what it does where a ledger is wanted.
///
/// # Errors
///
/// Fails when the state or the ledger cannot be used.
pub(crate) async fn engine(config: &Config, access: Access) -> Result<Engine, ErrorReport> {
    let store = store(config, access).await.map_err(|error| state_error(&error))?;
    let engine = Engine::new(store);
    match &config.ledger {
        Some(path) if access == Access::Write => {
            let ledger = JsonLines::open(path).map_err(|error| ErrorReport {
                message: format!("the ledger {} cannot be used: {error}", path.display()),
                temporary: false,
            })?;
            Ok(engine.ledger(Arc::new(ledger)))
        }
        _ => Ok(engine),
    }
}

/// The engine with what concerns one activation only.
pub(crate) fn for_job(engine: &Engine, job: &Job) -> Engine {
    let exclusions = job
        .exclusions
        .iter()
        .fold(ExcludedSegments::default(), |all, (why, who)| all.segment(why.clone(), who.clone()));
    engine.clone().exclusions(Arc::new(exclusions))
}

/// The way to the account.
///
/// # Errors
///
/// Fails when the account cannot be found, or not now.
pub(crate) async fn account(config: &Config) -> Result<Dotdigital, ErrorReport> {
    let client = config.client.clone().connect().await.map_err(|error| ErrorReport {
        message: with_causes(&error),
        temporary: error.is_temporary(),
    })?;
    Ok(Dotdigital::new(&client).batch_limits(config.limits))
}

async fn store(config: &Config, access: Access) -> Result<Arc<dyn StateStore>, StoreError> {
    Ok(match (&config.state, access) {
        (StatePlace::Directory { path, keys: None }, Access::Write) => {
            Arc::new(DirectoryStore::open(path)?)
        }
        (StatePlace::Directory { path, keys: None }, Access::Read) => {
            or_empty(DirectoryStore::open_read_only(path)?)
        }
        (StatePlace::Directory { path, keys: Some(keys) }, Access::Write) => {
            let open = async |key| DirectoryStore::open_with_key(path, key);
            let (store, is_previous) = with_either(keys, open).await?;
            if is_previous {
                store.change_host_key(keys.key.clone()).await?;
            }
            Arc::new(store)
        }
        (StatePlace::Directory { path, keys: Some(keys) }, Access::Read) => {
            let open = async |key| DirectoryStore::open_read_only_with_key(path, key);
            or_empty(with_either(keys, open).await?.0)
        }
        (StatePlace::Postgres { server, schema, keys }, Access::Write) => {
            let open = async |key| PostgresStateStore::open(*server.clone(), schema, key).await;
            let (store, is_previous) = with_either(keys, open).await?;
            if is_previous {
                store.change_host_key(keys.key.clone()).await?;
            }
            Arc::new(store)
        }
        (StatePlace::Postgres { server, schema, keys }, Access::Read) => {
            let open =
                async |key| PostgresStateStore::open_read_only(*server.clone(), schema, key).await;
            or_empty(with_either(keys, open).await?.0)
        }
    })
}

/// Opens a state with its key or, if it still has that, with the one from before. Tells which it was.
async fn with_either<S>(
    keys: &StateKeys,
    open: impl AsyncFn(HostKey) -> Result<S, StoreError>,
) -> Result<(S, bool), StoreError> {
    match (open(keys.key.clone()).await, &keys.previous) {
        (Err(error), Some(previous)) if error.kind == StoreErrorKind::WrongKey => {
            Ok((open(previous.clone()).await?, true))
        }
        (opened, _) => Ok((opened?, false)),
    }
}

/// Before the first run there is no state to plan on, and a dry run must not create it.
fn or_empty(store: Option<impl StateStore + 'static>) -> Arc<dyn StateStore> {
    match store {
        Some(store) => Arc::new(store),
        // Nothing is kept, so any key will do.
        None => Arc::new(MemoryStore::new(FingerprintKey::new([0; 16]))),
    }
}

fn state_error(error: &StoreError) -> ErrorReport {
    ErrorReport {
        message: format!("the state cannot be used: {}", with_causes(error)),
        temporary: error.kind == StoreErrorKind::Unavailable,
    }
}

/// An error and its causes on one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
