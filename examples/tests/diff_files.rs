//! The example `diff_files`, run as a process as people run it.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A directory with the two files of keys, in which the program runs.
struct Case {
    directory: TempDir,
}

impl Case {
    fn new(previous: impl AsRef<[u8]>, current: impl AsRef<[u8]>) -> Self {
        let directory = TempDir::new().unwrap();
        let case = Self { directory };
        fs::write(case.path("previous"), previous).unwrap();
        fs::write(case.path("current"), current).unwrap();
        fs::create_dir(case.path("spill")).unwrap();
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of all files, and of what is left of temporary ones.
    fn names(&self) -> BTreeSet<String> {
        let list = |path: &Path| -> Vec<String> {
            let entries = fs::read_dir(path).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let names = list(self.directory.path()).into_iter().filter(|name| name != "spill");
        names.chain(list(&self.path("spill"))).collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.current_dir(&self.directory).env("TMPDIR", self.path("spill")).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        Run::from(self.command(arguments).output().unwrap())
    }

    /// Compares the two files with more `arguments`.
    fn compare(&self, arguments: &[&str]) -> Run {
        self.run(&[&["previous", "current"], arguments].concat())
    }
}

#[derive(Debug, PartialEq)]
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Run {
    fn printed(out: &str) -> Self {
        Self { code: 0, out: out.to_owned(), err: String::new() }
    }

    fn assert_fails(&self, code: i32, messages: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.out, "");
        for message in messages {
            assert!(self.err.contains(message), "{message} is missing in {}", self.err);
        }
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Cargo puts examples beside the directory of the test binaries.
fn program() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let profile = deps.ancestors().nth(2).unwrap();
    let program =
        profile.join("examples").join(format!("diff_files{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "build it first: cargo build --example diff_files");
    program
}

fn addresses(range: std::ops::Range<u32>) -> String {
    let scrambled = |index: u32| index.wrapping_mul(2_654_435_761);
    range.map(|index| format!("{:08x}.member@example.com\n", scrambled(index))).collect()
}

#[test]
fn lines_come_out_marked_in_the_order_of_their_bytes_and_once() {
    let case = Case::new("bo\nada\n\nzoe\nbo\n", "cy\nbo\naaron\n\ncy\nzoë");
    assert_eq!(case.compare(&[]), Run::printed("+aaron\n-ada\n+cy\n-zoe\n+zoë\n"));
}

#[test]
fn only_the_line_feed_ends_a_line() {
    let case = Case::new("ada\r\n bo\n", "ada\n bo\n");
    assert_eq!(case.compare(&[]), Run::printed("+ada\n-ada\r\n"));
}

#[test]
fn bytes_that_are_no_text_are_keys_too() {
    let case = Case::new(b"\xff\n", b"\xfe\0\n");
    let output = case.command(&["previous", "current"]).output().unwrap();
    assert_eq!(output.stdout, b"+\xfe\0\n-\xff\n");
}

#[test]
fn equal_and_empty_files_do_not_differ() {
    assert_eq!(Case::new("ada\nbo\n", "bo\nada").compare(&[]), Run::printed(""));
    assert_eq!(Case::new("", "\n\n").compare(&[]), Run::printed(""));
}

#[test]
fn count_prints_counts_only() {
    let case = Case::new("ada\nbo\ncy\n", "bo\nbo\ndee\n");
    let counts = "added 1\nremoved 2\nunchanged 1\n";
    assert_eq!(case.compare(&["--count"]), Run::printed(counts));
}

#[test]
fn added_and_removed_keys_go_to_the_files_asked_for() {
    let case = Case::new("ada\nbo\n", "bo\ncy\naaron\n");
    fs::write(case.path("plus"), "from the last time").unwrap();
    assert_eq!(case.compare(&["--added", "plus", "--removed", "minus"]), Run::printed(""));
    assert_eq!((case.read("plus"), case.read("minus")), ("aaron\ncy\n".into(), "ada\n".into()));

    let counts = "added 2\nremoved 1\nunchanged 1\n";
    assert_eq!(case.compare(&["--removed", "other", "--count"]), Run::printed(counts));
    assert_eq!(case.read("other"), "ada\n");
    assert_eq!(
        case.names(),
        ["current", "minus", "other", "plus", "previous"].map(String::from).into()
    );
}

#[test]
fn an_output_may_replace_an_input() {
    let case = Case::new("ada\nbo\n", "bo\ncy\n");
    assert_eq!(case.compare(&["--added", "current"]), Run::printed(""));
    assert_eq!(case.read("current"), "cy\n");
}

#[test]
fn a_dash_is_standard_input_on_either_side() {
    let case = Case::new("ada\nbo\n", "bo\ncy\n");
    for (arguments, input) in [(["-", "current"], "previous"), (["previous", "-"], "current")] {
        let mut command = case.command(&arguments);
        command.stdin(fs::File::open(case.path(input)).unwrap());
        assert_eq!(Run::from(command.output().unwrap()), Run::printed("-ada\n+cy\n"));
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let case = Case::new("ada\n", "bo\n");
    case.run(&["previous"]).assert_fails(2, &["CURRENT"]);
    case.run(&["-", "-"]).assert_fails(2, &["only one of PREVIOUS and CURRENT"]);
    case.compare(&["--threads", "0"]).assert_fails(2, &["--threads"]);
    case.compare(&["--added", "x", "--removed", "x"]).assert_fails(2, &["two different files"]);
    for size in ["", "much", "-1", "64XB", "MiB", "99999999999GiB"] {
        case.compare(&[&format!("--memory={size}")]).assert_fails(2, &["--memory", "64MiB"]);
    }
    case.compare(&["--memory", "1023KiB"]).assert_fails(2, &["at least 1MiB"]);
}

#[test]
fn sizes_are_understood_with_and_without_a_unit() {
    let case = Case::new("ada\n", "ada\n");
    for size in ["1048576", "1MiB", "2m", "2MB", "2 MB", "4096kib", "1GiB"] {
        assert_eq!(case.compare(&["--memory", size]), Run::printed(""), "{size}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let case = Case::new("ada\n", "bo\n");
    case.run(&["absent", "current"]).assert_fails(1, &["cannot read absent: "]);
    case.run(&["previous", "spill"]).assert_fails(1, &["cannot read spill: is a directory"]);
}

#[test]
fn a_failure_leaves_no_half_written_result() {
    let case = Case::new("ada\n", "bo\n");
    fs::write(case.path("plus"), "from the last time").unwrap();
    let names = case.names();
    case.compare(&["--added", "plus", "--removed", "spill"]).assert_fails(1, &["write spill: "]);
    case.compare(&["--added", "plus", "--removed", "no/such"]).assert_fails(1, &["no/such"]);
    case.run(&["previous", "absent", "--added", "plus"]).assert_fails(1, &["absent"]);
    assert_eq!(case.read("plus"), "from the last time");
    assert_eq!(case.names(), names);
}

#[test]
fn a_line_that_is_too_long_is_reported_by_number() {
    let case = Case::new(format!("ada\n\n{}\n", "x".repeat((1 << 20) + 1)), "bo\n");
    case.compare(&[]).assert_fails(1, &["line 3 of previous is longer than 1048576 bytes"]);
    let case = Case::new("bo\n", "x".repeat(1 << 20));
    assert_eq!(case.compare(&["--count"]).code, 0);
    case.compare(&["--memory", "1MiB"]).assert_fails(1, &["line 1 of current is longer than"]);
}

#[test]
fn a_line_of_a_pipe_that_is_too_long_is_reported_by_its_place() {
    let case = Case::new(format!("ada\n\n{}\n", "x".repeat((1 << 20) + 1)), "bo\n");
    let mut command = case.command(&["-", "current"]);
    command.stdin(fs::File::open(case.path("previous")).unwrap());
    Run::from(command.output().unwrap())
        .assert_fails(1, &["the line of standard input that starts at byte 5 is longer than"]);
}

#[test]
fn the_exit_code_tells_on_request_whether_anything_differs() {
    let case = Case::new("ada\nbo\n", "bo\nada");
    let code = |case: &Case, arguments: &[&str]| case.compare(arguments).code;
    assert_eq!((code(&case, &[]), code(&case, &["--exit-code"])), (0, 0));
    for (previous, current) in [("ada\n", "ada\nbo\n"), ("ada\nbo\n", "ada\n")] {
        let case = Case::new(previous, current);
        assert_eq!(code(&case, &[]), 0);
        assert_eq!(code(&case, &["--exit-code"]), 1);
        assert_eq!(code(&case, &["--exit-code", "--count"]), 1);
        assert_eq!(code(&case, &["--exit-code", "--added", "plus"]), 1);
    }
    case.run(&["absent", "current", "--exit-code"]).assert_fails(2, &["absent"]);
}

#[test]
fn an_exact_answer_is_the_same() {
    let case = Case::new(addresses(0..3_000), addresses(30..3_020));
    let expected = case.compare(&[]);
    assert_eq!((expected.code, expected.out.lines().count()), (0, 50));
    assert_eq!(case.compare(&["--exact"]), expected);
}

#[test]
fn sorted_files_and_sorted_files_with_a_flaw_are_compared_alike() {
    let sorted = |addresses: String| {
        let mut lines: Vec<&str> = addresses.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    let (before, after) = (sorted(addresses(0..20_000)), sorted(addresses(70..20_000)));
    let expected = Case::new(&before, &after).compare(&[]);
    assert_eq!((expected.code, expected.out.lines().count()), (0, 70));
    // The last line is below all others: the merge finds that out only at the end.
    let flawed = format!("{after}\n{}", after.lines().next().unwrap());
    assert_eq!(Case::new(&before, flawed).compare(&[]), expected);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_read_as_a_pipe_is() {
    let case = Case::new("ada\nbo\n", "bo\ncy\n");
    let mut command = case.command(&["/dev/stdin", "current"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"bo\nada").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"-ada\n+cy\n");
    assert_eq!(case.run(&["previous", "/dev/null"]), Run::printed("-ada\n-bo\n"));
}

#[test]
fn no_progress_goes_to_what_is_no_terminal() {
    let case = Case::new(addresses(0..60_000), addresses(0..60_000));
    assert_eq!(case.compare(&["--quiet"]), Run::printed(""));
    assert_eq!(case.compare(&[]), Run::printed(""));
}

#[test]
fn neither_memory_nor_threads_change_the_result() {
    let case = Case::new(addresses(0..60_000), addresses(300..60_200));
    let expected = case.compare(&["--memory", "64MiB", "--threads", "1"]);
    assert_eq!((expected.code, expected.out.lines().count()), (0, 500));
    for memory in ["1MiB", "3MiB"] {
        for threads in ["1", "2", "5"] {
            assert_eq!(case.compare(&["--memory", memory, "--threads", threads]), expected);
            assert_eq!(case.names().len(), 2, "temporary files are left");
        }
    }
}

#[test]
fn what_exceeds_the_memory_goes_to_the_temporary_directory() {
    let case = Case::new(addresses(0..60_000), addresses(0..60_000));
    fs::remove_dir(case.path("spill")).unwrap();
    assert_eq!(case.compare(&[]), Run::printed(""));
    case.compare(&["--memory", "1MiB"]).assert_fails(1, &["cannot use temporary ", "spill"]);
}

#[test]
fn temporary_files_are_removed_when_a_later_line_fails() {
    let case = Case::new(format!("{}{}", addresses(0..60_000), "x".repeat(1 << 20)), "bo\n");
    case.compare(&["--memory", "1MiB"]).assert_fails(1, &["line 60001 of previous"]);
    assert_eq!(case.names().len(), 2);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let case = Case::new("", addresses(0..60_000));
    let mut command = case.command(&["previous", "current"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut start = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn a_slow_standard_input_is_read_to_its_end() {
    let case = Case::new("ada\nbo\n", "");
    let mut command = case.command(&["previous", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for piece in ["b", "o\nc", "y"] {
        input.write_all(piece.as_bytes()).unwrap();
        input.flush().unwrap();
    }
    drop(input);
    assert_eq!(child.wait_with_output().unwrap().stdout, b"-ada\n+cy\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_a_failure_and_stays_a_device() {
    let case = Case::new("ada\n", "bo\n");
    case.compare(&["--added", "/dev/full"]).assert_fails(1, &["/dev/full", "No space left"]);
    assert_eq!(case.compare(&["--added", "/dev/null"]), Run::printed(""));
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let mut command = case.command(&["previous", "current"]);
    command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
    Run::from(command.output().unwrap()).assert_fails(1, &["standard output", "No space left"]);
}
