//! Programs and enrolments: `/v2/programs`.

use dotdigital_client::simulator::{
    Fault, FaultRule, ProgramState, Reenrolment, SimulatorSettings, Switches, Visibility,
};
use serde_json::{Value, json};

use super::Caller;

/// An account with one running program and one contact.
struct Account {
    caller: Caller,
    program: i32,
    ann: i64,
}

impl Account {
    fn with(settings: SimulatorSettings) -> Self {
        let caller = Caller::with(settings);
        let program = caller.simulator.add_program("Welcome", ProgramState::Active);
        let ann = caller.simulator.add_contact("ann@example.com");
        Self { caller, program, ann }
    }

    fn new() -> Self {
        Self::with(SimulatorSettings::default())
    }

    /// Asks for an enrolment and returns its id.
    fn enrol(&self, body: &Value) -> String {
        let answer = self.caller.post("/v2/programs/enrolments", body).expect(201);
        answer["id"].as_str().expect("an id").to_owned()
    }

    fn enrol_ann(&self) -> String {
        self.enrol(&json!({"programId": self.program, "contacts": [self.ann]}))
    }

    fn refused(&self, status: u16, body: &Value) -> String {
        self.caller.post("/v2/programs/enrolments", body).code(status)
    }

    fn enrolment(&self, id: &str) -> Value {
        self.caller.get(&format!("/v2/programs/enrolments/{id}")).expect(200)
    }

    fn faults(&self, id: &str) -> String {
        let reply = self.caller.get(&format!("/v2/programs/enrolments/{id}/report-faults"));
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
        String::from_utf8(reply.0.body).expect("text")
    }

    fn enrolled(&self) -> Vec<(i64, u32)> {
        self.caller.get("/v2/account-info").expect(200);
        self.caller.simulator.enrolments(self.program)
    }
}

#[test]
fn programs_are_paged_and_found_by_id() {
    let account = Account::new();
    let draft = account.caller.simulator.add_program("Later", ProgramState::Draft);
    let page = account.caller.get("/v2/programs").expect(200);
    assert_eq!(page.as_array().map(Vec::len), Some(2));
    assert_eq!(page[0]["dateCreated"], "2020-01-01T00:00:00.000Z");
    assert_eq!(account.caller.get("/v2/programs?select=1&skip=1").expect(200)[0]["id"], draft);
    let one = account.caller.get(&format!("/v2/programs/{draft}")).expect(200);
    assert_eq!((&one["name"], &one["status"]), (&json!("Later"), &json!("Draft")));
    assert_eq!(account.caller.get("/v2/programs/999").code(404), "ERROR_PROGRAM_NOT_FOUND");
    assert_eq!(account.caller.get("/v2/programs?select=1001").code(400), "ERROR_PARAMETER_INVALID");
}

#[test]
fn an_enrolment_takes_its_time() {
    let account = Account::new();
    let body = json!({"programId": account.program, "contacts": [account.ann]});
    let answer = account.caller.post("/v2/programs/enrolments", &body).expect(201);
    assert_eq!(
        (&answer["status"], &answer["programId"]),
        (&json!("Processing"), &json!(account.program))
    );
    assert_eq!((&answer["contacts"], &answer["addressBooks"]), (&json!([account.ann]), &json!([])));
    let id = answer["id"].as_str().expect("an id");
    assert_eq!(account.enrolment(id), answer);
    let early = account.caller.get(&format!("/v2/programs/enrolments/{id}/report-faults"));
    assert_eq!(early.code(400), "ERROR_ENROLMENT_IS_PROCESSING");
    assert_eq!(account.enrolled(), []);
    account.caller.wait(60);
    assert_eq!(account.enrolment(id)["status"], "Finished");
    assert_eq!(account.enrolled(), [(account.ann, 1)]);
    assert_eq!(account.faults(id), "Id,Email,TelephoneNumber,Reason\n");
}

