//! Requests about programs.

use dotdigital_client::{
    EnrolmentId, ProgramId,
    programs::{Enrolees, EnrolmentFilter},
};
use proptest::{collection::vec, prelude::*};

use super::{
    Case, case,
    inputs::{contact_id, guid, list_id, soon},
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("programs::Programs::pages", "GET /v2/programs", Just(()), |client, ()| async move {
            client.programs().pages().next_page().await.ok();
        }),
        case(
            "programs::Programs::find",
            "GET /v2/programs/{id}",
            program_id(),
            |client, program| async move {
                client.programs().find(program).await.ok();
            },
        ),
        case(
            "programs::Programs::enrol",
            "POST /v2/programs/enrolments",
            (program_id(), enrolees()),
            |client, (program, who)| async move {
                client.programs().enrol(program, &who).await.ok();
            },
        ),
        case(
            "programs::Programs::enrolment",
            "GET /v2/programs/enrolments/{enrolmentId}",
            enrolment_id(),
            |client, enrolment| async move {
                client.programs().enrolment(&enrolment).await.ok();
            },
        ),
        case(
            "programs::Programs::wait",
            "GET /v2/programs/enrolments/{enrolmentId}",
            enrolment_id(),
            |client, enrolment| async move {
                client.programs().wait(&enrolment, &soon()).await.ok();
            },
        ),
        case(
            "programs::Programs::enrolments",
            "GET /v2/programs/enrolments/{status}",
            prop_oneof![Just(EnrolmentFilter::Processing), Just(EnrolmentFilter::Finished)],
            |client, filter| async move {
                client.programs().enrolments(filter).next_page().await.ok();
            },
        ),
        case(
            "programs::Programs::enrolment_faults",
            "GET /v2/programs/enrolments/{id}/report-faults",
            enrolment_id(),
            |client, enrolment| async move {
                client.programs().enrolment_faults(&enrolment).await.ok();
            },
        ),
    ]
}

fn program_id() -> impl Strategy<Value = ProgramId> {
    (1..=i32::MAX).prop_map(|id| ProgramId::new(id).unwrap())
}

fn enrolment_id() -> impl Strategy<Value = EnrolmentId> {
    guid().prop_map(|id| EnrolmentId::new(id).unwrap())
}

fn enrolees() -> impl Strategy<Value = Enrolees> {
    (vec(contact_id(), 0..26), vec(list_id(), 0..11))
        .prop_filter_map("nobody", |(contacts, lists)| Enrolees::new(contacts, lists).ok())
}
