//! One exit code for each way to end, and the worst one for several.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use activation_core::{
    Acquired, ActivationKey, Clock as _, DirectoryStore, StateStore as _, SystemClock,
};
use dotdigital_client::simulator::{Fault, FaultRule, Visibility};

use crate::support::{Case, VIP};

const FOUR: [&str; 4] =
    ["ann@example.com", "bob@example.com", "cid@example.com", "dee@example.com"];
const STATUS: &str = "GET /contacts/v3/import/{importId}";

/// A second activation, which always goes well.
const WELL: &str = "\n\n[[activation]]\nsegment = \"well\"\n\
     source = { kind = \"csv\", path = \"vip.csv\", column = \"email\" }\n";

#[test]
fn zero_when_done_and_when_there_is_nothing_to_do() {
    let case = Case::of(&["ann@example.com"]);
    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.activate(&[]).code, 0);
}

#[test]
fn one_when_the_service_refuses_the_credentials() {
    let case = Case::of(&["ann@example.com"]);
    let mut command = case.command(&["--report", "report.json"]);
    let run = case.check(command.env("TEST_PASSWORD", "not-the-one").output().unwrap());
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("did not accept the credentials"), "{run:?}");
    let report = case.report();
    assert_eq!(report["activations"][0]["status"], "failed");
    assert!(!report.to_string().contains("not-the-one"));
}

