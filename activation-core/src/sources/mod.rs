//! Ready-made sources, each behind a feature of its own.

mod memory;

#[cfg(feature = "adbc")]
mod adbc;
#[cfg(feature = "arrow")]
mod arrow;
#[cfg(any(feature = "arrow", feature = "csv", feature = "postgres", feature = "sqlite"))]
mod columns;
#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "adbc", feature = "csv", feature = "sqlite"))]
mod thread;

#[cfg(feature = "adbc")]
pub use self::adbc::{AdbcDatabase, AdbcSource};
#[cfg(feature = "arrow")]
pub use self::arrow::ArrowColumns;
#[cfg(feature = "csv")]
pub use self::csv::CsvSource;
pub use self::memory::MemorySource;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresSource;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteSource;
