//! The SQLite file: opening it, transactions on it, and what its errors mean.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, ffi};

use super::{
    files,
    steps::{Step, Steps},
};
use crate::state::{StoreError, StoreErrorKind};

/// One connection to `state.db`, used by one thread at a time.
pub(super) struct Database {
    path: PathBuf,
    connection: Mutex<Connection>,
    writable: bool,
    steps: Arc<Steps>,
}

/// Why work inside a transaction stopped.
pub(super) enum Fault {
    /// SQLite could not do its part.
    Sqlite(rusqlite::Error),
    /// The contract does not allow it.
    Store(StoreError),
}

impl Database {
    /// Opens the file for reading and writing, and creates it when missing.
    pub(super) fn open(path: PathBuf, steps: Arc<Steps>) -> Result<Self, StoreError> {
        // Created here and not by SQLite, because it may hold the key: nobody else may read it.
        files::private_file()
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| files::failed("cannot open", &path, error))?;
        let database = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, steps)?;
        let configured = database.connection().execute_batch(CONFIGURATION);
        configured.map_err(|error| database.explain(error))?;
        Ok(database)
    }

    /// Opens the file for reading only.
    pub(super) fn open_read_only(path: PathBuf, steps: Arc<Steps>) -> Result<Self, StoreError> {
        Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, steps)
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fails when the store was opened for reading only.
    pub(super) fn check_writable(&self) -> Result<(), StoreError> {
        if self.writable {
            return Ok(());
        }
        let message = format!("{} was opened for reading only", self.path.display());
        Err(StoreError::new(StoreErrorKind::Failed, message))
    }

    /// Runs `work` on one consistent view of the database.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.transaction(TransactionBehavior::Deferred, work)
    }

    /// Runs `work` alone among all writers, and makes what it did durable, or undoes all of it.
    pub(super) fn write<T>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.check_writable()?;
        self.steps.before(Step::Transaction(name))?;
        self.transaction(TransactionBehavior::Immediate, work)
    }

    /// Writes the file anew, so that nothing that was deleted is left in it: a deleted row goes on
    /// lying in free space until something else is written there.
    pub(super) fn rewrite(&self) -> Result<(), StoreError> {
        self.check_writable()?;
        self.steps.before(Step::RewriteDatabase)?;
        self.connection().execute_batch("VACUUM").map_err(|error| self.explain(error))
    }

    fn connect(path: PathBuf, flags: OpenFlags, steps: Arc<Steps>) -> Result<Self, StoreError> {
        let writable = flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE);
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)
            .and_then(|connection| connection.busy_timeout(BUSY_TIMEOUT).map(|()| connection))
            .map_err(|error| explain(&path, error))?;
        Ok(Self { path, connection: Mutex::new(connection), writable, steps })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transaction<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let worked = connection
            .transaction_with_behavior(behavior)
            .map_err(Fault::Sqlite)
            .and_then(|transaction| {
                let done = work(&transaction)?;
                transaction.commit()?;
                Ok(done)
            });
        worked.map_err(|fault| match fault {
            Fault::Sqlite(error) => self.explain(error),
            Fault::Store(error) => error,
        })
    }

    fn explain(&self, error: rusqlite::Error) -> StoreError {
        explain(&self.path, error)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn explain(path: &Path, error: rusqlite::Error) -> StoreError {
    let (kind, what) = meaning(&error);
    StoreError::new(kind, format!("{what} {}", path.display())).caused_by(error)
}

fn meaning(error: &rusqlite::Error) -> (StoreErrorKind, &'static str) {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            _ if failure.extended_code == ffi::SQLITE_READONLY_ROLLBACK => {
                (StoreErrorKind::Unavailable, INTERRUPTED)
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                (StoreErrorKind::Unavailable, "another process is using")
            }
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                (StoreErrorKind::Corrupt, "damaged, or not a state database:")
            }
            _ => (StoreErrorKind::Failed, "cannot use"),
        },
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) => {
            (StoreErrorKind::Corrupt, "unreadable row in")
        }
        _ => (StoreErrorKind::Failed, "cannot use"),
    }
}

/// * A rollback journal and no write-ahead log, so that opening read-only makes no files.
/// * EXTRA and not FULL: with a rollback journal only EXTRA makes a commit survive a power cut that
///   follows at once.
/// * Temporary tables in memory, so that nothing is written outside of the directory.
const CONFIGURATION: &str = "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; \
    PRAGMA fullfsync = ON; PRAGMA temp_store = MEMORY;";

/// Transactions last milliseconds; whoever takes longer is stuck.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const INTERRUPTED: &str = "a write was interrupted and must be undone first, \
    which the next real run does by itself; until then nothing can be read from";

#[cfg(test)]
mod tests {
    use super::*;

    fn open(directory: &Path) -> Database {
        let database = Database::open(directory.join("state.db"), Arc::default()).unwrap();
        database.connection().busy_timeout(Duration::ZERO).unwrap();
        database
    }

    #[test]
    fn a_database_that_another_process_writes_is_unavailable_for_now() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two) = (open(directory.path()), open(directory.path()));
        one.write("outer", |_| {
            let error = two.write("inner", |_| Ok(())).unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Unavailable);
            assert!(error.to_string().contains("state.db"), "{error}");
            Ok(())
        })
        .unwrap();
        two.write("later", |_| Ok(())).unwrap();
    }

    #[test]
    fn a_failed_transaction_undoes_what_it_did() {
        let directory = tempfile::tempdir().unwrap();
        let database = open(directory.path());
        let failed = database.write("create", |tx| {
            tx.execute_batch("CREATE TABLE t (x)")?;
            Err::<(), _>(StoreError::new(StoreErrorKind::Moved, "no").into())
        });
        assert_eq!(failed.unwrap_err().kind, StoreErrorKind::Moved);
        let tables: i64 = database
            .read(|tx| Ok(tx.query_row("SELECT count(*) FROM sqlite_master", [], |r| r.get(0))?))
            .unwrap();
        assert_eq!(tables, 0);
    }

    #[test]
    fn a_commit_survives_a_power_cut_and_leaves_no_log() {
        let directory = tempfile::tempdir().unwrap();
        let database = open(directory.path());
        let setting = |name: &str| -> String {
            let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
            database.connection().query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(setting("journal_mode"), "delete");
        assert_eq!(setting("synchronous"), "3", "which is EXTRA");
    }
}
