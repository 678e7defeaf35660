//! Runs of `activate` that do their work.

use serde_json::json;

use crate::support::{CONFIG, Case, VIP};

const FOUR: [&str; 4] =
    ["ann@example.com", "bob@example.com", "cid@example.com", "dee@example.com"];

#[test]
fn the_list_follows_the_segment_and_a_run_without_changes_writes_nothing() {
    let case = Case::of(&FOUR);
    let (first, report) = case.activate_with_report(&[]);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.stdout.contains("vip -> list \"vip\": done"), "{first:?}");
    assert_eq!(report["activations"][0]["added"], 4);
    assert_eq!(case.members("vip"), FOUR);

    case.segment(
        "vip.csv",
        &["bob@example.com", "cid@example.com", "dee@example.com", "eve@example.com"],
    );
    let (second, report) = case.activate_with_report(&[]);
    assert_eq!(second.code, 0, "{second:?}");
    let counts = ["added", "removed", "unchanged"].map(|key| report["activations"][0][key].clone());
    assert_eq!(counts, [json!(1), json!(1), json!(3)]);
    assert_eq!(
        case.members("vip"),
        ["bob@example.com", "cid@example.com", "dee@example.com", "eve@example.com"]
    );
    assert_eq!(case.service.contact_count(), 5, "who leaves the list stays in the account");

    case.service.reset_ledger();
    let (third, report) = case.activate_with_report(&[]);
    assert_eq!(third.code, 0, "{third:?}");
    assert_eq!(report["activations"][0]["status"], "nothing_to_do");
    assert_eq!(case.write_calls(), 0, "{:?}", case.service.calls());
}

#[test]
fn the_list_takes_the_name_it_is_given_and_else_the_segments() {
    let case = Case::of(&["ann@example.com"]);
    case.segment("new.csv", &["bob@example.com"]);
    case.configure(&format!(
        "{VIP}\nname = \"VIP customers\"\n\n[[activation]]\nsegment = \"newcomers\"\n\
         source = {{ kind = \"csv\", path = \"new.csv\", column = \"email\" }}\n"
    ));
    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.members("VIP customers"), ["ann@example.com"]);
    assert_eq!(case.members("newcomers"), ["bob@example.com"]);
    let calls = case.service.calls();
    assert_eq!(calls["GET /v2/account-info"], 1, "one look-up for both: {calls:?}");
}

#[test]
fn only_the_activation_that_is_named_runs() {
    let case = Case::of(&["ann@example.com"]);
    // The other one could not even be read.
    case.configure(&format!(
        "{VIP}\n\n[[activation]]\nsegment = \"later\"\n\
         source = {{ kind = \"csv\", path = \"later.csv\", column = \"email\" }}\n"
    ));
    assert_eq!(case.activate(&["--activation", "vip"]).code, 0);
    assert_eq!(case.members("vip"), ["ann@example.com"]);
    assert!(case.service.list_named("later").is_none());
}

#[test]
fn an_activation_overrides_the_defaults_of_its_destination() {
    let case = Case::of(&["ann@example.com"]);
    case.write("mobiles.csv", "phone\n+44 7123 123 123\n");
    case.configure(&format!(
        "\n[destination.defaults]\nvisibility = \"public\"\nidentifier = \"mobile_number\"\n\
         missing_contacts = \"existing_only\"\n{VIP}\nvisibility = \"private\"\n\
         identifier = \"email\"\nmissing_contacts = \"create\"\n\n[[activation]]\nsegment = \"mobiles\"\n\
         source = {{ kind = \"csv\", path = \"mobiles.csv\", column = \"phone\" }}\n"
    ));
    case.service.add_mobile_contact("447123123123");
    assert_eq!(case.activate(&[]).code, 0);
    let visibility = |name| case.service.list_named(name).unwrap().visibility.as_str();
    assert_eq!((visibility("vip"), visibility("mobiles")), ("Private", "Public"));
    assert_eq!(case.members("vip"), ["ann@example.com"]);
    assert_eq!(case.members("mobiles"), ["447123123123"]);
}

