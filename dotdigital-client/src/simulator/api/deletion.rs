//! Calls that delete people from the account. They look like removal from a list and are not.

use serde_json::{Map, Value, json};

use super::{
    Answer, Context,
    answer::{json_body, status, v2_error, v3_error},
    contact_json::id_value,
    contacts::find,
    import::is_guid,
    schema::whole,
};
use crate::simulator::account::{DeleteReport, Deletion, Identifier, Job, Report, Work, is_email};

const MOST_DELETED: usize = 5_000;

/// `DELETE /contacts/v3/{identifier}/{value}`.
pub(super) fn delete(context: &mut Context<'_>) -> Answer {
    let id = find(context)?;
    context.account.delete_contact(id, context.now);
    let form = context.account.settings.switches.contact_id;
    Ok(json_body(200, &json!({"contactId": id_value(id, form)})))
}

/// `POST /contacts/v3/delete`.
pub(super) fn delete_many(context: &mut Context<'_>) -> Answer {
    let body = context.body.take_v3()?;
    let entries = body.as_array().filter(|entries| (1..=MOST_DELETED).contains(&entries.len()));
    let contacts: Option<Vec<Deletion>> =
        entries.and_then(|entries| entries.iter().map(|entry| deletion(context, entry)).collect());
    let contacts = contacts.ok_or_else(|| {
        v3_error(400, "contacts:noContactsSpecified", "1 to 5000 identifiers are expected")
    })?;
    if context.account.jobs.active_deletions() >= context.account.settings.max_active_deletions {
        const TEXT: &str = "There are too many bulk delete jobs";
        return Err(v3_error(429, "contacts:tooManyBulkDeleteJobs", TEXT));
    }
    let id = context.submit(Work::DeleteContacts { contacts });
    Ok(json_body(202, &json!({"deleteId": id})))
}

/// `GET /contacts/v3/delete/{deleteId}`.
pub(super) fn delete_status(context: &mut Context<'_>) -> Answer {
    let id = context.arg(0);
    if !is_guid(id) {
        return Err(v3_error(400, "contacts:invalidDeleteId", "The delete id is not valid"));
    }
    let body = match context.account.jobs.get(id) {
        Some(Job::Pending(Work::DeleteContacts { .. }, _)) => {
            json!({"deleteId": id, "status": "NotFinished"})
        }
        Some(Job::Done(Report::Deletion(report))) if report.failed => {
            json!({"deleteId": id, "status": "Failed"})
        }
        Some(Job::Done(Report::Deletion(report))) => finished(id, report),
        _ => return Err(v3_error(404, "contacts:importNotFound", "The job could not be found")),
    };
    Ok(json_body(200, &body))
}

/// `DELETE /v2/contacts/{id}`.
pub(super) fn delete_v2(context: &mut Context<'_>) -> Answer {
    let id: i32 = context.arg(0).parse().map_err(|_| v2_error(400, "ERROR_PARAMETER_INVALID"))?;
    if context.account.delete_contact(i64::from(id), context.now) {
        Ok(status(204))
    } else {
        Err(v2_error(404, "ERROR_CONTACT_NOT_FOUND"))
    }
}

/// `POST /v2/accounts/empty-recycle-bin`.
pub(super) fn empty_bin(context: &mut Context<'_>) -> Answer {
    context.account.contacts.purge_binned_until(context.now);
    Ok(status(202))
}

fn finished(id: &str, report: &DeleteReport) -> Value {
    let unknown = report.unknown.iter().map(|entry| failed(entry, "contactNotFound"));
    let invalid = report.invalid.iter().map(|entry| failed(entry, invalid_code(&entry.name)));
    json!({
        "deleteId": id,
        "status": "Finished",
        "summary": {
            "requestedContacts":
                report.deleted.len() + report.unknown.len() + report.invalid.len(),
            "deletedContacts": report.deleted.len(),
            "unknownContacts": report.unknown.len(),
            "invalidEntries": report.invalid.len(),
        },
        "deleted": report.deleted.iter().map(shown).collect::<Vec<_>>(),
        "failures": unknown.chain(invalid).collect::<Vec<_>>(),
    })
}

fn failed(entry: &Deletion, code: &str) -> Value {
    let description = match code {
        "contactNotFound" => "The contact could not be found".to_owned(),
        _ => format!("Invalid value for '{}'", entry.name),
    };
    let failure = json!({"failureCode": code, "description": description});
    json!({"identifier": shown(entry), "failures": [failure]})
}

fn invalid_code(name: &str) -> &'static str {
    match name {
        "email" => "invalidEmail",
        "mobileNumber" => "invalidPhoneNumber",
        "contactId" => "invalidContactId",
        _ => "invalidMatchIdentifier",
    }
}

fn shown(entry: &Deletion) -> Value {
    Value::Object(Map::from_iter([(entry.name.clone(), entry.value.clone())]))
}

/// Reads one entry. `None` when the description forbids it.
fn deletion(context: &Context<'_>, entry: &Value) -> Option<Deletion> {
    let entry = entry.as_object().filter(|entry| entry.len() == 1)?;
    let (name, value) = entry.iter().next()?;
    let identifier = match (name.as_str(), value) {
        ("contactId", value) => {
            Some(whole(value)?).filter(|id| *id >= 0).map(Identifier::ContactId)
        }
        ("email", Value::String(email)) => is_email(email).then(|| Identifier::email(email)),
        ("mobileNumber", Value::String(number)) => Identifier::named(name, number),
        (name, Value::String(value)) => {
            let known = context.account.custom_identifiers.contains(name);
            known.then(|| Identifier::named(name, value)).flatten()
        }
        _ => return None,
    };
    Some(Deletion { name: name.clone(), value: value.clone(), identifier })
}
