//! How warehouses differ, as data.

/// How a warehouse writes what the difference needs. In the templates, `{}` stands for an expression.
///
/// A host may start from one of these and change what its warehouse wants otherwise, such as where
/// tables are stored.
///
/// | dialect | in this crate's tests |
/// |---|---|
/// | [`sqlite`](Self::sqlite), [`postgresql`](Self::postgresql), [`duckdb`](Self::duckdb) | run |
/// | [`spark`](Self::spark) | run on Sail, a distributed engine that speaks Spark's SQL, and in full runs on Apache Spark |
/// | [`clickhouse`](Self::clickhouse) | run on ClickHouse embedded in a process |
/// | [`mysql`](Self::mysql) | run on MariaDB, where Debian's package of it can be had |
/// | [`redshift`](Self::redshift), [`snowflake`](Self::snowflake), [`bigquery`](Self::bigquery), [`databricks`](Self::databricks), [`trino`](Self::trino) | parsed only |
///
/// Those that are only parsed are written by the documentation of their warehouses: compare some runs with
/// dry runs, which read in full, before you rely on one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dialect {
    /// The warehouse's name.
    pub name: &'static str,
    /// How names are quoted.
    pub quoting: Quoting,
    /// What stands between the name of a new table of identifiers (`k` and `n`) and `AS SELECT`.
    pub keys: &'static str,
    /// The same for a table of identifiers to be left out (`h`).
    pub left_out: &'static str,
    /// The rows of one table that are not in another.
    pub difference: Difference,
    /// The identifier as something that is compared byte by byte; NULL as the empty text. This is how
    /// it is kept in our tables.
    pub text: &'static str,
    /// What is kept, as the text that the identifier is.
    pub spelling: &'static str,
    /// The bytes of what is kept in UTF-8, as hexadecimal digits in upper case. Identifiers enter
    /// statements only in this form, so that there is nothing in them to be quoted.
    pub hex: &'static str,
}

/// How names are quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quoting {
    /// Between two of this character, which is doubled where it is part of the name.
    Doubled(char),
    /// Between two of this character; where it is part of the name, a backslash stands before it, and
    /// before a backslash.
    Escaped(char),
}

/// How the rows of one table that are not in another are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// `WHERE k NOT IN (SELECT …)`, for warehouses that make an index for it.
    NotIn,
    /// `WHERE NOT EXISTS (SELECT …)`.
    NotExists,
    /// `LEFT ANTI JOIN`.
    LeftAntiJoin,
}

impl Dialect {
    /// All of them.
    pub const fn all() -> [Self; 11] {
        [
            Self::sqlite(),
            Self::postgresql(),
            Self::redshift(),
            Self::duckdb(),
            Self::snowflake(),
            Self::bigquery(),
            Self::databricks(),
            Self::spark(),
            Self::trino(),
            Self::mysql(),
            Self::clickhouse(),
        ]
    }