#[test]
fn existing_contacts_only_never_creates_anybody_whatever_the_identifier() {
    let case = Case::new();
    let ann = case.service.add_contact("ann@example.com");
    let phone = case.service.add_mobile_contact("447123123123");
    case.write("ids.csv", &format!("id\n{ann}\n999999\n"));
    case.write("emails.csv", "id\nann@example.com\nstranger@example.com\n");
    case.write("mobiles.csv", "id\n447123123123\n447999999999\n");
    let activation = |segment: &str, identifier: &str| {
        format!(
            "\n[[activation]]\nsegment = \"{segment}\"\nidentifier = \"{identifier}\"\n\
             source = {{ kind = \"csv\", path = \"{segment}.csv\", column = \"id\" }}\n"
        )
    };
    case.configure(&format!(
        "\n[destination.defaults]\nmissing_contacts = \"existing_only\"\n{}{}{}",
        activation("ids", "contact_id"),
        activation("emails", "email"),
        activation("mobiles", "mobile_number")
    ));
    let (run, report) = case.activate_with_report(&[]);
    assert_eq!(case.service.contact_count(), 2);
    assert_eq!(run.code, 0, "{run:?}");
    let lists = [("ids", ann), ("emails", ann), ("mobiles", phone)];
    for (index, (list, contact)) in lists.into_iter().enumerate() {
        let list = case.service.list_named(list).unwrap();
        let members: Vec<i64> = case.service.members(list.id).iter().map(|one| one.id).collect();
        assert_eq!(members, [contact], "{}", list.name);
        assert_eq!(report["activations"][index]["skipped"], 1, "{}", list.name);
    }
}

#[test]
fn a_query_on_sqlite_is_a_source_too() {
    let case = Case::new();
    let warehouse = rusqlite::Connection::open(case.path("warehouse.db")).unwrap();
    warehouse
        .execute_batch(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, vip INTEGER);
             INSERT INTO customers (email, vip) VALUES
                ('ann@example.com', 1), ('bob@example.com', 0), ('cid@example.com', 1);",
        )
        .unwrap();
    let activation = |segment: &str, rest: &str| {
        format!(
            "\n[[activation]]\nsegment = \"{segment}\"\n\
             source = {{ kind = \"sqlite\", path = \"warehouse.db\", {rest} }}\n"
        )
    };
    case.configure(&format!(
        "{}{}",
        activation("vip", "query = \"SELECT email FROM customers WHERE vip\""),
        activation("all", "query = \"SELECT id, email FROM customers\", column = \"email\"")
    ));
    let run = case.activate(&[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(case.members("vip"), ["ann@example.com", "cid@example.com"]);
    assert_eq!(case.members("all").len(), 3);
}

#[test]
fn relative_paths_are_relative_to_the_file() {
    let case = Case::of(&["ann@example.com"]);
    let mut command = case.command_with(&case.path(CONFIG), &[]);
    let run = case.check(command.current_dir(std::env::temp_dir()).output().unwrap());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(case.state().is_some(), "the state is beside the file");
    assert_eq!(case.members("vip"), ["ann@example.com"]);
}

#[test]
fn sizes_of_calls_can_be_configured() {
    let members: Vec<String> = (0..12).map(|number| format!("m{number}@example.com")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let case = Case::of(&members);
    let sizes = "max_import_contacts = 4\nmax_removals_per_call = 5\n";
    case.configure(&format!("{sizes}{VIP}\n"));
    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.service.calls()["PUT /contacts/v3/import"], 3);

    case.segment("vip.csv", &members[10..]);
    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.members("vip"), ["m10@example.com", "m11@example.com"]);
    let calls = case.service.calls();
    assert_eq!(calls["POST /v2/address-books/{addressBookId}/contacts/delete"], 2, "{calls:?}");
}

#[test]
fn people_whom_others_put_on_the_list_stay() {
    let case = Case::of(&["ann@example.com", "bob@example.com"]);
    assert_eq!(case.activate(&[]).code, 0);
    let list = case.service.list_named("vip").unwrap();
    case.service.add_member(list.id, case.service.add_contact("guest@example.com"));
    case.segment("vip.csv", &["ann@example.com"]);
    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.members("vip"), ["ann@example.com", "guest@example.com"]);
}

