//! Collections: which there are, and making, deleting and emptying them.

use serde_json::{Value, json};

use super::{
    super::{
        Answer, Context,
        answer::{json_body, status},
        contacts::find_of,
    },
    Place, SERVICE, bad_request, collection_name, known, schema_json,
};
use crate::{
    simulator::account::{Collection, Scope, Work, collection_kind},
    transport::HttpResponse,
};

/// `GET /insightData/v3/collections`.
pub(in crate::simulator::api) fn all(context: &mut Context<'_>) -> Answer {
    let all = context.account.insight_data.iter();
    let shown: Vec<Value> = all.map(|(name, it)| summary(name, it, it.len())).collect();
    Ok(json_body(200, &shown))
}

/// `GET /insightData/v3/account`.
pub(in crate::simulator::api) fn of_account(context: &mut Context<'_>) -> Answer {
    let all = context.account.insight_data.iter();
    let own = all.filter(|(_, collection)| collection.scope == Scope::Account);
    let shown: Vec<Value> = own.map(|(name, it)| summary(name, it, it.len())).collect();
    Ok(json_body(200, &shown))
}

/// `GET /insightData/v3/contacts/{identifier}/{value}`: those in which the contact has records.
pub(in crate::simulator::api) fn of_contact(context: &mut Context<'_>) -> Answer {
    let contact = find_of(context, SERVICE)?;
    let all = context.account.insight_data.iter();
    let counted = all.map(|(name, collection)| (name, collection, collection.len_of(contact)));
    let shown: Vec<Value> = counted
        .filter(|(_, _, count)| *count > 0)
        .map(|(name, collection, count)| summary(name, collection, count))
        .collect();
    Ok(json_body(200, &shown))
}

/// `POST /insightData/v3/collections/{collectionName}`: one that exists stays as it is.
pub(in crate::simulator::api) fn create(context: &mut Context<'_>) -> Answer {
    let name = collection_name(context.arg(0))?.to_owned();
    let scope = word(context, "collectionScope", Scope::named)?;
    let kind = word(context, "collectionType", collection_kind)?;
    let all = &mut context.account.insight_data;
    if all.get(&name).is_some() {
        return Ok(status(200));
    }
    // The description gives none of these answers a body.
    Ok(status(if all.create(&name, scope, kind).is_some() { 201 } else { 412 }))
}

/// `GET /insightData/v3/collections/{collectionName}/schema`.
pub(in crate::simulator::api) fn schema(context: &mut Context<'_>) -> Answer {
    let name = collection_name(context.arg(0))?;
    let collection = known(context.account, name, None)?;
    let shapes = context.account.settings.switches.insight_data;
    let body = json!({
        "collectionName": name,
        "collectionType": collection.kind,
        "schema": schema_json::of(collection, shapes),
    });
    Ok(json_body(200, &body))
}

/// `DELETE /insightData/v3/collections/{collectionName}`.
pub(in crate::simulator::api) fn delete(context: &mut Context<'_>) -> Answer {
    let collection = collection_name(context.arg(0))?.to_owned();
    known(context.account, &collection, None)?;
    Ok(started(context, Work::DeleteCollection { collection }))
}

/// `DELETE /insightData/v3/collections/{collectionName}/empty`.
pub(in crate::simulator::api) fn empty(context: &mut Context<'_>) -> Answer {
    let collection = collection_name(context.arg(0))?.to_owned();
    known(context.account, &collection, None)?;
    Ok(started(context, Work::EmptyCollection { collection, contact: None }))
}

/// `DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/empty`.
pub(in crate::simulator::api) fn empty_of_contact(context: &mut Context<'_>) -> Answer {
    let Place { collection, owner } = Place::read(context, Scope::Contact)?;
    Ok(started(context, Work::EmptyCollection { collection, contact: owner }))
}

fn started(context: &mut Context<'_>, work: Work) -> HttpResponse {
    json_body(202, &json!({"jobId": context.submit(work)}))
}

fn summary(name: &str, collection: &Collection, count: usize) -> Value {
    json!({
        "collectionName": name,
        "collectionType": collection.kind,
        "collectionScope": collection.scope.as_str(),
        "recordCount": count,
    })
}

/// A parameter of the query that must be there once and be one of some words.
fn word<T>(
    context: &Context<'_>,
    name: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, HttpResponse> {
    let mut sent = context.query.pairs().iter().filter(|(key, _)| key == name);
    let found = match (sent.next(), sent.next()) {
        (Some((_, value)), None) => read(value),
        _ => None,
    };
    found.ok_or_else(|| bad_request(name, "One of the words allowed is expected, once"))
}
