//! Enrolling people in programs: `/v2/programs/enrolments`.

use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, text_body, v2_error, v2_error_text},
    import::is_guid,
    v2_parameters::{Slice, int32_value, invalid, object, timestamp},
};
use crate::{
    simulator::{
        account::{
            Account, Enrol, Enrolment, EnrolmentFault, EnrolmentReport, EnrolmentStatus, Job, Jobs,
            Report, Work,
        },
        programs::ProgramState,
    },
    transport::HttpResponse,
};

const MOST_CONTACTS: usize = 25;
const MOST_LISTS: usize = 10;

/// `POST /v2/programs/enrolments`.
pub(super) fn create(context: &mut Context<'_>) -> Answer {
    let enrol = read(&context.body.take_v2()?)?;
    check(context.account, &enrol)?;
    let Enrol { program, contacts, lists } = &enrol;
    let (program, contacts, lists) = (*program, contacts.clone(), lists.clone());
    let created = context.now;
    let id = context.submit(Work::Enrol(enrol));
    let enrolment = Enrolment { id, program, contacts, lists, created };
    let answer = json_body(201, &shown(&enrolment, &context.account.jobs));
    context.account.programs.note(enrolment);
    Ok(answer)
}

/// `GET /v2/programs/enrolments/{enrolmentId}`.
pub(super) fn get(context: &mut Context<'_>) -> Answer {
    if !is_guid(context.arg(0)) {
        return Err(invalid());
    }
    let enrolment = known(context.account, context.arg(0))?;
    Ok(json_body(200, &shown(enrolment, &context.account.jobs)))
}

/// `GET /v2/programs/enrolments/{status}`.
pub(super) fn page(context: &mut Context<'_>) -> Answer {
    let slice = Slice::read(&context.query)?;
    let account = &*context.account;
    let status = context.arg(0);
    let matching = account
        .programs
        .enrolments
        .iter()
        .filter(|enrolment| enrolment.status(&account.jobs).as_str() == status);
    let page: Vec<Value> =
        slice.of(matching).map(|enrolment| shown(enrolment, &account.jobs)).collect();
    Ok(json_body(200, &page))
}

/// `GET /v2/programs/enrolments/{id}/report-faults`.
pub(super) fn faults(context: &mut Context<'_>) -> Answer {
    let enrolment = known(context.account, context.arg(0))?;
    match context.account.jobs.get(&enrolment.id) {
        Some(Job::Done(Report::Enrolment(report))) => {
            Ok(text_body(200, "text/csv; charset=utf-8", &csv(report)))
        }
        _ => Err(v2_error(400, "ERROR_ENROLMENT_IS_PROCESSING")),
    }
}

/// Whether the text is a status enrolments can be asked for by.
pub(super) fn is_status(text: &str) -> bool {
    const NEVER: &str = "NotAvailableInThisVersion";
    let known = [EnrolmentStatus::Processing, EnrolmentStatus::Finished].map(|one| one.as_str());
    known.contains(&text) || text == NEVER
}

fn read(body: &Value) -> Result<Enrol, HttpResponse> {
    let body = object(body)?;
    let ids = |key: &str| match body.get(key) {
        None => Ok(Vec::new()),
        Some(ids) => ids
            .as_array()
            .and_then(|ids| ids.iter().map(int32_value).collect::<Option<Vec<i32>>>())
            .ok_or_else(malformed),
    };
    let program = body.get("programId").and_then(int32_value).ok_or_else(malformed)?;
    let contacts: Vec<i64> = ids("contacts")?.into_iter().map(i64::from).collect();
    Ok(Enrol { program, contacts, lists: ids("addressBooks")? })
}

fn check(account: &Account, enrol: &Enrol) -> Result<(), HttpResponse> {
    let refuse = |status: u16, code: &str| Err(v2_error(status, code));
    if enrol.contacts.is_empty() && enrol.lists.is_empty() || enrol.contacts.len() > MOST_CONTACTS {
        return refuse(400, "ERROR_ENROLMENT_INVALID");
    }
    if enrol.lists.len() > MOST_LISTS {
        return refuse(400, "ERROR_ADDRESSBOOK_TOOMANY");
    }
    match account.programs.all.get(&enrol.program).map(|program| program.state) {
        None => return refuse(404, "ERROR_PROGRAM_NOT_FOUND"),
        Some(ProgramState::Active) => {}
        Some(_) => return refuse(422, "ERROR_PROGRAM_NOT_ACTIVE"),
    }
    if enrol.lists.iter().any(|list| !account.lists.contains_key(list)) {
        return refuse(400, "ERROR_ADDRESSBOOK_NOT_FOUND");
    }
    if enrol.contacts.iter().any(|contact| account.contacts.get(*contact).is_none()) {
        return refuse(400, "ERROR_CONTACT_NOT_FOUND");
    }
    let allowance = account.settings.max_enrolments;
    if allowance.is_some_and(|most| account.programs.enrolments.len() >= most) {
        // The trailing space is the service's own.
        return Err(v2_error_text(400, "Error: ERROR_ENROLMENT_ALLOWANCE_EXCEEDED "));
    }
    Ok(())
}

fn known<'a>(account: &'a Account, id: &str) -> Result<&'a Enrolment, HttpResponse> {
    let enrolment = account.programs.enrolment(id);
    enrolment.ok_or_else(|| v2_error(404, "ERROR_ENROLMENT_NOT_FOUND"))
}

fn malformed() -> HttpResponse {
    v2_error(400, "ERROR_MALFORMED_REQUEST")
}

fn shown(enrolment: &Enrolment, jobs: &Jobs) -> Value {
    json!({
        "id": enrolment.id,
        "programId": enrolment.program,
        "status": enrolment.status(jobs).as_str(),
        "dateCreated": timestamp(enrolment.created),
        "contacts": enrolment.contacts,
        "addressBooks": enrolment.lists,
    })
}

fn csv(report: &EnrolmentReport) -> String {
    let mut csv = String::from("Id,Email,TelephoneNumber,Reason\n");
    for EnrolmentFault { contact, email, mobile, reason } in &report.faults {
        let email = quoted(email.as_deref().unwrap_or_default());
        let mobile = mobile.as_ref().map(|digits| format!("+{digits}")).unwrap_or_default();
        csv.push_str(&format!("{contact},{email},{mobile},{}\n", quoted(reason)));
    }
    csv
}

/// A field of a CSV line; in quotes only where it has to be.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
