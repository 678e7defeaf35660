//! The tables, their version, and the key that the store's fingerprints are made under.

use rusqlite::{OptionalExtension, Transaction};
use segment_diff::FingerprintKey;

use super::database::{Database, Fault};
use crate::state::{StoreError, StoreErrorKind};

/// Who keeps the key.
pub(super) enum KeyKeeper {
    /// The store itself, in its database.
    Store,
    /// The host, who gives it at every opening.
    Host(FingerprintKey),
}

/// What the database knows of its key.
struct StoredKey {
    /// The key, unless the host keeps it.
    key: Option<FingerprintKey>,
    /// The key's fingerprint of a fixed label.
    check: [u8; 16],
}

/// Creates the tables where missing, brings those of an older version up to date, and gives the key.
pub(super) fn open(database: &Database, keeper: KeyKeeper) -> Result<FingerprintKey, StoreError> {
    let found = database.read(|tx| version(database, tx))?;
    if found.is_some_and(|version| version < VERSION) {
        database.write("upgrade", |tx| {
            // Another process may have been faster.
            if version_of(tx)? < WITH_ABSENT {
                tx.execute_batch(ABSENT)?;
                tx.pragma_update(None, "user_version", WITH_ABSENT)?;
            }
            Ok(())
        })?;
    }
    if found.is_none() {
        let new = match &keeper {
            KeyKeeper::Store => {
                let key = random_key()?;
                StoredKey { check: check_value(&key), key: Some(key) }
            }
            KeyKeeper::Host(key) => StoredKey { check: check_value(key), key: None },
        };
        database.write("create", |tx| {
            // Another process may have been faster.
            if version(database, tx)?.is_none() {
                create(tx, &new)?;
            }
            Ok(())
        })?;
    }
    let stored = database.read(stored_key)?;
    agree(stored, keeper, database)
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
    tx.execute(
        "INSERT INTO meta (id, key, key_check) VALUES (1, ?1, ?2)",
        (key.key.as_ref().map(FingerprintKey::as_bytes), key.check),
    )?;
    Ok(())
}

fn stored_key(tx: &Transaction<'_>) -> Result<StoredKey, Fault> {
    let row = tx
        .query_row("SELECT key, key_check FROM meta WHERE id = 1", [], |row| {
            let key: Option<[u8; 16]> = row.get(0)?;
            Ok(StoredKey { key: key.map(FingerprintKey::new), check: row.get(1)? })
        })
        .optional()?;
    row.ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "the row of the key is gone").into())
}

/// The key to use, if what the database knows and what the caller says agree.
fn agree(
    stored: StoredKey,
    keeper: KeyKeeper,
    database: &Database,
) -> Result<FingerprintKey, StoreError> {
    let (key, kind, problem) = match (stored.key, keeper) {
        (Some(key), KeyKeeper::Store) => {
            (key, StoreErrorKind::Corrupt, "has an altered key: restore it from a backup")
        }
        (None, KeyKeeper::Host(key)) => (
            key,
            StoreErrorKind::WrongKey,
            "was created with another key: open it with the key it was created with",
        ),
        (Some(_), KeyKeeper::Host(_)) => {
            return Err(wrong_key(database, "keeps its own key: open it without giving one"));
        }
        (None, KeyKeeper::Store) => {
            return Err(wrong_key(
                database,
                "was created with a key that the host keeps: open it with that key",
            ));
        }
    };
    if check_value(&key) == stored.check {
        return Ok(key);
    }
    Err(StoreError::new(kind, format!("{} {problem}", database.path().display())))
}

fn wrong_key(database: &Database, problem: &str) -> StoreError {
    let message = format!("{} {problem}", database.path().display());
    StoreError::new(StoreErrorKind::WrongKey, message)
}

fn check_value(key: &FingerprintKey) -> [u8; 16] {
    // No identifier of a person looks like this, so the value tells nothing about one.
    *key.fingerprint(b"activation-core: check value of the key").as_bytes()
}

fn random_key() -> Result<FingerprintKey, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        StoreError::new(StoreErrorKind::Failed, "the system gives no random bytes").caused_by(error)
    })?;
    Ok(FingerprintKey::new(bytes))
}

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
