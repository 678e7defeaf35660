//! Starts the built example and talks to it over a plain socket.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

const ACCOUNT: &str = r#"{
    "user": "demo",
    "password": "demo",
    "contacts": [{"email": "ann@example.com"}, {"email": "bob@example.com", "suppressed": true}],
    "lists": [{"name": "VIP", "visibility": "public", "members": ["ann@example.com"]}]
}"#;

/// `demo:demo` for Basic authentication.
const CREDENTIALS: &str = "ZGVtbzpkZW1v";

/// The running example; ended when dropped, also when a test fails.
struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(binary())
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example is built along with its tests");
        let output = BufReader::new(child.stdout.take().expect("a pipe was asked for"));
        Self { child, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).expect("a line");
        assert_ne!(read, 0, "the example ended before it said what was expected");
        line.trim_end().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Cargo builds examples next to the directory of the test binaries.
fn binary() -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let profile = test.parent().and_then(Path::parent).expect("target/<profile>/deps");
    profile.join("examples").join(format!("dotdigital_simulator{}", env::consts::EXE_SUFFIX))
}

fn account_file(directory: &tempfile::TempDir, text: &str) -> String {
    let path = directory.path().join("account.json");
    fs::write(&path, text).expect("written");
    path.to_str().expect("a path in UTF-8").to_owned()
}

fn get(authority: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(authority).expect("a connection");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Basic {CREDENTIALS}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn the_account_of_a_file_is_served_at_the_address_printed_first() {
    let directory = tempfile::tempdir().expect("a directory");
    let account = account_file(&directory, ACCOUNT);
    let mut running = Running::start(&["--port", "0", "--account", &account]);
    let first = running.line();
    let authority =
        first.strip_prefix("listening on http://").expect("the address first").to_owned();
    assert!(authority.starts_with("127.0.0.1:"), "{authority}");

    let lists = get(&authority, "/v2/address-books");
    assert!(lists.starts_with("HTTP/1.1 200"), "{lists}");
    assert!(
        lists.contains(r#""contacts":1,"id":101,"name":"VIP","visibility":"Public""#),
        "{lists}"
    );
    let contact = get(&authority, "/contacts/v3/email/bob%40example.com");
    assert!(contact.contains(r#""status":"suppressed""#), "{contact}");

    let mut rest = vec![running.line()];
    while rest.last().is_some_and(|line| line != "stop with Ctrl-C") {
        rest.push(running.line());
    }
    assert!(rest.iter().any(|line| line.contains("DOTDIGITAL_USER='demo'")), "{rest:?}");
}

#[test]
fn without_a_file_the_account_is_empty() {
    let mut running = Running::start(&[]);
    let first = running.line();
    let authority = first.strip_prefix("listening on http://").expect("the address first");
    assert!(get(authority, "/v2/address-books").starts_with("HTTP/1.1 401"));
}

#[test]
fn a_file_with_an_unknown_key_is_refused_by_name_before_listening() {
    let directory = tempfile::tempdir().expect("a directory");
    let account = account_file(&directory, r#"{"contatcs": []}"#);
    let output =
        Command::new(binary()).args(["--account", &account]).output().expect("the example ran");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("account.json") && message.contains("`contatcs`"), "{message}");
    assert!(output.stdout.is_empty());
}
