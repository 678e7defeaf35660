// Each page is a file that can be read by itself too: its links lead to files at its end, and to modules
// here, since the first meaning of a link counts.
#![doc = "[csv]: self::csv"]
#![doc = "[sqlite]: self::sqlite"]
#![doc = "[postgresql]: self::postgresql"]
#![doc = "[duckdb]: self::duckdb"]
#![doc = "[snowflake]: self::snowflake"]
#![doc = "[bigquery]: self::bigquery"]
#![doc = "[spark]: self::spark"]
#![doc = "[any_adbc]: self::any_adbc"]
#![doc = "[your_own]: self::your_own"]
#![doc = ""]
#![doc = include_str!("README.md")]

#[cfg(feature = "csv")]
#[doc = include_str!("csv.md")]
pub mod csv {}

#[cfg(feature = "sqlite")]
#[doc = include_str!("sqlite.md")]
pub mod sqlite {}

#[cfg(feature = "postgres")]
#[doc = "[any_adbc]: self::any_adbc"]
#[doc = ""]
#[doc = include_str!("postgresql.md")]
pub mod postgresql {}

#[cfg(feature = "adbc")]
#[doc = include_str!("duckdb.md")]
pub mod duckdb {}

#[cfg(feature = "adbc")]
#[doc = include_str!("snowflake.md")]
pub mod snowflake {}

#[cfg(feature = "adbc")]
#[doc = "[snowflake]: self::snowflake"]
#[doc = ""]
#[doc = include_str!("bigquery.md")]
pub mod bigquery {}

#[cfg(feature = "adbc")]
#[doc = include_str!("spark.md")]
pub mod spark {}

#[cfg(feature = "adbc")]
#[doc = include_str!("any_adbc.md")]
pub mod any_adbc {}

#[doc = include_str!("your_own.md")]
pub mod your_own {}
