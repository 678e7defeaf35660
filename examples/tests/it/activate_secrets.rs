//! What must never be written down. Every other test looks at output and report as well.

use crate::support::{CONFIG, Case, PASSWORD, USER, VIP};

const KEY: &str = "000102030405060708090a0b0c0d0e0f";

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn the_state_directory_holds_neither_the_password_nor_anybodys_address() {
    let members = ["ann@example.com", "bob@example.com", "cid@example.com", "dee@example.com"];
    let case = Case::of(&members);
    case.service.globally_suppress("bob@example.com");
    assert_eq!(case.activate(&[]).code, 4);
    case.segment("vip.csv", &members[1..]);
    assert_eq!(case.activate(&[]).code, 4);
    let state = case.state().unwrap();
    assert!(state.values().any(|bytes| bytes.len() > 1_000));
    for (path, bytes) in &state {
        // One stands for all addresses, the other for their parts in another encoding.
        for secret in [PASSWORD, USER, "@example", "ann@", "bob@", "cid@", "dee@"] {
            assert!(!contains(bytes, secret.as_bytes()), "{secret} is in {}", path.display());
        }
    }
}

#[test]
fn a_key_from_the_environment_stays_out_of_the_state_directory_and_is_needed_again() {
    let case = Case::of(&["ann@example.com"]);
    let config = std::fs::read_to_string(case.path(CONFIG)).unwrap();
    case.write(CONFIG, &config.replacen("[state]\n", "[state]\nkey_env = \"TEST_KEY\"\n", 1));
    let with_key = |key| case.check(case.command(&[]).env("TEST_KEY", key).output().unwrap());
    assert_eq!(with_key(KEY).code, 0);
    assert_eq!(with_key(KEY).code, 0);
    let key: Vec<u8> = (0..16).collect();
    for (path, bytes) in case.state().unwrap() {
        assert!(!contains(&bytes, &key), "the key is in {}", path.display());
        assert!(!contains(&bytes, KEY.as_bytes()), "the key is in {}", path.display());
    }
    let wrong = with_key("ffffffffffffffffffffffffffffffff");
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.stderr.contains("key"), "{wrong:?}");

    case.configure(&format!("{VIP}\n"));
    assert_eq!(case.activate(&[]).code, 1, "without its key the state is of no use");
}

#[test]
fn the_states_key_is_changed_while_the_old_one_is_named_too() {
    const NEW: &str = "f0e0d0c0b0a090807060504030201000";

    let case = Case::of(&["ann@example.com"]);
    let config = std::fs::read_to_string(case.path(CONFIG)).unwrap();
    let keys = |keys: &str| {
        case.write(CONFIG, &config.replacen("[state]\n", &format!("[state]\n{keys}\n"), 1));
    };
    let run = |arguments: &[&str]| {
        let mut command = case.command(arguments);
        command.env("TEST_KEY", KEY).env("TEST_NEW_KEY", NEW);
        case.check(command.output().unwrap())
    };
    keys("key_env = \"TEST_KEY\"");
    assert_eq!(run(&[]).code, 0);

    keys("key_env = \"TEST_NEW_KEY\"\nprevious_key_env = \"TEST_KEY\"");
    let before = case.state();
    assert_eq!(run(&["--dry-run"]).code, 0);
    assert_eq!(case.state(), before, "a dry run changes nothing");
    for _ in 0..2 {
        let changed = run(&[]);
        assert!(changed.code == 0 && changed.stdout.contains("unchanged 1"), "{changed:?}");
    }
    keys("key_env = \"TEST_NEW_KEY\"");
    assert_eq!(run(&[]).code, 0);
    keys("key_env = \"TEST_KEY\"");
    assert_eq!(run(&[]).code, 1, "the old key is of no use any more");
    keys("previous_key_env = \"TEST_KEY\"");
    let alone = run(&[]);
    assert_eq!(alone.code, 2, "{alone:?}");
    assert!(alone.stderr.contains("state.previous_key_env"), "{alone:?}");
}

#[test]
fn unusable_rows_are_shown_in_the_report_only_and_only_on_request() {
    let case = Case::of(&["ann@example.com", "bob(at)example.com"]);
    let guard = "guard = { max_rejected_share = 1.0 }";
    case.configure(&format!("{VIP}\n{guard}\n"));
    let (_, report) = case.activate_with_report(&["--dry-run"]);
    assert!(report["activations"][0].get("rejected_rows").is_none(), "{report}");
    case.configure(&format!("{VIP}\n{guard}\nshow_rejects = 3\n"));
    let (shown, report) = case.activate_with_report(&["--dry-run"]);
    let row = &report["activations"][0]["rejected_rows"][0];
    assert_eq!(
        (row["row"].as_str(), row["reason"].as_str()),
        (Some("bob(at)example.com"), Some("invalid_email"),)
    );
    assert!(!shown.stdout.contains("bob") && !shown.stderr.contains("bob"), "{shown:?}");
}
