//! The tables, their version, and the key that the store's fingerprints are made under.

use rusqlite::{OptionalExtension, Transaction};
use segment_diff::FingerprintKey;

use super::database::{Database, Fault};
use crate::state::{
    StoreError, StoreErrorKind,
    host_key::{HostKey, WRAPPED_BYTES},
    own_key,
};

/// Who keeps the secret.
pub(super) enum KeyKeeper {
    /// The store itself: its key lies in its database.
    Store,
    /// The host, who gives this key at every opening: the store's key lies wrapped in its database.
    Host(HostKey),
}

/// What the database knows of its key.
struct StoredKey {
    form: KeyForm,
    /// The key's fingerprint of a fixed label.
    check: [u8; 16],
}

/// How the database keeps its key. The column tells them apart by their length.
enum KeyForm {
    /// As it is.
    Clear(FingerprintKey),
    /// Wrapped under the host's key.
    Wrapped([u8; WRAPPED_BYTES]),
    /// Not at all: in stores made before keys were wrapped, the host's key is the key.
    Absent,
}

/// Creates the tables where missing, brings those of an older version up to date, and gives the key.
/// Changes nothing before it knows that the key is right.
pub(super) fn open(database: &Database, keeper: KeyKeeper) -> Result<FingerprintKey, StoreError> {
    if database.read(|tx| version(database, tx))?.is_none() {
        let new = new_key(&keeper)?;
        database.write("create", |tx| {
            // Another process may have been faster.
            if version(database, tx)?.is_none() {
                create(tx, &new)?;
            }
            Ok(())
        })?;
    }
    let key = agree(database.read(stored_key)?, keeper, database)?;
    upgrade(database)?;
    Ok(key)
}

/// Gives the key of a database that must not be changed; `None` when there is nothing in it yet.
pub(super) fn open_read_only(
    database: &Database,
    keeper: KeyKeeper,
) -> Result<Option<FingerprintKey>, StoreError> {
    let stored = database.read(|tx| match version(database, tx)? {
        Some(_) => stored_key(tx).map(Some),
        None => Ok(None),
    })?;
    stored.map(|stored| agree(stored, keeper, database)).transpose()
}

/// Wraps the store's key under another key of the host, or for the first time under one.
pub(super) fn wrap_key(
    database: &Database,
    key: &FingerprintKey,
    host: &HostKey,
) -> Result<(), StoreError> {
    let wrapped = host.wrap(key)?;
    database.write("change key", |tx| {
        tx.execute("UPDATE meta SET key = ?1 WHERE id = 1", [wrapped])?;
        Ok(())
    })?;
    // What the row held before is of use to whoever knows the old key, or to everybody.
    database.rewrite()
}

fn new_key(keeper: &KeyKeeper) -> Result<StoredKey, StoreError> {
    let key = own_key::random()?;
    let check = own_key::check_value(&key);
    let form = match keeper {
        KeyKeeper::Store => KeyForm::Clear(key),
        KeyKeeper::Host(host) => KeyForm::Wrapped(host.wrap(&key)?),
    };
    Ok(StoredKey { form, check })
}

fn upgrade(database: &Database) -> Result<(), StoreError> {
    if database.read(version_of)? == VERSION {
        return Ok(());
    }
    database.write("upgrade", |tx| {
        // Another process may have been faster.
        if version_of(tx)? < WITH_ABSENT {
            tx.execute_batch(ABSENT)?;
            tx.pragma_update(None, "user_version", WITH_ABSENT)?;
        }
        Ok(())
    })
}

/// The version of the tables; `None` when there are none.
fn version(database: &Database, tx: &Transaction<'_>) -> Result<Option<i64>, Fault> {
    let version = version_of(tx)?;
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    let complain = |what: String| {
        let message = format!("{} {what}", database.path().display());
        Err(StoreError::new(StoreErrorKind::Failed, message).into())
    };
    match version {
        OLDEST..=VERSION => Ok(Some(version)),
        0 if tables == 0 => Ok(None),
        0 => complain("is the database of another program: choose another directory".into()),
        _ => complain(format!(
            "has version {version}, and this program knows version {VERSION}: use a newer program"
        )),
    }
}

