//! The account's custom identifiers: `/configuration/v3/customIdentifiers`.

use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, status, v3_error},
    contact_json::timestamp,
    schema::is_identifier_name,
};
use crate::{
    simulator::{
        account::{CustomIdentifier, DeclareFault},
        switches::CustomIdentifierErrors,
    },
    transport::HttpResponse,
};

const LONGEST_NAME: usize = 50;
const IN_USE: &str = "customIdentifiers:inUse";
const IN_USE_TEXT: &str = "The custom identifier is in use by another entity.";

pub(super) fn list(context: &mut Context<'_>) -> Answer {
    let all = context.account.custom_identifiers.iter();
    let shown: Vec<Value> = all.map(|(name, identifier)| shown(name, identifier)).collect();
    Ok(json_body(200, &shown))
}

pub(super) fn create(context: &mut Context<'_>) -> Answer {
    let body = context.body.take_v3()?;
    let name = body.get("name").and_then(Value::as_str).ok_or_else(|| {
        v3_error(400, "customIdentifiers:badRequest", "The name of the identifier is required.")
    })?;
    if name.chars().count() > LONGEST_NAME {
        const TEXT: &str = "The custom identifier is too long.";
        return Err(v3_error(400, "customIdentifiers:nameTooLong", TEXT));
    }
    if !is_identifier_name(name) {
        const TEXT: &str = "A name is made of letters, digits, hyphens and underscores.";
        return Err(v3_error(400, "customIdentifiers:badRequest", TEXT));
    }
    let identifiers = &mut context.account.custom_identifiers;
    identifiers.declare(name, context.now).map_err(|fault| match fault {
        DeclareFault::Exists => {
            const TEXT: &str = "The custom identifier already exists.";
            v3_error(409, "customIdentifiers:nameAlreadyExists", TEXT)
        }
        // The description gives this answer no body.
        DeclareFault::LimitReached => status(412),
    })?;
    let created = identifiers.get_mut(name).map(|identifier| shown(name, identifier));
    Ok(json_body(201, &created))
}

/// `DELETE …/{name}`: every contact loses its value.
pub(super) fn delete(context: &mut Context<'_>) -> Answer {
    let name = context.arg(0).to_owned();
    let errors = context.account.settings.switches.custom_identifier_errors;
    let identifier = context.account.custom_identifiers.get_mut(&name);
    let identifier = identifier.ok_or_else(|| not_found(errors))?;
    if !identifier.used_by.is_empty() {
        return Err(in_use(&identifier.used_by, errors));
    }
    context.account.delete_custom_identifier(&name);
    Ok(status(204))
}

fn shown(name: &str, identifier: &CustomIdentifier) -> Value {
    // Nothing about an identifier ever changes.
    let created = timestamp(identifier.created);
    json!({"name": name, "created": created, "updated": created})
}

fn not_found(errors: CustomIdentifierErrors) -> HttpResponse {
    const TEXT: &str = "The custom identifier does not exist.";
    let error = json!({"errorCode": "customIdentifiers:notExist", "description": TEXT});
    match errors {
        CustomIdentifierErrors::AsDeclared => json_body(404, &error),
        CustomIdentifierErrors::AsInExamples => json_body(404, &[error]),
    }
}

fn in_use(used_by: &[String], errors: CustomIdentifierErrors) -> HttpResponse {
    const DETAIL: &str = "The custom identifier is used by this.";
    let items = used_by.iter().map(|item| json!({"item": item, "description": DETAIL}));
    let items: Vec<Value> = items.collect();
    let details = match errors {
        CustomIdentifierErrors::AsDeclared => json!(items),
        CustomIdentifierErrors::AsInExamples => json!({"items": items, "description": DETAIL}),
    };
    let body = json!({"errorCode": IN_USE, "description": IN_USE_TEXT, "details": details});
    json_body(400, &body)
}
