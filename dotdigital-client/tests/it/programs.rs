//! Programs and enrolments over real HTTP.

use std::time::Duration;

use dotdigital_client::{
    ContactId, EnrolmentId, ErrorKind, ProgramId, TransportErrorKind,
    imports::PollPolicy,
    programs::{Enrolees, Enrolment, EnrolmentFilter, EnrolmentStatus, ProgramStatus},
};

use crate::{
    calls::check,
    support::{Script, answer, list_id, serve, virtual_client},
};

const ID: &str = "b0ff06d6-af04-4af8-a299-51bcbad94c1c";
const ENROLMENT: &str = r#"{"id":"b0ff06d6-af04-4af8-a299-51bcbad94c1c","programId":7,
    "status":"processing","dateCreated":"2020-01-01 09:40:18.527000+00:00","contacts":[3,"4"],
    "addressBooks":null,"new":true}"#;

fn program() -> ProgramId {
    ProgramId::new(7).unwrap()
}

fn enrolment() -> EnrolmentId {
    EnrolmentId::new(ID).unwrap()
}

fn contacts() -> Vec<ContactId> {
    [3, 4].into_iter().map(|id| ContactId::new(id).unwrap()).collect()
}

fn check_enrolment(enrolment: &Enrolment) {
    assert_eq!((enrolment.id.as_str(), enrolment.program_id), (ID, program()));
    assert_eq!(enrolment.status, EnrolmentStatus::Processing);
    assert!(enrolment.created.is_some());
    assert_eq!((&enrolment.contacts, enrolment.lists.len()), (&contacts(), 0));
}

#[tokio::test]
async fn a_page_of_programs_is_read() {
    let body = r#"[{"id":7,"name":"Birthday","status":"ReadOnly",
        "dateCreated":"2020-01-01 09:40:18.527000+00:00"},{"id":8,"status":"new","name":null}]"#;
    let (server, client) = serve(200, body).await;
    let page = client.programs().pages().next_page().await.unwrap().unwrap();
    check(&server, "GET /v2/programs?select=1000&skip=0").await;
    assert_eq!((page[0].id, page[0].name.as_str()), (program(), "Birthday"));
    assert_eq!((&page[0].status, page[0].created.is_some()), (&ProgramStatus::ReadOnly, true));
    assert_eq!((page[1].name.as_str(), page[1].created), ("", None));
}

#[tokio::test]
async fn a_program_is_found_by_its_id() {
    let (server, client) = serve(200, r#"{"id":7,"name":"Promo","status":"Active"}"#).await;
    let found = client.programs().find(program()).await.unwrap().unwrap();
    check(&server, "GET /v2/programs/7").await;
    assert_eq!(found.status, ProgramStatus::Active);
}

#[tokio::test]
async fn what_is_gone_is_no_error() {
    let (_server, client) = serve(404, r#"{"message":"Error: ERROR_PROGRAM_NOT_FOUND"}"#).await;
    assert_eq!(client.programs().find(program()).await.unwrap(), None);
    let error = client.programs().enrolment(&enrolment()).await.unwrap_err();
    assert_eq!(error.code(), Some("ERROR_PROGRAM_NOT_FOUND"));
    let (_server, client) = serve(404, r#"{"message":"Error: ERROR_ENROLMENT_NOT_FOUND"}"#).await;
    assert_eq!(client.programs().enrolment(&enrolment()).await.unwrap(), None);
    client.programs().find(program()).await.unwrap_err();
}

#[tokio::test]
async fn contacts_and_lists_are_enrolled() {
    for (who, body) in [
        (Enrolees::contacts(contacts()), r#"{"programId":7,"contacts":[3,4]}"#),
        (Enrolees::lists([list_id(9)]), r#"{"programId":7,"addressBooks":[9]}"#),
        (
            Enrolees::new(contacts(), [list_id(9)]),
            r#"{"programId":7,"contacts":[3,4],"addressBooks":[9]}"#,
        ),
    ] {
        let (server, client) = serve(201, ENROLMENT).await;
        let enrolled = client.programs().enrol(program(), &who.unwrap()).await.unwrap();
        check(&server, &format!("POST /v2/programs/enrolments {body}")).await;
        check_enrolment(&enrolled);
    }
}

#[tokio::test(start_paused = true)]
async fn enrolling_is_not_repeated_once_it_may_have_been_acted_on() {
    let script = Script::new([Err(TransportErrorKind::TimedOut)]);
    let (client, _clock) = virtual_client(script.clone());
    let who = Enrolees::contacts(contacts()).unwrap();
    let error = client.programs().enrol(program(), &who).await.unwrap_err();
    assert_eq!((error.kind(), script.requests().len()), (ErrorKind::MaybeSent, 1));
    assert!(error.may_have_acted());
}

#[tokio::test]
async fn an_enrolment_is_read() {
    let (server, client) = serve(200, ENROLMENT).await;
    let found = client.programs().enrolment(&enrolment()).await.unwrap().unwrap();
    check(&server, &format!("GET /v2/programs/enrolments/{ID}")).await;
    check_enrolment(&found);
}

#[tokio::test]
async fn enrolments_are_read_by_how_far_they_have_come() {
    for (filter, word) in
        [(EnrolmentFilter::Processing, "Processing"), (EnrolmentFilter::Finished, "Finished")]
    {
        let (server, client) = serve(200, &format!("[{ENROLMENT}]")).await;
        let page = client.programs().enrolments(filter).next_page().await.unwrap().unwrap();
        check(&server, &format!("GET /v2/programs/enrolments/{word}?select=1000&skip=0")).await;
        check_enrolment(&page[0]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_enrolment_is_waited_for() {
    let ended = ENROLMENT.replace("processing", "Finished");
    let script = Script::new([Ok(answer(200, ENROLMENT)), Ok(answer(200, &ended))]);
    let (client, clock) = virtual_client(script.clone());
    let done = client.programs().wait(&enrolment(), &PollPolicy::default()).await.unwrap();
    assert_eq!(done.status, EnrolmentStatus::Finished);
    assert_eq!((script.requests().len(), clock.elapsed()), (2, Duration::from_secs(3)));
}

#[tokio::test]
async fn the_report_on_faults_is_read_with_its_byte_order_mark() {
    let report = "\u{feff}Id,Email,TelephoneNumber,Reason\n12345,jane@example.com,+441234567890,\
                  Unsubscribed\n67890,joe@example.com,,AlreadyInProgram\n";
    let (server, client) = serve(200, report).await;
    let faults = client.programs().enrolment_faults(&enrolment()).await.unwrap();
    check(&server, &format!("GET /v2/programs/enrolments/{ID}/report-faults")).await;
    assert_eq!(faults.len(), 2);
    assert_eq!(faults[0].contact_id.unwrap().get(), 12345);
    assert_eq!(faults[0].telephone_number.as_deref(), Some("+441234567890"));
    assert_eq!(
        (faults[1].reason.as_str(), &faults[1].telephone_number),
        ("AlreadyInProgram", &None)
    );
}

#[tokio::test]
async fn a_report_that_is_none_is_not_taken_for_one_without_faults() {
    let (_server, client) = serve(200, "<html>busy</html>").await;
    let error = client.programs().enrolment_faults(&enrolment()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let body = r#"{"message":"Error: ERROR_ENROLMENT_IS_PROCESSING"}"#;
    let (_server, client) = serve(400, body).await;
    let error = client.programs().enrolment_faults(&enrolment()).await.unwrap_err();
    assert_eq!(error.code(), Some("ERROR_ENROLMENT_IS_PROCESSING"));
}