/// The version that the database says it has.
pub(super) fn version_of(tx: &Transaction<'_>) -> Result<i64, Fault> {
    Ok(tx.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn create(tx: &Transaction<'_>, key: &StoredKey) -> Result<(), Fault> {
    tx.execute_batch(TABLES)?;
    tx.execute_batch(ABSENT)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    let column: Option<&[u8]> = match &key.form {
        KeyForm::Clear(key) => Some(key.as_bytes()),
        KeyForm::Wrapped(wrapped) => Some(wrapped),
        KeyForm::Absent => None,
    };
    tx.execute("INSERT INTO meta (id, key, key_check) VALUES (1, ?1, ?2)", (column, key.check))?;
    Ok(())
}

fn stored_key(tx: &Transaction<'_>) -> Result<StoredKey, Fault> {
    let damaged = |what| StoreError::new(StoreErrorKind::Corrupt, what);
    let row: Option<(Option<Vec<u8>>, [u8; 16])> = tx
        .query_row("SELECT key, key_check FROM meta WHERE id = 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (column, check) = row.ok_or_else(|| damaged("the row of the key is gone"))?;
    let form = match column {
        None => KeyForm::Absent,
        Some(bytes) => match (<[u8; 16]>::try_from(&*bytes), bytes.try_into()) {
            (Ok(key), _) => KeyForm::Clear(FingerprintKey::new(key)),
            (_, Ok(wrapped)) => KeyForm::Wrapped(wrapped),
            _ => return Err(damaged("the row of the key was altered").into()),
        },
    };
    Ok(StoredKey { form, check })
}

/// The key to use, if what the database knows and what the caller says agree.
fn agree(
    stored: StoredKey,
    keeper: KeyKeeper,
    database: &Database,
) -> Result<FingerprintKey, StoreError> {
    use StoreErrorKind::{Corrupt, WrongKey};
    let (key, kind, problem) = match (stored.form, keeper) {
        (KeyForm::Clear(key), KeyKeeper::Store) => (Some(key), Corrupt, ALTERED),
        (KeyForm::Wrapped(wrapped), KeyKeeper::Host(host)) => match host.unwrap(&wrapped) {
            Some(key) => (Some(key), Corrupt, ALTERED),
            None => (None, WrongKey, OTHER_KEY),
        },
        (KeyForm::Absent, KeyKeeper::Host(host)) => {
            (Some(host.as_fingerprint_key()), WrongKey, OTHER_KEY)
        }
        (KeyForm::Clear(_), KeyKeeper::Host(_)) => (None, WrongKey, OWN_KEY),
        (KeyForm::Wrapped(_) | KeyForm::Absent, KeyKeeper::Store) => (None, WrongKey, NO_KEY),
    };
    let key = key.filter(|key| own_key::check_value(key) == stored.check);
    key.ok_or_else(|| StoreError::new(kind, format!("{} {problem}", database.path().display())))
}

const ALTERED: &str = "has an altered key: restore it from a backup";
const OTHER_KEY: &str =
    "has another key: open it with the key it was created with or was last given";
const OWN_KEY: &str = "keeps its own key: open it without giving one, and if the host is to keep it \
    from now on, hand the host's key over to it then";
const NO_KEY: &str = "needs the key that its host keeps: open it with that key";

/// The oldest version that can be brought up to date.
const OLDEST: i64 = 1;

/// The version that brought absent members.
pub(super) const WITH_ABSENT: i64 = 2;

const VERSION: i64 = WITH_ABSENT;

const ABSENT: &str = "
    CREATE TABLE absent (
        activation TEXT NOT NULL,
        member BLOB NOT NULL,
        runs INTEGER NOT NULL,
        PRIMARY KEY (activation, member)
    ) STRICT, WITHOUT ROWID;
";

/// Times are microseconds (leases) or seconds (held members) since 1970. Unsigned 64-bit numbers
/// are stored as the signed number of the same bits.
const TABLES: &str = "
    CREATE TABLE meta (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        key BLOB,
        key_check BLOB NOT NULL
    ) STRICT;
    CREATE TABLE lease (
        activation TEXT PRIMARY KEY,
        token INTEGER NOT NULL,
        holder TEXT,
        until INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE head (
        activation TEXT PRIMARY KEY,
        body BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE journal (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        activation TEXT NOT NULL,
        batch INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX journal_by_batch ON journal (activation, batch);
    CREATE TABLE held (
        activation TEXT NOT NULL,
        member BLOB NOT NULL,
        cause TEXT NOT NULL,
        since INTEGER NOT NULL,
        retry_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        PRIMARY KEY (activation, member)
    ) STRICT, WITHOUT ROWID;
";
