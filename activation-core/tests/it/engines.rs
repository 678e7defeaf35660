//! Engines in processes of their own, which end with this one.

mod child;

use std::sync::{Arc, Mutex, OnceLock};

use activation_core::Dialect;

use self::child::Conversation;
pub(crate) use self::child::Engine;
use crate::adbc::{Warehouse, brought, unavailable};

/// Sail, which speaks Spark's SQL, with workers of its own. `None` where it cannot be brought, which is
/// an error in CI.
pub(crate) fn sail() -> Option<Warehouse> {
    static SERVER: OnceLock<Option<(Conversation, Warehouse)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let packages = brought(&["flightsql", "sail"], "CI")?;
        let mut server = Conversation::with("sail.py", &packages.join("sail"), &[]);
        let port = server.hear().trim().parse().unwrap();
        Some((server, Warehouse::flight_sql(&packages, port)))
    });
    server.as_ref().map(|(_, warehouse)| warehouse.clone())
}

/// Apache Spark with two workers. It takes half a minute and four gigabytes, so it is only there where
/// `CI_FULL` is set.
pub(crate) fn spark() -> Option<Warehouse> {
    static SERVER: OnceLock<Option<(Conversation, Warehouse)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        if std::env::var("CI_FULL").unwrap_or_default().is_empty() {
            unavailable("Apache Spark runs where CI_FULL is set", "CI_FULL");
            return None;
        }
        let packages = brought(&["spark", "spark-connect"], "CI_FULL")?;
        let mut server = Conversation::with("spark.py", &packages.join("spark"), &[]);
        let port = server.hear().trim().parse().unwrap();
        Some((server, Warehouse::spark_connect(&packages, port)))
    });
    server.as_ref().map(|(_, warehouse)| warehouse.clone())
}

/// ClickHouse, with a database of each test's own.
pub(crate) fn clickhouse(database: &str) -> Option<Engine> {
    static SERVER: OnceLock<Option<Arc<Mutex<Conversation>>>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let packages = brought(&["clickhouse"], "CI")?;
        let server = Conversation::with("clickhouse.py", &packages.join("clickhouse"), &[]);
        Some(Arc::new(Mutex::new(server)))
    });
    Some(with_database(server.clone()?, Dialect::clickhouse(), database))
}

/// MariaDB, with a database of each test's own. Only Debian has it as a package that need not be
/// installed, so elsewhere it is an error not to have it only where `CI_FULL` is set.
pub(crate) fn mariadb(database: &str) -> Option<Engine> {
    static SERVER: OnceLock<Option<Arc<Mutex<Conversation>>>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let packages = brought(&["mariadb", "pymysql"], "CI_FULL")?;
        let files = packages.join("mariadb");
        let server = Conversation::with("mariadb.py", &packages.join("pymysql"), &[&files]);
        Some(Arc::new(Mutex::new(server)))
    });
    Some(with_database(server.clone()?, Dialect::mysql(), database))
}

/// The segment is the column `email` of the table `members` in a new database.
fn with_database(
    conversation: Arc<Mutex<Conversation>>,
    dialect: Dialect,
    database: &str,
) -> Engine {
    let query = format!("SELECT email AS k FROM {database}.members");
    let engine = Engine::new(conversation, dialect, database, &query);
    engine.run(&format!("CREATE DATABASE {database}"));
    engine
}
