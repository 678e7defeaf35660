//! Real drivers, and warehouses that tests fill through them.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
};

use activation_core::sources::{AdbcDatabase, ArrowColumns};
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
    static DRIVERS: OnceLock<Option<PathBuf>> = OnceLock::new();
    DRIVERS.get_or_init(|| brought(&[], "CI")).as_deref()
}

/// The directory with these packages, or the drivers of warehouses that need no server. That they
/// cannot be brought is an error where the variable of the environment is set.
pub(crate) fn brought(names: &[&str], required_where: &str) -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("adbc-drivers");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers.sh");
    let brought = Command::new(script).arg(&directory).args(names).output();
    let why = match brought {
        Ok(output) if output.status.success() => return Some(directory),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    unavailable(&format!("no drivers: {why}"), required_where);
    None
}

/// What a test needs is missing.
pub(crate) fn unavailable(why: &str, required_where: &str) {
    assert!(env::var(required_where).unwrap_or_default().is_empty(), "{why}");
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

    /// An engine that speaks Flight SQL at this port.
    pub(crate) fn flight_sql(drivers: &Path, port: u16) -> Self {
        let (driver, value) = (drivers.join("flightsql.so"), format!("grpc://127.0.0.1:{port}"));
        Self { driver, entrypoint: "AdbcDriverInit", option: "uri", value }
    }

    /// Spark at this port, by its own protocol.
    pub(crate) fn spark_connect(drivers: &Path, port: u16) -> Self {
        let (driver, value) = (drivers.join("spark-connect.so"), format!("sc://127.0.0.1:{port}"));
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

    /// The texts in a column of what a query gives.
    pub(crate) fn texts(&self, sql: &str, column: &str) -> Vec<String> {
        let mut connection = self.connect();
        let mut statement = connection.new_statement().unwrap();
        statement.set_sql_query(sql).unwrap();
        let mut texts = Vec::new();
        for batch in statement.execute().unwrap() {
            let batch = batch.unwrap();
            let keys = ArrowColumns::new().column(column).keys(&batch).unwrap();
            texts.extend(keys.iter().map(|text| String::from_utf8(text.to_vec()).unwrap()));
        }
        texts
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
