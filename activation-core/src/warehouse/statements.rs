//! The statements, as text.

use std::fmt::Write as _;

use super::{Dialect, Difference, Quoting};

/// Writes statements in a dialect, about tables in a schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statements<'a> {
    dialect: &'a Dialect,
    schema: &'a [String],
}

impl<'a> Statements<'a> {
    pub(crate) fn new(dialect: &'a Dialect, schema: &'a [String]) -> Self {
        Self { dialect, schema }
    }

    /// Makes a table of each identifier of the segment, `k`, and how often it occurs, `n`.
    pub(crate) fn stage(&self, table: &str, segment: &str) -> String {
        let text = self.dialect.text.replace("{}", "k");
        // The line break ends a comment that the segment's query may end with.
        let select = format!(
            "SELECT k, COUNT(*) AS n FROM (SELECT {text} AS k FROM (\n{segment}\n) s) t GROUP BY k"
        );
        self.create(table, self.dialect.keys, &select)
    }

    /// All rows of a table.
    pub(crate) fn all(&self, table: &str) -> String {
        format!("SELECT {} AS k, a.n AS n FROM {} a", self.spelling("a.k"), self.table(table))
    }

    /// The rows of `one` table whose identifier is not in the `other`.
    pub(crate) fn only_in(&self, one: &str, other: &str) -> String {
        self.difference(one, &self.spelling("a.k"), "a.k", other, "k")
    }

    /// The number of rows of a table.
    pub(crate) fn count(&self, table: &str) -> String {
        format!("SELECT 'rows' AS k, COUNT(*) AS n FROM {}", self.table(table))
    }

    /// Makes an empty table for identifiers of `stage` that are to be left out.
    pub(crate) fn left_out(&self, table: &str, stage: &str) -> String {
        let hex = self.dialect.hex.replace("{}", "k");
        let select = format!("SELECT {hex} AS h FROM {} WHERE 1 = 0", self.table(stage));
        self.create(table, self.dialect.left_out, &select)
    }

    /// Puts identifiers into the table of those to be left out.
    pub(crate) fn leave_out(&self, table: &str, identifiers: &[Box<[u8]>]) -> String {
        let mut statement = format!("INSERT INTO {} (h) VALUES ", self.table(table));
        for (number, identifier) in identifiers.iter().enumerate() {
            statement.push_str(if number == 0 { "('" } else { ", ('" });
            for byte in identifier {
                // Writing to a string cannot fail.
                let _ = write!(statement, "{byte:02X}");
            }
            statement.push_str("')");
        }
        statement
    }

    /// Makes a table of the rows of `stage` that are not to be left out.
    pub(crate) fn without(&self, table: &str, stage: &str, left_out: &str) -> String {
        let hex = self.dialect.hex.replace("{}", "a.k");
        self.create(table, self.dialect.keys, &self.difference(stage, "a.k", &hex, left_out, "h"))
    }

    /// Removes a table, if it is there.
    pub(crate) fn drop(&self, table: &str) -> String {
        format!("DROP TABLE IF EXISTS {}", self.table(table))
    }

    fn create(&self, table: &str, how: &str, select: &str) -> String {
        format!("CREATE TABLE {} {how}AS {select}", self.table(table))
    }

    /// An identifier as the segment spells it.
    fn spelling(&self, k: &str) -> String {
        self.dialect.spelling.replace("{}", k)
    }

    /// What is `given` of those rows of `one` table whose `expression` is not in a `column` of the other.
    fn difference(
        &self,
        one: &str,
        given: &str,
        expression: &str,
        other: &str,
        column: &str,
    ) -> String {
        let (one, other) = (self.table(one), self.table(other));
        match self.dialect.difference {
            Difference::NotIn => format!(
                "SELECT {given} AS k, a.n AS n FROM {one} a WHERE {expression} NOT IN \
                 (SELECT b.{column} FROM {other} b)"
            ),
            Difference::NotExists => format!(
                "SELECT {given} AS k, a.n AS n FROM {one} a WHERE NOT EXISTS \
                 (SELECT 1 FROM {other} b WHERE b.{column} = {expression})"
            ),
            Difference::LeftAntiJoin => format!(
                "SELECT {given} AS k, a.n AS n FROM {one} a LEFT ANTI JOIN {other} b ON b.{column} = {expression}"
            ),
        }
    }

