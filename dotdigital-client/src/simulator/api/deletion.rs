//! Calls that delete people from the account. They look like removal from a list and are not.

use serde_json::{Map, Value, json};

use super::{
    Answer, Context,
    answer::{json_body, status, v2_error, v3_error},
    contact_json::id_value,
    contacts::find,
    import::is_guid,
};
use crate::simulator::account::{DeleteReport, Identifier, Job, Report, Work};

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
    let contacts: Option<Vec<Identifier>> =
        entries.and_then(|entries| entries.iter().map(identifier).collect());
    let contacts = contacts.ok_or_else(|| {
        v3_error(400, "contacts:noContactsSpecified", "1 to 5000 identifiers are expected")
    })?;
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
    let failures: Vec<Value> = report.unknown.iter().map(unknown).collect();
    json!({
        "deleteId": id,
        "status": "Finished",
        "summary": {
            "requestedContacts": report.deleted.len() + report.unknown.len(),
            "deletedContacts": report.deleted.len(),
            "unknownContacts": report.unknown.len(),
            "invalidEntries": 0,
        },
        "deleted": report.deleted.iter().map(shown).collect::<Vec<_>>(),
        "failures": failures,
    })
}

fn unknown(identifier: &Identifier) -> Value {
    let failure = json!({"failureCode": "contactNotFound", "description": "No such contact"});
    json!({"identifier": shown(identifier), "failures": [failure]})
}

fn shown(identifier: &Identifier) -> Value {
    let value = match identifier {
        Identifier::ContactId(id) => Value::from(*id),
        Identifier::Email(text) | Identifier::Mobile(text) => text.as_str().into(),
        Identifier::Custom { value, .. } => value.as_str().into(),
    };
    Value::Object(Map::from_iter([(identifier.name().to_owned(), value)]))
}

fn identifier(entry: &Value) -> Option<Identifier> {
    let entry = entry.as_object().filter(|entry| entry.len() == 1)?;
    let (name, value) = entry.iter().next()?;
    match value {
        Value::Number(id) if name == "contactId" => id.as_i64().map(Identifier::ContactId),
        Value::String(value) if name != "contactId" => Identifier::named(name, value),
        _ => None,
    }
}
