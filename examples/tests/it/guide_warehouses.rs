//! The guide's pages about warehouses: every configuration in them is read by `activate`, and every
//! command runs as it stands, where its warehouse can run here.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::support::{Case, PASSWORD, USER, program};

const CONFIG: &str = "activations.toml";

struct Page {
    name: String,
    text: String,
}

impl Page {
    fn all() -> Vec<Self> {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
        paths.sort();
        paths.iter().map(|path| Self::at(path)).collect()
    }

    fn named(name: &str) -> Self {
        Self::at(&directory().join(name))
    }

    fn at(path: &Path) -> Self {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        Self { name, text: fs::read_to_string(path).unwrap() }
    }

    /// The fenced blocks of a language.
    fn blocks(&self, language: &str) -> Vec<&str> {
        let begin = format!("```{language}\n");
        let blocks = self.text.split(&begin).skip(1);
        blocks.map(|rest| rest.split("```").next().unwrap()).collect()
    }

    /// The blocks of TOML that are for `activate`, and the others.
    fn configurations(&self) -> (Vec<&str>, Vec<&str>) {
        self.blocks("toml").into_iter().partition(|block| block.starts_with("[[activation]]"))
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../activation-core/src/guide/warehouses")
}

/// Runs a page's commands in a case's directory.
fn run(case: &Case, commands: &str, environment: &[(&str, &str)]) {
    // What the guide says `activate` stands for.
    let script = format!("activate() {{ \"$ACTIVATE\" \"$@\"; }}\n{commands}");
    let output = Command::new("sh")
        .args(["-euc", &script])
        .current_dir(case.path(""))
        .env("ACTIVATE", program("activate"))
        .envs([("TEST_USER", USER), ("TEST_PASSWORD", PASSWORD)])
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(case.check(output).code, 0, "{commands}");
}

fn configure(case: &Case, file: &str, activation: &str) {
    case.write(file, &format!("{}\n{activation}", case.head()));
}

#[test]
fn every_configuration_is_one_that_activate_reads() {
    let pages = Page::all();
    assert!(pages.len() > 9, "every page is looked at");
    for page in pages {
        let (configurations, others) = page.configurations();
        for manifest_or_profile in others {
            let read: Result<toml::Table, _> = toml::from_str(manifest_or_profile);
            assert!(read.is_ok(), "{}: {read:?}", page.name);
        }
        for configuration in configurations {
            if configuration.contains("kind = \"adbc\"") && !cfg!(feature = "adbc") {
                continue;
            }
            let case = Case::new();
            case.write("warehouse.db", "");
            case.write("newsletter.csv", "customer_id,email\n");
            case.configure(configuration);
            // Nobody is there.
            let url = "postgresql://reader:secret@127.0.0.1:1/warehouse";
            let mut command = case.command(&["--dry-run"]);
            command.envs([("WAREHOUSE_URL", url), ("WAREHOUSE_URI", url)]);
            let run = case.check(command.output().unwrap());
            assert_ne!(run.code, 2, "{}: {configuration}{run:?}", page.name);
        }
    }
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_page_about_csv_run() {
    let page = Page::named("csv.md");
    let ([file, pipe], [first, second]) = (&page.configurations().0[..], &page.blocks("sh")[..])
    else {
        panic!("two configurations, each with its commands")
    };
    let case = Case::new();
    configure(&case, CONFIG, file);
    run(&case, first, &[]);
    assert_eq!(case.members("newsletter"), ["ann@example.com", "bo@example.com"]);
    configure(&case, "piped.toml", pipe);
    run(&case, second, &[]);
    assert_eq!(case.members("piped"), ["ann@example.com"]);
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_page_about_sqlite_run() {
    let page = Page::named("sqlite.md");
    let case = Case::new();
    let warehouse = rusqlite::Connection::open(case.path("warehouse.db")).unwrap();
    let filled = "CREATE TABLE customers (id INTEGER, email TEXT, vip INTEGER); \
        INSERT INTO customers VALUES (1, 'ann@example.com', 1), (2, 'bo@example.com', 0); \
        CREATE TABLE loads (at INTEGER); INSERT INTO loads VALUES (unixepoch())";
    warehouse.execute_batch(filled).unwrap();
    runs_with_and_without_tables(&case, &page, &[], |change| {
        warehouse.execute_batch(change).unwrap();
    });
}

/// Runs a page's commands with its first configuration, and then with the one with `tables`.
fn runs_with_and_without_tables(
    case: &Case,
    page: &Page,
    environment: &[(&str, &str)],
    execute: impl Fn(&str),
) {
    let ([plain, with_tables], [commands]) = (&page.configurations().0[..], &page.blocks("sh")[..])
    else {
        panic!("two configurations, and commands for both")
    };
    assert!(!plain.contains("tables = ") && with_tables.contains("tables = "));
    configure(case, CONFIG, plain);
    run(case, commands, environment);
    assert_eq!(case.members("vip"), ["ann@example.com"]);
    configure(case, CONFIG, with_tables);
    run(case, commands, environment);
    execute("INSERT INTO customers VALUES (3, 'cy@example.com', 1)");
    execute("DELETE FROM customers WHERE id = 1");
    run(case, commands, environment);
    assert_eq!(case.members("vip"), ["cy@example.com"]);
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_page_about_postgresql_run_with_the_rights_it_grants() {
    use crate::postgres_server::Server;

    let Some(server) = Server::start(&[], &[]) else { return };
    let page = Page::named("postgresql.md");
    let database = server.database(
        "CREATE TABLE customers (id int, email text, vip boolean);
         INSERT INTO customers VALUES (1, 'ann@example.com', true), (2, 'bo@example.com', false)",
    );
    page.blocks("sql").into_iter().for_each(|sql| _ = database.run(sql));
    let url = database.url("activation", "secret");
    let execute = |change: &str| _ = database.run(&change.replace(", 1)", ", true)"));
    runs_with_and_without_tables(&Case::new(), &page, &[("WAREHOUSE_URL", &url)], execute);
}

#[cfg(all(feature = "adbc", unix))]
#[tokio::test]
async fn the_commands_of_the_page_about_duckdb_run() {
    use activation_core::{
        Dialect, SegmentSource as _,
        sources::{AdbcDatabase, AdbcSource},
    };

    use crate::activate_adbc::drivers;

    let Some(drivers) = drivers() else { return };
    let page = Page::named("duckdb.md");
    let case = tokio::task::spawn_blocking(Case::new).await.unwrap();
    let (_, files) = page.configurations();
    let library = drivers.join("duckdb.so").display().to_string();
    assert!(files[0].contains("/opt/duckdb/libduckdb.so"));
    case.write("duckdb.toml", &files[0].replace("/opt/duckdb/libduckdb.so", &library));
    case.write("warehouse.toml", files[1]);

    let file = case.path("warehouse.duckdb").display().to_string();
    let database =
        AdbcDatabase::driver(&*library).entrypoint("duckdb_adbc_init").option("path", &*file);
    let source = AdbcSource::new(database, "SELECT 1 AS k").column("k");
    let warehouse = source.push_down(Dialect::duckdb(), ["warehouse"]).warehouse().unwrap();
    for statement in [
        "CREATE TABLE customers (id INTEGER, email VARCHAR, vip INTEGER)",
        "INSERT INTO customers VALUES (1, 'ann@example.com', 1), (2, 'bo@example.com', 0)",
    ]
    .into_iter()
    .chain(page.blocks("sql"))
    {
        warehouse.execute(statement).await.unwrap();
    }
    tokio::task::spawn_blocking(move || {
        let here = case.path("").display().to_string();
        let environment =
            [("ADBC_DRIVER_PATH", &*here), ("ADBC_PROFILE_PATH", &here), ("WAREHOUSE_FILE", &file)];
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let execute = |change: &str| runtime.block_on(warehouse.execute(change)).unwrap();
        runs_with_and_without_tables(&case, &page, &environment, execute);
    })
    .await
    .unwrap();
}
