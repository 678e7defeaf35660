//! One contact: `/contacts/v3/{identifier}/{value}`.

use super::{
    Answer, Context,
    answer::{json_body, v3_error, v3_error_about},
    contact_json::{Parts, contact_json},
    schema::{Place, ShapeFault, contact_change, is_identifier_name},
};
use crate::{
    simulator::{
        account::{ContactChange, Identifier, MergeOption, UpsertFault},
        switches::ConflictCode,
    },
    transport::HttpResponse,
};

pub(super) fn get(context: &mut Context<'_>) -> Answer {
    let id = find(context)?;
    shown(context, id, 200)
}

/// `PATCH`: changes only what is sent, creates what is missing, brings back what was deleted.
pub(super) fn update(context: &mut Context<'_>) -> Answer {
    let by = identifier(context)?;
    let merge = match context.query.get("merge-option") {
        None => Some(MergeOption::default()),
        Some(name) => MergeOption::kebab(name),
    };
    let merge = merge
        .ok_or_else(|| ShapeFault::new("merge-option", "Not one of those allowed").answer())?;
    let change = read_body(context, Place::Update)?;
    let account = &mut *context.account;
    let identifiers = account.read_identifiers(&change).map_err(|fault| refused(fault, None))?;
    let code = account.settings.switches.conflict_code;
    let done = account
        .upsert(&by, &identifiers, &change, merge, context.now)
        .map_err(|fault| refused(fault, Some(code)))?;
    match done.warning {
        Some(fault @ UpsertFault::GloballySuppressed) => Err(refused(fault, None)),
        _ => shown(context, done.id, if done.created { 201 } else { 200 }),
    }
}

/// `PUT`: wipes whatever is not sent, list membership included.
pub(super) fn replace(context: &mut Context<'_>) -> Answer {
    let id = find(context)?;
    let change = read_body(context, Place::Replace)?;
    let now = context.now;
    let account = &mut *context.account;
    let identifiers = account.read_identifiers(&change).map_err(|fault| refused(fault, None))?;
    if identifiers.email.is_none() && identifiers.mobile.is_none() {
        return Err(refused(UpsertFault::NoIdentifiers, None));
    }
    if account.belong_to_another(&identifiers, Some(id)) {
        // A replacement declares no 409.
        return Err(refused(UpsertFault::Conflict, None));
    }
    if change.lists.iter().any(|list| account.writable_list(*list).is_none()) {
        return Err(refused(UpsertFault::BadLists, None));
    }
    for list in account.lists.values_mut() {
        list.members.remove(&id);
    }
    account.contacts.anonymise(id);
    account.contacts.identify(id, &identifiers);
    if let Some(contact) = account.contacts.get_mut(id) {
        contact.data_fields.clear();
    }
    account.apply(id, &change, MergeOption::Overwrite, now);
    account.add_to_lists(id, &change.lists);
    shown(context, id, 200)
}

/// The identifier the path names.
pub(super) fn identifier(context: &Context<'_>) -> Result<Identifier, HttpResponse> {
    let (name, value) = (context.arg(0), context.arg(1));
    let known = matches!(name, "contactId" | "email" | "mobileNumber")
        || context.account.settings.custom_identifiers.contains(name);
    let fits = (1..=256).contains(&value.chars().count());
    Some(())
        .filter(|()| is_identifier_name(name) && known && fits)
        .and_then(|()| Identifier::named(name, value))
        .ok_or_else(|| {
            v3_error(400, "contacts:invalidId", "The identifier or its value is not valid")
        })
}

/// The live contact the path names.
pub(super) fn find(context: &Context<'_>) -> Result<i64, HttpResponse> {
    let by = identifier(context)?;
    context.account.contacts.find_live(&by).ok_or_else(|| {
        const TEXT: &str = "The following contacts could not be found";
        let detail = format!("Not found using the identifier '{}'", by.name());
        v3_error_about(404, "contacts:contactNotFound", TEXT, context.arg(1), &detail)
    })
}

fn read_body(context: &mut Context<'_>, place: Place) -> Result<ContactChange, HttpResponse> {
    contact_change(&context.body.take_v3()?, place).map_err(|fault| fault.answer())
}

/// `conflict` names the code of a 409; without one a conflict is a bad request like others.
fn refused(fault: UpsertFault, conflict: Option<ConflictCode>) -> HttpResponse {
    let description = fault.description();
    let code = match (fault, conflict) {
        (UpsertFault::Conflict, Some(ConflictCode::IdAlreadyExists)) => "contacts:idAlreadyExists",
        (UpsertFault::Conflict, Some(ConflictCode::IdentifierConflict)) => {
            "contacts:identifierConflict"
        }
        _ => {
            return v3_error_about(
                400,
                "contacts:badRequest",
                description,
                fault.code(),
                description,
            );
        }
    };
    v3_error(409, code, description)
}

fn shown(context: &Context<'_>, id: i64, status: u16) -> Answer {
    let contact = context.account.contacts.get(id);
    let contact = contact.map(|contact| contact_json(context.account, contact, &Parts::all()));
    contact
        .map(|body| json_body(status, &body))
        .ok_or_else(|| v3_error(404, "contacts:contactNotFound", "The contact could not be found"))
}
