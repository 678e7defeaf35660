//! Forgetting one person.

use std::{io::Write as _, process::Stdio};

use crate::support::{Case, Run};

const THREE: [&str; 3] = ["ann@example.com", "bob@example.com", "cid@example.com"];

impl Case {
    fn erase(&self, person: &str) -> Run {
        let mut command = self.command(&["--erase", "-", "--report", "report.json"]);
        let mut program = command.stdin(Stdio::piped()).spawn().unwrap();
        program.stdin.take().unwrap().write_all(person.as_bytes()).unwrap();
        self.check(program.wait_with_output().unwrap())
    }
}

#[test]
fn somebody_erased_is_forgotten_and_stays_on_the_list_as_a_foreign_member() {
    let case = Case::of(&THREE);
    assert_eq!(case.activate(&[]).code, 0);
    case.service.reset_ledger();
    let erased = case.erase("email: Bob@Example.com \n");
    assert_eq!(erased.code, 0, "{erased:?}");
    let report = case.report();
    assert_eq!(report["erasure"]["activations"][0]["segment"], "vip", "{report}");
    assert_eq!(report["erasure"]["activations"][0]["records"], 1, "{report}");
    assert_eq!(case.write_calls(), 0, "no contact and no list was touched");

    case.segment("vip.csv", &["ann@example.com", "cid@example.com"]);
    let (next, report) = case.activate_with_report(&[]);
    assert_eq!(next.code, 0, "{next:?}");
    assert_eq!(report["activations"][0]["removed"], 0, "nobody knows her any more");
    assert_eq!(case.members("vip"), THREE);

    let again = case.erase("email:bob@example.com");
    assert_eq!(
        (again.code, case.report()["erasure"]["activations"][0]["records"].as_u64()),
        (0, Some(0))
    );
}

#[test]
fn a_person_is_erased_by_every_name_that_is_given() {
    let case = Case::of(&THREE);
    assert_eq!(case.activate(&[]).code, 0);
    let contact = case.contact("ann@example.com");
    case.write("person.txt", &format!("contact_id:{contact}\n\nmobile_number:+447123123123\n"));
    let erased = case.activate(&["--erase", "person.txt"]);
    assert_eq!(erased.code, 0, "{erased:?}");
    assert!(erased.stdout.contains("vip: forgotten 1 in the record"), "{erased:?}");
}

#[test]
fn who_is_meant_must_be_clear_and_is_never_shown() {
    let case = Case::of(&THREE);
    assert_eq!(case.activate(&[]).code, 0);
    let before = case.state();
    let wrong = [
        ("", "nobody"),
        ("ann@example.com", "line 1: expected `email:`"),
        ("email:ann@example.com\nemail:annexample.com", "line 2: unusable: invalid_email"),
        ("contact_id:ann", "line 1: unusable"),
    ];
    for (person, problem) in wrong {
        let refused = case.erase(person);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains(problem), "{refused:?}");
        assert!(!refused.stderr.contains("ann"), "{refused:?}");
    }
    let missing = case.activate(&["--erase", "nowhere.txt"]);
    assert!(missing.code == 2 && missing.stderr.contains("nowhere.txt"), "{missing:?}");
    assert_eq!(case.state(), before);
}