#[test]
fn with_a_key_column_a_changed_address_keeps_its_contact() {
    let keyed = VIP.replace("column = \"email\"", "column = \"email\", key_column = \"id\"");
    let csv = Case::new();
    csv.configure(&format!("{keyed}\n"));
    let write_csv = |address: &str| {
        csv.write("vip.csv", &format!("id,email\n1,ann@example.com\n2,{address}\n"));
    };
    let sqlite = Case::new();
    let warehouse = rusqlite::Connection::open(sqlite.path("warehouse.db")).unwrap();
    warehouse.execute_batch("CREATE TABLE people (id INTEGER, email TEXT)").unwrap();
    sqlite.configure(
        "\n[[activation]]\nsegment = \"vip\"\nsource = { kind = \"sqlite\", \
         path = \"warehouse.db\", query = \"SELECT id, email FROM people\", key_column = \"id\" }\n",
    );
    let write_sqlite = |address: &str| {
        warehouse.execute("DELETE FROM people", []).unwrap();
        let rows = "INSERT INTO people VALUES (1, 'ann@example.com'), (2, ?1)";
        warehouse.execute(rows, [address]).unwrap();
    };
    for (case, write) in [(&csv, &write_csv as &dyn Fn(&str)), (&sqlite, &write_sqlite)] {
        write("old@example.com");
        assert_eq!(case.activate(&[]).code, 0);
        let list = case.service.list_named("vip").unwrap().id;
        let id_of = |address: &str| {
            let mut members = case.service.members(list).into_iter();
            members.find(|one| one.email.as_deref() == Some(address)).map(|one| one.id)
        };
        let before = id_of("old@example.com");
        assert!(before.is_some());
        write("new@example.com");
        let (run, report) = case.activate_with_report(&[]);
        assert_eq!(run.code, 0, "{run:?}");
        let counts = ["added", "removed", "moved", "unchanged"];
        let counts = counts.map(|key| report["activations"][0][key].clone());
        assert_eq!(counts, [json!(0), json!(0), json!(1), json!(1)], "{report}");
        assert!(run.stdout.contains("moved to another identifier: 1"), "{run:?}");
        assert_eq!(id_of("new@example.com"), before);
        assert_eq!(case.service.contact_count(), 2);
    }
}

#[test]
fn with_tables_the_warehouse_computes_the_difference() {
    let case = Case::new();
    let warehouse = rusqlite::Connection::open(case.path("warehouse.db")).unwrap();
    let people = "CREATE TABLE people (email TEXT); \
        INSERT INTO people VALUES ('ann@example.com'), ('bob@example.com'), ('no address')";
    warehouse.execute_batch(people).unwrap();
    case.configure(
        "\n[[activation]]\nsegment = \"vip\"\nsource = { kind = \"sqlite\", \
         path = \"warehouse.db\", query = \"SELECT email FROM people\", tables = \"tables.db\" }\n",
    );
    assert_eq!(case.activate(&[]).code, 0);
    let change = "DELETE FROM people WHERE email LIKE 'a%'; \
        INSERT INTO people VALUES ('cid@example.com')";
    warehouse.execute_batch(change).unwrap();
    let (run, report) = case.activate_with_report(&[]);
    assert_eq!(run.code, 0, "{run:?}");
    let counts = ["added", "removed", "unchanged"].map(|key| report["activations"][0][key].clone());
    assert_eq!(counts, [json!(1), json!(1), json!(1)], "{report}");
    assert_eq!(case.members("vip"), ["bob@example.com", "cid@example.com"]);
    let tables = rusqlite::Connection::open(case.path("tables.db")).unwrap();
    let named = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'activation\\_%' ESCAPE '\\'";
    let count: i64 = tables.query_row(named, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
}

/// Where a file cannot grow, as on a disk that is full.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_leaves_the_list_alone() {
    let case = Case::new();
    let warehouse = rusqlite::Connection::open(case.path("warehouse.db")).unwrap();
    let some = |count: u32| {
        format!(
            "DELETE FROM people; WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n \
             WHERE i < {count}) INSERT INTO people SELECT 'person' || i || '@example.com' FROM n"
        )
    };
    warehouse.execute_batch("CREATE TABLE people (email TEXT)").unwrap();
    warehouse.execute_batch(&some(15_000)).unwrap();
    case.configure(
        "\n[[activation]]\nsegment = \"vip\"\nsource = { kind = \"sqlite\", \
         path = \"warehouse.db\", query = \"SELECT email FROM people\", tables = \"tables.db\" }\n",
    );
    assert_eq!(case.activate(&[]).code, 0);
    warehouse.execute_batch(&some(20_000)).unwrap();
    let calls = case.write_calls();
    // Blocks of 512 bytes, or of 1024.
    let limited = "trap '' XFSZ; ulimit -f 200; exec \"$@\"";
    let activate = case.command(&[]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", limited, "sh"]).arg(activate.get_program()).args(activate.get_args());
    shell.current_dir(case.path("")).envs(activate.get_envs().filter_map(|(k, v)| Some((k, v?))));
    let run = case.check(shell.output().unwrap());
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("look whether its disk is full"), "{run:?}");
    assert_eq!((case.members("vip").len(), case.write_calls()), (15_000, calls));
    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.members("vip").len(), 20_000);
}