#[test]
fn everybody_on_a_list_is_enrolled_once() {
    let account = Account::new();
    let list = account.caller.simulator.add_list("VIP", Visibility::Private);
    let bob = account.caller.simulator.add_contact("bob@example.com");
    for contact in [account.ann, bob] {
        account.caller.simulator.add_member(list, contact);
    }
    account.enrol(&json!({"programId": account.program, "contacts": [account.ann, account.ann],
                          "addressBooks": [list]}));
    account.caller.wait(60);
    assert_eq!(account.enrolled(), [(account.ann, 1), (bob, 1)]);
}

#[test]
fn who_is_enrolled_twice_shows() {
    let account = Account::new();
    for _ in 0..2 {
        account.enrol_ann();
        account.caller.wait(60);
    }
    assert_eq!(account.enrolled(), [(account.ann, 2)]);
}

#[test]
fn a_second_enrolment_is_refused_if_so_switched() {
    let switches = Switches { reenrolment: Reenrolment::AlreadyInProgram, ..Switches::default() };
    let account = Account::with(SimulatorSettings { switches, ..SimulatorSettings::default() });
    account.enrol_ann();
    account.caller.wait(60);
    let again = account.enrol_ann();
    account.caller.wait(60);
    let line = format!("{},ann@example.com,,AlreadyInProgram\n", account.ann);
    assert!(account.faults(&again).ends_with(&line));
    assert_eq!(account.enrolled(), [(account.ann, 1)]);
}

#[test]
fn who_may_not_be_written_to_is_reported() {
    let account = Account::new();
    let bob = account.caller.simulator.add_mobile_contact("447123123123");
    account.caller.simulator.suppress_contact(bob);
    let body = json!({"email": "ann@example.com"});
    account.caller.post("/v2/contacts/unsubscribe", &body).expect(200);
    let id = account.enrol(&json!({"programId": account.program, "contacts": [account.ann, bob]}));
    account.caller.wait(60);
    let report = account.faults(&id);
    let lines: Vec<String> = report.lines().skip(1).map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            format!("{},ann@example.com,,Unsubscribed", account.ann),
            format!("{bob},,+447123123123,Suppressed"),
        ]
    );
    assert_eq!(account.enrolled(), []);
}

#[test]
fn who_was_deleted_meanwhile_is_reported_without_an_address() {
    let account = Account::new();
    let id = account.enrol_ann();
    account.caller.simulator.delete_contact(account.ann, account.caller.now.get());
    account.caller.wait(60);
    assert!(account.faults(&id).ends_with(&format!("\n{},,,Deleted\n", account.ann)));
}

#[test]
fn an_address_with_a_comma_is_quoted() {
    let account = Account::new();
    let odd = account.caller.simulator.add_contact("\"odd,one\"@example.com");
    account.caller.simulator.suppress_contact(odd);
    let id = account.enrol(&json!({"programId": account.program, "contacts": [odd]}));
    account.caller.wait(60);
    let line = format!("{odd},\"\"\"odd,one\"\"@example.com\",,Suppressed\n");
    assert!(account.faults(&id).ends_with(&line));
}

#[test]
fn nothing_to_enrol_and_too_much_are_refused() {
    let account = Account::new();
    let program = account.program;
    let many: Vec<i64> = vec![account.ann; 26];
    for (body, code) in [
        (json!({"programId": program}), "ERROR_ENROLMENT_INVALID"),
        (json!({"programId": program, "contacts": []}), "ERROR_ENROLMENT_INVALID"),
        (json!({"programId": program, "contacts": many}), "ERROR_ENROLMENT_INVALID"),
        (json!({"programId": program, "addressBooks": vec![1; 11]}), "ERROR_ADDRESSBOOK_TOOMANY"),
        (json!({"programId": program, "addressBooks": [999]}), "ERROR_ADDRESSBOOK_NOT_FOUND"),
        (json!({"programId": program, "contacts": [account.ann, 999]}), "ERROR_CONTACT_NOT_FOUND"),
        (json!({"contacts": [account.ann]}), "ERROR_MALFORMED_REQUEST"),
        (json!({"programId": "1", "contacts": [account.ann]}), "ERROR_MALFORMED_REQUEST"),
        (json!({"programId": program, "contacts": ["1"]}), "ERROR_MALFORMED_REQUEST"),
        (json!({"programId": program, "contacts": account.ann}), "ERROR_MALFORMED_REQUEST"),
        (json!({"programId": program, "contacts": null}), "ERROR_MALFORMED_REQUEST"),
        (json!([]), "ERROR_MALFORMED_REQUEST"),
    ] {
        assert_eq!(account.refused(400, &body), code, "{body}");
    }
    account.caller.wait(60);
    assert_eq!(account.enrolled(), []);
}