    /// A table's name with its schema.
    fn table(&self, table: &str) -> String {
        let parts = self.schema.iter().map(String::as_str).chain([table]);
        parts.map(|part| self.quoted(part)).collect::<Vec<_>>().join(".")
    }

    /// A name in quotes.
    pub(crate) fn quoted(&self, name: &str) -> String {
        let (quote, inside) = match self.dialect.quoting {
            Quoting::Doubled(quote) => (quote, name.replace(quote, &format!("{quote}{quote}"))),
            Quoting::Escaped(quote) => {
                let inside = name.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"));
                (quote, inside)
            }
        };
        format!("{quote}{inside}{quote}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_schema_stays_a_name_and_hostile_identifiers_are_digits() {
        let (dialect, schema) = (Dialect::sqlite(), ["x\"; DROP TABLE people; --".to_owned()]);
        let statements = Statements::new(&dialect, &schema);
        assert_eq!(
            statements.drop("t"),
            r#"DROP TABLE IF EXISTS "x""; DROP TABLE people; --"."t""#
        );
        let identifiers: [Box<[u8]>; 3] =
            [b"'); DROP".as_slice().into(), b"".as_slice().into(), b"\\\0\xff".as_slice().into()];
        assert_eq!(
            Statements::new(&dialect, &[]).leave_out("t", &identifiers),
            r#"INSERT INTO "t" (h) VALUES ('27293B2044524F50'), (''), ('5C00FF')"#
        );
        let (dialect, schema) = (Dialect::bigquery(), ["p`; DROP\\".to_owned(), "d".to_owned()]);
        assert_eq!(
            Statements::new(&dialect, &schema).drop("t"),
            r"DROP TABLE IF EXISTS `p\`; DROP\\`.`d`.`t`"
        );
    }

    /// What each dialect makes of everything that is asked of it. Where a change is meant, put what the
    /// test shows into the file.
    #[test]
    fn statements_are_those_in_the_golden_files() {
        let golden = [
            include_str!("golden/sqlite.sql"),
            include_str!("golden/postgresql.sql"),
            include_str!("golden/redshift.sql"),
            include_str!("golden/duckdb.sql"),
            include_str!("golden/snowflake.sql"),
            include_str!("golden/bigquery.sql"),
            include_str!("golden/databricks.sql"),
            include_str!("golden/spark.sql"),
            include_str!("golden/trino.sql"),
            include_str!("golden/mysql.sql"),
            include_str!("golden/clickhouse.sql"),
        ];
        for (dialect, expected) in Dialect::all().iter().zip(golden) {
            assert_eq!(script(dialect), expected, "{}", dialect.name);
        }
    }

    #[test]
    fn a_dialect_is_found_by_its_name() {
        for dialect in Dialect::all() {
            assert_eq!(Dialect::named(&dialect.name.to_lowercase()), Some(dialect));
        }
        assert_eq!(Dialect::named("Oracle"), None);
    }

    /// A run's statements, in their order.
    fn script(dialect: &Dialect) -> String {
        let schema = ["warehouse".to_owned(), "activation".to_owned()];
        let statements = Statements::new(dialect, &schema);
        let (stage, table, out, keys) = ("r2_stage", "r1_keys", "r2_left_out", "r2_keys");
        let refused: [Box<[u8]>; 2] = ["o'hara@example.com".as_bytes().into(), [].into()];
        let script = [
            statements.drop(stage),
            statements.stage(stage, "SELECT email AS k FROM members"),
            statements.count(table),
            statements.only_in(table, stage),
            statements.only_in(stage, table),
            statements.all(stage),
            statements.left_out(out, stage),
            statements.leave_out(out, &refused),
            statements.without(keys, stage, out),
        ];
        script.map(|statement| statement + ";\n").concat()
    }
}
