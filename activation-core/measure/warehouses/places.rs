//! Where the members are: a table of a number and an address, of which a segment is a range.

use std::{
    env,
    fs::File,
    io::{BufWriter, Write as _},
    ops::Range,
    path::Path,
    sync::{Arc, Mutex},
};

use activation_core::{
    Dialect, PostgresServer, SegmentSource, Warehouse,
    sources::{AdbcDatabase, AdbcSource, CsvSource, PostgresSource, SqliteSource},
};

use crate::{
    Fallible,
    child::{Conversation, Engine},
    members::address,
};

#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    source: &'a str,
    place: &'a str,
}

impl<'a> Place<'a> {
    pub(crate) fn new(source: &'a str, place: &'a str) -> Self {
        Self { source, place }
    }

    pub(crate) fn name(&self) -> &'a str {
        self.source
    }

    /// The segment of these members. Tables are beside those of the members.
    pub(crate) fn source(
        &self,
        members: Range<u32>,
        is_pushed_down: bool,
    ) -> Fallible<Arc<dyn SegmentSource>> {
        let Range { start, end } = members;
        let query =
            |table: &str| format!("SELECT email FROM {table} WHERE n >= {start} AND n < {end}");
        let adbc = |database, dialect, table: &str, schema: &[&str]| -> Arc<dyn SegmentSource> {
            let source = AdbcSource::new(database, query(table)).column("email");
            match is_pushed_down {
                true => Arc::new(source.push_down(dialect, schema.iter().copied())),
                false => Arc::new(source),
            }
        };
        Ok(match self.source {
            // A file for each segment, since nothing asks a file for a range.
            "csv" => {
                let file = format!("{}.{start}", self.place);
                write_csv(&file, start..end)?;
                Arc::new(CsvSource::new(file, "email"))
            }
            "sqlite" => {
                let source = SqliteSource::new(self.place, query("people"));
                match is_pushed_down {
                    true => Arc::new(source.push_down(format!("{}.tables", self.place))),
                    false => Arc::new(source),
                }
            }
            "postgres" => {
                let server: PostgresServer = self.place.parse()?;
                let source = PostgresSource::new(server, query("public.people"));
                match is_pushed_down {
                    true => Arc::new(source.push_down("public")),
                    false => Arc::new(source),
                }
            }
            "adbc-postgres" => {
                adbc(self.database()?, Dialect::postgresql(), "public.people", &["public"])
            }
            "duckdb" => {
                adbc(self.database()?, Dialect::duckdb(), "main.people", &["warehouse", "main"])
            }
            "sail" => adbc(self.database()?, Dialect::spark(), "default.people", &["default"]),
            "clickhouse" | "mariadb" => Arc::new(self.child(&query("people.people"))?),
            _ => return Err("nothing is known of this source".into()),
        })
    }

    /// Engines that speak Python have tables always; read in full they would measure JSON.
    fn child(&self, query: &str) -> Fallible<Engine> {
        let (package, dialect) = match self.source {
            "mariadb" => ("pymysql", Dialect::mysql()),
            _ => ("clickhouse", Dialect::clickhouse()),
        };
        let packages = Path::new(&env::var("DRIVERS")?).join(package);
        let (script, place) = (format!("{}.py", self.source), Path::new(self.place));
        let conversation = Arc::new(Mutex::new(Conversation::with(&script, &packages, &[place])));
        let query = query.replace("SELECT email", "SELECT email AS k");
        Ok(Engine::new(conversation, dialect, "people", &query))
    }

    /// The drivers are in the directory that `DRIVERS` names.
    fn database(&self) -> Fallible<AdbcDatabase> {
        let directory = env::var("DRIVERS")?;
        let driver = |name: &str| {
            let library = Path::new(&directory).join(name).with_extension("so");
            AdbcDatabase::driver(library.display().to_string())
        };
        Ok(match self.source {
            "duckdb" => driver("duckdb").entrypoint("duckdb_adbc_init").option("path", self.place),
            "sail" => driver("flightsql").option("uri", format!("grpc://127.0.0.1:{}", self.place)),
            _ => driver("postgresql").option("uri", self.place),
        })
    }

    /// Makes the table, with the first `members`.
    pub(crate) async fn fill(&self, members: u32) -> Fallible<()> {
        match self.source {
            "csv" => return Ok(()),
            "sqlite" => {
                let create = format!(
                    "CREATE TABLE people AS WITH RECURSIVE numbers(n) AS (VALUES (0) UNION ALL \
                     SELECT n + 1 FROM numbers WHERE n + 1 < {members}) SELECT n, \
                     printf('first.last%08d@mail.example.com', n) AS email FROM numbers"
                );
                return Ok(rusqlite::Connection::open(self.place)?.execute_batch(&create)?);
            }
            _ => {}
        }
        let create = match self.source {
            "duckdb" => format!(
                "CREATE TABLE people AS SELECT n, printf('first.last%08d@mail.example.com', n) AS email \
                 FROM range(0, {members}) numbers(n)"
            ),
            "sail" => format!(
                "CREATE TABLE default.people USING PARQUET AS SELECT id AS n, concat('first.last', \
                 lpad(CAST(id AS STRING), 8, '0'), '@mail.example.com') AS email FROM range(0, {members})"
            ),
            "clickhouse" => format!(
                "CREATE TABLE people.people ENGINE = MergeTree ORDER BY n AS SELECT number AS n, \
                 concat('first.last', leftPad(toString(number), 8, '0'), '@mail.example.com') AS email \
                 FROM numbers({members})"
            ),
            "mariadb" => format!(
                "CREATE TABLE people.people (n INT PRIMARY KEY, email VARCHAR(100)) SELECT seq AS n, \
                 concat('first.last', lpad(seq, 8, '0'), '@mail.example.com') AS email \
                 FROM people.seq_0_to_{}",
                members - 1
            ),
            _ => format!(
                "CREATE TABLE people AS SELECT n, 'first.last' || lpad(CAST(n AS text), 8, '0') || \
                 '@mail.example.com' AS email FROM generate_series(0, {members} - 1) numbers(n)"
            ),
        };
        if matches!(self.source, "clickhouse" | "mariadb") {
            let engine = self.child("")?;
            engine.run("CREATE DATABASE people");
            engine.run(&create);
            return Ok(());
        }
        let warehouse: Option<Arc<dyn Warehouse>> = self.source(0..1, true)?.warehouse();
        Ok(warehouse.ok_or("no warehouse")?.execute(&create).await?)
    }
}

fn write_csv(file: &str, members: Range<u32>) -> Fallible<()> {
    if Path::new(file).exists() {
        return Ok(());
    }
    let mut file = BufWriter::new(File::create(file)?);
    writeln!(file, "email")?;
    for member in members {
        writeln!(file, "{}", address(member))?;
    }
    Ok(file.flush()?)
}