#[test]
fn only_a_running_program_takes_people_in() {
    let account = Account::new();
    let body = |program: i32| json!({"programId": program, "contacts": [account.ann]});
    assert_eq!(account.refused(404, &body(999)), "ERROR_PROGRAM_NOT_FOUND");
    for state in [ProgramState::Draft, ProgramState::Deactivated, ProgramState::ReadOnly] {
        account.caller.simulator.set_program_state(account.program, state);
        assert_eq!(account.refused(422, &body(account.program)), "ERROR_PROGRAM_NOT_ACTIVE");
    }
}

#[test]
fn the_allowance_is_kept() {
    let settings = SimulatorSettings { max_enrolments: Some(1), ..SimulatorSettings::default() };
    let account = Account::with(settings);
    account.enrol_ann();
    let body = json!({"programId": account.program, "contacts": [account.ann]});
    let reply = account.caller.post("/v2/programs/enrolments", &body).expect(400);
    assert_eq!(reply["message"], "Error: ERROR_ENROLMENT_ALLOWANCE_EXCEEDED ");
}

#[test]
fn enrolments_are_read_by_status() {
    let account = Account::new();
    let first = account.enrol_ann();
    account.caller.wait(60);
    let second = account.enrol_ann();
    let ids = |query: &str| {
        let page = account.caller.get(&format!("/v2/programs/enrolments/{query}")).expect(200);
        let page = page.as_array().expect("an array").iter();
        page.filter_map(|one| one["id"].as_str()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ids("Finished"), [first]);
    assert_eq!(ids("Processing"), [second]);
    assert_eq!(ids("Finished?skip=1"), [""; 0]);
    assert_eq!(ids("NotAvailableInThisVersion"), [""; 0]);
    let calls = account.caller.simulator.calls();
    assert_eq!(calls.get("GET /v2/programs/enrolments/{status}"), Some(&4));
}

#[test]
fn an_enrolment_that_is_not_there_is_not_found() {
    let account = Account::new();
    let nobodys = "d7de900d-d337-43f6-b1e1-c8ec73e1a434";
    for path in [nobodys.to_owned(), format!("{nobodys}/report-faults")] {
        let reply = account.caller.get(&format!("/v2/programs/enrolments/{path}"));
        assert_eq!(reply.code(404), "ERROR_ENROLMENT_NOT_FOUND", "{path}");
    }
    let wrong = account.caller.get("/v2/programs/enrolments/Done");
    assert_eq!(wrong.code(400), "ERROR_PARAMETER_INVALID");
}

#[test]
fn an_enrolment_can_get_stuck_or_fail() {
    let account = Account::new();
    let endpoint = "POST /v2/programs/enrolments";
    account.caller.simulator.inject(FaultRule::new(Fault::StuckJob).on(endpoint).times(1));
    let stuck = account.enrol_ann();
    account.caller.simulator.inject(FaultRule::new(Fault::FailedJob).on(endpoint).times(1));
    let failed = account.enrol_ann();
    account.caller.wait(86_400);
    assert_eq!(account.enrolment(&stuck)["status"], "Processing");
    assert!(account.faults(&failed).ends_with(",Failed\n"));
    assert_eq!(account.enrolled(), []);
}
