//! Runs of `activate` whose segment is behind an ADBC driver.

use crate::support::{Case, PASSWORD};

const ACTIVATION: &str = "
[[activation]]
segment = \"vip\"
source = { kind = \"adbc\", profile = \"warehouse\", query = \"SELECT id, email FROM people\", \
key_column = \"id\", as_of = \"SELECT now()\" }
";

fn refusal(activation: &str) -> String {
    let case = Case::new();
    case.configure(activation);
    let output = case.command(&[]).env_remove("WAREHOUSE_URI").output().unwrap();
    let run = case.check(output);
    assert_eq!(run.code, 2, "{run:?}");
    run.stderr
}

#[test]
fn a_uri_in_the_file_is_refused_and_not_shown() {
    let uri = format!("postgresql://reader:{PASSWORD}@db/warehouse");
    let told = refusal(&ACTIVATION.replace("profile = \"warehouse\"", &format!("uri = \"{uri}\"")));
    assert!(told.contains("unknown key `uri`") && told.contains("`uri_env`"), "{told}");
}

#[cfg(not(feature = "adbc"))]
#[test]
fn a_build_without_adbc_says_how_to_make_one_with_it() {
    let told = refusal(ACTIVATION);
    assert!(told.contains("source.kind") && told.contains("--features adbc"), "{told}");
}

#[cfg(feature = "adbc")]
#[test]
fn what_opens_the_warehouse_is_one_profile_or_one_variable() {
    let uri = format!("postgresql://reader:{PASSWORD}@db/warehouse");
    let with = |keys: &str| refusal(&ACTIVATION.replace("profile = \"warehouse\"", keys));
    for (keys, expected) in [
        (format!("profile = \"{uri}\""), "the name of an ADBC profile, no URI"),
        (format!("uri_env = \"{uri}\""), "the name of an environment variable"),
        ("uri_env = \"WAREHOUSE_URI\"".to_owned(), "variable WAREHOUSE_URI is not set"),
        ("profile = \" \"".to_owned(), "is empty"),
        ("profile = \"a\", uri_env = \"B\"".to_owned(), "`profile` or `uri_env`, not both"),
        (String::new(), "source.profile"),
    ] {
        let keys = keys.trim_end_matches(", ");
        let told = match keys {
            "" => refusal(&ACTIVATION.replace("profile = \"warehouse\", ", "")),
            keys => with(keys),
        };
        assert!(told.contains(expected), "{keys}: {told}");
    }
}

#[cfg(feature = "adbc")]
#[test]
fn tables_are_in_a_schema_of_a_dialect_that_is_known() {
    let with = |keys: &str| {
        let column = "column = \"email\"";
        refusal(&ACTIVATION.replace("key_column = \"id\"", &format!("{column}, {keys}")))
    };
    for (keys, expected) in [
        ("tables = \"activation\"", "a table with `dialect` and `schema`"),
        ("tables = { dialect = \"oracle\", schema = [\"a\"] }", "unknown dialect `oracle`"),
        ("tables = { dialect = \"trino\", schema = [] }", "source.tables.schema"),
        ("tables = { dialect = \"trino\", schema = [\"a\"] }, key_column = \"id\"", "cannot stand"),
    ] {
        let told = with(keys);
        assert!(told.contains(expected), "{keys}: {told}");
    }
    let tables = "tables = { dialect = \"trino\", schema = [\"a\"] }";
    let told = refusal(&ACTIVATION.replace("key_column = \"id\"", tables));
    assert!(told.contains("source.column"), "{told}");
}

/// Where drivers are; without them a test fails where `CI` is set, and is skipped elsewhere.
#[cfg(all(feature = "adbc", unix))]
pub(crate) fn drivers() -> Option<std::path::PathBuf> {
    use std::{path::Path, process::Command};

    let drivers = Path::new(env!("CARGO_TARGET_TMPDIR")).join("adbc-drivers");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../activation-core/tests/drivers.sh");
    let brought = Command::new(script).arg(&drivers).output().unwrap();
    if brought.status.success() {
        return Some(drivers);
    }
    let why = String::from_utf8_lossy(&brought.stderr);
    assert!(std::env::var("CI").unwrap_or_default().is_empty(), "no drivers: {why}");
    #[expect(clippy::print_stdout, reason = "whoever runs the tests should see it")]
    {
        println!("skipped: no drivers: {why}");
    }
    None
}

#[cfg(all(feature = "adbc", unix))]
mod on_duckdb {
    use super::*;
    use crate::support::Run;

    /// A case whose profile `warehouse` is DuckDB, whose drivers' directory is known, and a segment
    /// of this query in it.
    fn case(query: &str) -> Option<Case> {
        let drivers = drivers()?;
        let case = Case::new();
        // A manifest and a profile, as they are set up for ADBC, apart from activate's own file.
        case.write(
            "duck.toml",
            &format!(
                "manifest_version = 1\n[Driver]\nshared = \"{}\"\nentrypoint = \"duckdb_adbc_init\"\n",
                drivers.join("duckdb.so").display()
            ),
        );
        case.write(
            "warehouse.toml",
            "profile_version = 1\ndriver = \"duck\"\n[Options]\npath = \"{{ env_var(WAREHOUSE) }}\"\n",
        );
        case.configure(&ACTIVATION.replace("SELECT id, email FROM people", query));
        Some(case)
    }

    fn activate(case: &Case) -> Run {
        activate_in(case, ":memory:")
    }

    fn activate_in(case: &Case, warehouse: &str) -> Run {
        let mut command = case.command(&["--report", "report.json"]);
        let directory = case.path("");
        command
            .env("ADBC_DRIVER_PATH", &directory)
            .env("ADBC_PROFILE_PATH", &directory)
            .env("WAREHOUSE", warehouse);
        case.check(command.output().unwrap())
    }

    #[test]
    fn a_query_through_a_profile_is_a_segment() {
        let people = "SELECT * FROM read_csv('people.csv')";
        let Some(case) = case(people) else { return };
        case.write("people.csv", "id,email\n1,ann@example.com\n2,bo@example.com\n");
        let run = activate(&case);
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(case.members("vip"), ["ann@example.com", "bo@example.com"]);
        // Her key tells who she is, though her address is another one.
        let ann = case.contact("ann@example.com");
        case.write("people.csv", "id,email\n1,ann@example.org\n");
        let run = activate(&case);
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(case.members("vip"), ["ann@example.org"]);
        assert_eq!(case.contact("ann@example.org"), ann);
    }

    #[test]
    fn with_tables_the_warehouse_computes_the_difference() {
        let Some(case) = case("SELECT * FROM read_csv('people.csv')") else { return };
        let activation = ACTIVATION
            .replace("SELECT id, email FROM people", "SELECT * FROM read_csv('people.csv')")
            .replace(
                "key_column = \"id\"",
                "column = \"email\", tables = { dialect = \"duckdb\", schema = [\"tables\", \"main\"] }",
            );
        case.configure(&activation);
        case.write("people.csv", "id,email\n1,ann@example.com\n2,bo@example.com\n");
        let run = activate_in(&case, "tables.db");
        assert_eq!(run.code, 0, "{run:?}");
        case.write("people.csv", "id,email\n2,bo@example.com\n3,cy@example.com\n");
        let run = activate_in(&case, "tables.db");
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stdout.contains("added 1, removed 1, unchanged 1"), "{run:?}");
        assert_eq!(case.members("vip"), ["bo@example.com", "cy@example.com"]);
        // A file with our table in it, and DuckDB's name for it.
        let tables = std::fs::read(case.path("tables.db")).unwrap();
        let name = b"activation_1e_";
        assert!(tables.windows(name.len()).any(|window| window == name), "there is a table");
    }

    #[test]
    fn a_query_that_breaks_leaves_the_list_alone() {
        let query = "SELECT id, if(id = 3, error('ann@example.com'), email) AS email \
                     FROM read_csv('people.csv')";
        let Some(case) = case(query) else { return };
        case.write("people.csv", "id,email\n1,ann@example.com\n2,bo@example.com\n");
        let run = activate(&case);
        assert_eq!(run.code, 0, "{run:?}");
        case.write("people.csv", "id,email\n1,ann@example.com\n3,cy@example.com\n");
        let calls = case.write_calls();
        let run = activate(&case);
        assert_ne!(run.code, 0, "{run:?}");
        // What the warehouse says has an address in it.
        assert!(run.stderr.contains("what the driver says is not shown"), "{run:?}");
        assert_eq!(case.write_calls(), calls);
        assert_eq!(case.members("vip"), ["ann@example.com", "bo@example.com"]);
    }
}
