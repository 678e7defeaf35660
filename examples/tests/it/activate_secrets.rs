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
