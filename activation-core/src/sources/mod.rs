//! Ready-made sources, each behind a feature of its own.

mod memory;

#[cfg(any(feature = "csv", feature = "postgres", feature = "sqlite"))]
mod columns;
#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "csv", feature = "sqlite"))]
mod thread;

#[cfg(feature = "csv")]
pub use self::csv::CsvSource;
pub use self::memory::MemorySource;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresSource;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteSource;
