//! Bulk imports: `/contacts/v3/import`.

use serde_json::{Map, Value, json};

use super::{
    Answer, Context,
    answer::{json_body, too_many_imports, v3_error},
    contact_json::id_value,
    schema::{Place, ShapeFault, contact_change},
};
use crate::{
    simulator::{
        account::{
            ContactChange, DoneRow, FailedRow, ImportReport, Job, MergeOption, Report, RowFault,
            Work,
        },
        switches::{ContactIdForm, FailureCodeCase, OversizeImport, Switches},
    },
    transport::HttpResponse,
};

pub(super) fn submit(context: &mut Context<'_>) -> Answer {
    refuse_oversize(context, "contacts")?;
    let (rows, merge) = read_body(&context.body.take_v3()?).map_err(|fault| fault.answer())?;
    if context.account.jobs.active_imports() >= context.account.settings.max_active_imports {
        return Err(too_many_imports("contacts"));
    }
    let id = context.submit(Work::Import { rows, merge });
    Ok(json_body(202, &json!({"importId": id})))
}

pub(super) fn status(context: &mut Context<'_>) -> Answer {
    let id = context.arg(0);
    if !is_guid(id) {
        return Err(v3_error(400, "contacts:invalidId", "The import id is not valid"));
    }
    let switches = &context.account.settings.switches;
    match context.account.jobs.get(id) {
        Some(Job::Pending(Work::Import { .. }, _)) => {
            Ok(json_body(200, &json!({"importId": id, "status": "NotFinished"})))
        }
        Some(Job::Done(Report::Import(report))) => Ok(shown(id, report, switches)),
        _ => Err(v3_error(404, "contacts:importNotFound", "The import could not be found")),
    }
}

pub(super) fn refuse_oversize(context: &Context<'_>, service: &str) -> Result<(), HttpResponse> {
    let settings = &context.account.settings;
    if context.body_bytes <= settings.max_import_bytes {
        return Ok(());
    }
    let status = match settings.switches.oversize_import {
        OversizeImport::TooLarge413 => 413,
        OversizeImport::BadRequest400 => 400,
    };
    let code = format!("{service}:requestTooLarge");
    Err(v3_error(status, &code, "The import is too large"))
}

/// Whether the text is 32 hexadecimal digits in the groups of a GUID.
pub(super) fn is_guid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn read_body(body: &Value) -> Result<(Vec<ContactChange>, MergeOption), ShapeFault> {
    let merge = match body.get("mergeOption") {
        None => Some(MergeOption::default()),
        Some(name) => name.as_str().and_then(MergeOption::camel),
    };
    let merge = merge.ok_or_else(|| ShapeFault::new("mergeOption", "Not one of those allowed"))?;
    let contacts = body.get("contacts").and_then(Value::as_array);
    let contacts = contacts
        .filter(|contacts| !contacts.is_empty())
        .ok_or_else(|| ShapeFault::new("contacts", "At least one contact is required"))?;
    let rows: Result<Vec<ContactChange>, ShapeFault> = contacts
        .iter()
        .enumerate()
        .map(|(number, row)| {
            contact_change(row, Place::Import).map_err(|fault| fault.in_row(number))
        })
        .collect();
    Ok((rows?, merge))
}

fn shown(id: &str, report: &ImportReport, switches: &Switches) -> HttpResponse {
    if report.status != "Finished" {
        return json_body(200, &json!({"importId": id, "status": report.status}));
    }
    let form = switches.contact_id;
    let refused = || report.failures.iter().filter(|row| !row.stored);
    let suppressed = refused().filter(|row| counts_as(row, &["globallySuppressed"])).count();
    let duplicates =
        refused().filter(|row| counts_as(row, &["duplicateIdentifier", "duplicate"])).count();
    let body = json!({
        "importId": id,
        "status": report.status,
        "summary": {
            "newContacts": report.created.len(),
            "updatedContacts": report.updated.len(),
            "globallySuppressed": suppressed,
            "invalidEntries": refused().count() - suppressed - duplicates,
            "duplicateIdentifiers": duplicates,
        },
        "created": report.created.iter().map(|row| done(row, form)).collect::<Vec<_>>(),
        "updated": report.updated.iter().map(|row| done(row, form)).collect::<Vec<_>>(),
        "failures": report.failures.iter().map(|row| failed(row, switches)).collect::<Vec<_>>(),
    });
    json_body(200, &body)
}

/// Whether a row failed with one of these codes, in any case.
fn counts_as(row: &FailedRow, codes: &[&str]) -> bool {
    let fits = |fault: &RowFault| {
        let (code, _) = words(fault, FailureCodeCase::Camel);
        codes.iter().any(|one| one.eq_ignore_ascii_case(&code))
    };
    row.faults.iter().any(fits)
}

/// Code and description.
fn words(fault: &RowFault, case: FailureCodeCase) -> (String, &'static str) {
    match fault {
        RowFault::Found(fault) => (fault.code(case), fault.description()),
        RowFault::Scripted(code) => (code.clone(), "The row was refused"),
    }
}

fn done(row: &DoneRow, form: ContactIdForm) -> Value {
    let mut identifiers = Map::new();
    if let Some(email) = &row.email {
        identifiers.insert("email".to_owned(), (**email).into());
    }
    if let Some(mobile) = &row.mobile {
        identifiers.insert("mobileNumber".to_owned(), (**mobile).into());
    }
    identifiers
        .extend(row.custom.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    json!({"contactId": id_value(row.contact, form), "identifiers": identifiers})
}

fn failed(row: &FailedRow, switches: &Switches) -> Value {
    let identifiers: Map<String, Value> =
        row.identifiers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let failure = |fault: &RowFault| {
        let (code, description) = words(fault, switches.failure_codes);
        json!({"failureCode": code, "description": description})
    };
    let mut shown = json!({
        "matchIdentifier": row.match_by,
        "identifiers": identifiers,
        "failures": row.faults.iter().map(failure).collect::<Vec<_>>(),
    });
    if let Some(id) = row.contact {
        shown["contactId"] = id_value(id, switches.contact_id);
    }
    shown
}
