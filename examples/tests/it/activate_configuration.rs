//! Every mistake in a configuration is refused with file, key and what was expected, before
//! anything is called or written.

use crate::support::{CONFIG, Case};

/// A mistake: what is replaced in a good configuration, by what, and what the refusal says.
struct Mistake(&'static str, &'static str, &'static [&'static str]);

const GOOD: &str = r#"
[destination.defaults]
visibility = "private"
identifier = "email"

[[activation]]
segment = "vip"
name = "VIP customers"
source = { kind = "csv", path = "vip.csv", column = "email" }
guard = { max_removal_share = 0.3, max_removals = 50 }

[[activation]]
segment = "new"
source = { kind = "sqlite", path = "warehouse.db", query = "SELECT 1" }
"#;

const MISTAKES: &[Mistake] = &[
    // Keys that are unknown.
    Mistake(
        "name = \"VIP",
        "nmae = \"VIP",
        &[
            "line 15: activation[0].nmae (segment \"vip\")",
            "unknown key `nmae`",
            "`name`",
            "`visibility`",
        ],
    ),
    Mistake(
        "visibility",
        "visibilty",
        &["line 10: destination.defaults.visibilty", "unknown key", "`visibility`"],
    ),
    Mistake("user_env", "user", &["line 6: destination.user", "unknown key `user`", "`user_env`"]),
    Mistake(
        "[state]",
        "[stat]",
        &["line 1: stat", "unknown key `stat`", "`state`", "`activation`"],
    ),
    Mistake(
        "column = ",
        "colum = ",
        &["activation[0].source.colum", "unknown key `colum`", "`column`"],
    ),
    Mistake(
        "max_removals",
        "max_removal",
        &["line 17: activation[0].guard.max_removal ", "unknown key"],
    ),
    // Values of the wrong type or out of range.
    Mistake(
        "directory = \"state\"",
        "directory = 5",
        &["line 2: state.directory", "integer, expected a string"],
    ),
    Mistake("= 0.3", "= \"much\"", &["activation[0].guard.max_removal_share", "expected a number"]),
    Mistake(
        "= 0.3",
        "= 30",
        &["line 17: activation[0].guard.max_removal_share", "between 0.0 and 1.0"],
    ),
    Mistake("= 0.3", "= -0.1", &["activation[0].guard.max_removal_share", "between 0.0 and 1.0"]),
    Mistake(
        "= 50",
        "= -1",
        &["activation[0].guard.max_removals", "expected a whole number from 0"],
    ),
    Mistake(
        "{ kind = \"csv\", path = \"vip.csv\", column = \"email\" }",
        "\"vip.csv\"",
        &["activation[0].source", "string, expected a table"],
    ),
    Mistake(
        "\"csv\"",
        "\"excel\"",
        &["activation[0].source", "`excel`", "expected one of `adbc`, `csv`, `postgres`, `sqlite`"],
    ),
    Mistake(
        "\"private\"",
        "\"hidden\"",
        &["destination.defaults.visibility", "expected `private` or `public`"],
    ),
    Mistake(
        "identifier = \"email\"",
        "identifier = \"phone\"",
        &["line 11: destination.defaults.identifier", "`contact_id`, `email`, `mobile_number`"],
    ),
    Mistake(
        "\"SELECT 1\"",
        "\"SELECT 1\", key_column = \"id\", tables = \"tables.db\"",
        &["activation[1].source.tables", "cannot stand beside `key_column`"],
    ),
    Mistake(
        "\"SELECT 1\"",
        "\"SELECT 1\", tables = \"\"",
        &["activation[1].source.tables", "is empty, expected where tables can be made"],
    ),
    Mistake(
        "user_env",
        "max_import_contacts = 0\nuser_env",
        &["line 6: destination.max_import_contacts", "a whole number from 1"],
    ),
    Mistake(
        "user_env",
        "max_import_bytes = 50_000_001\nuser_env",
        &["destination.max_import_bytes", "expected 1000 to 50000000"],
    ),
    Mistake(
        "user_env",
        "max_removals_per_call = 1001\nuser_env",
        &["destination.max_removals_per_call", "expected 1 to 1000"],
    ),
    // Keys that are missing.
    Mistake("directory = \"state\"", "", &["line 1: state.directory", "is missing"]),
    Mistake("[state]\ndirectory = \"state\"", "", &["state", "is missing"]),
    Mistake("password_env = \"TEST_PASSWORD\"", "", &["destination.password_env", "is missing"]),
    Mistake("segment = \"vip\"", "", &["line 13: activation[0].segment", "is missing"]),
    Mistake(
        "source = { kind = \"csv\", path = \"vip.csv\", column = \"email\" }",
        "",
        &["activation[0].source", "is missing"],
    ),
    Mistake(", column = \"email\"", "", &["activation[0].source.column", "is missing"]),
    Mistake("kind = \"csv\", ", "", &["activation[0].source.kind", "is missing"]),
    // Names.
    Mistake("\"vip\"", "\" \"", &["line 14: activation[0].segment", "is empty"]),
    Mistake("\"new\"", "\"vip\"", &["line 20: activation[1].segment (segment \"vip\")", "already"]),
    Mistake(
        "\"new\"",
        "\"vip customers\"",
        &["line 20: activation[1].segment", "segment \"vip\" keeps a list of this name"],
    ),
    Mistake("\"VIP customers\"", "\"Test\"", &["line 15: activation[0].name", "reserved"]),
    Mistake("\"VIP customers\"", "\"all contacts\"", &["activation[0].name", "reserved"]),
    Mistake("\"VIP customers\"", "\"\"", &["activation[0].name", "is empty"]),
    Mistake(
        "\"VIP customers\"",
        concat!(
            "\"0123456789012345678901234567890123456789012345678901234567890123456789",
            "01234567890123456789012345678901234567890123456789012345678\""
        ),
        &["activation[0].name", "longer than 128 characters"],
    ),
    Mistake(
        "\"new\"",
        "\"test\"",
        &["line 20: activation[1].segment", "reserved", "`name` of its own"],
    ),
    // Where the account is.
    Mistake(
        "user_env",
        "region = \"r1\"\nuser_env",
        &["line 6: destination.region", "`region` or `endpoint`, not both"],
    ),
    Mistake("endpoint =", "region = \"r9\" #", &["line 5: destination.region", "`r1`, `r2`, `r3`"]),
    Mistake(
        "endpoint = \"http:",
        "endpoint = \"ftp:",
        &["line 5: destination.endpoint", "https://"],
    ),
    Mistake(
        "endpoint = \"http://127.0.0.1",
        "endpoint = \"http://example.com",
        &["destination.endpoint", "https"],
    ),
    // Who calls.
    Mistake(
        "TEST_PASSWORD",
        "NO_SUCH_VARIABLE",
        &["line 7: destination.password_env", "NO_SUCH_VARIABLE is not set"],
    ),
    Mistake(
        "TEST_PASSWORD",
        "TEST_EMPTY",
        &["line 7: destination.password_env", "TEST_EMPTY is empty"],
    ),
    Mistake("TEST_USER", "TEST_COLON", &["line 6: destination.user_env", "colon"]),
    Mistake(
        "TEST_PASSWORD",
        "correct-horse-battery-staple",
        &["destination.password_env", "expected the name of an environment variable"],
    ),
    Mistake(
        "directory = \"state\"",
        "directory = \"state\"\nkey_env = \"TEST_USER\"",
        &["line 3: state.key_env", "32 hexadecimal digits"],
    ),
    Mistake(
        "directory = \"state\"",
        "directory = \"state\"\npostgres_env = \"TEST_USER\"",
        &["line 3: state.postgres_env", "not both"],
    ),
    Mistake(
        "directory = \"state\"",
        "postgres_env = \"TEST_USER\"",
        &["line 2: state.postgres_env", "expected `key_env` too"],
    ),
    Mistake(
        "directory = \"state\"",
        "directory = \"state\"\npostgres_schema = \"sync\"",
        &["line 3: state.postgres_schema", "with `postgres_env` only"],
    ),
    // Sources.
    Mistake(
        "vip.csv",
        "missing.csv",
        &[
            "line 16: activation[0].source.path (segment \"vip\")",
            "missing.csv",
            "expected one that exists",
        ],
    ),
    Mistake(
        "warehouse.db",
        ".",
        &["activation[1].source.path (segment \"new\")", "expected one that exists"],
    ),
    // Exclusions and the ledger.
    Mistake(
        "guard = {",
        "exclude = [{ source = { kind = \"csv\", path = \"vip.csv\", column = \"email\" } }]\nguard = {",
        &["activation[0].exclude", "reason", "is missing"],
    ),
    Mistake(
        "guard = {",
        "exclude = [{ reason = \" \", source = { kind = \"csv\", path = \"vip.csv\", column = \"email\" } }]\nguard = {",
        &["line 17: activation[0].exclude[0].reason (segment \"vip\")", "is empty, expected"],
    ),
    Mistake(
        "guard = {",
        "exclude = [{ reason = \"staff\", source = { kind = \"csv\", path = \"staff.csv\", column = \"email\" } }]\nguard = {",
        &["activation[0].exclude[0].source.path", "staff.csv", "expected one that exists"],
    ),
    Mistake(
        "directory = \"state\"",
        "directory = \"state\"\nledger = \".\"",
        &["line 3: state.ledger", "is a directory, expected a file"],
    ),
    // Syntax: the line is named and not shown.
    Mistake(
        "password_env = \"TEST_PASSWORD\"",
        "password = \"correct-horse-battery-staple",
        &["line 7", "not valid TOML"],
    ),
    Mistake(
        "endpoint",
        "user_env = \"correct-horse-battery-staple\"\nendpoint",
        &["line 7", "duplicate key"],
    ),
    Mistake(
        "= 50",
        "= \"correct-horse-battery-staple\"",
        &["activation[0].guard.max_removals", "string, expected a whole number"],
    ),
];

