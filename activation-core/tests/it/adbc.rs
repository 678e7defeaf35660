//! Real drivers, and warehouses that tests fill through them.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
};

use activation_core::sources::AdbcDatabase;
use adbc_core::{
    Connection as _, Database as _, Driver as _, LOAD_FLAG_DEFAULT, Optionable as _,
    Statement as _,
    options::{AdbcVersion, OptionConnection, OptionDatabase},
};
use adbc_driver_manager::{ManagedConnection, ManagedDriver};
use arrow_array::{ArrayRef, RecordBatch, StringArray};

/// Where the drivers are, brought there by the first who asks. Without them a test fails where `CI`
/// is set, and is skipped elsewhere.
pub(crate) fn drivers() -> Option<&'static Path> {
    static DRIVERS: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match DRIVERS.get_or_init(fetch) {
        Ok(directory) => Some(directory),
        Err(why) => {
            unavailable(why);
            None
        }
    }
}

fn fetch() -> Result<PathBuf, String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("adbc-drivers");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers.sh");
    let brought = Command::new(script).arg(&directory).output().map_err(|e| e.to_string())?;
    match brought.status.success() {
        true => Ok(directory),
        false => Err(format!("no drivers: {}", String::from_utf8_lossy(&brought.stderr))),
    }
}

/// What a test needs is missing.
fn unavailable(why: &str) {
    assert!(env::var("CI").unwrap_or_default().is_empty(), "{why}");
    #[expect(clippy::print_stdout, reason = "whoever runs the tests should see it")]
    {
        println!("skipped: {why}");
    }
}

/// A database in a directory of the test's own, with its driver.
#[derive(Clone)]
pub(crate) struct Warehouse {
    driver: PathBuf,
    entrypoint: &'static str,
    option: &'static str,
    value: String,
}

impl Warehouse {
    pub(crate) fn duckdb(drivers: &Path, file: &Path) -> Self {
        let (driver, value) = (drivers.join("duckdb.so"), file.display().to_string());
        Self { driver, entrypoint: "duckdb_adbc_init", option: "path", value }
    }

    pub(crate) fn sqlite(drivers: &Path, file: &Path) -> Self {
        let (driver, value) = (drivers.join("sqlite.so"), file.display().to_string());
        Self { driver, entrypoint: "AdbcDriverInit", option: "uri", value }
    }

    #[cfg(all(feature = "postgres", feature = "test-util", unix))]
    pub(crate) fn postgres(drivers: &Path, database: &crate::postgres::Database<'_>) -> Self {
        let (driver, value) = (drivers.join("postgresql.so"), database.socket_url());
        Self { driver, entrypoint: "AdbcDriverInit", option: "uri", value }
    }

    pub(crate) fn driver(&self) -> &Path {
        &self.driver
    }

    /// As a source opens it.
    pub(crate) fn database(&self) -> AdbcDatabase {
        AdbcDatabase::driver(self.driver.to_str().unwrap())
            .entrypoint(self.entrypoint)
            .option(self.option, &self.value)
    }

    /// As whoever fills it opens it.
    fn connect(&self) -> ManagedConnection {
        let mut driver = ManagedDriver::load_from_name(
            &self.driver,
            Some(self.entrypoint.as_bytes()),
            AdbcVersion::V110,
            LOAD_FLAG_DEFAULT,
            None,
        )
        .unwrap();
        let options = [(OptionDatabase::from(self.option), self.value.as_str().into())];
        driver.new_database_with_opts(options).unwrap().new_connection().unwrap()
    }

    /// Runs statements, one after the other.
    pub(crate) fn run<const N: usize>(&self, statements: [&str; N]) {
        let mut connection = self.connect();
        for sql in statements {
            run(&mut connection, sql);
        }
    }

    /// A connection that has run a statement, and keeps its database open.
    pub(crate) fn open(&self, sql: &str) -> ManagedConnection {
        let mut connection = self.connect();
        run(&mut connection, sql);
        connection
    }

    /// Makes the table `people` consist of these rows, at once. An empty one is NULL.
    pub(crate) fn set_people(&self, rows: Vec<String>) {
        let mut connection = self.connect();
        connection.set_option(OptionConnection::AutoCommit, "false".into()).unwrap();
        run(&mut connection, "DELETE FROM people");
        if !rows.is_empty() {
            let emails: StringArray =
                rows.into_iter().map(|row| Some(row).filter(|row| !row.is_empty())).collect();
            let emails: ArrayRef = Arc::new(emails);
            let mut insert = connection.new_statement().unwrap();
            insert.set_sql_query("INSERT INTO people VALUES (?)").unwrap();
            insert.prepare().unwrap();
            let batch = RecordBatch::try_from_iter_with_nullable([("email", emails, true)]);
            insert.bind(batch.unwrap()).unwrap();
            insert.execute_update().unwrap();
        }
        connection.commit().unwrap();
    }
}

fn run(connection: &mut ManagedConnection, sql: &str) {
    let mut statement = connection.new_statement().unwrap();
    statement.set_sql_query(sql).unwrap();
    let reader = statement.execute().unwrap();
    reader.for_each(|batch| drop(batch.unwrap()));
}
