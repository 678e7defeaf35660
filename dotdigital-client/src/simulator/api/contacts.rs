//! One contact: `POST /contacts/v3` and `/contacts/v3/{identifier}/{value}`.

use serde_json::Value;

use super::{
    Answer, Context,
    answer::{json_body, v3_error, v3_error_about},
    contact_json::{Parts, contact_json},
    schema::{Place, ShapeFault, contact_change, is_identifier_name},
};
use crate::{
    simulator::{
        account::{Account, ContactChange, Identifier, IdentifierSet, MergeOption, UpsertFault},
        switches::ConflictCode,
    },
    transport::HttpResponse,
};

/// `POST`: refused when any identifier belongs to a contact already, also to a deleted one as long
/// as it can be brought back.
pub(super) fn create(context: &mut Context<'_>) -> Answer {
    let change = read_body(context, Place::Create)?;
    let identifiers = read_identifiers(context, &change)?;
    let code = context.account.settings.switches.conflict_code;
    refuse_consent(context, &change)?;
    let now = context.now;
    let account = &mut *context.account;
    let prepared = account
        .prepare(identifiers, &change, None, now)
        .map_err(|fault| refused(fault, Some(code)))?;
    let id = account.contacts.create(&prepared.identifiers, now);
    account.store(id, prepared, &change, MergeOption::Overwrite, now);
    shown(context, id, 201)
}

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
    let identifiers = read_identifiers(context, &change)?;
    refuse_consent(context, &change)?;
    let now = context.now;
    let account = &mut *context.account;
    let code = account.settings.switches.conflict_code;
    let done = account
        .upsert(&by, identifiers, &change, merge, now)
        .map_err(|fault| refused(fault, Some(code)))?;
    shown(context, done.id, if done.created { 201 } else { 200 })
}

/// `PUT`: wipes whatever is not sent, list membership included.
pub(super) fn replace(context: &mut Context<'_>) -> Answer {
    let id = find(context)?;
    let change = read_body(context, Place::Replace)?;
    let identifiers = read_identifiers(context, &change)?;
    if identifiers.email.is_none() && identifiers.mobile.is_none() {
        return Err(refused(UpsertFault::NoIdentifiers, None));
    }
    let now = context.now;
    let account = &mut *context.account;
    // A replacement declares no 409.
    let prepared = account
        .prepare(identifiers, &change, Some(id), now)
        .map_err(|fault| refused(fault, None))?;
    for list in account.lists.values_mut() {
        list.remove(id);
    }
    account.contacts.anonymise(id);
    account.contacts.identify(id, &prepared.identifiers);
    if let Some(contact) = account.contacts.get_mut(id) {
        contact.data_fields.clear();
        contact.preferences.clear();
    }
    account.store(id, prepared, &change, MergeOption::Overwrite, now);
    shown(context, id, 200)
}

/// The identifier the path names.
fn identifier(context: &Context<'_>) -> Result<Identifier, HttpResponse> {
    identifier_of(context, "contacts")
}

/// The live contact the path names.
pub(super) fn find(context: &Context<'_>) -> Result<i64, HttpResponse> {
    find_of(context, "contacts")
}

/// The identifier that the path of a service names.
pub(super) fn identifier_of(
    context: &Context<'_>,
    service: &str,
) -> Result<Identifier, HttpResponse> {
    let (name, value) = (context.arg(0), context.arg(1));
    let identifier = context.account.identifier(name, value);
    identifier.filter(|_| is_identifier_name(name)).ok_or_else(|| {
        let text = format!("The id value '{value}' is invalid for the identifier '{name}'");
        v3_error(400, &format!("{service}:invalidId"), &text)
    })
}

/// The live contact that the path of a service names.
pub(super) fn find_of(context: &Context<'_>, service: &str) -> Result<i64, HttpResponse> {
    let by = identifier_of(context, service)?;
    context.account.contacts.find_live(&by).ok_or_else(|| {
        const TEXT: &str = "The following contacts could not be found";
        let code = format!("{service}:contactNotFound");
        let detail = format!("Not found using the identifier '{}'", by.name());
        v3_error_about(404, &code, TEXT, context.arg(1), &detail)
    })
}

fn read_body(context: &mut Context<'_>, place: Place) -> Result<ContactChange, HttpResponse> {
    contact_change(&context.body.take_v3()?, place).map_err(|fault| fault.answer())
}

fn read_identifiers(
    context: &Context<'_>,
    change: &ContactChange,
) -> Result<IdentifierSet, HttpResponse> {
    context.account.read_identifiers(change).map_err(|fault| refused(fault, None))
}

/// An import stores the contact without such records and reports them; here somebody can still be
/// asked.
fn refuse_consent(context: &Context<'_>, change: &ContactChange) -> Result<(), HttpResponse> {
    let credible = change.consent.iter().all(|record| record.is_credible(context.now));
    if credible { Ok(()) } else { Err(refused(UpsertFault::ConsentNotApplied, None)) }
}

/// `conflict` names the code of a 409; without one a conflict is a bad request like others.
fn refused(fault: UpsertFault, conflict: Option<ConflictCode>) -> HttpResponse {
    let description = fault.description();
    let (status, code) = match (fault, conflict) {
        (UpsertFault::Conflict, Some(ConflictCode::IdAlreadyExists)) => {
            (409, "contacts:idAlreadyExists")
        }
        (UpsertFault::Conflict, Some(ConflictCode::IdentifierConflict)) => {
            (409, "contacts:identifierConflict")
        }
        (fault, _) if fault.is_about_an_identifier() => (400, "contacts:invalidId"),
        _ => (400, "contacts:badRequest"),
    };
    v3_error_about(status, code, description, fault.camel_code(), description)
}

/// Everything there is to be read about a live contact.
pub(in crate::simulator) fn contact_in_full(account: &Account, id: i64) -> Option<Value> {
    let contact = account.contacts.get(id)?;
    Some(contact_json(account, contact, &Parts::all()))
}

fn shown(context: &Context<'_>, id: i64, status: u16) -> Answer {
    contact_in_full(context.account, id)
        .map(|body| json_body(status, &body))
        .ok_or_else(|| v3_error(404, "contacts:contactNotFound", "The contact could not be found"))
}