#[test]
fn mistakes_are_refused_with_file_key_and_what_was_expected() {
    let case = Case::of(&["ann@example.com"]);
    case.write("warehouse.db", "");
    let good = case.head() + GOOD;
    for Mistake(old, new, expected) in MISTAKES {
        assert!(good.contains(old), "{old}");
        refused(&case, &good.replacen(old, new, 1), &[], expected);
    }
}

#[test]
fn an_activation_that_is_not_there_is_refused_with_the_names_of_those_that_are() {
    let case = Case::of(&["ann@example.com"]);
    case.write("warehouse.db", "");
    let good = case.head() + GOOD;
    refused(&case, &good, &["--activation", "vpi"], &["activation", "\"vpi\"", "\"vip\", \"new\""]);
    refused(&case, &case.head(), &[], &["activation: is missing", "[[activation]]"]);
    refused(&case, &format!("activation = []\n{}", case.head()), &[], &["activation: is missing"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let case = Case::new();
    let run = case.activate(&[]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("sync.toml: cannot be read"), "{run:?}");
}

#[test]
fn the_good_configuration_is_accepted() {
    let case = Case::of(&["ann@example.com"]);
    rusqlite::Connection::open(case.path("warehouse.db")).unwrap();
    case.write(CONFIG, &(case.head() + GOOD));
    let run = case.activate(&["--dry-run", "--activation", "vip"]);
    assert_eq!(run.code, 0, "{run:?}");
}

fn refused(case: &Case, config: &str, arguments: &[&str], expected: &[&str]) {
    case.write(CONFIG, config);
    let mut command = case.command(arguments);
    command.env("TEST_EMPTY", "").env("TEST_COLON", "a:b").env_remove("NO_SUCH_VARIABLE");
    let run = case.check(command.output().unwrap());
    assert_eq!(run.code, 2, "{expected:?}: {run:?}");
    for part in std::iter::once(&CONFIG).chain(expected) {
        assert!(run.stderr.contains(part), "{part} is not in {run:?}");
    }
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert_eq!(run.stdout, "");
    assert_eq!(case.service.ledger(), []);
    assert_eq!(case.state(), None);
}
