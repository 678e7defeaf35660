//! Runs of `activate` whose segment is a query on a real PostgreSQL server, or whose state is kept in
//! one.

use crate::{
    postgres_server::{Database, Server},
    support::{CONFIG, Case, PASSWORD, Run, VIP},
};

const ACTIVATION: &str = "
[[activation]]
segment = \"vip\"
source = { kind = \"postgres\", url_env = \"WAREHOUSE_URL\", \
query = \"SELECT id, email FROM customers WHERE vip\", key_column = \"id\", \
as_of = \"SELECT max(at) FROM loads\" }
guard = { max_age_hours = 36 }
";

fn warehouse(server: &Server) -> Database<'_> {
    server.database(&format!(
        "CREATE TABLE customers (id int PRIMARY KEY, email text, vip boolean);
         CREATE TABLE loads (at timestamptz);
         INSERT INTO loads VALUES (now());
         INSERT INTO customers VALUES
            (1, 'ann@example.com', true), (2, 'bob@example.com', false), (3, 'cid@example.com', true);
         CREATE USER reader PASSWORD '{PASSWORD}';
         GRANT SELECT ON customers, loads TO reader;"
    ))
}

fn activate(case: &Case, url: &str) -> Run {
    case.check(case.command(&[]).env("WAREHOUSE_URL", url).output().unwrap())
}

#[test]
fn a_query_on_postgresql_is_a_source_with_its_url_from_the_environment() {
    let Some(server) = Server::start(&[], &[]) else { return };
    let warehouse = warehouse(&server);
    let case = Case::new();
    case.configure(ACTIVATION);
    let url = warehouse.url("reader", PASSWORD);
    let run = activate(&case, &url);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(case.members("vip"), ["ann@example.com", "cid@example.com"]);

    warehouse.run("UPDATE customers SET vip = true WHERE id = 2; UPDATE customers SET email = 'ann2@example.com' WHERE id = 1");
    let ann = case.contact("ann@example.com");
    let run = activate(&case, &url);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(case.members("vip"), ["ann2@example.com", "bob@example.com", "cid@example.com"]);
    assert_eq!(case.contact("ann2@example.com"), ann, "by her key she is known for who she is");

    warehouse.run("UPDATE loads SET at = now() - interval '37 hours'");
    let old = activate(&case, &url);
    assert_eq!(old.code, 3, "{old:?}");

    let wrong = activate(&case, &url.replace(PASSWORD, "wrong"));
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.stderr.contains("the password of user \"reader\" is wrong"), "{wrong:?}");

    drop(server);
    let gone = activate(&case, &url);
    assert_eq!(gone.code, 75, "{gone:?}");
    assert!(gone.stderr.contains("cannot be reached"), "{gone:?}");
}

#[test]
fn a_url_in_the_file_or_one_that_cannot_be_used_is_refused_and_not_shown() {
    let case = Case::new();
    let secret = format!("postgresql://reader:{PASSWORD}@db/warehouse");
    let refusal = |activation: &str, url: &str| {
        case.configure(activation);
        let run = activate(&case, url);
        assert_eq!(run.code, 2, "{run:?}");
        run.stderr
    };
    let told = refusal(&ACTIVATION.replace("WAREHOUSE_URL", &secret), "unused");
    assert!(
        told.contains("source.url_env") && told.contains("the name of an environment variable"),
        "{told}"
    );
    let told = refusal(
        &ACTIVATION.replace("url_env = \"WAREHOUSE_URL\"", &format!("url = \"{secret}\"")),
        "unused",
    );
    assert!(told.contains("unknown key `url`") && told.contains("`url_env`"), "{told}");
    let told = refusal(ACTIVATION, &format!("mysql://reader:{PASSWORD}/db"));
    assert!(
        told.contains("source.url_env") && told.contains("not the URL of a PostgreSQL database"),
        "{told}"
    );
    let told = refusal(ACTIVATION, "");
    assert!(told.contains("WAREHOUSE_URL is empty"), "{told}");
    let certificate = ACTIVATION.replace("key_column", "ca_file = \"ca.pem\", key_column");
    case.write("ca.pem", "no certificate");
    let told = refusal(&certificate, "postgresql://reader/warehouse");
    assert!(told.contains("source.ca_file") && told.contains("expected PEM"), "{told}");
}

const KEY: &str = "000102030405060708090a0b0c0d0e0f";
const NEW_KEY: &str = "f0e0d0c0b0a090807060504030201000";

/// `activate` with its state in a database.
fn activate_in(case: &Case, url: &str, arguments: &[&str]) -> Run {
    let mut command = case.command(arguments);
    command.env("STATE_URL", url).env("STATE_KEY", KEY).env("NEW_KEY", NEW_KEY);
    case.check(command.output().unwrap())
}

#[test]
fn the_state_may_be_kept_in_postgresql_under_a_key_from_the_environment() {
    let Some(server) = Server::start(&[], &[]) else { return };
    let database = server.database(&format!("CREATE USER keeper PASSWORD '{PASSWORD}'"));
    let url = database.url("keeper", PASSWORD);
    let case = Case::new();
    case.segment("vip.csv", &["ann@example.com", "bob@example.com"]);
    let configure = |keys: &str| {
        let place = format!("postgres_env = \"STATE_URL\"\npostgres_schema = \"sync\"\n{keys}");
        let head = case.head().replacen("directory = \"state\"", &place, 1);
        case.write(CONFIG, &format!("{head}{VIP}\n"));
    };
    configure("key_env = \"STATE_KEY\"");

    let dry = activate_in(&case, &url, &["--dry-run"]);
    assert!(dry.code == 0 && dry.stdout.contains("add 2"), "{dry:?}");
    assert_eq!(database.run("SELECT count(*) FROM pg_namespace WHERE nspname = 'sync'"), "0");
    let poor = activate_in(&case, &url, &[]);
    assert!(poor.code == 1 && poor.stderr.contains("GRANT CREATE ON DATABASE"), "{poor:?}");

    database.run(&format!("GRANT CREATE ON DATABASE {} TO keeper", database.name));
    assert_eq!(activate_in(&case, &url, &[]).code, 0);
    assert_eq!(case.members("vip"), ["ann@example.com", "bob@example.com"]);
    assert_eq!(case.state(), None, "nothing is kept on this disk");
    case.segment("vip.csv", &["ann@example.com", "cid@example.com"]);
    assert_eq!(activate_in(&case, &url, &[]).code, 0);
    assert_eq!(case.members("vip"), ["ann@example.com", "cid@example.com"]);

    configure("key_env = \"NEW_KEY\"");
    let wrong = activate_in(&case, &url, &[]);
    assert!(wrong.code == 1 && wrong.stderr.contains("has another key"), "{wrong:?}");
    configure("key_env = \"NEW_KEY\"\nprevious_key_env = \"STATE_KEY\"");
    assert_eq!(activate_in(&case, &url, &["--dry-run"]).code, 0);
    assert_eq!(activate_in(&case, &url, &[]).code, 0);
    configure("key_env = \"NEW_KEY\"");
    let run = activate_in(&case, &url, &[]);
    assert!(run.code == 0 && run.stdout.contains("unchanged 2"), "{run:?}");

    // Somebody else runs, or died while running.
    database.run("UPDATE sync.lease SET holder = 'another host', until = until + 9000000000000000");
    let busy = activate_in(&case, &url, &[]);
    assert!(busy.code == 75 && busy.stdout.contains("another host"), "{busy:?}");
    drop(server);
    let gone = activate_in(&case, &url, &[]);
    assert!(gone.code == 75 && gone.stderr.contains("cannot be reached"), "{gone:?}");
}
