//! The tables, their version, and the key that the store's fingerprints are made under.

use std::fmt;

use segment_diff::FingerprintKey;
use tokio_postgres::{error::SqlState, types::Type};

use super::link::{Fault, Link, Tx};
use crate::state::{HostKey, StoreError, StoreErrorKind, host_key::WRAPPED_BYTES, own_key};

/// The schema of the tables.
pub(super) struct Schema {
    name: String,
    quoted: String,
}

impl Schema {
    /// Fails when the server would take `name` for another one or for none.
    pub(super) fn new(name: &str) -> Result<Self, StoreError> {
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains('\0') {
            return Err(StoreError::new(
                StoreErrorKind::Failed,
                format!("the name of a schema has 1 to {LONGEST_NAME} bytes, none of them zero"),
            ));
        }
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        Ok(Self { name: name.to_owned(), quoted })
    }

    /// `sql` with the schema in the place of each `@`.
    pub(super) fn fill(&self, sql: &str) -> String {
        sql.replace('@', &self.quoted)
    }

    /// All that an empty database needs.
    pub(super) fn tables(&self) -> String {
        self.fill(&format!("{SCHEMA}{TABLES}"))
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "schema {:?}", self.name)
    }
}

/// What is there.
enum Found {
    Nothing,
    Schema,
    Tables,
}

/// Creates the tables where missing, and gives the key; `None` when there is none yet and nothing
/// may be written. Changes nothing in a store that has a key before it knows that `host` is right.
pub(super) async fn open(
    link: &Link,
    host: &HostKey,
    writable: bool,
) -> Result<Option<FingerprintKey>, StoreError> {
    match link.read(|tx| async move { look(&tx, link.schema()).await }).await? {
        Found::Tables => {}
        _ if !writable => return Ok(None),
        _ => create(link).await?,
    }
    let stored = match link.read(|tx| async move { key_row(&tx, link, false).await }).await? {
        Some(stored) => stored,
        None if !writable => return Ok(None),
        None => {
            let key = own_key::random()?;
            let new = KeyRow { wrapped: host.wrap(&key)?, check: own_key::check_value(&key) };
            let new = &new;
            link.write(|tx| async move { first_key(&tx, link, new).await }).await?
        }
    };
    let key = host.unwrap(&stored.wrapped).ok_or_else(|| {
        let message = format!("{} {OTHER_KEY}", link.place());
        StoreError::new(StoreErrorKind::WrongKey, message)
    })?;
    match own_key::check_value(&key) == stored.check {
        true => Ok(Some(key)),
        false => Err(damaged("key")),
    }
}

/// Wraps the store's key under another key of the host.
pub(super) async fn wrap_key(
    link: &Link,
    key: &FingerprintKey,
    host: &HostKey,
) -> Result<(), StoreError> {
    let wrapped = host.wrap(key)?;
    let wrapped = &wrapped[..];
    link.write(|tx| async move {
        tx.execute("UPDATE @.meta SET key = $1 WHERE id = 1", &[(&wrapped, Type::BYTEA)]).await
    })
    .await?;
    Ok(())
}

/// A row that is not as it was written.
pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("a stored {what} was altered"))
}

/// Asks the catalogues, which everybody may read.
async fn look(tx: &Tx<'_>, schema: &Schema) -> Result<Found, Fault> {
    let sql = "SELECT EXISTS (SELECT FROM pg_class \
        WHERE relnamespace = pg_namespace.oid AND relname = 'meta') \
        FROM pg_namespace WHERE nspname = $1";
    let row = tx.row(sql, &[(&schema.name, Type::TEXT)]).await?;
    Ok(match row.map(|row| row.try_get(0)).transpose()? {
        None => Found::Nothing,
        Some(false) => Found::Schema,
        Some(true) => Found::Tables,
    })
}

async fn create(link: &Link) -> Result<(), StoreError> {
    let schema = link.schema();
    let created = link.write(|tx| async move {
        // Two processes at once would get in each other's way.
        tx.rows("SELECT pg_advisory_xact_lock($1)", &[(&CREATING, Type::INT8)]).await?;
        let created = match look(&tx, schema).await? {
            Found::Tables => Ok(()),
            Found::Schema => tx.batch(TABLES).await,
            Found::Nothing => tx.batch(&format!("{SCHEMA}{TABLES}")).await,
        };
        match created {
            Err(Fault::Server(error))
                if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) =>
            {
                let message = format!("{} does not exist yet, and {NOT_ALLOWED}", link.place());
                Err(StoreError::new(StoreErrorKind::Failed, message).into())
            }
            created => created,
        }
    });
    created.await
}

/// A key that is wrapped under the host's, and the key's fingerprint of a fixed label.
struct KeyRow {
    wrapped: [u8; WRAPPED_BYTES],
    check: [u8; 16],
}