    /// The one of this [`name`](Self::name), in upper or lower case.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|dialect| dialect.name.eq_ignore_ascii_case(name))
    }

    /// SQLite. Whole numbers become text; what is neither stays as it is, so that the scan notices it.
    pub const fn sqlite() -> Self {
        Self {
            name: "SQLite",
            quoting: Quoting::Doubled('"'),
            keys: "",
            left_out: "",
            difference: Difference::NotIn,
            text: "CASE typeof({}) WHEN 'null' THEN '' WHEN 'integer' THEN CAST({} AS TEXT) \
                   ELSE {} END COLLATE BINARY",
            spelling: "{}",
            hex: "hex({})",
        }
    }

    /// PostgreSQL, from version 12.
    pub const fn postgresql() -> Self {
        Self {
            name: "PostgreSQL",
            difference: Difference::NotExists,
            text: "COALESCE(CAST({} AS text) COLLATE \"C\", '')",
            hex: "upper(encode(convert_to({}, 'UTF8'), 'hex'))",
            ..Self::sqlite()
        }
    }

    /// Redshift. It takes texts that differ in spaces at their end for equal, so identifiers are kept as
    /// hexadecimal digits. Not run by our tests.
    pub const fn redshift() -> Self {
        Self {
            name: "Redshift",
            difference: Difference::NotExists,
            text: "UPPER(FROM_VARBYTE(CAST(COALESCE(CAST({} AS VARCHAR), '') AS VARBYTE), 'hex'))",
            spelling: "CASE {} WHEN '' THEN '' ELSE FROM_VARBYTE(FROM_HEX({}), 'utf8') END",
            hex: "{}",
            ..Self::sqlite()
        }
    }

    /// DuckDB.
    pub const fn duckdb() -> Self {
        Self {
            name: "DuckDB",
            difference: Difference::NotExists,
            text: "COALESCE(CAST({} AS VARCHAR) COLLATE C, '')",
            hex: "hex({})",
            ..Self::sqlite()
        }
    }

    /// Snowflake. Names are taken as they are written, so those of the schema are mostly upper case.
    /// Not run by our tests.
    pub const fn snowflake() -> Self {
        Self {
            name: "Snowflake",
            difference: Difference::NotExists,
            text: "COALESCE(COLLATE(CAST({} AS VARCHAR), ''), '')",
            hex: "HEX_ENCODE({})",
            ..Self::sqlite()
        }
    }

    /// BigQuery. Not run by our tests.
    pub const fn bigquery() -> Self {
        Self {
            name: "BigQuery",
            quoting: Quoting::Escaped('`'),
            difference: Difference::NotExists,
            text: "COALESCE(COLLATE(CAST({} AS STRING), ''), '')",
            hex: "UPPER(TO_HEX(CAST({} AS BYTES)))",
            ..Self::sqlite()
        }
    }

    /// Databricks. Not run by our tests.
    pub const fn databricks() -> Self {
        Self {
            name: "Databricks",
            quoting: Quoting::Doubled('`'),
            difference: Difference::LeftAntiJoin,
            text: "COALESCE(CAST({} AS STRING), '')",
            hex: "HEX({})",
            ..Self::sqlite()
        }
    }

    /// Spark and what speaks its SQL, with tables as Parquet.
    pub const fn spark() -> Self {
        Self {
            name: "Spark",
            keys: "USING PARQUET ",
            left_out: "USING PARQUET ",
            ..Self::databricks()
        }
    }

    /// Trino. Not run by our tests.
    pub const fn trino() -> Self {
        Self {
            name: "Trino",
            difference: Difference::NotExists,
            text: "COALESCE(CAST({} AS VARCHAR), '')",
            hex: "TO_HEX(TO_UTF8({}))",
            ..Self::sqlite()
        }
    }

    /// MySQL and MariaDB. Identifiers are kept as bytes, since most collations take different texts for
    /// equal, and of those that are too long for any address only the beginning.
    pub const fn mysql() -> Self {
        Self {
            name: "MySQL",
            quoting: Quoting::Doubled('`'),
            keys: "(k VARBINARY(1020) NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (k)) ",
            left_out: "(h VARCHAR(2040) CHARACTER SET ascii NOT NULL, PRIMARY KEY (h)) ",
            difference: Difference::NotExists,
            spelling: "{}",
            text: "LEFT(CAST(COALESCE(CAST({} AS CHAR CHARACTER SET utf8mb4), '') AS BINARY), 1020)",
            hex: "HEX({})",
        }
    }

    /// ClickHouse.
    pub const fn clickhouse() -> Self {
        Self {
            name: "ClickHouse",
            quoting: Quoting::Escaped('`'),
            keys: "ENGINE = MergeTree ORDER BY k ",
            left_out: "ENGINE = MergeTree ORDER BY h ",
            difference: Difference::LeftAntiJoin,
            text: "ifNull(toString({}), '')",
            spelling: "{}",
            hex: "hex({})",
        }
    }
}