#[test]
fn one_when_any_activation_fails_and_the_others_run_all_the_same() {
    let case = Case::of(&["ann@example.com"]);
    let taken = case.service.add_list("vip", Visibility::Private);
    case.service.add_member(taken, case.service.add_contact("guest@example.com"));
    case.configure(&format!("{VIP}{WELL}"));
    let (run, report) = case.activate_with_report(&[]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(report["activations"][0]["status"], "failed");
    assert_eq!(report["activations"][1]["status"], "done");
    assert_eq!(case.members("vip"), ["guest@example.com"]);
    assert_eq!(case.members("well"), ["ann@example.com"]);
}

#[test]
fn one_with_a_report_when_the_state_directory_cannot_be_used() {
    let case = Case::of(&["ann@example.com"]);
    case.write("state", "a file where the directory should be");
    case.configure(&format!("{VIP}{WELL}"));
    let (run, report) = case.activate_with_report(&[]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(report["activations"].as_array().unwrap().len(), 2);
    assert_eq!(report["activations"][1]["status"], "failed");
    assert_eq!(case.service.ledger(), []);
}

#[test]
fn two_for_wrong_usage_before_anything_is_called() {
    let case = Case::of(&["ann@example.com"]);
    for arguments in [&["--nonsense"][..], &["--report", "missing/report.json"], &["--report", "."]]
    {
        let run = case.activate(arguments);
        assert_eq!(run.code, 2, "{run:?}");
    }
    assert_eq!(case.service.ledger(), []);
}

#[test]
fn three_when_the_guard_stops_a_run() {
    let case = Case::of(&FOUR);
    assert_eq!(case.activate(&[]).code, 0);
    case.segment("vip.csv", &[]);
    assert_eq!(case.activate(&[]).code, 3);
    assert_eq!(case.members("vip"), FOUR);
}

#[test]
fn four_when_a_member_failed_who_comes_back_in_the_next_run() {
    let case = Case::of(&FOUR);
    let fault = Fault::FailRows { code: "unableToProcess".to_owned(), every: 4 };
    case.service.inject(FaultRule::new(fault).on("PUT /contacts/v3/import"));
    let (run, report) = case.activate_with_report(&[]);
    assert_eq!(run.code, 4, "{run:?}");
    assert_eq!(report["activations"][0]["status"], "incomplete");
    assert_eq!(report["activations"][0]["added"], 3);

    assert_eq!(case.activate(&[]).code, 0);
    assert_eq!(case.members("vip"), FOUR);
}

#[test]
fn four_when_a_member_is_held() {
    let case = Case::of(&FOUR);
    case.service.globally_suppress("bob@example.com");
    let (run, report) = case.activate_with_report(&[]);
    assert_eq!(run.code, 4, "{run:?}");
    assert_eq!(report["activations"][0]["held"], 1);
    assert_eq!(case.members("vip").len(), 3);
}

#[test]
fn seventy_five_while_somebody_else_runs_the_activation() {
    let case = Case::of(&["ann@example.com"]);
    let store = DirectoryStore::open(case.path("state")).unwrap();
    let (segment, minute) = (ActivationKey::new("vip"), Duration::from_secs(60));
    let acquired = store.acquire(&segment, "another", SystemClock.now(), minute);
    let Acquired::Lease(lease) = case.block_on(acquired).unwrap() else {
        panic!("nobody else is there")
    };
    let (run, report) = case.activate_with_report(&[]);
    assert_eq!(run.code, 75, "{run:?}");
    assert_eq!(report["activations"][0]["status"], "busy");
    assert!(run.stderr.contains("another is running"), "{run:?}");

    case.block_on(store.release(&lease)).unwrap();
    assert_eq!(case.activate(&[]).code, 0);
}

#[test]
fn seventy_five_when_the_region_cannot_be_asked_for() {
    let case = Case::of(&["ann@example.com"]);
    let head = case.head();
    let without_endpoint: String = head
        .lines()
        .filter(|line| !line.starts_with("endpoint"))
        .map(|l| format!("{l}\n"))
        .collect();
    case.write("sync.toml", &format!("{without_endpoint}{VIP}\n"));
    // Nobody listens there, so nothing leaves this machine.
    let nowhere = "http://127.0.0.1:9";
    let mut command = case.command(&["--report", "report.json"]);
    command.env("HTTPS_PROXY", nowhere).env("https_proxy", nowhere);
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let run = case.check(command.output().unwrap());
    assert_eq!(run.code, 75, "{run:?}");
    assert!(run.stderr.contains("could not be reached"), "{run:?}");
    assert_eq!(case.report()["activations"][0]["status"], "busy");
}

#[cfg(unix)]
#[test]
fn seventy_five_when_told_to_stop_and_the_next_run_goes_on_from_there() {
    let case = Case::of(&FOUR);
    case.service.inject(FaultRule::new(Fault::StuckJob).on("PUT /contacts/v3/import"));
    let mut child = case.command(&["--report", "report.json"]).spawn().unwrap();
    while !case.service.calls().contains_key(STATUS) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it asked");
        std::thread::yield_now();
    }
    let killed = Command::new("kill").arg(child.id().to_string()).stdin(Stdio::null()).status();
    assert!(killed.unwrap().success());
    let run = case.check(child.wait_with_output().unwrap());
    assert_eq!(run.code, 75, "{run:?}");
    assert!(run.stdout.contains("the next run goes on from there"), "{run:?}");
    assert_eq!(case.report()["activations"][0]["status"], "busy");

    case.service.finish_jobs(SystemClock.now());
    let (run, report) = case.activate_with_report(&[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(report["activations"][0]["recovered"], 4);
    assert_eq!(case.service.calls()["PUT /contacts/v3/import"], 1, "the import is not repeated");
    assert_eq!(case.members("vip"), FOUR);
}

#[test]
fn the_worst_of_several_decides() {
    let case = Case::of(&FOUR);
    assert_eq!(case.activate(&[]).code, 0);
    case.segment("vip.csv", &[]);
    fs::copy(case.path("vip.csv"), case.path("empty.csv")).unwrap();
    case.segment("some.csv", &FOUR);
    // Blocked, then incomplete, then done: the guard's stop is what needs somebody.
    let more = |segment: &str, file: &str| {
        format!(
            "\n\n[[activation]]\nsegment = \"{segment}\"\n\
             source = {{ kind = \"csv\", path = \"{file}\", column = \"email\" }}\n"
        )
    };
    case.service.globally_suppress("bob@example.com");
    case.configure(&format!("{VIP}{}{}", more("some", "some.csv"), more("none", "empty.csv")));
    let (run, report) = case.activate_with_report(&[]);
    let statuses = [0, 1, 2].map(|index| report["activations"][index]["status"].clone());
    assert_eq!(statuses, ["blocked", "incomplete", "done"]);
    assert_eq!(run.code, 3, "{run:?}");
}