/// What the tables know of the key, if their version is known; `None` when there is no key yet.
async fn key_row(tx: &Tx<'_>, link: &Link, locked: bool) -> Result<Option<KeyRow>, Fault> {
    let sql = "SELECT version, key, key_check FROM @.meta WHERE id = 1";
    let sql = format!("{sql}{}", if locked { " FOR UPDATE" } else { "" });
    let complain = |what: &str| {
        let message = format!("{} {what}", link.place());
        Fault::Store(StoreError::new(StoreErrorKind::Failed, message))
    };
    let row = tx.row(&sql, &[]).await.map_err(|fault| match fault {
        Fault::Server(error) if error.code() == Some(&SqlState::UNDEFINED_COLUMN) => {
            complain(OTHER_PROGRAM)
        }
        fault => fault,
    })?;
    let row = row.ok_or_else(|| complain(OTHER_PROGRAM))?;
    let version: i32 = row.try_get(0).map_err(|_| complain(OTHER_PROGRAM))?;
    if version != VERSION {
        return Err(complain(&format!(
            "has version {version}, and this program knows version {VERSION}: use a newer program"
        )));
    }
    let bytes = |column: usize| -> Result<Option<Vec<u8>>, StoreError> {
        row.try_get(column).map_err(|_| damaged("key"))
    };
    match (bytes(1)?, bytes(2)?) {
        (None, None) => Ok(None),
        (Some(wrapped), Some(check)) => match (wrapped.try_into(), check.try_into()) {
            (Ok(wrapped), Ok(check)) => Ok(Some(KeyRow { wrapped, check })),
            _ => Err(damaged("key").into()),
        },
        _ => Err(damaged("key").into()),
    }
}

/// Stores the first key, unless another process was faster. Gives the one that is stored.
async fn first_key(tx: &Tx<'_>, link: &Link, new: &KeyRow) -> Result<KeyRow, Fault> {
    if let Some(stored) = key_row(tx, link, true).await? {
        return Ok(stored);
    }
    let (wrapped, check) = (&new.wrapped[..], &new.check[..]);
    let values = [(&wrapped as _, Type::BYTEA), (&check as _, Type::BYTEA)];
    tx.execute("UPDATE @.meta SET key = $1, key_check = $2 WHERE id = 1", &values).await?;
    Ok(KeyRow { wrapped: new.wrapped, check: new.check })
}

const VERSION: i32 = 1;

/// What PostgreSQL cuts names off at.
const LONGEST_NAME: usize = 63;

/// The number of the lock, which nobody else should use.
const CREATING: i64 = 0x6163_7469_7661_7465;

const OTHER_KEY: &str =
    "has another key: open it with the key it was created with or was last given";

const OTHER_PROGRAM: &str = "belongs to another program: choose another schema";

const NOT_ALLOWED: &str = "its user may not create it: GRANT CREATE ON DATABASE or, where the schema \
    exists, GRANT CREATE ON SCHEMA to the user, or have the tables created with the SQL that \
    PostgresStateStore::tables gives";

const SCHEMA: &str = "CREATE SCHEMA @;\n";

/// Names and causes are `bytea`, since `text` takes no zero byte, nor in some databases every
/// letter. Times are microseconds (leases) or seconds (held members) since 1970. Unsigned 64-bit
/// numbers are stored as the signed number of the same bits. The columns `…_id` tell the one who
/// wrote a row, when a connection was cut, that it is there. Without `SET STATISTICS 0` ANALYZE would
/// copy members into the catalogues, where no erasure reaches them.
const TABLES: &str = "\
CREATE TABLE @.meta (
    id smallint PRIMARY KEY CHECK (id = 1),
    version integer NOT NULL,
    key bytea,
    key_check bytea
);
CREATE TABLE @.lease (
    activation bytea PRIMARY KEY,
    token bigint NOT NULL,
    holder bytea,
    until bigint NOT NULL,
    lease_id bytea NOT NULL
);
CREATE TABLE @.head (
    activation bytea PRIMARY KEY,
    body bytea NOT NULL,
    commit_id bytea NOT NULL
);
CREATE TABLE @.journal (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    activation bytea NOT NULL,
    batch bigint NOT NULL,
    body bytea NOT NULL,
    entry_id bytea NOT NULL
);
CREATE INDEX journal_by_batch ON @.journal (activation, batch);
CREATE TABLE @.held (
    activation bytea NOT NULL,
    member bytea NOT NULL,
    cause bytea NOT NULL,
    since bigint NOT NULL,
    retry_at bigint NOT NULL,
    attempts bigint NOT NULL,
    PRIMARY KEY (activation, member)
);
CREATE TABLE @.absent (
    activation bytea NOT NULL,
    member bytea NOT NULL,
    runs bigint NOT NULL,
    PRIMARY KEY (activation, member)
);
CREATE TABLE @.chunk (
    activation bytea NOT NULL,
    snapshot bytea NOT NULL,
    number bigint NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (activation, snapshot, number)
);
ALTER TABLE @.chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE @.head ALTER COLUMN body SET STATISTICS 0;
ALTER TABLE @.journal ALTER COLUMN body SET STATISTICS 0;
ALTER TABLE @.held ALTER COLUMN member SET STATISTICS 0;
ALTER TABLE @.absent ALTER COLUMN member SET STATISTICS 0;
ALTER TABLE @.chunk ALTER COLUMN bytes SET STATISTICS 0;
INSERT INTO @.meta (id, version) VALUES (1, 1);
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_a_name() {
        let schema = Schema::new("a\"; DROP TABLE x; --").unwrap();
        assert_eq!(
            schema.fill("SELECT 1 FROM @.lease"),
            "SELECT 1 FROM \"a\"\"; DROP TABLE x; --\".lease"
        );
    }

    #[test]
    fn a_name_that_the_server_would_cut_off_is_refused() {
        for name in ["", "a\0b", &"x".repeat(64)] {
            assert!(Schema::new(name).is_err(), "{name:?}");
        }
        assert!(Schema::new(&"x".repeat(63)).is_ok());
    }

    #[test]
    fn the_tables_have_the_version_that_this_program_knows() {
        let row = format!("INSERT INTO @.meta (id, version) VALUES (1, {VERSION});\n");
        assert!(TABLES.ends_with(&row));
    }
}
